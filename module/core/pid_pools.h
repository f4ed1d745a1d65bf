// SPDX-License-Identifier: GPL-2.0-only
//
// The pools of TwinPids, one a level, because each level more is one number more. A level whose pool is empty
// borrows from the deeper ones; the deepest pool is also the common reserve, for kernels (PREEMPT_RT) where
// nothing can be allocated from a hook.
#ifndef KTWIN_CORE_PID_POOLS_H
#define KTWIN_CORE_PID_POOLS_H

#include "core/limits.h"
#include "core/pid_magazines.h"
#include "core/pool.h"
#include "core/twin_pid.h"

namespace ktwin {

class PidPools : Pinned {
  public:
    // extra_bytes: at the end of each TwinPid, for its owner; zero when it is made.
    // most_at_start: of each level.
    PidPools(PoolBudget* budget, Kicker* kicker, u32 extra_bytes, u32 most_at_start = ~u32{0});

    // [any, lock held] nullptr: no memory. What is returned has no reference and no number yet. at_hand: what
    // magazines().take() gave for that level, if anything.
    TwinPid* make(u32 level, kt_key key, u64 serial, u64 born_ns, PoolNode* at_hand = nullptr);
    // [any, lock held] What was taken so, if anything, and is not made a pid of.
    void put_back(PoolNode* at_hand, u32 level) {
        if (at_hand != nullptr) {
            pools_[level].put(at_hand);
        }
    }
    // [any, lock held] Nobody but the caller ever saw it.
    void discard(TwinPid* pid) { pools_[pid->pool()].put(pid); }
    // [any, lock held] The last reference is gone.
    void retire(TwinPid* pid) { pools_[pid->pool()].retire(pid); }

    Pool& at(u32 level) { return pools_[level]; }
    PidMagazines& magazines() { return magazines_; }
    // [any, lock held] Nothing is at hand then.
    u32 unload() { return magazines_.unload(pools_); }

  private:
    PoolNode* get(u32 level, u32& from);

    Pool pools_[kLevels];
    PidMagazines magazines_;
};

}  // namespace ktwin

#endif
