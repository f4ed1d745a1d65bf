// SPDX-License-Identifier: GPL-2.0-only
#include "core/lab_queue.h"

#include "core/lab_sleeper.h"
#include "core/wait_event.h"

#include "base/enforce.h"  // last

namespace ktwin {

LabQueue::LabQueue(u32 serial, void* kernel) : serial_(serial), kernel_(kernel) {}

LabQueue::~LabQueue() {
    kt_host_waitq_destroy(kernel_);
}

bool LabQueue::post(u32 tokens) {
    u32 now = tokens_.load_relaxed();
    do {
        if (tokens > ~0U - now) {
            return false;
        }
    } while (!tokens_.compare_exchange_acquire(now, now + tokens));
    return true;
}

bool LabQueue::take() {
    u32 now = tokens_.load_relaxed();
    do {
        if (now == 0) {
            return false;
        }
    } while (!tokens_.compare_exchange_acquire(now, now - 1));
    return true;
}

void LabQueue::pass_on(u64 sequence, u32 mode) {
    const u32 woken = wake_backend({mode, 0, 1, 1, sequence, nullptr, 1, 0});
    SpinGuard guard(lock_);
    herds_.passed_on(sequence, woken);
}

void LabQueue::note_end(u64 sequence, bool futile) {
    HerdLog::Herd herd;
    {
        SpinGuard guard(lock_);
        herd = herds_.ended(sequence, futile ? HerdLog::End::kFutile : HerdLog::End::kProgress);
    }
    if (herd.sequence != 0) {
        kt_host_trace_herd(serial_, herd.woken, herd.futile, herd.sequence);
    }
}

// Queued, it looks at what anybody may look at; what a waker told it, it reads off the queue, where no waker writes.
Result LabQueue::sleep(LabSleeper& sleeper, u64 timeout_ns) {
    const u64 deadline_ns = timeout_ns != 0 ? deadline_in(timeout_ns) : 0;
    for (;;) {
        sleeper.prepare();
        const bool come = sleeper.has_come();
        Result result;
        if (!come) {
            if (sleeper.must_leave() || is_closed()) {
                result = Errno::kRemoved;
            } else if (kt_host_signal_pending(sleeper.state())) {
                result = Errno::kInterrupted;
            } else if (!kt_host_schedule(deadline_ns)) {
                result = Errno::kTimedOut;
            }
        }
        sleeper.finish();
        // A wake-up that selected it counts more than what else ended its sleep, or it would be lost.
        if (sleeper.settle(come)) {
            return {};
        }
        if (!result) {
            return result;
        }
    }
}

// The textbook's order: look, and queue later. Whoever wakes in between wakes nobody.
Result LabQueue::sleep_on(LabSleeper& sleeper, const ktwin_wait& wait) {
    if (sequence_.load_acquire() != wait.sequence) {
        return {};
    }
    if (wait.race_ns != 0 && !kt_host_breathe(wait.race_ns)) {
        return Errno::kInterrupted;
    }
    return sleep(sleeper, wait.timeout_ns);
}

Result LabQueue::wait(kt_key table, ktwin_wait& wait) {
    LabSleeper sleeper(*this, table, wait);
    kt_host_trace_wait_enter(serial_, wait.flags, wait.mode);
    waits_.fetch_add_relaxed(1);
    const Result result =
        (wait.flags & KTWIN_WAIT_RACY) != 0 ? sleep_on(sleeper, wait) : sleep(sleeper, wait.timeout_ns);
    count(result);
    wait.sequence = sequence_.load_acquire();
    wait.slept_ns = kt_host_time_ns() - sleeper.since_ns();
    wait.wakes = sleeper.wakes();
    wait.order = sleeper.order();
    kt_host_trace_wait_exit(serial_, to_c(result), wait.slept_ns, wait.wakes);
    return result;
}

void LabQueue::count(Result result) {
    if (result.error() == Errno::kTimedOut) {
        timeouts_.fetch_add_relaxed(1);
    } else if (result.error() == Errno::kInterrupted) {
        signals_.fetch_add_relaxed(1);
    }
}

u32 LabQueue::wake_backend(kt_wake_call call) {
    call.order = &woken_;
    if (kernel_ != nullptr) {
        return kt_host_waitq_wake(kernel_, &call);
    }
    const WakeCall twin{call.mode, call.flags, reinterpret_cast<u64>(&call)};
    if (call.locked == 0) {
        return head_.wake(twin, call.nr);
    }
    SpinGuard guard(head_.lock());
    return head_.wake_locked(twin, call.nr);
}

u32 LabQueue::waiters() {
    return kernel_ != nullptr ? kt_host_waitq_list(kernel_, nullptr, 0) : head_.waiting();
}

Result LabQueue::wake(ktwin_wake& wake) {
    if (is_closed()) {
        return Errno::kRemoved;
    }
    if (!post(wake.post)) {
        return Errno::kOverflow;
    }
    wake.sequence = sequence_.fetch_add_relaxed(1) + 1;
    wakes_.fetch_add_relaxed(1);
    if (!(kernel_ != nullptr ? kt_host_waitq_active(kernel_) : head_.waitqueue_active())) {
        wakes_empty_.fetch_add_relaxed(1);
    }
    const u32 mode = wake.mode == KTWIN_WAKE_NORMAL ? KT_TASK_NORMAL : KT_TASK_INTERRUPTIBLE;
    const u32 flags = (wake.flags & KTWIN_WAKE_SYNC) != 0 ? KT_WAKE_SYNC : 0;
    const u32 locked = (wake.flags & KTWIN_WAKE_LOCKED) != 0 ? 1 : 0;
    wake.woken = wake_backend({mode, flags, wake.nr, locked, wake.sequence, nullptr, 0, 0});
    HerdLog::Herd herd;
    {
        SpinGuard guard(lock_);
        herd = herds_.called(wake.sequence, wake.woken);
    }
    kt_host_trace_wake(serial_, wake.nr, wake.woken, wake.sequence);
    if (herd.sequence != 0) {
        kt_host_trace_herd(serial_, herd.woken, herd.futile, herd.sequence);
    }
    return {};
}

void LabQueue::shut_down(kt_key table) {
    if (table == 0) {
        closed_.store_relaxed(true);
    }
    {
        SpinGuard guard(lock_);
        for (RingNode* node = sleepers_.first(); node != sleepers_.end(); node = node->next()) {
            auto& sleeper = static_cast<LabSleeper&>(*node);
            if (table == 0 || sleeper.table() == table) {
                sleeper.leave();
            }
        }
    }
    // Under the lock: most sleepers are none of its business, and must not be claimed meanwhile.
    wake_backend({KT_TASK_NORMAL, 0, 0, 1, 0, nullptr, 0, 0});
}

void LabQueue::stats(ktwin_wait_stats& stats) {
    stats.sequence = sequence_.load_relaxed();
    stats.waiters = waiters();
    stats.waits = waits_.load_relaxed();
    stats.wakes = wakes_.load_relaxed();
    stats.wakes_empty = wakes_empty_.load_relaxed();
    stats.woken = __atomic_load_n(&woken_, __ATOMIC_RELAXED);
    stats.timeouts = timeouts_.load_relaxed();
    stats.signals = signals_.load_relaxed();
    stats.queue = serial_;
    SpinGuard guard(lock_);
    stats.futile = herds_.futile();
    stats.herds = herds_.herds();
    stats.herd_most = herds_.most();
}

u32 LabQueue::list(kt_waiter* to, u32 room) {
    if (kernel_ != nullptr) {
        return kt_host_waitq_list(kernel_, to, room);
    }
    u32 filled = 0;
    return head_.for_each([&](const WaitQueueEntry& entry) {
        if (filled == room) {
            return;
        }
        const u32 flags = (entry.kind() == WaitKind::kShared ? 0 : KTWIN_WAITER_EXCLUSIVE) |
                          (entry.kind() == WaitKind::kPriority ? KTWIN_WAITER_PRIORITY : 0) |
                          (entry.is_claimed() ? KTWIN_WAITER_CLAIMED : 0) |
                          (entry.was_woken() ? KTWIN_WAITER_WOKEN : 0);
        to[filled++] = {entry.task(), static_cast<const LabEntry&>(entry).since_ns, flags, 0};
    });
}

}  // namespace ktwin
