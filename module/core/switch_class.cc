// SPDX-License-Identifier: GPL-2.0-only
#include "core/switch_class.h"

#include "base/enforce.h"  // last

namespace ktwin {

// A kernel thread that uses a user's mm switches as a user does: the page tables do not know whose thread it is.
// So PF_KTHREAD decides only where both are in one address space, and never makes a thread of the process.
SwitchClass classify_switch(const SwitchTask& prev, const SwitchTask& next) {
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

LeaveReason classify_leave(const SwitchEvent& event) {
    if (event.preempt) {
        return LeaveReason::kPreempted;
    }
    return event.prev_state != 0 ? LeaveReason::kBlocked : LeaveReason::kVoluntary;
}

}  // namespace ktwin
