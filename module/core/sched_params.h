// SPDX-License-Identifier: GPL-2.0-only
//
// What a task asks of the scheduler. Names and values are the kernel's: include/uapi/linux/sched.h and
// include/linux/sched/prio.h of 6.12, the same in 6.1.
#ifndef KTWIN_CORE_SCHED_PARAMS_H
#define KTWIN_CORE_SCHED_PARAMS_H

#include "boundary/types.h"
#include "core/limits.h"

namespace ktwin {

// In the order in which the kernel asks them for a task.
enum class SchedClass : u8 { kStop, kDeadline, kRt, kFair, kIdle };
inline constexpr u32 kSchedClasses = KTWIN_SCHED_CLASSES;
static_assert(static_cast<u32>(SchedClass::kIdle) == KTWIN_SCHED_IDLE);

enum class SchedPolicy : u8 {
    kNormal = 0,
    kFifo = 1,
    kRr = 2,
    kBatch = 3,
    kIdle = 5,
    kDeadline = 6,
    kExt = 7,
};

inline constexpr u32 kMaxRtPrio = 100;
inline constexpr u32 kMaxPrio = 140;
inline constexpr u32 kDefaultPrio = 120;

// Where the kernel's fair class has a task that sleeps, as far as that is told.
struct FairPlace {
    kt_fair_place kind = KT_PLACE_UNKNOWN;
    i64 value = 0;
};

struct SchedParams {
    SchedClass sched_class = SchedClass::kFair;
    SchedPolicy policy = SchedPolicy::kNormal;
    i32 nice = 0;          // -20 to 19, for the fair class
    u32 rt_priority = 0;   // 1 to 99, higher first, for the rt class
    kt_key mm = 0;         // 0: a kernel thread
    u64 deadline = 0;      // absolute, in ns, as the kernel has it at this moment, for the deadline class
    u64 slice_ns = 0;      // asked for by sched_setattr(); 0: the usual one
    bool grouped = false;  // of the fair class, in a task group below the root: cgroup or autogroup

    // What came from outside indexes tables: nothing is out of its range after this.
    constexpr SchedParams checked() const {
        SchedParams params = *this;
        params.nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
        params.rt_priority = rt_priority < kMaxRtPrio ? rt_priority : kMaxRtPrio - 1;
        params.slice_ns = slice_ns < kLongestSlice ? slice_ns : kLongestSlice;
        return params;
    }
    bool operator==(const SchedParams&) const = default;
    constexpr bool is_rt() const { return sched_class == SchedClass::kRt; }
    constexpr bool is_kernel_thread() const { return mm == 0; }
    // p->static_prio
    constexpr u32 static_prio() const { return static_cast<u32>(static_cast<i32>(kDefaultPrio) + nice); }

    static constexpr u64 kLongestSlice = 100000000;  // kernel/sched/syscalls.c of 6.12 clamps to 100 ms
};

}  // namespace ktwin

#endif
