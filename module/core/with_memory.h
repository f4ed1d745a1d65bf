// SPDX-License-Identifier: GPL-2.0-only
//
// An allocation that finds its pools dry tries again with more: first what can be had at once, then what a grace period
// gives back.
#ifndef KTWIN_CORE_WITH_MEMORY_H
#define KTWIN_CORE_WITH_MEMORY_H

#include "core/id_memory.h"

namespace ktwin {

// [sleep, lock not held] attempt() takes the lock itself and returns an Expected.
template <typename Attempt>
auto with_memory(IdMemory& memory, Attempt attempt) -> decltype(attempt()) {
    auto result = attempt();
    if (result.error() == Errno::kNoMemory) {
        (void)memory.refill();
        result = attempt();
    }
    if (result.error() == Errno::kNoMemory) {
        memory.maintain();
        result = attempt();
    }
    return result;
}

}  // namespace ktwin

#endif
