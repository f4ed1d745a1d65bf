// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_magazines.h"

#include "base/enforce.h"  // last

namespace ktwin {

u32 PidMagazines::empty(Magazine& magazine, Pool* pools) {
    u32 given = 0;
    for (Atomic<PoolNode*>& round : magazine.rounds) {
        if (PoolNode* node = round.exchange_acquire(nullptr)) {
            pools[magazine.level.load_relaxed()].put(node);
            ++given;
        }
    }
    return given;
}

void PidMagazines::load(u32 cpu, u32 level, Pool* pools) {
    if (cpu >= magazines_.size() || pools[level].ready() <= kRounds) {
        return;
    }
    Magazine& own = magazines_[cpu];
    if (own.level.load_relaxed() != level) {
        (void)empty(own, pools);
        own.level.store_relaxed(level);
    }
    for (Atomic<PoolNode*>& round : own.rounds) {
        if (round.load_relaxed() == nullptr) {
            round.store_release(pools[level].get_ready());
        }
    }
    own.left.store_relaxed(kRounds);
}

u32 PidMagazines::unload(Pool* pools) {
    u32 given = 0;
    for (Magazine& magazine : magazines_) {
        given += empty(magazine, pools);
    }
    return given;
}

u32 PidMagazines::at_hand() const {
    u32 sum = 0;
    for (const Magazine& magazine : magazines_) {
        for (const Atomic<PoolNode*>& round : magazine.rounds) {
            sum += round.load_relaxed() != nullptr ? 1 : 0;
        }
    }
    return sum;
}

}  // namespace ktwin
