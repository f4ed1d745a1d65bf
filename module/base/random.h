// SPDX-License-Identifier: GPL-2.0-only
//
// splitmix64: a small generator for test runs that can be repeated from their seed. Not for secrets.
#ifndef KTWIN_BASE_RANDOM_H
#define KTWIN_BASE_RANDOM_H

#include "base/bits.h"

namespace ktwin {

class Random {
  public:
    explicit Random(u64 seed) : state_(seed) {}

    u64 next() {
        state_ += 0x9e3779b97f4a7c15ULL;
        return mix(state_);
    }

    // 0 to bound - 1; bound is not 0. The bias of a modulo does not matter here.
    u32 below(u32 bound) { return static_cast<u32>(next() % bound); }

  private:
    u64 state_;
};

}  // namespace ktwin

#endif
