// SPDX-License-Identifier: GPL-2.0-only
// ktwin pid N: one struct pid explained, its numbers, its roles, what keeps it.
#include <fmt/format.h>
#include <uapi/ktwin.h>

#include "command.h"
#include "lib/explain.h"
#include "lib/names.h"

namespace ktwin::cli {
namespace {

Json letter(const Role& role) {
    return role.state ? Json(std::string(1, role.state)) : Json(nullptr);
}

Json visible(int32_t nr) {
    return nr ? Json(nr) : Json(nullptr);
}

constexpr Column<Role> columns[] = {
    {"ROLE", Align::left, true, "PID, TGID, PGID or SID: what the number is to this task",
     [](const Role& r) { return Json(role_name(r.type)); }},
    {"TID", Align::right, true, "thread id, as numbered here", [](const Role& r) { return visible(r.tid); }},
    {"TGID", Align::right, true, "process id, as numbered here",
     [](const Role& r) { return visible(r.tgid); }},
    {"PPID", Align::right, true, "parent's process id, as numbered here",
     [](const Role& r) { return visible(r.ppid); }},
    {"STATE", Align::left, true, "the letter ps shows", letter},
    {"COMM", Align::left, true, "name of the task", [](const Role& r) { return Json(r.comm); }},
    {"FLAGS", Align::left, true, "leader, exiting, kthread, reaper, hidden",
     [](const Role& r) { return Json(task_flag_names(r.flags)); }},
};

Json role_object(const Role& role) {
    return {{"role", role_name(role.type)},
            {"tid", role.tid},
            {"tgid", role.tgid},
            {"ppid", role.ppid},
            {"state", letter(role)},
            {"comm", role.comm},
            {"flags", task_flag_names(role.flags)}};
}

Json object(const Explanation& e) {
    Json numbers = Json::array();
    if (e.pid) {
        for (const Upid& upid : e.pid->numbers) {
            numbers.push_back({{"ns", upid.ns}, {"pid", upid.nr}});
        }
    }
    Json roles = Json::array();
    for (const Role& role : e.roles) {
        roles.push_back(role_object(role));
    }
    Json counts = Json::object();
    for (uint32_t type = 0; type < e.role_count.size(); type++) {
        counts[role_name(type)] = e.role_count[type];
    }
    return {
        {"pid", e.nr},
        {"ns", e.ns ? Json(e.ns) : Json(nullptr)},
        {"serial", e.pid ? Json(e.pid->serial) : Json(nullptr)},
        {"numbers", numbers},
        {"roles", roles},
        {"role_counts", counts},
        {"pinned_by", pinned_by(e)},
        {"references", json_of(e.references)},
        {"in_kernel", e.in_kernel},
        {"in_twin", e.in_twin},
        {"agree", e.agree()},
    };
}

void print_text(const Explanation& e, const Format& format, const Selection<Role>& selection) {
    const auto line = [](std::string_view name, std::string_view text) {
        emit_line(fmt::format("{:<11}{}", name, text));
    };
    const auto here = e.pid && !e.pid->numbers.empty() ? e.pid->numbers.front() : Upid{e.ns, e.nr};
    line("pid", e.ns && e.ns != here.ns ? fmt::format("{} in namespace {}, {} here", e.nr, e.ns, here.nr)
                                        : fmt::format("{}", e.nr));
    if (e.pid) {
        std::string text;
        for (const Upid& upid : e.pid->numbers) {
            text += fmt::format("{}{} in {}{}", text.empty() ? "" : ", ", upid.nr, upid.ns,
                                &upid == &e.pid->numbers.front() ? " (yours)" : "");
        }
        line("numbers", text);
    }
    const std::vector<std::string> reasons = pinned_by(e);
    const std::string_view lead = e.in_kernel ? "alive because:" : "not alive:";
    for (size_t i = 0; i < reasons.size(); i++) {
        emit_line(fmt::format("{} {}", i ? "              " : lead, reasons[i]));
    }
    if (e.references) {
        line("references",
             fmt::format("{} on the struct pid (they keep the struct, not the number)", *e.references));
    }
    const std::string twin = !e.in_kernel && !e.in_twin ? "neither side has it"
                             : e.agree()                ? "kernel and twin agree"
                             : !e.in_twin               ? "the kernel has it, the twin does not"
                             : !e.in_kernel             ? "the twin has it, the kernel does not"
                                                        : "kernel and twin have it for different struct pids";
    line("audit", e.agree() ? paint(Colour::green, twin) : paint(Colour::red, "DIFFERENCE: " + twin));
    if (!e.roles.empty()) {
        Table table(selection.headings());
        for (const Role& role : e.roles) {
            table.add(selection.cells(role));
        }
        emit(table.str(style(format)));
    }
    uint64_t all = 0;
    for (const uint32_t count : e.role_count) {
        all += count;
    }
    if (all > e.roles.size()) {
        emit_line(fmt::format("and {} more", all - e.roles.size()));
    }
}

struct Options {
    Format format;
    uint32_t ns = 0;
    int32_t nr = 0;
};

int show(Device& device, const Options& options, const Selection<Role>& selection) {
    const Result<Explanation> explanation = device.explain(options.nr, options.ns);
    if (!explanation) {
        return report(explanation.error());
    }
    const Format& format = options.format;
    if (format.json) {
        Json all = object(*explanation);
        if (format.chosen()) {
            all["roles"] = Json::array();
            for (const Role& role : explanation->roles) {
                all["roles"].push_back(selection.object(role));
            }
        }
        emit_line(dump(all));
    } else if (format.raw || format.chosen()) {
        Table table(selection.headings());
        for (const Role& role : explanation->roles) {
            table.add(selection.cells(role));
        }
        emit(table.str(style(format)));
    } else {
        print_text(*explanation, format, selection);
    }
    return explanation->agree() && explanation->in_kernel ? fine : different;
}

}  // namespace

void add_pid(Command& ktwin) {
    Command command = ktwin.add("pid", "one pid: its numbers everywhere, its tasks, what keeps it alive");
    auto options = std::make_shared<Options>();
    command.format(options->format);
    command.ns(options->ns);
    command.number("pid", options->nr, false, "the number, in your namespace or that of --ns");
    command.run([options, &device = command.device()] {
        const auto selection = choose(columns, options->format);
        if (!selection) {
            return selection.error();
        }
        if (!options->nr) {  // --list-columns needs none
            return usage_error("pid: which one? (ktwin pid N)");
        }
        return with_device(device, [&](Device& open) { return show(open, *options, *selection); });
    });
}

}  // namespace ktwin::cli
