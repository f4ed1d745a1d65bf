// SPDX-License-Identifier: GPL-2.0-only
//
// One CPU's queue in the twin and in the kernel: what is on one and not on the other, and whether the kernel means it so.
#ifndef KTWIN_CORE_RQ_DIFFERENCE_H
#define KTWIN_CORE_RQ_DIFFERENCE_H

#include "base/span.h"
#include "boundary/types.h"

namespace ktwin {

enum class RqPresence : u8 {
    kQueued,     // it waits for the CPU, or has it
    kThrottled,  // on_rq is set and no class would pick it: dl or rt throttled, a group without runtime
    kDelayed,    // it sleeps and is still in the fair class's tree (sched_delayed, since 6.12)
};

// A task of the kernel's run queue.
struct RqReal {
    kt_key key;
    RqPresence presence;
};

enum class RqDifferenceKind : u8 {
    kMissing,    // the kernel has it queued, the twin not
    kSurplus,    // the twin has it queued, the kernel not
    kThrottled,  // explained: the twin has it queued, the kernel has throttled it, of which there is no event
    kDelayed,    // explained: the kernel's tree has it although it sleeps, the twin saw it go to sleep
};
inline constexpr u32 kRqDifferenceKinds = 4;

struct RqDifference {
    kt_key key;
    RqDifferenceKind kind;
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
    void note(kt_key key, RqDifferenceKind kind) {
        ++kinds[static_cast<u32>(kind)];
        if (stored < room.size()) {
            room[stored++] = {key, kind};
        }
    }
};

}  // namespace ktwin

#endif
