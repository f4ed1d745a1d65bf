// SPDX-License-Identifier: GPL-2.0-only
//
// ReferenceAllocator: alloc_pid as kernel/pid.c does it, step by step, on the kernel's own idr. Numbers only.
#ifndef KTWIN_CORE_REFERENCE_ALLOCATOR_H
#define KTWIN_CORE_REFERENCE_ALLOCATOR_H

#include "base/expected.h"
#include "base/span.h"
#include "core/limits.h"

namespace ktwin {

class ReferenceAllocator {
  public:
    // [sleep] levels idrs.
    Result setup(u32 levels, u32 pid_max);
    void teardown();

    // [sleep] Fills numbers[0..level]. As PidAllocator::alloc_pid; every level is taken to have its init.
    Result alloc_pid(u32 level, Span<const i32> set_tid, u32* numbers);
    // [sleep] How many of the numbers were there.
    u32 free_pid(u32 level, const u32* numbers);

    bool find(u32 level, u32 nr) const;
    i32 next(u32 level, u32 nr) const;
    u32 cursor(u32 level) const;

  private:
    i32 reserve(u32 level, u32 deepest, Span<const i32> set_tid);

    void* idrs_[kLevels] = {};
    u32 levels_ = 0;
    u32 pid_max_ = 0;
};

}  // namespace ktwin

#endif
