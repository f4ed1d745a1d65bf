// SPDX-License-Identifier: GPL-2.0-only
// A timeline made of the scheduler's events: what ran when, and who woke whom; with events missing, nothing that is not so.
#include "lib/timeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <tuple>

namespace ktwin {
namespace {

const SchedWho idle = {0, 0, KTWIN_WHO_IDLE, ""};

SchedWho who(int32_t tid) {
    return {tid, tid, 0, "t" + std::to_string(tid)};
}

SchedEvent event(uint64_t time_ns, uint32_t cpu, uint32_t kind, const SchedWho& other, const SchedWho& task) {
    return {.time_ns = time_ns,
            .lost = 0,
            .cpu = cpu,
            .kind = kind,
            .queue_cpu = cpu,
            .to_cpu = 0,
            .depth = {},
            .flags = 0,
            .state = '?',
            .task = task,
            .other = other};
}

SchedEvent on_switch(uint64_t time_ns, uint32_t cpu, const SchedWho& from, char how, const SchedWho& to) {
    SchedEvent made = event(time_ns, cpu, KTWIN_SCHED_EV_SWITCH, from, to);
    made.state = how;
    return made;
}

SchedEvent waking(uint64_t time_ns, uint32_t cpu, const SchedWho& by, const SchedWho& task) {
    return event(time_ns, cpu, KTWIN_SCHED_EV_WAKING, by, task);
}

Timeline built(const std::vector<SchedEvent>& events, uint64_t begin_ns, uint64_t end_ns,
               const std::vector<TimelineEnd>& ends = {}) {
    TimelineBuilder builder(begin_ns);
    for (const SchedEvent& event : events) {
        builder.add(event);
    }
    return std::move(builder).finish(end_ns, ends);
}

using Shown = std::tuple<int32_t, uint64_t, uint64_t, char>;

std::vector<Shown> shown(const Timeline& timeline, size_t lane) {
    std::vector<Shown> all;
    for (const TimelineRun& run : timeline.lanes.at(lane).runs) {
        all.emplace_back(timeline.tasks[run.task].tid, run.begin_ns, run.end_ns, run.state ? run.state : '-');
    }
    return all;
}

TEST(Timeline, RunsFromTheFirstInstantToTheLast) {
    const Timeline timeline =
        built({on_switch(90, 0, who(8), 'S', who(9)), on_switch(110, 0, who(9), 'S', who(1)),
               on_switch(120, 0, who(1), 'S', idle), on_switch(150, 0, idle, 'R', who(2)),
               on_switch(250, 0, who(2), 'S', who(3))},
              100, 200);
    EXPECT_EQ(shown(timeline, 0),
              (std::vector<Shown>{{9, 100, 110, 'S'}, {1, 110, 120, 'S'}, {2, 150, 200, '-'}}));
    EXPECT_EQ(timeline.lanes[0].busy_ns(), 70U);
    EXPECT_TRUE(timeline.lanes[0].gaps.empty());
}

TEST(Timeline, WhoLeavesFirstRanBefore) {
    const Timeline timeline = built({on_switch(150, 0, who(1), 'R', idle)}, 100, 200);
    EXPECT_EQ(shown(timeline, 0), (std::vector<Shown>{{1, 100, 150, 'R'}}));
    EXPECT_FALSE(timeline.lanes[0].runs[0].begins);
}

// A CPU that never switched: by who has it in the end, or not at all.
TEST(Timeline, CpusWithNothingToTell) {
    const Timeline timeline =
        built({waking(120, 3, who(1), who(2))}, 100, 200,
              {{0, 0, who(7)}, {1, 0, idle}, {2, 0, std::nullopt}, {3, 0, std::nullopt}});
    ASSERT_EQ(timeline.lanes.size(), 4U);
    EXPECT_EQ(shown(timeline, 0), (std::vector<Shown>{{7, 100, 200, '-'}}));
    EXPECT_TRUE(timeline.lanes[1].runs.empty() && timeline.lanes[1].gaps.empty());
    for (const size_t lane : {2, 3}) {
        ASSERT_EQ(timeline.lanes[lane].gaps.size(), 1U);
        EXPECT_EQ(timeline.lanes[lane].gaps[0].begin_ns, 100U);
        EXPECT_EQ(timeline.lanes[lane].gaps[0].end_ns, 200U);
        EXPECT_EQ(timeline.lanes[lane].gaps[0].lost, 0U);
    }
}

TEST(Timeline, LostInTheMiddleAndAtTheEnd) {
    SchedEvent after = on_switch(160, 0, who(5), 'R', who(6));
    after.lost = 3;
    SchedEvent other = waking(170, 0, who(6), who(9));
    other.lost = 1;
    const Timeline timeline = built({on_switch(110, 0, idle, 'R', who(1)), waking(130, 0, who(1), who(2)),
                                     after, on_switch(165, 0, who(6), 'S', who(7)), other},
                                    100, 200, {{0, 6, who(8)}});
    // 5 is known to have run at the instant of the first event after only.
    EXPECT_EQ(shown(timeline, 0), (std::vector<Shown>{{1, 110, 130, '-'}, {6, 160, 165, 'S'}}));
    std::vector<std::tuple<uint64_t, uint64_t, uint64_t>> gaps;
    for (const TimelineGap& gap : timeline.lanes[0].gaps) {
        gaps.emplace_back(gap.begin_ns, gap.end_ns, gap.lost);
    }
    EXPECT_EQ(gaps, (decltype(gaps){{130, 160, 3}, {165, 170, 1}, {170, 200, 2}}));
    EXPECT_EQ(timeline.lost(), 6U);
}

// Nobody was seen to leave or get the CPU before 200: that it was idle is not known.
TEST(Timeline, UnknownIsNotIdle) {
    SchedEvent after = on_switch(200, 0, who(5), 'R', who(6));
    after.lost = 3;
    const Timeline timeline = built({waking(150, 0, who(1), who(2)), after}, 100, 300);
    ASSERT_EQ(timeline.lanes[0].gaps.size(), 1U);
    EXPECT_EQ(timeline.lanes[0].gaps[0].begin_ns, 100U);
    EXPECT_EQ(timeline.lanes[0].gaps[0].end_ns, 200U);
    EXPECT_EQ(timeline.lanes[0].gaps[0].lost, 3U);
}

TEST(Timeline, WhatWasLostBehindTheEndIsNoLossOfIt) {
    SchedEvent before = on_switch(150, 0, who(1), 'R', who(2));
    before.lost = 2;
    SchedEvent behind = on_switch(260, 0, who(2), 'R', who(3));
    SchedEvent later = on_switch(270, 0, who(3), 'R', who(4));
    later.lost = 5;
    const Timeline timeline = built({before, behind, later}, 100, 200);
    ASSERT_EQ(timeline.lanes[0].gaps.size(), 1U);
    EXPECT_EQ(timeline.lost(), 2U);
}

TEST(Timeline, FlowsFromWakerToWoken) {
    const Timeline timeline = built({on_switch(10, 0, idle, 'R', who(1)), waking(20, 0, who(1), who(2)),
                                     on_switch(30, 1, idle, 'R', who(2)), on_switch(40, 1, who(2), 'R', idle),
                                     on_switch(50, 1, idle, 'R', who(2)), on_switch(60, 1, who(2), 'S', idle),
                                     waking(70, 1, idle, who(2)), on_switch(80, 1, idle, 'R', who(2))},
                                    5, 100);
    ASSERT_EQ(timeline.flows.size(), 1U) << "not for who was preempted, and idle wakes from no run";
    EXPECT_EQ(timeline.flows[0].time_ns, 20U);
    EXPECT_EQ(timeline.flows[0].from_lane, 0U);
    EXPECT_EQ(timeline.flows[0].to_lane, 1U);
    const TimelineLane& lane = timeline.lanes[1];
    EXPECT_EQ(lane.runs[0].woken_ns, 20U);
    EXPECT_EQ(lane.runs[1].woken_ns, 0U);
    EXPECT_EQ(lane.runs[2].woken_ns, 70U);
    EXPECT_EQ(lane.runs[2].waker, no_task);
}

// It is woken while it is about to leave the CPU, or when it has not begun to.
TEST(Timeline, WokenOnTheWayToSleep) {
    const Timeline timeline =
        built({on_switch(10, 0, idle, 'R', who(1)), on_switch(10, 1, idle, 'R', who(2)),
               waking(20, 0, who(1), who(2)), on_switch(21, 1, who(2), 'S', idle),
               on_switch(25, 1, idle, 'R', who(2)), waking(30, 0, who(1), who(2)),
               on_switch(50, 1, who(2), 'R', who(3)), on_switch(60, 1, who(3), 'S', who(2))},
              5, 100);
    ASSERT_EQ(timeline.flows.size(), 1U);
    EXPECT_EQ(timeline.lanes[1].runs.at(timeline.flows[0].to_run).begin_ns, 25U);
}

TEST(Timeline, NoFlowThroughTheDark) {
    SchedEvent dark = on_switch(28, 2, idle, 'R', who(5));
    dark.lost = 1;
    const std::vector<SchedEvent> events = {
        on_switch(10, 0, idle, 'R', who(1)), on_switch(22, 2, who(4), 'S', idle),
        waking(20, 0, who(1), who(2)), dark, on_switch(30, 1, idle, 'R', who(2))};
    EXPECT_TRUE(built(events, 5, 100).flows.empty()) << "it may have run and slept there";
}

TEST(Timeline, DepthsOfAllCpusInOrder) {
    SchedEvent far = event(30, 1, KTWIN_SCHED_EV_QUEUED, idle, who(3));
    far.queue_cpu = 0;
    far.depth = 2;
    SchedEvent first = on_switch(2, 0, idle, 'R', who(1));
    first.depth = 1;
    SchedEvent same = on_switch(40, 0, who(1), 'R', who(3));
    same.depth = 2;
    SchedEvent late = on_switch(50, 0, who(3), 'S', who(1));
    late.depth = 1;
    const Timeline timeline = built({first, same, late, far}, 10, 100);
    std::vector<std::pair<uint64_t, uint32_t>> depths;
    for (const TimelineDepth& depth : timeline.lanes[0].depths) {
        depths.emplace_back(depth.time_ns, depth.tasks);
    }
    EXPECT_EQ(depths, (decltype(depths){{10, 1}, {30, 2}, {50, 1}}));
}

TEST(Timeline, MovesAndWhoIsCalledWhat) {
    SchedEvent move = event(20, 0, KTWIN_SCHED_EV_MIGRATE, idle, who(4));
    move.to_cpu = 1;
    const Timeline timeline = built(
        {move, on_switch(30, 0, idle, 'R', {7, 7, 0, "bash"}),
         on_switch(40, 0, {7, 7, 0, "sleep"}, 'S', idle), on_switch(50, 0, idle, 'R', {7, 7, 0, "sleep"})},
        10, 100);
    ASSERT_EQ(timeline.moves.size(), 1U);
    EXPECT_EQ(timeline.moves[0].to_cpu, 1U);
    const TimelineLane& lane = timeline.lanes[0];
    EXPECT_EQ(timeline.tasks[lane.runs[0].task].comm, "bash");
    EXPECT_EQ(timeline.tasks[lane.runs[1].task].comm, "sleep");
}

// --- a system of paper, which knows what really happened

struct Truth {
    // CPU, begin, end, tid; and which of them a task's wake-up led to: waker's tid, time.
    std::set<std::tuple<uint32_t, uint64_t, uint64_t, int32_t>> runs;
    std::map<std::tuple<uint32_t, uint64_t>, std::tuple<int32_t, uint64_t>> woken;
};

class System {
  public:
    explicit System(uint32_t seed) : random_(seed) {}

