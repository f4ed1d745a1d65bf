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
    entity.preempts = params.policy == SchedPolicy::kNormal;
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

// wakeup_preempt_entity(other, entity) == 1: by more than a granularity, by the measure of its own weight.
bool CfsQueue::is_far_behind(const CfsEntity& entity, const CfsEntity& other) const {
    return vtime_delta(other.vruntime, entity.vruntime) >
           static_cast<i64>(calc_delta_fair(wakeup_granularity_, entity.weight));
}

// check_preempt_wakeup(). What the kernel's tick has decided meanwhile, it does not know.
void CfsQueue::check_preempt(CfsEntity& entity) {
    if (curr_ == nullptr || resched_) {
        return;
    }
    if (!curr_->idle || entity.idle) {
        if (!entity.preempts || !is_far_behind(entity, *curr_)) {
            return;
        }
        next_ = &entity;
    }
    resched_ = true;
    if (nr_queued_ >= latency_ / min_granularity_ && !curr_->idle) {
        last_ = curr_;
    }
}

void CfsQueue::clear_buddies(const CfsEntity& entity) {
    next_ = next_ == &entity ? nullptr : next_;
    last_ = last_ == &entity ? nullptr : last_;
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
    if (reason != EnqueueReason::kRestore) {
        check_preempt(entity);
    }
}

// What was held back by the one that leaves moves on, unless it is to be put back where it was (kSave).
void CfsQueue::dequeue(CfsEntity& entity, DequeueReason reason, u64 now) {
    clear_buddies(entity);
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
    clear_buddies(entity);
    tree_.erase(&entity);
    curr_ = &entity;
    resched_ = false;
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
    CfsEntity* left = tree_.first();
    if (left == nullptr || (curr_ != nullptr && Order::before(*curr_, *left))) {
        left = curr_;
    }
    if (next_ != nullptr && !is_far_behind(*left, *next_)) {
        return {next_, true};
    }
    if (last_ != nullptr && !is_far_behind(*left, *last_)) {
        return {last_, true};
    }
    return {left, true};
}

static_assert(RunQueueModel<CfsQueue>);

}  // namespace ktwin
