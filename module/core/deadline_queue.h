// SPDX-License-Identifier: GPL-2.0-only
//
// DeadlineQueue: the deadline class, earliest absolute deadline first. Follows kernel/sched/deadline.c of 6.1 and 6.12.
// The deadlines are the kernel's, told with the task's parameters; the constant bandwidth server that makes them, its
// throttling and replenishment, have no events and are not here.
#ifndef KTWIN_CORE_DEADLINE_QUEUE_H
#define KTWIN_CORE_DEADLINE_QUEUE_H

#include "base/rb_tree.h"
#include "core/run_queue_model.h"
#include "core/sched_weight.h"

namespace ktwin {

struct DeadlineEntity {
    RbLink<DeadlineEntity> rb;
    u64 deadline = 0;
};

// The current one stays in the tree: its deadline does not change while it runs.
class DeadlineQueue : Pinned {
  public:
    using Entity = DeadlineEntity;

    void setup(DeadlineEntity& entity, const SchedParams& params) { entity.deadline = params.deadline; }
    void set_params(DeadlineEntity& entity, const SchedParams& params) { setup(entity, params); }
    static void fork(const DeadlineEntity&, DeadlineEntity&) {}
    void enqueue(DeadlineEntity& entity, EnqueueReason, u64) {
        tree_.insert(&entity);
        ++nr_queued_;
    }
    void dequeue(DeadlineEntity& entity, DequeueReason, u64) {
        tree_.erase(&entity);
        --nr_queued_;
    }
    void forget_sleeper(DeadlineEntity&) {}
    void set_next(DeadlineEntity&) {}
    void put_prev(DeadlineEntity&) {}
    void charge(DeadlineEntity&, u64, u64) {}
    Pick<DeadlineEntity> pick(u64) { return {tree_.first(), true}; }
    u32 nr_queued() const { return nr_queued_; }

  private:
    struct Order : NoSummary<DeadlineEntity> {
        static bool before(const DeadlineEntity& a, const DeadlineEntity& b) {
            return vtime_before(a.deadline, b.deadline);
        }
    };

    RbTree<DeadlineEntity, &DeadlineEntity::rb, Order> tree_;
    u32 nr_queued_ = 0;
};

static_assert(RunQueueModel<DeadlineQueue>);

}  // namespace ktwin

#endif
