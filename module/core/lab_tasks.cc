// SPDX-License-Identifier: GPL-2.0-only
#include "core/lab_tasks.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kAtStart = 16;

// Those that wait for a grace period are nobody's any more.
constexpr u32 objects_for(u32 limit) {
    return limit * 2 + 1024;
}

}  // namespace

LabTasks::LabTasks(u32 limit, ByteBudget* bytes, Kicker* kicker)
    : limit_(limit), budget_(objects_for(limit), bytes) {
    pool_.setup(sizeof(LabTask), kAtStart, &budget_, kicker);
}

Expected<LabTask*> LabTasks::make(NodePools& nodes) {
    if (count() >= limit_) {
        return Errno::kOverflow;
    }
    PoolNode* node = pool_.get();
    if (node == nullptr) {
        return Errno::kNoMemory;
    }
    const Expected<u32> id = ids_.reserve_cyclic(1, kIds, nodes);
    if (!id) {
        pool_.put(node);
        // All numbers there are, one fewer than the largest limit.
        return id.error() == Errno::kNoSpace ? Errno::kOverflow : id.error();
    }
    auto* task = construct_at<LabTask>(node, id.value());
    ids_.publish(id.value(), task);
    return task;
}

void LabTasks::drop(LabTask* task, NodePools& nodes) {
    (void)ids_.erase(task->id, nodes);
    pool_.retire(task);
}

bool LabTasks::has_role(const LabTask& task) {
    for (u32 type = 0; type < kPidTypes; ++type) {
        if (task.pid(static_cast<PidType>(type)) != nullptr) {
            return true;
        }
    }
    return false;
}

}  // namespace ktwin
