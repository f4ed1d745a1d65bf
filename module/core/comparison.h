// SPDX-License-Identifier: GPL-2.0-only
//
// Comparison: the twin's allocator and the kernel's idr, given the same random calls. Every number, every
// error and every cursor is compared. All of it is private: a twin under its own lock, idrs of its own.
#ifndef KTWIN_CORE_COMPARISON_H
#define KTWIN_CORE_COMPARISON_H

#include "base/random.h"
#include "core/pid_allocator.h"
#include "core/reference_allocator.h"

namespace ktwin {

class Comparison : Pinned {
  public:
    explicit Comparison(ktwin_compare& request)
        : request_(request),
          memory_(KT_LOCK_LAB, kPidMaxLimit * 2, false),
          world_(memory_),
          allocator_(world_),
          random_(request.seed) {}

    static bool is_valid(const ktwin_compare& request) {
        return request.operations >= 1 && request.operations <= 10000000 && request.pid_max >= 2 &&
               request.pid_max <= kPidMaxLimit && request.levels >= 1 && request.levels <= kLevels;
    }

    // [sleep] kNoMemory, kInterrupted; the counters of the request are set in any case.
    Result run();

  private:
    Result setup();
    void teardown();
    Result operate();
    Result upkeep(u32 operation);
    Result first_pids();
    Result alloc(u32 level, Span<const i32> set_tid);
    Result random_alloc();
    void random_free();
    void random_find();
    void random_next();
    void expect(bool same);
    void compare_result(u32 level, const Expected<TwinPid*>& twin, Result kernel);
    void compare_cursors(u32 level);
    void free_all();
    TwinPid* random_pid();

    ktwin_compare& request_;
    TwinMemory memory_;
    PidWorld world_;
    PidAllocator allocator_;
    ReferenceAllocator kernel_;
    Random random_;
    PidNamespace* ns_[kLevels] = {};
    u32 cursors_[kLevels] = {};
    u32 numbers_[kLevels] = {};
    i32 tids_[kLevels] = {};
    u32 alloc_percent_ = 50;
};

}  // namespace ktwin

#endif
