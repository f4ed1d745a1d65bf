// SPDX-License-Identifier: GPL-2.0-only
//
// Every class of a context switch, as a table.
#include <gtest/gtest.h>

#include "core/switch_class.h"
#include "core/switch_counts.h"

namespace ktwin {
namespace {

constexpr kt_key kA = 0x1000;
constexpr kt_key kB = 0x2000;

// mm, active_mm, tgid, PF_KTHREAD
constexpr SwitchTask kUserA = {kA, kA, 10, false};
constexpr SwitchTask kThreadOfA = {kA, kA, 10, false};
constexpr SwitchTask kVforkOfA = {kA, kA, 11, false};
constexpr SwitchTask kUserB = {kB, kB, 20, false};
constexpr SwitchTask kKernelLazyA = {0, kA, 2, true};
constexpr SwitchTask kKernelLazyB = {0, kB, 3, true};
constexpr SwitchTask kKernel = {0, 0, 4, true};
constexpr SwitchTask kIdle = {0, 0, 0, true};
constexpr SwitchTask kIdleLazyA = {0, kA, 0, true};
constexpr SwitchTask kExitingLazyA = {0, kA, 10, false};    // after exit_mm()
constexpr SwitchTask kBorrowingKernel = {kA, kA, 5, true};  // kthread_use_mm()

struct Row {
    const char* name;
    SwitchTask prev;
    SwitchTask next;
    SwitchClass what;
    bool loads;
};

constexpr Row kRows[] = {
    {"another process", kUserA, kUserB, SwitchClass::kProcess, true},
    {"a thread", kUserA, kThreadOfA, SwitchClass::kThread, false},
    {"vfork child", kUserA, kVforkOfA, SwitchClass::kSharedVm, false},
    {"vfork parent", kVforkOfA, kUserA, SwitchClass::kSharedVm, false},
    {"to a kernel thread", kUserA, kKernel, SwitchClass::kLazyEntry, false},
    {"to idle", kUserA, kIdle, SwitchClass::kLazyEntry, false},
    {"to an exiting task", kUserB, kExitingLazyA, SwitchClass::kLazyEntry, false},
    {"kernel to kernel", kKernelLazyA, kKernel, SwitchClass::kKernelToKernel, false},
    {"idle to kernel", kIdleLazyA, kKernel, SwitchClass::kKernelToKernel, false},
    {"exiting to idle", kExitingLazyA, kIdle, SwitchClass::kKernelToKernel, false},
    {"back to the same", kKernelLazyA, kUserA, SwitchClass::kLazyHit, false},
    {"idle back to the same", kIdleLazyA, kThreadOfA, SwitchClass::kLazyHit, false},
    {"back to another", kKernelLazyB, kUserA, SwitchClass::kMmSwitch, true},
    {"exiting to another", kExitingLazyA, kUserB, SwitchClass::kMmSwitch, true},
    {"from one that borrowed nothing", kIdle, kUserA, SwitchClass::kMmSwitch, true},
    {"to a kernel thread that uses this mm", kUserA, kBorrowingKernel, SwitchClass::kSharedVm, false},
    {"to a kernel thread that uses another mm", kUserB, kBorrowingKernel, SwitchClass::kProcess, true},
    {"from a kernel thread that uses this mm", kBorrowingKernel, kUserA, SwitchClass::kSharedVm, false},
    {"from it to the kernel", kBorrowingKernel, kKernel, SwitchClass::kLazyEntry, false},
};

TEST(SwitchClass, Table) {
    u32 seen = 0;
    for (const Row& row : kRows) {
        EXPECT_EQ(classify_switch(row.prev, row.next), row.what) << row.name;
        EXPECT_EQ(loads_page_tables(row.what), row.loads) << row.name;
        seen |= 1U << static_cast<u32>(row.what);
    }
    EXPECT_EQ(seen, (1U << kSwitchClasses) - 1) << "every class has a row";
}

TEST(SwitchClass, HowItLeft) {
    SwitchEvent event = {};
    event.how = KT_SWITCH_SLEEPS;
    EXPECT_EQ(classify_leave(event), LeaveReason::kBlocked);
    event.how |= KT_SWITCH_PREEMPTED;
    EXPECT_EQ(classify_leave(event), LeaveReason::kPreempted)
        << "preempted between set_current_state() and schedule(): it is still queued";
    event.how = KT_SWITCH_PREEMPTED;
    EXPECT_EQ(classify_leave(event), LeaveReason::kPreempted);
    event.how = 0;
    EXPECT_EQ(classify_leave(event), LeaveReason::kVoluntary);
}

TEST(SwitchCounts, EverySwitchOnceInEach) {
    SwitchCounts counts;
    for (const Row& row : kRows) {
        counts.add(what_of({row.prev, row.next, KT_SWITCH_PREEMPTED}));
    }
    u64 classes = 0;
    for (u32 i = 0; i < kSwitchClasses; ++i) {
        classes += counts.of(static_cast<SwitchClass>(i));
    }
    EXPECT_EQ(counts.total(), std::size(kRows));
    EXPECT_EQ(classes, std::size(kRows));
    EXPECT_EQ(counts.of(LeaveReason::kPreempted), std::size(kRows));
    EXPECT_EQ(counts.of(SwitchClass::kThread), 1u);
}

}  // namespace
}  // namespace ktwin
