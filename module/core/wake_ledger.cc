// SPDX-License-Identifier: GPL-2.0-only
#include "core/wake_ledger.h"

#include "boundary/host_api.h"

#include "base/enforce.h"  // last

namespace ktwin {
namespace {

// How many exclusive sleepers a wake call asked for is not to be seen from the queue.
constexpr u32 kNotKnown = ~0U;

}  // namespace

// Its own, or the first free one of its places; nullptr: others have them all.
WakeLedger::Task* WakeLedger::find(kt_key task) {
    Task* vacant = nullptr;
    for (u32 i = 0; i < kPlaces; ++i) {
        Task& place = tasks_[(mix(task) + i) % KT_LEDGER_TASKS];
        if (place.woken.task == task) {
            return &place;
        }
        if (vacant == nullptr && place.woken.task == 0) {
            vacant = &place;
        }
    }
    return vacant;
}

void WakeLedger::begin() {
    end();
    ++wakes_;
    calling_ = true;
}

void WakeLedger::end() {
    if (!calling_) {
        return;
    }
    kt_host_trace_wake(serial_, kNotKnown, woken_now_, wakes_);
    tell(herds_.called(wakes_, woken_now_));
    wakes_empty_ += met_ ? 0 : 1;
    calling_ = false;
    met_ = false;
    woken_now_ = 0;
}

bool WakeLedger::woken(const kt_woken& woken) {
    // The rest of a call that was under way when the ledger was opened.
    if (!calling_) {
        return false;
    }
    ++woken_;
    ++woken_now_;
    Task* task = woken.manner == KT_MANNER_OTHER ? nullptr : find(woken.task);
    // Who is remembered still was not seen asleep in between: what became of it then remains unknown.
    const bool known = task != nullptr && task->woken.task == woken.task;
    if (known) {
        note_end(task->sequence, HerdLog::End::kUnknown);
    }
    if (task == nullptr) {
        note_end(wakes_, HerdLog::End::kUnknown);
        return false;
    }
    *task = {woken, wakes_, looks_};
    return !known;
}

bool WakeLedger::seen(const kt_woken& now, bool stayed, bool asleep) {
    Task* task = find(now.task);
    if (task == nullptr || task->woken.task != now.task) {
        return false;
    }
    task->look = looks_;
    const bool same_call = task->woken.manner == KT_MANNER_POLL ? now.manner == KT_MANNER_POLL && stayed
                                                                : now.calls == task->woken.calls;
    if (same_call && !asleep) {
        return false;
    }
    settle(*task, same_call ? HerdLog::End::kFutile : HerdLog::End::kProgress);
    return true;
}

bool WakeLedger::absent(u32 index, kt_woken& woken) const {
    const Task& task = tasks_[index];
    woken = task.woken;
    return task.woken.task != 0 && task.look != looks_;
}

void WakeLedger::settle(Task& task, HerdLog::End end) {
    progressed_ += end == HerdLog::End::kProgress ? 1 : 0;
    task.woken.task = 0;
    note_end(task.sequence, end);
}

void WakeLedger::note_end(u64 sequence, HerdLog::End end) {
    tell(herds_.ended(sequence, end));
}

void WakeLedger::tell(const HerdLog::Herd& herd) const {
    if (herd.sequence != 0) {
        kt_host_trace_herd(serial_, herd.woken, herd.futile, herd.sequence);
    }
}

void WakeLedger::add_to(ktwin_wait_stats& stats) const {
    stats.sequence += wakes_;
    stats.wakes += wakes_;
    stats.wakes_empty += wakes_empty_;
    stats.woken += woken_;
    stats.futile += herds_.futile();
    stats.unknown += woken_ - herds_.futile() - progressed_;
    stats.herds += herds_.herds();
    stats.herd_most = herds_.most() > stats.herd_most ? herds_.most() : stats.herd_most;
    stats.queue = stats.queue == 0 ? serial_ : stats.queue;
}

}  // namespace ktwin
