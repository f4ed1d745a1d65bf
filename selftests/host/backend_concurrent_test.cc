// SPDX-License-Identifier: GPL-2.0-only
//
// Every kind of IdBackend under several threads, for ThreadSanitizer: no number given twice, none lost, readers without
// a lock see an object complete and at its own number, and who is told that nothing is free was told the truth.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/random.h"
#include "core/id_backend.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kThreads = 3;
constexpr u32 kCpus = kThreads + 1;
constexpr u32 kLimit = 8 * 512 * kCpus;

// What a number stands for, and since when.
struct Object {
    u32 id = 0;
    u32 check = 0;
};

class Crowd {
  public:
    explicit Crowd(IdBackend backend) : backend_(backend), owners_(kLimit) {}

    void run(int milliseconds) {
        end_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
        std::vector<std::thread> threads;
        for (u32 i = 0; i < kThreads; ++i) {
            threads.emplace_back([this, i] { work(i); });
        }
        threads.emplace_back([this] { read(); });
        for (std::thread& thread : threads) {
            thread.join();
        }
    }
    u64 operations() const { return operations_; }
    u64 full() const { return full_; }
    std::atomic<u64> held{0};

  private:
    bool more() const { return std::chrono::steady_clock::now() < end_; }

    Expected<u32> alloc() {
        return backend_.has(kHasAny)      ? backend_.alloc_any(0, kLimit, nullptr)
               : backend_.has(kHasCyclic) ? backend_.alloc_cyclic(0, kLimit, nullptr)
                                          : backend_.alloc_lowest(0, kLimit, nullptr);
    }

    void take(std::vector<u32>& mine) {
        const Expected<u32> id = alloc();
        if (!id) {
            EXPECT_EQ(id.error(), Errno::kNoSpace);
            ++full_;
            return;
        }
        EXPECT_EQ(owners_[id.value()].exchange(1), 0u) << "given twice";
        if (backend_.has(kHasFind)) {
            backend_.publish(id.value(), new Object{id.value(), ~id.value()});
        }
        mine.push_back(id.value());
    }

    void give(std::vector<u32>& mine, u32 at) {
        const u32 id = mine[at];
        mine[at] = mine.back();
        mine.pop_back();
        if (backend_.has(kHasFind)) {
            kt_host_rcu_read_lock();
            auto* object = static_cast<Object*>(backend_.find(id));
            kt_host_rcu_read_unlock();
            EXPECT_TRUE(object != nullptr && object->id == id);
            std::lock_guard guard(retired_lock_);
            retired_.emplace_back(object);
        }
        EXPECT_EQ(owners_[id].exchange(0), 1u);
        EXPECT_TRUE(backend_.erase(id));
    }

    void work(u32 index) {
        fake_run_on_cpu(index);
        Random dice(index + 1);
        std::vector<u32> mine;
        for (u32 i = 0; more() && !::testing::Test::HasFailure(); ++i) {
            // Turns of filling up to the limit and of emptying, so that both ends are met while others are there.
            const bool growing = (i / 8000) % 2 == 0;
            if (mine.empty() || dice.below(100) < (growing ? 90u : 20u)) {
                take(mine);
            } else {
                give(mine, dice.below(static_cast<u32>(mine.size())));
            }
            ++operations_;
        }
        held += mine.size();
    }

    void read() {
        fake_run_on_cpu(kThreads);
        Random dice(77);
        while (more()) {
            {
                RcuGuard guard;
                for (u32 i = 0; i < 64; ++i) {
                    const u32 id = dice.below(kLimit);
                    const auto* object = static_cast<const Object*>(backend_.find(id));
                    EXPECT_TRUE(object == nullptr || (object->id == id && object->check == ~id));
                }
                const IdTree::Found found = backend_.next(dice.below(kLimit));
                const auto* object = static_cast<const Object*>(found.pointer);
                EXPECT_TRUE(object == nullptr || object->id == found.id);
            }
            backend_.maintain();
            std::this_thread::yield();
        }
    }

    IdBackend backend_;
    std::vector<std::atomic<u32>> owners_;
    std::chrono::steady_clock::time_point end_;
    std::atomic<u64> operations_{0};
    std::atomic<u64> full_{0};
    std::mutex retired_lock_;
    std::vector<std::unique_ptr<Object>> retired_;  // until the end: who found one may still read it
};

TEST(Concurrent, IdBackends) {
    for (const IdBackendKind kind : {IdBackendKind::kTwin, IdBackendKind::kBlocks, IdBackendKind::kPidmap}) {
        SCOPED_TRACE(IdBackend::describe(kind).name);
        FakeHost::get().reset();
        IdBackend backend = IdBackend::create(kind, {kLimit, kCpus, 1000000}).value();
        {
            Crowd crowd(backend);
            crowd.run(1500);
            EXPECT_GT(crowd.operations(), 1000u);
            EXPECT_EQ(backend.count(), crowd.held);
            IdTree::Found found;
            for (u32 at = 0; (found = backend.next(at)).pointer != nullptr; at = found.id + 1) {
                delete static_cast<Object*>(found.pointer);
            }
        }
        backend.destroy();
        fake_run_on_cpu(1);
        FakeHost::get().reset();
    }
}

// All but one id are held; the threads pass that one on. Each finds it sooner or later, and only one has it at a time. A
// thread that is told "none" while nobody holds it has been lied to: then nobody would ever be told otherwise.
TEST(Concurrent, TheLastIdIsAlwaysFound) {
    FakeHost::get().reset();
    IdBackend backend = IdBackend::create(IdBackendKind::kBlocks, {kLimit, kCpus, 100000}).value();
    for (u32 i = 0; i < kLimit - 1; ++i) {
        fake_run_on_cpu(i % kThreads);
        ASSERT_TRUE(backend.alloc_any(0, kLimit, nullptr));
    }
    std::atomic<u32> busy{0};  // allocations and frees of the last id that are under way
    std::atomic<u32> holders{0};
    std::atomic<u64> lies{0};
    std::atomic<u64> passed{0};
    std::vector<std::thread> threads;
    for (u32 t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            fake_run_on_cpu(t);
            for (u32 i = 0; i < 300; ++i) {
                const u64 before = passed.load();
                const bool others = busy.fetch_add(1) != 0;
                const Expected<u32> id = backend.alloc_any(0, kLimit, nullptr);
                if (id) {
                    EXPECT_EQ(holders.fetch_add(1), 0u) << "given twice";
                    std::this_thread::yield();
                    holders.fetch_sub(1);
                    EXPECT_TRUE(backend.erase(id.value()));
                    ++passed;
                } else if (!others && busy.load() == 1 && passed.load() == before) {
                    ++lies;  // alone the whole time, and refused
                }
                busy.fetch_sub(1);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(lies, 0u);
    EXPECT_GT(passed, 0u);
    fake_run_on_cpu(0);
    EXPECT_TRUE(backend.alloc_any(0, kLimit, nullptr));
    EXPECT_EQ(backend.alloc_any(0, kLimit, nullptr).error(), Errno::kNoSpace);
    backend.destroy();
    fake_run_on_cpu(1);
    FakeHost::get().reset();
}

}  // namespace
}  // namespace ktwin
