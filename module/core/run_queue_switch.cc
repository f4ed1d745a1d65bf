// SPDX-License-Identifier: GPL-2.0-only
//
// RunQueue at a context switch: who leaves is charged and perhaps dequeued, every generation picks, and only then the
// twin learns whom the kernel picked.
#include "core/run_queue.h"

#include "base/enforce.h"  // last

namespace ktwin {

void RunQueue::give_cpu(RqTask* task, u64 now) {
    curr_ = task;
    waits_[static_cast<u32>(task->params.sched_class)].add(now - task->waits_since);
    task->waits_since = 0;
    if (task->params.sched_class == SchedClass::kFair) {
        cfs_.set_next(*task);
        eevdf_.set_next(*task);
    }
    if (task->params.sched_class == SchedClass::kFair || task->params.is_rt()) {
        scan_.set_next(*task);
        prio_array_.set_next(*task);
    }
}

// Only the fair class takes the current one out of its tree; the others have nothing to put back.
void RunQueue::take_cpu(u64 now) {
    RqTask* task = curr_;
    if (task == nullptr) {
        return;
    }
    curr_ = nullptr;
    task->waits_since = now;
    prio_array_.put_prev(*task);
    if (task->params.sched_class == SchedClass::kFair) {
        cfs_.put_prev(*task);
        eevdf_.put_prev(*task);
    }
}

// The previous task, which the twin should have as the current one. Who stays queued keeps the CPU until the picks are
// made, as in the kernel.
void RunQueue::leave_cpu(const Switch& event, u64 now) {
    if (event.prev != curr_) {
        doubt(kConflict);
        take_cpu(now);
    }
    if (event.prev == nullptr) {
        return;
    }
    if (event.prev->queued && event.prev->cpu != cpu_) {
        return;  // on another queue: the doubt stands
    }
    if (event.prev->queued && !event.prev_stays) {
        dequeue(*event.prev, event.prev_left, now);
        if (!complete()) {
            adopt(*event.prev, event.prev_place);
        }
    } else if (!event.prev->queued && event.prev_stays) {
        enqueue(*event.prev, EnqueueReason::kWakeup, now);
    }
}

void RunQueue::judge(const Switch& event, u64 now) {
    const bool next_is_known = event.next != nullptr || event.next_class == SchedClass::kIdle;
    // A group without runtime left lets the CPU go idle.
    const bool groups = nr_grouped_ != 0 && event.next_class >= SchedClass::kFair;
    for (u32 i = 0; i < kGenerations; ++i) {
        const Pick<RqTask> answer = pick(static_cast<Generation>(i), now);
        if (!complete() || !answer.known || !next_is_known) {
            agreements_[i].unanswered(event.next_class);
        } else {
            agreements_[i].answered(event.next_class, answer.entity == event.next, groups);
        }
    }
}

// The kernel runs it: it must be queued here.
void RunQueue::admit(RqTask* next, u64 now) {
    if (next->queued) {
        return;
    }
    doubt(kConflict);
    enqueue(*next, EnqueueReason::kWakeup, now);
}

void RunQueue::went_idle(u64 now) {
    if (complete()) {
        idle_with_queued_ += nr_queued_ != 0 ? 1 : 0;
        return;
    }
    // Who is expected may be stale, too. One that is not will be seen to run, which is a doubt more.
    land();
    for (u32 i = 0; i < kDropsAtOnce && nr_queued_ != 0; ++i) {
        auto& stale = static_cast<RqTask&>(static_cast<RqMember&>(*members_.first()));
        dequeue(stale, DequeueReason::kSpecial, now);
    }
    if (nr_queued_ == 0) {
        doubt_.store_relaxed(kNone);
    }
}

void RunQueue::switched(const Switch& event, u64 now) {
    advance(now);
    leave_cpu(event, clock_);
    judge(event, clock_);
    take_cpu(clock_);
    if (event.next != nullptr && !(event.next->queued && event.next->cpu != cpu_)) {
        admit(event.next, clock_);
        give_cpu(event.next, clock_);
        return;
    }
    if (event.next == nullptr && event.next_class == SchedClass::kIdle) {
        went_idle(clock_);
        return;
    }
    doubt(kConflict);
}

}  // namespace ktwin
