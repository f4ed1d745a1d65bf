// SPDX-License-Identifier: GPL-2.0-only
//
// The memory of one backend of ids and the lock of its writers: a pool and a budget for each kind of node. Not one budget
// for all: a pool that grows would leave the others nothing.
#ifndef KTWIN_CORE_ID_MEMORY_H
#define KTWIN_CORE_ID_MEMORY_H

#include "base/expected.h"
#include "core/id_leaf.h"
#include "core/node_pools.h"

namespace ktwin {

class IdMemory : Pinned {
  public:
    // objects: most leaves, and most of each kind that setup() is called for. bytes: see IdBackendConfig.
    explicit IdMemory(u32 objects, ByteBudget* bytes = nullptr)
        : lock_(KT_LOCK_LAB),
          kicker_(false),
          budgets_{PoolBudget(objects, bytes), PoolBudget(objects, bytes), PoolBudget(objects, bytes),
                   PoolBudget(kDirs, bytes), PoolBudget(kDirs, bytes)} {}

    SpinLock& lock() TA_RETURN(lock_) { return lock_; }

    // Before use. A pool that was not set up is left out of everything below.
    void setup_tree();
    void setup(u32 index, u32 object_size, u32 start) TA_NO_ANALYSIS;

    NodePools& nodes() TA_REQUIRES(lock_) { return nodes_; }
    Pool& pool(u32 index) TA_REQUIRES(lock_) { return pools_[index]; }

    // [sleep, lock not held] kNoMemory: one of the pools has nothing ready.
    Result refill();
    // [sleep, lock not held] Ends a grace period for what was retired until now. One caller at a time.
    void reclaim();
    // [sleep, lock not held] The same without the wait, which is the caller's, between the two; and all that is ready goes,
    // but for a portion. One caller at a time.
    void begin_reclaim() { (void)take_retired(waiting_); }
    void end_reclaim();
    // [sleep, lock not held] Both.
    void maintain() {
        reclaim();
        (void)refill();
    }
    // [sleep] Nothing is in use, no reader is left.
    void teardown();
    u64 bytes() TA_EXCLUDES(lock_);
    // Without what is ready or waits for a grace period.
    u64 bytes_in_use() TA_EXCLUDES(lock_);

    static constexpr u32 kOwnPools = 2;

  private:
    static constexpr u32 kPools = kOwnPools + 3;
    // Of each size: one a block of the tree, and as many again that wait for a grace period.
    static constexpr u32 kDirs = 2 * kBlocks;

    bool take_retired(Chain* to);
    void give_back(Chain* retired);
    // nullptr: not set up.
    Pool* at(u32 index) TA_NO_ANALYSIS;

    SpinLock lock_;
    Kicker kicker_ TA_GUARDED_BY(lock_);
    PoolBudget budgets_[kPools];
    NodePools nodes_ TA_GUARDED_BY(lock_);
    Pool pools_[kOwnPools] TA_GUARDED_BY(lock_);
    Chain waiting_[kPools];  // between begin_reclaim() and end_reclaim()
};

}  // namespace ktwin

#endif
