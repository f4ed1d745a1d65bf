// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "base/bits.h"
#include "base/expected.h"
#include "base/list.h"
#include "base/random.h"
#include "base/span.h"

namespace ktwin {
namespace {

TEST(Expected, ValueOrError) {
    const Expected<u32> seven(7u);
    const Expected<u32> none(Errno::kNoSpace);
    EXPECT_TRUE(seven);
    EXPECT_EQ(seven.value(), 7u);
    EXPECT_FALSE(none);
    EXPECT_EQ(none.error(), Errno::kNoSpace);
    EXPECT_EQ(to_c(Result()), 0);
    EXPECT_EQ(to_c(Errno::kNoData), -61);
}

TEST(Bits, Words) {
    Random random(1);
    for (int i = 0; i < 1000; ++i) {
        const u64 word = random.next();
        EXPECT_EQ(count_bits(word), static_cast<u32>(__builtin_popcountll(word)));
    }
    EXPECT_EQ(bits_from(63), bit(63));
    EXPECT_TRUE(is_power_of_two(64));
    EXPECT_FALSE(is_power_of_two(0));
    EXPECT_FALSE(is_power_of_two(65));
}

TEST(Span, OutOfRangeTraps) {
    int values[3] = {1, 2, 3};
    const Span<int> span(values, 3);
    EXPECT_EQ(span[2], 3);
    EXPECT_DEATH((void)span[3], "");
}

TEST(Chain, PushPopSplice) {
    ChainNode nodes[5];
    Chain one;
    Chain two;
    one.push(&nodes[0]);
    one.push(&nodes[1]);
    two.push(&nodes[2]);
    one.splice(two);
    EXPECT_EQ(one.size(), 3u);
    EXPECT_TRUE(two.empty());
    Chain empty;
    one.splice(empty);
    empty.splice(one);
    EXPECT_EQ(empty.size(), 3u);
    EXPECT_EQ(empty.pop(), &nodes[2]);
    EXPECT_EQ(empty.pop(), &nodes[1]);
    EXPECT_EQ(empty.pop(), &nodes[0]);
    EXPECT_EQ(empty.pop(), nullptr);
}

struct Item {
    RcuLink<Item> link;
};

TEST(RcuList, ReaderOnRemovedItemFindsTheWayOn) {
    Item items[4];
    RcuList<Item, &Item::link> list;
    for (Item& item : items) {
        list.push_back(&item);
    }
    const Item* reader = list.first();
    list.remove(&items[0]);
    list.remove(&items[2]);
    EXPECT_EQ(list.first(), &items[1]);
    reader = decltype(list)::next(reader);
    EXPECT_EQ(reader, &items[1]);
    reader = decltype(list)::next(reader);
    EXPECT_EQ(reader, &items[3]);
    EXPECT_EQ(decltype(list)::next(reader), nullptr);
    list.remove(&items[3]);
    EXPECT_EQ(list.last(), &items[1]);
    list.remove(&items[1]);
    EXPECT_EQ(list.first(), nullptr);
    list.push_back(&items[2]);
    EXPECT_EQ(list.first(), &items[2]);
    EXPECT_EQ(list.last(), &items[2]);
}

}  // namespace
}  // namespace ktwin
