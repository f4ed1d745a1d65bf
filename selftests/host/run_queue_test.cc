// SPDX-License-Identifier: GPL-2.0-only
//
// One CPU's twin: classes in order, agreement, doubt and how it ends, changes of class, waits.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/run_queue.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u64 kMs = 1000000;
constexpr Generation kAll[] = {Generation::kScan, Generation::kPrioArray, Generation::kCfs,
                               Generation::kEevdf};

SchedParams fair(i32 nice) {
    SchedParams params;
    params.nice = nice;
    params.mm = 1;
    return params;
}

SchedParams rt(u32 priority) {
    SchedParams params;
    params.sched_class = SchedClass::kRt;
    params.policy = SchedPolicy::kFifo;
    params.rt_priority = priority;
    return params;
}

SchedParams of_class(SchedClass sched_class) {
    SchedParams params;
    params.sched_class = sched_class;
    return params;
}

struct RunQueueTest : ::testing::Test {
    RqTask& make(const SchedParams& params) {
        tasks.push_back(std::make_unique<RqTask>(0x1000 + 16 * tasks.size(), 1, 0u, params));
        queue->setup(*tasks.back());
        return *tasks.back();
    }
    RqTask& add(const SchedParams& params) {
        RqTask& task = make(params);
        queue->enqueue(task, EnqueueReason::kWakeup, now += kMs);
        return task;
    }
    void to(RqTask* prev, bool stays, RqTask* next) {
        RunQueue::Switch event;
        event.prev = prev;
        event.next = next;
        event.prev_stays = stays;
        event.next_class = next != nullptr ? next->params.sched_class : SchedClass::kIdle;
        queue->switched(event, now += kMs);
    }
    // The CPU goes idle: the twin knows that nothing is queued.
    void become_complete() {
        to(nullptr, false, nullptr);
        ASSERT_TRUE(queue->complete());
    }
    RqTask* pick(Generation generation) { return queue->pick(generation, now).entity; }

    u64 now = 1000 * kMs;
    std::unique_ptr<RunQueue> queue = std::make_unique<RunQueue>(0u, 2u);
    std::vector<std::unique_ptr<RqTask>> tasks;
};

TEST_F(RunQueueTest, ClassesInTheKernelsOrder) {
    RqTask& normal = add(fair(-20));
    for (const Generation generation : kAll) {
        EXPECT_EQ(pick(generation), &normal);
    }
    RqTask& fifo = add(rt(1));
    for (const Generation generation : kAll) {
        EXPECT_EQ(pick(generation), &fifo);
    }
    RqTask& deadline = add(of_class(SchedClass::kDeadline));
    for (const Generation generation : kAll) {
        EXPECT_EQ(pick(generation), &deadline);
    }
    RqTask& stop = add(of_class(SchedClass::kStop));
    for (const Generation generation : kAll) {
        EXPECT_EQ(pick(generation), &stop);
    }
    for (RqTask* task : {&stop, &deadline, &fifo, &normal}) {
        queue->dequeue(*task, DequeueReason::kSleep, now);
    }
    for (const Generation generation : kAll) {
        EXPECT_EQ(pick(generation), nullptr);
    }
    EXPECT_EQ(queue->nr_queued(), 0u);
}

TEST_F(RunQueueTest, AgreementIsCountedByTheClassThatRan) {
    become_complete();
    RqTask& a = add(fair(0));
    RqTask& b = add(fair(0));
    RqTask* first = pick(Generation::kEevdf);
    RqTask* other = first == &a ? &b : &a;
    to(nullptr, false, other);
    const RqAgreement& eevdf = queue->agreement(Generation::kEevdf);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).picks, 1u);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).agreed, 0u);
    to(other, false, first);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).picks, 2u);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).agreed, 1u);
    RqTask& fifo = add(rt(9));
    to(first, true, &fifo);
    to(&fifo, false, first);
    to(first, false, nullptr);
    for (const Generation generation : kAll) {
        EXPECT_EQ(queue->agreement(generation).count(SchedClass::kRt).agreed, 1u);
        EXPECT_EQ(queue->agreement(generation).count(SchedClass::kIdle).agreed, 1u);
        // The first idle was before it was complete.
        EXPECT_EQ(queue->agreement(generation).count(SchedClass::kIdle).unanswered, 1u);
    }
    EXPECT_EQ(queue->doubts(), 0u);
}