    void run(size_t steps) {
        for (int32_t tid = 1; tid <= tasks; tid++) {
            asleep_.insert(tid);
        }
        for (size_t i = 0; i < steps; i++) {
            now_ += 1 + below(50);
            const uint32_t cpu = below(cpus);
            below(2) ? wake(cpu) : reschedule(cpu);
        }
        now_ += 10;
        for (uint32_t cpu = 0; cpu < cpus; cpu++) {
            leave(cpu, 0);
        }
    }

    static constexpr uint32_t cpus = 4;
    static constexpr int32_t tasks = 12;
    std::vector<SchedEvent> events;
    Truth truth;
    uint64_t now() const { return now_; }

  private:
    uint32_t below(uint32_t bound) { return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random_); }
    SchedWho name(int32_t tid) const { return tid ? who(tid) : idle; }

    void wake(uint32_t cpu) {
        if (asleep_.empty()) {
            return;
        }
        auto at = asleep_.begin();
        std::advance(at, below(static_cast<uint32_t>(asleep_.size())));
        const int32_t tid = *at;
        asleep_.erase(at);
        queues_[below(cpus)].push_back(tid);
        events.push_back(waking(now_, cpu, name(running_[cpu]), name(tid)));
        wakers_[tid] = {running_[cpu], now_};
    }

