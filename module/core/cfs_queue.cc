// SPDX-License-Identifier: GPL-2.0-only
#include "core/cfs_queue.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// Who slept longer is placed by min_vruntime alone: the two may be too far apart to be compared.
constexpr u64 kLongSleep = u64{60} * 1000000000;

constexpr u64 later_of(u64 a, u64 b) {
    return vtime_before(a, b) ? b : a;
}

}  // namespace

void CfsQueue::setup(CfsEntity& entity, const SchedParams& params) {
    entity.weight = sched_weight(params);
    entity.idle = params.policy == SchedPolicy::kIdle;
}

// task_fork_fair(): as far as its parent is. Where the parent is the current task of another queue, or of none, there is
// nothing to compare with, and the child begins at min_vruntime.
void CfsQueue::fork(const CfsEntity& parent, CfsEntity& child) {
    child.vruntime = parent.vruntime;
    child.inherits = true;
}

void CfsQueue::update_min_vruntime() {
    const CfsEntity* least = tree_.first();
    if (curr_ != nullptr && (least == nullptr || vtime_before(curr_->vruntime, least->vruntime))) {
        least = curr_;
    }
    if (least != nullptr) {
        min_vruntime_ = later_of(min_vruntime_, least->vruntime);
    }
}

// sched_vslice(): its share of a period in which everybody runs once, as virtual time, with it on the queue.
u64 CfsQueue::vslice(const CfsEntity& entity) const {
    const u64 nr = nr_queued_ + 1;
    const u64 period = nr > latency_ / min_granularity_ ? nr * min_granularity_ : latency_;
    const u64 share = period * entity.weight / (load_ + entity.weight);
    return calc_delta_fair(share > min_granularity_ ? share : min_granularity_, entity.weight);
}

void CfsQueue::place_initial(CfsEntity& entity) {
    const bool comparable = entity.inherits && curr_ != nullptr && curr_->vruntime == entity.vruntime;
    const u64 placed = min_vruntime_ + vslice(entity);
    entity.vruntime = comparable ? later_of(entity.vruntime, placed) : placed;
    entity.inherits = false;
}

void CfsQueue::place_sleeper(CfsEntity& entity, u64 now) {
    const u64 credit = (entity.idle ? min_granularity_ : latency_) / 2;
    const u64 placed = min_vruntime_ - credit;
    const bool slept_long = now > entity.slept_at && now - entity.slept_at > kLongSleep;
    entity.vruntime = slept_long ? placed : later_of(entity.vruntime, placed);
}

void CfsQueue::enqueue(CfsEntity& entity, EnqueueReason reason, u64 now) {
    switch (reason) {
        case EnqueueReason::kInitial:
            place_initial(entity);
            break;
        case EnqueueReason::kMove:
        case EnqueueReason::kRestore:
            entity.vruntime += min_vruntime_;
            break;
        case EnqueueReason::kWakeupMoved:
            entity.vruntime += min_vruntime_;
            place_sleeper(entity, now);
            break;
        case EnqueueReason::kWakeup:
            place_sleeper(entity, now);
            break;
    }
    tree_.insert(&entity);
    load_ += entity.weight;
    ++nr_queued_;
}

// What was held back by the one that leaves moves on, unless it is to be put back where it was (kSave).
void CfsQueue::dequeue(CfsEntity& entity, DequeueReason reason, u64 now) {
    if (&entity == curr_) {
        curr_ = nullptr;
    } else {
        tree_.erase(&entity);
    }
    load_ -= entity.weight;
    --nr_queued_;
    entity.slept_at = now;
    if (reason == DequeueReason::kMove || reason == DequeueReason::kSave) {
        entity.vruntime -= min_vruntime_;
    }
    if (reason != DequeueReason::kSave) {
        update_min_vruntime();
    }
}

void CfsQueue::set_next(CfsEntity& entity) {
    tree_.erase(&entity);
    curr_ = &entity;
}

void CfsQueue::put_prev(CfsEntity& entity) {
    curr_ = nullptr;
    tree_.insert(&entity);
}

void CfsQueue::charge(CfsEntity& entity, u64 ns, u64) {
    entity.vruntime += calc_delta_fair(ns < kLongestCharge ? ns : kLongestCharge, entity.weight);
    update_min_vruntime();
}

Pick<CfsEntity> CfsQueue::pick(u64) {
    CfsEntity* first = tree_.first();
    if (first == nullptr || (curr_ != nullptr && Order::before(*curr_, *first))) {
        return {curr_, true};
    }
    return {first, true};
}

static_assert(RunQueueModel<CfsQueue>);

}  // namespace ktwin
