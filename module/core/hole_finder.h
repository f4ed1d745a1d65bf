// SPDX-License-Identifier: GPL-2.0-only
//
// How many ids below a limit are free, and the largest run of them.
#ifndef KTWIN_CORE_HOLE_FINDER_H
#define KTWIN_CORE_HOLE_FINDER_H

#include "core/id_tree.h"

namespace ktwin {

// Runs of free ids, fed from the lowest id on.
class HoleFinder {
  public:
    explicit HoleFinder(u32 limit) : limit_(limit) {}

    void free_run(u32 start, u32 end) {
        start = start < 1 ? 1 : start;
        end = end < limit_ ? end : limit_;
        if (start >= end) {
            return;
        }
        room_.vacant += end - start;
        if (run_end_ != start) {
            run_start_ = start;
        }
        run_end_ = end;
        if (run_end_ - run_start_ > room_.hole_length) {
            room_.hole_start = run_start_;
            room_.hole_length = run_end_ - run_start_;
        }
    }

    // 64 ids of which those with a bit set are used.
    void leaf(u32 first, u64 used) {
        u32 slot = 0;
        while (slot < kSlots) {
            const u64 rest = used & bits_from(slot);
            const u32 stop = rest != 0 ? lowest_bit(rest) : kSlots;
            free_run(first + slot, first + stop);
            const u64 open = stop < kSlots ? ~used & bits_from(stop) : 0;
            slot = open != 0 ? lowest_bit(open) : kSlots;
        }
    }

    const IdTree::Room& room() const { return room_; }

  private:
    const u32 limit_;
    IdTree::Room room_;
    u32 run_start_ = 0;
    u32 run_end_ = 0;
};

}  // namespace ktwin

#endif
