// SPDX-License-Identifier: GPL-2.0-only
//
// All calls of one laboratory by several threads, for ThreadSanitizer: writers, readers, statistics, the shrinker; at the
// end it has what was made and not freed, and gives back all of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/random.h"
#include "boundary/core_api.h"
#include "fake_host.h"

namespace {

using ktwin::Random;

constexpr uint32_t kWriters = 2;

class LabCrowd {
  public:
    explicit LabCrowd(uint32_t backend)
        : how_(backend == KTWIN_LAB_BLOCKS ? KTWIN_LAB_ANY : KTWIN_LAB_CYCLIC) {
        ktwin_lab wanted = {};
        wanted.size = sizeof(wanted);
        wanted.backend = backend;
        wanted.limit = 32768;
        int error = 0;
        lab_ = kt_core_lab_open(&wanted, kWriters + 1, &error);
        EXPECT_EQ(error, 0);
    }

    void run(int milliseconds) {
        end_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
        std::vector<std::thread> threads;
        for (uint32_t i = 0; i < kWriters; ++i) {
            threads.emplace_back([this, i] { write(i); });
        }
        threads.emplace_back([this] { read(); });
        for (std::thread& thread : threads) {
            thread.join();
        }
    }

    // Nobody is inside.
    void expect_sound() {
        const ktwin_lab_stats now = stats();
        EXPECT_GT(now.allocs, 100u);
        EXPECT_GT(now.frees, 10u);
        EXPECT_EQ(now.allocs - now.frees, now.pids);
        __u64 cursor = 0;
        bool more = true;
        uint32_t numbers = 0;
        std::vector<ktwin_lab_ns> spaces(64);
        while (more) {
            const int got = kt_core_read_lab_namespaces(lab_, &cursor, spaces.data(), 64, &more);
            ASSERT_GE(got, 0);
            for (int i = 0; i < got; ++i) {
                numbers += spaces[static_cast<size_t>(i)].count;
            }
        }
        EXPECT_EQ(numbers, now.numbers);
    }
    void close() { kt_core_lab_close(lab_); }

  private:
    bool more() const { return std::chrono::steady_clock::now() < end_; }

    ktwin_lab_stats stats() {
        ktwin_lab_stats stats = {};
        stats.size = sizeof(stats);
        EXPECT_EQ(kt_core_lab_stats(lab_, &stats), 0);
        return stats;
    }

    void create(Random& dice) {
        ktwin_lab_create request = {};
        request.size = sizeof(request);
        request.parent = space(dice);
        if (kt_core_lab_create(lab_, &request) == 0) {
            newest_ = request.ns;
        }
    }
    // The first, or one of the newest, dead ones included.
    uint32_t space(Random& dice) const {
        const uint32_t newest = newest_;
        const auto back = static_cast<uint32_t>(dice.below(12));
        return newest > back && back < 8 ? newest - back : 1;
    }
    void alloc(Random& dice) {
        ktwin_lab_alloc request = {};
        request.size = sizeof(request);
        request.ns = space(dice);
        request.how = how_;
        request.flags = dice.below(2) == 0 ? KTWIN_LAB_WITH_TASK : 0;
        (void)kt_core_lab_alloc(lab_, &request, true);
        newest_task_ = std::max<uint32_t>(newest_task_, request.task);
    }
    void role(Random& dice) {
        ktwin_lab_role request = {};
        request.size = sizeof(request);
        request.op = static_cast<uint32_t>(dice.below(5));
        request.type =
            request.op == KTWIN_LAB_EXCHANGE ? uint32_t{KTWIN_LAB_PID} : static_cast<uint32_t>(dice.below(4));
        request.task = task(dice);
        if (request.op == KTWIN_LAB_ATTACH || request.op == KTWIN_LAB_CHANGE) {
            request.ns = space(dice);
            request.nr = static_cast<int>(1 + dice.below(40));
        } else if (request.op != KTWIN_LAB_DETACH) {
            request.other = task(dice);
        }
        (void)kt_core_lab_role(lab_, &request);
    }
    uint32_t task(Random& dice) const { return static_cast<uint32_t>(1 + dice.below(newest_task_ + 1)); }
    void kill(Random& dice) {
        ktwin_lab_kill request = {};
        request.size = sizeof(request);
        request.ns = space(dice);
        // The first one stays, so that there is always one to go on in.
        if (request.ns != 1) {
            (void)kt_core_lab_kill(lab_, &request);
        }
    }

    void write(uint32_t thread) {
        Random dice(thread + 1);
        fake_run_on_cpu(thread);
        while (more()) {
            switch (const auto op = dice.below(40)) {
                case 0:
                    kill(dice);
                    break;
                case 1:
                case 2:
                    create(dice);
                    break;
                case 3:
                    (void)kt_core_lab_shrink(lab_, 64);
                    break;
                default:
                    if (op < 20) {
                        alloc(dice);
                    } else if (op < 28) {
                        role(dice);
                    } else {
                        (void)kt_core_lab_free(lab_, space(dice), static_cast<int>(1 + dice.below(400)));
                    }
            }
        }
    }

    void read() {
        Random dice(99);
        fake_run_on_cpu(kWriters);
        std::vector<ktwin_lab_pid> pids(32);
        std::vector<ktwin_lab_task> tasks(32);
        while (more()) {
            ktwin_lab_find find = {};
            find.size = sizeof(find);
            find.ns = space(dice);
            find.nr = static_cast<int>(1 + dice.below(400));
            if (kt_core_lab_find(lab_, &find) == 0) {
                const ktwin_lab_upid* upids = find.pid.upids;
                EXPECT_TRUE(std::any_of(upids, upids + find.pid.depth, [&find](const ktwin_lab_upid& upid) {
                    return upid.ns == find.ns && upid.nr == find.nr;
                }));
            }
            __u64 cursor = 0;
            bool rest = false;
            (void)kt_core_read_lab_pids(lab_, find.ns, &cursor, pids.data(), 32, &rest);
            cursor = 0;
            (void)kt_core_read_lab_tasks(lab_, &cursor, tasks.data(), 32, &rest);
            (void)stats();
        }
    }

    kt_lab* lab_ = nullptr;
    const uint32_t how_;
    std::chrono::steady_clock::time_point end_;
    std::atomic<uint32_t> newest_{1};
    std::atomic<uint32_t> newest_task_{1};
};

class LabCrowdTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(LabCrowdTest, AllCallsAtOnce) {
    FakeHost::get().reset();
    LabCrowd crowd(GetParam());
    crowd.run(1500);
    crowd.expect_sound();
    crowd.close();
    EXPECT_EQ(FakeHost::get().live_allocations(), 0);
}

INSTANTIATE_TEST_SUITE_P(Backends, LabCrowdTest,
                         ::testing::Values(uint32_t{KTWIN_LAB_TWIN}, uint32_t{KTWIN_LAB_BLOCKS},
                                           uint32_t{KTWIN_LAB_PIDMAP}, uint32_t{KTWIN_LAB_IDR},
                                           uint32_t{KTWIN_LAB_XARRAY}));

}  // namespace
