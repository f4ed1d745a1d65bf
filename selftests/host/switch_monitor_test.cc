// SPDX-License-Identifier: GPL-2.0-only
//
// What is kept of context switches: per CPU, per task, and only what was asked for.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "core/switch_monitor.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr SwitchTask kUser = {0x1000, 0x1000, 10, false};
constexpr SwitchTask kKernel = {0, 0x1000, 2, true};
constexpr SwitchEvent kBlocks = {kUser, kKernel, KT_SWITCH_SLEEPS};
constexpr SwitchEvent kReturns = {kKernel, kUser, 0};
constexpr u32 kAll = KTWIN_SWITCHES_TASKS | KTWIN_SWITCHES_WAITS | KTWIN_SWITCHES_TWIN;

class SwitchMonitorTest : public testing::Test {
  protected:
    void SetUp() override { FakeHost::get().reset(); }
    void TearDown() override {
        if (monitor) {
            monitor->teardown();
        }
        monitor.reset();
        FakeHost::get().reset();
    }
    void open(u32 flags, u32 cpus = 3) {
        monitor = std::make_unique<SwitchMonitor>(flags, cpus, cpus);
        ASSERT_TRUE(monitor->setup());
    }
    std::map<kt_key, kt_task_switches> tasks() {
        std::map<kt_key, kt_task_switches> found;
        std::vector<kt_task_switches> records(7);
        u64 cursor = 0;
        for (u32 filled = 7; filled == 7;) {
            filled = monitor->read_tasks(cursor, {records.data(), 7}).value();
            for (u32 i = 0; i < filled; ++i) {
                EXPECT_TRUE(found.emplace(records[i].key, records[i]).second);
            }
        }
        return found;
    }
    ktwin_switch_cpu cpu(u64 index) {
        ktwin_switch_cpu record = {};
        EXPECT_EQ(monitor->read_cpus(index, {&record, 1}), 1U);
        return record;
    }

    std::unique_ptr<SwitchMonitor> monitor;
};

TEST_F(SwitchMonitorTest, EachCpuItsOwn) {
    open(0);
    EXPECT_EQ(monitor->add(1, kBlocks), KTWIN_SWITCH_LAZY_ENTRY | KTWIN_LEAVE_BLOCKED << 3);
    EXPECT_EQ(monitor->add(1, kReturns), KTWIN_SWITCH_LAZY_HIT | KTWIN_LEAVE_VOLUNTARY << 3);
    std::vector<ktwin_switch_cpu> records(8);
    u64 cursor = 0;
    ASSERT_EQ(monitor->read_cpus(cursor, {records.data(), 8}), 3U);
    EXPECT_EQ(cursor, 3U);
    for (u32 i = 0; i < 3; ++i) {
        EXPECT_EQ(records[i].cpu, i);
        EXPECT_EQ(records[i].classes[KTWIN_SWITCH_LAZY_ENTRY], i == 1);
        EXPECT_EQ(records[i].leaves[KTWIN_LEAVE_BLOCKED], i == 1);
    }
    cursor = ~u64{0};
    EXPECT_EQ(monitor->read_cpus(cursor, {records.data(), 8}), 0U);
}

TEST_F(SwitchMonitorTest, WhatWasNotAskedForIsNotThere) {
    open(0);
    u64 cursor = 0;
    EXPECT_EQ(monitor->read_tasks(cursor, {}).error(), Errno::kNoData);
    EXPECT_EQ(monitor->read_waits(cursor, {}).error(), Errno::kNoData);
    EXPECT_EQ(monitor->read_twins(cursor, {}).error(), Errno::kNoData);
    EXPECT_EQ(monitor->read_ns_waits(cursor, {}).error(), Errno::kNoData);
    EXPECT_EQ(monitor->audit(), nullptr);
}

TEST_F(SwitchMonitorTest, TasksComeAndGo) {
    open(KTWIN_SWITCHES_TASKS);
    for (u32 i = 0; i < 5; ++i) {
        monitor->add_task(i % 3, what_of(kBlocks), 0x40, 7, false);
    }
    monitor->add_task(0, what_of(kBlocks), 0x80, 8, false);
    monitor->add_task(0, what_of(kReturns), 0, 0, false);
    ASSERT_EQ(tasks().size(), 2U);
    EXPECT_EQ(tasks()[0x40].counts.leaves[KTWIN_LEAVE_BLOCKED], 5U);
    EXPECT_EQ(tasks()[0x40].nr, 7);
    EXPECT_EQ(cpu(0).idle, 1U);
    // exec() from another thread: the number of the leader.
    monitor->add_task(0, what_of(kBlocks), 0x40, 6, false);
    EXPECT_EQ(tasks()[0x40].nr, 6);
    monitor->add_task(2, what_of(kBlocks), 0x40, 6, true);
    EXPECT_EQ(tasks().size(), 1U);
    EXPECT_EQ(cpu(2).ended, 7U);
    monitor->add_task(1, what_of(kBlocks), 0x40, 9, false);
    EXPECT_EQ(tasks()[0x40].counts.leaves[KTWIN_LEAVE_BLOCKED], 1U) << "another task at its address";
    monitor->add_task(1, what_of(kBlocks), 0xc0, 9, true);
    EXPECT_EQ(cpu(1).ended, 1U) << "one that was not seen before";
}

