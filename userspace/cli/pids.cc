// SPDX-License-Identifier: GPL-2.0-only
// ktwin pids: every struct pid and its number in each namespace.
#include <fmt/format.h>

#include "command.h"

namespace ktwin::cli {
namespace {

struct Row {
    const Pid& pid;
    uint32_t ns;  // the one read; 0: the caller's
};

// The records come from outside: depth may be 0.
Json number_at(const Pid& pid, size_t level) {
    return level < pid.numbers.size() ? Json(pid.numbers[level].nr) : Json(nullptr);
}

size_t deepest(const Pid& pid) {
    return pid.numbers.empty() ? 0 : pid.numbers.size() - 1;
}

constexpr Column<Row> columns[] = {
    {"PID", Align::right, true, "number in the caller's namespace",
     [](const Row& r) { return number_at(r.pid, 0); }},
    {"NR", Align::right, false, "number in the namespace read (--ns)",
     [](const Row& r) {
         const auto at = std::ranges::find(r.pid.numbers, r.ns, &Upid::ns);
         return r.ns == 0 ? number_at(r.pid, 0) : at == r.pid.numbers.end() ? Json(nullptr) : Json(at->nr);
     }},
    {"NS", Align::right, true, "deepest namespace it has a number in",
     [](const Row& r) { return r.pid.numbers.empty() ? Json(nullptr) : Json(r.pid.numbers.back().ns); }},
    {"NSPID", Align::right, true, "number there",
     [](const Row& r) { return number_at(r.pid, deepest(r.pid)); }},
    {"LEVELS", Align::right, false, "namespaces it has a number in, from the caller's",
     [](const Row& r) { return Json(r.pid.numbers.size()); }},
    {"NUMBERS", Align::left, true, "its numbers, from the caller's namespace down",
     [](const Row& r) {
         std::string text;
         for (const Upid& upid : r.pid.numbers) {
             text += (text.empty() ? "" : "/") + std::to_string(upid.nr);
         }
         return Json(text);
     }},
    {"SERIAL", Align::right, true, "order of arrival in the twin",
     [](const Row& r) { return Json(r.pid.serial); }},
    {"BORN_NS", Align::right, false, "CLOCK_MONOTONIC; -: older than the mirror",
     [](const Row& r) { return json_of(r.pid.born_ns); }},
    {"AGE", Align::right, false, "seconds since then",
     [](const Row& r) {
         return r.pid.born_ns ? Json(static_cast<double>(now_ns() - *r.pid.born_ns) / 1e9) : Json(nullptr);
     }},
};

Json object(const Pid& pid) {
    Json numbers = Json::array();
    for (const Upid& upid : pid.numbers) {
        numbers.push_back({{"ns", upid.ns}, {"pid", upid.nr}});
    }
    return {{"serial", pid.serial}, {"numbers", numbers}, {"born_ns", json_of(pid.born_ns)}};
}

struct Options {
    Format format;
    uint32_t ns = 0;
};

int show(Device& device, const Options& options, const Selection<Row>& selection) {
    const Format& format = options.format;
    Table table(selection.headings());
    bool first = true;
    const auto visit = [&](const Pid& pid) {
        const Row row{pid, options.ns};
        if (!format.json) {
            table.add(selection.cells(row));
            return true;
        }
        // As they come: a hundred thousand of them need not be in memory at once.
        const bool good = emit(std::exchange(first, false) ? "{\"pids\":[\n" : ",\n");
        return good && emit(dump(format.chosen() ? selection.object(row) : object(pid)));
    };
    const Result<Reading> reading = device.pids(options.ns, visit);
    if (!reading) {
        return report(reading.error());
    }
    if (!format.json) {
        emit(table.str(style(format)));
    } else {
        emit(first ? "{\"pids\":[]}\n" : "\n]}\n");
    }
    if (reading->repopulated) {
        fmt::print(stderr, "ktwin: the twin was populated anew meanwhile: serials are of two populations\n");
    }
    return reading->records ? fine : different;
}

}  // namespace

void add_pids(Command& ktwin) {
    Command command = ktwin.add("pids", "all pids and their numbers in every namespace");
    auto options = std::make_shared<Options>();
    command.format(options->format);
    command.ns(options->ns);
    run_with_columns(command, options, columns, show);
}

}  // namespace ktwin::cli
