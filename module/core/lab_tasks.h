// SPDX-License-Identifier: GPL-2.0-only
//
// LabTasks: the tasks of a laboratory by their numbers, which are the laboratory's own (no namespace has a part in them).
//
// A task lives as long as it has a role. Writers hold the laboratory's lock; readers are inside RCU, and a task is reused
// only after a grace period.
#ifndef KTWIN_CORE_LAB_TASKS_H
#define KTWIN_CORE_LAB_TASKS_H

#include "core/id_tree.h"
#include "core/pid_task.h"

namespace ktwin {

struct LabTask : PidTask {
    explicit LabTask(u32 number) : id(number) {}
    const u32 id;
};

class LabTasks : Pinned {
  public:
    // limit: tasks at a time.
    LabTasks(u32 limit, ByteBudget* bytes, Kicker* kicker);

    // Inside RCU, or the lock held.
    LabTask* find(u32 id) const { return static_cast<LabTask*>(ids_.find(id)); }
    LabTask* next(u32 id) const { return static_cast<LabTask*>(ids_.next(id).pointer); }
    u32 count() const { return ids_.count(); }

    // [any, lock held] kNoMemory; kOverflow: at the limit. Found by others at once.
    Expected<LabTask*> make(NodePools& nodes);
    // [any, lock held] The one that make() gave last, and nobody was told of: its number is the next one's.
    void unmake(LabTask* task, NodePools& nodes) {
        ids_.set_cursor(task->id);
        drop(task, nodes);
    }
    // [any, lock held] It has no role.
    void drop(LabTask* task, NodePools& nodes);
    static bool has_role(const LabTask& task);

    Pool& pool() { return pool_; }
    const PoolBudget& budget() const { return budget_; }
    // [any, lock held] Before the pools are torn down.
    void clear(NodePools& nodes) { ids_.clear(nodes); }

  private:
    const u32 limit_;
    PoolBudget budget_;
    Pool pool_;
    IdTree ids_;
};

}  // namespace ktwin

#endif
