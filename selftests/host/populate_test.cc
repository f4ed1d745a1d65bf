// SPDX-License-Identifier: GPL-2.0-only
//
// Population against events, with an event at every point where another CPU could have one: after each read of the
// kernel and before what was read is used, in each grace period, between any two rounds.
#include <gtest/gtest.h>

#include "fake_kernel.h"

namespace {

class PopulateTest : public ::testing::Test {
  protected:
    // Runs act at the nth point of the population of a fresh system. False: there is no nth point.
    template <typename Act>
    bool populate(int nth, const Act& act) {
        CoreRun run;
        FakeKernel& kernel = FakeKernel::get();
        FakeHost& host = FakeHost::get();
        kernel.pid_max = 100;
        FakeNs* child = kernel.create_ns(kernel.root());
        for (int i = 0; i < 12; ++i) {
            kernel.alloc(i % 3 == 0 ? child : kernel.root());
        }
        int points = 0;
        bool acted = false;
        const auto point = [&] {
            if (++points == nth) {
                acted = true;
                act(kernel, child);
            }
        };
        kernel.after_read = point;
        host.on_synchronize = point;
        host.on_synchronize_hooks = point;
        host.on_breathe = [&](uint64_t) {
            point();
            return true;
        };
        EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
        kernel.after_read = nullptr;
        host.on_synchronize = nullptr;
        host.on_synchronize_hooks = nullptr;
        host.on_breathe = nullptr;
        EXPECT_EQ(run.wrong_numbers(), 0u) << "at point " << nth;
        EXPECT_EQ(run.status().state, unsigned{KTWIN_LIVE}) << "at point " << nth;
        const ktwin_audit report = run.audit();
        EXPECT_EQ(report.complete, 1u);
        EXPECT_EQ(report.differences, 0u);
        EXPECT_EQ(report.checked, kernel.entries());
        return acted;
    }

    template <typename Act>
    void at_every_point(const Act& act) {
        int nth = 1;
        while (populate(nth, act) && !HasFailure()) {
            ++nth;
        }
        EXPECT_GT(nth, 12);
    }
};

FakePid* at(FakeKernel& kernel, int nr) {
    const auto found = kernel.root()->ids.find(nr);
    return found != kernel.root()->ids.end() ? found->second : nullptr;
}

TEST_F(PopulateTest, Alloc) {
    at_every_point([](FakeKernel& kernel, FakeNs* child) {
        kernel.alloc(child);
        kernel.alloc(kernel.root());
    });
}

TEST_F(PopulateTest, FreeAny) {
    for (int nr = 1; nr <= 12; ++nr) {
        at_every_point([nr](FakeKernel& kernel, FakeNs*) { kernel.free(at(kernel, nr)); });
    }
}

// Freed, and the number given to another struct pid, which may be at the same address.
TEST_F(PopulateTest, Reuse) {
    for (int nr : {1, 4, 6, 12}) {
        at_every_point([nr](FakeKernel& kernel, FakeNs*) {
            kernel.free(at(kernel, nr));
            kernel.alloc_at(kernel.root(), {nr});
        });
        at_every_point([nr](FakeKernel& kernel, FakeNs* child) {
            kernel.free(at(kernel, nr));
            kernel.alloc_at(child, {nr, 90});
            kernel.free(at(kernel, nr));
            kernel.alloc_at(child, {nr, 90});
        });
    }
}

TEST_F(PopulateTest, NamespaceGoesAndANewOneComes) {
    at_every_point([](FakeKernel& kernel, FakeNs* child) {
        for (int nr : {10, 7, 4, 1}) {
            kernel.free(at(kernel, nr));
        }
        child->inode = 4711;
        child->cursor = 0;
        kernel.alloc(child);
        kernel.alloc(kernel.create_ns(child));
    });
}

TEST_F(PopulateTest, FailedForks) {
    at_every_point([](FakeKernel& kernel, FakeNs* child) {
        kernel.fail_fork(child);
        kernel.alloc(child);
        kernel.fail_fork(kernel.root());
    });
}

// Critical sections that were past their handler when the probes were placed: they end before the scan begins, because
// it waits for them.
TEST_F(PopulateTest, SectionsThatWereOpen) {
    for (size_t steps = 1; steps <= 2; ++steps) {
        CoreRun run;
        FakeKernel& kernel = FakeKernel::get();
        FakeNs* child = kernel.create_ns(kernel.root());
        for (int i = 0; i < 10; ++i) {
            kernel.alloc(child);
        }
        FakeKernel::Section sections[] = {kernel.begin_alloc(child), kernel.begin_alloc(kernel.root()),
                                          kernel.begin_free(kernel.any(3)), kernel.begin_free(kernel.any(7))};
        for (auto& section : sections) {
            for (size_t i = 0; i < steps; ++i) {
                section.advance();
            }
        }
        const auto finish = [&] {
            for (auto& section : sections) {
                section.finish();
            }
        };
        // Those that have their handler still before them are no concern: it will come.
        FakeHost::get().on_synchronize_hooks = finish;
        ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
        finish();
        EXPECT_EQ(run.wrong_numbers(), 0u);
        EXPECT_EQ(run.audit().differences, 0u);
        FakeHost::get().on_synchronize_hooks = nullptr;
    }
}

TEST_F(PopulateTest, EventsAtEveryPoint) {
    CoreRun run(3000000);
    FakeKernel& kernel = FakeKernel::get();
    kernel.pid_max = 4000;
    FakeNs* child = kernel.create_ns(kernel.root());
    for (int i = 0; i < 2000; ++i) {
        kernel.alloc(i % 3 == 0 ? child : kernel.root());
    }
    unsigned seed = 1;
    kernel.after_read = [&] {
        seed = seed * 1103515245 + 12345;
        kernel.alloc((seed & 4096) != 0 ? child : kernel.root());
        kernel.free(kernel.any(seed >> 8));
    };
    for (int i = 0; i < 5; ++i) {
        ASSERT_EQ(kt_core_mirror(i == 0 ? KTWIN_MIRROR_ON : KTWIN_MIRROR_RESYNC), 0);
        EXPECT_EQ(run.status().state, unsigned{KTWIN_LIVE});
        EXPECT_EQ(run.wrong_numbers(), 0u);
    }
    kernel.after_read = nullptr;
}

TEST_F(PopulateTest, LargeSystem) {
    CoreRun run(3000000);
    FakeKernel& kernel = FakeKernel::get();
    kernel.pid_max = 4194304;
    FakeNs* ns = kernel.root();
    for (int i = 0; i < 20000; ++i) {
        if (i % 1000 == 999 && ns->level < 12) {
            ns = kernel.create_ns(ns);
        }
        kernel.alloc(ns);
        kernel.root()->cursor += 200;
    }
    FakeHost::get().set_rt(true);
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    EXPECT_EQ(run.wrong_numbers(), 0u);
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.complete, 1u) << report.why;
    EXPECT_EQ(report.checked, kernel.entries());
    EXPECT_EQ(report.differences, 0u);
}

}  // namespace
