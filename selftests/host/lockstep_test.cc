// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "fake_kernel.h"

namespace {

class LockstepTest : public ::testing::Test {
  protected:
    LockstepTest() { EXPECT_EQ(run.created(), 0); }

    void on() { ASSERT_EQ(kt_core_mirror(KTWIN_LOCKSTEP_ON), 0); }
    ktwin_audit audit() { return run.audit(); }
    // All but what is named was predicted, and there are so many of these.
    ktwin_audit expect_unpredicted(uint64_t named, uint64_t mispredicted = 0) {
        const ktwin_audit report = audit();
        EXPECT_EQ(report.mispredicted, mispredicted);
        EXPECT_EQ(report.contradicted, 0u);
        EXPECT_EQ(report.adopting + report.cursor_set + report.kernel_no_memory + report.twin_no_memory +
                      report.missed,
                  named);
        EXPECT_EQ(report.allocations, report.predicted + named + mispredicted);
        return report;
    }
    // Forks that end and fail in these namespaces, in all ways, by chance.
    void live(const std::vector<FakeNs*>& spaces, int steps, unsigned seed = 1) {
        std::mt19937 random(seed);
        for (int i = 0; i < steps; ++i) {
            FakeNs* ns = spaces[random() % spaces.size()];
            switch (random() % 8) {
                case 0:
                case 1:
                case 2:
                    (void)kernel.fork(ns);
                    break;
                case 3:
                    if (ns->allocated > 0) {
                        (void)kernel.fork(ns, {static_cast<int>(2 + random() % (kernel.pid_max - 2))});
                    }
                    break;
                case 4:
                    // At two levels; the outer one is in use more often than not.
                    if (ns->level > 0 && ns->allocated > 0) {
                        (void)kernel.fork(ns, {static_cast<int>(2 + random() % (kernel.pid_max - 2)),
                                               static_cast<int>(2 + random() % 8)});
                    }
                    break;
                default:
                    if (FakePid* pid = kernel.any(random()); pid != nullptr && pid->nr[pid->level] != 1) {
                        kernel.free(pid);
                    }
            }
        }
    }
    std::vector<FakeNs*> nested() {
        std::vector<FakeNs*> spaces = {kernel.root()};
        for (int i = 0; i < 4; ++i) {
            spaces.push_back(kernel.create_ns(spaces.back()));
        }
        for (FakeNs* ns : spaces) {
            (void)kernel.fork(ns);
        }
        return spaces;
    }

