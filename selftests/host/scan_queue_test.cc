// SPDX-License-Identifier: GPL-2.0-only
//
// 2.4's scheduler: goodness, the end of an epoch, shares.
#include "core/scan_queue.h"
#include "queue_fixture.h"

namespace ktwin {
namespace {

struct ScanQueueTest : QueueTest<ScanQueue> {
    ScanEntity& add(const SchedParams& params) { return QueueTest::add(params, EnqueueReason::kWakeupMoved); }
};

TEST_F(ScanQueueTest, QuantaAreTheTextbooks) {
    EXPECT_EQ(add(nice(0)).counter, 6u);     // 60 ms
    EXPECT_EQ(add(nice(-20)).counter, 11u);  // 110 ms
    EXPECT_EQ(add(nice(19)).counter, 1u);    // 10 ms
}

TEST_F(ScanQueueTest, Goodness) {
    ScanEntity& a = add(nice(0, 1));
    ScanEntity& b = add(nice(5, 2));
    ScanEntity& kernel_thread = add(nice(0, 0));
    EXPECT_EQ(queue.goodness(a), 6 + 20);
    EXPECT_EQ(queue.goodness(b), 4 + 15);
    EXPECT_EQ(queue.goodness(kernel_thread), 6 + 20 + 1) << "the mm bonus is everybody's without an mm";
    queue.set_next(a);
    EXPECT_EQ(queue.goodness(a), 6 + 20 + 1 + 15) << "it is here, and so is its mm";
    EXPECT_EQ(queue.goodness(add(rt(SchedPolicy::kFifo, 7))), 1007);
    queue.charge(a, 60000000, 0);
    EXPECT_EQ(queue.goodness(a), 0);
}

TEST_F(ScanQueueTest, EpochEndsWhenNobodyHasTicksLeftAndSleepersGain) {
    ScanEntity& a = add(nice(0));
    ScanEntity& b = add(nice(0));
    ScanEntity& sleeper = add(nice(0));
    queue.dequeue(sleeper, DequeueReason::kSleep, 0);
    queue.charge(a, 60000000, 0);
    EXPECT_EQ(queue.pick(0).entity, &b);
    EXPECT_EQ(queue.epoch(), 0u);
    queue.charge(b, 60000000, 0);
    EXPECT_NE(queue.pick(0).entity, nullptr);
    EXPECT_EQ(queue.epoch(), 1u);
    EXPECT_EQ(queue.counter(a), 6u);
    EXPECT_EQ(queue.counter(sleeper), 9u) << "6 / 2 + 6";
    for (int epoch = 0; epoch < 20; ++epoch) {
        queue.charge(a, 600000000, 0);
        queue.charge(b, 600000000, 0);
        queue.pick(0);
    }
    EXPECT_EQ(queue.counter(sleeper), 11u) << "never twice the quantum";
}

TEST_F(ScanQueueTest, RealTimeFirstAndRoundRobinTakesTurns) {
    add(nice(-20));
    ScanEntity& one = add(rt(SchedPolicy::kRr, 5));
    ScanEntity& two = add(rt(SchedPolicy::kRr, 5));
    EXPECT_EQ(queue.pick(0).entity, &two) << "added at the front";
    queue.charge(two, 60000000, 0);
    EXPECT_EQ(queue.pick(0).entity, &one) << "its quantum is used: to the end, with a new one";
    EXPECT_EQ(queue.counter(two), 6u);
}

TEST_F(ScanQueueTest, TwoSchedOthersShareByTheirQuanta) {
    ScanEntity& a = add(nice(0));    // 6 ticks an epoch
    ScanEntity& b = add(nice(-20));  // 11
    u64 ran[2] = {};
    for (int tick = 0; tick < 17000; ++tick) {
        ScanEntity* next = queue.pick(0).entity;
        ASSERT_NE(next, nullptr);
        queue.set_next(*next);
        queue.charge(*next, ScanQueue::kTickNs, 0);
        ++ran[next == &b ? 1 : 0];
    }
    EXPECT_NEAR(static_cast<double>(ran[1]) / ran[0], 11.0 / 6.0, 0.01);
    EXPECT_GT(a.epoch + b.epoch, 1000u);
}

TEST_F(ScanQueueTest, TheScanGivesUpAtItsLimit) {
    for (u32 i = 0; i < ScanQueue::kScanLimit; ++i) {
        add(nice(0));
    }
    EXPECT_TRUE(queue.pick(0).known);
    ScanEntity& last = add(nice(0));
    EXPECT_FALSE(queue.pick(0).known);
    queue.dequeue(last, DequeueReason::kSleep, 0);
    EXPECT_TRUE(queue.pick(0).known);
}

TEST_F(ScanQueueTest, ForkSharesTheCounter) {
    ScanEntity& parent = add(nice(0));
    ScanEntity child;
    queue.setup(child, nice(0));
    parent.counter = 5;
    ScanQueue::fork(parent, child);
    EXPECT_EQ(parent.counter, 2u);
    EXPECT_EQ(child.counter, 3u);
}

}  // namespace
}  // namespace ktwin
