// SPDX-License-Identifier: GPL-2.0-only
#include "core/run_queue_twin.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

RunQueueTwin::RunQueueTwin(kt_lock_class lock_class, u32 cpus, u32 online, u32 task_limit)
    : lock_(lock_class), budget_(task_limit), cpus_(cpus), online_(online) {
    pool_.setup(sizeof(RqTask), task_limit < kReserve ? task_limit : kReserve, &budget_, &kicker_);
}

Result RunQueueTwin::setup() TA_NO_ANALYSIS {
    const Result table = table_.setup(budget_.limit());
    queues_ = static_cast<RunQueue**>(kt_host_alloc(cpus_ * sizeof(void*)));
    if (!table || queues_ == nullptr) {
        return Errno::kNoMemory;
    }
    for (; made_ < cpus_; ++made_) {
        queues_[made_] = construct_at<RunQueue>(kt_host_alloc(sizeof(RunQueue)), made_, online_);
        if (queues_[made_] == nullptr) {
            return Errno::kNoMemory;
        }
    }
    return refill() ? Result() : Result(Errno::kNoMemory);
}

bool RunQueueTwin::refill() {
    return pool_.refill(lock_, 1);
}

// Whether there are more.
bool RunQueueTwin::forget_some() {
    SpinGuard guard(lock_);
    for (u32 i = 0; i < kRound; ++i) {
        RqTask* task = table_.any();
        if (task == nullptr) {
            return false;
        }
        forget(task, 0);
    }
    return true;
}

void RunQueueTwin::teardown() TA_NO_ANALYSIS {
    while (forget_some()) {
        kt_host_breathe(0);
    }
    pool_.teardown(lock_);
    while (made_ != 0) {
        kt_host_free(queues_[--made_]);
    }
    kt_host_free(static_cast<void*>(queues_));
    queues_ = nullptr;
    table_.teardown();
}

// One that was arriving has arrived: there is an event about it.
RqTask* RunQueueTwin::find(kt_key key) {
    RqTask* task = table_.find(key);
    if (task != nullptr && task->arriving) {
        queues_[task->cpu]->land();
    }
    return task;
}

// A task nobody has told of before. nullptr: no room for it, and its CPU's queue is incomplete.
RqTask* RunQueueTwin::make(u32 cpu, const SchedTask& task) {
    auto* made = construct_at<RqTask>(pool_.get_ready(), task.key, task.nr, cpu, task.params);
    if (made == nullptr) {
        without_memory_.add_exclusive(1);
        queues_[cpu]->doubt(RunQueue::kNoMemory);
        return nullptr;
    }
    queues_[cpu]->setup(*made);
    queues_[cpu]->adopt(*made, task.place);
    table_.add(made);
    return made;
}

// The parameters the event tells. They changed some time ago, and no time has passed since for who has the CPU, or the
// kernel would have charged it and told of it.
void RunQueueTwin::update(RqTask& known, const SchedTask& task) {
    RunQueue& queue = *queues_[known.cpu];
    known.nr = task.nr;
    if (known.params != task.params.checked()) {
        queue.change(known, task.params, 0);
    }
    queue.count_ticks(known, task.rr_ticks);
}

// The task, as the event tells. nullptr: no room for it, or the idle task.
RqTask* RunQueueTwin::learn(u32 cpu, const SchedTask& task) {
    if (task.key == 0) {
        return nullptr;
    }
    RqTask* known = find(task.key);
    if (known == nullptr) {
        return make(cpu, task);
    }
    update(*known, task);
    return known;
}

void RunQueueTwin::forget(RqTask* task, u64 now) {
    queues_[task->cpu]->drop(*task, now);
    table_.remove(task);
    pool_.put(task);
}

// The task's last queue lets go of it; it is not queued then, and may be enqueued on the other.
void RunQueueTwin::bring(RqTask& task, u32 cpu, u64) {
    if (task.cpu != cpu) {
        queues_[task.cpu]->forget_sleeper(task);
        task.cpu = cpu;
    }
}

