// SPDX-License-Identifier: GPL-2.0-only
#include "fake_host.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <shared_mutex>
#include <thread>

namespace {

// What this thread holds, to check the order and the contexts.
thread_local std::vector<int> held;
thread_local int rcu_depth = 0;
thread_local int spin_depth = 0;
thread_local uint32_t this_cpu = 1;
thread_local bool stays = false;

[[noreturn]] void broken_rule(const char* rule) {
    std::fprintf(stderr, "fake host: %s\n", rule);
    std::abort();
}

void may_sleep(const char* what) {
    if (spin_depth != 0 || rcu_depth != 0) {
        broken_rule(what);
    }
}

struct LockState {
    std::mutex mutex;
    int lock_class;
};

// The storage of a kt_host_lock holds its state; never destroyed, as in the kernel.
LockState& state_of(struct kt_host_lock* lock) {
    return *reinterpret_cast<LockState*>(lock->opaque);
}
static_assert(sizeof(LockState) <= sizeof(struct kt_host_lock));

void take(struct kt_host_lock* lock) {
    LockState& state = state_of(lock);
    for (int other : held) {
        if (other >= state.lock_class) {
            broken_rule("lock order");
        }
    }
    state.mutex.lock();
    held.push_back(state.lock_class);
}

void drop(struct kt_host_lock* lock) {
    LockState& state = state_of(lock);
    if (held.empty() || held.back() != state.lock_class) {
        broken_rule("unlock out of order");
    }
    held.pop_back();
    state.mutex.unlock();
}

// Readers: even/odd generations, so that a grace period waits for old readers and not for new ones.
std::atomic<uint64_t> rcu_generation{0};
std::atomic<int64_t> rcu_readers[2];
std::mutex rcu_writer;
// Grace periods, one at a time.
std::atomic<uint64_t> graces_begun{0};
std::atomic<uint64_t> graces_over{0};
thread_local int rcu_slot = 0;

}  // namespace

void fake_run_on_cpu(uint32_t cpu) {
    this_cpu = cpu;
}

FakeHost& FakeHost::get() {
    static FakeHost host;
    return host;
}

void FakeHost::reset() {
    EXPECT_EQ(live_, 0) << "leaked allocations";
    live_ = 0;
    allocations_ = 0;
    no_failures();
    failure_hit_ = false;
    rt_ = false;
    now_ns_ = 1000000000;
    kicks_ = 0;
    grace_periods_ = 0;
    on_breathe = nullptr;
    on_synchronize = nullptr;
    on_synchronize_hooks = nullptr;
    probes_alive = true;
    probes_missed = 0;
    probes_error = 0;
    probes_on = false;
    lockstep_alive = true;
    lockstep_missed = 0;
    lockstep_error = 0;
    lockstep_on = false;
    offline_cpu = kNoCpu;
    clock_ahead = 0;
    restless = false;
    for (auto* counter : {&traced_allocs, &traced_frees, &traced_new, &traced_gone, &traced_mismatches,
                          &traced_waits, &traced_wait_exits, &traced_wakes, &traced_herds, &wakes}) {
        *counter = 0;
    }
}

void* FakeHost::allocate(unsigned long size, bool atomic) {
    ++allocations_;
    if (fail_in_ > 0 && (--fail_in_ == 0)) {
        failure_hit_ = true;
        if (fail_on_) {
            fail_in_ = 1;
        }
        return nullptr;
    }
    if (atomic && rt_) {
        return nullptr;
    }
    void* memory = std::calloc(1, size);
    live_ += memory != nullptr ? 1 : 0;
    return memory;
}

void FakeHost::release(void* memory) {
    if (memory != nullptr) {
        --live_;
        std::free(memory);
    }
}

void FakeHost::synchronize(bool hooks) {
    ++grace_periods_;
    if (hooks ? static_cast<bool>(on_synchronize_hooks) : static_cast<bool>(on_synchronize)) {
        (hooks ? on_synchronize_hooks : on_synchronize)();
    }
    fake_kernel_drain();
    std::lock_guard guard(rcu_writer);
    ++graces_begun;
    for (int flip = 0; flip < 2; ++flip) {
        const uint64_t old = rcu_generation.fetch_add(1) & 1;
        while (rcu_readers[old].load() != 0) {
            std::this_thread::yield();
        }
    }
    ++graces_over;
}

bool FakeHost::breathe(uint64_t ns) {
    now_ns_ += ns;
    return on_breathe ? on_breathe(ns) : true;
}

