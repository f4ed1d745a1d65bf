// SPDX-License-Identifier: GPL-2.0-only
#include "core/reference_allocator.h"

#include "boundary/host_api.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result ReferenceAllocator::setup(u32 levels, u32 pid_max) {
    pid_max_ = pid_max;
    for (; levels_ < levels; ++levels_) {
        idrs_[levels_] = kt_host_idr_create();
        if (idrs_[levels_] == nullptr) {
            return Errno::kNoMemory;
        }
    }
    return {};
}

void ReferenceAllocator::teardown() {
    while (levels_ > 0) {
        kt_host_idr_destroy(idrs_[--levels_]);
    }
}

bool ReferenceAllocator::find(u32 level, u32 nr) const {
    return kt_host_idr_find(idrs_[level], static_cast<i32>(nr));
}

i32 ReferenceAllocator::next(u32 level, u32 nr) const {
    return kt_host_idr_next(idrs_[level], static_cast<i32>(nr));
}

u32 ReferenceAllocator::cursor(u32 level) const {
    return kt_host_idr_cursor(idrs_[level]);
}

// A number or -errno.
i32 ReferenceAllocator::reserve(u32 level, u32 deepest, Span<const i32> set_tid) {
    constexpr i32 kNoSpace = -static_cast<i32>(Errno::kNoSpace);
    const u32 index = deepest - level;
    if (index < set_tid.size()) {
        const i32 tid = set_tid[index];
        if (tid < 1 || static_cast<u32>(tid) >= pid_max_) {
            return -static_cast<i32>(Errno::kInvalid);
        }
        const i32 nr = kt_host_idr_alloc_at(idrs_[level], tid);
        return nr == kNoSpace ? -static_cast<i32>(Errno::kExists) : nr;
    }
    const u32 min = cursor(level) > kReservedPids ? kReservedPids : 1;
    const i32 nr = kt_host_idr_alloc_cyclic(idrs_[level], static_cast<i32>(min), static_cast<i32>(pid_max_));
    return nr == kNoSpace ? -static_cast<i32>(Errno::kAgain) : nr;
}

Result ReferenceAllocator::alloc_pid(u32 level, Span<const i32> set_tid, u32* numbers) {
    if (set_tid.size() > level + 1) {
        return Errno::kInvalid;
    }
    for (u32 i = level + 1; i-- > 0;) {
        const i32 nr = reserve(i, level, set_tid);
        if (nr < 0) {
            while (++i <= level) {
                (void)kt_host_idr_remove(idrs_[i], static_cast<i32>(numbers[i]));
            }
            return static_cast<Errno>(-nr);
        }
        numbers[i] = static_cast<u32>(nr);
    }
    return {};
}

u32 ReferenceAllocator::free_pid(u32 level, const u32* numbers) {
    u32 there = 0;
    for (u32 i = 0; i <= level; ++i) {
        there += kt_host_idr_remove(idrs_[i], static_cast<i32>(numbers[i])) ? 1 : 0;
    }
    return there;
}

}  // namespace ktwin
