// SPDX-License-Identifier: GPL-2.0-only
// ktwin switches: what the context switches of an interval were; how long tasks waited for a CPU; how often each
// generation of scheduler would have run the task that the kernel ran.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "command.h"
#include "lib/names.h"

namespace ktwin::cli {
namespace {

struct Options {
    bool watch = false;
    bool tasks = false;
    bool waits = false;
    bool by_ns = false;
    bool agreement = false;
    bool audit = false;
    double interval = 1;
    std::optional<uint32_t> count;
    Format format;
};

template <class Record, size_t Class>
Json of_class(const Record& record) {
    return Json(record.counts.classes[Class]);
}

template <class Record, size_t Leave>
Json of_leave(const Record& record) {
    return Json(record.counts.leaves[Leave]);
}

template <class Record>
constexpr Column<Record> total = {"TOTAL", Align::right, true, "switches away from it",
                                  [](const Record& r) { return Json(r.counts.total()); }};
template <class Record>
constexpr Column<Record> counts[] = {
    {"PROCESS", Align::right, true, "to a user task of another address space",
     of_class<Record, KTWIN_SWITCH_PROCESS>},
    {"THREAD", Align::right, true, "to a thread of the same process", of_class<Record, KTWIN_SWITCH_THREAD>},
    {"SHARED_VM", Align::right, true, "to another process in the same address space (vfork, CLONE_VM)",
     of_class<Record, KTWIN_SWITCH_SHARED_VM>},
    {"KERNEL", Align::right, true, "from kernel to kernel: kernel threads, idle",
     of_class<Record, KTWIN_SWITCH_KERNEL>},
    {"LAZY_ENTRY", Align::right, true, "from user to kernel: the page tables stay",
     of_class<Record, KTWIN_SWITCH_LAZY_ENTRY>},
    {"LAZY_HIT", Align::right, true, "from kernel to user, whose page tables are still there",
     of_class<Record, KTWIN_SWITCH_LAZY_HIT>},
    {"MM_SWITCH", Align::right, true, "from kernel to user, with other page tables",
     of_class<Record, KTWIN_SWITCH_MM>},
    {"BLOCKED", Align::right, true, "left to sleep", of_leave<Record, KTWIN_LEAVE_BLOCKED>},
    {"VOLUNTARY", Align::right, true, "left while runnable: sched_yield, the way back to user mode",
     of_leave<Record, KTWIN_LEAVE_VOLUNTARY>},
    {"PREEMPTED", Align::right, true, "was preempted in the kernel", of_leave<Record, KTWIN_LEAVE_PREEMPTED>},
};

const Column<CpuSwitches> cpu_columns[] = {
    {"CPU", Align::right, true, "", [](const CpuSwitches& c) { return Json(c.cpu); }},
    total<CpuSwitches>,
    counts<CpuSwitches>[0],
    counts<CpuSwitches>[1],
    counts<CpuSwitches>[2],
    counts<CpuSwitches>[3],
    counts<CpuSwitches>[4],
    counts<CpuSwitches>[5],
    counts<CpuSwitches>[6],
    counts<CpuSwitches>[7],
    counts<CpuSwitches>[8],
    counts<CpuSwitches>[9],
};

const Column<TaskSwitches> task_columns[] = {
    {"TID", Align::right, true, "", [](const TaskSwitches& t) { return json_of(t.tid); }},
    {"PID", Align::right, false, "the process", [](const TaskSwitches& t) { return json_of(t.tgid); }},
    total<TaskSwitches>,
    counts<TaskSwitches>[0],
    counts<TaskSwitches>[1],
    counts<TaskSwitches>[2],
    counts<TaskSwitches>[3],
    counts<TaskSwitches>[4],
    counts<TaskSwitches>[5],
    counts<TaskSwitches>[6],
    counts<TaskSwitches>[7],
    counts<TaskSwitches>[8],
    counts<TaskSwitches>[9],
    {
        "COMMAND", Align::left, true, "",
            [](const TaskSwitches& t) { return t.hidden ? Json(nullptr) : Json(t.comm); }
    },
};

template <class Record>
constexpr Column<Record> times[] = {
    {"WAITS", Align::right, true, "times a task waited for a CPU and got it",
     [](const Record& r) { return Json(r.times.count()); }},
    {"SUM_NS", Align::right, true, "all of their time", [](const Record& r) { return Json(r.times.sum_ns); }},
    {"P50_NS", Align::right, true, "half of them waited no longer",
     [](const Record& r) { return json_of(r.times.quantile_ns(500)); }},
    {"P90_NS", Align::right, true, "nine of ten",
     [](const Record& r) { return json_of(r.times.quantile_ns(900)); }},
    {"P99_NS", Align::right, true, "99 of 100",
     [](const Record& r) { return json_of(r.times.quantile_ns(990)); }},
    {"MAX_NS", Align::right, true, "all", [](const Record& r) { return json_of(r.times.quantile_ns(1000)); }},
    {"BUCKETS", Align::left, false, "how many waited 0 ns, 1 ns, 2 to 3 ns, 4 to 7 ns, ...",
     [](const Record& r) { return Json(r.times.buckets); }},
};

constexpr Column<SwitchWaits> wait_columns[] = {
    {"CPU", Align::right, true, "", [](const SwitchWaits& w) { return Json(w.cpu); }},
    {"CLASS", Align::left, true, "scheduling class of those that waited",
     [](const SwitchWaits& w) { return Json(sched_class_name(w.sched_class)); }},
    times<SwitchWaits>[0],
    times<SwitchWaits>[1],
    times<SwitchWaits>[2],
    times<SwitchWaits>[3],
    times<SwitchWaits>[4],
    times<SwitchWaits>[5],
    times<SwitchWaits>[6],
};

constexpr Column<NsWaits> ns_wait_columns[] = {
    {"NS", Align::right, true, "inode of the PID namespace that the tasks are members of; - all others",
     [](const NsWaits& w) { return json_of(w.ns); }},
    times<NsWaits>[0],
    times<NsWaits>[1],
    times<NsWaits>[2],
    times<NsWaits>[3],
    times<NsWaits>[4],
    times<NsWaits>[5],
    times<NsWaits>[6],
};

// One generation on one CPU, when the kernel ran a task of that class.
struct Answers {
    uint32_t cpu;
    uint32_t why;
    uint64_t doubts;
    uint32_t generation;
    uint32_t sched_class;
    Agreement count;
};

constexpr Column<Answers> agreement_columns[] = {
    {"CPU", Align::right, true, "", [](const Answers& a) { return Json(a.cpu); }},
    {"GENERATION", Align::left, true, "scan (2.4), prio_array (2.6), cfs, eevdf",
     [](const Answers& a) { return Json(rq_generation_name(a.generation)); }},
    {"CLASS", Align::left, true, "scheduling class of the task that the kernel ran",
     [](const Answers& a) { return Json(sched_class_name(a.sched_class)); }},
    {"PICKS", Align::right, true, "switches to such a task",
     [](const Answers& a) { return Json(a.count.picks); }},
    {"AGREED", Align::right, true, "this generation would have run the same",
     [](const Answers& a) { return Json(a.count.agreed); }},
    {"UNANSWERED", Align::right, true, "the twin was incomplete",
     [](const Answers& a) { return Json(a.count.unanswered); }},
    {"GROUPED", Align::right, true,
     "differed while tasks of groups (cgroups, sessions) were queued, whom the twins take for one flat queue",
     [](const Answers& a) { return Json(a.count.grouped); }},
    {"SHARE", Align::right, true, "agreed, of the picks that were answered and not grouped",
     [](const Answers& a) { return json_of(a.count.share()); }},
    {"WHY", Align::left, true, "why the twin is incomplete now",
     [](const Answers& a) { return Json(rq_why_names(a.why)); }},
    {"DOUBTS", Align::right, false, "times it became incomplete since the beginning",
     [](const Answers& a) { return Json(a.doubts); }},
};

constexpr Column<RqAudit> audit_columns[] = {
    {"CPU", Align::right, true, "", [](const RqAudit& a) { return Json(a.cpu); }},
    {"PASSES", Align::right, true, "times the two were compared, under the lock of the kernel's queue",
     [](const RqAudit& a) { return Json(a.passes); }},
    {"SKIPPED", Align::right, true, "of them, the twin was incomplete",
     [](const RqAudit& a) { return Json(a.skipped); }},
    {"EQUAL", Align::right, true, "tasks that were queued in both",
     [](const RqAudit& a) { return Json(a.equal); }},
    {"MISSING", Align::right, true, "in the kernel alone, confirmed",
     [](const RqAudit& a) { return Json(a.missing); }},
    {"SURPLUS", Align::right, true, "in the twin alone, confirmed",
     [](const RqAudit& a) { return Json(a.surplus); }},
    {"THROTTLED", Align::right, true,
     "in the twin alone until there is runtime again: the kernel means it so",
     [](const RqAudit& a) { return Json(a.throttled); }},
    {"DELAYED", Align::right, true, "in the kernel alone though it sleeps (EEVDF): the kernel means it so",
     [](const RqAudit& a) { return Json(a.delayed); }},
    {"TRANSIENT", Align::right, true, "differences that were gone when looked at again",
     [](const RqAudit& a) { return Json(a.transients); }},
    {"WHY", Align::left, true, "why the twin is incomplete now",
     [](const RqAudit& a) { return Json(rq_why_names(a.why)); }},
    {"LAST", Align::left, false, "the last difference was",
     [](const RqAudit& a) { return a.last_kind ? Json(rq_difference_name(a.last_kind)) : Json(nullptr); }},
    {"LAST_TID", Align::right, false, "of this task", [](const RqAudit& a) { return json_of(a.last_tid); }},
    {"LAST_NS", Align::right, false, "then (CLOCK_MONOTONIC)",
     [](const RqAudit& a) { return json_of(a.last_ns); }},
};

// --- what is new since the last reading; the last one is replaced by this one

Result<std::vector<CpuSwitches>> next(const Switches& switches, std::vector<CpuSwitches>& last) {
    auto now = switches.cpus();
    if (!now) {
        return now;
    }
    std::vector<CpuSwitches> grown = *now;
    for (size_t i = 0; i < grown.size() && i < last.size(); i++) {
        grown[i].counts = grown[i].counts.since(last[i].counts);
    }
    last = *std::move(now);
    // Of the CPUs there may be, those that are.
    std::erase_if(grown, [&](const CpuSwitches& cpu) { return cpu.counts.total() == 0; });
    return grown;
}

Result<std::vector<TaskSwitches>> next(const Switches& switches, std::vector<TaskSwitches>& last) {
    auto now = switches.tasks();
    if (!now) {
        return now;
    }
    std::map<int32_t, SwitchCounts> before;
    for (const TaskSwitches& task : last) {
        if (task.tid) {
            before[*task.tid] = task.counts;
        }
    }
    std::vector<TaskSwitches> grown = *now;
    for (TaskSwitches& task : grown) {
        const auto known = task.tid ? before.find(*task.tid) : before.end();
        if (known != before.end()) {
            task.counts = task.counts.since(known->second);
        }
    }
    last = *std::move(now);
    // One that this namespace does not see cannot be told from others like it.
    std::erase_if(grown, [](const TaskSwitches& task) { return !task.tid || task.counts.total() == 0; });
    std::ranges::stable_sort(grown, std::greater(),
                             [](const TaskSwitches& task) { return task.counts.total(); });
    return grown;
}

Result<std::vector<SwitchWaits>> next(const Switches& switches, std::vector<SwitchWaits>& last) {
    auto now = switches.waits();
    if (!now) {
        return now;
    }
    std::vector<SwitchWaits> grown = *now;
    for (size_t i = 0; i < grown.size() && i < last.size(); i++) {
        grown[i].times = grown[i].times.since(last[i].times);
    }
    last = *std::move(now);
    std::erase_if(grown, [](const SwitchWaits& waits) { return waits.times.count() == 0; });
    return grown;
}

Result<std::vector<NsWaits>> next(const Switches& switches, std::vector<NsWaits>& last) {
    auto now = switches.ns_waits();
    if (!now) {
        return now;
    }
    std::vector<NsWaits> grown = *now;
    for (NsWaits& waits : grown) {
        const auto known = std::ranges::find(last, waits.ns, &NsWaits::ns);
        if (known != last.end()) {
            waits.times = waits.times.since(known->times);
        }
    }
    last = *std::move(now);
    std::erase_if(grown, [](const NsWaits& waits) { return waits.times.count() == 0; });
    return grown;
}

// Differences are rare, and none is to be missed: since the beginning.
Result<std::vector<RqAudit>> next(const Switches& switches, std::vector<RqAudit>&) {
    return switches.audits();
}

std::vector<Answers> answers(const std::vector<RqTwin>& twins) {
    std::vector<Answers> all;
    for (const RqTwin& twin : twins) {
        for (uint32_t generation = 0; generation < KTWIN_GENERATIONS; generation++) {
            for (uint32_t ran = 0; ran < KTWIN_SCHED_CLASSES; ran++) {
                all.push_back(
                    {twin.cpu, twin.why, twin.doubts, generation, ran, twin.agreement[generation][ran]});
            }
        }
    }
    return all;
}

Result<std::vector<Answers>> next(const Switches& switches, std::vector<Answers>& last) {
    const auto twins = switches.twins();
    if (!twins) {
        return std::unexpected(twins.error());
    }
    const std::vector<Answers> now = answers(*twins);
    std::vector<Answers> grown = now;
    for (size_t i = 0; i < grown.size() && i < last.size(); i++) {
        grown[i].count = grown[i].count.since(last[i].count);
    }
    last = now;
    std::erase_if(grown, [](const Answers& answers) { return answers.count.picks == 0; });
    return grown;
}

// Whether what was found is as it should be.
template <class Record>
bool is_fine(const std::vector<Record>&) {
    return true;
}
template <>
bool is_fine(const std::vector<RqAudit>& audits) {
    return std::ranges::all_of(audits, [](const RqAudit& audit) { return audit.differences() == 0; });
}

// --- showing

template <class Record>
void print(const std::vector<Record>& records, const Options& options, const Selection<Record>& selection) {
    if (options.format.json) {
        Json rows = Json::array();
        for (const Record& record : records) {
            rows.push_back(selection.object(record));
        }
        emit_line(dump(Json{{"time_ns", now_ns()}, {"switches", rows}}));
        return;
    }
    Table table(selection.headings());
    for (const Record& record : records) {
        table.add(selection.cells(record));
    }
    emit(table.str(style(options.format)));
}

template <class Record>
int follow(const Switches& switches, const Options& options, const Selection<Record>& selection) {
    const Interruptible interruptible;
    std::vector<Record> last;
    auto grown = next(switches, last);
    const uint32_t lines = options.watch ? options.count.value_or(0) : 1;
    for (uint32_t i = 0; grown && (lines == 0 || i < lines); ++i) {
        interruptible.sleep_ms(static_cast<int>(options.interval * 1000));
        grown = next(switches, last);
        if (!grown) {
            break;
        }
        if (i && !options.format.json) {
            emit_line("");
        }
        print(*grown, options, selection);
        // Who interrupts gets what was counted until then.
        if (!flush() || Interruptible::interrupted()) {
            break;
        }
    }
    if (!grown) {
        return report(grown.error());
    }
    return is_fine(*grown) ? fine : different;
}

template <class Record, size_t Count>
int act(const Options& options, const std::string& device, uint32_t flags,
        const Column<Record> (&columns)[Count]) {
    const auto selection = choose(columns, options.format);
    if (!selection) {
        return selection.error();
    }
    return with_device(device, [&](Device& open) {
        const Result<Switches> switches = open.switches(flags);
        return switches ? follow(*switches, options, *selection) : report(switches.error());
    });
}

int run(const Options& options, const std::string& device) {
    if (options.interval < 0.001 || options.interval > 86400) {
        return usage_error("switches: the interval is 0.001 to 86400 seconds");
    }
    if (options.tasks) {
        return act(options, device, KTWIN_SWITCHES_TASKS, task_columns);
    }
    if (options.by_ns) {
        return act(options, device, KTWIN_SWITCHES_WAITS, ns_wait_columns);
    }
    if (options.waits) {
        return act(options, device, KTWIN_SWITCHES_WAITS, wait_columns);
    }
    if (options.agreement) {
        return act(options, device, KTWIN_SWITCHES_TWIN, agreement_columns);
    }
    if (options.audit) {
        return act(options, device, KTWIN_SWITCHES_TWIN, audit_columns);
    }
    return act(options, device, 0, cpu_columns);
}

}  // namespace

void add_switches(Command& ktwin) {
    Command command =
        ktwin.add("switches", "context switches of an interval: what they were, who waited how long");
    auto options = std::make_shared<Options>();
    command.format(options->format);
    command.flag("-w,--watch", options->watch, "again after each interval, until Ctrl-C");
    command.seconds("--interval", options->interval, "how long to count (1)");
    command.option("--count", "N", options->count, "with --watch: so many intervals");
    command.flag("--tasks", options->tasks, "by the task that left the CPU, most first");
    command.flag("--waits", options->waits, "how long tasks waited on each run queue");
    command.flag("--by-ns", options->by_ns, "with --waits: by PID namespace");
    command.flag("--agreement", options->agreement,
                 "how often each generation of scheduler would have run the same task");
    command.flag("--audit", options->audit, "the twin run queues against the kernel's, by who is queued");
    command.needs("--count", "--watch");
    command.needs("--by-ns", "--waits");
    command.excludes("--tasks", "--waits");
    command.excludes("--tasks", "--agreement");
    command.excludes("--waits", "--agreement");
    command.excludes("--tasks", "--audit");
    command.excludes("--waits", "--audit");
    command.excludes("--agreement", "--audit");
    command.run([options, &device = command.device()] { return run(*options, device); });
}

}  // namespace ktwin::cli
