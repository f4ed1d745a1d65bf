// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "core/pool.h"
#include "fake_host.h"

namespace ktwin {
namespace {

struct Thing : PoolNode {
    u64 payload[7];
};

class PoolTest : public ::testing::Test {
  protected:
    PoolTest() { FakeHost::get().reset(); }
    ~PoolTest() override {
        FakeHost::get().no_failures();
        pool.teardown(lock);
        FakeHost::get().reset();
    }
    void setup(u32 start, u32 limit) {
        budget = std::make_unique<PoolBudget>(limit);
        pool.setup(sizeof(Thing), start, budget.get(), &kicker);
    }
    Thing* get() {
        SpinGuard guard(lock);
        return static_cast<Thing*>(pool.get());
    }
    void put(Thing* thing) {
        SpinGuard guard(lock);
        pool.put(thing);
    }
    void retire(Thing* thing) {
        SpinGuard guard(lock);
        pool.retire(thing);
    }
    void reclaim() {
        Chain retired;
        {
            SpinGuard guard(lock);
            pool.take_retired(retired);
        }
        pool.reclaim(lock, retired);
    }
    ktwin_pool statistics() {
        ktwin_pool to = {};
        SpinGuard guard(lock);
        pool.add_to(to);
        return to;
    }

    SpinLock lock{KT_LOCK_TWIN};
    Kicker kicker{true};
    std::unique_ptr<PoolBudget> budget;
    Pool pool;
};

TEST_F(PoolTest, ShrinksByAsManyAsAreWanted) {
    setup(16, 10000);
    ASSERT_TRUE(pool.refill(lock, 1000));
    EXPECT_EQ(pool.shrink(lock, 0), 0u);
    EXPECT_EQ(pool.shrink(lock, 100), 100u);
    EXPECT_EQ(statistics().ready, 900u);
    EXPECT_EQ(pool.shrink(lock), 884u);
    EXPECT_EQ(pool.shrink(lock, 100), 0u);
}

TEST_F(PoolTest, ShrinksWhatWasRetiredAGracePeriodAgo) {
    setup(16, 10000);
    ASSERT_TRUE(pool.refill(lock, 116));
    Thing* things[100];
    for (Thing*& thing : things) {
        thing = get();
    }
    for (u32 i = 0; i < 50; ++i) {
        retire(things[i]);
    }
    EXPECT_EQ(pool.shrink(lock), 0u) << "a reader may stand on them";
    for (u32 i = 50; i < 100; ++i) {
        retire(things[i]);
    }
    EXPECT_EQ(pool.shrink(lock), 0u);
    kt_host_synchronize();
    EXPECT_EQ(pool.shrink(lock, 20), 20u);
    EXPECT_EQ(pool.shrink(lock), 30u);
    EXPECT_EQ(pool.shrink(lock), 0u) << "the later ones have just begun to wait";
    kt_host_synchronize();
    reclaim();
    EXPECT_EQ(statistics().total, 32u) << "twice the target; the rest of those that waited went";
}

TEST_F(PoolTest, GivesTheCpuAway) {
    setup(16, 10000);
    int breaths = 0;
    FakeHost::get().on_breathe = [&](uint64_t) { return ++breaths != 0; };
    ASSERT_TRUE(pool.refill(lock, 2000));
    std::vector<Thing*> things;
    for (int i = 0; i < 2000; ++i) {
        things.push_back(get());
    }
    for (Thing* thing : things) {
        retire(thing);
    }
    reclaim();
    EXPECT_GE(breaths, 2000 / 64 - 1);
}

TEST_F(PoolTest, StartsFull) {
    setup(16, 100);
    EXPECT_TRUE(pool.refill(lock, 1));
    EXPECT_EQ(statistics().ready, 16u);
    EXPECT_EQ(statistics().total, 16u);
    EXPECT_EQ(statistics().low, 16u);
    EXPECT_EQ(FakeHost::get().kicks(), 0);
}

TEST_F(PoolTest, ReadyObjectsAreZeroAgain) {
    setup(1, 100);
    ASSERT_TRUE(pool.refill(lock, 1));
    Thing* thing = get();
    for (u64& word : thing->payload) {
        EXPECT_EQ(word, 0u);
        word = 0x5a5a;
    }
    put(thing);
    EXPECT_EQ(get(), thing);
    EXPECT_EQ(thing->payload[3], 0u);
    thing->payload[3] = 1;
    retire(thing);
    EXPECT_EQ(thing->payload[3], 1u) << "readers may still look";
    reclaim();
    EXPECT_EQ(get(), thing);
    EXPECT_EQ(thing->payload[3], 0u);
    put(thing);
}

TEST_F(PoolTest, EmptyFallsBackToTheAtomicAllocatorUpToTheLimit) {
    setup(2, 3);
    ASSERT_TRUE(pool.refill(lock, 1));
    Thing* things[3] = {get(), get(), get()};
    EXPECT_NE(things[2], nullptr);
    EXPECT_EQ(get(), nullptr);
    EXPECT_EQ(statistics().empty, 2u);
    EXPECT_EQ(statistics().failed, 1u);
    EXPECT_EQ(statistics().total, 3u);
    EXPECT_FALSE(pool.refill(lock, 1)) << "at the limit";
    for (Thing* thing : things) {
        put(thing);
    }
}

TEST_F(PoolTest, NoAtomicAllocationOnRt) {
    FakeHost::get().set_rt(true);
    setup(1, 3);
    ASSERT_TRUE(pool.refill(lock, 1));
    Thing* thing = get();
    EXPECT_EQ(get(), nullptr);
    EXPECT_EQ(statistics().failed, 1u);
    put(thing);
}

TEST_F(PoolTest, KicksOnceBelowHalfAndGrows) {
    setup(8, 1000);
    ASSERT_TRUE(pool.refill(lock, 1));
    std::vector<Thing*> things;
    for (int i = 0; i < 8; ++i) {
        things.push_back(get());
    }
    EXPECT_EQ(FakeHost::get().kicks(), 1);
    {
        SpinGuard guard(lock);
        kicker.begin();
    }
    ASSERT_TRUE(pool.refill(lock, 1));
    EXPECT_EQ(statistics().ready, 16u) << "the target has doubled";
    for (Thing* thing : things) {
        put(thing);
    }
    reclaim();
}

TEST_F(PoolTest, SurplusGoesBackToTheHost) {
    setup(4, 1000);
    ASSERT_TRUE(pool.refill(lock, 100));
    EXPECT_EQ(statistics().ready, 100u);
    std::vector<Thing*> things;
    for (int i = 0; i < 100; ++i) {
        things.push_back(get());
    }
    for (Thing* thing : things) {
        retire(thing);
    }
    reclaim();
    EXPECT_EQ(statistics().ready, 8u) << "twice the target";
    EXPECT_EQ(statistics().total, 8u);
    EXPECT_EQ(FakeHost::get().live_allocations(), 8);
}

TEST_F(PoolTest, TargetShrinksAfterAMinuteWithoutNeed) {
    setup(8, 1000);
    ASSERT_TRUE(pool.refill(lock, 1));
    std::vector<Thing*> things;
    for (int i = 0; i < 8; ++i) {
        things.push_back(get());
    }
    ASSERT_TRUE(pool.refill(lock, 1));
    for (Thing* thing : things) {
        retire(thing);
    }
    reclaim();
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(pool.refill(lock, 1));
    }
    for (int i = 0; i < 24; ++i) {
        retire(get());
    }
    reclaim();
    EXPECT_EQ(statistics().ready, 16u) << "twice the first target";
}

TEST_F(PoolTest, FailedRefillGivesTheBudgetBack) {
    setup(100, 100);
    FakeHost::get().fail_from(70);
    EXPECT_TRUE(pool.refill(lock, 1));
    EXPECT_FALSE(pool.refill(lock, 100));
    EXPECT_EQ(statistics().ready, 69u);
    FakeHost::get().no_failures();
    EXPECT_TRUE(pool.refill(lock, 100));
    EXPECT_EQ(statistics().ready, 100u);
    EXPECT_EQ(statistics().total, 100u);
}

}  // namespace
}  // namespace ktwin
