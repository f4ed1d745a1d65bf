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

// How much virtual time passes for a weight in so many ns: __calc_delta(), to the bit. It multiplies by the inverse of the
// weight, rounded (sched_prio_to_wmult), in as many bits as there are. delta_ns is below 2^53.
constexpr u64 calc_delta_fair(u64 delta_ns, u64 weight) {
    if (weight == kNice0Weight) {
        return delta_ns;
    }
    u64 factor = kNice0Weight * (((u64{1} << 32) + weight / 2) / weight);
    u32 shift = 32;
    for (; factor >> 32 != 0; factor >>= 1) {
        --shift;
    }
    return static_cast<u64>(static_cast<unsigned __int128>(delta_ns) * factor >> shift);
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
