// SPDX-License-Identifier: GPL-2.0-only
//
// PrioBitmap: which of up to 140 priorities have a task; the first is found in three steps at most.
#ifndef KTWIN_CORE_PRIO_BITMAP_H
#define KTWIN_CORE_PRIO_BITMAP_H

#include "base/bits.h"
#include "core/sched_params.h"

namespace ktwin {

class PrioBitmap {
  public:
    void set(u32 prio) { words_[prio / 64] |= bit(prio % 64); }
    void clear(u32 prio) { words_[prio / 64] &= ~bit(prio % 64); }
    bool test(u32 prio) const { return (words_[prio / 64] & bit(prio % 64)) != 0; }

    // sched_find_first_bit(); kMaxPrio: none.
    u32 first() const {
        for (u32 i = 0; i < kWords; ++i) {
            if (words_[i] != 0) {
                return i * 64 + lowest_bit(words_[i]);
            }
        }
        return kMaxPrio;
    }

  private:
    static constexpr u32 kWords = (kMaxPrio + 63) / 64;

    u64 words_[kWords] = {};
};

}  // namespace ktwin

#endif
