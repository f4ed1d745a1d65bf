// SPDX-License-Identifier: GPL-2.0-only
//
// The classes above fair: real-time by priority, deadline by deadline.
#include "core/rt_queue.h"
#include "core/deadline_queue.h"
#include "queue_fixture.h"

namespace ktwin {
namespace {

struct RtQueueTest : QueueTest<RtQueue> {
    RtEntity& add(SchedPolicy policy, u32 priority) {
        return QueueTest::add(rt(policy, priority), EnqueueReason::kWakeup);
    }
    void change(RtEntity& entity, u32 priority) {
        queue.dequeue(entity, DequeueReason::kSave, 0);
        queue.set_params(entity, rt(SchedPolicy::kFifo, priority));
        queue.enqueue(entity, EnqueueReason::kRestore, 0);
    }
};

TEST_F(RtQueueTest, ByPriorityThenByArrival) {
    EXPECT_EQ(queue.pick(0).entity, nullptr);
    RtEntity& low = add(SchedPolicy::kFifo, 1);
    RtEntity& high = add(SchedPolicy::kFifo, 99);
    RtEntity& high2 = add(SchedPolicy::kFifo, 99);
    EXPECT_EQ(queue.pick(0).entity, &high);
    queue.dequeue(high, DequeueReason::kSleep, 0);
    EXPECT_EQ(queue.pick(0).entity, &high2);
    queue.dequeue(high2, DequeueReason::kSleep, 0);
    EXPECT_EQ(queue.pick(0).entity, &low);
    queue.dequeue(low, DequeueReason::kSleep, 0);
    EXPECT_EQ(queue.pick(0).entity, nullptr);
    EXPECT_EQ(queue.nr_queued(), 0u);
}

TEST_F(RtQueueTest, RoundRobinAfterItsSliceFifoNever) {
    RtEntity& a = add(SchedPolicy::kRr, 50);
    RtEntity& b = add(SchedPolicy::kRr, 50);
    queue.charge(a, 99000000, 0);
    EXPECT_EQ(queue.pick(0).entity, &a);
    queue.charge(a, 1000000, 0);
    EXPECT_EQ(queue.pick(0).entity, &b);
    RtEntity& fifo = add(SchedPolicy::kFifo, 60);
    add(SchedPolicy::kFifo, 60);
    queue.charge(fifo, 5000000000, 0);
    EXPECT_EQ(queue.pick(0).entity, &fifo);
}

TEST_F(RtQueueTest, TheKernelsTicksAreTheClockWhereTheyAreTold) {
    RtEntity& a = add(SchedPolicy::kRr, 50);
    RtEntity& b = add(SchedPolicy::kRr, 50);
    queue.count_ticks(a, 25);
    queue.charge(a, 900000000, 0);
    queue.count_ticks(a, 1);
    EXPECT_EQ(queue.pick(0).entity, &a) << "ticks were late";
    queue.count_ticks(a, 25);
    EXPECT_EQ(queue.pick(0).entity, &b);
    RtEntity& fifo = add(SchedPolicy::kFifo, 60);
    add(SchedPolicy::kFifo, 60);
    queue.count_ticks(fifo, 3);
    queue.count_ticks(fifo, 25);
    EXPECT_EQ(queue.pick(0).entity, &fifo);
}

TEST_F(RtQueueTest, WhoFallsComesFirstWhoRisesLast) {
    RtEntity& a = add(SchedPolicy::kFifo, 50);
    RtEntity& b = add(SchedPolicy::kFifo, 60);
    change(b, 50);
    EXPECT_EQ(queue.pick(0).entity, &b);
    RtEntity& c = add(SchedPolicy::kFifo, 40);
    change(c, 50);
    queue.dequeue(b, DequeueReason::kSleep, 0);
    EXPECT_EQ(queue.pick(0).entity, &a);
}

TEST(DeadlineQueue, EarliestFirst) {
    DeadlineQueue queue;
    DeadlineEntity entities[3];
    const u64 deadlines[] = {300, 100, 200};
    for (u32 i = 0; i < 3; ++i) {
        SchedParams params;
        params.deadline = deadlines[i];
        queue.setup(entities[i], params);
        queue.enqueue(entities[i], EnqueueReason::kWakeup, 0);
    }
    EXPECT_EQ(queue.pick(0).entity, &entities[1]);
    queue.dequeue(entities[1], DequeueReason::kSleep, 0);
    EXPECT_EQ(queue.pick(0).entity, &entities[2]);
    EXPECT_EQ(queue.nr_queued(), 2u);
}

}  // namespace
}  // namespace ktwin
