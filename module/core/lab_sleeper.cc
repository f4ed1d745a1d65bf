// SPDX-License-Identifier: GPL-2.0-only
#include "core/lab_sleeper.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// The waker's word is in call.key: the kt_wake_call.
int lab_wake_function(WaitQueueEntry& entry, const WakeCall& call) {
    const auto* wake = reinterpret_cast<const kt_wake_call*>(call.key);
    kt_selected& selected = *static_cast<LabEntry&>(entry).selected;
    if (wake->sequence == 0 && __atomic_load_n(&selected.leave, __ATOMIC_RELAXED) == 0) {
        return 0;
    }
    if (wake->exclusive_only != 0 && entry.kind() == WaitKind::kShared) {
        return 0;
    }
    const int woken = default_wake_function(entry, call);
    if (woken > 0 && wake->sequence != 0) {
        selected.sequence = wake->sequence;
        selected.mode = wake->mode;
        selected.order = __atomic_add_fetch(wake->order, 1, __ATOMIC_RELAXED);
    }
    return woken;
}

u32 state_of(u32 mode) {
    return mode == KTWIN_WAIT_INTERRUPTIBLE ? KT_TASK_INTERRUPTIBLE
           : mode == KTWIN_WAIT_KILLABLE    ? KT_TASK_KILLABLE
                                            : KT_TASK_UNINTERRUPTIBLE;
}

WaitKind kind_of(u32 flags) {
    return (flags & KTWIN_WAIT_PRIORITY) != 0    ? WaitKind::kPriority
           : (flags & KTWIN_WAIT_EXCLUSIVE) != 0 ? WaitKind::kExclusive
                                                 : WaitKind::kShared;
}

}  // namespace

static_assert(static_cast<u32>(WaitKind::kPriority) == KT_WAIT_PRIORITY &&
              static_cast<u32>(WaitKind::kShared) == KT_WAIT_SHARED &&
              static_cast<u32>(WaitKind::kExclusive) == KT_WAIT_EXCLUSIVE);

LabEntry::LabEntry(kt_selected* told)
    : WaitQueueEntry(kt_host_current(), lab_wake_function, true),
      selected(told),
      since_ns(kt_host_time_ns()) {}

LabSleeper::LabSleeper(LabQueue& queue, kt_key table, const ktwin_wait& wait)
    : queue_(queue), table_(table), wait_(wait), state_(state_of(wait.mode)), kind_(kind_of(wait.flags)) {
    if (queue_.kernel_ != nullptr) {
        kt_host_waitq_entry_init(&kernel_entry_, entry_.since_ns, &selected_);
    }
    SpinGuard guard(queue_.lock_);
    queue_.sleepers_.push_back(*this);
}

LabSleeper::~LabSleeper() {
    SpinGuard guard(queue_.lock_);
    unlink();
}

void LabSleeper::prepare() {
    if (queue_.kernel_ != nullptr) {
        kt_host_waitq_prepare(queue_.kernel_, &kernel_entry_, static_cast<u32>(kind_), state_);
    } else {
        queue_.head_.prepare(entry_, kind_, state_);
    }
}

void LabSleeper::finish() {
    if (queue_.kernel_ != nullptr) {
        kt_host_waitq_finish(queue_.kernel_, &kernel_entry_);
    } else {
        queue_.head_.finish_wait(entry_);
    }
}

bool LabSleeper::has_come() {
    switch (wait_.flags & (KTWIN_WAIT_TAKE | KTWIN_WAIT_SEQUENCE | KTWIN_WAIT_RACY)) {
        case KTWIN_WAIT_SEQUENCE:
            return queue_.sequence_.load_acquire() != wait_.sequence;
        case 0:
        case KTWIN_WAIT_SEQUENCE | KTWIN_WAIT_RACY:
            return false;
        default:
            return queue_.take();
    }
}

bool LabSleeper::settle(bool come) {
    const u64 sequence = selected_.sequence;
    if (sequence == 0) {
        return come;
    }
    selected_.sequence = 0;
    ++wakes_;
    order_ = selected_.order;
    if (come && kind_ != WaitKind::kShared) {
        queue_.pass_on(sequence, selected_.mode);
    }
    const bool done = come || (wait_.flags & KTWIN_WAIT_TAKE) == 0 || queue_.take();
    queue_.note_end(sequence, !done);
    return done;
}

}  // namespace ktwin
