// SPDX-License-Identifier: GPL-2.0-only
//
// CFS: shares by weight, the placement of sleepers and children, min_vruntime.
#include <memory>
#include <vector>

#include "core/cfs_queue.h"
#include "queue_fixture.h"

namespace ktwin {
namespace {

struct CfsQueueTest : QueueTest<CfsQueue> {
    CfsEntity& add(i32 value) { return QueueTest::add(nice(value), EnqueueReason::kMove, now); }
    CfsEntity* run(u64 ns) {
        CfsEntity* next = queue.pick(now).entity;
        queue.set_next(*next);
        now += ns;
        queue.charge(*next, ns, now);
        return next;
    }
    u64 now = 1000 * kMs;
};

TEST_F(CfsQueueTest, WeightsAreTheTable) {
    SchedParams params;
    EXPECT_EQ(sched_weight(params), 1024u);
    params.nice = -20;
    EXPECT_EQ(sched_weight(params), 88761u);
    params.nice = 19;
    EXPECT_EQ(sched_weight(params), 15u);
    params.policy = SchedPolicy::kIdle;
    EXPECT_EQ(sched_weight(params), 3u);
}

// By the kernel's own arithmetic: 2^32 / 335 is rounded to 12820798, and the product cut to 32 bits.
TEST_F(CfsQueueTest, VirtualTimeIsTheKernelsToTheBit) {
    EXPECT_EQ(calc_delta_fair(4000000, 1024), 4000000u);
    EXPECT_EQ(calc_delta_fair(4000000, 335), u64{4000000} * (u64{12820798} * 1024 >> 2) >> 30);
    EXPECT_EQ(calc_delta_fair(4000000, 88761), u64{4000000} * 48388 * 1024 >> 32);
    EXPECT_EQ(calc_delta_fair(4000000, 3), u64{4000000} * (u64{1431655765} * 1024 >> 9) >> 23);
}

// |ran - ideal| <= slice * weight / least weight: nobody's vruntime is further from the others' than one slice is of the
// lightest.
TEST_F(CfsQueueTest, SharesAreInProportionToTheWeights) {
    const i32 nices[] = {0, 0, 5, -5, 10, -10, 19};
    u64 weights = 0;
    for (const i32 value : nices) {
        weights += add(value).weight;
    }
    std::vector<u64> ran(entities.size());
    const u64 slice = kMs;
    u64 total = 0;
    for (int i = 0; i < 100000; ++i) {
        CfsEntity* next = run(slice);
        queue.put_prev(*next);
        total += slice;
        for (size_t at = 0; at < ran.size(); ++at) {
            ran[at] += entities[at].get() == next ? slice : 0;
        }
    }
    for (size_t at = 0; at < ran.size(); ++at) {
        const double weight = static_cast<double>(entities[at]->weight);
        const double ideal = static_cast<double>(total) * weight / static_cast<double>(weights);
        EXPECT_NEAR(static_cast<double>(ran[at]), ideal, slice * weight / 15 + slice) << "nice " << nices[at];
    }
    // The same in words: one step of nice is about 10 % between two; five are a factor of 3.
    EXPECT_NEAR(static_cast<double>(ran[3]) / static_cast<double>(ran[0]), 3121.0 / 1024.0, 0.05);
}

TEST_F(CfsQueueTest, AShortSleepGainsNothingALongOneHalfALatency) {
    CfsEntity& sleeper = add(0);
    add(0);
    queue.dequeue(sleeper, DequeueReason::kSleep, now);
    const u64 slept_with = sleeper.vruntime;
    queue.put_prev(*run(kMs));
    queue.enqueue(sleeper, EnqueueReason::kWakeup, now);
    EXPECT_EQ(sleeper.vruntime, slept_with) << "it is where it was";
    queue.dequeue(sleeper, DequeueReason::kSleep, now);
    queue.put_prev(*run(1000 * kMs));
    queue.enqueue(sleeper, EnqueueReason::kWakeup, now);
    EXPECT_EQ(sleeper.vruntime, queue.min_vruntime() - 3 * kMs);
    EXPECT_EQ(queue.pick(now).entity, &sleeper);
}

TEST_F(CfsQueueTest, AChildComesASliceBehindItsParent) {
    CfsEntity& parent = add(0);
    queue.set_next(parent);
    queue.charge(parent, 10 * kMs, now);
    CfsEntity child;
    queue.setup(child, nice(0));
    CfsQueue::fork(parent, child);
    queue.enqueue(child, EnqueueReason::kInitial, now);
    EXPECT_EQ(child.vruntime, parent.vruntime + 3 * kMs) << "half of a period of 6 ms";
    EXPECT_EQ(queue.pick(now).entity, &parent);
}

TEST_F(CfsQueueTest, MovesCarryTheDistanceToMinVruntime) {
    CfsQueue other;
    CfsEntity& a = add(0);
    CfsEntity& b = add(0);
    for (int i = 0; i < 5; ++i) {
        queue.put_prev(*run(5 * kMs));
    }
    ASSERT_EQ(queue.min_vruntime(), 10 * kMs);
    CfsEntity& ahead = a.vruntime > b.vruntime ? a : b;
    queue.dequeue(ahead, DequeueReason::kMove, now);
    EXPECT_EQ(ahead.vruntime, 5 * kMs) << "relative while it is on neither";
    other.enqueue(ahead, EnqueueReason::kMove, now);
    EXPECT_EQ(ahead.vruntime - other.min_vruntime(), 5 * kMs);
    EXPECT_EQ(queue.nr_queued(), 1u);
    EXPECT_EQ(other.nr_queued(), 1u);
}

TEST_F(CfsQueueTest, NiceChangesWithoutLosingThePlace) {
    CfsEntity& a = add(0);
    add(0);
    queue.put_prev(*run(5 * kMs));
    const u64 before = a.vruntime;
    queue.dequeue(a, DequeueReason::kSave, now);
    queue.set_params(a, nice(-10));
    queue.enqueue(a, EnqueueReason::kRestore, now);
    EXPECT_EQ(a.vruntime, before);
    EXPECT_EQ(a.weight, 9548u);
}

TEST_F(CfsQueueTest, AdoptedWhereTheKernelHasIt) {
    add(0);
    queue.put_prev(*run(5 * kMs));
    CfsEntity sleeper;
    queue.setup(sleeper, nice(0));
    queue.adopt(sleeper, -500, false);
    EXPECT_EQ(sleeper.vruntime, queue.min_vruntime() - 500);
    queue.adopt(sleeper, -500, true);
    queue.enqueue(sleeper, EnqueueReason::kWakeupMoved, now);
    EXPECT_EQ(sleeper.vruntime, queue.min_vruntime() - 500);
    queue.dequeue(sleeper, DequeueReason::kSleep, now);
}

TEST_F(CfsQueueTest, MinVruntimeNeverGoesBack) {
    CfsEntity& a = add(0);
    CfsEntity& b = add(0);
    u64 last = 0;
    for (int i = 0; i < 100; ++i) {
        queue.put_prev(*run(kMs));
        if (i % 3 == 0) {
            CfsEntity& one = i % 2 == 0 ? a : b;
            queue.dequeue(one, DequeueReason::kSleep, now);
            queue.enqueue(one, EnqueueReason::kWakeup, now);
        }
        EXPECT_GE(queue.min_vruntime(), last);
        last = queue.min_vruntime();
    }
}

// Who wakes far behind the current one is picked before who is further behind, but not at any price.
TEST_F(CfsQueueTest, WhoPreemptsIsToRunNext) {
    CfsEntity& runs = add(0);
    queue.set_next(runs);
    CfsEntity& behind = add(0);
    queue.charge(runs, 900000, now);
    CfsEntity& woken = add(0);
    EXPECT_EQ(queue.pick(now).entity, &behind) << "it is not a granularity behind";
    queue.dequeue(woken, DequeueReason::kSleep, now);
    woken.vruntime = 1500000;
    queue.charge(runs, 3 * kMs, now);
    queue.enqueue(woken, EnqueueReason::kWakeup, now);
    ASSERT_EQ(woken.vruntime, 1500000u);
    EXPECT_EQ(queue.pick(now).entity, &behind) << "the leftmost is more than a granularity behind it";
    behind.vruntime = 600000;
    EXPECT_EQ(queue.pick(now).entity, &woken);
    queue.put_prev(runs);
    queue.set_next(woken);
    EXPECT_EQ(queue.pick(now).entity, &behind) << "once";
}

TEST_F(CfsQueueTest, OfManyThePreemptedComesBack) {
    CfsEntity& runs = add(0);
    queue.set_next(runs);
    for (int i = 0; i < 7; ++i) {
        add(0).vruntime = 1500000;
    }
    queue.charge(runs, 1800000, now);
    CfsEntity& woken = add(0);
    queue.dequeue(woken, DequeueReason::kSleep, now);
    woken.vruntime = 700000;
    queue.enqueue(woken, EnqueueReason::kWakeup, now);
    EXPECT_EQ(queue.pick(now).entity, &woken);
    queue.put_prev(runs);
    queue.set_next(woken);
    queue.dequeue(woken, DequeueReason::kSleep, now);
    EXPECT_EQ(queue.pick(now).entity, &runs) << "though others are behind it";
}

TEST_F(CfsQueueTest, BatchDoesNotPreempt) {
    CfsEntity& runs = add(0);
    queue.set_next(runs);
    queue.charge(runs, 5 * kMs, now);
    CfsEntity batch;
    SchedParams params;
    params.policy = SchedPolicy::kBatch;
    queue.setup(batch, params);
    CfsEntity& first = add(0);
    queue.dequeue(first, DequeueReason::kSleep, now);
    queue.enqueue(batch, EnqueueReason::kMove, now);
    batch.vruntime += 10;
    queue.enqueue(first, EnqueueReason::kWakeup, now);
    EXPECT_EQ(queue.pick(now).entity, &first);
    queue.dequeue(batch, DequeueReason::kSleep, now);
}

}  // namespace
}  // namespace ktwin
