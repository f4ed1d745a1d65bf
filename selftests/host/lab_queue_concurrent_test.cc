// SPDX-License-Identifier: GPL-2.0-only
//
// Laboratory queues with real threads, over both backends: who is woken, in which order, what is told and counted.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "boundary/core_api.h"
#include "fake_host.h"
#include "fake_task.h"

namespace {

class LabQueue : public testing::TestWithParam<uint32_t> {
  protected:
    struct Sleeper {
        ktwin_wait wait{};
        std::atomic<int> result{1};
        std::atomic<FakeTask*> task{nullptr};
        std::atomic<bool> may_go{false};
        std::thread thread;
    };

    void SetUp() override {
        FakeHost::get().reset();
        int error = 1;
        queue_ = kt_core_queue_open(GetParam(), &error);
        ASSERT_NE(nullptr, queue_);
        ASSERT_EQ(0, error);
    }
    void TearDown() override {
        kt_core_queue_shut_down(queue_, 0);
        for (auto& sleeper : sleepers_) {
            end(*sleeper);
        }
        kt_core_queue_close(queue_);
        EXPECT_EQ(0, FakeHost::get().live_allocations());
    }

    // Asleep on the queue when it returns.
    Sleeper& start(uint32_t flags, uint32_t mode = KTWIN_WAIT_INTERRUPTIBLE, kt_key table = 1) {
        const uint32_t before = count();
        Sleeper& sleeper = launch(flags, mode, table);
        while (count() == before) {
            std::this_thread::yield();
        }
        return sleeper;
    }
    Sleeper& launch(uint32_t flags, uint32_t mode, kt_key table) {
        sleepers_.push_back(std::make_unique<Sleeper>());
        Sleeper& sleeper = *sleepers_.back();
        sleeper.wait.flags = flags;
        sleeper.wait.mode = mode;
        sleeper.wait.timeout_ns = timeout_ns_;
        sleeper.wait.sequence = stats().sequence;
        sleeper.wait.race_ns = (flags & KTWIN_WAIT_RACY) != 0 ? 1000 : 0;
        sleeper.thread = std::thread([this, &sleeper, table] {
            sleeper.task = &FakeTask::current();
            sleeper.result = kt_core_queue_wait(queue_, table, &sleeper.wait);
            while (!sleeper.may_go) {  // its task goes with the thread
                std::this_thread::yield();
            }
        });
        while (sleeper.task == nullptr) {
            std::this_thread::yield();
        }
        return sleeper;
    }
    int await(Sleeper& sleeper) {
        while (sleeper.result == 1) {
            std::this_thread::yield();
        }
        return sleeper.result;
    }
    void end(Sleeper& sleeper) {
        if (sleeper.thread.joinable()) {
            await(sleeper);
            sleeper.may_go = true;
            sleeper.thread.join();
        }
    }
    uint32_t wake(uint32_t nr, uint32_t post = 0, uint32_t flags = 0) {
        ktwin_wake wake{};
        wake.nr = nr;
        wake.post = post;
        wake.flags = flags;
        EXPECT_EQ(0, kt_core_queue_wake(queue_, &wake));
        return wake.woken;
    }
    ktwin_wait_stats stats() {
        ktwin_wait_stats stats{};
        kt_core_queue_stats(queue_, &stats);
        return stats;
    }
    uint32_t count() { return kt_core_queue_list(queue_, nullptr, 0); }