    CoreRun run;
    FakeKernel& kernel = FakeKernel::get();
    FakeHost& host = FakeHost::get();
};

TEST_F(LockstepTest, OnAndOff) {
    EXPECT_EQ(audit().lockstep, 0u);
    EXPECT_EQ(kt_core_mirror(KTWIN_LOCKSTEP_OFF), -EALREADY);
    host.lockstep_error = -ENOENT;
    EXPECT_EQ(kt_core_mirror(KTWIN_LOCKSTEP_ON), -ENOENT);
    host.lockstep_error = 0;
    on();
    EXPECT_EQ(kt_core_mirror(KTWIN_LOCKSTEP_ON), -EALREADY);
    EXPECT_TRUE(kt_core_lockstep_is_on());
    (void)kernel.fork(kernel.root());
    ktwin_audit report = expect_unpredicted(0);
    EXPECT_EQ(report.lockstep, 1u);
    EXPECT_EQ(report.allocations, 1u);
    EXPECT_EQ(report.lockstep_namespaces, 1u);
    EXPECT_EQ(kt_core_mirror(KTWIN_LOCKSTEP_OFF), 0);
    (void)kernel.fork(kernel.root());
    report = audit();
    EXPECT_EQ(report.lockstep, 0u);
    EXPECT_EQ(report.allocations, 1u);
    EXPECT_EQ(report.lockstep_namespaces, 0u);
    on();
    EXPECT_EQ(audit().allocations, 0u);
}

TEST_F(LockstepTest, SwitchingFindsNoMemory) {
    for (int nth = 1; nth <= 200; nth += 13) {
        host.fail_from(nth);
        const int result = kt_core_mirror(KTWIN_LOCKSTEP_ON);
        host.no_failures();
        EXPECT_TRUE(result == 0 || result == -ENOMEM);
        EXPECT_EQ(kt_core_mirror(KTWIN_LOCKSTEP_OFF), result == 0 ? 0 : -EALREADY);
    }
    on();
    live(nested(), 100);
    expect_unpredicted(0);
}

TEST_F(LockstepTest, PredictsEverything) {
    on();
    kernel.pid_max = 340;
    live(nested(), 10000);
    const ktwin_audit report = expect_unpredicted(0);
    EXPECT_EQ(report.lockstep_namespaces, 5u);
    EXPECT_GT(report.allocations, 6000u);
}

TEST_F(LockstepTest, TakesOverWhatIsThere) {
    const std::vector<FakeNs*> spaces = nested();
    kernel.pid_max = 400;
    live(spaces, 5000);
    // Numbers that are reserved and nobody's yet at the instant of arming.
    FakeKernel::Section open = kernel.begin_alloc(spaces[2]);
    on();
    live(spaces, 3000, 2);
    open.finish();
    live(spaces, 3000, 3);
    EXPECT_EQ(expect_unpredicted(0).lockstep_namespaces, 5u);
}

// More than one event reads: what is above the frontier meanwhile is read later, what is below is kept up to date.
TEST_F(LockstepTest, TakesOverMuch) {
    kernel.pid_max = 50000;
    for (int i = 0; i < 40000; ++i) {
        (void)kernel.fork(kernel.root());
    }
    on();
    std::mt19937 random(7);
    for (int i = 0; i < 3000; ++i) {
        if (FakePid* pid = kernel.any(random())) {
            kernel.free(pid);
        }
        (void)kernel.fork(kernel.root(), random() % 4 == 0
                                             ? std::vector<int>{1 + static_cast<int>(random() % 45000)}
                                             : std::vector<int>{});
    }
    const ktwin_audit report = audit();
    // 625 words, 512 an event; the second is whole, and is predicted.
    EXPECT_EQ(report.mispredicted, 0u);
    EXPECT_EQ(report.contradicted, 0u);
    EXPECT_EQ(report.adopting, 1u);
    EXPECT_EQ(report.allocations, report.predicted + report.adopting + report.twin_no_memory);
    EXPECT_GT(report.predicted, 2000u);
}

TEST_F(LockstepTest, MovedCursors) {
    on();
    const std::vector<FakeNs*> spaces = nested();
    kernel.write_last_pid(spaces[3], 500);
    kernel.write_last_pid(spaces[1], 77);
    // One that sets it where it is.
    kernel.write_last_pid(spaces[2], spaces[2]->cursor - 1);
    FakePid* pid = kernel.fork(spaces[4]);
    ASSERT_NE(pid, nullptr);
    EXPECT_EQ(pid->nr[3], 501);
    EXPECT_EQ(expect_unpredicted(2).cursor_set, 2u);
    live(spaces, 300);
    EXPECT_EQ(expect_unpredicted(2).cursor_set, 2u);
}

// The store comes after the request was seen, so the search began elsewhere.
TEST_F(LockstepTest, CursorMovedMeanwhile) {
    on();
    FakeNs* root = kernel.root();
    (void)kernel.fork(root);
    kt_alloc_call call = {};
    call.ns = kernel.key(root);
    call.cyclic = true;
    call.start = 1;
    call.end = kernel.pid_max;
    ASSERT_TRUE(kt_core_lockstep_request(&call));
    kt_core_lockstep_cursor_write_begins(call.ns);
    root->ids[900] = nullptr;
    root->cursor = 901;
    kt_core_lockstep_result(&call, 900);
    kt_core_lockstep_cursor_write_ends(call.ns, true);
    EXPECT_EQ(expect_unpredicted(1).cursor_set, 1u);
    EXPECT_EQ(kernel.fork(root)->nr[0], 901);
    EXPECT_EQ(expect_unpredicted(1).cursor_set, 1u);
}

// What no cursor explains is no prediction that was impossible, whoever writes to ns_last_pid meanwhile; nor is anything
// that differs once a write was refused.
TEST_F(LockstepTest, WritesHideNothing) {
    on();
    FakeNs* root = kernel.root();
    const FakePid* pid = kernel.fork(root);
    kt_alloc_call call = {};
    call.ns = kernel.key(root);
    call.cyclic = true;
    call.start = 1;
    call.end = kernel.pid_max;
    const auto told = [&](int result) {
        kt_core_lockstep_cursor_write_begins(call.ns);
        ASSERT_TRUE(kt_core_lockstep_request(&call));
        kt_core_lockstep_result(&call, result);
        kt_core_lockstep_cursor_write_ends(call.ns, false);
    };
    told(pid->nr[0]);
    told(-ENOSPC);
    told(kernel.pid_max);
    ASSERT_TRUE(kt_core_lockstep_request(&call));
    kt_core_lockstep_result(&call, 700);
    EXPECT_EQ(audit().cursor_set, 0u);
    EXPECT_EQ(audit().mispredicted, 4u);
}

TEST_F(LockstepTest, CursorMovedByNobody) {
    on();
    FakeNs* root = kernel.root();
    (void)kernel.fork(root);
    root->cursor = 600;
    (void)kernel.fork(root);
    (void)kernel.fork(root);
    expect_unpredicted(0, 1);
}

TEST_F(LockstepTest, FirstForkFails) {
    on();
    FakeNs* ns = kernel.create_ns(kernel.root());
    FakePid* other = kernel.fork(kernel.root());
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(kernel.fork(ns, {1, other->nr[0]}), nullptr);
    }
    kernel.pid_max = kernel.root()->cursor;
    for (int i = 1; i < kernel.pid_max; ++i) {
        (void)kernel.fork(kernel.root());
    }
    // It has number 1 and the cursor is behind it; in the first namespace there is none left.
    EXPECT_EQ(kernel.fork(ns), nullptr);
    EXPECT_EQ(ns->cursor, 0);
    kernel.pid_max = 400;
    EXPECT_EQ(kernel.fork(ns)->nr[1], 1);
    expect_unpredicted(0);
}

