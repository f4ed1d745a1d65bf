// SPDX-License-Identifier: GPL-2.0-only
// ktwin wait --task TID: what one task sleeps on.
#include <fmt/format.h>

#include "lib/names.h"
#include "lib/text.h"
#include "wait.h"

namespace ktwin::cli {
namespace {

Json letter(const Sleep& sleep) {
    return sleep.state ? Json(std::string(1, sleep.state)) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

constexpr Column<Sleep> columns[] = {
    {"TID", Align::right, true, "thread id", [](const Sleep& s) { return Json(s.tid); }},
    {"PID", Align::right, true, "of its process", [](const Sleep& s) { return json_of(s.tgid); }},
    {"COMM", Align::left, true, "its name", [](const Sleep& s) { return Json(s.comm); }},
    {"STATE", Align::left, true, "the letter ps shows", letter},
    {"KIND", Align::left, true, "awake, fd, child, futex, time, other",
     [](const Sleep& s) { return Json(sleep_kind_name(s.kind)); }},
    {"ASLEEP", Align::right, true, "seconds",
     [](const Sleep& s) {
         return s.asleep_ns ? Json(static_cast<double>(*s.asleep_ns) / 1e9) : Json(nullptr);
     }},
    {"FDS", Align::left, true, "its files on whose queues it sleeps",
     [](const Sleep& s) { return Json(s.fds); }},
    {"FILE", Align::left, true, "what the first of them is",
     [](const Sleep& s) { return text_or_null(s.file); }},
    {"WHERE", Align::left, true, "function of the kernel it sleeps in",
     [](const Sleep& s) { return text_or_null(s.where); }},
};

Json object(const Sleep& sleep) {
    return {
        {"tid", sleep.tid},
        {"pid", json_of(sleep.tgid)},
        {"comm", sleep.comm},
        {"hidden", sleep.hidden},
        {"state", letter(sleep)},
        {"kind", sleep_kind_name(sleep.kind)},
        {"asleep_ns", json_of(sleep.asleep_ns)},
        {"fds", sleep.fds},
        {"more_fds", sleep.more_fds},
        {"file", text_or_null(sleep.file)},
        {"where", text_or_null(sleep.where)},
    };
}

// "on fd 0, fd 3 and more (pipe)"
std::string files(const Sleep& sleep) {
    std::string text;
    for (const int32_t fd : sleep.fds) {
        text += fmt::format("{} fd {}", text.empty() ? "on" : ",", fd);
    }
    if (text.empty()) {
        return sleep_kind_phrase(sleep.kind);
    }
    text += sleep.more_fds ? " and more" : "";
    return sleep.file.empty() ? text : text + fmt::format(" ({})", printable(sleep.file));
}

std::string sentence(const Sleep& sleep) {
    std::string text =
        fmt::format("task {} ({})", sleep.tid, sleep.hidden ? "another user's" : printable(sleep.comm));
    if (sleep.tgid && *sleep.tgid != sleep.tid) {
        text += fmt::format(" of process {}", *sleep.tgid);
    }
    if (sleep.kind == KTWIN_SLEEP_AWAKE) {
        const std::string_view state = task_state_name(sleep.state);
        return text + ": not asleep" + (state.empty() ? "" : fmt::format(": {} ({})", state, sleep.state));
    }
    text += ": asleep";
    if (sleep.asleep_ns) {
        text += " for " + duration_text(*sleep.asleep_ns);
    }
    if (sleep.state) {
        text += fmt::format(" ({})", sleep.state);
    }
    text += " " + files(sleep);
    return sleep.where.empty() ? text : text + ", in " + printable(sleep.where);
}

int show(Device& device, const WaitOptions& options, const Selection<Sleep>& selection) {
    const Result<Sleep> sleep = device.sleep(options.task, options.ns);
    if (!sleep) {
        return report_wait(sleep.error());
    }
    const Format& format = options.format;
    if (format.json) {
        emit_line(dump(format.chosen() ? selection.object(*sleep) : object(*sleep)));
    } else if (format.raw || format.chosen()) {
        Table table(selection.headings());
        table.add(selection.cells(*sleep));
        emit(table.str(style(format)));
    } else {
        emit_line(sentence(*sleep));
        if (!sleep->fds.empty() && sleep->tgid && !options.ns) {
            emit_line(
                fmt::format("who else waits there: ktwin wait {}:{}", *sleep->tgid, sleep->fds.front()));
        }
    }
    return sleep->kind == KTWIN_SLEEP_AWAKE ? different : fine;
}

}  // namespace

int wait_task(const WaitOptions& options) {
    const auto selection = choose(columns, options.format);
    if (!selection) {
        return selection.error();
    }
    return with_device(options.device, [&](Device& device) { return show(device, options, *selection); });
}

}  // namespace ktwin::cli
