// SPDX-License-Identifier: GPL-2.0-only
//
// RtQueue: the real-time class, a list for each of the 100 priorities and a bitmap of those that are not empty. Follows
// kernel/sched/rt.c of 6.1 and 6.12. SCHED_FIFO runs until it gives the CPU up; SCHED_RR goes to the end of its list after
// 100 ms. Who is preempted keeps its place, the current one too is on its list.
//
// The kernel counts the 100 ms in ticks that it handled, of which nobody is told, and where a CPU is late some are left out.
// So what it says is left of a slice is taken for a clock (count_ticks()); without that, time is.
//
// Is not there: throttling, by which the kernel's rt class leaves a rest of each period to others: an agreement that is
// lost to it is counted as one.
#ifndef KTWIN_CORE_RT_QUEUE_H
#define KTWIN_CORE_RT_QUEUE_H

#include "base/ring.h"
#include "core/prio_bitmap.h"
#include "core/run_queue_model.h"

namespace ktwin {

struct RtEntity : RingNode {
    u32 prio = 0;  // 0 first, 98 last: 99 - rt_priority
    u32 saved_prio = 0;
    i64 slice_left = 0;
    u32 ticks_left = 0;  // 0: not told
    bool round_robin = false;
};

class RtQueue : Pinned {
  public:
    using Entity = RtEntity;
    static constexpr i64 kSlice = 100000000;  // RR_TIMESLICE

    void setup(RtEntity& entity, const SchedParams& params);
    void set_params(RtEntity& entity, const SchedParams& params);
    static void fork(const RtEntity&, RtEntity&) {}
    void enqueue(RtEntity& entity, EnqueueReason reason, u64 now);
    void dequeue(RtEntity& entity, DequeueReason reason, u64 now);
    void forget_sleeper(RtEntity&) {}
    void set_next(RtEntity&) {}
    void put_prev(RtEntity&) {}
    void charge(RtEntity& entity, u64 ns, u64 now);
    // As the kernel has them now; entity is queued. More than there were: its slice was over.
    void count_ticks(RtEntity& entity, u32 left);
    Pick<RtEntity> pick(u64 now);
    u32 nr_queued() const { return nr_queued_; }

  private:
    void move_to_end(RtEntity& entity);

    Ring lists_[kMaxRtPrio];
    PrioBitmap bitmap_;
    u32 nr_queued_ = 0;
};

}  // namespace ktwin

#endif
