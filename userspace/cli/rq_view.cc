// SPDX-License-Identifier: GPL-2.0-only
#include "rq_view.h"

#include <fmt/format.h>

#include <array>

#include "command.h"
#include "lib/text.h"

namespace ktwin::cli {
namespace {

constexpr std::array<std::string_view, 4> classes = {"stop", "deadline", "rt", "fair"};

struct FlagName {
    uint32_t flag;
    std::string_view name;
};

// What the table shows in one column, in the order of the bits.
constexpr FlagName flag_names[] = {
    {KTWIN_RQ_TASK_RUNNING, "running"},     {KTWIN_RQ_TASK_HIDDEN, "hidden"},
    {KTWIN_RQ_TASK_ELIGIBLE, "eligible"},   {KTWIN_RQ_TASK_DELAYED, "delayed"},
    {KTWIN_RQ_TASK_THROTTLED, "throttled"}, {KTWIN_RQ_TASK_BOOSTED, "boosted"},
    {KTWIN_RQ_TASK_BUDDY, "buddy"},
};

std::vector<std::string> flags_of(const RqTask& task) {
    std::vector<std::string> names;
    for (const FlagName& one : flag_names) {
        if (task.is(one.flag)) {
            names.emplace_back(one.name);
        }
    }
    return names;
}

// A figure, or null of a task that is another user's.
template <class Get>
Json figure(const RqTask& task, Get get) {
    return task.figures ? Json(get(*task.figures)) : Json(nullptr);
}

template <class Get>
Json optional_figure(const RqTask& task, Get get) {
    return task.figures ? json_of(get(*task.figures)) : Json(nullptr);
}

constexpr Column<RqTask> columns[] = {
    {"CPU", Align::right, true, "whose queue it is on", [](const RqTask& t) { return Json(t.cpu); }},
    {"CLASS", Align::left, true, "stop, deadline, rt, fair: asked in this order",
     [](const RqTask& t) { return Json(sched_class_name(t.task_class)); }},
    {"POS", Align::right, true, "in the order its class would pick, from 0",
     [](const RqTask& t) { return Json(t.position); }},
    {"PID", Align::right, true, "process", [](const RqTask& t) { return Json(t.tgid); }},
    {"TID", Align::right, true, "thread", [](const RqTask& t) { return Json(t.tid); }},
    {"COMM", Align::left, true, "its name",
     [](const RqTask& t) { return t.comm.empty() ? Json(nullptr) : Json(t.comm); }},
    {"POLICY", Align::left, true, "normal, fifo, rr, batch, idle, deadline",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return policy_name(f.policy); }); }},
    {"PRIO", Align::right, true, "dynamic priority: -1 deadline, 0-99 rt, 100-139 fair; 0 is best",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return f.prio; }); }},
    {"STATIC_PRIO", Align::right, false, "static priority: 120 + nice",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return f.static_prio; }); }},
    {"NORMAL_PRIO", Align::right, false, "dynamic priority without what it inherits",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return f.normal_prio; }); }},
    {"NICE", Align::right, true, "nice level",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return f.nice; }); }},
    {"VRUNTIME", Align::right, true, "fair: weighted run time, ns",
     [](const RqTask& t) { return optional_figure(t, [](const RqFigures& f) { return f.vruntime; }); }},
    {"LAG", Align::right, false, "fair: what its queue owes it, weighted ns",
     [](const RqTask& t) { return optional_figure(t, [](const RqFigures& f) { return f.lag; }); }},
    {"SLICE_NS", Align::right, false, "EEVDF: asked for; rr, deadline: left, ns",
     [](const RqTask& t) { return optional_figure(t, [](const RqFigures& f) { return f.slice_ns; }); }},
    {"DEADLINE", Align::right, false, "EEVDF: virtual, in VRUNTIME's time; deadline: in the queue's clock",
     [](const RqTask& t) { return optional_figure(t, [](const RqFigures& f) { return f.deadline; }); }},
    {"RUN_DELAY_NS", Align::right, false, "time it has waited for a CPU so far, ns",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return f.run_delay_ns; }); }},
    {"PCOUNT", Align::right, false, "times it got a CPU",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return f.pcount; }); }},
    {"LAST_ARRIVAL_NS", Align::right, false, "when it did last, in the queue's clock",
     [](const RqTask& t) { return figure(t, [](const RqFigures& f) { return f.last_arrival_ns; }); }},
    {"QUEUED_NS", Align::right, true, "how long it waits now, ns",
     [](const RqTask& t) { return optional_figure(t, [](const RqFigures& f) { return f.queued_ns; }); }},
    {"DEPTH", Align::right, false, "groups that it is in", [](const RqTask& t) { return Json(t.depth); }},
    {"GROUP", Align::left, false, "name of its group's queue on this CPU",
     [](const RqTask& t) { return t.group ? Json(fmt::format("{:016x}", *t.group)) : Json(nullptr); }},
    {"FLAGS", Align::left, true, "running, hidden, eligible, delayed, throttled, boosted, buddy",
     [](const RqTask& t) { return Json(flags_of(t)); }},
};

