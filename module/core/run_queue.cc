// SPDX-License-Identifier: GPL-2.0-only
#include "core/run_queue.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// get_update_sysctl_factor() of kernel/sched/fair.c: 1 + log2(CPUs, at most 8).
u32 sysctl_factor(u32 cpus) {
    const u32 counted = cpus < 8 ? cpus : 8;
    u32 factor = 1;
    for (u32 power = 2; power <= counted; power *= 2) {
        ++factor;
    }
    return factor;
}

constexpr u64 kBaseSlice = 700000;

}  // namespace

RunQueue::RunQueue(u32 cpu, u32 online) : cpu_(cpu) {
    cfs_.set_scale(sysctl_factor(online));
    eevdf_.set_base_slice(kBaseSlice * sysctl_factor(online));
}

// The models that a task of its class is in.
template <typename Act>
void RunQueue::in_each_model(RqTask& task, Act act) {
    switch (task.params.sched_class) {
        case SchedClass::kStop:
        case SchedClass::kIdle:
            break;
        case SchedClass::kDeadline:
            act(deadline_, static_cast<DeadlineEntity&>(task));
            break;
        case SchedClass::kRt:
            act(rt_, static_cast<RtEntity&>(task));
            act(scan_, static_cast<ScanEntity&>(task));
            act(prio_array_, static_cast<PrioArrayEntity&>(task));
            break;
        case SchedClass::kFair:
            act(scan_, static_cast<ScanEntity&>(task));
            act(prio_array_, static_cast<PrioArrayEntity&>(task));
            act(cfs_, static_cast<CfsEntity&>(task));
            act(eevdf_, static_cast<EevdfEntity&>(task));
            break;
    }
}

void RunQueue::setup(RqTask& task) {
    deadline_.setup(task, task.params);
    rt_.setup(task, task.params);
    scan_.setup(task, task.params);
    prio_array_.setup(task, task.params);
    cfs_.setup(task, task.params);
    eevdf_.setup(task, task.params);
}

void RunQueue::adopt(RqTask& task, const FairPlace& place) {
    if (place.kind == KT_PLACE_LAG) {
        eevdf_.adopt(task, place.value);
    } else if (place.kind == KT_PLACE_OFFSET) {
        cfs_.adopt(task, place.value, task.adrift);
    }
}

void RunQueue::fork(RqTask& parent, RqTask& child) {
    ScanQueue::fork(parent, child);
    PrioArrayQueue::fork(parent, child);
    CfsQueue::fork(parent, child);
    EevdfQueue::fork(parent, child);
}

void RunQueue::link(RqTask& task, EnqueueReason reason, u64 now) {
    nr_grouped_ += task.params.grouped ? 1 : 0;
    if (task.params.sched_class == SchedClass::kStop) {
        stop_ = &task;
    }
    in_each_model(task, [&](auto& queue, auto& entity) { queue.enqueue(entity, reason, now); });
}

void RunQueue::unlink(RqTask& task, DequeueReason reason, u64 now) {
    nr_grouped_ -= task.params.grouped ? 1 : 0;
    if (stop_ == &task) {
        stop_ = nullptr;
    }
    in_each_model(task, [&](auto& queue, auto& entity) { queue.dequeue(entity, reason, now); });
}

void RunQueue::enqueue(RqTask& task, EnqueueReason reason, u64 now) {
    advance(now);
    const bool moved = reason == EnqueueReason::kWakeup && task.adrift;
    link(task, moved ? EnqueueReason::kWakeupMoved : reason, clock_);
    members_.push_back(static_cast<RqMember&>(task));
    ++nr_queued_;
    task.cpu = cpu_;
    task.queued = true;
    task.adrift = false;
    task.waits_since = clock_;
}

void RunQueue::expect(RqTask& task) {
    arrivals_.push_back(static_cast<RqMember&>(task));
    ++nr_arriving_;
    task.cpu = cpu_;
    task.arriving = true;
}

