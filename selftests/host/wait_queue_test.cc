// SPDX-License-Identifier: GPL-2.0-only
//
// Wait queues one case at a time: who is woken, by which states, and the lost wake-up of sleep_on().
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "core/wait_event.h"
#include "fake_host.h"
#include "fake_task.h"

namespace {

using namespace ktwin;

class WaitQueue : public testing::Test {
  protected:
    void SetUp() override { FakeHost::get().reset(); }
    void TearDown() override { FakeTask::become(nullptr); }

    void sleep(FakeTask& task, WaitQueueEntry& entry, WaitKind kind, uint32_t state) {
        FakeTask::become(&task);
        head_.prepare(entry, kind, state);
    }

    WaitQueueHead head_{KT_LOCK_QUEUE};
};

// Before the first instruction runs.
constinit WaitQueueHead static_head{SpinLock::Static{}};
constinit WaitQueueEntry static_entry(0, default_wake_function, true);

TEST_F(WaitQueue, Static) {
    EXPECT_FALSE(static_head.waitqueue_active());
    static_head.init(KT_LOCK_QUEUE);
    EXPECT_EQ(0U, static_head.wake_up_all());
    static_head.add_wait_queue(static_entry);
    EXPECT_EQ(1U, static_head.waiting());
    EXPECT_FALSE(static_entry.is_claimed());
    static_head.remove_wait_queue(static_entry);
    EXPECT_FALSE(static_head.waitqueue_active());
}

TEST_F(WaitQueue, Empty) {
    EXPECT_FALSE(head_.waitqueue_active());
    EXPECT_EQ(0U, head_.wake_up_all());
}

TEST_F(WaitQueue, SharedThenAsManyExclusiveAsAsked) {
    std::array<FakeTask, 7> tasks;
    std::vector<std::unique_ptr<WaitQueueEntry>> entries;
    for (size_t i = 0; i < tasks.size(); ++i) {
        entries.push_back(std::make_unique<WaitQueueEntry>(tasks[i].key(), default_wake_function, true));
        sleep(tasks[i], *entries[i], i % 2 != 0 ? WaitKind::kExclusive : WaitKind::kShared,
              KT_TASK_INTERRUPTIBLE);
    }
    EXPECT_EQ(6U, head_.wake_up(2));
    EXPECT_FALSE(tasks[0].asleep() || tasks[1].asleep() || tasks[2].asleep() || tasks[3].asleep());
    EXPECT_TRUE(tasks[5].asleep());
    EXPECT_EQ(1U, head_.wake_up_all());
    EXPECT_FALSE(head_.waitqueue_active());
}

// An exclusive sleeper that another thing woke first is not one of those asked for.
TEST_F(WaitQueue, OnlyRealWakesCount) {
    std::array<FakeTask, 3> tasks;
    WaitQueueEntry first(tasks[0].key(), default_wake_function, true);
    WaitQueueEntry second(tasks[1].key(), default_wake_function, true);
    WaitQueueEntry third(tasks[2].key(), default_wake_function, true);
    sleep(tasks[0], first, WaitKind::kExclusive, KT_TASK_INTERRUPTIBLE);
    sleep(tasks[1], second, WaitKind::kExclusive, KT_TASK_UNINTERRUPTIBLE);
    sleep(tasks[2], third, WaitKind::kExclusive, KT_TASK_INTERRUPTIBLE);
    tasks[0].stir();
    EXPECT_EQ(1U, head_.wake_up_interruptible());
    EXPECT_TRUE(tasks[1].asleep());
    EXPECT_FALSE(tasks[2].asleep());
    EXPECT_EQ(1U, head_.wake_up_sync());
    EXPECT_FALSE(tasks[1].asleep());
    FakeTask::become(&tasks[0]);
    head_.finish_wait(first);
    EXPECT_FALSE(head_.waitqueue_active());
}

// A priority entry comes first and is one of the exclusive ones: with wake_up(1) nobody else is woken.
TEST_F(WaitQueue, PriorityFirst) {
    std::array<FakeTask, 2> tasks;
    WaitQueueEntry shared(tasks[0].key(), default_wake_function, true);
    WaitQueueEntry priority(tasks[1].key(), default_wake_function, true);
    sleep(tasks[0], shared, WaitKind::kShared, KT_TASK_INTERRUPTIBLE);
    sleep(tasks[1], priority, WaitKind::kPriority, KT_TASK_INTERRUPTIBLE);
    EXPECT_EQ(1U, head_.wake_up());
    EXPECT_TRUE(tasks[0].asleep());
    EXPECT_EQ(1U, head_.wake_up());
    EXPECT_FALSE(tasks[0].asleep());
}

TEST_F(WaitQueue, StatesAndSignals) {
    struct Case {
        uint32_t state;
        FakeTask::Signal signal;
        bool ends;
    };
    const Case cases[] = {
        {KT_TASK_INTERRUPTIBLE, FakeTask::kOrdinary, true},
        {KT_TASK_INTERRUPTIBLE, FakeTask::kFatal, true},
        {KT_TASK_KILLABLE, FakeTask::kOrdinary, false},
        {KT_TASK_KILLABLE, FakeTask::kFatal, true},
        {KT_TASK_UNINTERRUPTIBLE, FakeTask::kOrdinary, false},
        {KT_TASK_UNINTERRUPTIBLE, FakeTask::kFatal, false},
    };
    for (const Case& one : cases) {
        FakeTask task;
        FakeTask::become(&task);
        task.send(one.signal);
        bool condition = false;
        const u64 deadline = deadline_in(2000);
        const Result result =
            wait_event_until(head_, WaitKind::kExclusive, one.state, deadline, [&] { return condition; });
        EXPECT_EQ(one.ends ? Errno::kInterrupted : Errno::kTimedOut, result.error());
        EXPECT_FALSE(head_.waitqueue_active());
        // What was waited for counts more than the signal.
        condition = true;
        EXPECT_TRUE(
            wait_event_until(head_, WaitKind::kExclusive, one.state, deadline, [&] { return condition; }));
    }
}

TEST_F(WaitQueue, FamilyByName) {
    bool yes = true;
    const auto condition = [&] { return yes; };
    wait_event(head_, condition);
    wait_event_exclusive(head_, condition);
    EXPECT_TRUE(wait_event_interruptible(head_, condition));
    EXPECT_TRUE(wait_event_interruptible_exclusive(head_, condition));
    EXPECT_TRUE(wait_event_killable(head_, condition));
    EXPECT_TRUE(wait_event_killable_exclusive(head_, condition));
    yes = false;
    EXPECT_EQ(Errno::kTimedOut, wait_event_timeout(head_, condition, 1000).error());
    EXPECT_EQ(Errno::kTimedOut, wait_event_interruptible_timeout(head_, condition, 1000).error());
    EXPECT_EQ(Errno::kTimedOut, wait_event_killable_timeout(head_, condition, 1000).error());
}

// The window between the check and the queueing, opened on purpose: sleep_on() sleeps through, prepare_to_wait()
// does not.
TEST_F(WaitQueue, SleepOnLosesTheWake) {
    std::atomic<bool> condition{false};
    const auto window = [&] {
        condition = true;
        head_.wake_up();
    };
    bool lost = false;
    if (!condition) {
        window();
        lost = !sleep_on_timeout(head_, 5000);
    }
    EXPECT_TRUE(lost);
    condition = false;
    WaitQueueEntry entry;
    bool slept = false;
    head_.prepare_to_wait(entry, KT_TASK_UNINTERRUPTIBLE);
    window();
    if (!condition) {
        slept = true;
        kt_host_schedule(deadline_in(5000));
    }
    head_.finish_wait(entry);
    EXPECT_FALSE(slept);
}

TEST_F(WaitQueue, SleepOnFamilyIsWokenWhenQueued) {
    for (const bool interruptible : {false, true}) {
        std::thread sleeper([&] { interruptible ? interruptible_sleep_on(head_) : sleep_on(head_); });
        while (head_.wake_up_all() == 0) {
            std::this_thread::yield();
        }
        sleeper.join();
        EXPECT_FALSE(head_.waitqueue_active());
    }
    EXPECT_FALSE(interruptible_sleep_on_timeout(head_, 1000));
}

}  // namespace
