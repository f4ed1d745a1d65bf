// SPDX-License-Identifier: GPL-2.0-only
#include "core/prio_array_queue.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u64 kMs = 1000000;
constexpr i64 kDefaultTimeslice = 100 * kMs;
constexpr i64 kMinTimeslice = 5 * kMs;
constexpr u32 kUserPrios = kMaxPrio - kMaxRtPrio;
constexpr u32 kMaxBonus = 10;
constexpr i32 kInteractiveDelta = 2;
constexpr u64 kMaxSleepAvg = 1000 * kMs;
constexpr u64 kStarvationLimit = kMaxSleepAvg;
constexpr u64 kChildPenalty = 95;  // percent of sleep_avg that a child begins with

u32 current_bonus(const PrioArrayEntity& entity) {
    return static_cast<u32>(entity.sleep_avg * kMaxBonus / kMaxSleepAvg);
}

// DELTA(p): how much better than its static priority a task must be to pass for interactive; at nice 0 two, at nice 19
// more than it can be.
i32 delta(const PrioArrayEntity& entity) {
    const i32 nice = static_cast<i32>(entity.static_prio) - static_cast<i32>(kDefaultPrio);
    const i32 scaled = (nice + 20) * static_cast<i32>(kMaxBonus) / static_cast<i32>(kUserPrios);
    return scaled - static_cast<i32>(kMaxBonus / 2) + kInteractiveDelta;
}

// INTERACTIVE_SLEEP(p): the sleep after which a task is just interactive.
u64 interactive_sleep(const PrioArrayEntity& entity) {
    const i64 share = static_cast<i64>(kMaxBonus / 2) + delta(entity) + 1;
    const u64 ns = static_cast<u64>(share) * (kMaxSleepAvg / kMaxBonus);
    return ns < kMaxSleepAvg ? ns - kMs : kMaxSleepAvg;
}

}  // namespace

i64 PrioArrayQueue::timeslice(u32 static_prio) {
    const i64 full = static_prio < kDefaultPrio ? kDefaultTimeslice * 4 : kDefaultTimeslice;
    const i64 slice = full * static_cast<i64>(kMaxPrio - static_prio) / (kUserPrios / 2);
    return slice > kMinTimeslice ? slice : kMinTimeslice;
}

u32 PrioArrayQueue::effective_prio(const PrioArrayEntity& entity) {
    if (entity.rt) {
        return entity.rt_prio;
    }
    const u32 prio = entity.static_prio + kMaxBonus / 2 - current_bonus(entity);
    return prio < kMaxRtPrio ? kMaxRtPrio : prio < kMaxPrio ? prio : kMaxPrio - 1;
}

bool PrioArrayQueue::is_interactive(const PrioArrayEntity& entity) {
    return static_cast<i32>(entity.prio) <= static_cast<i32>(entity.static_prio) - delta(entity);
}

void PrioArrayQueue::setup(PrioArrayEntity& entity, const SchedParams& params) {
    set_params(entity, params);
    entity.time_slice = timeslice(entity.static_prio);
}

void PrioArrayQueue::set_params(PrioArrayEntity& entity, const SchedParams& params) {
    entity.static_prio = params.static_prio();
    entity.rt_prio = kMaxRtPrio - 1 - params.rt_priority;
    entity.rt = params.is_rt();
    entity.round_robin = params.policy == SchedPolicy::kRr;
    entity.batch = params.policy == SchedPolicy::kBatch || params.policy == SchedPolicy::kIdle;
    entity.kernel_thread = params.is_kernel_thread();
}

// sched_fork(), wake_up_new_task()
void PrioArrayQueue::fork(PrioArrayEntity& parent, PrioArrayEntity& child) {
    child.time_slice = (parent.time_slice + 1) / 2;
    parent.time_slice /= 2;
    child.sleep_avg = current_bonus(parent) * kChildPenalty / 100 * kMaxSleepAvg / kMaxBonus;
}

