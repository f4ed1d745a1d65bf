// SPDX-License-Identifier: GPL-2.0-only
//
// An IdTree with pools of its own.
#ifndef KTWIN_SELFTESTS_TREE_FIXTURE_H
#define KTWIN_SELFTESTS_TREE_FIXTURE_H

#include <gtest/gtest.h>

#include "core/twin_memory.h"
#include "fake_host.h"

namespace ktwin {

class TreeTest : public ::testing::Test {
  protected:
    TreeTest() {
        FakeHost::get().reset();
        memory = std::make_unique<TwinMemory>(KT_LOCK_LAB, 1000000, false);
        EXPECT_TRUE(memory->refill());
        tree = std::make_unique<IdTree>();
    }
    ~TreeTest() override {
        FakeHost::get().no_failures();
        tree->clear(nodes());
        memory->teardown();
        memory.reset();
        FakeHost::get().reset();
    }
    NodePools& nodes() TA_NO_ANALYSIS { return memory->nodes(); }
    // Nodes in the tree: in existence, and neither ready nor retired.
    u32 nodes_held() {
        memory->reclaim();
        ktwin_pool pool = {};
        memory->statistics(nullptr, &pool, nullptr);
        return pool.total - pool.ready;
    }
    static void* value(u64 n) { return reinterpret_cast<void*>(n * 8 + 8); }

    std::unique_ptr<TwinMemory> memory;
    std::unique_ptr<IdTree> tree;
};

}  // namespace ktwin

#endif
