// SPDX-License-Identifier: GPL-2.0-only
//
// EevdfQueue: earliest eligible virtual deadline first. Follows kernel/sched/fair.c of 6.12.117; the algorithm is Stoica
// and Abdel-Wahab's, 1995.
//
// A task's vruntime is the service it got, in units that pass slower for the heavier. V, the weighted mean of all, is
// what each ought to have. lag = weight * (V - vruntime) is what a task is owed; with lag >= 0 it is eligible. Of the
// eligible the one runs whose virtual deadline (vruntime at the beginning of its slice + slice / weight) is earliest.
//
//   V = zero + sum / load    sum = weighted sum of (vruntime - zero), load = sum of weights; of all in the tree. The
//                            current one is not in the tree and is added where V is asked for, because its vruntime
//                            changes all the time. zero is moved to V now and then to keep the products small.
//
// The tree is by deadline and knows the least vruntime below each node, so the search passes over every subtree that has
// nobody eligible.
//
// Is there: lag kept over sleep (PLACE_LAG), the first deadline (PLACE_DEADLINE_INITIAL), deadlines that migrate
// (PLACE_REL_DEADLINE), RUN_TO_PARITY and what ends it early (PREEMPT_SHORT; idle tasks), delayed dequeue (DELAY_DEQUEUE,
// DELAY_ZERO). Is not: task groups (every task is in one tree here), buddies, bandwidth, sched_yield(), of which there is
// no event, and the rest of wakeup preemption, which decides when is picked and not who.
#ifndef KTWIN_CORE_EEVDF_QUEUE_H
#define KTWIN_CORE_EEVDF_QUEUE_H

#include "base/rb_tree.h"
#include "core/run_queue_model.h"
#include "core/sched_weight.h"

namespace ktwin {

struct EevdfEntity {
    RbLink<EevdfEntity> rb;
    u64 vruntime = 0;
    u64 deadline = 0;
    u64 min_vruntime = 0;  // of the tree below it
    i64 vlag = 0;          // V - vruntime when it left
    u64 weight = kNice0Weight;
    u64 asked_slice = 0;  // 0: the queue's
    u64 slice = 0;
    u64 protected_deadline = 0;  // RUN_TO_PARITY: not to be picked away from while its deadline is this
    bool is_protected = false;
    bool idle = false;          // SCHED_IDLE
    bool preempts = true;       // when it comes; not SCHED_BATCH or SCHED_IDLE
    bool rel_deadline = false;  // deadline is relative to vruntime
    bool delayed = false;       // it sleeps, and competes on until its lag is not negative any more
    bool on_rq = false;         // with the delayed
};

class EevdfQueue : Pinned {
  public:
    using Entity = EevdfEntity;

    // sysctl_sched_base_slice; the kernel's is 0.7 ms * (1 + log2(number of CPUs, at most 8)).
    void set_base_slice(u64 ns) { base_slice_ = ns; }

    void setup(EevdfEntity& entity, const SchedParams& params);
    void set_params(EevdfEntity& entity, const SchedParams& params);
    static void fork(const EevdfEntity& parent, EevdfEntity& child);
    // It sleeps with this lag (V - vruntime).
    void adopt(EevdfEntity& entity, i64 lag);
    void enqueue(EevdfEntity& entity, EnqueueReason reason, u64 now);
    void dequeue(EevdfEntity& entity, DequeueReason reason, u64 now);
    // A delayed one is really taken off.
    void forget_sleeper(EevdfEntity& entity);
    void set_next(EevdfEntity& entity);
    void put_prev(EevdfEntity& entity);
    // Where a slice is over the kernel picks, and charges once more before. If it picks the current one again there is no
    // other event of it; so what such a pick does to the delayed is done here.
    void charge(EevdfEntity& entity, u64 ns, u64 now);
    // Takes the delayed off that it meets, as the kernel's pick does: each was put there by a dequeue().
    Pick<EevdfEntity> pick(u64 now);
    u32 nr_queued() const { return nr_queued_ - nr_delayed_; }

    u32 nr_delayed() const { return nr_delayed_; }
    // V.
    u64 avg_vruntime();
    bool is_eligible(const EevdfEntity& entity) const { return is_eligible_at(entity.vruntime); }
    // V - vruntime, within the bounds of EEVDF: the lag divided by the weight.
    i64 entity_lag(const EevdfEntity& entity);

  private:
    struct Order {
        static bool before(const EevdfEntity& a, const EevdfEntity& b) {
            return vtime_before(a.deadline, b.deadline);
        }
        static void refresh(EevdfEntity& at, const EevdfEntity* left, const EevdfEntity* right);
    };
    using Tree = RbTree<EevdfEntity, &EevdfEntity::rb, Order>;

    i64 key(const EevdfEntity& entity) const { return vtime_delta(entity.vruntime, zero_vruntime_); }
    bool is_eligible_at(u64 vruntime) const;
    void move_zero(i64 delta);
    void link(EevdfEntity& entity);
    void unlink(EevdfEntity& entity);
    void place(EevdfEntity& entity, bool initial);
    i64 inflate(i64 lag, u64 weight) const;
    void requeue_delayed(EevdfEntity& entity);
    void check_preempt(const EevdfEntity& entity);
    void take_off(EevdfEntity& entity);
    EevdfEntity* pick_eevdf() const;
    EevdfEntity* pick_awake();
    EevdfEntity* search() const;

    Tree tree_;                    // all that are queued but the current one
    EevdfEntity* curr_ = nullptr;  // on_rq
    bool resched_ = false;         // its slice was over at the last charge
    u64 last_charge_ = 0;          // virtual time of that charge, 0 when something came after it
    u64 zero_vruntime_ = 0;
    i64 sum_ = 0;
    u64 load_ = 0;
    u64 base_slice_ = 700000;
    u32 nr_queued_ = 0;  // with the current one and the delayed
    u32 nr_delayed_ = 0;
};

}  // namespace ktwin

#endif
