// SPDX-License-Identifier: GPL-2.0-only
//
// Readers without a lock against everything that changes the twin, for ThreadSanitizer: forks, maintenance (which
// reuses nodes after real grace periods), audits, resynchronisations, streams.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/random.h"
#include "core/pid_allocator.h"
#include "fake_kernel.h"

namespace {

using std::chrono::steady_clock;

// So long, and on a busy machine as much longer, within bounds, as nothing has come of it yet.
class Threads {
  public:
    explicit Threads(int milliseconds, const std::atomic<uint64_t>* wanted = nullptr)
        : end_(steady_clock::now() + std::chrono::milliseconds(milliseconds)),
          patience_(end_ + std::chrono::minutes(2)),
          wanted_(wanted) {}
    template <typename Work>
    void run(Work work) {
        threads_.emplace_back([this, work]() mutable {
            for (unsigned i = 0; goes_on(); ++i) {
                work(i);
                if (i % 64 == 0) {
                    std::this_thread::yield();
                }
            }
        });
    }
    void join() {
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }

  private:
    bool goes_on() const {
        const auto now = steady_clock::now();
        return now < end_ || (wanted_ != nullptr && *wanted_ == 0 && now < patience_);
    }

    const steady_clock::time_point end_;
    const steady_clock::time_point patience_;
    const std::atomic<uint64_t>* const wanted_;
    std::vector<std::thread> threads_;
};

// The lambdas hold the lock; the analysis does not follow it into them.
ktwin::NodePools& nodes_of(ktwin::TwinMemory& memory) TA_NO_ANALYSIS {
    return memory.nodes();
}

// One id is always there, others come and go around it; it must be found each time, and nothing at a wrong place.
TEST(Concurrent, IdTree) {
    using namespace ktwin;
    FakeHost::get().reset();
    auto memory = std::make_unique<TwinMemory>(KT_LOCK_LAB, 100000, false);
    ASSERT_TRUE(memory->refill());
    auto tree = std::make_unique<IdTree>();
    const auto value = [](u32 id) { return reinterpret_cast<void*>(u64{id} * 8 + 8); };
    const u32 stable[] = {5, 900, 40000, 70000, 4000000};
    {
        SpinGuard guard(memory->lock());
        for (u32 id : stable) {
            ASSERT_TRUE(tree->insert(id, value(id), memory->nodes()));
        }
    }
    std::atomic<u64> wrong{0};
    Threads threads(1500);
    NodePools& nodes = nodes_of(*memory);
    threads.run([&, dice = Random(1)](unsigned) mutable {
        (void)memory->reserve(0);
        SpinGuard guard(memory->lock());
        const u32 id = 1 + (dice.below(2) != 0 ? dice.below(3000) : dice.below(kIds - 1));
        if (tree->find(id) == nullptr) {
            (void)tree->insert(id, value(id), nodes);
        }
        const IdTree::Found found = tree->next(dice.below(kIds));
        bool keep = found.pointer == nullptr;
        for (u32 other : stable) {
            keep = keep || found.id == other;
        }
        if (!keep) {
            tree->erase(found.id, nodes);
        }
    });
    threads.run([&](unsigned) { memory->maintain(); });
    for (u64 seed : {7, 8}) {
        threads.run([&, dice = Random(seed)](unsigned) mutable {
            RcuGuard rcu;
            for (u32 id : stable) {
                wrong += tree->find(id) != value(id);
            }
            const u32 id = dice.below(2) != 0 ? dice.below(3000) : dice.below(kIds);
            void* pointer = tree->find(id);
            wrong += pointer != nullptr && pointer != value(id);
            u32 seen = 0;
            IdTree::Found at = tree->next(0);
            for (u32 last = 0; at.pointer != nullptr; at = tree->next(at.id + 1)) {
                wrong += at.pointer != value(at.id) || (last != 0 && at.id <= last);
                last = at.id;
                for (u32 other : stable) {
                    seen += other == at.id;
                }
            }
            wrong += seen != std::size(stable);
            (void)tree->room(32768);
        });
    }
    threads.join();
    EXPECT_EQ(wrong, 0u);
    {
        SpinGuard guard(memory->lock());
        tree->clear(memory->nodes());
    }
    memory->teardown();
    FakeHost::get().reset();
}

TEST(Concurrent, Everything) {
    CoreRun run(1000000);
    FakeKernel& kernel = FakeKernel::get();
    kernel.pid_max = 5000;
    kernel.alloc(kernel.root());
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    std::vector<uint64_t> ring((4096 + 256 * 64) / 8);
    int error = 0;
    kt_stream* stream =
        kt_core_stream_open(kt_host_init_ns(), &run, reinterpret_cast<ktwin_ring*>(ring.data()), 256, &error);
    ASSERT_NE(stream, nullptr);
    std::atomic<uint64_t> differences{0};
    std::atomic<uint64_t> complete{0};
    Threads threads(4000, &complete);
    threads.run([&, seed = 1u](unsigned i) mutable {
        std::lock_guard guard(kernel.lock());
        static FakeNs* ns = nullptr;
        seed = seed * 1103515245 + 12345;
        if (ns == nullptr || i % 500 == 0) {
            ns = kernel.create_ns(i % 1000 == 0 || ns == nullptr || ns->level > 5 ? kernel.root() : ns);
        }
        kernel.alloc(seed & 65536 ? ns : kernel.root());
        if (kernel.live() > 300) {
            kernel.free(kernel.any((seed >> 4) | 2));
        }
        if (seed % 50 == 0) {
            kernel.fail_fork(ns);
        }
    });
    threads.run([&](unsigned i) {
        kt_core_maintain();
        if (i % 20 == 19) {
            EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_RESYNC), 0);
        }
        if (i % 60 == 59) {
            EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), 0);
            EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
        }
    });
    threads.run([&](unsigned) {
        const kt_audit_budget budget = {4096, 100};
        ktwin_audit report = {};
        EXPECT_EQ(kt_core_audit(kt_host_init_ns(), &budget, &report), 0);
        differences += report.differences;
        complete += report.complete;
    });
    threads.run([&](unsigned) {
        __u64 cursor = 0;
        bool more = true;
        ktwin_pid pids[32];
        while (more && kt_core_read_pids(kt_host_init_ns(), 0, &cursor, pids, 32, &more) >= 0) {}
        cursor = 0;
        more = true;
        ktwin_ns ns[8];
        while (more && kt_core_read_namespaces(kt_host_init_ns(), 0, &cursor, ns, 8, &more) >= 0) {}
        ktwin_status status = {};
        (void)kt_core_status(kt_host_init_ns(), &status);
        kt_resolved resolved;
        (void)kt_core_resolve(kt_host_init_ns(), 0, 1, &resolved);
        auto* shared = reinterpret_cast<ktwin_ring*>(ring.data());
        (void)kt_core_stream_ack(stream, __atomic_load_n(&shared->head, __ATOMIC_ACQUIRE));
        (void)kt_core_stream_readable(stream);
    });
    threads.join();
    EXPECT_EQ(differences, 0u);
    EXPECT_GT(complete, 0u);
    kt_core_stream_close(stream);
    FakeHost::get().advance(1000000000000);
    kt_core_maintain();
    EXPECT_EQ(run.status().state, unsigned{KTWIN_LIVE});
    EXPECT_EQ(run.wrong_numbers(), 0u);
    EXPECT_EQ(run.audit().complete, 1u);
}

}  // namespace
