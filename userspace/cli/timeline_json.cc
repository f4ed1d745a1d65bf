// SPDX-License-Identifier: GPL-2.0-only
// The trace-event format ("Trace Event Format", as chrome://tracing defined it; Perfetto's UI opens it).
#include <fmt/format.h>

#include "command.h"
#include "lib/names.h"
#include "lib/text.h"
#include "timeline_view.h"

namespace ktwin::cli {
namespace {

// One process of that name, and a thread of it for each CPU. Its number must not be 0, which stands for idle tasks.
constexpr int lanes_pid = 1;

class Writer {
  public:
    Writer(const Timeline& timeline, const Sink& sink) : timeline_(timeline), sink_(sink) {}

    void write() {
        open_ = sink_("{\"traceEvents\":[\n");
        put({{"ph", "M"}, {"pid", lanes_pid}, {"name", "process_name"}, {"args", {{"name", "CPUs"}}}});
        for (const TimelineLane& lane : timeline_.lanes) {
            name(lane);
        }
        // What stands at an instant is read before what points at it.
        for (const TimelineLane& lane : timeline_.lanes) {
            runs(lane);
            gaps(lane);
            depths(lane);
        }
        flows();
        moves();
        if (open_) {
            sink_(fmt::format("\n],\"displayTimeUnit\":\"ns\",\"otherData\":{}}}\n", dump(about())));
        }
    }

  private:
    void put(const Json& event) {
        if (open_) {
            open_ = sink_(fmt::format("{}{}", first_ ? "" : ",\n", dump(event)));
            first_ = false;
        }
    }

    double us(uint64_t time_ns) const { return static_cast<double>(time_ns - timeline_.begin_ns) / 1e3; }
    static double us_between(uint64_t from_ns, uint64_t to_ns) {
        return static_cast<double>(to_ns - from_ns) / 1e3;
    }

    static int64_t tid(uint32_t cpu) { return int64_t{cpu} + 1; }

    // ph: the sort of event, by its letter.
    Json event(const char* ph, uint32_t cpu, uint64_t time_ns, std::string_view name,
               const char* category) const {
        return {{"ph", ph},          {"pid", lanes_pid}, {"tid", tid(cpu)},
                {"ts", us(time_ns)}, {"cat", category},  {"name", name}};
    }

    void name(const TimelineLane& lane) {
        put({{"ph", "M"},
             {"pid", lanes_pid},
             {"tid", tid(lane.cpu)},
             {"name", "thread_name"},
             {"args", {{"name", fmt::format("CPU {}", lane.cpu)}}}});
        put({{"ph", "M"},
             {"pid", lanes_pid},
             {"tid", tid(lane.cpu)},
             {"name", "thread_sort_index"},
             {"args", {{"sort_index", lane.cpu}}}});
    }

    Json details(const TimelineRun& run) const {
        const SchedWho& who = timeline_.tasks[run.task];
        Json args = Json::object();
        if (who.tid) {
            args["tid"] = who.tid;
            args["pid"] = who.tgid;
        }
        if (run.state) {
            const std::string_view word = task_state_name(run.state);
            args["left"] = run.preempted      ? "preempted"
                           : run.state == 'R' ? "runnable"
                           : run.state == 'X' ? "ended"
                           : word.empty()     ? std::string(1, run.state)
                                              : std::string(word);
        }
        if (run.woken_ns) {
            args["woken_by"] = run.interrupt          ? "an interrupt"
                               : run.waker == no_task ? "idle"
                                                      : task_title(timeline_.tasks[run.waker]);
            args["woken_us_before"] = us_between(run.woken_ns, run.begin_ns);
        }
        return args;
    }

    void runs(const TimelineLane& lane) {
        for (const TimelineRun& run : lane.runs) {
            const SchedWho& who = timeline_.tasks[run.task];
            Json slice = event("X", lane.cpu, run.begin_ns, task_title(who),
                               who.is(KTWIN_WHO_KERNEL) ? "kernel" : "user");
            slice["dur"] = us_between(run.begin_ns, run.end_ns);
            slice["args"] = details(run);
            put(slice);
        }
    }

