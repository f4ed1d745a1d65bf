// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "core/log2_histogram.h"

namespace ktwin {
namespace {

TEST(Log2Histogram, BucketsMeetWithoutAGap) {
    EXPECT_EQ(Log2Histogram::bucket_of(0), 0u);
    EXPECT_EQ(Log2Histogram::bucket_of(1), 1u);
    for (u32 i = 0; i < Log2Histogram::kBuckets; ++i) {
        EXPECT_EQ(Log2Histogram::bucket_of(Log2Histogram::lowest_of(i)), i);
        EXPECT_EQ(Log2Histogram::bucket_of(Log2Histogram::highest_of(i)), i);
        if (i > 0) {
            EXPECT_EQ(Log2Histogram::highest_of(i - 1) + 1, Log2Histogram::lowest_of(i));
        }
    }
    EXPECT_EQ(Log2Histogram::bucket_of(~0ULL), Log2Histogram::kBuckets - 1);
}

TEST(Log2Histogram, QuantilesAreWithinAFactorOfTwo) {
    Random random(3);
    Log2Histogram histogram;
    std::vector<u64> values;
    u64 sum = 0;
    for (int i = 0; i < 5000; ++i) {
        values.push_back(random.next() >> (30 + random.below(34)));
        histogram.add(values.back());
        sum += values.back();
    }
    std::sort(values.begin(), values.end());
    EXPECT_EQ(histogram.count(), values.size());
    EXPECT_EQ(histogram.sum(), sum);
    for (const u32 permille : {0u, 1u, 250u, 500u, 900u, 990u, 999u, 1000u}) {
        const size_t wanted = std::max<size_t>(1, (values.size() * permille + 999) / 1000);
        const u64 exact = values[wanted - 1];
        EXPECT_EQ(histogram.quantile(permille), Log2Histogram::highest_of(Log2Histogram::bucket_of(exact)));
    }
}

TEST(Log2Histogram, EmptyMergedCleared) {
    Log2Histogram one;
    Log2Histogram two;
    EXPECT_EQ(one.quantile(500), 0u);
    EXPECT_EQ(one.count(), 0u);
    one.add(5);
    two.add(7);
    two.add(1000);
    one.merge(two);
    EXPECT_EQ(one.count(), 3u);
    EXPECT_EQ(one.sum(), 1012u);
    EXPECT_EQ(one.bucket(3), 2u);
    EXPECT_EQ(one.quantile(500), 7u);
    EXPECT_EQ(one.quantile(1000), 1023u);
    one.clear();
    EXPECT_EQ(one.count(), 0u);
    EXPECT_EQ(one.sum(), 0u);
}

}  // namespace
}  // namespace ktwin