// What was there before the twin comes from the kernel, as long as the queue is not complete.
TEST_F(RunQueueTest, WhoLeavesAnIncompleteQueueIsWhereTheKernelHasIt) {
    RqTask& a = add(fair(0));
    to(nullptr, false, &a);
    RunQueue::Switch event;
    event.prev = &a;
    event.prev_place = {KT_PLACE_LAG, 12345};
    queue->switched(event, now += kMs);
    EXPECT_EQ(static_cast<EevdfEntity&>(a).vlag, 12345);
    ASSERT_TRUE(queue->complete());
    queue->enqueue(a, EnqueueReason::kWakeup, now);
    to(nullptr, false, &a);
    queue->switched(event, now += kMs);
    EXPECT_NE(static_cast<EevdfEntity&>(a).vlag, 12345);
}

TEST_F(RunQueueTest, WhereGroupsAreQueuedADifferenceIsTheirs) {
    become_complete();
    SchedParams in_group = fair(0);
    in_group.grouped = true;
    RqTask& a = add(fair(0));
    RqTask& b = add(in_group);
    const RqAgreement& eevdf = queue->agreement(Generation::kEevdf);
    RqTask* first = pick(Generation::kEevdf);
    RqTask* other = first == &a ? &b : &a;
    to(nullptr, false, other);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).grouped, 1u);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).agreed, 0u);
    to(other, true, nullptr);
    EXPECT_EQ(eevdf.count(SchedClass::kIdle).grouped, 1u) << "without runtime";
    // Moved to the root: from now on it is the twin's fault.
    queue->change(b, fair(0), now += kMs);
    first = pick(Generation::kEevdf);
    to(nullptr, false, first == &a ? &b : &a);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).picks, 2u);
    EXPECT_EQ(eevdf.count(SchedClass::kFair).grouped, 1u);
}

TEST_F(RunQueueTest, ItBeginsInDoubtAndIdleEndsIt) {
    EXPECT_EQ(queue->why_incomplete(), RunQueue::kStarting);
    RqTask& a = add(fair(0));
    to(nullptr, false, &a);
    EXPECT_EQ(queue->agreement(Generation::kCfs).count(SchedClass::kFair).unanswered, 1u);
    add(fair(0));
    to(&a, false, nullptr);
    EXPECT_TRUE(queue->complete());
    EXPECT_EQ(queue->nr_queued(), 0u) << "what was queued still is stale";
    EXPECT_EQ(queue->doubts(), 0u) << "it never was complete before";
}

TEST_F(RunQueueTest, AStrangerOnTheCpuIsADoubt) {
    become_complete();
    RqTask& a = make(fair(0));
    to(nullptr, false, &a);
    EXPECT_EQ(queue->why_incomplete(), RunQueue::kConflict);
    EXPECT_EQ(queue->doubts(), 1u);
    EXPECT_EQ(queue->current(), &a);
    EXPECT_TRUE(a.queued);
    to(&a, false, nullptr);
    EXPECT_TRUE(queue->complete());
}

TEST_F(RunQueueTest, AnotherWasOnTheCpuThanTheTwinHad) {
    become_complete();
    RqTask& a = add(fair(0));
    RqTask& b = add(fair(0));
    to(nullptr, false, &a);
    to(&b, true, &a);
    EXPECT_EQ(queue->why_incomplete(), RunQueue::kConflict);
    EXPECT_EQ(queue->current(), &a);
    EXPECT_EQ(queue->nr_queued(), 2u);
}

TEST_F(RunQueueTest, NoNodeForWhoRuns) {
    become_complete();
    RunQueue::Switch event;
    event.next_class = SchedClass::kFair;
    queue->doubt(RunQueue::kNoMemory);
    queue->switched(event, now += kMs);
    EXPECT_EQ(queue->current(), nullptr);
    EXPECT_EQ(queue->agreement(Generation::kScan).count(SchedClass::kFair).unanswered, 1u);
    to(nullptr, false, nullptr);
    EXPECT_TRUE(queue->complete());
}

TEST_F(RunQueueTest, ThrottledTasksSurviveAnIdleCpu) {
    become_complete();
    RqTask& fifo = add(rt(5));
    to(nullptr, false, &fifo);
    to(&fifo, true, nullptr);
    EXPECT_TRUE(queue->complete());
    EXPECT_EQ(queue->idle_with_queued(), 1u);
    EXPECT_TRUE(fifo.queued);
    to(nullptr, false, &fifo);
    EXPECT_TRUE(queue->complete());
}

