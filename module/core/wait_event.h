// SPDX-License-Identifier: GPL-2.0-only
//
// The wait_event family over WaitQueueHead: sleep until a condition holds. The condition is looked at before and after
// each sleep and must be written before the queue is woken. [sleep], all of them.
//
// Results: success, the condition held; kTimedOut; kInterrupted, a signal that ends this kind of sleep. Times are
// CLOCK_MONOTONIC nanoseconds from now. The source is ___wait_event() in include/linux/wait.h.
//
// And the textbook's sleep_on family, which Linux had until 3.15, kept to show what is wrong with it.
#ifndef KTWIN_CORE_WAIT_EVENT_H
#define KTWIN_CORE_WAIT_EVENT_H

#include "base/bits.h"
#include "core/wait_queue.h"

namespace ktwin {

inline u64 deadline_in(u64 timeout_ns) {
    const u64 now = kt_host_time_ns();
    return timeout_ns < kAllOnes - now ? now + timeout_ns : kAllOnes;
}

// deadline_ns 0: none.
template <typename Condition>
Result wait_event_until(WaitQueueHead& head, WaitKind kind, u32 state, u64 deadline_ns, Condition condition) {
    WaitQueueEntry entry;
    Result result;
    while (!condition()) {
        const Result prepared = head.prepare_to_wait_event(entry, kind, state);
        // Before the signal counts: who was selected by a wake-up takes what it was selected for.
        if (condition()) {
            break;
        }
        if (!prepared) {
            result = prepared;
            break;
        }
        if (!kt_host_schedule(deadline_ns)) {
            result = condition() ? Result() : Result(Errno::kTimedOut);
            break;
        }
    }
    head.finish_wait(entry);
    return result;
}

template <typename Condition>
void wait_event(WaitQueueHead& head, Condition condition) {
    (void)wait_event_until(head, WaitKind::kShared, KT_TASK_UNINTERRUPTIBLE, 0, condition);
}
template <typename Condition>
void wait_event_exclusive(WaitQueueHead& head, Condition condition) {
    (void)wait_event_until(head, WaitKind::kExclusive, KT_TASK_UNINTERRUPTIBLE, 0, condition);
}
template <typename Condition>
Result wait_event_timeout(WaitQueueHead& head, Condition condition, u64 timeout_ns) {
    return wait_event_until(head, WaitKind::kShared, KT_TASK_UNINTERRUPTIBLE, deadline_in(timeout_ns),
                            condition);
}

template <typename Condition>
Result wait_event_interruptible(WaitQueueHead& head, Condition condition) {
    return wait_event_until(head, WaitKind::kShared, KT_TASK_INTERRUPTIBLE, 0, condition);
}
template <typename Condition>
Result wait_event_interruptible_exclusive(WaitQueueHead& head, Condition condition) {
    return wait_event_until(head, WaitKind::kExclusive, KT_TASK_INTERRUPTIBLE, 0, condition);
}
template <typename Condition>
Result wait_event_interruptible_timeout(WaitQueueHead& head, Condition condition, u64 timeout_ns) {
    return wait_event_until(head, WaitKind::kShared, KT_TASK_INTERRUPTIBLE, deadline_in(timeout_ns),
                            condition);
}

template <typename Condition>
Result wait_event_killable(WaitQueueHead& head, Condition condition) {
    return wait_event_until(head, WaitKind::kShared, KT_TASK_KILLABLE, 0, condition);
}
template <typename Condition>
Result wait_event_killable_exclusive(WaitQueueHead& head, Condition condition) {
    return wait_event_until(head, WaitKind::kExclusive, KT_TASK_KILLABLE, 0, condition);
}
template <typename Condition>
Result wait_event_killable_timeout(WaitQueueHead& head, Condition condition, u64 timeout_ns) {
    return wait_event_until(head, WaitKind::kShared, KT_TASK_KILLABLE, deadline_in(timeout_ns), condition);
}

// RACY. Queues and sleeps without looking: whoever looked at a condition before, and found it false, is not woken by
// the one who makes it true before the entry is queued.
//
//   sleeper                      waker
//   if (!condition)
//                                condition = true
//                                wake_up(): nobody is queued
//     sleep_on(): sleeps on
//
// True: woken; false: the deadline came first (sleep_on_until only).
inline bool sleep_on_until(WaitQueueHead& head, u32 state, u64 deadline_ns) {
    WaitQueueEntry entry(kt_host_current(), default_wake_function, false);
    kt_host_set_state(state);
    head.add_wait_queue(entry);
    const bool woken = kt_host_schedule(deadline_ns);
    head.remove_wait_queue(entry);
    return woken;
}
inline void sleep_on(WaitQueueHead& head) {
    sleep_on_until(head, KT_TASK_UNINTERRUPTIBLE, 0);
}
inline bool sleep_on_timeout(WaitQueueHead& head, u64 timeout_ns) {
    return sleep_on_until(head, KT_TASK_UNINTERRUPTIBLE, deadline_in(timeout_ns));
}
inline void interruptible_sleep_on(WaitQueueHead& head) {
    sleep_on_until(head, KT_TASK_INTERRUPTIBLE, 0);
}
inline bool interruptible_sleep_on_timeout(WaitQueueHead& head, u64 timeout_ns) {
    return sleep_on_until(head, KT_TASK_INTERRUPTIBLE, deadline_in(timeout_ns));
}

}  // namespace ktwin

#endif
