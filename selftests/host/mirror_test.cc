// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "fake_kernel.h"

namespace {

class MirrorTest : public ::testing::Test {
  protected:
    MirrorTest() { EXPECT_EQ(run.created(), 0); }
    unsigned state() { return run.status().state; }
    unsigned why() { return run.status().why; }
    void on() { ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0); }
    void maintain_later(uint64_t ns = 1000000000) {
        FakeHost::get().advance(ns);
        kt_core_maintain();
    }

    CoreRun run;
    FakeKernel& kernel = FakeKernel::get();
    FakeHost& host = FakeHost::get();
};

TEST_F(MirrorTest, States) {
    EXPECT_EQ(state(), unsigned{KTWIN_OFF});
    EXPECT_EQ(why(), KTWIN_WHY_OFF);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), -EALREADY);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_RESYNC), -ENODATA);
    EXPECT_EQ(kt_core_mirror(77), -EINVAL);
    on();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
    EXPECT_EQ(why(), 0u);
    EXPECT_EQ(kt_core_epoch(), 1u);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), -EALREADY);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_RESYNC), 0);
    EXPECT_EQ(kt_core_epoch(), 2u);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), 0);
    EXPECT_FALSE(host.probes_on);
    EXPECT_EQ(state(), unsigned{KTWIN_OFF});
}

TEST_F(MirrorTest, ProbesThatCannotBePlaced) {
    host.probes_error = -ENODEV;
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), -ENODEV);
    EXPECT_EQ(state(), unsigned{KTWIN_OFF});
    host.probes_error = 0;
    on();
}

TEST_F(MirrorTest, CountsEvents) {
    on();
    FakePid* pid = kernel.alloc(kernel.root());
    kernel.fail_fork(kernel.root());
    kernel.free(pid);
    const ktwin_status status = run.status();
    EXPECT_EQ(status.allocs, 1u);
    EXPECT_EQ(status.frees, 1u);
    EXPECT_EQ(status.unknown_frees, 1u);
    EXPECT_EQ(host.traced_allocs, 1u);
    EXPECT_EQ(host.traced_frees, 1u);
    EXPECT_EQ(host.traced_new, 1u) << "the initial namespace";
}

TEST_F(MirrorTest, NamespacesComeAndGo) {
    kernel.alloc(kernel.root());
    on();
    FakeNs* child = kernel.create_ns(kernel.root());
    FakePid* init = kernel.alloc(child);
    FakePid* other = kernel.alloc(child);
    ASSERT_EQ(run.namespaces().size(), 2u);
    EXPECT_EQ(run.namespaces()[1].parent, kernel.root()->inode);
    EXPECT_NE(run.namespaces()[1].first_seen_ns, 0u);
    kernel.free(other);
    kernel.free(init);
    EXPECT_EQ(run.namespaces().size(), 1u);
    EXPECT_EQ(host.traced_gone, 1u);
    // The same address again, another inode: a new namespace.
    child->inode = 99;
    child->cursor = 0;
    kernel.alloc(child);
    ASSERT_EQ(run.namespaces().size(), 2u);
    EXPECT_EQ(run.namespaces()[1].inode, 99u);
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
}

TEST_F(MirrorTest, DeepNamespaces) {
    on();
    FakeNs* ns = kernel.root();
    for (int level = 1; level < KTWIN_LEVELS; ++level) {
        ns = kernel.create_ns(ns);
    }
    FakePid* pid = kernel.alloc(ns);
    EXPECT_EQ(run.namespaces().size(), size_t{KTWIN_LEVELS});
    EXPECT_EQ(run.wrong_numbers(), 0u);
    kernel.free(pid);
    EXPECT_EQ(run.status().state, unsigned{KTWIN_LIVE});
    EXPECT_EQ(host.traced_gone, 33u) << "the initial one had but this";
}

