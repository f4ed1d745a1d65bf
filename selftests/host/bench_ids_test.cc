// SPDX-License-Identifier: GPL-2.0-only
//
// IdBench on the host: every allocator with every work it can do, refusals, every allocation failing, a signal anywhere.
// What it measures here means nothing.
#include <gtest/gtest.h>

#include <vector>

#include "core/bench_ids.h"
#include "core/bench_rivals.h"
#include "core/id_leaf.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kCpus = 4;
constexpr u32 kLimit = 8 * 512 * kCpus;

class IdBenchTest : public testing::Test {
  protected:
    void SetUp() override { FakeHost::get().reset(); }
    void TearDown() override { FakeHost::get().reset(); }

    static ktwin_bench_ids request(u32 work, u32 first, u32 second) {
        ktwin_bench_ids to = {};
        to.size = sizeof(to);
        to.work = work;
        to.who[0] = first;
        to.who[1] = second;
        to.limit = kLimit;
        to.live = work == KTWIN_IDS_FILL || work == KTWIN_IDS_PING_PONG ? 0 : 200;
        to.operations = 500;
        to.rounds = 2;
        to.levels = 1;
        return to;
    }
    static Errno run(ktwin_bench_ids& request) {
        const Result valid = IdBench::check(request, kCpus);
        if (!valid) {
            return valid.error();
        }
        IdBench bench(request, kCpus);
        return bench.run().error();
    }
};

constexpr u32 kWhoAll = KTWIN_IDS_KERNEL_PIDS;

bool finds(u32 who) {
    return who != KTWIN_IDS_IDA && who != KTWIN_IDS_SBITMAP;
}

TEST_F(IdBenchTest, EveryWorkWithEveryAllocator) {
    for (u32 work = 0; work <= KTWIN_IDS_READER; ++work) {
        for (u32 who = KTWIN_IDS_BLOCKS; who <= KTWIN_IDS_SBITMAP; ++who) {
            ktwin_bench_ids asked = request(work, KTWIN_IDS_TWIN, who);
            asked.flags = who == KTWIN_IDS_IDA ? KTWIN_IDS_LOWEST : 0;
            // What has to be filled to be thinned out is a slow model, too.
            asked.limit = who == KTWIN_IDS_SBITMAP ? 1024 : kLimit;
            const bool looks = work == KTWIN_IDS_FIND || work == KTWIN_IDS_FIND_CHAIN ||
                               work == KTWIN_IDS_ITERATE || work == KTWIN_IDS_WRITER ||
                               work == KTWIN_IDS_READER;
            SCOPED_TRACE(testing::Message() << "work " << work << " who " << who);
            if (looks && !finds(who)) {
                EXPECT_EQ(run(asked), Errno::kNotSupported);
                continue;
            }
            const Errno error = run(asked);
            // Two CPUs that run undisturbed at once are not to be had on a busy host.
            if (work >= KTWIN_IDS_TWO && error == Errno::kTimedOut) {
                continue;
            }
            ASSERT_EQ(error, Errno::kNone);
            for (const ktwin_bench_ids_side& side : asked.sides) {
                EXPECT_LE(side.min, side.median);
                EXPECT_LE(side.median, side.max);
                EXPECT_NE(side.max, 0);
            }
            EXPECT_NE(asked.sides[0].bytes, 0);
            if (who == KTWIN_IDS_PIDMAP || (who >= KTWIN_IDS_KPID && who <= KTWIN_IDS_IDA)) {
                EXPECT_EQ(asked.sides[0].sum, asked.sides[1].sum);
            }
        }
    }
}

// A second that the clock of another CPU is ahead, or behind.
constexpr i64 kApart = 1000000000;

TEST_F(IdBenchTest, ClocksOfTwoCpusNeedNotAgree) {
    for (const i64 ahead : {kApart, -kApart}) {
        for (u32 work = KTWIN_IDS_TWO; work <= KTWIN_IDS_READER; ++work) {
            Errno error = Errno::kTimedOut;
            // A busy host seldom runs two at once.
            for (int tries = 0; error == Errno::kTimedOut && tries < 50; ++tries) {
                FakeHost::get().clock_ahead = ahead;
                ktwin_bench_ids asked = request(work, KTWIN_IDS_TWIN, KTWIN_IDS_IDR);
                asked.rounds = 1;
                error = run(asked);
            }
            EXPECT_EQ(error, Errno::kNone) << "work " << work << ", " << ahead << " ns apart";
        }
    }
}

TEST_F(IdBenchTest, ARoundIsTimedOnOneCpu) {
    FakeHost::get().clock_ahead = -kApart;
    FakeHost::get().restless = true;
    ktwin_bench_ids asked = request(KTWIN_IDS_PING_PONG, KTWIN_IDS_TWIN, KTWIN_IDS_IDR);
    asked.operations = 5000;
    EXPECT_EQ(run(asked), Errno::kNone);
    fake_run_on_cpu(1);
    for (const ktwin_bench_ids_side& side : asked.sides) {
        EXPECT_LT(side.max, kApart);
        EXPECT_GT(side.min, 0);
    }
}

TEST_F(IdBenchTest, Levels) {
    for (const u32 levels : {1U, 8U, 32U}) {
        ktwin_bench_ids asked = request(KTWIN_IDS_PING_PONG, KTWIN_IDS_TWIN_PIDS, KTWIN_IDS_TWIN_PIDS);
        asked.levels = levels;
        EXPECT_EQ(run(asked), Errno::kNone);
    }
}

