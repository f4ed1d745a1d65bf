// SPDX-License-Identifier: GPL-2.0-only
//
// One CPU's queue in the twin and in the kernel: what is on one and not on the other, and whether the kernel means it so.
#ifndef KTWIN_CORE_RQ_DIFFERENCE_H
#define KTWIN_CORE_RQ_DIFFERENCE_H

#include "base/span.h"
#include "boundary/types.h"

namespace ktwin {

using RqReal = kt_rq_real;

enum class RqDifferenceKind : u8 {
    kMissing,    // the kernel has it queued, the twin not
    kSurplus,    // the twin has it queued, the kernel not
    kThrottled,  // explained: the twin has it queued, the kernel has throttled it, of which there is no event
    kDelayed,    // explained: the kernel's tree has it although it sleeps, the twin saw it go to sleep
};
inline constexpr u32 kRqDifferenceKinds = 4;

struct RqDifference {
    kt_key key = 0;
    i32 nr = 0;
    RqDifferenceKind kind = RqDifferenceKind::kMissing;
};

struct RqComparison {
    Span<RqDifference> room;  // the caller's
    u32 stored = 0;
    u32 equal = 0;
    u32 kinds[kRqDifferenceKinds] = {};  // all of them, stored or not

    bool agrees() const {
        return kinds[static_cast<u32>(RqDifferenceKind::kMissing)] == 0 &&
               kinds[static_cast<u32>(RqDifferenceKind::kSurplus)] == 0;
    }
    void difference(kt_key key, i32 nr, RqDifferenceKind kind) {
        ++kinds[static_cast<u32>(kind)];
        if (stored < room.size()) {
            room[stored++] = {key, nr, kind};
        }
    }
    // Nobody asks again about those that are explained: they take no room from the others.
    void explained(RqDifferenceKind kind) { ++kinds[static_cast<u32>(kind)]; }
};

}  // namespace ktwin

#endif
