// SPDX-License-Identifier: GPL-2.0-only
//
// What a context switch was: what happened to the address space, and how the previous task came to leave the CPU.
// Follows context_switch() and __schedule() of kernel/sched/core.c, 6.1 and 6.12. Pure: no state, no lock, any context.
#ifndef KTWIN_CORE_SWITCH_CLASS_H
#define KTWIN_CORE_SWITCH_CLASS_H

#include "boundary/types.h"
#include "core/limits.h"

namespace ktwin {

enum class SwitchClass : u8 {
    kProcess,         // user to user, another address space
    kThread,          // user to user, the same process
    kSharedVm,        // user to user, another process in the same address space: vfork(), CLONE_VM
    kKernelToKernel,  // neither has an address space
    kLazyEntry,       // user to kernel: it borrows the address space it finds, the page tables stay
    kLazyHit,         // kernel to user, and what was borrowed is what is wanted: the page tables stay
    kMmSwitch,        // kernel to user, another address space than was borrowed
};
inline constexpr u32 kSwitchClasses = KTWIN_SWITCH_CLASSES;
static_assert(static_cast<u32>(SwitchClass::kMmSwitch) == KTWIN_SWITCH_MM);

enum class LeaveReason : u8 {
    kBlocked,  // it said it would sleep, and called schedule(): ru_nvcsw counts these, even those that a signal kept
               // from sleeping
    kVoluntary,  // called schedule() while runnable: sched_yield(), cond_resched(), the way back to user mode
    kPreempted,  // was in the kernel when the scheduler took the CPU; with kVoluntary what ru_nivcsw counts
};
inline constexpr u32 kLeaveReasons = KTWIN_LEAVES;
static_assert(static_cast<u32>(LeaveReason::kPreempted) == KTWIN_LEAVE_PREEMPTED);

using SwitchTask = kt_switch_task;
using SwitchEvent = kt_switch;

// Has the address space changed? The page tables are loaded anew for these.
constexpr bool loads_page_tables(SwitchClass what) {
    return what == SwitchClass::kProcess || what == SwitchClass::kMmSwitch;
}

SwitchClass classify_switch(const SwitchTask& prev, const SwitchTask& next);
LeaveReason classify_leave(const SwitchEvent& event);

}  // namespace ktwin

#endif