// recalc_task_prio(): a user's task that slept long does not become more than just interactive by that one sleep.
void PrioArrayQueue::credit_sleep(PrioArrayEntity& entity, u64 slept_ns) {
    if (entity.batch) {
        return;
    }
    const u64 ceiling = interactive_sleep(entity);
    if (!entity.kernel_thread && slept_ns > ceiling && entity.sleep_avg < ceiling) {
        entity.sleep_avg = ceiling;
        return;
    }
    const u64 sum = entity.sleep_avg + (slept_ns < kMaxSleepAvg ? slept_ns : kMaxSleepAvg);
    entity.sleep_avg = sum < kMaxSleepAvg ? sum : kMaxSleepAvg;
}

void PrioArrayQueue::link(PrioArrayEntity& entity, PrioArray* array) {
    entity.array = array;
    array->push_back(entity, entity.prio);
}

void PrioArrayQueue::enqueue(PrioArrayEntity& entity, EnqueueReason reason, u64 now) {
    if (reason == EnqueueReason::kWakeup || reason == EnqueueReason::kWakeupMoved) {
        credit_sleep(entity, now > entity.slept_at ? now - entity.slept_at : 0);
    }
    entity.prio = effective_prio(entity);
    link(entity, active_);
}

void PrioArrayQueue::dequeue(PrioArrayEntity& entity, DequeueReason, u64 now) {
    entity.array->remove(entity, entity.prio);
    entity.array = nullptr;
    entity.slept_at = now;
    if (&entity == curr_) {
        curr_ = nullptr;
    }
}

// Those in the expired array are better than who runs, or wait longer than a second for each that is queued, the one in
// hand included.
bool PrioArrayQueue::expired_starving(u64 now) const {
    if (curr_ != nullptr && curr_->static_prio > best_expired_prio_) {
        return true;
    }
    return expired_since_ != 0 && now - expired_since_ > kStarvationLimit * (nr_queued() + 1);
}

// scheduler_tick(), for one whose slice is used.
void PrioArrayQueue::expire(PrioArrayEntity& entity, u64 now) {
    entity.array->remove(entity, entity.prio);
    entity.prio = effective_prio(entity);
    entity.time_slice = timeslice(entity.static_prio);
    if (entity.rt) {
        link(entity, active_);
        return;
    }
    if (expired_since_ == 0) {
        expired_since_ = now != 0 ? now : 1;
    }
    if (is_interactive(entity) && !expired_starving(now)) {
        link(entity, active_);
        return;
    }
    link(entity, expired_);
    best_expired_prio_ = entity.static_prio < best_expired_prio_ ? entity.static_prio : best_expired_prio_;
}

void PrioArrayQueue::charge(PrioArrayEntity& entity, u64 ns, u64 now) {
    const u64 ran = ns < kLongestCharge ? ns : kLongestCharge;
    // Who has a high bonus loses it slower.
    const u32 bonus = current_bonus(entity);
    const u64 tired = ran / (bonus != 0 ? bonus : 1);
    entity.sleep_avg = tired < entity.sleep_avg ? entity.sleep_avg - tired : 0;
    if (entity.rt && !entity.round_robin) {
        return;
    }
    entity.time_slice -= static_cast<i64>(ran);
    if (entity.time_slice <= 0) {
        expire(entity, now);
    }
}

Pick<PrioArrayEntity> PrioArrayQueue::pick(u64) {
    if (active_->nr_active() == 0 && expired_->nr_active() != 0) {
        PrioArray* emptied = active_;
        active_ = expired_;
        expired_ = emptied;
        expired_since_ = 0;
        best_expired_prio_ = kMaxPrio;
        ++switches_;
    }
    return {static_cast<PrioArrayEntity*>(active_->first()), true};
}

static_assert(RunQueueModel<PrioArrayQueue>);

}  // namespace ktwin
