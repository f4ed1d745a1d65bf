// SPDX-License-Identifier: GPL-2.0-only
//
// All CPUs: the life of tasks, moves, memory that fails, and the comparison with the kernel's queues.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/random.h"
#include "core/run_queue_twin.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u64 kMs = 1000000;

SchedTask task(kt_key key, i32 nice = 0) {
    SchedTask made;
    made.key = key;
    made.params.nice = nice;
    made.params.mm = key;
    return made;
}

struct RunQueueTwinTest : ::testing::Test {
    RunQueueTwinTest() { FakeHost::get().reset(); }
    ~RunQueueTwinTest() override {
        FakeHost::get().no_failures();
        if (twin) {
            twin->teardown();
            twin.reset();
        }
        FakeHost::get().reset();
    }
    void start(u32 cpus = 2, u32 limit = 100) {
        twin = std::make_unique<RunQueueTwin>(KT_LOCK_TWIN, cpus, cpus, limit);
        ASSERT_TRUE(twin->setup());
        for (u32 cpu = 0; cpu < cpus; ++cpu) {
            to(cpu, 0, false, 0);
        }
    }
    void to(u32 cpu, kt_key prev, bool queued, kt_key next, bool dead = false) {
        SchedSwitch event;
        event.prev = task(prev);
        event.next = task(next);
        event.prev_queued = queued;
        event.prev_dead = dead;
        twin->switched(cpu, event, now += kMs);
    }
    std::vector<kt_key> queued(u32 cpu) {
        kt_key keys[16];
        const u32 count = twin->queued(cpu, Span<kt_key>(keys, 16));
        std::vector<kt_key> result(keys, keys + std::min(count, 16u));
        std::sort(result.begin(), result.end());
        return result;
    }
    bool complete(u32 cpu) { return twin->standing(cpu).why_incomplete == 0; }

    std::unique_ptr<RunQueueTwin> twin;
    u64 now = 1000 * kMs;
};

using Keys = std::vector<kt_key>;

TEST_F(RunQueueTwinTest, ALife) {
    start();
    twin->woken(0, task(1), now);
    to(0, 0, false, 1);
    twin->created(1, task(2), 1, now);
    EXPECT_EQ(queued(0), Keys{1});
    EXPECT_EQ(queued(1), Keys{2});
    to(1, 0, false, 2);
    to(1, 2, false, 0);
    twin->woken(0, task(2), now);
    EXPECT_EQ(queued(0), (Keys{1, 2})) << "it slept on 1 and woke on 0";
    to(0, 1, true, 2);
    to(0, 2, false, 1, true);
    EXPECT_EQ(twin->tasks(), 1u);
    EXPECT_TRUE(complete(0));
    EXPECT_TRUE(complete(1));
}

TEST_F(RunQueueTwinTest, MovesAwakeAndAsleep) {
    start();
    twin->woken(0, task(1), now);
    twin->woken(0, task(2), now);
    twin->moved(2, 1, now);
    EXPECT_EQ(queued(0), Keys{1});
    EXPECT_EQ(queued(1), Keys{2});
    to(1, 0, false, 2);
    to(1, 2, false, 0);
    twin->moved(2, 0, now);
    twin->moved(77, 0, now);
    twin->woken(0, task(2), now);
    EXPECT_EQ(queued(0), (Keys{1, 2}));
    EXPECT_TRUE(complete(0) && complete(1));
}

