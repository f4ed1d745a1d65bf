// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "fake_kernel.h"

void fake_idr_skew(bool on);

namespace {

ktwin_compare request(unsigned operations, unsigned pid_max, unsigned levels) {
    ktwin_compare compare = {};
    compare.seed = 7;
    compare.operations = operations;
    compare.pid_max = pid_max;
    compare.levels = levels;
    return compare;
}

TEST(Lab, OnlyWhenLoadedAsOne) {
    CoreRun run(100000, false);
    ktwin_compare compare = request(1, 2, 1);
    EXPECT_EQ(kt_core_compare(&compare), -EOPNOTSUPP);
    EXPECT_EQ(run.inject(KTWIN_INJECT_DROP, 1), -EOPNOTSUPP);
}

TEST(Lab, InjectErrors) {
    CoreRun run;
    FakeKernel& kernel = FakeKernel::get();
    kernel.alloc(kernel.root());
    EXPECT_EQ(run.inject(KTWIN_INJECT_DROP, 1), -ENODATA);
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    EXPECT_EQ(run.inject(KTWIN_INJECT_DROP, 2), -ESRCH);
    EXPECT_EQ(run.inject(KTWIN_INJECT_DROP, -2), -ESRCH);
    EXPECT_EQ(run.inject(KTWIN_INJECT_SWAP, 2), -ESRCH);
    EXPECT_EQ(run.inject(KTWIN_INJECT_DROP, 1, 17), -ESRCH);
    EXPECT_EQ(run.inject(KTWIN_INJECT_ADD, 1), -EEXIST);
    EXPECT_EQ(run.inject(KTWIN_INJECT_ADD, 0), -ESRCH);
    EXPECT_EQ(run.inject(KTWIN_INJECT_ADD, 4194304), -ESRCH);
    EXPECT_EQ(run.inject(99, 1), -EINVAL);
    EXPECT_EQ(run.inject(KTWIN_INJECT_SKIP, -1), -EINVAL);
    // The last of all numbers goes, and comes back with the resynchronisation.
    EXPECT_EQ(run.inject(KTWIN_INJECT_DROP, 1), 0);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_RESYNC), 0);
    EXPECT_EQ(run.wrong_numbers(), 0u);
}

TEST(Lab, CompareRanges) {
    CoreRun run;
    for (auto [operations, pid_max, levels] : {std::tuple{0u, 10u, 1u},
                                               {10000001u, 10u, 1u},
                                               {1u, 1u, 1u},
                                               {1u, 4194305u, 1u},
                                               {1u, 10u, 0u},
                                               {1u, 10u, 34u}}) {
        ktwin_compare compare = request(operations, pid_max, levels);
        EXPECT_EQ(kt_core_compare(&compare), -ERANGE);
    }
}

TEST(Lab, CompareFindsNoDifference) {
    CoreRun run;
    for (auto [operations, pid_max, levels] : {std::tuple{1000u, 2u, 1u},
                                               {50000u, 310u, 2u},
                                               {50000u, 32768u, 1u},
                                               {20000u, 4194304u, 3u},
                                               {10000u, 400u, 33u}}) {
        ktwin_compare compare = request(operations, pid_max, levels);
        ASSERT_EQ(kt_core_compare(&compare), 0);
        EXPECT_EQ(compare.differences, 0u);
        EXPECT_GT(compare.compared, operations / 2);
        EXPECT_TRUE(pid_max > 310 || compare.exhausted > 0);
        EXPECT_TRUE(pid_max != 310 || compare.wraps > 0);
    }
}

TEST(Lab, CompareOnRt) {
    CoreRun run;
    FakeHost::get().set_rt(true);
    ktwin_compare compare = request(5000, 4194304, 33);
    ASSERT_EQ(kt_core_compare(&compare), 0);
    EXPECT_EQ(compare.differences, 0u);
}

TEST(Lab, CompareSeesADifference) {
    CoreRun run;
    fake_idr_skew(true);
    ktwin_compare compare = request(1000, 1000, 2);
    EXPECT_EQ(kt_core_compare(&compare), 0);
    EXPECT_GT(compare.differences, 0u);
    fake_idr_skew(false);
}

TEST(Lab, CompareCanBeInterrupted) {
    CoreRun run;
    FakeHost::get().on_breathe = [](uint64_t) { return false; };
    ktwin_compare compare = request(1000, 1000, 2);
    EXPECT_EQ(kt_core_compare(&compare), -EINTR);
}

// Wrong on purpose in every way, then used on: events, audits, resynchronisation. ASan and the leak count judge.
TEST(Lab, InjectedThenUsed) {
    for (unsigned kind : {KTWIN_INJECT_DROP, KTWIN_INJECT_ADD, KTWIN_INJECT_SWAP}) {
        for (int where = 0; where < 2; ++where) {
            CoreRun run;
            FakeKernel& kernel = FakeKernel::get();
            kernel.alloc(kernel.root());
            FakeNs* child = kernel.create_ns(kernel.root());
            kernel.alloc(child);
            ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
            const int nr = kind == KTWIN_INJECT_ADD ? 3 : where == 0 ? 2 : 1;
            ASSERT_EQ(run.inject(kind, nr, where == 0 ? 0 : child->inode), 0);
            run.audit();
            kernel.free(kernel.root()->ids[2]);
            kernel.alloc(kernel.root());
            child->cursor = 0;
            kernel.alloc(child);
            run.audit();
            FakeHost::get().advance(1000000000);
            kt_core_maintain();
            ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_RESYNC), 0);
            EXPECT_EQ(run.wrong_numbers(), 0u);
            EXPECT_EQ(run.audit().differences, 0u);
        }
    }
}

}  // namespace