    kt_queue* queue_ = nullptr;
    uint64_t timeout_ns_ = 0;
    std::vector<std::unique_ptr<Sleeper>> sleepers_;
};

TEST_P(LabQueue, ExclusiveInTheOrderTheyCame) {
    for (int i = 0; i < 5; ++i) {
        start(KTWIN_WAIT_EXCLUSIVE);
    }
    Sleeper& shared = start(0);
    Sleeper& first = start(KTWIN_WAIT_PRIORITY);
    kt_waiter listed[8];
    ASSERT_EQ(7U, kt_core_queue_list(queue_, listed, 8));
    EXPECT_EQ(first.task.load()->key(), listed[0].task);
    EXPECT_EQ(shared.task.load()->key(), listed[1].task);
    EXPECT_EQ(sleepers_[0]->task.load()->key(), listed[2].task);
    EXPECT_EQ(1U, wake(1));
    EXPECT_EQ(0, await(first));
    EXPECT_EQ(3U, wake(2));
    EXPECT_EQ(0, await(shared));
    EXPECT_EQ(0, await(*sleepers_[0]));
    EXPECT_EQ(0, await(*sleepers_[1]));
    EXPECT_EQ(3U, count());
    EXPECT_EQ(3U, wake(0, 0, KTWIN_WAKE_LOCKED));
    const uint64_t orders[] = {3, 4, 5, 6, 7, 2, 1};
    for (size_t i = 0; i < sleepers_.size(); ++i) {
        EXPECT_EQ(0, await(*sleepers_[i]));
        EXPECT_EQ(orders[i], sleepers_[i]->wait.order) << i;
        EXPECT_EQ(1U, sleepers_[i]->wait.wakes);
    }
    EXPECT_EQ(7U, stats().woken);
    EXPECT_EQ(3U, stats().wakes);
    EXPECT_EQ(0U, stats().wakes_empty);
}

TEST_P(LabQueue, SequenceSeesTheWakeBetween) {
    const uint64_t seen = stats().sequence;
    EXPECT_EQ(0U, wake(0));
    EXPECT_EQ(1U, stats().wakes_empty);
    ktwin_wait wait{};
    wait.flags = KTWIN_WAIT_SEQUENCE;
    wait.sequence = seen;
    EXPECT_EQ(0, kt_core_queue_wait(queue_, 1, &wait));
    EXPECT_EQ(seen + 1, wait.sequence);
    // The textbook's way is deaf while it has looked and not yet queued.
    FakeHost::get().on_breathe = [&](uint64_t) {
        EXPECT_EQ(0U, wake(0));
        return true;
    };
    wait.flags = KTWIN_WAIT_SEQUENCE | KTWIN_WAIT_RACY;
    wait.race_ns = 1000;
    wait.timeout_ns = 5000;
    EXPECT_EQ(-ETIMEDOUT, kt_core_queue_wait(queue_, 1, &wait));
    EXPECT_EQ(1U, stats().timeouts);
}

TEST_P(LabQueue, AHerdIsCountedAndAnExclusiveOneIsNot) {
    for (int i = 0; i < 10; ++i) {
        start(KTWIN_WAIT_TAKE);
    }
    EXPECT_EQ(10U, wake(1, 1));
    while (count() != 9) {
        std::this_thread::yield();
    }
    while (stats().herds == 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(9U, stats().futile);
    EXPECT_EQ(10U, stats().herd_most);
    EXPECT_EQ(1U, FakeHost::get().traced_herds);
    wake(0, 9);
    for (auto& sleeper : sleepers_) {
        EXPECT_EQ(0, await(*sleeper));
    }
    for (int i = 0; i < 10; ++i) {
        start(KTWIN_WAIT_TAKE | KTWIN_WAIT_EXCLUSIVE);
    }
    EXPECT_EQ(1U, wake(1, 1));
    while (count() != 9) {
        std::this_thread::yield();
    }
    EXPECT_EQ(9U, stats().futile);
    EXPECT_EQ(1U, stats().herds);
    wake(0, 9);
}

TEST_P(LabQueue, SignalsByMode) {
    Sleeper& interruptible = start(0, KTWIN_WAIT_INTERRUPTIBLE);
    Sleeper& killable = start(KTWIN_WAIT_EXCLUSIVE, KTWIN_WAIT_KILLABLE);
    Sleeper& uninterruptible = start(0, KTWIN_WAIT_UNINTERRUPTIBLE);
    for (Sleeper* sleeper : {&interruptible, &killable, &uninterruptible}) {
        sleeper->task.load()->send(FakeTask::kOrdinary);
    }
    EXPECT_EQ(-EINTR, await(interruptible));
    killable.task.load()->send(FakeTask::kFatal);
    uninterruptible.task.load()->send(FakeTask::kFatal);
    EXPECT_EQ(-EINTR, await(killable));
    EXPECT_EQ(1, uninterruptible.result);
    EXPECT_EQ(2U, stats().signals);
    EXPECT_EQ(1U, wake(1));
    EXPECT_EQ(0, await(uninterruptible));
}

TEST_P(LabQueue, ClosedOneTableOrAll) {
    Sleeper& theirs = start(KTWIN_WAIT_EXCLUSIVE, KTWIN_WAIT_KILLABLE, 2);
    Sleeper& ours = start(0, KTWIN_WAIT_UNINTERRUPTIBLE, 1);
    kt_core_queue_shut_down(queue_, 2);
    EXPECT_EQ(-EIDRM, await(theirs));
    EXPECT_EQ(1, ours.result);
    EXPECT_EQ(1U, count());
    kt_core_queue_shut_down(queue_, 0);
    EXPECT_EQ(-EIDRM, await(ours));
    ktwin_wait wait{};
    EXPECT_EQ(-EIDRM, kt_core_queue_wait(queue_, 1, &wait));
    ktwin_wake wake{};
    EXPECT_EQ(-EIDRM, kt_core_queue_wake(queue_, &wake));
    EXPECT_EQ(0U, stats().woken);
}

TEST_P(LabQueue, TokensDoNotOverflow) {
    wake(1, ~0U);
    ktwin_wake one_more{};
    one_more.post = 1;
    EXPECT_EQ(-EOVERFLOW, kt_core_queue_wake(queue_, &one_more));
    bool tokens = false;
    bool closed = true;
    kt_core_queue_poll(queue_, &tokens, &closed);
    EXPECT_TRUE(tokens);
    EXPECT_FALSE(closed);
}

// Tokens are neither lost nor made while takers time out, are interrupted, and wakers of all sorts go on.
TEST_P(LabQueue, EveryTokenTakenOnce) {
    constexpr int kTakers = 4;
    constexpr int kPosts = 2000;
    std::atomic<int> taken{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < kTakers; ++i) {
        threads.emplace_back([&, i] {
            while (!over) {
                ktwin_wait wait{};
                wait.flags = KTWIN_WAIT_TAKE | (i % 2 != 0 ? KTWIN_WAIT_EXCLUSIVE : 0);
                wait.timeout_ns = 3000;
                taken += kt_core_queue_wait(queue_, 1, &wait) == 0 ? 1 : 0;
            }
        });
    }
    threads.emplace_back([&] {
        while (!over) {
            kt_waiter listed[4];
            kt_core_queue_list(queue_, listed, 4);
            FakeHost::get().advance(200);
            std::this_thread::yield();
        }
    });
    for (int i = 0; i < kPosts; ++i) {
        wake(1, 1, i % 5 == 0 ? KTWIN_WAKE_LOCKED : 0);
    }
    while (taken != kPosts) {
        std::this_thread::yield();
    }
    over = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(kPosts, taken);
    EXPECT_EQ(0U, count());
}

INSTANTIATE_TEST_SUITE_P(Backends, LabQueue, testing::Values(KTWIN_BACKEND_TWIN, KTWIN_BACKEND_KERNEL));

TEST(LabQueueMemory, EveryAllocationFails) {
    for (const uint32_t backend : {KTWIN_BACKEND_TWIN, KTWIN_BACKEND_KERNEL}) {
        for (int nth = 1; nth <= 3; ++nth) {
            FakeHost::get().reset();
            FakeHost::get().fail_allocation(nth);
            int error = 1;
            kt_queue* queue = kt_core_queue_open(backend, &error);
            EXPECT_EQ(FakeHost::get().failure_hit(), queue == nullptr);
            EXPECT_EQ(queue == nullptr ? -ENOMEM : 0, error);
            if (queue != nullptr) {
                kt_core_queue_close(queue);
            }
            EXPECT_EQ(0, FakeHost::get().live_allocations());
        }
    }
}

}  // namespace
