// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <map>

#include "fake_kernel.h"

namespace {

class AuditTest : public ::testing::Test {
  protected:
    AuditTest() {
        EXPECT_EQ(run.created(), 0);
        for (int i = 0; i < 20; ++i) {
            kernel.alloc(kernel.root());
        }
        child = kernel.create_ns(kernel.root());
        for (int i = 0; i < 10; ++i) {
            kernel.alloc(child);
        }
        EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    }
    void expect(unsigned differences, std::map<unsigned, unsigned> kinds) {
        const ktwin_audit report = run.audit();
        EXPECT_EQ(report.complete, 1u) << report.why;
        EXPECT_EQ(report.differences, differences);
        std::map<unsigned, unsigned> seen;
        for (const ktwin_divergence& divergence : run.divergences()) {
            ++seen[divergence.kind];
            EXPECT_EQ(divergence.passes, 1u);
        }
        EXPECT_EQ(seen, kinds);
        EXPECT_EQ(FakeHost::get().traced_mismatches, differences);
    }

    CoreRun run;
    FakeKernel& kernel = FakeKernel::get();
    FakeNs* child;
};

TEST_F(AuditTest, Nothing) {
    expect(0, {});
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.checked, 40u);
    EXPECT_EQ(report.pids, 30u);
    EXPECT_EQ(report.namespaces, 2u);
    EXPECT_EQ(report.passes, 2u);
    EXPECT_EQ(report.passes_complete, 2u);
    EXPECT_EQ(report.checked_total, 80u);
    EXPECT_EQ(report.transients, 0u);
}

TEST_F(AuditTest, DropAtTheTop) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 5), 0);
    expect(1, {{KTWIN_ONLY_KERNEL, 1}});
    const ktwin_divergence divergence = run.divergences()[0];
    EXPECT_EQ(divergence.nr, 5);
    EXPECT_EQ(divergence.ns, kernel.root()->inode);
    EXPECT_NE(divergence.kernel_hash, 0u);
    EXPECT_EQ(divergence.twin_hash, 0u);
}

TEST_F(AuditTest, DropInAChild) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 3, child->inode), 0);
    expect(1, {{KTWIN_ONLY_KERNEL, 1}});
    EXPECT_EQ(run.divergences()[0].ns, child->inode);
}

TEST_F(AuditTest, AddAtTheTop) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_ADD, 500), 0);
    EXPECT_EQ(run.inject(KTWIN_INJECT_ADD, 500), -EEXIST);
    expect(1, {{KTWIN_ONLY_TWIN, 1}});
    EXPECT_NE(run.divergences()[0].twin_serial, 0u);
    EXPECT_EQ(run.audit().checked, 41u);
}

TEST_F(AuditTest, AddInAChild) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_ADD, 500, child->inode), 0);
    expect(1, {{KTWIN_ONLY_TWIN, 1}});
}

TEST_F(AuditTest, SwapAtTheTop) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_SWAP, 7), 0);
    expect(1, {{KTWIN_OTHER_PID, 1}});
    EXPECT_NE(run.divergences()[0].twin_hash, run.divergences()[0].kernel_hash);
}

TEST_F(AuditTest, SwapInAChild) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_SWAP, 7, child->inode), 0);
    expect(1, {{KTWIN_OTHER_PID, 1}});
}

// The pid of the child is dropped at the top: its number in the child then hangs in the air.
TEST_F(AuditTest, Broken) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 25), 0);
    expect(2, {{KTWIN_ONLY_KERNEL, 1}, {KTWIN_TWIN_BROKEN, 1}});
}

TEST_F(AuditTest, MissedEvents) {
    kernel.hooks = false;
    kernel.alloc(child);
    kernel.free(kernel.any(3));
    // Two numbers of the new one, one of the old.
    expect(3, {{KTWIN_ONLY_KERNEL, 2}, {KTWIN_ONLY_TWIN, 1}});
}

TEST_F(AuditTest, MissedNamespace) {
    kernel.hooks = false;
    FakeNs* unseen = kernel.create_ns(child);
    kernel.alloc(unseen);
    expect(3, {{KTWIN_ONLY_KERNEL, 3}});
}

