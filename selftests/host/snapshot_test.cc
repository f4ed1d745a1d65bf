// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "fake_kernel.h"

namespace {

class SnapshotTest : public ::testing::Test {
  protected:
    SnapshotTest() {
        kernel.alloc(kernel.root());
        child = kernel.create_ns(kernel.root());
        grandchild = kernel.create_ns(child);
        sibling = kernel.create_ns(kernel.root());
        for (int i = 0; i < 5; ++i) {
            kernel.alloc(child);
            kernel.alloc(grandchild);
            kernel.alloc(sibling);
        }
        EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    }

    CoreRun run;
    FakeKernel& kernel = FakeKernel::get();
    FakeNs* child;
    FakeNs* grandchild;
    FakeNs* sibling;
};

TEST_F(SnapshotTest, Namespaces) {
    const auto all = run.namespaces();
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0].inode, kernel.root()->inode);
    EXPECT_EQ(all[0].parent, 0u);
    EXPECT_EQ(all[0].children, 2u);
    EXPECT_EQ(all[0].count, 16u);
    EXPECT_EQ(all[0].kernel_count, 16u);
    EXPECT_EQ(all[0].cursor, 17u);
    EXPECT_EQ(all[0].pid_max, 32768u);
    EXPECT_EQ(all[0].headroom, 32767u - 16);
    EXPECT_EQ(all[0].hole_start, 17u);
    EXPECT_EQ(all[0].hole_length, 32767u - 16);
    EXPECT_EQ(all[0].reaper, 1);
    EXPECT_EQ(all[0].flags, KTWIN_NS_KERNEL);
    EXPECT_EQ(all[1].inode, child->inode);
    EXPECT_EQ(all[1].level, 1u);
    EXPECT_EQ(all[1].count, 10u);
    EXPECT_EQ(all[1].reaper, 2);
    EXPECT_EQ(all[1].first_seen_ns, 0u);
    EXPECT_EQ(all[2].inode, grandchild->inode);
    EXPECT_EQ(all[2].parent, child->inode);
    EXPECT_EQ(all[2].level, 2u);
    child->dying = true;
    EXPECT_EQ(run.namespaces()[1].flags, KTWIN_NS_KERNEL | KTWIN_NS_DYING);
}

TEST_F(SnapshotTest, NamespacesOfAViewer) {
    const auto seen = run.namespaces(kernel.key(child));
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0].inode, child->inode);
    EXPECT_EQ(seen[0].level, 0u);
    EXPECT_EQ(seen[0].parent, 0u);
    EXPECT_EQ(seen[0].reaper, 1);
    EXPECT_EQ(seen[1].parent, child->inode);
    EXPECT_EQ(seen[1].reaper, 2);
    const auto below = run.namespaces(0, grandchild->inode);
    ASSERT_EQ(below.size(), 1u);
    __u64 cursor = 0;
    bool more = false;
    ktwin_ns one;
    EXPECT_EQ(kt_core_read_namespaces(kernel.key(child), sibling->inode, &cursor, &one, 1, &more), -ESRCH);
    EXPECT_EQ(kt_core_read_namespaces(kernel.key(child), kernel.root()->inode, &cursor, &one, 1, &more),
              -ESRCH);
    EXPECT_EQ(kt_core_read_namespaces(4242, 0, &cursor, &one, 1, &more), -ESRCH);
}

TEST_F(SnapshotTest, Pids) {
    for (unsigned room : {1u, 2u, 64u, 1000u}) {
        EXPECT_EQ(run.pids(0, 0, room).size(), 16u);
        EXPECT_EQ(run.pids(0, child->inode, room).size(), 10u);
        EXPECT_EQ(run.pids(kernel.key(child), 0, room).size(), 10u);
    }
    const auto pids = run.pids(kernel.key(child));
    EXPECT_EQ(pids[0].depth, 1u);
    EXPECT_EQ(pids[0].upids[0].ns, child->inode);
    EXPECT_EQ(pids[0].upids[0].nr, 1);
    EXPECT_EQ(pids[1].depth, 2u);
    EXPECT_EQ(pids[1].upids[1].ns, grandchild->inode);
    EXPECT_EQ(pids[1].upids[1].nr, 1);
    EXPECT_EQ(pids[1].upids[2].ns, 0u);
    EXPECT_EQ(pids[0].born_ns, 0u);
    kernel.alloc(child);
    EXPECT_NE(run.pids(kernel.key(child)).back().born_ns, 0u);
}