TEST_F(SwitchMonitorTest, MoreTasksThanRoom) {
    open(KTWIN_SWITCHES_TASKS);
    constexpr u32 kMany = TaskSwitches::kSlots * 2;
    for (u32 i = 1; i <= kMany; ++i) {
        monitor->add_task(0, what_of(kBlocks), i * 64, static_cast<i32>(i), false);
    }
    const u64 listed = tasks().size();
    EXPECT_GT(listed, TaskSwitches::kSlots * 9 / 10);
    EXPECT_EQ(listed + cpu(0).unlisted, kMany);
    for (u32 i = 1; i <= kMany; ++i) {
        monitor->add_task(0, what_of(kBlocks), i * 64, static_cast<i32>(i), true);
    }
    EXPECT_EQ(tasks().size(), 0U);
    EXPECT_EQ(cpu(0).ended, listed + kMany);
}

TEST_F(SwitchMonitorTest, Waits) {
    open(KTWIN_SWITCHES_WAITS, 2);
    monitor->add_wait(1, KTWIN_SCHED_FAIR, 7, 1000);
    monitor->add_wait(1, KTWIN_SCHED_FAIR, 7, 0);
    monitor->add_wait(1, KTWIN_SCHED_IDLE, 7, 1000);
    monitor->add_wait(2, KTWIN_SCHED_FAIR, 7, 1000);
    std::vector<ktwin_switch_waits> records(16);
    u64 cursor = 0;
    ASSERT_EQ(monitor->read_waits(cursor, {records.data(), 16}).value(), 8U);
    for (const ktwin_switch_waits& record : records) {
        const bool here = record.cpu == 1 && record.sched_class == KTWIN_SCHED_FAIR;
        EXPECT_EQ(record.sum_ns, here ? 1000U : 0U);
        EXPECT_EQ(record.buckets[0], here);
        EXPECT_EQ(record.buckets[10], here);
    }
}

TEST_F(SwitchMonitorTest, WaitsByNamespace) {
    open(KTWIN_SWITCHES_WAITS, 2);
    for (u32 i = 0; i < NsWaits::kSlots + 5; ++i) {
        monitor->add_wait(i % 2, KTWIN_SCHED_FAIR, 100 + i, 1000);
    }
    monitor->add_wait(0, KTWIN_SCHED_RT, 100, 0);
    monitor->add_wait(0, KTWIN_SCHED_RT, 0, 3);
    std::vector<ktwin_ns_waits> records;
    u64 cursor = 0;
    for (u32 filled = 7; filled == 7;) {
        ktwin_ns_waits some[7];
        filled = monitor->read_ns_waits(cursor, {some, 7}).value();
        records.insert(records.end(), some, some + filled);
    }
    ASSERT_EQ(records.size(), NsWaits::kSlots + 1);
    EXPECT_EQ(records[0].ns, 100U);
    EXPECT_EQ(records[0].sum_ns, 1000U);
    EXPECT_EQ(records[0].buckets[0], 1U);
    EXPECT_EQ(records[0].buckets[10], 1U);
    EXPECT_EQ(records[63].ns, 163U);
    EXPECT_EQ(records[64].ns, 0U);
    EXPECT_EQ(records[64].buckets[10], 5U);
    EXPECT_EQ(records[64].buckets[2], 1U) << "one that has been released";
    cursor = ~u64{0};
    EXPECT_EQ(monitor->read_ns_waits(cursor, {records.data(), 8}).value(), 0U);
}

TEST_F(SwitchMonitorTest, Twins) {
    open(kAll, 2);
    SchedTask task;
    task.key = 0x40;
    SchedSwitch to_idle;
    monitor->twin().switched(1, to_idle, 1000);
    monitor->twin().woken(1, task, 2000);
    SchedSwitch to_task;
    to_task.next = task;
    monitor->twin().switched(1, to_task, 3000);
    monitor->refill();
    std::vector<ktwin_rq_twin> twins(4);
    u64 cursor = 0;
    ASSERT_EQ(monitor->read_twins(cursor, {twins.data(), 4}).value(), 2U);
    EXPECT_EQ(twins[0].why, KTWIN_RQ_STARTING);
    EXPECT_EQ(twins[1].why, 0U);
    EXPECT_EQ(twins[1].queued, 1U);
    EXPECT_EQ(twins[1].tasks, 1U);
    for (u32 i = 0; i < KTWIN_GENERATIONS; ++i) {
        const ktwin_rq_agreement& fair = twins[1].agreement[i * KTWIN_SCHED_CLASSES + KTWIN_SCHED_FAIR];
        EXPECT_EQ(fair.picks, 1U);
        EXPECT_EQ(fair.agreed, 1U);
    }
}

TEST_F(SwitchMonitorTest, EveryAllocationMayFail) {
    for (int nth = 1;; ++nth) {
        FakeHost::get().reset();
        FakeHost::get().fail_allocation(nth);
        SwitchMonitor failing(kAll, 2, 2);
        const Result made = failing.setup();
        const bool hit = FakeHost::get().failure_hit();
        FakeHost::get().no_failures();
        // A pool that is not quite full is no error.
        EXPECT_TRUE(made || hit);
        failing.teardown();
        EXPECT_EQ(FakeHost::get().live_allocations(), 0) << "nth " << nth;
        if (!hit) {
            EXPECT_GT(nth, 8);
            break;
        }
    }
}

}  // namespace
}  // namespace ktwin
