// SPDX-License-Identifier: GPL-2.0-only
// A stretch of time as the CPUs spent it: a lane for each with the runs of tasks on it, how many were queued, and what is
// not known because events were lost. Built from the scheduler's events while they come; all that is kept of them is here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "sched_records.h"

namespace ktwin {

// An index into Timeline::tasks.
using TaskIndex = uint32_t;
inline constexpr TaskIndex no_task = UINT32_MAX;

// A task had the CPU.
struct TimelineRun {
    uint64_t begin_ns = 0;
    uint64_t end_ns = 0;
    TaskIndex task = no_task;
    // By whom it was woken, or made, before this run; its begin is not known to be one otherwise.
    TaskIndex waker = no_task;
    uint64_t woken_ns = 0;   // 0: it was not, as far as is known
    bool interrupt = false;  // it was an interrupt that woke it
    bool begins = false;     // it was seen to get the CPU
    bool preempted = false;
    char state = 0;  // how it left; 0: not seen
};

// Nobody knows who ran.
struct TimelineGap {
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t lost;  // events; 0: none came at all
};

struct TimelineDepth {
    uint64_t time_ns;
    uint32_t tasks;  // on the run queue, the running one included
};

struct TimelineLane {
    uint32_t cpu;
    std::vector<TimelineRun>
        runs;  // of all these: ascending, runs and gaps without overlap; between them the CPU was idle
    std::vector<TimelineGap> gaps;
    std::vector<TimelineDepth> depths;
    uint64_t events = 0;
    uint64_t lost = 0;

    uint64_t busy_ns() const;
};

// From the run in which a task woke, or made, another to the run that this led to.
struct TimelineFlow {
    uint64_t time_ns;
    uint32_t from_lane;
    uint32_t from_run;
    uint32_t to_lane;
    uint32_t to_run;
    bool fork;
};

struct TimelineMove {
    uint64_t time_ns;
    TaskIndex task;
    uint32_t from_cpu;
    uint32_t to_cpu;
};

struct Timeline {
    uint64_t begin_ns;
    uint64_t end_ns;
    std::vector<SchedWho>
        tasks;  // as they were called when they got a CPU: one that was renamed is there twice
    std::vector<TimelineLane> lanes;  // by CPU
    std::vector<TimelineFlow> flows;  // by time
    std::vector<TimelineMove> moves;  // by time

    uint64_t events() const;
    uint64_t lost() const;
    uint64_t runs() const;
};

// What is known of a CPU in the end. Asked for before the last events are read.
struct TimelineEnd {
    uint32_t cpu;
    uint64_t lost;                 // events, since the beginning
    std::optional<SchedWho> curr;  // who has it
};

class TimelineBuilder {
  public:
    // What was before is told too, as far as it says how things stood.
    explicit TimelineBuilder(uint64_t begin_ns) : begin_ns_(begin_ns) {}

    // Those of one CPU in their order, the CPUs in any.
    void add(const SchedEvent& event);

    // A lane for each CPU in ends, and for each that an event came from. What was after is left out.
    Timeline finish(uint64_t end_ns, std::span<const TimelineEnd> ends) &&;

  private:
    static constexpr TaskIndex unknown = no_task;
    static constexpr TaskIndex idle = no_task - 1;

    struct State {
        TimelineLane lane;
        TaskIndex running = unknown;
        uint64_t since_ns = 0;
        uint64_t last_ns = 0;
        bool switched_in = false;
    };

    // A wake-up, or a fork, waiting for the run that it leads to.
    struct Wake {
        uint64_t time_ns;
        TaskIndex task;
        TaskIndex waker;
        uint32_t cpu;
        bool interrupt;
        bool fork;
    };

    // What happens to one task in the order of time: it leaves a CPU, is woken, gets one.
    struct Step {
        int32_t tid;
        uint64_t time_ns;
        enum Kind : uint8_t { out, wake, in } kind;
        uint32_t lane;
        uint32_t index;
        auto operator<=>(const Step&) const = default;
    };

    State& state_of(uint32_t cpu);
    TaskIndex index_of(const SchedWho& who);
    void lose(State& state, uint64_t until_ns, uint64_t events);
    void switched(State& state, uint64_t time_ns, const SchedEvent& event);
    void leave(State& state, uint64_t time_ns, char how, bool preempted);
    void woken(uint64_t time_ns, const SchedEvent& event);
    void end(State& state, uint64_t end_ns, const TimelineEnd* known);
    std::vector<Step> steps(const Timeline& timeline) const;
    void join(Timeline& timeline) const;
    void lead(Timeline& timeline, const Wake& wake, const Step& to) const;

    const uint64_t begin_ns_;
    std::map<uint32_t, State> cpus_;
    std::map<SchedWho, TaskIndex> indices_;
    std::vector<SchedWho> tasks_;
    std::vector<Wake> wakes_;
    std::vector<TimelineMove> moves_;
};

}  // namespace ktwin