TEST_F(IdBenchTest, Spread) {
    ktwin_bench_ids asked = request(KTWIN_IDS_ITERATE, KTWIN_IDS_TWIN, KTWIN_IDS_XARRAY);
    asked.spread = 64;
    ASSERT_EQ(run(asked), Errno::kNone);
    EXPECT_EQ(asked.sides[0].sum, 200 + 64 * (199 * 200 / 2));
    EXPECT_EQ(asked.sides[1].sum, asked.sides[0].sum);
}

TEST_F(IdBenchTest, Refusals) {
    const ktwin_bench_ids good = request(KTWIN_IDS_CHURN, KTWIN_IDS_TWIN, KTWIN_IDS_IDR);
    const auto refused = [&](auto change) {
        ktwin_bench_ids asked = good;
        change(asked);
        return IdBench::check(asked, kCpus).error();
    };
    EXPECT_EQ(refused([](auto&) {}), Errno::kNone);
    EXPECT_EQ(refused([](auto& at) { at.flags = 2; }), Errno::kInvalid);
    EXPECT_EQ(refused([](auto& at) { at.work = KTWIN_IDS_READER + 1; }), Errno::kInvalid);
    EXPECT_EQ(refused([](auto& at) { at.zero = 1; }), Errno::kInvalid);
    EXPECT_EQ(refused([](auto& at) { at.who[0] = KTWIN_IDS_NONE; }), Errno::kInvalid);
    EXPECT_EQ(refused([](auto& at) { at.who[1] = kWhoAll + 1; }), Errno::kInvalid);
    EXPECT_EQ(refused([](auto& at) { at.limit = 63; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.limit = 0; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.limit = kIds + 1; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.live = 0; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.live = kLimit - 32; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.spread = kLimit / 200 + 1; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.operations = 0; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.operations = 1048577; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.rounds = 0; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.rounds = 102; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.levels = 0; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.levels = 33; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.levels = 2; }), Errno::kNotSupported);
    EXPECT_EQ(refused([](auto& at) { at.who[1] = KTWIN_IDS_IDA; }), Errno::kNotSupported);
    EXPECT_EQ(refused([](auto& at) { at.flags = KTWIN_IDS_LOWEST, at.who[1] = KTWIN_IDS_SBITMAP; }),
              Errno::kNotSupported);
    EXPECT_EQ(refused([](auto& at) { at.who[0] = KTWIN_IDS_TWIN_PIDS; }), Errno::kNotSupported);
    EXPECT_EQ(refused([](auto& at) { at.who[0] = KTWIN_IDS_BLOCKS, at.limit = kLimit - 1; }), Errno::kRange);
    EXPECT_EQ(refused([](auto& at) { at.work = KTWIN_IDS_FILL; }), Errno::kRange);
}

// Whatever allocation fails, it says so or does without, and leaves nothing behind (reset() looks).
// sparsely: fewer and fewer of them, where there are thousands.
void fail_everywhere(ktwin_bench_ids asked, bool sparsely = false) {
    for (i64 nth = 1;; nth += sparsely ? 1 + nth / 4 : 1) {
        FakeHost::get().reset();
        FakeHost::get().fail_allocation(nth);
        ktwin_bench_ids again = asked;
        IdBench bench(again, kCpus);
        const Errno error = bench.run().error();
        EXPECT_TRUE(error == Errno::kNone || error == Errno::kNoMemory) << static_cast<int>(error);
        EXPECT_EQ(FakeHost::get().live_allocations(), 0);
        if (!FakeHost::get().failure_hit()) {
            return;
        }
    }
}

TEST_F(IdBenchTest, EveryAllocationFails) {
    for (const u32 who : {KTWIN_IDS_BLOCKS, KTWIN_IDS_PIDMAP, KTWIN_IDS_IDR, KTWIN_IDS_SBITMAP}) {
        ktwin_bench_ids asked = request(KTWIN_IDS_CHURN, KTWIN_IDS_TWIN, who);
        asked.live = 20;
        asked.operations = 20;
        asked.rounds = 1;
        asked.limit = who == KTWIN_IDS_SBITMAP ? 128 : kLimit;
        fail_everywhere(asked);
    }
    ktwin_bench_ids asked = request(KTWIN_IDS_PING_PONG, KTWIN_IDS_TWIN_PIDS, KTWIN_IDS_TWIN_PIDS);
    asked.levels = 2;
    asked.operations = 10;
    asked.rounds = 1;
    fail_everywhere(asked, true);
}

// A signal at each breath in turn, until there are no more.
TEST_F(IdBenchTest, InterruptedAnywhere) {
    for (u32 work = 0; work <= KTWIN_IDS_ITERATE; ++work) {
        for (int breaths = 0;; ++breaths) {
            ktwin_bench_ids asked = request(work, KTWIN_IDS_TWIN, KTWIN_IDS_IDR);
            int left = breaths;
            FakeHost::get().on_breathe = [&](u64) { return left-- > 0; };
            const Errno error = run(asked);
            FakeHost::get().on_breathe = nullptr;
            EXPECT_EQ(FakeHost::get().live_allocations(), 0);
            if (error == Errno::kNone) {
                EXPECT_GT(breaths, 3);
                break;
            }
            ASSERT_EQ(error, Errno::kInterrupted);
        }
    }
}

}  // namespace
}  // namespace ktwin
