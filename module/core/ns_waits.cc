// SPDX-License-Identifier: GPL-2.0-only
#include "core/ns_waits.h"

#include "base/enforce.h"  // last

namespace ktwin {

// From the beginning of the table: there are few, and the first are the busiest.
Log2Histogram& NsWaits::of(u32 ns) {
    for (Slot& slot : slots_) {
        u32 owner = slot.ns.load_relaxed();
        if (owner == 0 && slot.ns.compare_exchange_acquire(owner, ns)) {
            return slot.waits;
        }
        // Where the exchange failed, owner is who was faster.
        if (owner == ns) {
            return slot.waits;
        }
    }
    return others_;
}

void NsWaits::add(u32 ns, u64 value) {
    (ns != 0 ? of(ns) : others_).add_shared(value);
}

u32 NsWaits::read(u64& cursor, Span<ktwin_ns_waits> to) const {
    u32 filled = 0;
    for (; cursor <= kSlots && filled < to.size(); ++cursor) {
        const bool last = cursor == kSlots;
        const u32 ns = last ? 0 : slots_[cursor].ns.load_relaxed();
        if (ns == 0 && !last) {
            continue;
        }
        const Log2Histogram& from = last ? others_ : slots_[cursor].waits;
        ktwin_ns_waits& record = to[filled++];
        record.ns = ns;
        record.zero = 0;
        from.copy(record.sum_ns, record.buckets);
    }
    return filled;
}

}  // namespace ktwin