TEST_F(SnapshotTest, PidsWhileTheyGo) {
    __u64 cursor = 0;
    bool more = true;
    ktwin_pid pids[4];
    ASSERT_EQ(kt_core_read_pids(kt_host_init_ns(), child->inode, &cursor, pids, 4, &more), 4);
    EXPECT_TRUE(more);
    kernel.free_all();
    EXPECT_EQ(kt_core_read_pids(kt_host_init_ns(), child->inode, &cursor, pids, 4, &more), -ESRCH);
}

TEST_F(SnapshotTest, Status) {
    ktwin_status status = run.status();
    EXPECT_EQ(status.pids, 16u);
    EXPECT_EQ(status.namespaces, 4u);
    EXPECT_EQ(status.own_ns, kernel.root()->inode);
    EXPECT_EQ(status.pid_max, 32768u);
    EXPECT_EQ(status.flags, KTWIN_STATUS_LAB);
    EXPECT_EQ(status.epoch, 1u);
    EXPECT_GT(status.memory, 100000u);
    EXPECT_GE(status.pid_pool.total, 16u);
    EXPECT_EQ(status.pid_pool.limit, 100000u);
    EXPECT_EQ(status.ns_pool.total - status.ns_pool.ready, 4u);
    status = run.status(kernel.key(child));
    EXPECT_EQ(status.pids, 10u);
    EXPECT_EQ(status.namespaces, 2u);
    EXPECT_EQ(status.own_ns, child->inode);
    EXPECT_EQ(status.flags, KTWIN_STATUS_LAB | KTWIN_STATUS_SCOPED);
    EXPECT_EQ(status.epoch, 0u);
    EXPECT_EQ(status.memory, 0u);
    EXPECT_EQ(status.pid_pool.total, 0u);
}

TEST_F(SnapshotTest, Resolve) {
    kt_resolved resolved;
    ASSERT_EQ(kt_core_resolve(kt_host_init_ns(), grandchild->inode, 1, &resolved), 0);
    EXPECT_EQ(resolved.ns, kernel.key(grandchild));
    EXPECT_EQ(resolved.ns_level, 2u);
    EXPECT_EQ(resolved.root_nr, 3);
    EXPECT_EQ(resolved.key, kt_host_pid_at(3));
    ASSERT_EQ(resolved.anchor_count, 6u) << "the one asked for, and the lowest ones";
    EXPECT_EQ(resolved.anchors[0].ns, kernel.key(grandchild));
    EXPECT_EQ(resolved.anchors[0].root_nr, 3);
    EXPECT_EQ(resolved.pid.depth, 3u);
    ASSERT_EQ(kt_core_resolve(kernel.key(child), 0, 1000, &resolved), 0);
    EXPECT_EQ(resolved.key, 0u);
    EXPECT_EQ(resolved.anchor_count, 0u);
    EXPECT_EQ(resolved.ns, kernel.key(child));
    EXPECT_EQ(resolved.pid.depth, 0u);
    ASSERT_EQ(kt_core_resolve(kernel.key(child), 0, -1, &resolved), 0);
    EXPECT_EQ(resolved.key, 0u);
    EXPECT_EQ(kt_core_resolve(kernel.key(child), sibling->inode, 1, &resolved), -ESRCH);
}

TEST_F(SnapshotTest, OffHasNoData) {
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), 0);
    __u64 cursor = 0;
    bool more = true;
    ktwin_ns ns;
    ktwin_pid pid;
    kt_resolved resolved;
    EXPECT_EQ(kt_core_read_namespaces(kt_host_init_ns(), 0, &cursor, &ns, 1, &more), -ENODATA);
    EXPECT_FALSE(more);
    EXPECT_EQ(kt_core_read_pids(kt_host_init_ns(), 0, &cursor, &pid, 1, &more), -ENODATA);
    EXPECT_EQ(kt_core_resolve(kt_host_init_ns(), 0, 1, &resolved), -ENODATA);
    EXPECT_EQ(run.status().pids, 0u);
    EXPECT_EQ(run.status().pid_max, 32768u);
    EXPECT_EQ(run.status(kernel.key(child)).own_ns, 0u);
}

}  // namespace
