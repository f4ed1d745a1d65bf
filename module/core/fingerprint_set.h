// SPDX-License-Identifier: GPL-2.0-only
//
// FingerprintSet: a bounded set of 64-bit fingerprints that only grows. Open addressing, 0 is an empty place.
#ifndef KTWIN_CORE_FINGERPRINT_SET_H
#define KTWIN_CORE_FINGERPRINT_SET_H

#include "base/bits.h"
#include "base/expected.h"
#include "boundary/host_api.h"

namespace ktwin {

class FingerprintSet {
  public:
    // [sleep]
    Result setup() {
        places_ = static_cast<u64*>(kt_host_alloc(kPlaces * sizeof(u64)));
        return places_ != nullptr ? Result() : Result(Errno::kNoMemory);
    }
    void teardown() { kt_host_free(places_); }

    bool contains(u64 fingerprint) const { return places_[place_of(fingerprint)] != 0; }
    // Beyond three quarters nothing more is taken in.
    void add(u64 fingerprint) {
        const u32 place = place_of(fingerprint);
        if (places_[place] == 0 && size_ < kPlaces / 4 * 3) {
            places_[place] = fingerprint | 1;
            ++size_;
        }
    }

  private:
    static constexpr u32 kPlaces = 16384;

    // Where it is, or would be.
    u32 place_of(u64 fingerprint) const {
        u32 place = static_cast<u32>(fingerprint >> 32) % kPlaces;
        while (places_[place] != 0 && places_[place] != (fingerprint | 1)) {
            place = (place + 1) % kPlaces;
        }
        return place;
    }

    u64* places_ = nullptr;
    u32 size_ = 0;
};

}  // namespace ktwin

#endif