TEST_F(LockstepTest, DyingNamespace) {
    on();
    FakeNs* ns = kernel.create_ns(kernel.root());
    FakePid* init = kernel.fork(ns);
    FakePid* keeper = kernel.fork(ns);
    kernel.free(init);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(kernel.fork(ns), nullptr);
    }
    kernel.free(keeper);
    EXPECT_EQ(expect_unpredicted(0).lockstep_namespaces, 2u);
    kernel.destroy_ns(ns);
    EXPECT_EQ(audit().lockstep_namespaces, 1u);
}

TEST_F(LockstepTest, KernelHasNoMemory) {
    on();
    const std::vector<FakeNs*> spaces = nested();
    for (int i = 0; i < 20; ++i) {
        live(spaces, 50, static_cast<unsigned>(i));
        kernel.no_memory = 1;
        EXPECT_EQ(kernel.fork(spaces[static_cast<size_t>(i % 5)]), nullptr);
    }
    EXPECT_EQ(expect_unpredicted(20).kernel_no_memory, 20u);
}

// Without memory nothing is predicted, and nothing is wrong; with it, it finds back.
TEST_F(LockstepTest, TwinHasNoMemory) {
    host.set_rt(true);
    on();
    for (int i = 0; i < 40; ++i) {
        FakeNs* ns = kernel.create_ns(kernel.root());
        (void)kernel.fork(ns);
    }
    // More leaves than there were at the start, and nobody refills.
    kernel.pid_max = 50000;
    for (int i = 0; i < 40000; ++i) {
        (void)kernel.fork(kernel.root());
    }
    ktwin_audit report = audit();
    EXPECT_GT(report.twin_no_memory, 0u);
    EXPECT_EQ(report.mispredicted, 0u);
    EXPECT_EQ(report.contradicted, 0u);
    EXPECT_EQ(report.allocations, report.predicted + report.twin_no_memory + report.adopting);
    for (int i = 0; i < 8; ++i) {
        kt_core_maintain();
        (void)kernel.fork(kernel.root());
    }
    const uint64_t predicted = audit().predicted;
    for (int i = 0; i < 100; ++i) {
        (void)kernel.fork(kernel.root());
    }
    EXPECT_EQ(audit().predicted, predicted + 100);
}

TEST_F(LockstepTest, NamespacesThatCannotBeFollowed) {
    host.set_rt(true);
    on();
    std::vector<FakeNs*> spaces;
    for (int i = 0; i < 200; ++i) {
        spaces.push_back(kernel.create_ns(kernel.root()));
        (void)kernel.fork(spaces.back());
    }
    EXPECT_GT(audit().unfollowed, 0u);
    for (int round = 0; round < 3; ++round) {
        kt_core_maintain();
        for (FakeNs* ns : spaces) {
            (void)kernel.fork(ns);
        }
    }
    EXPECT_EQ(audit().lockstep_namespaces, 201u);
    EXPECT_EQ(audit().mispredicted, 0u);
}

