// SPDX-License-Identifier: GPL-2.0-only
//
// FlatNumbers: a laboratory over a backend that hands out numbers and keeps nothing for them (ida, sbitmap_queue): one
// namespace, and of the calls those that allocate and free.
//
// Such a backend cannot tell whether a number is used, and one that is given back twice spoils it (ida_free() warns); so
// what is out is noted here, a bit each. One caller at a time.
#ifndef KTWIN_CORE_FLAT_NUMBERS_H
#define KTWIN_CORE_FLAT_NUMBERS_H

#include "base/atomic.h"
#include "core/id_backend.h"
#include "core/pid_allocator.h"

namespace ktwin {

class FlatNumbers : Pinned {
  public:
    // [sleep] kNoMemory. limit: numbers are below it.
    Result setup(IdBackendKind kind, const IdBackendConfig& config, u32 pid_max);
    void teardown();

    // [sleep] kAgain, kExists, kNoMemory, kInvalid, kNotSupported, as PidAllocator::alloc_pid().
    Expected<u32> alloc(PidOrder order, Span<const i32> set_tid);
    // kNotFound
    Result give_back(u32 nr);
    // kNotSupported: the backend hands out all of its numbers.
    Result set_pid_max(u32 pid_max);

    u32 pid_max() const { return pid_max_; }
    u32 count() const { return count_.load_relaxed(); }
    // Of the 64 numbers from first on. Readers may look.
    u64 used(u32 first) const { return used_[first / 64].load_relaxed(); }
    u32 limit() const { return limit_; }
    static u64 bytes(u32 limit) { return u64{limit} / 64 * sizeof(u64) + sizeof(u64); }

  private:
    Expected<u32> take(PidOrder order, Span<const i32> set_tid);

    IdBackend backend_;
    Atomic<u64>* used_ = nullptr;
    u32 limit_ = 0;
    u32 pid_max_ = 0;
    Atomic<u32> count_;
};

}  // namespace ktwin

#endif
