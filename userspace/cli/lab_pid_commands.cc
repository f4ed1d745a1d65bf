// SPDX-License-Identifier: GPL-2.0-only
// Commands of a lab script that concern pids.
#include "command.h"
#include "lab_asked.h"

namespace ktwin::cli {
namespace {

constexpr uint32_t most_pids = 4194304;
// Of what a text has to say; JSON says it all.
constexpr size_t most_ranges = 16;

// Numbers in the order in which they came.
void append(std::vector<LabRange>& ranges, int32_t nr) {
    const auto number = static_cast<uint32_t>(nr);
    if (!ranges.empty() && ranges.back().last + 1 == number) {
        ranges.back().last = number;
    } else {
        ranges.push_back({number, number});
    }
}

std::string some_ranges_text(const std::vector<LabRange>& ranges) {
    if (ranges.size() <= most_ranges) {
        return ranges_text(ranges);
    }
    return ranges_text({ranges.begin(), ranges.begin() + most_ranges}) +
           fmt::format(" and {} more", counted(ranges.size() - most_ranges, "range"));
}

// What was allocated by one command.
struct Harvest {
    std::vector<uint32_t> namespaces;  // the one asked for, then its ancestors
    std::vector<std::vector<LabRange>> numbers;
    uint32_t count = 0;
    LabAllocated last = {};
    std::vector<LabRange> tasks;

    Harvest(const LabSession& session, uint32_t ns) {
        for (uint32_t at = ns; at; at = session.parent_of(at)) {
            namespaces.push_back(at);
        }
        numbers.resize(namespaces.size());
    }

    void add(const LabAllocated& pid) {
        for (size_t i = 0; i < std::min(pid.numbers.size(), numbers.size()); i++) {
            append(numbers[i], pid.numbers[i]);
        }
        if (pid.task) {
            append(tasks, static_cast<int32_t>(*pid.task));
        }
        last = pid;
        count++;
    }

    std::string text() const {
        std::string text;
        for (size_t i = 0; i < numbers.size(); i++) {
            text += fmt::format("{}{} in {}", i ? ", " : "", some_ranges_text(numbers[i]), namespaces[i]);
        }
        if (!tasks.empty()) {
            text += fmt::format("; task {}", some_ranges_text(tasks));
        }
        return text;
    }

    Json json() const {
        Json array = Json::array();
        for (size_t i = 0; i < numbers.size(); i++) {
            array.push_back({{"ns", namespaces[i]}, {"ranges", lab_json(numbers[i])}});
        }
        return {{"count", count}, {"numbers", array}, {"tasks", lab_json(tasks)}};
    }

    std::vector<int64_t> values() const {
        std::vector<int64_t> values = {last.numbers.front()};
        if (last.task) {
            values.push_back(*last.task);
        }
        return values;
    }
};

// What was freed by one command.
struct Freed {
    uint32_t count = 0;
    std::vector<LabRange> ranges;

