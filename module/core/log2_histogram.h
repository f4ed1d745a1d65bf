// SPDX-License-Identifier: GPL-2.0-only
//
// Log2Histogram: how often a value had which magnitude. Bucket 0 counts the value 0, bucket n the values from 2^(n-1)
// to 2^n - 1; the last takes all that is larger.
//
// One writer at a time (the CPU it belongs to, irqs off), any number of readers without a lock. A reader may find a value
// counted in its bucket and not yet in the sum; count() is made of the buckets, so that it always agrees with them.
#ifndef KTWIN_CORE_LOG2_HISTOGRAM_H
#define KTWIN_CORE_LOG2_HISTOGRAM_H

#include "base/atomic.h"
#include "boundary/types.h"

namespace ktwin {

class Log2Histogram {
  public:
    static constexpr u32 kBuckets = 48;  // ns: up to 39 hours

    static constexpr u32 bucket_of(u64 value) {
        const u32 bits = value == 0 ? 0 : 64 - static_cast<u32>(__builtin_clzll(value));
        return bits < kBuckets ? bits : kBuckets - 1;
    }
    static constexpr u64 lowest_of(u32 bucket) { return bucket == 0 ? 0 : u64{1} << (bucket - 1); }
    static constexpr u64 highest_of(u32 bucket) {
        return bucket + 1 < kBuckets ? (u64{1} << bucket) - 1 : ~u64{0};
    }

    // [any] The writer.
    void add(u64 value) {
        buckets_[bucket_of(value)].add_exclusive(1);
        sum_.add_exclusive(value);
    }
    // [any] Where there is more than one writer.
    void add_shared(u64 value) {
        static_cast<void>(buckets_[bucket_of(value)].fetch_add_relaxed(1));
        static_cast<void>(sum_.fetch_add_relaxed(value));
    }
    // [any] The writer of this one, a reader of the other.
    void merge(const Log2Histogram& other);
    void clear();

    // [any]
    u64 bucket(u32 index) const { return buckets_[index].load_relaxed(); }
    u64 sum() const { return sum_.load_relaxed(); }
    u64 count() const;
    // As the wire format has it.
    void copy(__u64& sum, __u64 (&buckets)[kBuckets]) const {
        sum = sum_.load_relaxed();
        for (u32 i = 0; i < kBuckets; ++i) {
            buckets[i] = buckets_[i].load_relaxed();
        }
    }
    // The least number that at least permille of 1000 values do not exceed, as the upper end of its bucket; 0 when there
    // are no values. permille is 0 to 1000.
    u64 quantile(u32 permille) const;

  private:
    Atomic<u64> buckets_[kBuckets];
    Atomic<u64> sum_;
};

}  // namespace ktwin

#endif
