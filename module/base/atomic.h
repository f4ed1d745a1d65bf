// SPDX-License-Identifier: GPL-2.0-only
//
// Atomics with the order in the name. Only what inlines on x86-64: no wait, nothing wider than a word. A value that
// is written under a lock and read without it is an Atomic too, so that both compilers and TSan know.
#ifndef KTWIN_BASE_ATOMIC_H
#define KTWIN_BASE_ATOMIC_H

#include "base/types.h"

namespace ktwin {

template <typename T>
class Atomic {
    static_assert(sizeof(T) <= sizeof(u64));  // NOLINT(bugprone-sizeof-expression): T may be a pointer

  public:
    constexpr Atomic() = default;
    constexpr explicit Atomic(T value) : value_(value) {}
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;

    T load_relaxed() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
    T load_acquire() const { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }
    void store_relaxed(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
    void store_release(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }
    T fetch_add_relaxed(T value) { return __atomic_fetch_add(&value_, value, __ATOMIC_RELAXED); }
    T fetch_sub_acq_rel(T value) { return __atomic_fetch_sub(&value_, value, __ATOMIC_ACQ_REL); }
    bool compare_exchange_acquire(T& expected, T desired) {
        return __atomic_compare_exchange_n(&value_, &expected, desired, false, __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED);
    }

    T exchange_acquire(T value) { return __atomic_exchange_n(&value_, value, __ATOMIC_ACQUIRE); }
    T fetch_or_acquire(T value) { return __atomic_fetch_or(&value_, value, __ATOMIC_ACQUIRE); }
    // For two who each write their own and then look at the other's: one of them at least sees it.
    T load_seq_cst() const { return __atomic_load_n(&value_, __ATOMIC_SEQ_CST); }
    void store_seq_cst(T value) { __atomic_store_n(&value_, value, __ATOMIC_SEQ_CST); }
    // Without a result it is one instruction; with one, x86 needs a loop.
    void and_seq_cst(T value) { __atomic_fetch_and(&value_, value, __ATOMIC_SEQ_CST); }

    // For the only writer (the holder of the lock that guards it): no locked instruction.
    void add_exclusive(T value) { store_relaxed(load_relaxed() + value); }
    void sub_exclusive(T value) { store_relaxed(load_relaxed() - value); }

  private:
    T value_{};
};

// The same on a field of a plain struct that is shared with C.
template <typename T>
inline void store_release(T* field, T value) {
    __atomic_store_n(field, value, __ATOMIC_RELEASE);
}
template <typename T>
inline void store_relaxed(T* field, T value) {
    __atomic_store_n(field, value, __ATOMIC_RELAXED);
}

// Nothing before it is seen after anything behind it.
inline void full_barrier() {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// What was read before it was read before anything read behind it: smp_rmb().
inline void read_barrier() {
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

inline void cpu_relax() {
    asm volatile("pause" ::: "memory");
}

}  // namespace ktwin

#endif
