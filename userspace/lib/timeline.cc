// SPDX-License-Identifier: GPL-2.0-only
#include "timeline.h"

#include <algorithm>
#include <numeric>

namespace ktwin {
namespace {

// When nothing is known of some CPU: what is told of a task across such a time may lack a part.
class Darkness {
  public:
    explicit Darkness(const std::vector<TimelineLane>& lanes) {
        for (const TimelineLane& lane : lanes) {
            for (const TimelineGap& gap : lane.gaps) {
                if (gap.lost) {
                    spans_.push_back(gap);
                }
            }
        }
        std::ranges::sort(spans_, {}, &TimelineGap::begin_ns);
        // The latest end so far, so that one look finds whether any reaches into a time.
        for (size_t i = 1; i < spans_.size(); i++) {
            spans_[i].end_ns = std::max(spans_[i].end_ns, spans_[i - 1].end_ns);
        }
    }

    bool between(uint64_t from_ns, uint64_t to_ns) const {
        const auto behind = std::ranges::lower_bound(spans_, to_ns, {}, &TimelineGap::begin_ns);
        return behind != spans_.begin() && std::prev(behind)->end_ns > from_ns;
    }

  private:
    std::vector<TimelineGap> spans_;
};

// The run that has this instant in it.
const TimelineRun* run_at(const TimelineLane& lane, uint64_t time_ns) {
    const auto behind = std::ranges::upper_bound(lane.runs, time_ns, {}, &TimelineRun::begin_ns);
    if (behind == lane.runs.begin() || std::prev(behind)->end_ns <= time_ns) {
        return nullptr;
    }
    return &*std::prev(behind);
}

// Another CPU's events come in between: put in order, and only what is new.
void tidy(std::vector<TimelineDepth>& depths, uint64_t begin_ns, uint64_t end_ns) {
    std::ranges::stable_sort(depths, {}, &TimelineDepth::time_ns);
    std::erase_if(depths, [&](const TimelineDepth& depth) { return depth.time_ns >= end_ns; });
    // How it stood in the beginning is the last of what was before.
    const auto inside = std::ranges::upper_bound(depths, begin_ns, {}, &TimelineDepth::time_ns);
    if (inside != depths.begin()) {
        depths.erase(depths.begin(), std::prev(inside));
        depths.front().time_ns = begin_ns;
    }
    const auto same = std::ranges::unique(depths, {}, &TimelineDepth::tasks);
    depths.erase(same.begin(), same.end());
}

// Ends what reaches beyond the end.
template <class Span>
void clip(std::vector<Span>& spans, uint64_t end_ns) {
    std::erase_if(spans, [&](const Span& span) { return span.begin_ns >= end_ns; });
    if (!spans.empty() && spans.back().end_ns > end_ns) {
        spans.back().end_ns = end_ns;
        if constexpr (requires { spans.back().state; }) {
            spans.back().state = 0;
        }
    }
}

}  // namespace

uint64_t TimelineLane::busy_ns() const {
    return std::accumulate(runs.begin(), runs.end(), uint64_t{0}, [](uint64_t sum, const TimelineRun& run) {
        return sum + run.end_ns - run.begin_ns;
    });
}

uint64_t Timeline::events() const {
    return std::accumulate(lanes.begin(), lanes.end(), uint64_t{0},
                           [](uint64_t sum, const TimelineLane& lane) { return sum + lane.events; });
}

uint64_t Timeline::lost() const {
    return std::accumulate(lanes.begin(), lanes.end(), uint64_t{0},
                           [](uint64_t sum, const TimelineLane& lane) { return sum + lane.lost; });
}

uint64_t Timeline::runs() const {
    return std::accumulate(lanes.begin(), lanes.end(), uint64_t{0},
                           [](uint64_t sum, const TimelineLane& lane) { return sum + lane.runs.size(); });
}

// --- events

TimelineBuilder::State& TimelineBuilder::state_of(uint32_t cpu) {
    const auto [at, made] = cpus_.try_emplace(cpu);
    if (made) {
        at->second.lane.cpu = cpu;
        at->second.since_ns = at->second.last_ns = begin_ns_;
    }
    return at->second;
}

TaskIndex TimelineBuilder::index_of(const SchedWho& who) {
    const auto [at, made] = indices_.try_emplace(who, static_cast<TaskIndex>(tasks_.size()));
    if (made) {
        tasks_.push_back(who);
    }
    return at->second;
}

// What ran then, ran at least until the last event that came. What that was may have been unknown since before.
void TimelineBuilder::lose(State& state, uint64_t until_ns, uint64_t events) {
    leave(state, state.last_ns, 0, false);
    const uint64_t from_ns =
        state.running == unknown ? std::min(state.since_ns, state.last_ns) : state.last_ns;
    state.lane.gaps.push_back({from_ns, until_ns, events});
    state.lane.lost += events;
    state.running = unknown;
    state.since_ns = until_ns;
}

void TimelineBuilder::leave(State& state, uint64_t time_ns, char how, bool preempted) {
    // Not what was over before the beginning, or began where events are missing and ended there.
    if (state.running == unknown || state.running == idle || time_ns <= state.since_ns) {
        return;
    }
    TimelineRun run;
    run.begin_ns = state.since_ns;
    run.end_ns = time_ns;
    run.task = state.running;
    run.begins = state.switched_in;
    run.state = how;
    run.preempted = preempted;
    state.lane.runs.push_back(run);
}

void TimelineBuilder::switched(State& state, uint64_t time_ns, const SchedEvent& event) {
    // Since the beginning, or since events were lost, no other switch was: it is who leaves that ran.
    if (state.running == unknown) {
        state.running = event.other.is(KTWIN_WHO_IDLE) ? idle : index_of(event.other);
        state.switched_in = false;
    }
    leave(state, time_ns, event.state, event.is(KTWIN_SCHED_EV_PREEMPTED));
    state.running = event.task.is(KTWIN_WHO_IDLE) ? idle : index_of(event.task);
    state.switched_in = true;
    state.since_ns = time_ns;
}

void TimelineBuilder::woken(uint64_t time_ns, const SchedEvent& event) {
    if (time_ns <= begin_ns_ || !event.task.tid) {
        return;
    }
    wakes_.push_back({time_ns, index_of(event.task),
                      event.other.is(KTWIN_WHO_IDLE) ? no_task : index_of(event.other), event.cpu,
                      event.is(KTWIN_SCHED_EV_INTERRUPT), event.kind == KTWIN_SCHED_EV_FORK});
}

void TimelineBuilder::add(const SchedEvent& event) {
    State& state = state_of(event.cpu);
    // The clock can be set back a little while it is read without a lock.
    const uint64_t time_ns = std::max(event.time_ns, state.last_ns);
    if (event.lost) {
        lose(state, time_ns, event.lost);
    }
    state.lane.events++;
    state.last_ns = time_ns;
    switch (event.kind) {
        case KTWIN_SCHED_EV_SWITCH:
            switched(state, time_ns, event);
            break;
        case KTWIN_SCHED_EV_WAKING:
        case KTWIN_SCHED_EV_FORK:
            woken(time_ns, event);
            break;
        case KTWIN_SCHED_EV_MIGRATE:
            if (time_ns > begin_ns_) {
                moves_.push_back({time_ns, index_of(event.task), event.queue_cpu, event.to_cpu});
            }
            break;
        default:
            break;
    }
    if (event.depth) {
        state_of(event.queue_cpu).lane.depths.push_back({time_ns, *event.depth});
    }
}

// --- the end

void TimelineBuilder::end(State& state, uint64_t end_ns, const TimelineEnd* known) {
    TimelineLane& lane = state.lane;
    if (known && known->lost > lane.lost && state.last_ns < end_ns) {
        lose(state, end_ns, known->lost - lane.lost);
    } else if (state.running == unknown && known && known->curr) {
        // Not one switch came, so it ran all the time.
        state.running = known->curr->is(KTWIN_WHO_IDLE) ? idle : index_of(*known->curr);
        state.switched_in = false;
    }
    if (state.running == unknown && state.since_ns < end_ns) {
        lane.gaps.push_back({state.since_ns, end_ns, 0});
    }
    if (state.since_ns < end_ns) {
        leave(state, end_ns, 0, false);
    }
    clip(lane.runs, end_ns);
    for (const TimelineGap& gap : lane.gaps) {
        lane.lost -= gap.begin_ns >= end_ns ? gap.lost : 0;  // behind the end
    }
    clip(lane.gaps, end_ns);
    tidy(lane.depths, begin_ns_, end_ns);
}

Timeline TimelineBuilder::finish(uint64_t end_ns, std::span<const TimelineEnd> ends) && {
    for (const TimelineEnd& known : ends) {
        state_of(known.cpu);
    }
    Timeline timeline = {
        .begin_ns = begin_ns_, .end_ns = end_ns, .tasks = {}, .lanes = {}, .flows = {}, .moves = {}};
    for (auto& [cpu, state] : cpus_) {
        const auto known = std::ranges::find(ends, cpu, &TimelineEnd::cpu);
        end(state, end_ns, known == ends.end() ? nullptr : &*known);
        timeline.lanes.push_back(std::move(state.lane));
    }
    std::erase_if(moves_, [&](const TimelineMove& move) { return move.time_ns >= end_ns; });
    std::ranges::sort(moves_, {}, &TimelineMove::time_ns);
    timeline.moves = std::move(moves_);
    timeline.tasks = std::move(tasks_);
    join(timeline);
    return timeline;
}

// --- flows

std::vector<TimelineBuilder::Step> TimelineBuilder::steps(const Timeline& timeline) const {
    std::vector<Step> steps;
    for (uint32_t i = 0; i < timeline.lanes.size(); i++) {
        const std::vector<TimelineRun>& runs = timeline.lanes[i].runs;
        for (uint32_t j = 0; j < runs.size(); j++) {
            const int32_t tid = timeline.tasks[runs[j].task].tid;
            if (tid) {
                steps.push_back({tid, runs[j].begin_ns, Step::in, i, j});
                steps.push_back({tid, runs[j].end_ns, Step::out, i, j});
            }
        }
    }
    for (uint32_t i = 0; i < wakes_.size(); i++) {
        steps.push_back({timeline.tasks[wakes_[i].task].tid, wakes_[i].time_ns, Step::wake, 0, i});
    }
    std::ranges::sort(steps);
    return steps;
}

void TimelineBuilder::lead(Timeline& timeline, const Wake& wake, const Step& to) const {
    TimelineRun& run = timeline.lanes[to.lane].runs[to.index];
    run.waker = wake.waker;
    run.interrupt = wake.interrupt;
    run.woken_ns = wake.time_ns;
    const auto lane = std::ranges::find(timeline.lanes, wake.cpu, &TimelineLane::cpu);
    if (wake.interrupt || wake.waker == no_task || lane == timeline.lanes.end()) {
        return;
    }
    const TimelineRun* from = run_at(*lane, wake.time_ns);
    if (from && timeline.tasks[from->task].tid == timeline.tasks[wake.waker].tid) {
        timeline.flows.push_back({wake.time_ns, static_cast<uint32_t>(lane - timeline.lanes.begin()),
                                  static_cast<uint32_t>(from - lane->runs.data()), to.lane, to.index,
                                  wake.fork});
    }
}

/*
 * A wake-up may come while its task is still on the way to sleep (the kernel then waits until it has left the CPU), or
 * when it has not begun to leave, and then leads to nothing. So the last one before a run counts, unless the task left the
 * CPU as runnable after it: it did not sleep. One who waits for its turn anyway is not woken.
 */
void TimelineBuilder::join(Timeline& timeline) const {
    const Darkness darkness(timeline.lanes);
    const Wake* pending = nullptr;
    bool queued = false;
    int32_t tid = 0;
    for (const Step& step : steps(timeline)) {
        if (step.tid != tid) {
            pending = nullptr;
            queued = false;
            tid = step.tid;
        }
        if (step.kind == Step::wake) {
            pending = queued ? pending : &wakes_[step.index];
            continue;
        }
        const TimelineRun& run = timeline.lanes[step.lane].runs[step.index];
        if (step.kind == Step::out) {
            queued = run.state == 'R';
            pending = queued || !run.state ? nullptr : pending;
            continue;
        }
        if (pending && run.begins && !darkness.between(pending->time_ns, run.begin_ns)) {
            lead(timeline, *pending, step);
        }
        pending = nullptr;
        queued = false;
    }
    std::ranges::sort(timeline.flows, {}, &TimelineFlow::time_ns);
}

}  // namespace ktwin
