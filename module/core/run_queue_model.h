// SPDX-License-Identifier: GPL-2.0-only
//
// What every generation of run queue can do, so that one run compares all of them on the same work. Each is a class Q
// with an entity type Q::Entity, which a task has one of; what the scheduler keeps of a task while it sleeps is in there.
//
//   setup(entity, params)        the task is seen for the first time; it is queued nowhere
//   set_params(entity, params)   they changed; not queued: between dequeue(kSave) and enqueue(kRestore)
//   fork(parent, child)          static; what a child takes from its parent, after the child's setup()
//   enqueue(entity, reason, now) it is runnable here from now on
//   dequeue(entity, reason, now) it is not any more; it may be the current one
//   forget_sleeper(entity)       it sleeps, was last queued here, and will wake on another CPU: enqueue(kWakeupMoved)
//   set_next(entity)             it is given the CPU; it stays queued. Nobody has it now
//   put_prev(entity)             the current one, still queued, gives the CPU up
//   charge(entity, ns, now)      the current one ran so long; at most kLongestCharge
//   pick(now)                    who gets the CPU now, the current one if it has it on; it stays there until set_next()
//   nr_queued()                  with the current one
//
// All are bounded: O(log n) or less, but for the pick of the generation that scans, which gives up at a number. None
// allocates, sleeps or takes a lock. The caller holds the lock that guards the queue, irqs off; now is in ns and does
// not run backwards.
#ifndef KTWIN_CORE_RUN_QUEUE_MODEL_H
#define KTWIN_CORE_RUN_QUEUE_MODEL_H

#include "core/sched_params.h"
#include "core/sched_reason.h"

namespace ktwin {

// A CPU that was not heard of for longer than this had nothing to decide meanwhile; what it would add to virtual times
// is cut, so that their products stay within 64 bits.
inline constexpr u64 kLongestCharge = 1000000000;

// The answer of a pick.
template <typename Entity>
struct Pick {
    Entity* entity = nullptr;  // nullptr: nobody is queued
    bool known = true;         // false: no answer within the bound
};

template <typename Q>
concept RunQueueModel = requires(Q queue, typename Q::Entity& entity, const SchedParams& params, u64 ns) {
    queue.setup(entity, params);
    queue.set_params(entity, params);
    Q::fork(entity, entity);
    queue.enqueue(entity, EnqueueReason::kWakeup, ns);
    queue.dequeue(entity, DequeueReason::kSleep, ns);
    queue.forget_sleeper(entity);
    queue.set_next(entity);
    queue.put_prev(entity);
    queue.charge(entity, ns, ns);
    Pick<typename Q::Entity>(queue.pick(ns));
    u32(queue.nr_queued());
};

}  // namespace ktwin

#endif
