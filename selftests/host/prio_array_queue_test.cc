// SPDX-License-Identifier: GPL-2.0-only
//
// 2.6's O(1) scheduler: slices, the change of the arrays, the sleep bonus, interactive tasks, starvation.
#include "core/prio_array_queue.h"
#include "queue_fixture.h"

namespace ktwin {
namespace {

struct PrioArrayQueueTest : QueueTest<PrioArrayQueue> {
    PrioArrayEntity& add(const SchedParams& params) {
        return QueueTest::add(params, EnqueueReason::kMove, now);
    }
    PrioArrayEntity* run(u64 ms) {
        PrioArrayEntity* next = queue.pick(now).entity;
        if (next != nullptr) {
            queue.set_next(*next);
            now += ms * kMs;
            queue.charge(*next, ms * kMs, now);
            queue.put_prev(*next);
        }
        return next;
    }
    void sleep(PrioArrayEntity& entity, u64 ms) {
        queue.dequeue(entity, DequeueReason::kSleep, now);
        now += ms * kMs;
        queue.enqueue(entity, EnqueueReason::kWakeup, now);
    }
    u64 now = 1000 * kMs;
};

TEST_F(PrioArrayQueueTest, TimeslicesAreTheTextbooks) {
    EXPECT_EQ(PrioArrayQueue::timeslice(100), 800 * static_cast<i64>(kMs));
    EXPECT_EQ(PrioArrayQueue::timeslice(110), 600 * static_cast<i64>(kMs));
    EXPECT_EQ(PrioArrayQueue::timeslice(120), 100 * static_cast<i64>(kMs));
    EXPECT_EQ(PrioArrayQueue::timeslice(130), 50 * static_cast<i64>(kMs));
    EXPECT_EQ(PrioArrayQueue::timeslice(139), 5 * static_cast<i64>(kMs));
}

TEST_F(PrioArrayQueueTest, ArraysChangePlacesWhenTheActiveOneIsEmpty) {
    PrioArrayEntity& a = add(nice(0));
    PrioArrayEntity& b = add(nice(0));
    EXPECT_EQ(run(100), &a);
    EXPECT_TRUE(queue.is_expired(a));
    EXPECT_EQ(run(100), &b);
    EXPECT_TRUE(queue.is_expired(b));
    EXPECT_EQ(queue.switches_of_arrays(), 0u);
    EXPECT_EQ(run(1), &a);
    EXPECT_EQ(queue.switches_of_arrays(), 1u);
    EXPECT_FALSE(queue.is_expired(a));
    EXPECT_FALSE(queue.is_expired(b));
    EXPECT_EQ(queue.nr_queued(), 2u);
}

TEST_F(PrioArrayQueueTest, PreemptedKeepsItsPlace) {
    PrioArrayEntity& a = add(nice(0));
    add(nice(0));
    EXPECT_EQ(run(10), &a);
    EXPECT_EQ(run(10), &a);
}

TEST_F(PrioArrayQueueTest, SleepingImprovesThePriorityByAtMostFive) {
    PrioArrayEntity& a = add(nice(0));
    EXPECT_EQ(PrioArrayQueue::effective_prio(a), 125u) << "who never slept is five worse";
    for (int i = 0; i < 30; ++i) {
        sleep(a, 100);
    }
    EXPECT_EQ(a.prio, 115u);
    EXPECT_TRUE(PrioArrayQueue::is_interactive(a));
    PrioArrayEntity& long_sleeper = add(nice(0));
    sleep(long_sleeper, 100000);
    EXPECT_EQ(long_sleeper.sleep_avg, 799 * kMs) << "one long sleep makes it just interactive, not more";
}

TEST_F(PrioArrayQueueTest, InteractiveGoesBackToTheActiveArrayUntilTheOthersStarve) {
    PrioArrayEntity& interactive = add(nice(0));
    PrioArrayEntity& hog = add(nice(0));
    for (int i = 0; i < 30; ++i) {
        sleep(interactive, 100);
    }
    EXPECT_EQ(run(100), &interactive);
    EXPECT_FALSE(queue.is_expired(interactive)) << "its slice is used, and it is interactive";
    interactive.sleep_avg = 1000 * kMs;
    int rounds = 0;
    while (!queue.is_expired(interactive) && rounds < 200) {
        interactive.sleep_avg = 1000 * kMs;
        ASSERT_EQ(run(100), &interactive);
        ++rounds;
    }
    EXPECT_TRUE(queue.is_expired(interactive)) << "a second for each that is queued";
    EXPECT_GE(rounds, 19);
    EXPECT_LE(rounds, 31);
    EXPECT_EQ(run(1), &hog);
}

TEST_F(PrioArrayQueueTest, WhoRunsOnGetsWorseWhenItsSliceIsUsed) {
    PrioArrayEntity& a = add(nice(0));
    for (int i = 0; i < 5; ++i) {
        sleep(a, 100);
    }
    EXPECT_EQ(a.prio, 120u);
    run(100);
    EXPECT_EQ(a.sleep_avg, 480 * kMs) << "a bonus of 5: it tires at a fifth of the pace";
    EXPECT_EQ(a.prio, 121u);
}

TEST_F(PrioArrayQueueTest, NiceNineteenIsNeverInteractive) {
    PrioArrayEntity& a = add(nice(19));
    for (int i = 0; i < 100; ++i) {
        sleep(a, 500);
    }
    EXPECT_FALSE(PrioArrayQueue::is_interactive(a));
}

TEST_F(PrioArrayQueueTest, RealTimeNeverExpires) {
    add(nice(-20));
    PrioArrayEntity& fifo = add(rt(SchedPolicy::kFifo, 10));
    PrioArrayEntity& rr = add(rt(SchedPolicy::kRr, 10));
    EXPECT_EQ(fifo.prio, 89u);
    EXPECT_EQ(run(5000), &fifo);
    EXPECT_EQ(run(5000), &fifo);
    queue.dequeue(fifo, DequeueReason::kSleep, now);
    PrioArrayEntity& rr2 = add(rt(SchedPolicy::kRr, 10));
    EXPECT_EQ(run(100), &rr);
    EXPECT_EQ(run(100), &rr2);
    EXPECT_EQ(run(100), &rr);
}

TEST_F(PrioArrayQueueTest, SharesFollowTheSlices) {
    PrioArrayEntity& a = add(nice(0));   // 100 ms
    PrioArrayEntity& b = add(nice(10));  // 50 ms
    u64 ran[2] = {};
    for (int ms = 0; ms < 60000; ++ms) {
        PrioArrayEntity* next = run(1);
        ++ran[next == &b ? 1 : 0];
    }
    EXPECT_NEAR(static_cast<double>(ran[0]) / ran[1], 2.0, 0.02);
    EXPECT_GT(queue.switches_of_arrays(), 300u);
    (void)a;
}

TEST_F(PrioArrayQueueTest, ForkSharesTheSlice) {
    PrioArrayEntity& parent = add(nice(0));
    PrioArrayEntity child;
    queue.setup(child, nice(0));
    PrioArrayQueue::fork(parent, child);
    EXPECT_EQ(parent.time_slice, 50 * static_cast<i64>(kMs));
    EXPECT_EQ(child.time_slice, 50 * static_cast<i64>(kMs));
}

}  // namespace
}  // namespace ktwin
