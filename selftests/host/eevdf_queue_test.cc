// SPDX-License-Identifier: GPL-2.0-only
//
// EEVDF: shares by weight, the bounds of the lag, what sleeping and waking do to it, delayed dequeue.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "core/eevdf_queue.h"
#include "queue_fixture.h"

namespace ktwin {
namespace {

struct EevdfQueueTest : QueueTest<EevdfQueue> {
    EevdfQueueTest() { queue.set_base_slice(3 * kMs); }

    EevdfEntity& add(i32 value) { return QueueTest::add(nice(value), EnqueueReason::kWakeup); }
    // As the scheduler at a tick: whoever is picked runs on.
    EevdfEntity* run(u64 ns) {
        EevdfEntity* next = queue.pick(0).entity;
        if (next != current) {
            if (current != nullptr) {
                queue.put_prev(*current);
            }
            queue.set_next(*next);
            current = next;
        }
        queue.charge(*next, ns, 0);
        return next;
    }
    void sleep(EevdfEntity& entity) {
        queue.dequeue(entity, DequeueReason::kSleep, 0);
        current = current == &entity ? nullptr : current;
    }
    // In ns of service.
    double lag(EevdfEntity& entity) {
        return static_cast<double>(vtime_delta(queue.avg_vruntime(), entity.vruntime)) *
               static_cast<double>(entity.weight) / 1024;
    }
    EevdfEntity* current = nullptr;
};

// Stoica and Abdel-Wahab: -r_max < lag < max(r_max, q), for requests r and a quantum q; here a request that is not a
// multiple of the quantum is overrun by less than one.
TEST_F(EevdfQueueTest, SharesAndLagAreBounded) {
    const i32 nices[] = {0, 0, 5, -5, 10, -10, 19};
    double weights = 0;
    for (const i32 value : nices) {
        weights += static_cast<double>(add(value).weight);
    }
    const double quantum = 0.5 * kMs;
    const double bound = 3.0 * kMs + quantum;
    std::vector<double> ran(entities.size());
    double worst = 0;
    for (int i = 0; i < 60000; ++i) {
        EevdfEntity* next = run(static_cast<u64>(quantum));
        for (size_t at = 0; at < ran.size(); ++at) {
            ran[at] += entities[at].get() == next ? quantum : 0;
            worst = std::max(worst, std::fabs(lag(*entities[at])));
        }
        ASSERT_LT(worst, bound) << "step " << i;
    }
    for (size_t at = 0; at < ran.size(); ++at) {
        const double ideal = 60000 * quantum * static_cast<double>(entities[at]->weight) / weights;
        EXPECT_NEAR(ran[at], ideal, bound) << "nice " << nices[at];
    }
}

TEST_F(EevdfQueueTest, LagsAddUpToNothing) {
    for (const i32 value : {0, 3, -3, 7}) {
        add(value);
    }
    for (int i = 0; i < 1000; ++i) {
        run(kMs / 3);
        double sum = 0;
        for (auto& entity : entities) {
            sum += lag(*entity);
        }
        // V is rounded down to a whole unit.
        ASSERT_NEAR(sum, 0, 4096);
    }
}

TEST_F(EevdfQueueTest, ShorterSlicesGoFirstAmongEquals) {
    add(0);
    SchedParams params;
    params.slice_ns = kMs / 2;
    EevdfEntity urgent;
    queue.setup(urgent, params);
    queue.enqueue(urgent, EnqueueReason::kWakeup, 0);
    EXPECT_EQ(queue.pick(0).entity, &urgent);
}

TEST_F(EevdfQueueTest, RunsToParity) {
    EevdfEntity& a = add(0);
    add(0);
    ASSERT_EQ(run(kMs), &a);
    EXPECT_FALSE(queue.is_eligible(a)) << "a millisecond ahead of the mean";
    EevdfEntity& b = *run(kMs);
    EXPECT_NE(&b, &a);
    EXPECT_EQ(run(kMs / 2), &b) << "it is at the mean, and has its slice before it";
}

// The lag is what it was, in spite of V's moving by the joining.
TEST_F(EevdfQueueTest, LagIsKeptOverASleep) {
    EevdfEntity& a = add(0);
    add(0);
    add(0);
    while (queue.is_eligible(a) && current != &a) {
        run(kMs);
    }
    while (!queue.is_eligible(a)) {
        run(kMs / 4);
    }
    const i64 before = queue.entity_lag(a);
    sleep(a);
    EXPECT_FALSE(a.on_rq);
    EXPECT_EQ(a.vlag, before);
    run(kMs);
    queue.enqueue(a, EnqueueReason::kWakeup, 0);
    EXPECT_NEAR(static_cast<double>(queue.entity_lag(a)), static_cast<double>(before), 3);
}

TEST_F(EevdfQueueTest, WhoSleepsWithNegativeLagCompetesOn) {
    EevdfEntity& a = add(0);
    EevdfEntity& b = add(0);
    ASSERT_EQ(run(2 * kMs), &a);
    sleep(a);
    EXPECT_TRUE(a.delayed);
    EXPECT_TRUE(a.on_rq);
    EXPECT_EQ(queue.nr_queued(), 1u);
    EXPECT_EQ(queue.nr_delayed(), 1u);
    EXPECT_EQ(run(5 * kMs), &b);
    // b is behind a now; the pick meets a, which has a lag to its good, and lets it go with none.
    EXPECT_EQ(queue.pick(0).entity, &b);
    EXPECT_FALSE(a.on_rq);
    EXPECT_EQ(a.vlag, 0);
    EXPECT_EQ(queue.nr_delayed(), 0u);
}

TEST_F(EevdfQueueTest, WhoWakesWhileDelayedKeepsItsDebt) {
    EevdfEntity& a = add(0);
    add(0);
    ASSERT_EQ(run(2 * kMs), &a);
    sleep(a);
    const u64 vruntime = a.vruntime;
    queue.enqueue(a, EnqueueReason::kWakeup, 0);
    EXPECT_FALSE(a.delayed);
    EXPECT_EQ(a.vruntime, vruntime);
    EXPECT_EQ(queue.nr_queued(), 2u);
}

TEST_F(EevdfQueueTest, WhoMovesTakesLagAndDeadlineAlong) {
    EevdfQueue other;
    EevdfEntity resident;
    other.setup(resident, nice(0));
    other.enqueue(resident, EnqueueReason::kWakeup, 0);
    EevdfEntity& a = add(0);
    add(0);
    ASSERT_EQ(run(kMs), &a);
    run(kMs / 4);
    const i64 lag_before = queue.entity_lag(a);
    const u64 left = a.deadline - a.vruntime;
    queue.dequeue(a, DequeueReason::kMove, 0);
    EXPECT_TRUE(a.rel_deadline);
    other.enqueue(a, EnqueueReason::kMove, 0);
    EXPECT_EQ(a.deadline - a.vruntime, left);
    EXPECT_NEAR(static_cast<double>(other.entity_lag(a)), static_cast<double>(lag_before), 3);
}

TEST_F(EevdfQueueTest, NewTasksBeginWithHalfASlice) {
    add(0);
    EevdfEntity child;
    queue.setup(child, nice(0));
    queue.enqueue(child, EnqueueReason::kInitial, 0);
    EXPECT_EQ(child.deadline - child.vruntime, 3 * kMs / 2);
}

TEST_F(EevdfQueueTest, ReweightedWithItsLag) {
    EevdfEntity& a = add(0);
    add(0);
    run(kMs);
    const double before = lag(a);
    queue.dequeue(a, DequeueReason::kSave, 0);
    queue.set_params(a, nice(-5));
    queue.enqueue(a, EnqueueReason::kRestore, 0);
    EXPECT_EQ(a.weight, 3121u);
    EXPECT_NEAR(static_cast<double>(a.vlag) * 3121 / 1024, before, 5);
    EXPECT_NEAR(lag(a), before, 16);
}

TEST_F(EevdfQueueTest, AloneItRunsOnForDays) {
    EevdfEntity& a = add(19);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(run(u64{3600} * 1000000000), &a);
    }
    EevdfEntity& b = add(-20);
    EXPECT_LE(std::abs(static_cast<long long>(queue.entity_lag(b))), 2);
    EXPECT_NE(queue.pick(0).entity, nullptr);
}

// RUN_TO_PARITY holds until the slice is over, unless one comes that asks for less, or the current one is idle.
TEST_F(EevdfQueueTest, AShorterSliceEndsTheProtection) {
    EevdfEntity& runs = add(0);
    EXPECT_EQ(run(kMs), &runs);
    add(0);
    EXPECT_EQ(run(0), &runs) << "not eligible if it had not run alone: nobody else has waited";
    EevdfEntity hasty;
    SchedParams params;
    params.slice_ns = kMs / 2;
    queue.setup(hasty, params);
    queue.enqueue(hasty, EnqueueReason::kWakeup, 0);
    EXPECT_FALSE(runs.is_protected);
    EXPECT_EQ(queue.pick(0).entity, &hasty);
}

TEST_F(EevdfQueueTest, AnIdleTaskIsNotProtectedFromOthers) {
    EevdfEntity idle;
    SchedParams params;
    params.policy = SchedPolicy::kIdle;
    queue.setup(idle, params);
    queue.enqueue(idle, EnqueueReason::kWakeup, 0);
    EXPECT_EQ(run(0), &idle);
    EevdfEntity other;
    queue.setup(other, params);
    queue.enqueue(other, EnqueueReason::kWakeup, 0);
    EXPECT_TRUE(idle.is_protected) << "from another one it is";
    add(0);
    EXPECT_FALSE(idle.is_protected);
}

}  // namespace
}  // namespace ktwin
