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
inline constexpr u32 kSwitchClasses = 7;

enum class LeaveReason : u8 {
    kBlocked,  // it said it would sleep, and called schedule(): ru_nvcsw counts these, even those that a signal kept
               // from sleeping
    kVoluntary,  // called schedule() while runnable: sched_yield(), cond_resched(), the way back to user mode
    kPreempted,  // was in the kernel when the scheduler took the CPU; with kVoluntary what ru_nivcsw counts
};
inline constexpr u32 kLeaveReasons = 3;

// A task at the instant of a switch, before the switch has changed anything: the previous one still has the active_mm it
// ran with. An exiting task that has given its address space up has mm 0, as a kernel thread.
struct SwitchTask {
    kt_key mm = 0;  // 0: none of its own
    kt_key active_mm = 0;
    i32 tgid = 0;
    bool kernel_thread = false;  // PF_KTHREAD: even with an mm (kthread_use_mm), not a user's
};

struct SwitchEvent {
    SwitchTask prev;
    SwitchTask next;
    u32 prev_state = 0;  // TASK_*; 0: runnable
    bool preempt = false;
};

// Has the address space changed? The page tables are loaded anew for these.
constexpr bool loads_page_tables(SwitchClass what) {
    return what == SwitchClass::kProcess || what == SwitchClass::kMmSwitch;
}

SwitchClass classify_switch(const SwitchTask& prev, const SwitchTask& next);
LeaveReason classify_leave(const SwitchEvent& event);

}  // namespace ktwin

#endif