void RunQueueTwin::woken(u32 cpu, const SchedTask& event, u64 now) {
    SpinGuard guard(lock_);
    if (!has(cpu)) {
        return;
    }
    queues_[cpu]->land();
    RqTask* task = learn(cpu, event);
    if (task == nullptr) {
        return;
    }
    if (task->queued && task->cpu != cpu) {
        // It cannot be on two: the event that took it away from there was lost.
        queues_[task->cpu]->doubt(RunQueue::kConflict);
        queues_[task->cpu]->dequeue(*task, DequeueReason::kSpecial, now);
    }
    if (!task->queued) {
        bring(*task, cpu, now);
        queues_[cpu]->enqueue(*task, EnqueueReason::kWakeup, now);
    }
}

void RunQueueTwin::created(u32 cpu, const SchedTask& event, kt_key parent_key, u64 now) {
    SpinGuard guard(lock_);
    if (!has(cpu) || event.key == 0) {
        return;
    }
    RqTask* stale = find(event.key);
    if (stale != nullptr) {
        forget(stale, now);
    }
    RqTask* task = make(cpu, event);
    if (task == nullptr) {
        return;
    }
    RqTask* parent = find(parent_key);
    queues_[cpu]->advance(now);
    queues_[cpu]->land();
    if (parent != nullptr) {
        RunQueue::fork(*parent, *task);
    }
    queues_[cpu]->enqueue(*task, EnqueueReason::kInitial, now);
}

void RunQueueTwin::moved(kt_key key, u32 cpu, u64 now) {
    SpinGuard guard(lock_);
    RqTask* task = has(cpu) ? find(key) : nullptr;
    if (task == nullptr || task->cpu == cpu) {
        return;
    }
    if (!task->queued) {
        bring(*task, cpu, now);
        return;
    }
    queues_[task->cpu]->dequeue(*task, DequeueReason::kMove, now);
    queues_[cpu]->expect(*task);
}

void RunQueueTwin::switched(u32 cpu, const SchedSwitch& event, u64 now) {
    SpinGuard guard(lock_);
    if (!has(cpu)) {
        return;
    }
    // Had they come already, it would not go idle.
    if (event.next.key != 0) {
        queues_[cpu]->land();
    }
    RunQueue::Switch what;
    what.prev = learn(cpu, event.prev);
    what.next = learn(cpu, event.next);
    what.next_class = event.next.key != 0 ? event.next.params.sched_class : SchedClass::kIdle;
    what.prev_stays = event.prev_queued;
    what.prev_place = event.prev.place;
    what.prev_left = event.prev_special || event.prev_dead ? DequeueReason::kSpecial : DequeueReason::kSleep;
    RqTask* const both[] = {what.prev, what.next};
    for (RqTask* task : both) {
        if (task != nullptr && !task->queued) {
            bring(*task, cpu, now);
        }
    }
    queues_[cpu]->switched(what, now);
    if (event.prev_dead && what.prev != nullptr) {
        forget(what.prev, now);
    }
}

void RunQueueTwin::changed(const SchedTask& event, u64 now) {
    SpinGuard guard(lock_);
    RqTask* task = find(event.key);
    if (task != nullptr && task->params != event.params.checked()) {
        queues_[task->cpu]->change(*task, event.params, now);
    }
}

void RunQueueTwin::ran(u32 cpu, const SchedTask& event, u64 now) {
    SpinGuard guard(lock_);
    if (!has(cpu)) {
        return;
    }
    RqTask* task = find(event.key);
    if (task != nullptr) {
        update(*task, event);
    }
    queues_[cpu]->advance(now);
    queues_[cpu]->land();
}

void RunQueueTwin::lost() {
    SpinGuard guard(lock_);
    for (u32 cpu = 0; cpu < made_; ++cpu) {
        queues_[cpu]->doubt(RunQueue::kLostEvents);
    }
}

}  // namespace ktwin
