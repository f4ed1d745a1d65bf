// SPDX-License-Identifier: GPL-2.0-only
#include "core/wait_queue.h"

#include "core/wake_run.h"

#include "base/enforce.h"  // last

namespace ktwin {

int default_wake_function(WaitQueueEntry& entry, const WakeCall& call) {
    return kt_host_wake_task(entry.task(), call.mode, call.flags) ? 1 : 0;
}

WaitQueueEntry::WaitQueueEntry() : WaitQueueEntry(kt_host_current(), default_wake_function, true) {}

void WaitQueueHead::link(WaitQueueEntry& entry, WaitKind kind) {
    entry.kind_ = kind;
    entry.ticket_ = tickets_;
    entry.woken_.store_relaxed(false);
    lane(kind).fresh.push_back(entry);
    queued_.add_exclusive(1);
    entry.state_.store_relaxed(State::kQueued);
}

void WaitQueueHead::unlink(WaitQueueEntry& entry) {
    entry.unlink();
    queued_.sub_exclusive(1);
    entry.state_.store_relaxed(State::kIdle);
}

// Acquire: what the waker did with the entry is done.
void WaitQueueHead::await_waker(const WaitQueueEntry& entry) {
    while (entry.is_claimed()) {
        cpu_relax();
    }
}

void WaitQueueHead::add(WaitQueueEntry& entry, WaitKind kind) {
    SpinGuard guard(lock_);
    link(entry, kind);
}

void WaitQueueHead::prepare(WaitQueueEntry& entry, WaitKind kind, u32 state) {
    for (;;) {
        await_waker(entry);
        SpinGuard guard(lock_);
        if (entry.is_claimed()) {
            continue;  // between the two lines above
        }
        if (entry.state_.load_relaxed() == State::kIdle) {
            link(entry, kind);
        }
        kt_host_set_state(state);
        return;
    }
}

Result WaitQueueHead::prepare_to_wait_event(WaitQueueEntry& entry, WaitKind kind, u32 state) {
    if (kt_host_signal_pending(state)) {
        remove_wait_queue(entry);
        return Errno::kInterrupted;
    }
    prepare(entry, kind, state);
    return {};
}

void WaitQueueHead::remove_wait_queue(WaitQueueEntry& entry) {
    for (;;) {
        await_waker(entry);
        if (entry.state_.load_acquire() == State::kIdle) {
            return;  // it was woken and is on no list: the usual case, without the lock
        }
        SpinGuard guard(lock_);
        if (entry.state_.load_relaxed() == State::kQueued) {
            unlink(entry);
            return;
        }
    }
}

void WaitQueueHead::finish_wait(WaitQueueEntry& entry) {
    kt_host_set_state(KT_TASK_RUNNING);
    remove_wait_queue(entry);
}

void WaitQueueHead::set_current_state(WaitQueueEntry& entry, u32 state) {
    kt_host_set_state(state);
    // A waker that claimed the entry before the condition came true may be seen by a later one, who leaves the entry
    // to it: the condition must not be looked at before that is over.
    await_waker(entry);
}

u32 WaitQueueHead::wake(const WakeCall& call, u32 nr) {
    full_barrier();
    if (!waitqueue_active()) {
        return 0;
    }
    WakeRun run(*this, call, nr);
    if ((call.mode & KT_TASK_NORMAL) == KT_TASK_NORMAL) {
        return run.run();
    }
    SpinGuard guard(lock_);  // see wake_run.h
    return run.run_locked();
}

u32 WaitQueueHead::wake_locked(const WakeCall& call, u32 nr) {
    if (!waitqueue_active()) {
        return 0;
    }
    return WakeRun(*this, call, nr).run_locked();
}

}  // namespace ktwin
