// SPDX-License-Identifier: GPL-2.0-only
//
// The audit of the twin run queues: what is confirmed, what passes, what the kernel means so.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/rq_audit.h"
#include "fake_host.h"

namespace ktwin {
namespace {

using Queued = std::vector<RqReal>;

struct RqAuditTest : ::testing::Test {
    void SetUp() override {
        FakeHost::get().reset();
        twin = std::make_unique<RunQueueTwin>(KT_LOCK_RUN_QUEUES, 2u, 2u, 500u);
        audit = std::make_unique<RqAudit>(*twin);
        ASSERT_TRUE(twin->setup());
        ASSERT_TRUE(audit->setup(2));
        twin->switched(0, SchedSwitch(), 1000);
        for (kt_key key = 1; key <= 3; ++key) {
            wake(key);
        }
    }
    void TearDown() override {
        audit->teardown();
        twin->teardown();
        twin.reset();
        FakeHost::get().reset();
    }
    void wake(kt_key key) {
        SchedTask task;
        task.key = key;
        task.nr = static_cast<i32>(key) + 100;
        twin->woken(0, task, 2000);
    }
    static RqReal real(kt_key key, u32 presence = KT_RQ_QUEUED) {
        return {key, static_cast<i32>(key) + 100, presence};
    }
    u32 look(const Queued& queued, bool whole = true) {
        audit->look(0, Span<const RqReal>(queued.data(), static_cast<u32>(queued.size())), whole);
        return audit->settle();
    }
    ktwin_rq_audit total() {
        ktwin_rq_audit to = {};
        audit->read(0, to);
        return to;
    }

    std::unique_ptr<RunQueueTwin> twin;
    std::unique_ptr<RqAudit> audit;
};

TEST_F(RqAuditTest, NothingDiffers) {
    EXPECT_EQ(look({real(1), real(2), real(3)}), 0u);
    EXPECT_EQ(audit->finish(0, 5), 0u);
    EXPECT_EQ(total().passes, 1u);
    EXPECT_EQ(total().equal, 3u);
    EXPECT_EQ(total().transients + total().missing + total().surplus + total().skipped, 0u);
    EXPECT_EQ(total().last_ns, 0u);
}

TEST_F(RqAuditTest, WhatStandsInEveryLookIsConfirmed) {
    const Queued kernels = {real(1), real(2), real(9)};
    EXPECT_EQ(look(kernels), 2u);
    EXPECT_EQ(look(kernels), 2u);
    EXPECT_EQ(look({real(1), real(2), real(9), real(8)}), 2u) << "one that comes later is no candidate";
    ASSERT_EQ(audit->finish(0, 77), 2u);
    EXPECT_EQ(audit->candidate(0).key, 9u);
    EXPECT_EQ(audit->candidate(1).nr, 103);
    EXPECT_EQ(total().missing, 1u);
    EXPECT_EQ(total().surplus, 1u);
    EXPECT_EQ(total().last_ns, 77u);
    EXPECT_EQ(total().last_tid, 103);
    EXPECT_EQ(total().last_kind, KTWIN_RQ_SURPLUS);
}

TEST_F(RqAuditTest, WhatPassesIsNot) {
    EXPECT_EQ(look({real(1), real(2), real(9)}), 2u);
    EXPECT_EQ(look({real(1), real(2)}), 1u) << "9 is gone";
    EXPECT_EQ(look({real(1), real(2), real(3), real(9)}), 0u) << "another difference of it is another";
    EXPECT_EQ(audit->finish(0, 5), 0u);
    EXPECT_EQ(total().transients, 2u);
    EXPECT_EQ(total().missing + total().surplus, 0u);
}

TEST_F(RqAuditTest, WhatTheKernelMeansSo) {
    EXPECT_EQ(look({real(1, KT_RQ_THROTTLED), real(2), real(8, KT_RQ_DELAYED)}), 1u) << "3";
    audit->explain(0, 0);
    EXPECT_EQ(audit->settle(), 0u);
    EXPECT_EQ(audit->finish(0, 5), 0u);
    EXPECT_EQ(total().throttled, 2u);
    EXPECT_EQ(total().delayed, 1u);
    EXPECT_EQ(total().transients, 0u);
}

TEST_F(RqAuditTest, AnIncompleteTwinOrPartOfAQueueSaysNothing) {
    EXPECT_EQ(look({real(1)}, false), 0u);
    EXPECT_EQ(audit->finish(0, 5), 0u);
    EXPECT_EQ(look({real(1)}), 2u);
    twin->lost();
    EXPECT_EQ(look({real(1)}), 0u);
    EXPECT_EQ(audit->finish(0, 5), 0u);
    EXPECT_EQ(total().skipped, 2u);
    EXPECT_EQ(total().transients, 0u) << "nobody saw them go";
    EXPECT_EQ(total().why, KTWIN_RQ_LOST_EVENTS);
    EXPECT_EQ(total().missing + total().surplus, 0u);
}

TEST_F(RqAuditTest, MoreThanThereIsRoomForAreLeftToTheNextPass) {
    Queued kernels = {real(1), real(2), real(3)};
    for (kt_key key = 1000; key < 1100; ++key) {
        kernels.push_back(real(key));
    }
    EXPECT_EQ(look(kernels), RqAudit::kCandidates);
    EXPECT_EQ(look(kernels), RqAudit::kCandidates);
    EXPECT_EQ(audit->finish(0, 5), RqAudit::kCandidates);
}

TEST_F(RqAuditTest, ManyThatAreExplainedHideNoDifference) {
    Queued kernels = {real(1), real(2), real(9)};
    for (kt_key key = 1000; key < 1200; ++key) {
        kernels.push_back(real(key, KT_RQ_DELAYED));
    }
    for (u32 i = 0; i < RqAudit::kLooks; ++i) {
        EXPECT_EQ(look(kernels), 2u) << "9, and 3";
    }
    EXPECT_EQ(audit->finish(0, 5), 2u);
    EXPECT_EQ(total().delayed, 200u);
    EXPECT_EQ(total().missing, 1u);
    EXPECT_EQ(total().surplus, 1u);
}

TEST_F(RqAuditTest, AnAbandonedPassLeavesNothingToTheNext) {
    EXPECT_EQ(look({real(1), real(2), real(9)}), 2u);
    audit->abandon(0);
    EXPECT_EQ(total().passes, 1u);
    EXPECT_EQ(total().skipped, 1u);
    EXPECT_EQ(look({real(1), real(2), real(3), real(8)}), 1u) << "a first look again";
    EXPECT_EQ(look({real(1), real(2), real(3), real(8)}), 1u);
    EXPECT_EQ(audit->finish(0, 5), 1u);
    EXPECT_EQ(total().transients, 0u);
    EXPECT_EQ(total().missing, 1u);
}

TEST_F(RqAuditTest, Injected) {
    EXPECT_EQ(twin->inject(55, true).error(), Errno::kNotFound);
    EXPECT_EQ(twin->inject(1, true).error(), Errno::kAlready);
    ASSERT_TRUE(twin->inject(1, false));
    EXPECT_EQ(twin->inject(1, false).error(), Errno::kAlready);
    EXPECT_EQ(look({real(1), real(2), real(3)}), 1u);
    ASSERT_TRUE(twin->inject(1, true));
    EXPECT_EQ(look({real(1), real(2), real(3)}), 0u);
    audit->finish(0, 5);
}

}  // namespace
}  // namespace ktwin