    std::string text() const { return fmt::format("{} freed", counted(count, "pid")); }
};

// Of a range, those that are in use; one at least. freed: also what was before an error.
Result<void> free_range(const Lab& lab, uint32_t ns, const Range& range, Freed& freed) {
    const uint32_t before = freed.count;
    Result<void> last;
    for (int64_t nr = range.first; nr <= range.last; nr++) {
        last = lab.free(ns, static_cast<int32_t>(nr));
        if (last) {
            append(freed.ranges, static_cast<int32_t>(nr));
            freed.count++;
        } else if (last.error().code != ESRCH) {
            return last;
        }
    }
    return freed.count > before ? Result<void>() : last;
}

std::string numbers_text(const LabPid& pid) {
    std::string text;
    for (const Upid& upid : pid.numbers) {
        text += fmt::format("{}{} in {}", text.empty() ? "" : ", ", upid.nr, upid.ns);
    }
    return text;
}

std::string use_text(const LabPid& pid) {
    std::string text;
    for (uint32_t type = 0; type < KTWIN_LAB_TYPES; type++) {
        if (pid.tasks[type]) {
            text += fmt::format("{}{} as {}", text.empty() ? "used by " : ", by ",
                                counted(pid.tasks[type], "task"), lab_type_name(type));
        }
    }
    return text.empty() ? "no task uses it" : text;
}

Json pid_json(const LabPid& pid) {
    Json numbers = Json::array();
    for (const Upid& upid : pid.numbers) {
        numbers.push_back({{"ns", upid.ns}, {"nr", upid.nr}});
    }
    Json tasks = Json::object();
    for (uint32_t type = 0; type < KTWIN_LAB_TYPES; type++) {
        tasks[lab_type_name(type)] = pid.tasks[type];
    }
    return {{"serial", pid.serial}, {"numbers", numbers}, {"tasks", tasks}};
}

LabOutcome found(int32_t nr, const LabPid& pid) {
    return {fmt::format("pid {}: {}; {}", pid.serial, numbers_text(pid), use_text(pid)),
            {{"nr", nr}, {"pid", pid_json(pid)}},
            {nr}};
}

int32_t number_in(const LabPid& pid, uint32_t ns) {
    const auto at = std::ranges::find(pid.numbers, ns, &Upid::ns);
    return at == pid.numbers.end() ? 0 : at->nr;
}

}  // namespace

LabDone alloc_lab_pid(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const LabRequest request = {.ns = asked.ns(0),
                                .how = asked.how(session.usual_way()),
                                .task = arguments.has("--task"),
                                .wanted = asked.wanted()};
    const uint32_t count = asked.option("--count", 1, most_pids, 1);
    if (asked.complaint()) {
        return senseless(asked);
    }
    Harvest harvest(session, request.ns);
    while (harvest.count < count) {
        const Result<LabAllocated> pid = session.lab().alloc(request);
        if (!pid) {
            const std::string before =
                harvest.count
                    ? fmt::format("{} of {} allocated ({}), then: ", harvest.count, count, harvest.text())
                    : "";
            return refused({pid.error().code, before + pid.error().message});
        }
        harvest.add(*pid);
    }
    const std::string many = count > 1 ? fmt::format("{}: ", counted(count, "pid")) : "";
    return LabOutcome{many + harvest.text(), harvest.json(), harvest.values()};
}

LabDone free_lab_pids(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t ns = asked.ns(0);
    std::vector<Range> ranges;
    for (size_t i = 1; i < arguments.count(); i++) {
        ranges.push_back(asked.range(i));
    }
    if (asked.complaint()) {
        return senseless(asked);
    }
    Freed freed;
    for (const Range& range : ranges) {
        const Result<void> done = free_range(session.lab(), ns, range, freed);
        if (!done) {
            const std::string before =
                freed.count ? fmt::format("{} ({}), then: ", freed.text(), some_ranges_text(freed.ranges))
                            : "";
            return refused({done.error().code, before + done.error().message});
        }
    }
    return LabOutcome{freed.text(), {{"ns", ns}, {"freed", freed.count}}};
}

LabDone find_lab_pid(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t ns = asked.ns(0);
    const int32_t nr = asked.nr(1);
    if (asked.complaint()) {
        return senseless(asked);
    }
    const Result<LabPid> pid = session.lab().find(ns, nr);
    return pid ? LabDone(found(nr, *pid)) : refused(pid.error());
}

LabDone next_lab_pid(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t ns = asked.ns(0);
    const int32_t nr = asked.nr(1);
    if (asked.complaint()) {
        return senseless(asked);
    }
    const Result<LabFound> next = session.lab().next(ns, nr);
    return next ? LabDone(found(next->nr, next->pid)) : refused(next.error());
}

LabDone list_lab_pids(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t ns = asked.ns(0);
    if (asked.complaint()) {
        return senseless(asked);
    }
    Table table({{"NR", Align::right},
                 {"SERIAL", Align::right},
                 {"PID", Align::right},
                 {"TGID", Align::right},
                 {"PGID", Align::right},
                 {"SID", Align::right},
                 {"NUMBERS", Align::left}});
    Json array = Json::array();
    const Result<Reading> reading = session.lab().pids(ns, [&](const LabPid& pid) {
        table.add({std::to_string(number_in(pid, ns)), std::to_string(pid.serial),
                   std::to_string(pid.tasks[0]), std::to_string(pid.tasks[1]), std::to_string(pid.tasks[2]),
                   std::to_string(pid.tasks[3]), numbers_text(pid)});
        array.push_back(pid_json(pid));
        return true;
    });
    if (!reading) {
        return refused(reading.error());
    }
    const bool none = array.empty();
    return LabOutcome{none ? fmt::format("namespace {} is empty", ns) : without_end(table.str({})),
                      {{"ns", ns}, {"pids", std::move(array)}}};
}

}  // namespace ktwin::cli
