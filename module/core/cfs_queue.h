// SPDX-License-Identifier: GPL-2.0-only
//
// CfsQueue: the completely fair scheduler. Follows kernel/sched/fair.c of 6.1; in principle that of 2.6.23.
//
// Every task has a virtual runtime that passes slower for the heavier; the one with the least runs. min_vruntime follows
// the least of all and never goes back: who joins is placed relative to it, a new task a slice behind, a sleeper up to
// half a latency before, but not before where it was.
//
// Who wakes far enough behind the current one is to run next, and where many are queued the preempted one after it: the
// buddies, which come before the leftmost as long as they are not too far from it.
//
// Is not there: task groups (every task is in one tree here), bandwidth, sched_yield(), of which there is no event, and
// the rest of wakeup preemption, which decides when is picked and not who.
#ifndef KTWIN_CORE_CFS_QUEUE_H
#define KTWIN_CORE_CFS_QUEUE_H

#include "base/rb_tree.h"
#include "core/run_queue_model.h"
#include "core/sched_weight.h"

namespace ktwin {

struct CfsEntity {
    RbLink<CfsEntity> rb;
    u64 vruntime =
        0;  // relative to min_vruntime while it is moved or saved, or sleeps and is to wake elsewhere
    u64 slept_at = 0;
    u64 weight = kNice0Weight;
    bool idle = false;      // SCHED_IDLE
    bool preempts = true;   // when it comes; not SCHED_BATCH or SCHED_IDLE
    bool inherits = false;  // vruntime is what fork() took from its parent, on the parent's queue
};

class CfsQueue : Pinned {
  public:
    using Entity = CfsEntity;

    // The factor of get_update_sysctl_factor(): 1 + log2(number of CPUs, at most 8).
    void set_scale(u32 factor) {
        latency_ = kLatency * factor;
        min_granularity_ = kMinGranularity * factor;
        wakeup_granularity_ = kWakeupGranularity * factor;
    }

    void setup(CfsEntity& entity, const SchedParams& params);
    void set_params(CfsEntity& entity, const SchedParams& params) { setup(entity, params); }
    static void fork(const CfsEntity& parent, CfsEntity& child);
    // It sleeps, so far from min_vruntime; relative: it will wake with kWakeupMoved.
    void adopt(CfsEntity& entity, i64 offset, bool relative) {
        entity.vruntime = (relative ? 0 : min_vruntime_) + static_cast<u64>(offset);
    }
    void enqueue(CfsEntity& entity, EnqueueReason reason, u64 now);
    void dequeue(CfsEntity& entity, DequeueReason reason, u64 now);
    void forget_sleeper(CfsEntity& entity) { entity.vruntime -= min_vruntime_; }
    void set_next(CfsEntity& entity);
    void put_prev(CfsEntity& entity);
    void charge(CfsEntity& entity, u64 ns, u64 now);
    Pick<CfsEntity> pick(u64 now);
    u32 nr_queued() const { return nr_queued_; }

    u64 min_vruntime() const { return min_vruntime_; }

  private:
    static constexpr u64 kLatency = 6000000;
    static constexpr u64 kMinGranularity = 750000;
    static constexpr u64 kWakeupGranularity = 1000000;

    struct Order : NoSummary<CfsEntity> {
        static bool before(const CfsEntity& a, const CfsEntity& b) {
            return vtime_before(a.vruntime, b.vruntime);
        }
    };

    void update_min_vruntime();
    u64 vslice(const CfsEntity& entity) const;
    void place_initial(CfsEntity& entity);
    void place_sleeper(CfsEntity& entity, u64 now);
    bool is_far_behind(const CfsEntity& entity, const CfsEntity& other) const;
    void check_preempt(CfsEntity& entity);
    void clear_buddies(const CfsEntity& entity);

    RbTree<CfsEntity, &CfsEntity::rb, Order> tree_;  // all that are queued but the current one
    CfsEntity* curr_ = nullptr;
    CfsEntity* next_ = nullptr;  // the buddies; queued
    CfsEntity* last_ = nullptr;
    bool resched_ = false;  // a wakeup has ended the current one's turn
    u64 min_vruntime_ = 0;
    u64 load_ = 0;  // with the current one
    u64 latency_ = kLatency;
    u64 min_granularity_ = kMinGranularity;
    u64 wakeup_granularity_ = kWakeupGranularity;
    u32 nr_queued_ = 0;  // with the current one
};

}  // namespace ktwin

#endif
