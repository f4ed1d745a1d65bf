// SPDX-License-Identifier: GPL-2.0-only
//
// Why a task comes to a run queue, or leaves it: the flags ENQUEUE_* and DEQUEUE_* of kernel/sched/sched.h.
#ifndef KTWIN_CORE_SCHED_REASON_H
#define KTWIN_CORE_SCHED_REASON_H

#include "base/types.h"

namespace ktwin {

enum class EnqueueReason : u8 {
    kWakeup,       // it slept, and was on this CPU before
    kWakeupMoved,  // it slept, was on another CPU before, and that one was told by forget_sleeper()
    kInitial,      // it has never run
    kMove,         // runnable, from another CPU
    kRestore,      // the counterpart of kSave
};

enum class DequeueReason : u8 {
    kSleep,
    kSpecial,  // for good, or into a state that suffers no wakeup too many: stopped, traced, parked, dead
    kMove,     // runnable, to another CPU
    kSave,     // to have its parameters changed
};

}  // namespace ktwin

#endif