Json name_json(const RqName& name) {
    return {{"tid", json_of(name.tid)},
            {"pid", json_of(name.tgid)},
            {"comm", name.comm.empty() ? Json(nullptr) : Json(name.comm)}};
}

// Each column but the CPU, which is said above.
Json task_json(const RqTask& task, const Selection<RqTask>* chosen) {
    if (chosen) {
        return chosen->object(task);
    }
    Json object = Json::object();
    for (const auto& column : columns) {
        if (column.name != "CPU" && column.name != "CLASS") {
            object[lower(column.name)] = column.value(task);
        }
    }
    return object;
}

Json classes_json(const RunQueue& queue, const Selection<RqTask>* chosen) {
    Json object = Json::object();
    for (uint32_t i = 0; i < classes.size(); i++) {
        Json array = Json::array();
        for (const RqTask& task : queue.tasks) {
            if (task.task_class == i) {
                array.push_back(task_json(task, chosen));
            }
        }
        object[std::string(classes[i])] = array;
    }
    return object;
}

std::string running_text(const RunQueue& queue) {
    if (queue.is(KTWIN_RQ_IDLE)) {
        return "idle";
    }
    const std::string comm = queue.curr.comm.empty() ? "?" : printable(queue.curr.comm);
    return queue.curr.tid ? fmt::format("runs {} ({})", *queue.curr.tid, comm)
                          : "runs a task of another namespace";
}

}  // namespace

std::string_view sched_class_name(uint32_t sched_class) {
    return sched_class < classes.size() ? classes[sched_class] : "?";
}

std::string policy_name(uint32_t policy) {
    constexpr std::array<std::string_view, 8> names = {"normal", "fifo", "rr",       "batch",
                                                       "",       "idle", "deadline", "ext"};
    return policy < names.size() && !names[policy].empty() ? std::string(names[policy])
                                                           : fmt::format("{}", policy);
}

std::span<const Column<RqTask>> rq_columns() {
    return columns;
}

Json rq_json(const RunQueue& queue, const Selection<RqTask>* chosen) {
    return {
        {"cpu", queue.cpu},
        {"online", queue.is(KTWIN_RQ_ONLINE)},
        {"nr_running", queue.nr_running},
        {"nr_deadline", queue.nr_deadline},
        {"nr_rt", queue.nr_rt},
        {"nr_fair", queue.nr_fair},
        {"nr_switches", queue.nr_switches},
        {"clock_ns", queue.clock_ns},
        {"hold_ns", queue.hold_ns},
        {"fair_by", queue.is(KTWIN_RQ_EEVDF) ? "eevdf" : "vruntime"},
        {"fair_server", queue.is(KTWIN_RQ_SERVER)},
        {"rt_throttled", queue.is(KTWIN_RQ_RT_THROTTLED)},
        {"unlisted", queue.unlisted},
        {"elsewhere", queue.elsewhere},
        {"curr", name_json(queue.curr)},
        {"idle", name_json(queue.idle)},
        {"stop", name_json(queue.stop)},
        {"classes", classes_json(queue, chosen)},
    };
}

std::string rq_text(const RunQueue& queue, const Selection<RqTask>& selection, const TableStyle& style) {
    std::string text =
        fmt::format("CPU {}: {}, {} running, {} switches, lock held {}{}{}{}\n", queue.cpu,
                    running_text(queue), queue.nr_running, queue.nr_switches, duration_text(queue.hold_ns),
                    queue.is(KTWIN_RQ_ONLINE) ? "" : ", offline",
                    queue.unlisted ? fmt::format(", {} not listed", queue.unlisted) : "",
                    queue.elsewhere ? fmt::format(", {} not visible here", queue.elsewhere) : "");
    if (queue.tasks.empty()) {
        return text;
    }
    Table table(selection.headings());
    for (const RqTask& task : queue.tasks) {
        table.add(selection.cells(task));
    }
    return text + table.str(style);
}

std::vector<const RqTask*> ahead_of(const RunQueue& queue, const RqTask& task) {
    std::vector<const RqTask*> ahead;
    for (const RqTask& other : queue.tasks) {
        const bool before = other.task_class < task.task_class ||
                            (other.task_class == task.task_class && other.position < task.position);
        if (before && !other.is(KTWIN_RQ_TASK_THROTTLED)) {
            ahead.push_back(&other);
        }
    }
    return ahead;
}

}  // namespace ktwin::cli
