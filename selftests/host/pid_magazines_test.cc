// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <set>

#include "core/pid_pools.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kCpus = 2;
constexpr u32 kRounds = PidMagazines::kRounds;

class PidMagazinesTest : public ::testing::Test {
  protected:
    PidMagazinesTest() {
        FakeHost::get().reset();
        fake_run_on_cpu(0);
    }
    ~PidMagazinesTest() override {
        fake_run_on_cpu(0);
        {
            SpinGuard guard(lock);
            pools->unload();
        }
        for (u32 level = 0; level < kLevels; ++level) {
            pools->at(level).teardown(lock);
        }
        FakeHost::get().reset();
    }
    // A portion of each pool from the start.
    void setup(u32 limit, u32 start = 16) {
        budget = std::make_unique<PoolBudget>(limit);
        pools = std::make_unique<PidPools>(budget.get(), &kicker, 0, start);
        pools->magazines().setup({magazines, kCpus});
    }
    void fill(u32 level, u32 count) { ASSERT_TRUE(pools->at(level).ensure(lock, count)); }
    TwinPid* make(u32 level, PoolNode* at_hand = nullptr) {
        SpinGuard guard(lock);
        return pools->make(level, 1, 1, 1, at_hand);
    }
    void discard(TwinPid* pid) {
        SpinGuard guard(lock);
        pools->discard(pid);
    }
    u32 ready(u32 level) {
        SpinGuard guard(lock);
        return pools->at(level).ready();
    }

    SpinLock lock{KT_LOCK_LAB};
    Kicker kicker{false};
    std::unique_ptr<PoolBudget> budget;
    std::unique_ptr<PidPools> pools;
    PidMagazines::Magazine magazines[kCpus] = {};
};

TEST_F(PidMagazinesTest, AreLoadedByWhoHasNothingAtHand) {
    setup(1000);
    fill(0, 16);
    const u32 before = ready(0);
    EXPECT_EQ(pools->magazines().take(0, 0), nullptr);
    TwinPid* pid = make(0);
    EXPECT_EQ(ready(0), before - 1 - kRounds);
    EXPECT_EQ(pools->magazines().at_hand(), kRounds);

    // The other CPU's, and other levels, have nothing.
    EXPECT_EQ(pools->magazines().take(1, 0), nullptr);
    EXPECT_EQ(pools->magazines().take(0, 1), nullptr);
    EXPECT_EQ(pools->magazines().take(kCpus, 0), nullptr);

    std::set<TwinPid*> pids = {pid};
    for (u32 i = 0; i < kRounds; ++i) {
        PoolNode* node = pools->magazines().take(0, 0);
        ASSERT_NE(node, nullptr);
        pids.insert(make(0, node));
    }
    EXPECT_EQ(pids.size(), 1 + kRounds);
    EXPECT_EQ(pools->magazines().take(0, 0), nullptr);
    EXPECT_EQ(ready(0), before - 1 - kRounds);
    for (TwinPid* each : pids) {
        EXPECT_EQ(each->pool(), 0u);
        discard(each);
    }
    EXPECT_EQ(ready(0), before);
}

TEST_F(PidMagazinesTest, LeaveAPoolWhatIsInIt) {
    setup(1000, 1);
    fill(3, kRounds);
    TwinPid* pid = make(3);
    EXPECT_EQ(pools->magazines().at_hand(), 0u);
    discard(pid);
}

TEST_F(PidMagazinesTest, GiveBackWhatIsOfAnotherLevel) {
    setup(1000);
    fill(0, 16);
    fill(1, 16);
    const u32 before[] = {ready(0), ready(1)};
    TwinPid* first = make(0);
    TwinPid* second = make(1);
    EXPECT_EQ(ready(0), before[0] - 1);
    EXPECT_EQ(ready(1), before[1] - 1 - kRounds);
    EXPECT_EQ(pools->magazines().take(0, 0), nullptr);
    PoolNode* node = pools->magazines().take(0, 1);
    ASSERT_NE(node, nullptr);
    {
        SpinGuard guard(lock);
        pools->put_back(node, 1);
        EXPECT_EQ(pools->unload(), kRounds - 1);
    }
    EXPECT_EQ(ready(1), before[1] - 1);
    discard(first);
    discard(second);
}

// A limit is exact: what another CPU has at hand is not in use.
TEST_F(PidMagazinesTest, AreEmptiedByWhoFindsNothingElse) {
    constexpr u32 kLimit = 24;
    setup(kLimit, 1);
    fill(kLevels - 1, kLimit);
    std::vector<TwinPid*> pids;
    for (u32 i = 0; i < kLimit; ++i) {
        fake_run_on_cpu(i % kCpus);
        PoolNode* node = i == kCpus ? pools->magazines().take(i % kCpus, kLevels - 1) : nullptr;
        pids.push_back(make(kLevels - 1, node));
        ASSERT_NE(pids.back(), nullptr) << i;
    }
    EXPECT_EQ(make(kLevels - 1), nullptr);
    EXPECT_EQ(pools->magazines().at_hand(), 0u);
    for (TwinPid* pid : pids) {
        discard(pid);
    }
}

}  // namespace
}  // namespace ktwin
