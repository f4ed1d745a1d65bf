// SPDX-License-Identifier: GPL-2.0-only
//
// Bits of words. __builtin_popcountll is not used: without -mpopcnt it is a call into libgcc.
#ifndef KTWIN_BASE_BITS_H
#define KTWIN_BASE_BITS_H

#include "base/types.h"

namespace ktwin {

inline constexpr u64 kAllOnes = ~u64{0};

constexpr u64 bit(u32 index) {
    return u64{1} << index;
}

// Bits index..63.
constexpr u64 bits_from(u32 index) {
    return kAllOnes << index;
}

// Index of the lowest set bit; word is not 0.
constexpr u32 lowest_bit(u64 word) {
    return static_cast<u32>(__builtin_ctzll(word));
}

constexpr u32 count_bits(u64 word) {
    word -= (word >> 1) & 0x5555555555555555ULL;
    word = (word & 0x3333333333333333ULL) + ((word >> 2) & 0x3333333333333333ULL);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    return static_cast<u32>((word * 0x0101010101010101ULL) >> 56);
}

static_assert(count_bits(0) == 0 && count_bits(kAllOnes) == 64 && count_bits(0x8001) == 2);

constexpr bool is_power_of_two(u64 value) {
    return value != 0 && (value & (value - 1)) == 0;
}

// Spreads every bit of a key over the result (the finalizer of splitmix64).
constexpr u64 mix(u64 key) {
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ULL;
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebULL;
    return key ^ (key >> 31);
}

}  // namespace ktwin

#endif
