// SPDX-License-Identifier: GPL-2.0-only
//
// PidMap: the bitmap of pids of kernel/pid.c as it was until 4.14 (here as of 3.9): a page of 32,768 bits where one is
// needed, never given back, and last_pid. Bits are taken and given back by atomic operations, without a lock.
#ifndef KTWIN_CORE_PID_MAP_H
#define KTWIN_CORE_PID_MAP_H

#include "base/expected.h"
#include "core/id_leaf.h"
#include "core/pool.h"

namespace ktwin {

inline constexpr u32 kPidMapBits = 32768;  // BITS_PER_PAGE
inline constexpr u32 kPidMapEntries = kIds / kPidMapBits;

struct PidMapPage : PoolNode {
    Atomic<u64> words[kPidMapBits / 64];
};

class PidMap : Pinned {
  public:
    static constexpr u32 kNone = ~u32{0};

    PidMap();

    // A set_last_pid() that is behind another's does not move it back.
    // Neither nr nor missing: no free bit. missing: call add_page() for it and come again.
    struct Taken {
        u32 nr = kNone;
        u32 missing = kNone;  // index of a page that is not there
    };
    // alloc_pidmap(): from last_pid + 1 on, then from min on; below max.
    Taken alloc_after_last(u32 min, u32 max);
    // Not in 3.9: from min on, last_pid stays.
    Taken alloc_lowest(u32 min, u32 max) { return scan(min, max); }
    Taken alloc_at(u32 nr);
    // free_pidmap(); false: it was not set.
    bool give_back(u32 nr);
    // next_pidmap(): the lowest used number above last; kNone.
    u32 next(u32 last) const;

    u32 last_pid() const { return last_pid_.load_relaxed(); }
    // A write to ns_last_pid.
    void set_last(u32 nr) { last_pid_.store_relaxed(nr); }
    u32 count() const;

    // The lock held.
    void add_page(u32 index, PidMapPage* page) { entries_[index].page.store_release(page); }
    bool has_page(u32 index) const { return entries_[index].page.load_acquire() != nullptr; }
    void clear(Pool& pool);

  private:
    struct Entry {
        Atomic<u32> free_bits;  // nr_free
        Atomic<PidMapPage*> page;
    };

    Taken scan(u32 start, u32 end);
    u32 take_in(Entry& entry, u32 offset, u32 end);
    void set_last_pid(u32 base, u32 nr);

    Entry entries_[kPidMapEntries];
    Atomic<u32> last_pid_;
};

}  // namespace ktwin

#endif