    // As a slice, so that it does not look like idle, and as a mark, which is seen from afar.
    void gaps(const TimelineLane& lane) {
        for (const TimelineGap& gap : lane.gaps) {
            const std::string title =
                gap.lost ? fmt::format("{} lost", counted(gap.lost, "event")) : "not known";
            Json slice = event("X", lane.cpu, gap.begin_ns, title, "lost");
            slice["dur"] = us_between(gap.begin_ns, gap.end_ns);
            put(slice);
            if (gap.lost) {
                Json mark = event("i", lane.cpu, gap.begin_ns, "lost", "lost");
                mark["s"] = "t";
                mark["args"] = {{"events", gap.lost}, {"us", us_between(gap.begin_ns, gap.end_ns)}};
                put(mark);
            }
        }
    }

    void depths(const TimelineLane& lane) {
        for (const TimelineDepth& depth : lane.depths) {
            put({{"ph", "C"},
                 {"pid", lanes_pid},
                 {"ts", us(depth.time_ns)},
                 {"name", fmt::format("CPU {} run queue", lane.cpu)},
                 {"args", {{"tasks", depth.tasks}}}});
        }
    }

    void flows() {
        for (size_t i = 0; i < timeline_.flows.size(); i++) {
            const TimelineFlow& flow = timeline_.flows[i];
            const TimelineLane& from = timeline_.lanes[flow.from_lane];
            const TimelineLane& to = timeline_.lanes[flow.to_lane];
            const char* what = flow.fork ? "fork" : "wakeup";
            Json start = event("s", from.cpu, flow.time_ns, what, "wakeup");
            Json finish = event("f", to.cpu, to.runs[flow.to_run].begin_ns, what, "wakeup");
            start["id"] = finish["id"] = i + 1;
            finish["bp"] = "e";  // it ends in the run that encloses it
            put(start);
            put(finish);
        }
    }

    void moves() {
        for (const TimelineMove& move : timeline_.moves) {
            Json mark = event("i", move.from_cpu, move.time_ns, "migrate", "migrate");
            mark["s"] = "t";
            mark["args"] = {{"task", task_title(timeline_.tasks[move.task])}, {"to_cpu", move.to_cpu}};
            put(mark);
        }
    }

    Json about() const {
        Json lost = Json::object();
        for (const TimelineLane& lane : timeline_.lanes) {
            lost[fmt::format("CPU {}", lane.cpu)] = lane.lost;
        }
        return {
            {"tool", "ktwin trace"},      {"clock", "CLOCK_MONOTONIC"},   {"start_ns", timeline_.begin_ns},
            {"end_ns", timeline_.end_ns}, {"events", timeline_.events()}, {"lost", timeline_.lost()},
            {"lost_by_cpu", lost},
        };
    }

    const Timeline& timeline_;
    const Sink& sink_;
    bool open_ = true;
    bool first_ = true;
};

}  // namespace

std::string task_title(const SchedWho& who) {
    if (!who.tid) {
        return who.is(KTWIN_WHO_KERNEL) ? "[kernel thread]" : "[no number here]";
    }
    return who.comm.empty() ? fmt::format("[hidden] {}", who.tid)
                            : fmt::format("{} {}", printable(who.comm), who.tid);
}

void write_trace_json(const Timeline& timeline, const Sink& sink) {
    Writer(timeline, sink).write();
}

std::string timeline_summary(const Timeline& timeline) {
    return fmt::format("{}, {}: {}, {} from waker to woken, {} of {} lost",
                       counted(timeline.lanes.size(), "CPU"),
                       duration_text(timeline.end_ns - timeline.begin_ns), counted(timeline.runs(), "run"),
                       counted(timeline.flows.size(), "flow"), timeline.lost(),
                       counted(timeline.events() + timeline.lost(), "event"));
}

}  // namespace ktwin::cli
