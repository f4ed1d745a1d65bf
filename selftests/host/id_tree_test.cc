// SPDX-License-Identifier: GPL-2.0-only
#include "tree_fixture.h"

namespace ktwin {
namespace {

TEST_F(TreeTest, Edges) {
    const u32 ids[] = {0, 1, 63, 64, 1023, 1024, 65535, 65536, 66559, 66560, 4194303};
    for (u32 id : ids) {
        EXPECT_EQ(tree->find(id), nullptr);
        ASSERT_TRUE(tree->insert(id, value(id), nodes())) << id;
    }
    for (u32 id : ids) {
        EXPECT_EQ(tree->find(id), value(id)) << id;
        EXPECT_EQ(tree->insert(id, value(id), nodes()).error(), Errno::kExists);
    }
    EXPECT_EQ(tree->find(4194304), nullptr);
    EXPECT_EQ(tree->find(~u32{0}), nullptr);
    EXPECT_EQ(tree->insert(4194304, value(1), nodes()).error(), Errno::kRange);
    EXPECT_EQ(tree->count(), std::size(ids));
    u32 at = 0;
    for (u32 id : ids) {
        const IdTree::Found found = tree->next(at);
        EXPECT_EQ(found.id, id);
        EXPECT_EQ(found.pointer, value(id));
        at = found.id + 1;
    }
    EXPECT_EQ(tree->next(at).id, IdTree::kNone);
    EXPECT_EQ(tree->next(~u32{0}).id, IdTree::kNone);
    for (u32 id : ids) {
        EXPECT_EQ(tree->erase(id, nodes()), value(id));
        EXPECT_EQ(tree->erase(id, nodes()), nullptr);
    }
    EXPECT_EQ(tree->count(), 0u);
    EXPECT_EQ(nodes_held(), 2u) << "the leaf at hand stays, and its directory";
}

TEST_F(TreeTest, ReservedIsNotFound) {
    ASSERT_TRUE(tree->reserve_at(7, nodes()));
    EXPECT_EQ(tree->find(7), nullptr);
    EXPECT_EQ(tree->next(0).id, IdTree::kNone);
    EXPECT_TRUE(tree->is_used(7));
    tree->publish(7, value(7));
    EXPECT_EQ(tree->find(7), value(7));
    EXPECT_EQ(tree->replace(7, value(8)), value(7));
    EXPECT_EQ(tree->find(7), value(8));
}

TEST_F(TreeTest, CyclicWrapsAndExhausts) {
    for (u32 i = 1; i < 10; ++i) {
        EXPECT_EQ(tree->reserve_cyclic(1, 10, nodes()).value(), i);
    }
    EXPECT_EQ(tree->cursor(), 10u);
    EXPECT_EQ(tree->reserve_cyclic(1, 10, nodes()).error(), Errno::kNoSpace);
    EXPECT_EQ(tree->cursor(), 10u) << "a failure does not move it";
    tree->erase(3, nodes());
    tree->erase(5, nodes());
    EXPECT_EQ(tree->reserve_cyclic(1, 10, nodes()).value(), 3u);
    EXPECT_EQ(tree->cursor(), 4u);
    EXPECT_EQ(tree->reserve_lowest(1, 10, nodes()).value(), 5u);
    EXPECT_EQ(tree->cursor(), 4u) << "not cyclic, does not move it";
    EXPECT_EQ(tree->reserve_lowest(5, 5, nodes()).error(), Errno::kNoSpace);
    tree->erase(9, nodes());
    tree->erase(2, nodes());
    EXPECT_EQ(tree->reserve_cyclic(1, 10, nodes()).value(), 9u);
    EXPECT_EQ(tree->reserve_cyclic(3, 10, nodes()).error(), Errno::kNoSpace) << "2 is below min";
    EXPECT_EQ(tree->reserve_cyclic(1, 9, nodes()).value(), 2u) << "the cursor is beyond max";
}

TEST_F(TreeTest, LowestWhereverItWasFreed) {
    for (u32 i = 1; i < 300; ++i) {
        ASSERT_EQ(tree->reserve_lowest(1, 1000, nodes()).value(), i);
    }
    // At hand is the leaf from 256 on; the others are found by what was noted, also after another minimum was asked for.
    for (u32 id : {280u, 5u, 70u, 290u, 299u, 1u, 64u, 127u, 256u}) {
        EXPECT_TRUE(tree->remove(id, nodes()));
        EXPECT_EQ(tree->reserve_lowest(1, 1000, nodes()).value(), id);
    }
    for (u32 id : {290u, 70u, 260u, 5u}) {
        EXPECT_TRUE(tree->remove(id, nodes()));
    }
    EXPECT_EQ(tree->reserve_lowest(6, 1000, nodes()).value(), 70u);
    EXPECT_EQ(tree->reserve_lowest(1, 1000, nodes()).value(), 5u);
    EXPECT_EQ(tree->reserve_cyclic(200, 1000, nodes()).value(), 260u);
    EXPECT_EQ(tree->reserve_lowest(1, 1000, nodes()).value(), 290u);
    EXPECT_EQ(tree->reserve_lowest(1, 300, nodes()).error(), Errno::kNoSpace);
    EXPECT_EQ(tree->reserve_lowest(1, 1000, nodes()).value(), 300u);
}

TEST_F(TreeTest, AnyIsTheOneThatWasFreedLast) {
    for (u32 i = 0; i < 300; ++i) {
        ASSERT_EQ(tree->reserve_any(0, 300, nodes()).value(), i);
    }
    EXPECT_EQ(tree->reserve_any(0, 300, nodes()).error(), Errno::kNoSpace);
    tree->erase(70, nodes());
    tree->erase(150, nodes());
    EXPECT_EQ(tree->reserve_any(0, 300, nodes(), value(150)).value(), 150u);
    EXPECT_EQ(tree->find(150), value(150));
    EXPECT_EQ(tree->reserve_any(71, 300, nodes()).error(), Errno::kNoSpace);
    EXPECT_EQ(tree->reserve_any(0, 70, nodes()).error(), Errno::kNoSpace);
    EXPECT_EQ(tree->reserve_any(0, 300, nodes()).value(), 70u);
}

// Of numbers that are no id at all, with nothing and with something at hand.
TEST_F(TreeTest, NoId) {
    for (u32 round = 0; round < 2; ++round) {
        for (u32 id : {kIds, kIds + 64, u32{1} << 31, ~u32{63}, ~u32{63} + 5, ~u32{0}}) {
            EXPECT_FALSE(tree->remove(id, nodes()));
            EXPECT_EQ(tree->erase(id, nodes()), nullptr);
            EXPECT_FALSE(tree->is_used(id));
            EXPECT_EQ(tree->next(id).id, IdTree::kNone);
            EXPECT_EQ(tree->reserve_at(id, nodes()).error(), Errno::kRange);
            EXPECT_EQ(tree->reserve_lowest(id, ~u32{0}, nodes()).error(), Errno::kNoSpace);
            EXPECT_EQ(tree->reserve_any(id, ~u32{0}, nodes()).error(), Errno::kNoSpace);
            EXPECT_EQ(tree->reserve_cyclic(id, ~u32{0}, nodes()).error(), Errno::kNoSpace);
        }
        EXPECT_EQ(tree->count(), round);
        tree->erase(kIds - 1, nodes());
        ASSERT_TRUE(tree->insert(kIds - 1, value(1), nodes()));
    }
}

TEST_F(TreeTest, PingPongTakesANodeEvery64) {
    u32 before = FakeHost::get().allocations();
    for (u32 i = 0; i < 6400; ++i) {
        const u32 id = tree->reserve_cyclic(1, 32768, nodes()).value();
        tree->publish(id, value(id));
        EXPECT_EQ(tree->erase(id, nodes()), value(id));
    }
    EXPECT_EQ(FakeHost::get().allocations(), before);
    ktwin_pool pool = {};
    memory->statistics(nullptr, &pool, nullptr);
    EXPECT_LE(pool.total - pool.ready, 104u) << "100 leaves retired, one at hand, and directories";
    EXPECT_EQ(nodes_held(), 2u);
}

TEST_F(TreeTest, FillsABlockAndSkipsIt) {
    for (u32 i = 0; i < kBlockIds; ++i) {
        (void)memory->reserve(0);
        ASSERT_EQ(tree->reserve_lowest(0, kIds, nodes()).value(), i);
        tree->publish(i, value(i));
    }
    EXPECT_EQ(tree->reserve_lowest(0, kIds, nodes()).value(), kBlockIds);
    EXPECT_EQ(tree->reserve_lowest(0, kBlockIds, nodes()).error(), Errno::kNoSpace);
    tree->erase(70, nodes());
    EXPECT_EQ(tree->reserve_lowest(0, kIds, nodes()).value(), 70u);
    EXPECT_EQ(tree->next(kBlockIds - 1).id, kBlockIds - 1);
}

TEST_F(TreeTest, LastIds) {
    EXPECT_EQ(tree->reserve_lowest(kIds - 2, kIds, nodes()).value(), kIds - 2);
    EXPECT_EQ(tree->reserve_lowest(kIds - 2, ~u32{0}, nodes()).value(), kIds - 1);
    EXPECT_EQ(tree->reserve_lowest(kIds - 2, kIds, nodes()).error(), Errno::kNoSpace);
    tree->set_cursor(kIds - 1);
    EXPECT_EQ(tree->reserve_cyclic(1, kIds, nodes()).value(), 1u);
}

TEST_F(TreeTest, Room) {
    IdTree::Room room = tree->room(100);
    EXPECT_EQ(room.vacant, 99u);
    EXPECT_EQ(room.hole_start, 1u);
    EXPECT_EQ(room.hole_length, 99u);
    for (u32 id : {10u, 11u, 50u, 99u, 100u, 5000u}) {
        ASSERT_TRUE(tree->insert(id, value(id), nodes()));
    }
    room = tree->room(100);
    EXPECT_EQ(room.vacant, 95u);
    EXPECT_EQ(room.hole_start, 51u);
    EXPECT_EQ(room.hole_length, 48u);
    room = tree->room(kIds);
    EXPECT_EQ(room.hole_start, 5001u);
    EXPECT_EQ(room.hole_length, kIds - 5001);
    EXPECT_EQ(room.vacant, kIds - 1 - 6);
    EXPECT_EQ(tree->room(0).vacant, 0u);
    EXPECT_EQ(tree->room(1).vacant, 0u);
}

TEST_F(TreeTest, NoMemoryLeavesItAsItWas) {
    FakeHost::get().set_rt(true);
    // The pools run dry while the tree grows in every way.
    u32 failures = 0;
    for (u32 id = 0; id < kIds; id += 3001) {
        const Result inserted = tree->insert(id, value(id), nodes());
        failures += inserted.error() == Errno::kNoMemory;
        EXPECT_EQ(tree->find(id), inserted ? value(id) : nullptr);
        EXPECT_EQ(tree->is_used(id), static_cast<bool>(inserted));
    }
    EXPECT_GT(failures, 100u);
    for (u32 id = 0; id < kIds; id += 3001) {
        tree->erase(id, nodes());
    }
    EXPECT_EQ(tree->count(), 0u);
    EXPECT_EQ(nodes_held(), 2u);
}

}  // namespace
}  // namespace ktwin