// A number in a child's idr that no struct pid at level 0 names: only the walk over the child sees it.
TEST_F(AuditTest, OnlyInTheChildsIdr) {
    FakePid stray;
    stray.level = 1;
    stray.ns = {kernel.root(), child};
    stray.nr = {29, 77};
    child->ids[77] = &stray;
    expect(1, {{KTWIN_ONLY_KERNEL, 1}});
    child->ids.erase(77);
}

TEST_F(AuditTest, KeptAndCountedOnce) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 5), 0);
    EXPECT_EQ(run.audit().differences, 1u);
    EXPECT_EQ(run.audit().differences, 1u);
    ASSERT_EQ(run.inject(KTWIN_INJECT_ADD, 600), 0);
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.differences, 2u);
    EXPECT_EQ(report.differences_total, 2u);
    const auto divergences = run.divergences();
    ASSERT_EQ(divergences.size(), 2u);
    EXPECT_EQ(divergences[0].index, 1u);
    EXPECT_EQ(divergences[0].passes, 3u);
    EXPECT_GT(divergences[0].last_ns, divergences[0].time_ns);
    EXPECT_EQ(divergences[1].passes, 1u);
    EXPECT_EQ(FakeHost::get().traced_mismatches, 2u);
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_RESYNC), 0);
    EXPECT_EQ(run.audit().differences, 0u) << "undone";
    EXPECT_EQ(run.divergences().size(), 2u) << "but not forgotten";
}

// The cursor of a bulk read is whatever a caller says.
TEST_F(AuditTest, CursorsThatNobodyGaveOut) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_ADD, 4242), 0);
    run.audit();
    ASSERT_EQ(run.divergences().size(), 1u);
    for (const __u64 said : {~0ULL, ~0ULL - 1, 1ULL << 63, 1ULL << 32, 513ULL, 2ULL, 1ULL}) {
        ktwin_divergence divergence = {};
        ktwin_ns ns = {};
        ktwin_pid pid = {};
        __u64 cursor = said;
        bool more = true;
        EXPECT_EQ(kt_core_read_divergences(kt_host_init_ns(), &cursor, &divergence, 1, &more), 0) << said;
        EXPECT_FALSE(more);
        cursor = said;
        EXPECT_LE(0, kt_core_read_namespaces(kt_host_init_ns(), 0, &cursor, &ns, 1, &more)) << said;
        cursor = said;
        EXPECT_LE(0, kt_core_read_pids(kt_host_init_ns(), 0, &cursor, &pid, 1, &more)) << said;
    }
}

TEST_F(AuditTest, ManyNeverHideALaterOne) {
    kernel.pid_max = 4194304;
    for (int i = 0; i < 3000; ++i) {
        ASSERT_EQ(run.inject(KTWIN_INJECT_ADD, 1000 + i), 0);
    }
    EXPECT_EQ(run.audit().differences, 3000u);
    auto divergences = run.divergences();
    ASSERT_EQ(divergences.size(), 1024u);
    EXPECT_EQ(divergences[0].index, 1u);
    EXPECT_EQ(divergences[511].index, 512u);
    EXPECT_EQ(divergences[512].index, 2489u);
    EXPECT_EQ(divergences[1023].index, 3000u);
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 1), 0);
    run.audit();
    bool seen = false;
    for (const ktwin_divergence& divergence : run.divergences()) {
        seen = seen || divergence.kind == KTWIN_ONLY_KERNEL;
    }
    EXPECT_TRUE(seen);
}

TEST_F(AuditTest, NotCompleteWhenNotLive) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_NO_MEMORY, 1), 0);
    kernel.alloc(kernel.root());
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.complete, 0u);
    EXPECT_EQ(report.why, KTWIN_WHY_NO_MEMORY);
    EXPECT_EQ(report.differences, 0u);
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), 0);
    EXPECT_EQ(run.audit().why, KTWIN_WHY_OFF);
    EXPECT_EQ(run.audit().complete, 0u);
}

TEST_F(AuditTest, DisarmedProbe) {
    FakeHost::get().probes_alive = false;
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.complete, 0u);
    EXPECT_EQ(report.why & KTWIN_WHY_PROBE_DISARMED, KTWIN_WHY_PROBE_DISARMED);
    EXPECT_EQ(run.status().state, unsigned{KTWIN_INCOMPLETE});
}

TEST_F(AuditTest, MissedProbeDuringThePass) {
    kernel.after_read = [] { FakeHost::get().probes_missed = 1; };
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.complete, 0u);
    EXPECT_TRUE(report.why & KTWIN_WHY_PROBE_MISSED);
    EXPECT_TRUE(report.why & KTWIN_WHY_CHANGED);
    kernel.after_read = nullptr;
}