// The kernel tells of a move before it queues the task, and charges who runs there in between.
TEST_F(RunQueueTwinTest, AnArrivalTakesItsPlaceAfterTheNextCharge) {
    start();
    twin->woken(0, task(1), now);
    twin->woken(1, task(2), now);
    to(1, 0, false, 2);
    twin->moved(1, 1, now);
    RqDifference room[4];
    RqComparison on_its_way;
    on_its_way.room = Span<RqDifference>(room, 4);
    const RqReal two = {2, 2, KT_RQ_QUEUED};
    ASSERT_TRUE(twin->compare(1, Span<const RqReal>(&two, 1), on_its_way));
    EXPECT_TRUE(on_its_way.agrees());
    EXPECT_EQ(queued(1), (Keys{1, 2}));
    // 2 is charged 8 ms, and 1 comes to where that has led: it is not before 2 for having waited those.
    twin->ran(1, task(2), now += 8000000);
    ASSERT_TRUE(twin->compare(1, Span<const RqReal>(&two, 1), on_its_way));
    EXPECT_FALSE(on_its_way.agrees()) << "it has arrived";
    twin->moved(1, 0, now);
    twin->moved(1, 1, now);
    EXPECT_EQ(queued(0), Keys{});
    EXPECT_EQ(queued(1), (Keys{1, 2}));
    to(1, 2, false, 0);
    EXPECT_EQ(queued(1), Keys{1}) << "the CPU goes idle: it has not come yet";
    to(1, 0, false, 1);
    EXPECT_TRUE(complete(0) && complete(1));
}

TEST_F(RunQueueTwinTest, AWakeupOfTheRunningIsNothing) {
    start();
    twin->woken(0, task(1), now);
    to(0, 0, false, 1);
    twin->woken(0, task(1), now);
    EXPECT_EQ(queued(0), Keys{1});
    EXPECT_TRUE(complete(0));
}

TEST_F(RunQueueTwinTest, QueuedOnTwoIsADoubtOfTheFirst) {
    start();
    twin->woken(0, task(1), now);
    twin->woken(1, task(1), now);
    EXPECT_FALSE(complete(0));
    EXPECT_TRUE(complete(1));
    EXPECT_EQ(queued(1), Keys{1});
}

TEST_F(RunQueueTwinTest, AKeyThatComesAgainIsAnother) {
    start();
    twin->woken(0, task(1, 5), now);
    twin->created(1, task(1), 0, now);
    EXPECT_EQ(queued(0), Keys{});
    EXPECT_EQ(queued(1), Keys{1});
    EXPECT_EQ(twin->tasks(), 1u);
}

TEST_F(RunQueueTwinTest, NoRoomIsADoubtUntilIdle) {
    start(2, 3);
    for (kt_key key = 1; key <= 4; ++key) {
        twin->woken(0, task(key), now);
    }
    EXPECT_EQ(twin->standing(0).why_incomplete, RunQueue::kNoMemory);
    EXPECT_EQ(twin->without_memory(), 1u);
    EXPECT_EQ(queued(0), (Keys{1, 2, 3}));
    EXPECT_TRUE(complete(1));
    to(0, 0, false, 4);
    to(0, 4, false, 0, true);
    EXPECT_TRUE(complete(0));
    EXPECT_EQ(queued(0), Keys{});
    to(0, 0, false, 1);
    to(0, 1, false, 0, true);
    twin->woken(0, task(5), now);
    EXPECT_EQ(queued(0), Keys{5}) << "a dead one's node is free again";
}

TEST_F(RunQueueTwinTest, LostEventsAreADoubtEverywhere) {
    start();
    twin->lost();
    EXPECT_EQ(twin->standing(0).why_incomplete, RunQueue::kLostEvents);
    EXPECT_EQ(twin->standing(1).why_incomplete, RunQueue::kLostEvents);
    to(0, 0, false, 0);
    EXPECT_TRUE(complete(0));
    EXPECT_FALSE(complete(1));
}

TEST_F(RunQueueTwinTest, CpusThatAreNotThereAreIgnored) {
    start(1);
    twin->woken(7, task(1), now);
    twin->created(7, task(1), 0, now);
    twin->moved(1, 7, now);
    twin->ran(7, task(1), now);
    to(7, 0, false, 1);
    EXPECT_EQ(twin->tasks(), 0u);
}

