// SPDX-License-Identifier: GPL-2.0-only
//
// RbTree against std::multimap: order, balance, colours, and the summary at every node after every step.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "base/rb_tree.h"

namespace ktwin {
namespace {

struct Item {
    RbLink<Item> link;
    u32 key = 0;
    u32 serial = 0;
    u32 weight = 0;
    u32 heaviest = 0;
    bool in = false;
};

struct ByKey {
    static bool before(const Item& a, const Item& b) { return a.key < b.key; }
    static void refresh(Item& at, const Item* left, const Item* right) {
        at.heaviest = at.weight;
        for (const Item* child : {left, right}) {
            if (child != nullptr && child->heaviest > at.heaviest) {
                at.heaviest = child->heaviest;
            }
        }
    }
};

using Tree = RbTree<Item, &Item::link, ByKey>;

// The number of black ones on every way down; -1: they differ, or a red one has a red child, or a summary is wrong.
int black_height(const Item* at, const Item* above) {
    if (at == nullptr) {
        return 0;
    }
    u32 heaviest = at->weight;
    for (const Item* child : {Tree::left(at), Tree::right(at)}) {
        heaviest = child != nullptr && child->heaviest > heaviest ? child->heaviest : heaviest;
        if (child != nullptr && child->link.red && at->link.red) {
            return -1;
        }
    }
    const int left = black_height(Tree::left(at), at);
    const int right = black_height(Tree::right(at), at);
    if (left != right || left < 0 || at->link.parent != above || at->heaviest != heaviest) {
        return -1;
    }
    return left + (at->link.red ? 0 : 1);
}

void check(const Tree& tree, std::vector<Item*> members) {
    std::sort(members.begin(), members.end(), [](const Item* a, const Item* b) {
        return a->key != b->key ? a->key < b->key : a->serial < b->serial;
    });
    ASSERT_EQ(tree.first(), members.empty() ? nullptr : members.front());
    Item* at = tree.first();
    for (Item* member : members) {
        ASSERT_EQ(at, member);
        at = Tree::next(at);
    }
    ASSERT_EQ(at, nullptr);
    ASSERT_GE(black_height(tree.root(), nullptr), 0);
}

TEST(RbTree, RandomLife) {
    for (u64 seed = 1; seed <= 4; ++seed) {
        Random random(seed);
        Tree tree;
        std::vector<Item> items(120);
        std::vector<Item*> members;
        u32 serial = 0;
        for (int step = 0; step < 1500; ++step) {
            Item& item = items[random.below(items.size())];
            if (item.in) {
                tree.erase(&item);
                std::erase(members, &item);
            } else {
                item.key = random.below(40);
                item.weight = random.below(1000);
                item.serial = ++serial;
                tree.insert(&item);
                members.push_back(&item);
            }
            item.in = !item.in;
            ASSERT_NO_FATAL_FAILURE(check(tree, members));
        }
    }
}

TEST(RbTree, DepthIsBounded) {
    Tree tree;
    std::vector<Item> items(4096);
    for (u32 i = 0; i < items.size(); ++i) {
        items[i].key = i;
        tree.insert(&items[i]);
    }
    for (const Item& item : items) {
        u32 depth = 0;
        for (const Item* at = &item; at != nullptr; at = at->link.parent) {
            ++depth;
        }
        ASSERT_LE(depth, 26u);  // 2 log2(n + 1)
    }
}

TEST(RbTree, ASummaryCanChangeInPlace) {
    Tree tree;
    Item items[3];
    for (Item& item : items) {
        item.key = static_cast<u32>(&item - items);
        tree.insert(&item);
    }
    items[0].weight = 9;
    tree.summary_changed(&items[0]);
    EXPECT_EQ(tree.root()->heaviest, 9u);
}

}  // namespace
}  // namespace ktwin
