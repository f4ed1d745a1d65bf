// SPDX-License-Identifier: GPL-2.0-only
//
// The host the core runs on in tests: kt_host_* on top of the C library.
//
// - Memory is counted, can be made to fail at the Nth allocation, and is freed at once, so
// that ASan sees late users.
// - Locks check the order of the house, and that nothing sleeps under a spinlock or inside RCU.
// - A grace period really waits for the readers of other threads. A test may have something happen in each.
// - The clock moves a little whenever it is read.
#ifndef KTWIN_SELFTESTS_FAKE_HOST_H
#define KTWIN_SELFTESTS_FAKE_HOST_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "boundary/core_api.h"
#include "boundary/host_api.h"

class FakeHost {
  public:
    static FakeHost& get();

    // Everything as at the beginning of a test. What is still allocated is reported as a failure first.
    void reset();

    // --- memory ---
    void fail_allocation(int64_t nth) { fail_in_ = nth; }  // 1: the next; 0: none
    void fail_from(int64_t nth) {
        fail_in_ = nth;
        fail_on_ = true;
    }
    void no_failures() {
        fail_in_ = 0;
        fail_on_ = false;
    }
    bool failure_hit() const { return failure_hit_; }
    void set_rt(bool rt) { rt_ = rt; }  // atomic allocations never succeed
    int64_t live_allocations() const { return live_; }
    int64_t allocations() const { return allocations_; }

    // --- time and scheduling ---
    void advance(uint64_t ns) { now_ns_ += ns; }
    uint64_t now() const { return now_ns_; }
    std::function<bool(uint64_t)> on_breathe;
    std::function<void()> on_synchronize;
    std::function<void()> on_synchronize_hooks;
    int kicks() const { return kicks_; }
    int grace_periods() const { return grace_periods_; }
    static constexpr uint32_t kNoCpu = ~0U;
    static inline std::atomic<uint32_t> offline_cpu{kNoCpu};
    std::atomic<int64_t> clock_ahead{0};  // kt_host_clock_ns() of CPUs from 2 on, of that of the others
    std::atomic<bool> restless{false};    // who may be on another CPU is, at each look at that clock

    // --- probes ---
    bool probes_alive = true;
    uint64_t probes_missed = 0;
    int probes_error = 0;
    std::atomic<bool> probes_on{false};
    bool lockstep_alive = true;
    std::atomic<uint64_t> lockstep_missed{0};
    int lockstep_error = 0;
    std::atomic<bool> lockstep_on{false};

    // --- what was told ---
    std::atomic<uint64_t> traced_allocs{0};
    std::atomic<uint64_t> traced_frees{0};
    std::atomic<uint64_t> traced_new{0};
    std::atomic<uint64_t> traced_gone{0};
    std::atomic<uint64_t> traced_mismatches{0};
    std::atomic<uint64_t> traced_waits{0};
    std::atomic<uint64_t> traced_wait_exits{0};
    std::atomic<uint64_t> traced_wakes{0};
    std::atomic<uint64_t> traced_herds{0};
    std::atomic<uint64_t> wakes{0};

    // Used by the kt_host_* definitions.
    void* allocate(unsigned long size, bool atomic);
    void release(void* memory);
    void synchronize(bool hooks);
    uint64_t tick() { return now_ns_ += 100; }
    bool breathe(uint64_t ns);
    void count_kick() { ++kicks_; }

  private:
    std::atomic<int64_t> live_{0};
    std::atomic<int64_t> allocations_{0};
    std::atomic<int64_t> fail_in_{0};
    std::atomic<bool> fail_on_{false};
    std::atomic<bool> failure_hit_{false};
    std::atomic<bool> rt_{false};
    std::atomic<uint64_t> now_ns_{1000000000};
    std::atomic<int> kicks_{0};
    std::atomic<int> grace_periods_{0};
};

// The CPU that this thread runs on from now on, alone; 1 for who does not say.
void fake_run_on_cpu(uint32_t cpu);

// Returns when every critical section of the kernel's pids that is open now is over (fake_kernel.cc).
void fake_kernel_drain();

#endif
