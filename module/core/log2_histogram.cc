// SPDX-License-Identifier: GPL-2.0-only
#include "core/log2_histogram.h"

#include "base/enforce.h"  // last

namespace ktwin {

void Log2Histogram::merge(const Log2Histogram& other) {
    for (u32 i = 0; i < kBuckets; ++i) {
        buckets_[i].add_exclusive(other.bucket(i));
    }
    sum_.add_exclusive(other.sum());
}

void Log2Histogram::clear() {
    for (Atomic<u64>& bucket : buckets_) {
        bucket.store_relaxed(0);
    }
    sum_.store_relaxed(0);
}

u64 Log2Histogram::count() const {
    u64 count = 0;
    for (const Atomic<u64>& bucket : buckets_) {
        count += bucket.load_relaxed();
    }
    return count;
}

u64 Log2Histogram::quantile(u32 permille) const {
    // One reading of the buckets: a writer may be at work.
    u64 seen[kBuckets];
    u64 count = 0;
    for (u32 i = 0; i < kBuckets; ++i) {
        seen[i] = bucket(i);
        count += seen[i];
    }
    if (count == 0) {
        return 0;
    }
    // ceil(count * permille / 1000) without overflow; at least the first value.
    const u64 exact = count / 1000 * permille + (count % 1000 * permille + 999) / 1000;
    const u64 wanted = exact == 0 ? 1 : exact;
    u32 at = 0;
    for (u64 below = seen[0]; below < wanted && at + 1 < kBuckets; below += seen[at]) {
        ++at;
    }
    return highest_of(at);
}

}  // namespace ktwin
