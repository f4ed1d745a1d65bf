// SPDX-License-Identifier: GPL-2.0-only
#include "core/rt_queue.h"

#include "base/enforce.h"  // last

namespace ktwin {

void RtQueue::setup(RtEntity& entity, const SchedParams& params) {
    entity.slice_left = kSlice;
    set_params(entity, params);
    entity.saved_prio = entity.prio;
}

void RtQueue::set_params(RtEntity& entity, const SchedParams& params) {
    entity.prio = kMaxRtPrio - 1 - params.rt_priority;
    entity.round_robin = params.policy == SchedPolicy::kRr;
}

// __sched_setscheduler(): whose priority fell comes before those it meets there, everybody else behind.
void RtQueue::enqueue(RtEntity& entity, EnqueueReason reason, u64) {
    Ring& list = lists_[entity.prio];
    if (reason == EnqueueReason::kRestore && entity.prio > entity.saved_prio) {
        list.push_front(entity);
    } else {
        list.push_back(entity);
    }
    entity.saved_prio = entity.prio;
    bitmap_.set(entity.prio);
    ++nr_queued_;
}

// By saved_prio: the place it was put in.
void RtQueue::dequeue(RtEntity& entity, DequeueReason, u64) {
    entity.unlink();
    if (lists_[entity.saved_prio].empty()) {
        bitmap_.clear(entity.saved_prio);
    }
    --nr_queued_;
}

void RtQueue::charge(RtEntity& entity, u64 ns, u64) {
    if (!entity.round_robin || entity.ticks_left != 0) {
        return;
    }
    entity.slice_left -= static_cast<i64>(ns < kLongestCharge ? ns : kLongestCharge);
    if (entity.slice_left <= 0) {
        entity.slice_left = kSlice;
        move_to_end(entity);
    }
}

void RtQueue::move_to_end(RtEntity& entity) {
    entity.unlink();
    lists_[entity.saved_prio].push_back(entity);
}

void RtQueue::count_ticks(RtEntity& entity, u32 left) {
    if (entity.round_robin && entity.ticks_left != 0 && left > entity.ticks_left) {
        move_to_end(entity);
    }
    entity.ticks_left = left;
}

Pick<RtEntity> RtQueue::pick(u64) {
    const u32 prio = bitmap_.first();
    if (prio == kMaxPrio) {
        return {};
    }
    return {static_cast<RtEntity*>(lists_[prio].first()), true};
}

static_assert(RunQueueModel<RtQueue>);

}  // namespace ktwin
