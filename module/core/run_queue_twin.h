// SPDX-License-Identifier: GPL-2.0-only
//
// RunQueueTwin: the twin run queues of all CPUs, and the tasks they know. It is fed by the live events of the scheduler.
//
// One lock for all CPUs, because a task goes from one to another: raw, irqs off, taken inside the kernel's run-queue locks
// and nothing inside it. The events of one task are in order: the kernel sends each under the task's pi_lock or the lock of
// the run queue it is on. Between the moment a runnable task is taken from one queue (moved()) and put on the other the
// kernel has it on neither, and sends no event for the second: here it is expected there (run_queue.h).
//
// Tasks come from a pool that is filled ahead. An event allocates nothing and wakes nobody: both could take the very lock
// that the event is under. So the pool asks for no maintenance, refill() is called now and then; where the pool is empty the
// CPU's queue becomes incomplete (run_queue.h).
//
// A key that comes again after its task died unseen is told by created(), or has the old one's history.
#ifndef KTWIN_CORE_RUN_QUEUE_TWIN_H
#define KTWIN_CORE_RUN_QUEUE_TWIN_H

#include "base/span.h"
#include "core/rq_difference.h"
#include "core/rq_task_table.h"
#include "core/run_queue.h"

namespace ktwin {

// A task as an event shows it.
struct SchedTask {
    kt_key key = 0;  // 0: the idle task
    i32 nr = 0;  // in the initial namespace; for who reads, not a name: exec() from another thread changes it
    u32 rr_ticks = 0;  // left of its slice, if it is of SCHED_RR; 0: not told
    // Of the one that wakes, or that leaves the CPU to sleep. The twin goes by its own; but what was there before it has to
    // come from somewhere: this is taken of a task that is new to it, and as long as a queue is not complete.
    FairPlace place;
    SchedParams params;
};

struct SchedSwitch {
    SchedTask prev;
    SchedTask next;
    bool prev_queued = false;   // task_on_rq_queued(), and not sched_delayed: it did not go to sleep
    bool prev_special = false;  // its state suffers no wakeup too many: stopped, traced, parked, dead
    bool prev_dead = false;     // TASK_DEAD: it will not be heard of again
};

class RunQueueTwin : Pinned {
  public:
    // cpus: numbers of CPUs that may be told, not 0; online: how many there are. task_limit: tasks it may know, not 0.
    RunQueueTwin(kt_lock_class lock_class, u32 cpus, u32 online, u32 task_limit);

    // [sleep] kNoMemory. teardown() is due in any case.
    Result setup();
    // [sleep] No event comes any more, nobody is inside.
    void teardown();
    // [sleep] Once a second. False: no memory, or at the limit.
    bool refill();

    // --- events, [any], not under the lock. A CPU that is not there is ignored. now: ns by the CPU's own clock, which
    // need not be that of another CPU; 0: no time has passed ---
    // sched_wakeup. Of a task that is queued already, which the kernel tells of too, nothing is taken but its parameters.
    void woken(u32 cpu, const SchedTask& task, u64 now);
    // sched_wakeup_new; parent: the task that forked, 0 when not known.
    void created(u32 cpu, const SchedTask& task, kt_key parent, u64 now);
    // sched_migrate_task
    void moved(kt_key key, u32 cpu, u64 now);
    void switched(u32 cpu, const SchedSwitch& event, u64 now);
    // sched_setscheduler(), nice, a boost by priority inheritance
    void changed(const SchedTask& task, u64 now);
    // sched_stat_runtime: the one that has the CPU was charged until now.
    void ran(u32 cpu, const SchedTask& task, u64 now);
    // Events were lost, or hooks not called: every queue is incomplete.
    void lost();

    // --- for who looks, [any] ---
    struct Standing {
        u32 nr_queued = 0;
        u32 why_incomplete = 0;  // RunQueue::Doubt; 0: complete
        u64 doubts = 0;
        u64 idle_with_queued = 0;
    };
    u32 cpus() const { return cpus_; }
    // Of a CPU that there is, as all below.
    Standing standing(u32 cpu);
    // The keys of those queued, at most room; how many there are.
    u32 queued(u32 cpu, Span<kt_key> room);
    // Against what is on the kernel's queue, as it was found between two events of this CPU. At most kCompareLimit on either
    // side: kOverflow. kAgain: the queue is incomplete.
    Result compare(u32 cpu, Span<const RqReal> real, RqComparison& result);
    static constexpr u32 kCompareLimit = 512;
    // The laboratory: the task is queued where it was last, or taken off, and the kernel knows nothing of it.
    // kNotFound: not known; kAlready.
    Result inject(kt_key key, bool add);
    // What of a queue is read without the lock: agreement(), waits(), why_incomplete(), doubts().
    const RunQueue& queue(u32 cpu) const { return *queues_[cpu]; }
    // Tasks it knows, awake or not; events that found the pool empty.
    u32 tasks();
    u64 without_memory() const { return without_memory_.load_relaxed(); }

  private:
    static constexpr u32 kReserve = 256;

    RqTask* find(kt_key key) TA_REQUIRES(lock_);
    RqTask* learn(u32 cpu, const SchedTask& task) TA_REQUIRES(lock_);
    void update(RqTask& known, const SchedTask& task) TA_REQUIRES(lock_);
    RqTask* make(u32 cpu, const SchedTask& task) TA_REQUIRES(lock_);
    void forget(RqTask* task, u64 now) TA_REQUIRES(lock_);
    void bring(RqTask& task, u32 cpu, u64 now) TA_REQUIRES(lock_);
    bool forget_some() TA_EXCLUDES(lock_);
    bool has(u32 cpu) const { return cpu < made_; }

    SpinLock lock_;
    Kicker kicker_{false};
    PoolBudget budget_;
    Pool pool_;
    const u32 cpus_;
    const u32 online_;
    u32 made_ = 0;  // queues there are: all, once setup() has succeeded
    RqTaskTable table_ TA_GUARDED_BY(lock_);
    RunQueue** queues_ = nullptr;
    u64 comparisons_ TA_GUARDED_BY(lock_) = 0;
    Atomic<u64> without_memory_;
};

}  // namespace ktwin

#endif
