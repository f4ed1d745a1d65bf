// SPDX-License-Identifier: GPL-2.0-only
//
// While the twin is populated: the numbers of the initial namespace that an event named since. What an event
// said of a number is newer than anything the scan may have read about it. Under the twin's lock.
#ifndef KTWIN_CORE_TOUCHED_MAP_H
#define KTWIN_CORE_TOUCHED_MAP_H

#include "base/bits.h"
#include "core/limits.h"

namespace ktwin {

class TouchedMap {
  public:
    static constexpr usize kBytes = kPidMaxLimit / 8;

    // words: kBytes of zeroes, or nullptr: nothing is remembered.
    void use(u64* words) { words_ = words; }
    void set(u32 nr) {
        if (words_ != nullptr && nr < kPidMaxLimit) {
            words_[nr / 64] |= bit(nr % 64);
        }
    }
    bool test(u32 nr) const { return nr < kPidMaxLimit && (words_[nr / 64] & bit(nr % 64)) != 0; }

  private:
    u64* words_ = nullptr;
};

}  // namespace ktwin

#endif
