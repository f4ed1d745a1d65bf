// SPDX-License-Identifier: GPL-2.0-only
//
// PrioArrayQueue: the O(1) scheduler, an active and an expired array of 140 lists each. Follows kernel/sched.c of 2.6.22.
//
// Who has used its time slice goes to the expired array with a new one; when the active one is empty the two change
// places. The dynamic priority is the static one, better or worse by up to 5 for how much of the last time a task slept
// (sleep_avg); who is good at sleeping for its nice level is interactive and goes back to the active array, unless those
// who wait in the expired one have waited too long or are better. Real-time tasks are in the same arrays, never expire,
// and keep their place; SCHED_RR goes to the end of its list when its slice is used.
//
// Time is charged as it is told, in ns, where the kernel counted ticks. Not here: the round robin among interactive tasks
// of one priority within a slice (TIMESLICE_GRANULARITY), the credit for waiting on the queue after an interrupt's
// wakeup, and that an exiting child gives its slice back.
#ifndef KTWIN_CORE_PRIO_ARRAY_QUEUE_H
#define KTWIN_CORE_PRIO_ARRAY_QUEUE_H

#include "core/prio_array.h"
#include "core/run_queue_model.h"

namespace ktwin {

struct PrioArrayEntity : RingNode {
    PrioArray* array = nullptr;  // it is queued in; nullptr: none
    u32 prio = kDefaultPrio;     // that it is queued by
    u32 static_prio = kDefaultPrio;
    u32 rt_prio = 0;  // for the rt ones
    i64 time_slice = 0;
    u64 sleep_avg = 0;
    u64 slept_at = 0;
    bool rt = false;
    bool round_robin = false;
    bool batch = false;
    bool kernel_thread = false;
};

class PrioArrayQueue : Pinned {
  public:
    using Entity = PrioArrayEntity;

    void setup(PrioArrayEntity& entity, const SchedParams& params);
    void set_params(PrioArrayEntity& entity, const SchedParams& params);
    // The slice is shared between the two, sleep_avg goes on a little diminished.
    static void fork(PrioArrayEntity& parent, PrioArrayEntity& child);
    void enqueue(PrioArrayEntity& entity, EnqueueReason reason, u64 now);
    void dequeue(PrioArrayEntity& entity, DequeueReason reason, u64 now);
    void forget_sleeper(PrioArrayEntity&) {}
    void set_next(PrioArrayEntity& entity) { curr_ = &entity; }
    void put_prev(PrioArrayEntity&) { curr_ = nullptr; }
    void charge(PrioArrayEntity& entity, u64 ns, u64 now);
    // Changes the arrays' places when the active one is empty, as schedule() does.
    Pick<PrioArrayEntity> pick(u64 now);
    u32 nr_queued() const { return arrays_[0].nr_active() + arrays_[1].nr_active(); }

    // task_timeslice(), in ns
    static i64 timeslice(u32 static_prio);
    // effective_prio()
    static u32 effective_prio(const PrioArrayEntity& entity);
    // TASK_INTERACTIVE
    static bool is_interactive(const PrioArrayEntity& entity);
    u64 switches_of_arrays() const { return switches_; }
    bool is_expired(const PrioArrayEntity& entity) const { return entity.array == expired_; }

  private:
    static void credit_sleep(PrioArrayEntity& entity, u64 slept_ns);
    bool expired_starving(u64 now) const;
    void expire(PrioArrayEntity& entity, u64 now);
    void link(PrioArrayEntity& entity, PrioArray* array);

    PrioArray arrays_[2];
    PrioArray* active_ = &arrays_[0];
    PrioArray* expired_ = &arrays_[1];
    PrioArrayEntity* curr_ = nullptr;
    u64 expired_since_ = 0;  // 0: nobody expired since the arrays changed places
    u32 best_expired_prio_ = kMaxPrio;
    u64 switches_ = 0;
};

}  // namespace ktwin

#endif