// A doubt in the middle, and events that were not stored: no difference is reported, and the pass is not complete.
TEST_F(AuditTest, DoubtDuringThePass) {
    for (int nth = 1; nth < 25; ++nth) {
        int reads = 0;
        kernel.after_read = [&] {
            if (++reads == nth) {
                EXPECT_EQ(run.inject(KTWIN_INJECT_NO_MEMORY, 5), 0);
                for (int i = 0; i < 5; ++i) {
                    kernel.alloc(child);
                }
            }
        };
        const ktwin_audit report = run.audit();
        EXPECT_EQ(report.complete, 0u);
        EXPECT_EQ(report.differences, 0u);
        EXPECT_EQ(report.why, KTWIN_WHY_NO_MEMORY | KTWIN_WHY_CHANGED);
        kernel.after_read = nullptr;
        FakeHost::get().advance(1000000000000);
        kt_core_maintain();
        ASSERT_EQ(run.status().state, unsigned{KTWIN_LIVE});
    }
}

TEST_F(AuditTest, Interrupted) {
    FakeHost::get().on_breathe = [](uint64_t) { return false; };
    ktwin_audit report = {};
    const kt_audit_budget budget = {64, 10};
    for (int i = 0; i < 10; ++i) {
        kernel.alloc(kernel.root());
    }
    for (int i = 0; i < 200; ++i) {
        kernel.alloc(child);
    }
    EXPECT_EQ(kt_core_audit(kt_host_init_ns(), &budget, &report), -EINTR);
    FakeHost::get().on_breathe = nullptr;
    EXPECT_EQ(run.audit().complete, 1u);
}

TEST_F(AuditTest, KeepsToItsShare) {
    uint64_t slept = 0;
    FakeHost::get().on_breathe = [&](uint64_t ns) {
        slept += ns;
        return true;
    };
    for (int i = 0; i < 2000; ++i) {
        kernel.alloc(child);
    }
    ktwin_audit report = {};
    const kt_audit_budget budget = {64, 10};
    ASSERT_EQ(kt_core_audit(kt_host_init_ns(), &budget, &report), 0);
    EXPECT_NEAR(static_cast<double>(slept), static_cast<double>(report.duration_ns) * 0.9,
                static_cast<double>(report.duration_ns) * 0.1);
}

TEST_F(AuditTest, Background) {
    ktwin_audit report = {};
    EXPECT_EQ(kt_core_audit_last(kt_host_init_ns(), &report), -ENODATA);
    const kt_audit_budget budget = {4096, 100};
    ASSERT_EQ(kt_core_audit_background(&budget), 0);
    ASSERT_EQ(kt_core_audit_last(kt_host_init_ns(), &report), 0);
    EXPECT_EQ(report.checked, 40u);
    EXPECT_EQ(report.complete, 1u);
    EXPECT_EQ(kt_core_audit_last(kernel.key(child), &report), -ENODATA) << "was not of its view";
}

TEST_F(AuditTest, ScopedToTheViewer) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 5), 0);
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 3, child->inode), 0);
    const ktwin_audit report = run.audit(kernel.key(child));
    EXPECT_EQ(report.pids, 10u);
    EXPECT_EQ(report.checked, 10u);
    EXPECT_EQ(report.namespaces, 1u);
    EXPECT_EQ(report.differences, 1u);
    EXPECT_EQ(report.differences_total, 1u);
    EXPECT_EQ(report.passes, 0u);
    EXPECT_EQ(report.checked_total, 0u);
    ASSERT_EQ(run.divergences(kernel.key(child)).size(), 1u);
    EXPECT_EQ(run.divergences(kernel.key(child))[0].nr, 3);
    run.audit();
    EXPECT_EQ(run.divergences().size(), 2u);
    EXPECT_EQ(run.divergences(kernel.key(child)).size(), 1u);
    EXPECT_EQ(run.divergences(12345).size(), 0u) << "nobody";
}

// The viewer lives in a namespace that the twin missed: that is a difference, not an empty success.
TEST_F(AuditTest, ViewerTheTwinMissed) {
    kernel.hooks = false;
    FakeNs* unseen = kernel.create_ns(child);
    kernel.alloc(unseen);
    kernel.alloc(unseen);
    const ktwin_audit report = run.audit(kernel.key(unseen));
    EXPECT_EQ(report.checked, 2u);
    EXPECT_EQ(report.differences, 2u);
}

