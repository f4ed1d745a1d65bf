// SPDX-License-Identifier: GPL-2.0-only
//
// NsWaits: how long the tasks of each PID namespace waited for a CPU, in a table of fixed size: an event allocates nothing.
// A namespace that comes when the table is full is counted with the others like it.
//
// No lock: a slot is taken by a compare-exchange and never given back, and all CPUs add to it.
#ifndef KTWIN_CORE_NS_WAITS_H
#define KTWIN_CORE_NS_WAITS_H

#include "base/span.h"
#include "boundary/types.h"
#include "core/log2_histogram.h"

namespace ktwin {

class NsWaits {
  public:
    static constexpr u32 kSlots = 64;

    // [any] ns: its inode; 0: in none, as a task that has been released.
    void add(u32 ns, u64 value);
    // [any] Those that were seen, and at last all others as namespace 0; cursor: 0 first. Fewer than to has room for:
    // there are no more.
    u32 read(u64& cursor, Span<ktwin_ns_waits> to) const;

  private:
    struct Slot {
        Atomic<u32> ns;  // 0: free
        Log2Histogram waits;
    };

    Log2Histogram& of(u32 ns);

    Slot slots_[kSlots];
    Log2Histogram others_;
};

}  // namespace ktwin

#endif
