// SPDX-License-Identifier: GPL-2.0-only
// ktwin status: the mirror, its counters, its pools.
#include <fmt/format.h>
#include <uapi/ktwin.h>

#include "command.h"
#include "lib/names.h"

namespace ktwin::cli {
namespace {

// 0 for a caller in a child namespace means: not for you.
Json system_wide(const Status& status, uint64_t value) {
    return status.scoped ? Json(nullptr) : Json(value);
}

constexpr Column<Status> columns[] = {
    {"STATE", Align::left, true, "off, populating, live or incomplete",
     [](const Status& s) { return Json(state_name(s.state)); }},
    {"WHY", Align::left, true, "why the twin does not vouch for everything",
     [](const Status& s) { return Json(why_names(s.why)); }},
    {"LAB", Align::left, false, "loaded with kt_lab=1", [](const Status& s) { return Json(s.lab); }},
    {"SCOPED", Align::left, false, "asked from a child namespace: no system-wide counters",
     [](const Status& s) { return Json(s.scoped); }},
    {"OWN_NS", Align::right, true, "the caller's PID namespace",
     [](const Status& s) { return Json(s.own_ns); }},
    {"PID_MAX", Align::right, true, "the limit in force", [](const Status& s) { return json_of(s.pid_max); }},
    {"PIDS", Align::right, true, "struct pids visible here", [](const Status& s) { return Json(s.pids); }},
    {"NAMESPACES", Align::right, true, "PID namespaces visible here",
     [](const Status& s) { return Json(s.namespaces); }},
    {"EPOCH", Align::right, true, "populations so far",
     [](const Status& s) { return system_wide(s, s.epoch); }},
    {"POPULATE_NS", Align::right, false, "duration of the last population",
     [](const Status& s) { return system_wide(s, s.populate_ns); }},
    {"ALLOCS", Align::right, true, "struct pids published since load",
     [](const Status& s) { return system_wide(s, s.allocs); }},
    {"FREES", Align::right, true, "struct pids taken away since load",
     [](const Status& s) { return system_wide(s, s.frees); }},
    {"UNKNOWN_FREES", Align::right, false, "removals of numbers never published: forks that failed",
     [](const Status& s) { return system_wide(s, s.unknown_frees); }},
    {"PROBE_MISSED", Align::right, true, "probe hits the kernel skipped",
     [](const Status& s) { return system_wide(s, s.probe_missed); }},
    {"DOUBTS", Align::right, true, "times the twin became incomplete",
     [](const Status& s) { return system_wide(s, s.doubts); }},
    {"STREAMS", Align::right, false, "open event streams",
     [](const Status& s) { return system_wide(s, s.streams); }},
    {"EVENTS", Align::right, false, "records appended to streams",
     [](const Status& s) { return system_wide(s, s.events); }},
    {"EVENTS_LOST", Align::right, false, "records streams had no room for",
     [](const Status& s) { return system_wide(s, s.events_lost); }},
    {"MEMORY", Align::right, true, "bytes held by the twin",
     [](const Status& s) { return system_wide(s, s.memory); }},
};

Json pool_json(const Pool& pool) {
    return {{"ready", pool.ready}, {"total", pool.total}, {"limit", pool.limit},
            {"low", pool.low},     {"empty", pool.empty}, {"failed", pool.failed}};
}

Json everything(const Status& status) {
    Json object = Json::object();
    for (const auto& column : columns) {
        object[lower(column.name)] = column.value(status);
    }
    if (status.scoped) {
        object["pools"] = nullptr;
    } else {
        object["pools"] = {{"pid", pool_json(status.pid_pool)},
                           {"node", pool_json(status.node_pool)},
                           {"ns", pool_json(status.ns_pool)}};
    }
    return object;
}

std::string memory_text(uint64_t bytes) {
    return bytes < 1048576 ? fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024)
                           : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / 1048576);
}

std::string state_text(const Status& status) {
    const std::string name = state_name(status.state);
    switch (status.state) {
        case KTWIN_LIVE:
            return paint(status.why ? Colour::yellow : Colour::green, name);
        case KTWIN_INCOMPLETE:
            return paint(Colour::red, name);
        default:
            return paint(Colour::yellow, name);
    }
}

void print_text(const Status& status, const Format& format) {
    const auto line = [](std::string_view name, const std::string& text) {
        emit_line(fmt::format("{:<12}{}", name, text));
    };
    line("mirror", state_text(status) + (status.lab ? ", laboratory open" : ""));
    for (const std::string& why : why_sentences(status.why)) {
        line("because", why);
    }
    line("namespace",
         fmt::format("{} (yours), pid_max {}", status.own_ns, cell_text(json_of(status.pid_max))));
    line("twin",
         fmt::format("{} in {}", counted(status.pids, "pid"), counted(status.namespaces, "namespace")));
    if (status.scoped) {
        line("counters", "system-wide, not shown in a child namespace");
        return;
    }
    line("populated", counted(status.epoch, "time") +
                          (status.epoch ? ", the last in " + duration_text(status.populate_ns) : ""));
    line("pid events", fmt::format("{} allocated, {} freed, {} of forks that failed", status.allocs,
                                   status.frees, status.unknown_frees));
    line("probes", fmt::format("{} missed, {} since load", counted(status.probe_missed, "hit"),
                               counted(status.doubts, "doubt")));
    line("streams", fmt::format("{} open, {} sent, {} lost", status.streams, counted(status.events, "event"),
                                status.events_lost));
    line("memory", memory_text(status.memory));
    Table table({{"POOL", Align::left},
                 {"READY", Align::right},
                 {"TOTAL", Align::right},
                 {"LIMIT", Align::right},
                 {"LOW", Align::right},
                 {"EMPTY", Align::right},
                 {"FAILED", Align::right}});
    const auto add = [&](std::string_view name, const Pool& pool) {
        table.add({std::string(name), std::to_string(pool.ready), std::to_string(pool.total),
                   std::to_string(pool.limit), std::to_string(pool.low), std::to_string(pool.empty),
                   std::to_string(pool.failed)});
    };
    add("pid", status.pid_pool);
    add("node", status.node_pool);
    add("ns", status.ns_pool);
    emit(table.str(style(format)));
}

struct Options {
    Format format;
    bool layout = false;
};

int show(Device& device, const Options& options, const Selection<Status>& selection) {
    const Format& format = options.format;
    const Result<Status> status = device.status();
    if (!status) {
        return report(status.error());
    }
    if (format.json) {
        emit_line(dump(format.chosen() ? selection.object(*status) : everything(*status)));
    } else if (format.chosen() || format.raw) {
        Table table(selection.headings());
        table.add(selection.cells(*status));
        emit(table.str(style(format)));
    } else {
        print_text(*status, format);
    }
    return fine;
}

}  // namespace

void add_status(Command& ktwin) {
    Command command = ktwin.add("status", "the mirror: its state, counters and pools");
    auto options = std::make_shared<Options>();
    command.format(options->format);
    command.flag("--layout", options->layout,
                 "where the fields are that the module reads of the kernel's structs, and who says so");
    command.run([options, &device = command.device()] {
        if (options->layout) {
            return show_layout(device, options->format);
        }
        const auto selection = choose(columns, options->format);
        if (!selection) {
            return selection.error();
        }
        return with_device(device, [&](Device& open) { return show(open, *options, *selection); });
    });
}

}  // namespace ktwin::cli
