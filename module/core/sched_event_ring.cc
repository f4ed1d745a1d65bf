// SPDX-License-Identifier: GPL-2.0-only
#include "core/sched_event_ring.h"

#include "base/enforce.h"  // last

namespace ktwin {

bool SchedEventRing::append(const SchedEvent& event, u64 lost) {
    const u64 head = head_.load_relaxed();
    if (head - tail_.load_acquire() > mask_) {
        return false;
    }
    SchedEvent& record = at(head);
    record = event;
    record.lost = lost;
    head_.store_release(head + 1);
    return true;
}

u32 SchedEventRing::take(Span<SchedEvent> to) {
    const u64 tail = tail_.load_relaxed();
    const u64 there = head_.load_acquire() - tail;
    const u32 taken = there < to.size() ? static_cast<u32>(there) : to.size();
    for (u32 i = 0; i < taken; ++i) {
        to[i] = at(tail + i);
    }
    tail_.store_release(tail + taken);
    return taken;
}

}  // namespace ktwin