void RunQueue::land() {
    for (; nr_arriving_ != 0; --nr_arriving_) {
        auto& task = static_cast<RqTask&>(static_cast<RqMember&>(*arrivals_.first()));
        static_cast<RqMember&>(task).unlink();
        task.arriving = false;
        enqueue(task, EnqueueReason::kMove, clock_);
    }
}

void RunQueue::dequeue(RqTask& task, DequeueReason reason, u64 now) {
    advance(now);
    unlink(task, reason, clock_);
    static_cast<RqMember&>(task).unlink();
    --nr_queued_;
    task.queued = false;
    task.waits_since = 0;
    curr_ = curr_ == &task ? nullptr : curr_;
}

void RunQueue::forget_sleeper(RqTask& task) {
    if (!task.adrift) {
        in_each_model(task, [](auto& queue, auto& entity) { queue.forget_sleeper(entity); });
        task.adrift = true;
    }
}

// To all entities, whatever the class: it may change. The task is queued nowhere.
void RunQueue::apply(RqTask& task, const SchedParams& params) {
    const bool joins_rt = params.is_rt() && !task.params.is_rt();
    task.params = params;
    deadline_.set_params(task, params);
    if (joins_rt) {
        rt_.setup(task, params);
    } else {
        rt_.set_params(task, params);
    }
    scan_.set_params(task, params);
    prio_array_.set_params(task, params);
    cfs_.set_params(task, params);
    eevdf_.set_params(task, params);
}

void RunQueue::change(RqTask& task, const SchedParams& unchecked, u64 now) {
    const SchedParams params = unchecked.checked();
    advance(now);
    if (!task.queued) {
        if (params.sched_class != task.params.sched_class) {
            forget_sleeper(task);
        }
        apply(task, params);
        return;
    }
    const bool running = curr_ == &task;
    unlink(task, DequeueReason::kSave, clock_);
    apply(task, params);
    link(task, EnqueueReason::kRestore, clock_);
    if (running) {
        in_each_model(task, [](auto& queue, auto& entity) { queue.set_next(entity); });
    }
}

void RunQueue::count_ticks(RqTask& task, u32 left) {
    if (task.queued && task.params.is_rt()) {
        rt_.count_ticks(task, left);
    }
}

void RunQueue::advance(u64 now) {
    if (now <= clock_) {
        return;
    }
    const u64 ran = now - clock_;
    clock_ = now;
    if (curr_ != nullptr) {
        in_each_model(*curr_, [&](auto& queue, auto& entity) { queue.charge(entity, ran, now); });
    }
}

void RunQueue::drop(RqTask& task, u64 now) {
    land();
    if (task.queued) {
        dequeue(task, DequeueReason::kSpecial, now);
    } else {
        forget_sleeper(task);
    }
}

void RunQueue::doubt(u32 why) {
    if (complete()) {
        doubts_.add_exclusive(1);
    }
    doubt_.store_relaxed(doubt_.load_relaxed() | why);
}

template <typename Q>
Pick<RqTask> RunQueue::as_task(const Pick<typename Q::Entity>& pick) {
    return {static_cast<RqTask*>(pick.entity), pick.known};
}

Pick<RqTask> RunQueue::pick(Generation generation, u64 now) {
    if (stop_ != nullptr) {
        return {stop_, true};
    }
    if (deadline_.nr_queued() != 0) {
        return as_task<DeadlineQueue>(deadline_.pick(now));
    }
    switch (generation) {
        case Generation::kScan:
            return as_task<ScanQueue>(scan_.pick(now));
        case Generation::kPrioArray:
            return as_task<PrioArrayQueue>(prio_array_.pick(now));
        case Generation::kCfs:
            return rt_.nr_queued() != 0 ? as_task<RtQueue>(rt_.pick(now)) : as_task<CfsQueue>(cfs_.pick(now));
        case Generation::kEevdf:
            break;
    }
    return rt_.nr_queued() != 0 ? as_task<RtQueue>(rt_.pick(now)) : as_task<EevdfQueue>(eevdf_.pick(now));
}

}  // namespace ktwin
