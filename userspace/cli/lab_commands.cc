// SPDX-License-Identifier: GPL-2.0-only
// The commands of a lab script.
#include "lab_asked.h"

namespace ktwin::cli {
namespace {

LabDone say(LabSession&, const Arguments& arguments) {
    std::string text;
    for (size_t i = 0; i < arguments.count(); i++) {
        text += (i ? " " : "") + arguments.at(i);
    }
    return LabOutcome{printable(text), {{"text", text}}};
}

LabDone help(LabSession&, const Arguments&) {
    const std::string text = without_end(lab_commands_help());
    return LabOutcome{text, {{"text", text}}};
}

constexpr LabCommand commands[] = {
    {"ns create", "[PARENT] [--pid-max N]", "a namespace below PARENT (1); its number", 1,
     create_lab_namespace},
    {"ns list", "", "the namespaces, as a tree", 0, list_lab_namespaces},
    {"pid-max", "NS [N]", "the pid_max of a namespace, or set it", 1, lab_pid_max},
    {"alloc", "[NS] [--how HOW] [--wanted N,...] [--task] [--count N]",
     "pids with numbers in NS (1) and its ancestors; HOW: cyclic, lowest, any; --wanted: these, for NS "
     "first, then its "
     "ancestors; --task: each with a task that has it as PID and TGID",
     1, alloc_lab_pid},
    {"free", "NS NR[-NR]...", "frees pids; of a range those that are in use", 0, free_lab_pids},
    {"find", "NS NR", "who has the number, and how many tasks use it as what", 1, find_lab_pid},
    {"next", "NS NR", "the one with the lowest number from NR on", 1, next_lab_pid},
    {"list", "[NS]", "the pids of a namespace (1), and how many tasks use them", 0, list_lab_pids},
    {"attach", "TASK TYPE NS NR", "a task, or a new one, gets a pid as pid, tgid, pgid or sid", 1,
     attach_lab_task},
    {"detach", "TASK TYPE", "a task loses it; without any it is gone, and so is a pid without tasks", 1,
     detach_lab_task},
    {"change", "TASK TYPE NS NR", "as setpgid() and setsid() do", 1, change_lab_task},
    {"transfer", "TASK OTHER TYPE", "from one task to the other", 1, transfer_lab_task},
    {"exchange", "TASK OTHER", "they swap their PIDs", 1, exchange_lab_tasks},
    {"tasks", "", "the tasks, with their numbers at level 0", 0, list_lab_tasks},
    {"kill", "NS", "its init ends, and so does every task in it and below it", 0, kill_lab_namespace},
    {"stats", "", "what is there, what the limits are, who was refused and why", 0, show_lab_stats},
    {"show", "[NS] [--svg FILE]", "the namespaces, their numbers, the pools; or a picture of them", 0,
     show_lab},
    {"say", "[WORD...]", "says it", 0, say},
    {"help", "", "this", 0, help},
    {"quit", "", "no more", 0, nullptr},
};

}  // namespace

const LabCommand* find_lab_command(std::string_view name) {
    for (const LabCommand& command : commands) {
        if (command.name == name) {
            return &command;
        }
    }
    return nullptr;
}

std::string lab_commands_help() {
    std::string text;
    for (const LabCommand& command : commands) {
        text += fmt::format("{}{}{}\n        {}\n", command.name, command.usage.empty() ? "" : " ",
                            command.usage, command.help);
    }
    text +=
        "$NAME... = COMMAND\n        names for what it results in: a number, and with --task the task; $NAME "
        "then stands "
        "for it\n"
        "expect ERRNO COMMAND\n        it is to fail so\n";
    return text;
}

}  // namespace ktwin::cli
