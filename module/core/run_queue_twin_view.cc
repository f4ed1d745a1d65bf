// SPDX-License-Identifier: GPL-2.0-only
//
// RunQueueTwin, for who looks.
#include "core/run_queue_twin.h"

#include "base/enforce.h"  // last

namespace ktwin {

RunQueueTwin::Standing RunQueueTwin::standing(u32 cpu) {
    SpinGuard guard(lock_);
    const RunQueue& queue = *queues_[cpu];
    return {queue.nr_queued(), queue.why_incomplete(), queue.doubts(), queue.idle_with_queued()};
}

u32 RunQueueTwin::tasks() {
    SpinGuard guard(lock_);
    return table_.size();
}

u32 RunQueueTwin::queued(u32 cpu, Span<kt_key> room) {
    SpinGuard guard(lock_);
    u32 stored = 0;
    return queues_[cpu]->for_each([&](const RqTask& task) {
        if (stored < room.size()) {
            room[stored++] = task.key;
        }
    });
}

Result RunQueueTwin::inject(kt_key key, bool add) {
    SpinGuard guard(lock_);
    RqTask* task = find(key);
    if (task == nullptr) {
        return Errno::kNotFound;
    }
    if (task->queued == add) {
        return Errno::kAlready;
    }
    RunQueue& queue = *queues_[task->cpu];
    if (add) {
        queue.enqueue(*task, EnqueueReason::kWakeup, 0);
    } else {
        queue.dequeue(*task, DequeueReason::kSpecial, 0);
    }
    return {};
}

// Marks those of the twin that the kernel has, and says what the kernel has alone; then who is unmarked is the twin's alone.
Result RunQueueTwin::compare(u32 cpu, Span<const RqReal> real, RqComparison& result) {
    SpinGuard guard(lock_);
    RunQueue& queue = *queues_[cpu];
    if (!queue.complete()) {
        return Errno::kAgain;
    }
    if (real.size() > kCompareLimit || queue.nr_queued() > kCompareLimit) {
        return Errno::kOverflow;
    }
    const u64 pass = ++comparisons_;
    for (const RqReal& one : real) {
        RqTask* task = table_.find(one.key);
        const bool here = task != nullptr && (task->queued || task->arriving) && task->cpu == cpu;
        if (here && one.presence != KT_RQ_DELAYED) {
            task->seen = pass;
        }
        if (here && one.presence == KT_RQ_THROTTLED) {
            result.explained(RqDifferenceKind::kThrottled);
        } else if (!here && one.presence == KT_RQ_DELAYED) {
            result.explained(RqDifferenceKind::kDelayed);
        } else if (!here && one.presence == KT_RQ_QUEUED) {
            result.difference(one.key, one.nr, RqDifferenceKind::kMissing);
        } else if (here && one.presence == KT_RQ_QUEUED) {
            ++result.equal;
        }
    }
    queue.for_each([&](const RqTask& task) {
        if (task.seen != pass && !task.arriving) {
            result.difference(task.key, task.nr, RqDifferenceKind::kSurplus);
        }
    });
    return {};
}

}  // namespace ktwin