// --- no false positives ------------------------------------------------------------------------------------------

// A pass during which a critical section is open: begun and stopped after "steps" steps at the nth read of the kernel,
// finished in the next grace period, as every section is.
class OpenSection : public AuditTest {
  protected:
    using Begin = std::function<FakeKernel::Section()>;

    bool audit_with(int nth, size_t steps, const Begin& begin) {
        FakeKernel::Section section;
        int reads = 0;
        bool begun = false;
        kernel.after_read = [&] {
            if (++reads == nth) {
                begun = true;
                section = begin();
                for (size_t i = 0; i < steps; ++i) {
                    section.advance();
                }
            }
        };
        FakeHost::get().on_synchronize = [&] { section.finish(); };
        const ktwin_audit report = run.audit();
        kernel.after_read = nullptr;
        FakeHost::get().on_synchronize = nullptr;
        section.finish();
        EXPECT_EQ(report.differences, 0u) << "read " << nth << ", step " << steps;
        EXPECT_EQ(report.complete, 1u);
        EXPECT_EQ(run.wrong_numbers(), 0u);
        return begun;
    }
};

TEST_F(OpenSection, Alloc) {
    kernel.pid_max = 200;
    for (size_t steps = 0; steps <= 3; ++steps) {
        for (int nth = 1; audit_with(nth, steps, [&] { return kernel.begin_alloc(child); }) && nth < 100;
             ++nth) {
            kernel.free(kernel.any(static_cast<unsigned>(nth * 17)));
            if (child->ids.empty()) {
                break;
            }
        }
    }
}

TEST_F(OpenSection, Free) {
    kernel.pid_max = 2000;
    for (size_t steps = 0; steps <= 3; ++steps) {
        for (int nth = 1; nth < 30; ++nth) {
            FakePid* victim = kernel.alloc(nth % 2 != 0 ? child : kernel.root());
            if (!audit_with(nth, steps, [&] { return kernel.begin_free(victim); })) {
                kernel.free(victim);
            }
        }
    }
}

// Section after section on the same numbers: every reading of the audit falls into one.
TEST_F(OpenSection, OneAfterTheOther) {
    for (size_t steps = 1; steps <= 2; ++steps) {
        FakeKernel::Section section;
        FakePid* pid = nullptr;
        bool alive = false;
        const auto next = [&] {
            section.finish();
            section = alive ? kernel.begin_free(pid) : kernel.begin_alloc_at(child, {150, 150});
            pid = section.pid;
            alive = !alive;
            for (size_t i = 0; i < steps; ++i) {
                section.advance();
            }
        };
        kernel.after_read = next;
        FakeHost::get().on_synchronize = next;
        for (int i = 0; i < 50; ++i) {
            const ktwin_audit report = run.audit();
            EXPECT_EQ(report.differences, 0u);
        }
        kernel.after_read = nullptr;
        FakeHost::get().on_synchronize = nullptr;
        section.finish();
        if (alive) {
            kernel.free(pid);
        }
        EXPECT_EQ(run.wrong_numbers(), 0u);
    }
}

// And still a real one among the transients is found.
TEST_F(OpenSection, RealAmongTransients) {
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 9), 0);
    FakeKernel::Section section;
    kernel.after_read = [&] {
        section.finish();
        section = kernel.begin_alloc(child);
        section.advance();
        section.advance();
    };
    FakeHost::get().on_synchronize = [&] { section.finish(); };
    const kt_audit_budget budget = {64, 100};
    ktwin_audit report = {};
    int reads = 0;
    auto more = kernel.after_read;
    kernel.after_read = [&] {
        if (++reads < 40) {
            more();
        }
    };
    ASSERT_EQ(kt_core_audit(kt_host_init_ns(), &budget, &report), 0);
    kernel.after_read = nullptr;
    FakeHost::get().on_synchronize = nullptr;
    section.finish();
    EXPECT_EQ(report.differences, 1u);
    EXPECT_GT(report.transients, 0u);
    ASSERT_EQ(run.divergences().size(), 1u);
    EXPECT_EQ(run.divergences()[0].nr, 9);
}

}  // namespace
