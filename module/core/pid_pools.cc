// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_pools.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// How many are ready from the start. Most of a system lives at level 0 and 1 (containers); what is deeper is
// rare, and its first wave is served from the reserve.
constexpr u32 start_size(u32 level) {
    if (level == 0) {
        return 2048;
    }
    if (level == 1) {
        return 1024;
    }
    if (level <= 3) {
        return 256;
    }
    return level == kLevels - 1 ? 512 : 16;
}

}  // namespace

PidPools::PidPools(PoolBudget* budget, Kicker* kicker) {
    for (u32 level = 0; level < kLevels; ++level) {
        pools_[level].setup(TwinPid::bytes(level), start_size(level), budget, kicker);
    }
}

TwinPid* PidPools::make(u32 level, kt_key key, u64 serial, u64 born_ns) {
    PoolNode* node = nullptr;
    u32 from = level;
    while (node == nullptr && from < kLevels) {
        node = pools_[from++].get_ready();
    }
    if (node == nullptr) {
        from = level + 1;
        node = pools_[level].get_atomic();
    }
    return construct_at<TwinPid>(node, key, level, serial, born_ns, from - 1);
}

}  // namespace ktwin
