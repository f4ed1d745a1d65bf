// SPDX-License-Identifier: GPL-2.0-only
#include "core/eevdf_queue.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u64 kTickNs = 4000000;  // TICK_NSEC at Debian's HZ of 250

constexpr i64 clamp(i64 value, i64 limit) {
    return value < -limit ? -limit : value > limit ? limit : value;
}

}  // namespace

void EevdfQueue::Order::refresh(EevdfEntity& at, const EevdfEntity* left, const EevdfEntity* right) {
    at.min_vruntime = at.vruntime;
    const EevdfEntity* const children[] = {left, right};
    for (const EevdfEntity* child : children) {
        if (child != nullptr && vtime_before(child->min_vruntime, at.min_vruntime)) {
            at.min_vruntime = child->min_vruntime;
        }
    }
}

void EevdfQueue::setup(EevdfEntity& entity, const SchedParams& params) {
    entity.weight = sched_weight(params);
    entity.asked_slice = params.slice_ns;
    entity.idle = params.policy == SchedPolicy::kIdle;
    entity.preempts = params.policy == SchedPolicy::kNormal;
}

// reweight_entity() for one that is not queued: the lag stays, so the virtual one is scaled. What is left of a deadline
// is not: 6.12 does that only with one that is absolute, and dequeues who gets another nice first.
void EevdfQueue::set_params(EevdfEntity& entity, const SchedParams& params) {
    if (entity.delayed) {
        take_off(entity);
    }
    const u64 weight = sched_weight(params);
    const i64 old_weight = static_cast<i64>(entity.weight);
    entity.vlag = entity.vlag * old_weight / static_cast<i64>(weight);
    setup(entity, params);
}

// __sched_fork(): neither lag nor deadline are inherited.
void EevdfQueue::fork(const EevdfEntity&, EevdfEntity& child) {
    child.vlag = 0;
    child.rel_deadline = false;
}

void EevdfQueue::adopt(EevdfEntity& entity, i64 lag) {
    if (entity.delayed) {
        take_off(entity);
    }
    entity.vlag = lag;
}

void EevdfQueue::move_zero(i64 delta) {
    sum_ -= times(delta, load_);
    zero_vruntime_ += static_cast<u64>(delta);
}

u64 EevdfQueue::avg_vruntime() {
    i64 load = static_cast<i64>(load_);
    i64 delta = 0;
    if (load != 0) {
        i64 runtime = sum_;
        if (curr_ != nullptr) {
            runtime += times(key(*curr_), curr_->weight);
            load += static_cast<i64>(curr_->weight);
        }
        // Rounded down, so that a task at V is eligible.
        delta = runtime / load - (runtime % load < 0 ? 1 : 0);
    } else if (curr_ != nullptr) {
        delta = key(*curr_);
    }
    move_zero(delta);
    return zero_vruntime_;
}

i64 EevdfQueue::entity_lag(const EevdfEntity& entity) {
    const u64 slice = entity.slice * 2 > kTickNs ? entity.slice * 2 : kTickNs;
    const i64 limit = static_cast<i64>(calc_delta_fair(slice, entity.weight));
    return clamp(vtime_delta(avg_vruntime(), entity.vruntime), limit);
}

// V >= vruntime without the division: sum >= (vruntime - zero) * load. 128 bits, because load is everybody's.
bool EevdfQueue::is_eligible_at(u64 vruntime) const {
    i64 sum = sum_;
    u64 load = load_;
    if (curr_ != nullptr) {
        sum += times(key(*curr_), curr_->weight);
        load += curr_->weight;
    }
    return sum >= static_cast<__int128>(vtime_delta(vruntime, zero_vruntime_)) * static_cast<__int128>(load);
}

void EevdfQueue::link(EevdfEntity& entity) {
    sum_ += times(key(entity), entity.weight);
    load_ += entity.weight;
    tree_.insert(&entity);
}

void EevdfQueue::unlink(EevdfEntity& entity) {
    tree_.erase(&entity);
    sum_ -= times(key(entity), entity.weight);
    load_ -= entity.weight;
}

// One that joins moves V away from itself: with virtual lag l it would have l * W / (W + w) once it is in. So it is
// given more before. W is the load without it, w its weight.
i64 EevdfQueue::inflate(i64 lag, u64 weight) const {
    const u64 load = load_ + (curr_ != nullptr ? curr_->weight : 0);
    return load != 0 ? times(lag, load + weight) / static_cast<i64>(load) : lag;
}

void EevdfQueue::place(EevdfEntity& entity, bool initial) {
    entity.slice = entity.asked_slice != 0 ? entity.asked_slice : base_slice_;
    const i64 lag = nr_queued_ != 0 ? inflate(entity.vlag, entity.weight) : 0;
    entity.vruntime = avg_vruntime() - static_cast<u64>(lag);
    if (entity.rel_deadline) {
        entity.deadline += entity.vruntime;
        entity.rel_deadline = false;
        return;
    }
    const u64 vslice = calc_delta_fair(entity.slice, entity.weight);
    entity.deadline = entity.vruntime + (initial ? vslice / 2 : vslice);
}

