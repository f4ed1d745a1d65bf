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

// At the instant of a switch, before it has changed anything.
struct SwitchTask {
    kt_key mm = 0;         // 0: none of its own
    kt_key active_mm = 0;  // of the previous one
    i32 tgid = 0;
    bool kernel_thread = false;  // even with an mm (kthread_use_mm), not a user's
};

struct SwitchEvent {
    SwitchTask prev;
    SwitchTask next;
    u32 how = 0;  // KT_SWITCH_PREEMPTED, KT_SWITCH_SLEEPS
};

// Has the address space changed? The page tables are loaded anew for these.
constexpr bool loads_page_tables(SwitchClass what) {
    return what == SwitchClass::kProcess || what == SwitchClass::kMmSwitch;
}

constexpr u8 bits_of(LeaveReason why) {
    return static_cast<u8>(static_cast<u32>(why) << 3);
}

// By how it came. Preempted is preempted, whatever it was about to do. A table of what what_of() needs: each switch of the
// system comes through here.
inline constexpr u8 kLeaveBits[] = {bits_of(LeaveReason::kVoluntary), bits_of(LeaveReason::kPreempted),
                                    bits_of(LeaveReason::kBlocked), bits_of(LeaveReason::kPreempted)};
static_assert(KT_SWITCH_PREEMPTED == 1 && KT_SWITCH_SLEEPS == 2);

// A kernel thread that uses a user's mm switches as a user does: the page tables do not know whose thread it is.
// So PF_KTHREAD decides only where both are in one address space, and never makes a thread of the process.
constexpr SwitchClass classify_switch(const SwitchTask& prev, const SwitchTask& next) {
    if (next.mm == 0) {
        return prev.mm != 0 ? SwitchClass::kLazyEntry : SwitchClass::kKernelToKernel;
    }
    if (prev.mm == 0) {
        return prev.active_mm == next.mm ? SwitchClass::kLazyHit : SwitchClass::kMmSwitch;
    }
    if (prev.mm != next.mm) {
        return SwitchClass::kProcess;
    }
    const bool one_process = prev.tgid == next.tgid && !prev.kernel_thread && !next.kernel_thread;
    return one_process ? SwitchClass::kThread : SwitchClass::kSharedVm;
}

constexpr u32 leave_bits(const SwitchEvent& event) {
    return kLeaveBits[event.how & (KT_SWITCH_PREEMPTED | KT_SWITCH_SLEEPS)];
}

constexpr LeaveReason classify_leave(const SwitchEvent& event) {
    return static_cast<LeaveReason>(leave_bits(event) >> 3);
}

// Both in one number, below KT_SWITCH_KINDS.
constexpr u32 what_of(const SwitchEvent& event) {
    return static_cast<u32>(classify_switch(event.prev, event.next)) | leave_bits(event);
}
static_assert(kSwitchClasses <= 8);

}  // namespace ktwin

#endif
