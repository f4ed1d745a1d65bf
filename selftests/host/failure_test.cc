// SPDX-License-Identifier: GPL-2.0-only
//
// Memory fails at every Nth allocation: nothing leaks, nothing is half done, and afterwards all works.
#include <gtest/gtest.h>

#include "fake_kernel.h"

namespace {

TEST(Failure, Create) {
    FakeHost& host = FakeHost::get();
    for (int64_t nth = 1;; nth += nth < 20 ? 1 : nth < 4600 ? 211 : 1) {
        host.reset();
        FakeKernel::get().reset();
        host.fail_allocation(nth);
        const kt_core_config config = {100000, true};
        const int created = kt_core_create(&config);
        if (created == 0) {
            kt_core_destroy();
        }
        ASSERT_EQ(host.live_allocations(), 0) << nth;
        if (!host.failure_hit()) {
            EXPECT_EQ(created, 0);
            break;
        }
    }
    host.reset();
}

// What a module does in its life after loading.
void live(CoreRun& run) {
    FakeKernel& kernel = FakeKernel::get();
    (void)kt_core_mirror(KTWIN_MIRROR_ON);
    FakeNs* ns = kernel.create_ns(kernel.root());
    for (int i = 0; i < 150; ++i) {
        kernel.alloc(i % 2 != 0 ? ns : kernel.root());
        kernel.root()->cursor += 700;
        if (i % 40 == 39) {
            ns = kernel.create_ns(ns);
        }
    }
    std::vector<uint64_t> ring(8192 / 8);
    int error = 0;
    kt_stream* stream =
        kt_core_stream_open(kt_host_init_ns(), &run, reinterpret_cast<ktwin_ring*>(ring.data()), 64, &error);
    (void)kt_core_mirror(KTWIN_MIRROR_RESYNC);
    kt_core_maintain();
    (void)run.audit();
    (void)run.inject(KTWIN_INJECT_ADD, 3);
    (void)run.inject(KTWIN_INJECT_SWAP, 1);
    for (int i = 0; i < 100; ++i) {
        kernel.free(kernel.any(static_cast<unsigned>(i * 7919)));
    }
    if (stream != nullptr) {
        kt_core_stream_close(stream);
    }
    (void)kt_core_mirror(KTWIN_MIRROR_OFF);
    (void)kt_core_mirror(KTWIN_MIRROR_ON);
}

void expect_usable(CoreRun& run, int64_t nth) {
    FakeHost::get().no_failures();
    FakeHost::get().advance(1000000000000);
    kt_core_maintain();
    const int on = kt_core_mirror(KTWIN_MIRROR_ON);
    ASSERT_TRUE(on == 0 || on == -EALREADY) << nth;
    ASSERT_EQ(run.status().state, unsigned{KTWIN_LIVE}) << nth;
    ASSERT_EQ(run.wrong_numbers(), 0u) << nth;
    const ktwin_audit report = run.audit();
    ASSERT_EQ(report.complete, 1u) << nth;
    ASSERT_EQ(report.differences, 0u) << nth;
}

TEST(Failure, OneInALife) {
    bool hit = true;
    for (int64_t nth = 1; hit; ++nth) {
        CoreRun run;
        FakeHost::get().fail_allocation(nth);
        live(run);
        hit = FakeHost::get().failure_hit();
        expect_usable(run, nth);
        if (HasFailure()) {
            break;
        }
        nth += nth > 300 ? 13 : 0;
    }
}

TEST(Failure, FromSomePointOn) {
    bool hit = true;
    for (int64_t nth = 1; hit; nth += nth < 30 ? 1 : 37) {
        CoreRun run;
        FakeHost::get().set_rt(nth % 2 != 0);
        FakeHost::get().fail_from(nth);
        live(run);
        hit = FakeHost::get().failure_hit();
        expect_usable(run, nth);
        if (HasFailure()) {
            break;
        }
    }
}

TEST(Failure, Compare) {
    CoreRun run;
    for (int64_t nth = 1;; nth += nth < 20 ? 1 : 509) {
        FakeHost::get().fail_allocation(nth);
        ktwin_compare compare = {};
        compare.seed = 3;
        compare.operations = 400;
        compare.pid_max = 4194304;
        compare.levels = 3;
        const int64_t before = FakeHost::get().live_allocations();
        const int result = kt_core_compare(&compare);
        ASSERT_TRUE(result == 0 || result == -ENOMEM);
        ASSERT_EQ(compare.differences, 0u);
        ASSERT_EQ(FakeHost::get().live_allocations(), before);
        if (nth > 8000) {
            break;
        }
    }
}

}  // namespace