TEST_F(MirrorTest, DoubtForNoMemoryAndResync) {
    on();
    ASSERT_EQ(run.inject(KTWIN_INJECT_NO_MEMORY, 2), 0);
    const int kicks = host.kicks();
    kernel.alloc(kernel.root());
    EXPECT_EQ(state(), unsigned{KTWIN_INCOMPLETE});
    EXPECT_EQ(why(), KTWIN_WHY_NO_MEMORY);
    EXPECT_EQ(run.status().doubts, 1u);
    EXPECT_GT(host.kicks(), kicks);
    kernel.alloc(kernel.root());
    kernel.alloc(kernel.root());
    kt_core_maintain();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
    EXPECT_EQ(run.wrong_numbers(), 0u);
    EXPECT_EQ(kt_core_epoch(), 2u);
}

TEST_F(MirrorTest, DoubtForConflict) {
    on();
    kernel.alloc(kernel.root());
    kernel.hooks = false;
    FakePid* unseen = kernel.any(0);
    const int nr = unseen->nr[0];
    kernel.free(unseen);
    kernel.hooks = true;
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE}) << "nobody noticed";
    kernel.alloc_at(kernel.root(), {nr});
    EXPECT_EQ(state(), unsigned{KTWIN_INCOMPLETE});
    EXPECT_EQ(why(), KTWIN_WHY_CONFLICT);
    kt_core_maintain();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
    EXPECT_EQ(run.wrong_numbers(), 0u);
}

// The namespaces made for a pid that then cannot be stored are not left behind (the run's end looks).
TEST_F(MirrorTest, ConflictInANewNamespace) {
    kernel.alloc(kernel.root());
    on();
    ASSERT_EQ(run.inject(KTWIN_INJECT_ADD, 2), 0);
    FakeNs* child = kernel.create_ns(kernel.create_ns(kernel.root()));
    kernel.alloc(child);
    EXPECT_EQ(why(), KTWIN_WHY_CONFLICT);
    EXPECT_EQ(run.namespaces().size(), 1u);
    EXPECT_EQ(run.namespaces()[0].children, 0u);
}

// A namespace that goes unseen, and another at its address with another inode, or elsewhere in the tree.
TEST_F(MirrorTest, ConflictOverANamespace) {
    kernel.alloc(kernel.root());
    on();
    FakeNs* child = kernel.create_ns(kernel.root());
    FakePid* init = kernel.alloc(child);
    kernel.hooks = false;
    kernel.free(init);
    kernel.hooks = true;
    child->inode = 5;
    child->cursor = 0;
    kernel.root()->cursor = 100;
    kernel.alloc(child);
    EXPECT_EQ(why(), KTWIN_WHY_CONFLICT);
    kt_core_maintain();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
    EXPECT_EQ(run.wrong_numbers(), 0u);
}

TEST_F(MirrorTest, DoubtForMissedProbe) {
    on();
    host.probes_missed = 3;
    kt_core_maintain();
    EXPECT_EQ(run.status().probe_missed, 3u);
    EXPECT_EQ(run.status().doubts, 1u);
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE}) << "populated anew by the same maintenance";
    maintain_later();
    EXPECT_EQ(run.status().doubts, 1u) << "the same three";
}

TEST_F(MirrorTest, SkippedCountsAsMissed) {
    on();
    ASSERT_EQ(run.inject(KTWIN_INJECT_SKIP, 2), 0);
    kernel.alloc(kernel.root());
    kernel.alloc(kernel.root());
    kernel.alloc(kernel.root());
    EXPECT_EQ(run.status().pids, 1u);
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.complete, 0u);
    EXPECT_TRUE(report.why & KTWIN_WHY_PROBE_MISSED);
    EXPECT_EQ(run.status().probe_missed, 2u);
    maintain_later();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
    EXPECT_EQ(run.wrong_numbers(), 0u);
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), 0);
    on();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE}) << "not missed again";
}

TEST_F(MirrorTest, DisarmedProbesWaitForTheirReturn) {
    on();
    host.probes_alive = false;
    kt_core_maintain();
    EXPECT_EQ(state(), unsigned{KTWIN_INCOMPLETE});
    EXPECT_EQ(why(), KTWIN_WHY_PROBE_DISARMED);
    maintain_later();
    EXPECT_EQ(state(), unsigned{KTWIN_INCOMPLETE});
    host.probes_alive = true;
    maintain_later();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
}

