// SPDX-License-Identifier: GPL-2.0-only
//
// The core's wait queue as the kernel side is given it, to be measured: each call reaches the one it is named after.
#include <gtest/gtest.h>

#include "boundary/core_api.h"
#include "fake_host.h"
#include "fake_task.h"

namespace {

class WaitqBoundary : public testing::Test {
  protected:
    void SetUp() override {
        FakeHost::get().reset();
        queue_ = kt_core_waitq_create();
        ASSERT_NE(nullptr, queue_);
    }
    void TearDown() override {
        FakeTask::become(nullptr);
        kt_core_waitq_destroy(queue_);
        EXPECT_EQ(0, FakeHost::get().live_allocations());
    }
    void init(FakeTask& task, kt_waitq_entry& entry, bool autoremove) {
        FakeTask::become(&task);
        kt_core_waitq_entry_init(&entry, autoremove);
    }

    kt_waitq* queue_ = nullptr;
    FakeTask tasks_[3];
    kt_waitq_entry entries_[3];
};

TEST_F(WaitqBoundary, AutoremoveLeavesWhenWoken) {
    for (int i = 0; i < 3; ++i) {
        init(tasks_[i], entries_[i], true);
        kt_core_waitq_prepare(queue_, &entries_[i], KT_WAIT_EXCLUSIVE, KT_TASK_INTERRUPTIBLE);
    }
    EXPECT_EQ(1U, kt_core_waitq_wake(queue_, 1));
    EXPECT_FALSE(tasks_[0].asleep());
    EXPECT_EQ(2U, kt_core_waitq_wake(queue_, 0));
    for (int i = 0; i < 3; ++i) {
        FakeTask::become(&tasks_[i]);
        kt_core_waitq_finish(queue_, &entries_[i]);
    }
}

TEST_F(WaitqBoundary, OthersStay) {
    const uint32_t kinds[] = {KT_WAIT_EXCLUSIVE, KT_WAIT_SHARED, KT_WAIT_PRIORITY};
    for (int i = 0; i < 3; ++i) {
        init(tasks_[i], entries_[i], false);
        kt_core_waitq_add(queue_, &entries_[i], kinds[i]);
        kt_core_waitq_set_current_state(&entries_[i], KT_TASK_UNINTERRUPTIBLE);
    }
    // The priority one, which is exclusive, first.
    EXPECT_EQ(1U, kt_core_waitq_wake(queue_, 1));
    EXPECT_FALSE(tasks_[2].asleep());
    EXPECT_EQ(2U, kt_core_waitq_wake(queue_, 0));
    EXPECT_EQ(0U, kt_core_waitq_wake(queue_, 0));
    for (int i = 0; i < 3; ++i) {
        FakeTask::become(&tasks_[i]);
        kt_core_waitq_remove(queue_, &entries_[i]);
    }
}

TEST_F(WaitqBoundary, NoMemory) {
    FakeHost::get().fail_allocation(1);
    EXPECT_EQ(nullptr, kt_core_waitq_create());
    FakeHost::get().no_failures();
    kt_core_waitq_destroy(nullptr);
    EXPECT_NE(nullptr, kt_core_waitq_lock(queue_));
}

}  // namespace
