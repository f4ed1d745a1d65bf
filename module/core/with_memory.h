// SPDX-License-Identifier: GPL-2.0-only
//
// An allocation that finds its pools dry tries again with more: first what can be had at once, then what a grace period
// gives back.
#ifndef KTWIN_CORE_WITH_MEMORY_H
#define KTWIN_CORE_WITH_MEMORY_H

#include "core/id_memory.h"

namespace ktwin {

template <typename Attempt>
[[gnu::noinline, gnu::cold]] auto with_more_memory(IdMemory& memory, Attempt attempt) -> decltype(attempt()) {
    (void)memory.refill();
    const auto result = attempt();
    if (result.error() != Errno::kNoMemory) {
        return result;
    }
    memory.maintain();
    return attempt();
}

// [sleep, lock not held] attempt() takes the lock itself and returns an Expected. It is copied: what it captures by
// reference would have to live in memory.
template <typename Attempt>
KT_INLINE auto with_memory(IdMemory& memory, Attempt attempt) -> decltype(attempt()) {
    const auto result = attempt();
    return result.error() != Errno::kNoMemory ? result : with_more_memory(memory, attempt);
}

}  // namespace ktwin

#endif