// It woke while it was burning its negative lag off: it has not left. A positive lag is not for one that slept.
// ttwu_runnable() does this first, then charges the current one to see whether it is to be preempted, and then tells of the
// wakeup: the charge that came just before belongs behind this.
void EevdfQueue::requeue_delayed(EevdfEntity& entity) {
    const u64 early = curr_ != nullptr ? last_charge_ : 0;
    if (early != 0) {
        curr_->vruntime -= early;
    }
    entity.vlag = entity_lag(entity);
    if (entity.vlag > 0) {
        --nr_queued_;
        unlink(entity);
        entity.vlag = 0;
        place(entity, false);
        link(entity);
        ++nr_queued_;
    }
    entity.delayed = false;
    --nr_delayed_;
    if (early != 0) {
        curr_->vruntime += early;
    }
}

// check_preempt_wakeup_fair(), as far as it takes from the current one the protection of its slice.
void EevdfQueue::check_preempt(const EevdfEntity& entity) {
    if (curr_ == nullptr) {
        return;
    }
    if (curr_->idle || entity.idle) {
        curr_->is_protected = curr_->is_protected && entity.idle;
        return;
    }
    const bool shorter = entity.preempts && entity.slice < curr_->slice && is_eligible(entity);
    if (shorter && (Order::before(entity, *curr_) || !is_eligible(*curr_))) {
        curr_->is_protected = false;
    }
}

void EevdfQueue::enqueue(EevdfEntity& entity, EnqueueReason reason, u64) {
    if (entity.delayed) {
        requeue_delayed(entity);
    } else {
        place(entity, reason == EnqueueReason::kInitial);
        link(entity);
        entity.on_rq = true;
        ++nr_queued_;
    }
    last_charge_ = 0;
    if (reason != EnqueueReason::kRestore) {
        check_preempt(entity);
    }
}

// It leaves the competition; its lag is kept.
void EevdfQueue::take_off(EevdfEntity& entity) {
    entity.vlag = entity_lag(entity);
    if (&entity == curr_) {
        curr_ = nullptr;
    } else {
        unlink(entity);
    }
    entity.on_rq = false;
    entity.is_protected = false;
    --nr_queued_;
    if (entity.delayed) {
        entity.delayed = false;
        --nr_delayed_;
        entity.vlag = entity.vlag > 0 ? 0 : entity.vlag;
    }
}

void EevdfQueue::dequeue(EevdfEntity& entity, DequeueReason reason, u64) {
    last_charge_ = 0;
    if (reason == DequeueReason::kSleep && !is_eligible(entity)) {
        entity.delayed = true;
        ++nr_delayed_;
        if (&entity == curr_) {
            put_prev(entity);
        }
        return;
    }
    take_off(entity);
    if (reason == DequeueReason::kMove || reason == DequeueReason::kSave) {
        entity.deadline -= entity.vruntime;
        entity.rel_deadline = true;
    }
}

void EevdfQueue::forget_sleeper(EevdfEntity& entity) {
    if (entity.delayed) {
        take_off(entity);
    }
}

void EevdfQueue::set_next(EevdfEntity& entity) {
    unlink(entity);
    resched_ = false;
    last_charge_ = 0;
    entity.is_protected = true;
    entity.protected_deadline = entity.deadline;
    curr_ = &entity;
}

void EevdfQueue::put_prev(EevdfEntity& entity) {
    curr_ = nullptr;
    link(entity);
}

void EevdfQueue::charge(EevdfEntity& entity, u64 ns, u64) {
    const bool picks = resched_;
    resched_ = false;
    last_charge_ = calc_delta_fair(ns < kLongestCharge ? ns : kLongestCharge, entity.weight);
    entity.vruntime += last_charge_;
    if (!vtime_before(entity.vruntime, entity.deadline)) {
        entity.slice = entity.asked_slice != 0 ? entity.asked_slice : base_slice_;
        entity.deadline = entity.vruntime + calc_delta_fair(entity.slice, entity.weight);
        avg_vruntime();
        resched_ = nr_queued_ > 1;
    }
    if (picks) {
        static_cast<void>(pick_awake());
    }
}

// The eligible one with the earliest deadline in the tree: to the left while anybody there is eligible.
EevdfEntity* EevdfQueue::search() const {
    EevdfEntity* first = tree_.first();
    if (first != nullptr && is_eligible(*first)) {
        return first;
    }
    for (EevdfEntity* at = tree_.root(); at != nullptr;) {
        EevdfEntity* left = Tree::left(at);
        if (left != nullptr && is_eligible_at(left->min_vruntime)) {
            at = left;
        } else if (is_eligible(*at)) {
            return at;
        } else {
            at = Tree::right(at);
        }
    }
    return nullptr;
}

EevdfEntity* EevdfQueue::pick_eevdf() const {
    if (nr_queued_ == 1) {
        return curr_ != nullptr ? curr_ : tree_.first();
    }
    EevdfEntity* curr = curr_ != nullptr && is_eligible(*curr_) ? curr_ : nullptr;
    if (curr != nullptr && curr->is_protected && curr->protected_deadline == curr->deadline) {
        return curr;
    }
    EevdfEntity* best = search();
    return best == nullptr || (curr != nullptr && Order::before(*curr, *best)) ? curr : best;
}

EevdfEntity* EevdfQueue::pick_awake() {
    EevdfEntity* entity = pick_eevdf();
    while (entity != nullptr && entity->delayed) {
        take_off(*entity);
        entity = pick_eevdf();
    }
    return entity;
}

Pick<EevdfEntity> EevdfQueue::pick(u64) {
    last_charge_ = 0;
    return {pick_awake(), true};
}

static_assert(RunQueueModel<EevdfQueue>);

}  // namespace ktwin
