// SPDX-License-Identifier: GPL-2.0-only
#include "core/scan_queue.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr i32 kNobody = -1000;
constexpr i32 kRtGoodness = 1000;
constexpr u32 kProcChangePenalty = 15;

}  // namespace

void ScanQueue::setup(ScanEntity& entity, const SchedParams& params) {
    set_params(entity, params);
    entity.counter = entity.quantum;
    entity.epoch = epoch_;
}

void ScanQueue::set_params(ScanEntity& entity, const SchedParams& params) {
    entity.bonus = static_cast<u32>(20 - params.nice);
    entity.quantum = entity.bonus / 4 + 1;
    entity.rt_priority = params.rt_priority;
    entity.mm = params.mm;
    entity.rt = params.is_rt();
    entity.round_robin = params.policy == SchedPolicy::kRr;
}

// do_fork(). Where the parent is on another queue its counter may be of an epoch before: then it has more to come.
void ScanQueue::fork(ScanEntity& parent, ScanEntity& child) {
    child.counter = (parent.counter + 1) / 2;
    parent.counter /= 2;
}

// counter / 2 + quantum, once for each epoch that ended, until that changes nothing any more: less than 8 times.
void ScanQueue::catch_up(ScanEntity& entity) const {
    for (; entity.epoch != epoch_; ++entity.epoch) {
        const u32 counter = entity.counter / 2 + entity.quantum;
        if (counter == entity.counter) {
            entity.epoch = epoch_;
            return;
        }
        entity.counter = counter;
    }
}

// add_to_runqueue(): at the front. sched_setscheduler() puts it there too.
void ScanQueue::enqueue(ScanEntity& entity, EnqueueReason reason, u64) {
    if (reason == EnqueueReason::kMove || reason == EnqueueReason::kWakeupMoved) {
        entity.ran_here = false;
        entity.epoch = epoch_;
    } else if (reason == EnqueueReason::kInitial) {
        entity.epoch = epoch_;
    }
    catch_up(entity);
    list_.push_front(entity);
    ++nr_queued_;
}

void ScanQueue::dequeue(ScanEntity& entity, DequeueReason, u64) {
    catch_up(entity);
    entity.unlink();
    --nr_queued_;
}

void ScanQueue::set_next(ScanEntity& entity) {
    entity.ran_here = true;
    mm_ = entity.mm != 0 ? entity.mm : mm_;
}

// update_process_times(), and what schedule() does with a SCHED_RR task that has nothing left.
void ScanQueue::charge(ScanEntity& entity, u64 ns, u64) {
    catch_up(entity);
    entity.part_ns += ns < kLongestCharge ? ns : kLongestCharge;
    const u64 ticks = entity.part_ns / kTickNs;
    entity.part_ns %= kTickNs;
    entity.counter = ticks < entity.counter ? entity.counter - static_cast<u32>(ticks) : 0;
    if (entity.counter == 0 && entity.round_robin) {
        entity.counter = entity.quantum;
        entity.unlink();
        list_.push_back(entity);
    }
}

i32 ScanQueue::goodness(ScanEntity& entity) const {
    if (entity.rt) {
        return kRtGoodness + static_cast<i32>(entity.rt_priority);
    }
    catch_up(entity);
    if (entity.counter == 0) {
        return 0;
    }
    const u32 mm_bonus = entity.mm == mm_ || entity.mm == 0 ? 1 : 0;
    const u32 penalty = entity.ran_here ? kProcChangePenalty : 0;
    return static_cast<i32>(entity.counter + entity.bonus + mm_bonus + penalty);
}

ScanEntity* ScanQueue::scan(i32& best) const {
    ScanEntity* found = nullptr;
    best = kNobody;
    for (RingNode* node = list_.first(); node != list_.end(); node = node->next()) {
        auto& entity = static_cast<ScanEntity&>(*node);
        const i32 value = goodness(entity);
        if (value > best) {
            best = value;
            found = &entity;
        }
    }
    return found;
}

Pick<ScanEntity> ScanQueue::pick(u64) {
    if (nr_queued_ > kScanLimit) {
        return {nullptr, false};
    }
    i32 best = kNobody;
    ScanEntity* found = scan(best);
    if (best == 0) {
        ++epoch_;
        found = scan(best);
    }
    return {found, true};
}

static_assert(RunQueueModel<ScanQueue>);

}  // namespace ktwin
