// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_pools.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// How many are ready from the start. Most of a system lives at level 0 and 1 (containers); what is deeper is rare, and
// its first wave is served from the reserve. A small limit is shared out in about these proportions, half of it kept
// for what will be asked for.
constexpr u32 start_size(u32 level, u32 limit) {
    struct Start {
        u32 size;
        u32 part;
    };
    const Start start = level == 0             ? Start{2048, 4}
                        : level == 1           ? Start{1024, 8}
                        : level <= 3           ? Start{256, 32}
                        : level == kLevels - 1 ? Start{512, 16}
                                               : Start{16, 1024};
    const u32 share = limit / start.part;
    return share < 1 ? 1 : share < start.size ? share : start.size;
}

}  // namespace

PidPools::PidPools(PoolBudget* budget, Kicker* kicker, u32 extra_bytes, u32 most_at_start) {
    for (u32 level = 0; level < kLevels; ++level) {
        const u32 start = start_size(level, budget->limit());
        pools_[level].setup(TwinPid::bytes(level) + extra_bytes,
                            start < most_at_start ? start : most_at_start, budget, kicker);
    }
}

// From the pool of the level or a deeper one, which is from then.
PoolNode* PidPools::get(u32 level, u32& from) {
    for (from = level; from < kLevels; ++from) {
        if (PoolNode* node = pools_[from].get_ready()) {
            return node;
        }
    }
    return nullptr;
}

TwinPid* PidPools::make(u32 level, kt_key key, u64 serial, u64 born_ns, PoolNode* at_hand) {
    PoolNode* node = at_hand;
    u32 from = level;
    if (node == nullptr) {
        node = get(level, from);
        // What others have at hand is not in use.
        if (node == nullptr && unload() != 0) {
            node = get(level, from);
        }
        if (node == nullptr) {
            from = level;
            node = pools_[level].get_atomic();
        }
        magazines_.load(kt_host_cpu(), level, pools_);
    }
    return construct_at<TwinPid>(node, key, level, serial, born_ns, from);
}

}  // namespace ktwin
