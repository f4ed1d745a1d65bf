// SPDX-License-Identifier: GPL-2.0-only
//
// All memory of one twin (the mirror, or a private one of the laboratory), and the lock that guards its writers.
#ifndef KTWIN_CORE_TWIN_MEMORY_H
#define KTWIN_CORE_TWIN_MEMORY_H

#include "base/expected.h"
#include "core/node_pools.h"
#include "core/pid_namespace.h"
#include "core/pid_pools.h"

namespace ktwin {

class TwinMemory : Pinned {
  public:
    // pid_limit: TwinPids in all states together. with_roles: for PidRoles.
    TwinMemory(kt_lock_class lock_class, u32 pid_limit, bool maintained_by_host, bool with_roles = false);

    // Of a laboratory: little from the start, and no more than bytes has room for. roles: PidRoles are for all pids.
    struct Lab {
        u32 pids;
        u32 namespaces;
        ByteBudget* bytes;
    };
    explicit TwinMemory(const Lab& lab);

    SpinLock& lock() TA_RETURN(lock_) { return lock_; }

    // [sleep, lock not held] Fills all pools to their targets. kNoMemory: not all of them.
    Result refill();
    // [sleep, lock not held] Enough for one pid of this level with all nodes it could need; or with so many of each kind.
    Result reserve(u32 level) { return reserve(level, level + 1); }
    Result reserve(u32 level, u32 nodes);
    // [sleep, lock not held] Enough for one namespace.
    Result reserve_namespace();
    // [sleep] Once, before use: each CPU has some pids at hand. bytes: what they are taken from, if anything. kNoMemory.
    Result setup_magazines(u32 cpus, ByteBudget* bytes);
    // [any, lock not held] What this CPU has at hand for a pid of this level; nullptr: nothing. For PidWorld::make_pid(), or
    // back to pids().put_back().
    PoolNode* take_pid(u32 level);
    // [sleep, lock not held] Gives back what is ready, but for a portion of each pool, up to so many objects; how many.
    u32 shrink(u32 most);
    // [any, lock not held] How many those are, or will be after a grace period.
    u32 idle() TA_EXCLUDES(lock_);
    // [sleep, lock not held] Ends a grace period for what was retired until now and gives it back.
    void reclaim();
    // [sleep, lock not held] Both; the pools are full before the wait begins and after it ended.
    void maintain();
    // [sleep] After everything was discarded or retired, and no reader is left: frees all.
    void teardown();

    NodePools& nodes() TA_REQUIRES(lock_) { return nodes_; }
    PidPools& pids() TA_REQUIRES(lock_) { return pids_; }
    Pool& namespaces() TA_REQUIRES(lock_) { return namespaces_; }
    Kicker& kicker() TA_REQUIRES(lock_) { return kicker_; }

    // Any of the three may be nullptr. Returns the bytes of all pools.
    u64 statistics(ktwin_pool* pids, ktwin_pool* nodes, ktwin_pool* namespaces) TA_EXCLUDES(lock_);

  private:
    static constexpr u32 kPools = kLevels + 4;

    Pool& pool(u32 index) TA_NO_ANALYSIS;

    SpinLock lock_;
    Kicker kicker_ TA_GUARDED_BY(lock_);
    PoolBudget pid_budget_;
    PoolBudget node_budget_;
    PoolBudget ns_budget_;
    PidPools pids_ TA_GUARDED_BY(lock_);
    NodePools nodes_ TA_GUARDED_BY(lock_);
    Pool namespaces_ TA_GUARDED_BY(lock_);
    Chain retired_[kPools];  // of the one maintainer; between take_retired() and reclaim()
};

}  // namespace ktwin

#endif