// An event the kernel skipped, of any kind: what went wrong by it is named, and everything is read anew.
TEST_F(LockstepTest, MissedEvents) {
    on();
    kernel.pid_max = 360;
    const std::vector<FakeNs*> spaces = nested();
    for (unsigned i = 0; i < 200; ++i) {
        kernel.skip = 1 + static_cast<int>(i % 3);
        live(spaces, 60, i);
    }
    const ktwin_audit report = audit();
    EXPECT_EQ(report.mispredicted, 0u);
    EXPECT_EQ(report.contradicted, 0u);
    EXPECT_EQ(report.skipped, 399u);
    EXPECT_EQ(report.allocations, report.predicted + report.missed);
}

// The end of a namespace that the kernel skipped, and another in the same memory.
TEST_F(LockstepTest, MissedEnd) {
    on();
    FakeNs* ns = kernel.create_ns(kernel.root());
    FakePid* init = kernel.fork(ns);
    FakePid* pid = kernel.fork(ns);
    kernel.free(pid);
    kernel.free(init);
    kernel.skip = 1;
    kernel.rebirth_ns(ns);
    EXPECT_EQ(kernel.fork(ns)->nr[1], 1);
    EXPECT_EQ(kernel.fork(ns)->nr[1], 2);
    EXPECT_EQ(audit().skipped, 1u);
    EXPECT_EQ(expect_unpredicted(0).lockstep_namespaces, 2u);
}

TEST_F(LockstepTest, DeadProbesAreSaid) {
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    on();
    (void)kernel.fork(kernel.root());
    EXPECT_EQ(audit().complete, 1u);
    host.lockstep_alive = false;
    EXPECT_EQ(audit().complete, 0u);
    EXPECT_EQ(audit().why, KTWIN_WHY_PROBE_DISARMED);
    kernel.hooks = false;
    for (int i = 0; i < 10; ++i) {
        (void)kernel.fork(kernel.root());
    }
    kernel.hooks = true;
    host.lockstep_alive = true;
    kt_core_maintain();
    (void)kernel.fork(kernel.root());
    expect_unpredicted(0);
}

TEST_F(LockstepTest, MispredictionIsADivergence) {
    EXPECT_EQ(run.inject(KTWIN_INJECT_MISPREDICT, 1), -ENODATA);
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    on();
    const std::vector<FakeNs*> spaces = nested();
    EXPECT_EQ(run.inject(KTWIN_INJECT_MISPREDICT, -1), -EINVAL);
    EXPECT_EQ(run.inject(KTWIN_INJECT_MISPREDICT, 1), 0);
    const int given = kernel.fork(spaces[3])->nr[3];
    live(spaces, 500);
    const ktwin_audit report = expect_unpredicted(0, 1);
    EXPECT_EQ(report.differences_total, 1u);
    EXPECT_EQ(report.differences, 0u);
    const std::vector<ktwin_divergence> seen = run.divergences();
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].kind, unsigned{KTWIN_MISPREDICTED});
    EXPECT_EQ(seen[0].ns, spaces[3]->inode);
    EXPECT_EQ(seen[0].nr, given);
    EXPECT_EQ(seen[0].kernel_nr, given);
    EXPECT_EQ(seen[0].twin_nr, given + 1);
    EXPECT_EQ(host.traced_mismatches, 1u);
    // Who sees the namespace is told, who does not is not, and neither is told of counters of the whole system.
    EXPECT_EQ(run.divergences(kernel.key(spaces[1])).size(), 1u);
    EXPECT_EQ(run.divergences(kernel.key(spaces[4])).size(), 0u);
    EXPECT_EQ(run.audit(kernel.key(spaces[1])).allocations, 0u);
}

// The memory of a namespace is used for the next one.
TEST_F(LockstepTest, ReusedKeys) {
    on();
    for (int i = 0; i < 300; ++i) {
        FakeNs* ns = kernel.create_ns(kernel.root());
        FakePid* init = kernel.fork(ns);
        FakePid* second = kernel.fork(ns);
        EXPECT_EQ(second->nr[1], 2);
        kernel.free(second);
        kernel.free(init);
        kernel.destroy_ns(ns);
    }
    EXPECT_EQ(expect_unpredicted(0).lockstep_namespaces, 1u);
}

TEST_F(LockstepTest, OtherIdrs) {
    on();
    kt_alloc_call call = {};
    call.ns = 0x1234560;
    EXPECT_FALSE(kt_core_lockstep_request(&call));
    kt_core_lockstep_result(&call, 7);
    kt_core_lockstep_removed(call.ns, 7, false);
    kt_core_lockstep_gone(call.ns);
    kt_core_lockstep_cursor_write_begins(call.ns);
    EXPECT_EQ(audit().allocations, 0u);
}

}  // namespace
