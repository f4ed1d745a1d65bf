// SPDX-License-Identifier: GPL-2.0-only
//
// The memory of the lockstep's namespaces and of their trees, and the lock of all that lockstep knows.
#ifndef KTWIN_CORE_LOCKSTEP_MEMORY_H
#define KTWIN_CORE_LOCKSTEP_MEMORY_H

#include "base/expected.h"
#include "core/lockstep_namespace.h"

namespace ktwin {

class LockstepMemory : Pinned {
  public:
    // leaf_limit: leaves of trees in all states together.
    explicit LockstepMemory(u32 leaf_limit);

    SpinLock& lock() TA_RETURN(lock_) { return lock_; }

    NodePools& nodes() TA_REQUIRES(lock_) { return nodes_; }
    Pool& namespaces() TA_REQUIRES(lock_) { return namespaces_; }

    // [sleep, lock not held] Fills the pools to their targets. kNoMemory: not all of them.
    Result refill();
    // [sleep, lock not held] Gives back what a grace period passes for, and refills. One caller at a time.
    void maintain();
    // [sleep] After everything was retired; nobody looks any more. What is refilled then begins small again.
    void teardown();

  private:
    static constexpr u32 kPools = 4;

    Pool& pool(u32 index) TA_NO_ANALYSIS;
    void setup() TA_NO_ANALYSIS;
    void reclaim();

    SpinLock lock_;
    Kicker kicker_ TA_GUARDED_BY(lock_){true};
    // Not one for all: a pool that grows would leave the others nothing.
    PoolBudget leaf_budget_;
    PoolBudget small_dir_budget_;
    PoolBudget full_dir_budget_;
    PoolBudget ns_budget_;
    NodePools nodes_ TA_GUARDED_BY(lock_);
    Pool namespaces_ TA_GUARDED_BY(lock_);
};

}  // namespace ktwin

#endif
