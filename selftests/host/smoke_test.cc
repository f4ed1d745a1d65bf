// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "fake_kernel.h"

namespace {

TEST(Smoke, MirrorAuditSwitchOff) {
    CoreRun run;
    ASSERT_EQ(run.created(), 0);
    FakeKernel& kernel = FakeKernel::get();
    for (int i = 0; i < 200; ++i) {
        kernel.alloc(kernel.root());
    }
    FakeNs* child = kernel.create_ns(kernel.root());
    FakeNs* grandchild = kernel.create_ns(child);
    for (int i = 0; i < 100; ++i) {
        kernel.alloc(child);
        kernel.alloc(grandchild);
    }
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    EXPECT_EQ(run.wrong_numbers(), 0u);
    for (int i = 0; i < 3000; ++i) {
        kernel.alloc(i % 2 != 0 ? child : grandchild);
        kernel.free(kernel.any(static_cast<unsigned>(i * 7)));
    }
    EXPECT_EQ(run.wrong_numbers(), 0u);
    const ktwin_audit report = run.audit();
    EXPECT_EQ(report.complete, 1u) << report.why;
    EXPECT_EQ(report.differences, 0u);
    EXPECT_EQ(report.pids, kernel.live());
    EXPECT_EQ(report.checked, kernel.entries());
    EXPECT_EQ(report.namespaces, 3u);
    EXPECT_EQ(run.namespaces().size(), 3u);
    EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), 0);
    EXPECT_EQ(run.status().state, static_cast<unsigned>(KTWIN_OFF));
}

}  // namespace
