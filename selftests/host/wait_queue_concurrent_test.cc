// SPDX-License-Identifier: GPL-2.0-only
//
// Wait queues with real threads, for ThreadSanitizer: no wake-up is lost, none counts twice, whatever else ends a
// sleep meanwhile. A lost one shows as a test that does not end.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/wait_event.h"
#include "fake_host.h"
#include "fake_task.h"

namespace {

using namespace ktwin;

constexpr int kSleepers = 6;
constexpr int kWakers = 3;
constexpr int kRounds = 1000;

class Tokens {
  public:
    bool take() {
        int now = count_;
        while (now > 0 && !count_.compare_exchange_weak(now, now - 1)) {}
        return now > 0;
    }
    void post() { ++count_; }
    int left() const { return count_; }

  private:
    std::atomic<int> count_{0};
};

class WaitQueueThreads : public testing::Test {
  protected:
    void SetUp() override { FakeHost::get().reset(); }

    template <typename Work>
    void start(Work work) {
        threads_.emplace_back(work);
    }
    void join() {
        for (std::thread& thread : threads_) {
            thread.join();
        }
        threads_.clear();
    }

    WaitQueueHead head_{KT_LOCK_QUEUE};
    Tokens tokens_;
    std::atomic<int> taken_{0};
    std::atomic<bool> closed_{false};
    std::vector<std::thread> threads_;
};

// As many tokens taken as posted; each post wakes one, so a wake-up that hits nobody but ought to leaves a token.
TEST_F(WaitQueueThreads, OneWakeAToken) {
    for (int i = 0; i < kSleepers; ++i) {
        start([&, kind = i % 2 != 0 ? WaitKind::kExclusive : WaitKind::kPriority] {
            for (;;) {
                bool got = false;
                EXPECT_TRUE(wait_event_until(head_, kind, KT_TASK_UNINTERRUPTIBLE, 0,
                                             [&] { return (got = tokens_.take()) || closed_; }));
                if (!got) {
                    return;
                }
                ++taken_;
            }
        });
    }
    // Calls that none of them is to be woken by do not hide them from those that are.
    start([&] {
        while (!closed_) {
            head_.wake_up_interruptible_all();
        }
    });
    std::vector<std::thread> wakers;
    for (int i = 0; i < kWakers; ++i) {
        wakers.emplace_back([&, i] {
            for (int round = 0; round < kRounds; ++round) {
                tokens_.post();
                if (i == 0 && round % 3 == 0) {
                    kt_host_preempt_disable();
                    SpinGuard guard(head_.lock());
                    head_.wake_up_locked();
                } else {
                    head_.wake_up();
                }
                if (i == 0 && round % 3 == 0) {
                    kt_host_preempt_enable();
                }
            }
        });
    }
    for (std::thread& waker : wakers) {
        waker.join();
    }
    while (tokens_.left() != 0) {
        std::this_thread::yield();
    }
    closed_ = true;
    head_.wake_up_all();
    join();
    EXPECT_EQ(kWakers * kRounds, taken_);
    EXPECT_FALSE(head_.waitqueue_active());
}

// Sleepers that are woken by the queue, by signals and by time, all at once, in front of an onlooker.
TEST_F(WaitQueueThreads, SignalsTimeoutsAndOnlookers) {
    std::atomic<FakeTask*> tasks[kSleepers] = {};
    std::atomic<uint64_t> sequence{0};
    std::atomic<int> running{kSleepers};
    for (int i = 0; i < kSleepers; ++i) {
        start([&, i] {
            tasks[i] = &FakeTask::current();
            const auto kind = static_cast<WaitKind>(i % 3);
            for (int round = 0; round < kRounds; ++round) {
                const uint64_t seen = sequence;
                const Result result = wait_event_until(head_, kind, KT_TASK_INTERRUPTIBLE, deadline_in(20000),
                                                       [&] { return sequence != seen; });
                if (!result && result.error() == Errno::kInterrupted) {
                    FakeTask::current().send(FakeTask::kNone);
                }
            }
            --running;
            tasks[i] = nullptr;
            while (running != 0) {  // the task goes with the thread
                std::this_thread::yield();
            }
        });
    }
    start([&] {
        for (int round = 0; running != 0; ++round) {
            if (FakeTask* task = tasks[round % kSleepers]) {
                task->send(round % 7 == 0 ? FakeTask::kFatal : FakeTask::kOrdinary);
            }
            std::this_thread::yield();
        }
    });
    start([&] {
        while (running != 0) {
            head_.for_each([](const WaitQueueEntry& entry) { EXPECT_NE(0U, entry.task()); });
            FakeHost::get().advance(1000);
            std::this_thread::yield();
        }
    });
    start([&] {
        for (uint32_t round = 0; running != 0; ++round) {
            ++sequence;
            head_.wake_up_interruptible(round % 4);
        }
    });
    join();
    EXPECT_FALSE(head_.waitqueue_active());
}

// Entries that stay queued while they are woken again and again: each wake-up is answered before the next is sent.
TEST_F(WaitQueueThreads, EntriesThatStay) {
    std::atomic<int> request{0};
    std::atomic<int> answers{0};
    for (int i = 0; i < kSleepers; ++i) {
        start([&] {
            WaitQueueEntry entry(kt_host_current(), default_wake_function, false);
            head_.add_wait_queue(entry);
            for (int seen = 0; seen < kRounds;) {
                WaitQueueHead::set_current_state(entry, KT_TASK_INTERRUPTIBLE);
                if (request == seen) {
                    kt_host_schedule(0);
                    continue;
                }
                kt_host_set_state(KT_TASK_RUNNING);
                ++seen;
                ++answers;
            }
            head_.finish_wait(entry);
        });
    }
    for (int round = 1; round <= kRounds; ++round) {
        ++request;
        head_.wake_up_interruptible();
        while (answers != round * kSleepers) {
            std::this_thread::yield();
        }
    }
    join();
    EXPECT_FALSE(head_.waitqueue_active());
}

}  // namespace