TEST_F(RunQueueTwinTest, ComparedWithTheKernel) {
    start();
    for (kt_key key = 1; key <= 4; ++key) {
        twin->woken(0, task(key), now);
    }
    const RqReal real[] = {{1, 1, KT_RQ_QUEUED},    {2, 2, KT_RQ_THROTTLED}, {5, 5, KT_RQ_QUEUED},
                           {6, 6, KT_RQ_THROTTLED}, {7, 7, KT_RQ_DELAYED},   {4, 4, KT_RQ_DELAYED}};
    RqDifference room[8];
    RqComparison result;
    result.room = Span<RqDifference>(room, 8);
    ASSERT_TRUE(twin->compare(0, Span<const RqReal>(real, 6), result));
    EXPECT_EQ(result.equal, 1u);
    EXPECT_FALSE(result.agrees());
    EXPECT_EQ(result.kinds[static_cast<u32>(RqDifferenceKind::kMissing)], 1u);
    EXPECT_EQ(result.kinds[static_cast<u32>(RqDifferenceKind::kSurplus)], 2u) << "3, and 4, which sleeps";
    EXPECT_EQ(result.kinds[static_cast<u32>(RqDifferenceKind::kThrottled)], 1u);
    EXPECT_EQ(result.kinds[static_cast<u32>(RqDifferenceKind::kDelayed)], 1u);
    ASSERT_EQ(result.stored, 3u) << "what is explained takes no room";
    EXPECT_EQ(room[0].key, 5u);
    EXPECT_EQ(room[0].kind, RqDifferenceKind::kMissing);

    RqComparison small;
    ASSERT_TRUE(twin->compare(0, Span<const RqReal>(real, 6), small));
    EXPECT_EQ(small.stored, 0u) << "counted, without room to store them";
    twin->lost();
    EXPECT_EQ(twin->compare(0, Span<const RqReal>(real, 6), small).error(), Errno::kAgain);
}

TEST_F(RunQueueTwinTest, EveryAllocationOfTheSetupMayFail) {
    for (int nth = 1;; ++nth) {
        FakeHost::get().reset();
        FakeHost::get().fail_allocation(nth);
        RunQueueTwin failing(KT_LOCK_TWIN, 3, 3, 4);
        const Result made = failing.setup();
        const bool hit = FakeHost::get().failure_hit();
        FakeHost::get().no_failures();
        // A pool that is not quite full is no error: it says so when it is empty.
        EXPECT_TRUE(made || hit);
        failing.teardown();
        EXPECT_EQ(FakeHost::get().live_allocations(), 0) << "nth " << nth;
        if (!hit) {
            EXPECT_GT(nth, 8);
            break;
        }
    }
}

// Anything may be told in any order: nothing is followed that is not there, and after one idle it is right again.
TEST_F(RunQueueTwinTest, NonsenseIsSurvived) {
    for (u64 seed = 1; seed <= 6; ++seed) {
        start(3, 20);
        Random random(seed);
        for (int step = 0; step < 6000; ++step) {
            SchedTask any = task(random.below(25), static_cast<i32>(random.below(60)) - 30);
            any.params.sched_class = static_cast<SchedClass>(random.below(5));
            any.params.policy = static_cast<SchedPolicy>(random.below(8));
            any.params.rt_priority = random.below(200);
            any.params.deadline = random.next();
            any.params.slice_ns = random.below(3) == 0 ? random.next() : 0;
            const u32 cpu = random.below(4);
            now += random.below(100) == 0 ? random.next() >> 20 : random.below(5000000);
            switch (random.below(8)) {
                case 0:
                    twin->created(cpu, any, random.below(25), now);
                    break;
                case 1:
                    twin->moved(any.key, cpu, now);
                    break;
                case 2:
                    twin->changed(any, now);
                    break;
                case 3:
                    twin->ran(cpu, any, now);
                    break;
                case 4:
                case 5:
                    twin->woken(cpu, any, now);
                    break;
                default:
                    to(cpu, random.below(25), random.below(2) != 0, random.below(25), random.below(10) == 0);
            }
        }
        for (u32 cpu = 0; cpu < 3; ++cpu) {
            twin->lost();
            to(cpu, 0, false, 0);
            EXPECT_TRUE(complete(cpu));
            EXPECT_EQ(queued(cpu), Keys{});
        }
        twin->teardown();
        twin.reset();
    }
}

}  // namespace
}  // namespace ktwin
