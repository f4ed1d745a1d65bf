// SPDX-License-Identifier: GPL-2.0-only
//
// RunQueue: the twin of one CPU's run queue, in all generations at once. The classes are asked in the kernel's order:
// stop, deadline, rt, fair, idle. Stop and deadline are the same for every generation; 2.4 and 2.6 keep real-time tasks
// among the others, the later ones in a class of their own.
//
// Doubt. When a task cannot be stored, or an event contradicts what is here, the queue is incomplete: events are applied
// as far as they fit, picks count as unanswered. It is complete again when the kernel runs the idle task on this CPU, which
// says that nothing is queued: what is here still is stale, and dropped. It begins so too. A complete queue that is not
// empty then holds tasks that are throttled, and keeps them.
//
// Arrivals. A runnable task that is moved here is told of before the kernel has queued it: it will take the lock of this
// queue, charge the current task up to that moment, and give the arrival its place by what everybody has had then. So it
// waits until the next event of this CPU, which as a rule is that charge, and is not on the queue until land().
//
// Everything under the lock of the twin. Times in ns; one that runs backwards is taken for the last one.
#ifndef KTWIN_CORE_RUN_QUEUE_H
#define KTWIN_CORE_RUN_QUEUE_H

#include "core/log2_histogram.h"
#include "core/rq_agreement.h"
#include "core/rq_task.h"

namespace ktwin {

class RunQueue : Pinned {
  public:
    // Why a queue is not complete; a set.
    enum Doubt : u32 {
        kNone = 0,
        kStarting = 1U << 0,  // the CPU was not idle yet
        kNoMemory = 1U << 1,  // a task could not be stored
        kConflict = 1U << 2,  // an event that does not fit
        kLostEvents = 1U << 3,
    };

    // One context switch, seen from the twin.
    struct Switch {
        RqTask* prev = nullptr;  // nullptr: the idle task, or not stored
        RqTask* next = nullptr;  // nullptr: the idle task, or not stored
        SchedClass next_class = SchedClass::kIdle;
        bool prev_stays = false;  // it is still queued here
        FairPlace prev_place;
        DequeueReason prev_left = DequeueReason::kSleep;
    };

    // online: CPUs there are, by which the kernel scales its slices.
    RunQueue(u32 cpu, u32 online);

    // The task is new to the twin: before anything else.
    void setup(RqTask& task);
    // The task is asleep: where the kernel has it.
    void adopt(RqTask& task, const FairPlace& place);
    // What child takes from parent, in every generation; between setup() and enqueue(kInitial).
    static void fork(RqTask& parent, RqTask& child);
    // task.queued is false, and its cpu is this one or forget_sleeper() was called on the other.
    void enqueue(RqTask& task, EnqueueReason reason, u64 now);
    // task is queued nowhere, and is to be enqueued (kMove) with the next event.
    void expect(RqTask& task);
    // Those that were expected are here. Due before any of the others, but for what an event charges.
    void land();
    // task is queued here.
    void dequeue(RqTask& task, DequeueReason reason, u64 now);
    // task is not queued, and was here last.
    void forget_sleeper(RqTask& task);
    void switched(const Switch& event, u64 now);
    // task is queued here, or was here last.
    void change(RqTask& task, const SchedParams& params, u64 now);
    // What the kernel has left of its slice, for SCHED_RR, in ticks.
    void count_ticks(RqTask& task, u32 left);
    // The scheduler's tick, or any event that should charge the current one.
    void advance(u64 now);
    // The task is no more; queued, arriving or neither.
    void drop(RqTask& task, u64 now);
    void doubt(u32 why);

    bool complete() const { return doubt_.load_relaxed() == kNone; }
    // [any] Doubt; how often it became incomplete since it began.
    u32 why_incomplete() const { return doubt_.load_relaxed(); }
    u64 doubts() const { return doubts_.load_relaxed(); }
    // [any]
    const RqAgreement& agreement(Generation generation) const {
        return agreements_[static_cast<u32>(generation)];
    }
    // [any] How long tasks of a class waited on this queue for the CPU.
    const Log2Histogram& waits(SchedClass sched_class) const { return waits_[static_cast<u32>(sched_class)]; }
    // With the arrivals.
    u32 nr_queued() const { return nr_queued_ + nr_arriving_; }
    // Tasks that were still here when the CPU went idle while the queue was complete: throttled, or events were lost.
    u64 idle_with_queued() const { return idle_with_queued_; }

    RqTask* current() const { return curr_; }
    // Who gets the CPU now. entity nullptr: idle.
    Pick<RqTask> pick(Generation generation, u64 now);
    // Calls visit(RqTask&) for each that is queued or arriving, the current one included, in no order; returns how many.
    // visit leaves the queue as it is.
    template <typename Visit>
    u32 for_each(Visit visit);

  private:
    static constexpr u32 kDropsAtOnce = 64;

    template <typename Act>
    void in_each_model(RqTask& task, Act act);
    template <typename Q>
    static Pick<RqTask> as_task(const Pick<typename Q::Entity>& pick);
    void link(RqTask& task, EnqueueReason reason, u64 now);
    void unlink(RqTask& task, DequeueReason reason, u64 now);
    void apply(RqTask& task, const SchedParams& params);
    void give_cpu(RqTask* task, u64 now);
    void take_cpu(u64 now);
    void leave_cpu(const Switch& event, u64 now);
    void judge(const Switch& event, u64 now);
    void admit(RqTask* next, u64 now);
    void went_idle(u64 now);

    const u32 cpu_;
    u64 clock_ = 0;
    RqTask* curr_ = nullptr;  // queued
    RqTask* stop_ = nullptr;  // queued
    Ring members_;
    Ring arrivals_;  // as members
    u32 nr_queued_ = 0;
    u32 nr_arriving_ = 0;
    u32 nr_grouped_ = 0;  // of them, fair and in a group

    DeadlineQueue deadline_;
    RtQueue rt_;
    ScanQueue scan_;
    PrioArrayQueue prio_array_;
    CfsQueue cfs_;
    EevdfQueue eevdf_;

    Atomic<u32> doubt_{kStarting};
    Atomic<u64> doubts_;
    u64 idle_with_queued_ = 0;
    RqAgreement agreements_[kGenerations];
    Log2Histogram waits_[kSchedClasses];
};

template <typename Visit>
u32 RunQueue::for_each(Visit visit) {
    Ring* const rings[] = {&members_, &arrivals_};
    for (Ring* ring : rings) {
        for (RingNode* node = ring->first(); node != ring->end(); node = node->next()) {
            visit(static_cast<RqTask&>(static_cast<RqMember&>(*node)));
        }
    }
    return nr_queued();
}

}  // namespace ktwin

#endif
