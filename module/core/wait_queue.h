// SPDX-License-Identifier: GPL-2.0-only
//
// Wait queues: a task tells a queue that it is about to sleep, whoever makes its condition true wakes the queue.
// Names, arguments and results are those of include/linux/wait.h and kernel/sched/wait.c.
//
// Why no wake-up is lost. Each side writes, then looks; whichever looks second sees what the other wrote:
//
//   sleeper                                     waker
//   prepare_to_wait: lock
//     queue the entry, queued_ = n              condition = true
//     set_current_state(TASK_...)
//     unlock
//   -- full barrier (set_current_state) --      -- full barrier (wake_up) --
//   if (condition) no sleep                     if (queued_ == 0) nobody to wake
//   schedule()                                  lock, claim, wake: state = TASK_RUNNING
//
// sleep_on() looks at the condition before it queues: what is woken in between sleeps for ever (wait_event.h).
//
// The order of waking: priority entries, then non-exclusive ones, then exclusive ones, each in the order in which
// they came. Where the kernel differs: its non-exclusive entries are woken last in first out.
//
// Waking happens outside the lock, in batches (PERFORMANCE: the kernel holds its lock, irqs off, over the whole list
// or 64 entries of it). An entry's way:
//
//            add, prepare                    claim (lock)
//     kIdle ---------------> kQueued ---------------------------> kClaimed
//       ^                      | ^   woken and stays, or was awake   |  |
//       |    remove, finish    | +-----------------------------------+  |
//       +----------------------+                                        |
//       +---------------------------------------------------------------+
//                        woken, and leaves by itself
//
// From kClaimed on, until it is left, the waker alone owns the entry; its sleeper, who may be awake for another reason
// (a signal, the timeout), waits for that in finish_wait() before the entry may go out of scope. The waker has
// preemption off from the claim to the last entry of the batch, so the wait is short, and no task can keep the waker
// from the CPU while it waits for it.
#ifndef KTWIN_CORE_WAIT_QUEUE_H
#define KTWIN_CORE_WAIT_QUEUE_H

#include "base/atomic.h"
#include "base/expected.h"
#include "base/lock.h"
#include "base/ring.h"

namespace ktwin {

class WaitQueueEntry;

// What a wake call hands to the wake functions.
struct WakeCall {
    u32 mode;   // KT_TASK_* that are to be woken
    u32 flags;  // KT_WAKE_SYNC
    u64 key;    // the waker's word to its wake functions
};

// Called with preemption off, the entry claimed and the queue unlocked (locked, irqs off, in the _locked family).
// May not sleep; on PREEMPT_RT it may take raw locks only. Greater than 0: it was asleep and is awake now, and counts;
// 0: it was awake; less than 0: wake no more. A function that says 0 or less for another reason is for calls of the
// _locked family, or of one mode, which is under the lock too.
using WakeFunction = int (*)(WaitQueueEntry& entry, const WakeCall& call);

// Wakes the entry's task. In field's words: try_to_wake_up().
int default_wake_function(WaitQueueEntry& entry, const WakeCall& call);

enum class WaitKind : u8 { kPriority, kShared, kExclusive };
inline constexpr u32 kWaitKinds = 3;

class WaitQueueEntry : public RingNode {
    struct Mark {};

  public:
    // DEFINE_WAIT: by default for the current task, and leaves the queue when woken.
    WaitQueueEntry();
    // init_waitqueue_func_entry: stays queued until it is removed, unless autoremove.
    constexpr WaitQueueEntry(kt_key task, WakeFunction function, bool autoremove)
        : task_(task), function_(function), autoremove_(autoremove) {}

    // Of a WakeRun only, who alone can name the type.
    explicit WaitQueueEntry(Mark) : task_(0), function_(nullptr), autoremove_(false), mark_(true) {}

    kt_key task() const { return task_; }
    WaitKind kind() const { return kind_; }
    bool is_claimed() const { return state_.load_acquire() == State::kClaimed; }
    // Before, and it is still queued.
    bool was_woken() const { return woken_.load_relaxed(); }

  private:
    friend class WaitQueueHead;
    friend class WakeRun;
    struct State {
        static constexpr u32 kIdle = 0;
        static constexpr u32 kQueued = 1;
        static constexpr u32 kClaimed = 2;
    };

    Atomic<u32> state_;
    const kt_key task_;
    const WakeFunction function_;
    u64 ticket_ =
        0;  // of the last wake call before it was queued, or of the last that tried it; under the lock
    const bool autoremove_;
    const bool mark_ = false;  // not an entry: a place on a list that a wake call will come back to
    WaitKind kind_ = WaitKind::kShared;
    Atomic<bool> woken_;
};

class WaitQueueHead : Pinned {
  public:
    // Wakes so many at most between two times that it takes the lock.
    static constexpr u32 kBatch = 32;

    // init_waitqueue_head
    explicit WaitQueueHead(kt_lock_class lock_class) : lock_(lock_class) {}
    // DECLARE_WAIT_QUEUE_HEAD, for static storage: all but the lock is there from the start; what an unlocked lock looks
    // like (magic, lockdep) only the kernel knows, so init() before the first use.
    constexpr explicit WaitQueueHead(SpinLock::Static storage) : lock_(storage) {}
    void init(kt_lock_class lock_class) { lock_.init(lock_class); }

