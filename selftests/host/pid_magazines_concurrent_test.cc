// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <thread>

#include "core/pid_pools.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kCpus = 2;

// Objects of level 0, and who has them at hand.
struct Depot {
    Depot() {
        pools.magazines().setup({magazines, kCpus});
        EXPECT_TRUE(pools.at(0).ensure(lock, 64));
    }
    ~Depot() {
        for (u32 level = 0; level < kLevels; ++level) {
            pools.at(level).teardown(lock);
        }
    }
    TwinPid* make(PoolNode* at_hand) {
        SpinGuard guard(lock);
        return pools.make(0, 1, 1, 1, at_hand);
    }
    void discard(TwinPid* pid) {
        SpinGuard guard(lock);
        pools.discard(pid);
    }
    void unload() {
        SpinGuard guard(lock);
        pools.unload();
    }
    u32 ready() {
        SpinGuard guard(lock);
        return pools.at(0).ready();
    }

    SpinLock lock{KT_LOCK_LAB};
    Kicker kicker{false};
    PoolBudget budget{4000};
    PidPools pools{&budget, &kicker, 0, 64};
    PidMagazines::Magazine magazines[kCpus] = {};
};

// Owners, and one who empties everybody's: each object is somebody's, once.
TEST(PidMagazinesConcurrent, TakersNeverShare) {
    FakeHost::get().reset();
    Depot depot;
    const u32 total = depot.ready();
    std::atomic<bool> over{false};
    std::atomic<u32> taken{0};
    std::vector<std::thread> owners;
    for (u32 cpu = 0; cpu < kCpus; ++cpu) {
        owners.emplace_back([&, cpu] {
            fake_run_on_cpu(cpu);
            for (u32 i = 0; i < 20000; ++i) {
                PoolNode* node = depot.pools.magazines().take(cpu, 0);
                taken += node != nullptr ? 1 : 0;
                TwinPid* pid = depot.make(node);
                ASSERT_NE(pid, nullptr);
                EXPECT_EQ(pid->references(), 0u);
                pid->get();
                EXPECT_TRUE(pid->put());
                depot.discard(pid);
            }
        });
    }
    std::thread thief([&] {
        while (!over) {
            depot.unload();
        }
    });
    for (std::thread& owner : owners) {
        owner.join();
    }
    over = true;
    thief.join();
    depot.unload();
    EXPECT_EQ(depot.ready(), total);
    EXPECT_GT(taken, 1000u);
}

}  // namespace
}  // namespace ktwin