TEST_F(MirrorTest, BacksOff) {
    on();
    uint64_t resyncs = 0;
    for (int second = 0; second < 200; ++second) {
        ASSERT_EQ(run.inject(KTWIN_INJECT_NO_MEMORY, 1), 0);
        kernel.free(kernel.alloc(kernel.root()));
        const uint64_t before = kt_core_epoch();
        maintain_later();
        resyncs += kt_core_epoch() - before;
    }
    EXPECT_GE(resyncs, 8u);
    EXPECT_LE(resyncs, 10u) << "1 + 2 + 4 + ... + 60 + 60 seconds";
}

TEST_F(MirrorTest, PopulationWithoutMemory) {
    for (int i = 0; i < 100; ++i) {
        kernel.alloc(kernel.root());
    }
    host.fail_from(1);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), -ENOMEM);
    EXPECT_EQ(state(), unsigned{KTWIN_OFF});
    EXPECT_FALSE(host.probes_on);
    host.no_failures();
    on();
    host.fail_from(1);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_RESYNC), -ENOMEM);
    EXPECT_EQ(state(), unsigned{KTWIN_INCOMPLETE});
    EXPECT_EQ(why(), KTWIN_WHY_NO_MEMORY);
    host.no_failures();
    maintain_later();
    EXPECT_EQ(state(), unsigned{KTWIN_LIVE});
    EXPECT_EQ(run.wrong_numbers(), 0u);
}

TEST(MirrorLimit, TooManyPids) {
    CoreRun run(32);
    ASSERT_EQ(run.created(), -ENOMEM) << "not one for each level";
}

TEST(MirrorLimit, SmallLimit) {
    CoreRun run(500);
    ASSERT_EQ(run.created(), 0);
    FakeKernel& kernel = FakeKernel::get();
    for (int i = 0; i < 300; ++i) {
        kernel.alloc(kernel.root());
    }
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    EXPECT_EQ(run.wrong_numbers(), 0u);
}

TEST(MirrorLimit, AtTheLimitItSaysSo) {
    CoreRun run(6000);
    ASSERT_EQ(run.created(), 0);
    FakeKernel& kernel = FakeKernel::get();
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    for (int i = 0; i < 7000; ++i) {
        kernel.alloc(kernel.root());
        kt_core_maintain();
    }
    EXPECT_EQ(run.status().state, unsigned{KTWIN_INCOMPLETE});
    EXPECT_EQ(run.status().why, KTWIN_WHY_NO_MEMORY);
    EXPECT_GT(run.status().pid_pool.failed, 0u);
    EXPECT_LE(run.status().pid_pool.total, 6000u);
    kernel.free_all();
    FakeHost::get().advance(100000000000);
    kt_core_maintain();
    EXPECT_EQ(run.status().state, unsigned{KTWIN_LIVE});
}

// PREEMPT_RT: nothing can be allocated from a hook. The pools must carry a fork storm between two kicks.
TEST(MirrorRt, SurvivesStorms) {
    CoreRun run(1000000);
    FakeKernel& kernel = FakeKernel::get();
    FakeHost::get().set_rt(true);
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    kernel.alloc(kernel.root());
    FakeNs* deep[8] = {kernel.root()};
    for (int level = 1; level < 8; ++level) {
        deep[level] = kernel.create_ns(deep[level - 1]);
        kernel.alloc(deep[level]);
    }
    int kicks = FakeHost::get().kicks();
    for (int i = 0; i < 40000; ++i) {
        kernel.alloc(deep[i % 8]);
        if (kernel.live() > 3000) {
            kernel.free(kernel.any(static_cast<unsigned>(i * 2654435761u) | 64));
        }
        // The host's thread comes 200 events after it was called.
        if (FakeHost::get().kicks() != kicks && i % 200 == 0) {
            kicks = FakeHost::get().kicks();
            kt_core_maintain();
        }
    }
    EXPECT_EQ(run.status().doubts, 0u);
    EXPECT_EQ(run.status().pid_pool.failed, 0u);
    EXPECT_EQ(run.wrong_numbers(), 0u);
}

}  // namespace
