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

// Where it is told from the first look which entry the call begins and ends with, provided that it is asleep: nullptr, or
// on a fresh list. The mark of a long call that is under way is not an entry.
KT_INLINE WaitQueueEntry* WaitQueueHead::sole(u32 nr) {
    Lane& priority = lane(WaitKind::kPriority);
    Lane& shared = lane(WaitKind::kShared);
    Ring* ring = &lane(WaitKind::kExclusive).fresh;
    if (!priority.fresh.empty()) {
        ring = &priority.fresh;
    } else if (!shared.fresh.empty()) {
        ring = &shared.fresh;
    }
    if (queued_.load_relaxed() != 1) {
        const bool counts = ring != &shared.fresh && priority.tried.empty() && shared.tried.empty();
        if (nr != 1 || !counts) {
            return nullptr;
        }
    }
    auto* entry = static_cast<WaitQueueEntry*>(ring->first());
    return ring->empty() || entry->mark_ ? nullptr : entry;
}

// A WakeRun of one entry, without what that needs for many: the usual call. Not over: the run is still due, with the same
// ticket if there is one.
KT_INLINE WaitQueueHead::Sole WaitQueueHead::wake_sole(const WakeCall& call, u32 nr) {
    Sole result{0, 0, false};
    kt_host_preempt_disable();
    WaitQueueEntry* entry = nullptr;
    {
        SpinGuard guard(lock_);
        entry = sole(nr);
        if (entry != nullptr) {
            result.ticket = entry->ticket_ = ++tickets_;
            entry->unlink();
            if (entry->autoremove_) {
                queued_.sub_exclusive(1);
            } else {
                lane(entry->kind_).tried.push_back(*entry);
            }
            entry->state_.store_relaxed(State::kClaimed);
        }
    }
    if (entry != nullptr) {
        const int woken = entry->function_(*entry, call);
        result.over = woken != 0;
        if (woken > 0) {
            result.woken = 1;
            entry->woken_.store_relaxed(true);
            // Release: as in WakeRun::wake_batch().
            entry->state_.store_release(entry->autoremove_ ? State::kIdle : State::kQueued);
        } else {
            put_back(*entry);
        }
    }
    kt_host_preempt_enable();
    return result;
}

void WaitQueueHead::put_back(WaitQueueEntry& entry) {
    SpinGuard guard(lock_);
    if (entry.autoremove_) {
        queued_.add_exclusive(1);
    }
    entry.unlink();
    lane(entry.kind_).fresh.push_front(entry);
    entry.state_.store_release(State::kQueued);
}

u32 WaitQueueHead::wake(const WakeCall& call, u32 nr) {
    full_barrier();
    const u32 queued = queued_.load_relaxed();
    if (queued == 0) {
        return 0;
    }
    if ((call.mode & KT_TASK_NORMAL) != KT_TASK_NORMAL) {
        SpinGuard guard(lock_);  // see wake_run.h
        return wake_locked(call, nr);
    }
    u64 ticket = 0;
    if (queued == 1 || nr == 1) {
        const Sole sole = wake_sole(call, nr);
        if (sole.over) {
            return sole.woken;
        }
        ticket = sole.ticket;
    }
    return wake_run(call, nr, ticket);
}

u32 WaitQueueHead::wake_run(const WakeCall& call, u32 nr, u64 ticket) {
    KT_NO_AUTO_INIT WakeRun run(*this, call, nr, ticket);
    return run.run();
}

u32 WaitQueueHead::wake_locked(const WakeCall& call, u32 nr) {
    if (!waitqueue_active()) {
        return 0;
    }
    KT_NO_AUTO_INIT WakeRun run(*this, call, nr, 0);
    return run.run_locked();
}

}  // namespace ktwin