TEST_F(RunQueueTest, ManyStaleTasksAreDroppedAFewAtATime) {
    for (int i = 0; i < 100; ++i) {
        add(fair(0));
    }
    to(nullptr, false, nullptr);
    EXPECT_FALSE(queue->complete());
    EXPECT_EQ(queue->nr_queued(), 36u);
    to(nullptr, false, nullptr);
    EXPECT_TRUE(queue->complete());
}

TEST_F(RunQueueTest, ClassesAndNiceChangeWhileQueuedRunningAndAsleep) {
    become_complete();
    RqTask& a = add(fair(0));
    RqTask& b = add(fair(0));
    to(nullptr, false, &a);
    queue->change(a, rt(10), now);
    for (const Generation generation : kAll) {
        EXPECT_EQ(pick(generation), &a);
    }
    queue->change(a, fair(5), now);
    queue->change(b, rt(3), now);
    for (const Generation generation : kAll) {
        EXPECT_EQ(pick(generation), &b);
    }
    queue->change(b, fair(-5), now);
    to(&a, true, &b);
    to(&b, false, &a);
    queue->change(b, rt(7), now);
    queue->change(b, fair(0), now);
    queue->enqueue(b, EnqueueReason::kWakeup, now += kMs);
    to(&a, false, &b);
    to(&b, false, nullptr);
    EXPECT_EQ(queue->nr_queued(), 0u);
    EXPECT_EQ(queue->doubts(), 0u);
}

// What a task has in virtual time on one queue says nothing on another.
TEST_F(RunQueueTest, ASleeperThatWakesElsewhereIsPlacedThere) {
    become_complete();
    RqTask& a = add(fair(0));
    RqTask& b = add(fair(0));
    for (int i = 0; i < 200; ++i) {
        to(i == 0 ? nullptr : i % 2 != 0 ? &a : &b, true, i % 2 != 0 ? &b : &a);
    }
    queue->dequeue(a, DequeueReason::kSleep, now);
    EXPECT_GT(static_cast<CfsEntity&>(a).vruntime, 90 * kMs);
    auto other = std::make_unique<RunQueue>(1u, 2u);
    queue->forget_sleeper(a);
    queue->forget_sleeper(a);  // says nothing the second time
    EXPECT_LE(static_cast<CfsEntity&>(a).vruntime, 2 * kMs);
    other->enqueue(a, EnqueueReason::kWakeup, now);
    EXPECT_LE(static_cast<CfsEntity&>(a).vruntime, 2 * kMs) << "that queue has not begun to run";
    queue->dequeue(b, DequeueReason::kSleep, now);
    queue->forget_sleeper(b);
    other->enqueue(b, EnqueueReason::kWakeup, now);
    other->dequeue(a, DequeueReason::kSleep, now);
    other->forget_sleeper(a);
    queue->enqueue(a, EnqueueReason::kWakeup, now);
    // Half a latency for a sleeper, which is 6 ms with two CPUs.
    EXPECT_GE(static_cast<CfsEntity&>(a).vruntime, 90 * kMs) << "and back: the old queue's time again";
    queue->dequeue(a, DequeueReason::kSleep, now);
    other->dequeue(b, DequeueReason::kSleep, now);
}

TEST_F(RunQueueTest, WaitsAreFromTheQueueToTheCpu) {
    become_complete();
    RqTask& a = add(fair(0));
    now += 9 * kMs;
    to(nullptr, false, &a);
    EXPECT_EQ(queue->waits(SchedClass::kFair).count(), 1u);
    EXPECT_EQ(queue->waits(SchedClass::kFair).sum(), 10 * kMs);
}

TEST_F(RunQueueTest, TimeThatRunsBackwardsIsIgnored) {
    become_complete();
    RqTask& a = add(fair(0));
    to(nullptr, false, &a);
    const u64 vruntime = static_cast<CfsEntity&>(a).vruntime;
    queue->advance(5);
    EXPECT_EQ(static_cast<CfsEntity&>(a).vruntime, vruntime);
    queue->advance(now + 2 * kMs);
    EXPECT_EQ(static_cast<CfsEntity&>(a).vruntime, vruntime + 2 * kMs);
}

}  // namespace
}  // namespace ktwin
