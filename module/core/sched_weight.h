// SPDX-License-Identifier: GPL-2.0-only
//
// The weight of a task in the fair class, and virtual time: kernel/sched/core.c, sched_prio_to_weight, and
// kernel/sched/fair.c, calc_delta_fair(), of 6.12; since 2.6.23 the same. A step of nice is a factor of 1.25, so
// that one step is about 10 % of the CPU between two tasks.
#ifndef KTWIN_CORE_SCHED_WEIGHT_H
#define KTWIN_CORE_SCHED_WEIGHT_H

#include "core/sched_params.h"

namespace ktwin {

inline constexpr u64 kNice0Weight = 1024;
inline constexpr u64 kIdleWeight = 3;  // WEIGHT_IDLEPRIO

u64 sched_weight(const SchedParams& params);

// How much virtual time passes for a weight in so many ns. The kernel multiplies by a rounded inverse; this divides, and
// is at most one part in 2^20 apart. delta_ns is below 2^53.
constexpr u64 calc_delta_fair(u64 delta_ns, u64 weight) {
    return weight == kNice0Weight ? delta_ns : delta_ns * kNice0Weight / weight;
}

// A wrapping product, as the kernel's -fno-strict-overflow has it.
constexpr i64 times(i64 value, u64 weight) {
    return static_cast<i64>(static_cast<u64>(value) * weight);
}

// Virtual times wrap: which of two is earlier is the sign of their difference.
constexpr i64 vtime_delta(u64 a, u64 b) {
    return static_cast<i64>(a - b);
}
constexpr bool vtime_before(u64 a, u64 b) {
    return vtime_delta(a, b) < 0;
}

}  // namespace ktwin

#endif