    void leave(uint32_t cpu, char how) {
        if (running_[cpu]) {
            truth.runs.emplace(cpu, since_[cpu], now_, running_[cpu]);
            if (how == 'R') {
                queues_[below(cpus)].push_back(running_[cpu]);
            } else if (how) {
                asleep_.insert(running_[cpu]);
            }
        }
    }

    void reschedule(uint32_t cpu) {
        const char how = below(3) ? 'S' : 'R';
        int32_t next = 0;
        if (!queues_[cpu].empty()) {
            next = queues_[cpu].front();
            queues_[cpu].pop_front();
        }
        if (!next && !running_[cpu]) {
            return;
        }
        events.push_back(on_switch(now_, cpu, name(running_[cpu]), running_[cpu] ? how : 'R', name(next)));
        leave(cpu, how);
        running_[cpu] = next;
        since_[cpu] = now_;
        if (wakers_.contains(next)) {
            if (std::get<0>(wakers_[next])) {
                truth.woken[{cpu, now_}] = wakers_[next];
            }
            wakers_.erase(next);
        }
    }

    std::mt19937 random_;
    uint64_t now_ = 1000;
    int32_t running_[cpus] = {};
    uint64_t since_[cpus] = {};
    std::deque<int32_t> queues_[cpus];
    std::set<int32_t> asleep_;
    std::map<int32_t, std::tuple<int32_t, uint64_t>> wakers_;
};

// Each lane in order, and nothing upon another.
void expect_sound(const Timeline& timeline) {
    for (const TimelineLane& lane : timeline.lanes) {
        std::vector<std::pair<uint64_t, uint64_t>> spans;
        for (const TimelineRun& run : lane.runs) {
            spans.emplace_back(run.begin_ns, run.end_ns);
        }
        for (const TimelineGap& gap : lane.gaps) {
            spans.emplace_back(gap.begin_ns, gap.end_ns);
        }
        std::ranges::sort(spans);
        uint64_t last = timeline.begin_ns;
        for (const auto& [begin, end] : spans) {
            ASSERT_LE(last, begin);
            ASSERT_LE(begin, end);
            ASSERT_LE(end, timeline.end_ns);
            last = end;
        }
    }
    for (const TimelineFlow& flow : timeline.flows) {
        const TimelineRun& from = timeline.lanes.at(flow.from_lane).runs.at(flow.from_run);
        const TimelineRun& to = timeline.lanes.at(flow.to_lane).runs.at(flow.to_run);
        EXPECT_LE(from.begin_ns, flow.time_ns);
        EXPECT_LT(flow.time_ns, from.end_ns);
        EXPECT_LE(flow.time_ns, to.begin_ns);
    }
}

// Takes stretches out of each CPU's events, as a full ring does.
std::vector<SchedEvent> with_holes(const std::vector<SchedEvent>& events, std::mt19937& random,
                                   uint64_t* of_cpu) {
    std::vector<SchedEvent> kept;
    uint32_t hole[System::cpus] = {};
    uint64_t missing[System::cpus] = {};
    for (SchedEvent event : events) {
        if (hole[event.cpu] == 0 && random() % 60 == 0) {
            hole[event.cpu] = 1 + static_cast<uint32_t>(random() % 12);
        }
        if (hole[event.cpu]) {
            hole[event.cpu]--;
            missing[event.cpu]++;
            of_cpu[event.cpu]++;
            continue;
        }
        event.lost = std::exchange(missing[event.cpu], 0);
        kept.push_back(event);
    }
    return kept;
}

TEST(TimelineModel, AllThatHappenedAndNothingElse) {
    for (uint32_t seed = 1; seed <= 30; seed++) {
        System system(seed);
        system.run(1500);
        const Timeline timeline = built(system.events, 1000, system.now(),
                                        {{0, 0, idle}, {1, 0, idle}, {2, 0, idle}, {3, 0, idle}});
        expect_sound(timeline);
        decltype(Truth::runs) runs;
        for (const TimelineLane& lane : timeline.lanes) {
            for (const TimelineRun& run : lane.runs) {
                runs.emplace(lane.cpu, run.begin_ns, run.end_ns, timeline.tasks[run.task].tid);
            }
        }
        EXPECT_EQ(runs, system.truth.runs) << "seed " << seed;
        decltype(Truth::woken) woken;
        for (const TimelineFlow& flow : timeline.flows) {
            const TimelineRun& to = timeline.lanes[flow.to_lane].runs[flow.to_run];
            woken[{timeline.lanes[flow.to_lane].cpu, to.begin_ns}] = {timeline.tasks[to.waker].tid,
                                                                      flow.time_ns};
        }
        EXPECT_EQ(woken, system.truth.woken) << "seed " << seed;
    }
}

TEST(TimelineModel, WithHolesNothingThatIsNotSo) {
    size_t flows = 0;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        System system(seed);
        system.run(1500);
        std::mt19937 random(seed);
        uint64_t lost[System::cpus] = {};
        const std::vector<SchedEvent> kept = with_holes(system.events, random, lost);
        std::vector<TimelineEnd> ends;
        uint64_t all = 0;
        for (uint32_t cpu = 0; cpu < System::cpus; cpu++) {
            ends.push_back({cpu, lost[cpu], std::nullopt});
            all += lost[cpu];
        }
        const Timeline timeline = built(kept, 1000, system.now(), ends);
        expect_sound(timeline);
        EXPECT_EQ(timeline.lost(), all);
        for (const TimelineLane& lane : timeline.lanes) {
            for (const TimelineRun& run : lane.runs) {
                // It is part of a run that was.
                const auto behind = std::ranges::find_if(system.truth.runs, [&](const auto& real) {
                    return std::get<0>(real) == lane.cpu && std::get<1>(real) <= run.begin_ns &&
                           std::get<2>(real) >= run.end_ns &&
                           std::get<3>(real) == timeline.tasks[run.task].tid;
                });
                EXPECT_NE(behind, system.truth.runs.end()) << "seed " << seed << " at " << run.begin_ns;
            }
        }
        for (const TimelineFlow& flow : timeline.flows) {
            const TimelineRun& to = timeline.lanes[flow.to_lane].runs[flow.to_run];
            const auto real = system.truth.woken.find({timeline.lanes[flow.to_lane].cpu, to.begin_ns});
            ASSERT_NE(real, system.truth.woken.end()) << "seed " << seed << " at " << to.begin_ns;
            EXPECT_EQ(real->second, std::tuple(timeline.tasks[to.waker].tid, flow.time_ns));
            flows++;
        }
    }
    EXPECT_GT(flows, 1000U) << "and not because there are none";
}

}  // namespace
}  // namespace ktwin