    // --- for who sleeps, [sleep] ---
    void add_wait_queue(WaitQueueEntry& entry) { add(entry, WaitKind::kShared); }
    void add_wait_queue_exclusive(WaitQueueEntry& entry) { add(entry, WaitKind::kExclusive); }
    void add_wait_queue_priority(WaitQueueEntry& entry) { add(entry, WaitKind::kPriority); }
    void add(WaitQueueEntry& entry, WaitKind kind);
    void remove_wait_queue(WaitQueueEntry& entry);

    void prepare_to_wait(WaitQueueEntry& entry, u32 state) { prepare(entry, WaitKind::kShared, state); }
    void prepare_to_wait_exclusive(WaitQueueEntry& entry, u32 state) {
        prepare(entry, WaitKind::kExclusive, state);
    }
    void prepare(WaitQueueEntry& entry, WaitKind kind, u32 state);
    // kInterrupted: a signal that ends this kind of sleep is pending. The entry is off the queue then, so that an
    // exclusive wake-up from now on goes to another; one that came before is seen by looking at the condition again.
    Result prepare_to_wait_event(WaitQueueEntry& entry, WaitKind kind, u32 state);
    void finish_wait(WaitQueueEntry& entry);
    // For an entry that stays queued: to be called instead of set_current_state() before the condition is looked at.
    static void set_current_state(WaitQueueEntry& entry, u32 state);

    // --- for who wakes, [any] ---
    // Only with a full barrier between writing the condition and asking: see the diagram.
    bool waitqueue_active() const { return queued_.load_relaxed() != 0; }
    // __wake_up: nr exclusive entries, 0 all of them, and every non-exclusive one that was queued before. Result: how
    // many really were asleep.
    u32 wake(const WakeCall& call, u32 nr);
    // The same with the queue's lock held, by the caller of lock().
    u32 wake_locked(const WakeCall& call, u32 nr) TA_REQUIRES(lock_);
    SpinLock& lock() TA_RETURN(lock_) { return lock_; }
    const struct kt_host_lock* host_lock() const TA_NO_ANALYSIS { return lock_.host(); }

    u32 wake_up(u32 nr = 1) { return wake({KT_TASK_NORMAL, 0, 0}, nr); }
    u32 wake_up_all() { return wake_up(0); }
    u32 wake_up_interruptible(u32 nr = 1) { return wake({KT_TASK_INTERRUPTIBLE, 0, 0}, nr); }
    u32 wake_up_interruptible_all() { return wake_up_interruptible(0); }
    u32 wake_up_sync() { return wake({KT_TASK_NORMAL, KT_WAKE_SYNC, 0}, 1); }
    u32 wake_up_locked(u32 nr = 1) TA_REQUIRES(lock_) { return wake_locked({KT_TASK_NORMAL, 0, 0}, nr); }

    // --- for who looks, [any] ---
    // Entries queued. Those that were claimed and leave by themselves are on no list any more, here and below.
    u32 waiting() const { return queued_.load_relaxed(); }
    // In wake order, at one instant. Calls visit(const WaitQueueEntry&) under the lock; returns how many there are.
    template <typename Visit>
    u32 for_each(Visit visit);

  private:
    friend class WakeRun;
    using State = WaitQueueEntry::State;

    // Those nobody has tried to wake since they were queued, in the order in which they came; and those that were
    // woken and stay, the one whose turn was longest ago first: a wake_up() need not step over them.
    struct Lane {
        Ring fresh;
        Ring tried;
    };

    Lane& lane(WaitKind kind) TA_REQUIRES(lock_) { return lanes_[static_cast<u32>(kind)]; }
    void link(WaitQueueEntry& entry, WaitKind kind) TA_REQUIRES(lock_);
    void unlink(WaitQueueEntry& entry) TA_REQUIRES(lock_);
    static void await_waker(const WaitQueueEntry& entry);
    struct Sole {
        u64 ticket;  // of the call, 0: it has none yet
        u32 woken;
        bool over;
    };
    WaitQueueEntry* sole(u32 nr) TA_REQUIRES(lock_);
    Sole wake_sole(const WakeCall& call, u32 nr);
    void put_back(WaitQueueEntry& entry);
    u32 wake_run(const WakeCall& call, u32 nr, u64 ticket);

    SpinLock lock_;
    Lane lanes_[kWaitKinds] TA_GUARDED_BY(lock_);
    u64 tickets_ TA_GUARDED_BY(lock_) = 0;  // wake calls that found somebody
    Atomic<u32> queued_;                    // entries on the lists; written under the lock
};

template <typename Visit>
u32 WaitQueueHead::for_each(Visit visit) {
    u32 count = 0;
    SpinGuard guard(lock_);
    for (Lane& lane : lanes_) {
        const Ring* const rings[] = {&lane.fresh, &lane.tried};
        for (const Ring* ring : rings) {
            for (RingNode* node = ring->first(); node != ring->end(); node = node->next()) {
                const auto& entry = static_cast<const WaitQueueEntry&>(*node);
                if (!entry.mark_) {
                    visit(entry);
                    ++count;
                }
            }
        }
    }
    return count;
}

}  // namespace ktwin

#endif