extern "C" {

void* kt_host_alloc(unsigned long size) {
    may_sleep("kt_host_alloc where it may not sleep");
    return FakeHost::get().allocate(size, false);
}
void* kt_host_alloc_charged(unsigned long size) {
    return kt_host_alloc(size);
}
void* kt_host_alloc_atomic(unsigned long size) {
    return FakeHost::get().allocate(size, true);
}
void kt_host_free(void* memory) {
    may_sleep("kt_host_free where it may not sleep");
    FakeHost::get().release(memory);
}

void kt_host_lock_init(struct kt_host_lock* lock, kt_lock_class lock_class) {
    new (lock->opaque) LockState{{}, lock_class};
}
unsigned long kt_host_lock(struct kt_host_lock* lock) {
    take(lock);
    ++spin_depth;
    return 0x246;
}
void kt_host_unlock(struct kt_host_lock* lock, unsigned long flags) {
    if (flags != 0x246) {
        broken_rule("unlock with other flags");
    }
    --spin_depth;
    drop(lock);
}
void kt_host_task_lock(struct kt_host_lock* lock) {
    if (state_of(lock).lock_class != KT_LOCK_LAB) {
        broken_rule("a lock that hooks or interrupts take, with irqs on");
    }
    (void)kt_host_lock(lock);
}
void kt_host_task_unlock(struct kt_host_lock* lock) {
    kt_host_unlock(lock, 0x246);
}
void kt_host_mutex_lock(struct kt_host_lock* lock) {
    may_sleep("mutex where it may not sleep");
    take(lock);
}
bool kt_host_mutex_lock_interruptible(struct kt_host_lock* lock) {
    kt_host_mutex_lock(lock);
    return true;
}
void kt_host_mutex_unlock(struct kt_host_lock* lock) {
    drop(lock);
}

void kt_host_rcu_read_lock() {
    if (rcu_depth++ == 0) {
        for (;;) {
            const uint64_t generation = rcu_generation.load();
            rcu_slot = static_cast<int>(generation & 1);
            ++rcu_readers[rcu_slot];
            if (rcu_generation.load() == generation) {
                return;
            }
            --rcu_readers[rcu_slot];
        }
    }
}
void kt_host_rcu_read_unlock() {
    if (--rcu_depth == 0) {
        --rcu_readers[rcu_slot];
    }
}
void kt_host_synchronize() {
    may_sleep("a grace period where it may not sleep");
    FakeHost::get().synchronize(false);
}
__u64 kt_host_grace_begin() {
    return graces_begun;
}
bool kt_host_grace_over(__u64 since) {
    return graces_over > since;
}
void kt_host_synchronize_hooks() {
    may_sleep("a grace period where it may not sleep");
    FakeHost::get().synchronize(true);
}

__u64 kt_host_time_ns() {
    return FakeHost::get().tick();
}
// What is measured by it ends by it, and need not take long.
__u64 kt_host_clock_ns() {
    FakeHost& host = FakeHost::get();
    host.advance(1900);
    this_cpu ^= host.restless && !stays ? 3 : 0;
    return host.tick() + static_cast<uint64_t>(this_cpu > 1 ? host.clock_ahead.load() : 0);
}
void kt_host_stay(bool stay) {
    if (stay == stays) {
        broken_rule("kt_host_stay twice");
    }
    stays = stay;
}
__u32 kt_host_cpu() {
    return this_cpu;
}
bool kt_host_cpu_online(__u32 cpu) {
    return cpu != FakeHost::get().offline_cpu;
}
bool kt_host_breathe(__u64 ns) {
    may_sleep("kt_host_breathe where it may not sleep");
    return FakeHost::get().breathe(ns);
}
void kt_host_kick() {
    FakeHost::get().count_kick();
}
void kt_host_stream_wake(void*) {
    ++FakeHost::get().wakes;
}
__u64 kt_host_hash_key(kt_key key) {
    return (key * 0x9e3779b97f4a7c15ULL) | 1;
}
void kt_host_warn(const char*, __u64, __u64) {}

bool kt_host_probes_alive(__u64* missed) {
    may_sleep("probing where it may not sleep");
    *missed = FakeHost::get().probes_missed;
    return FakeHost::get().probes_alive;
}
int kt_host_probes_on() {
    FakeHost& host = FakeHost::get();
    host.probes_on = host.probes_error == 0;
    return host.probes_error;
}
void kt_host_probes_off() {
    FakeHost::get().probes_on = false;
    fake_kernel_drain();
}

void kt_host_trace_pid_alloc(__u64, const kt_pid*) {
    ++FakeHost::get().traced_allocs;
}
void kt_host_trace_pid_free(__u64, int, __u32, __u32, int) {
    ++FakeHost::get().traced_frees;
}
void kt_host_trace_pidns_new(__u32, __u32, __u32) {
    ++FakeHost::get().traced_new;
}
void kt_host_trace_pidns_gone(__u32, __u32, __u32) {
    ++FakeHost::get().traced_gone;
}
void kt_host_trace_audit_mismatch(__u32, int, __u32) {
    ++FakeHost::get().traced_mismatches;
}
void kt_host_trace_wait_enter(__u32, __u32, __u32) {
    ++FakeHost::get().traced_waits;
}
void kt_host_trace_wait_exit(__u32, int, __u64, __u64) {
    ++FakeHost::get().traced_wait_exits;
}
void kt_host_trace_wake(__u32, __u32, __u32, __u64) {
    ++FakeHost::get().traced_wakes;
}
void kt_host_trace_herd(__u32, __u32, __u32, __u64) {
    ++FakeHost::get().traced_herds;
}

}  // extern "C"
