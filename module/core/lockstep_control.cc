// SPDX-License-Identifier: GPL-2.0-only
#include "core/lockstep.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result Lockstep::control(bool on) {
    MutexGuard control(control_);
    if (on == (armed_.load_relaxed() != 0)) {
        return Errno::kAlready;
    }
    if (on) {
        return switch_on();
    }
    switch_off();
    return {};
}

void Lockstep::begin() {
    SpinGuard guard(lock());
    ++generation_;
    missed_seen_ = missed_before_ = kt_host_lockstep_missed();
    mispredict_ = 0;
    memset(counts_, 0, sizeof(counts_));
    contradicted_ = 0;
    unfollowed_ = 0;
    since_ns_ = kt_host_time_ns();
    armed_.store_relaxed(1);
}

void Lockstep::listen(bool on) {
    SpinGuard guard(lock());
    listening_ = on;
    armed_.store_relaxed(0);
}

// All probes are there before the first event counts: what one of them tells the others must not have missed. A write to
// ns_last_pid that began before its probe was there is over when the hooks' grace period is.
Result Lockstep::switch_on() {
    const Result ready = memory_.refill();
    listen(true);
    const int placed = ready ? kt_host_lockstep_on() : 0;
    if (!ready || placed != 0) {
        listen(false);
        clear();
        memory_.teardown();
        return ready ? static_cast<Errno>(-placed) : ready.error();
    }
    kt_host_synchronize_hooks();
    begin();
    return {};
}

void Lockstep::switch_off() {
    listen(false);
    // No handler runs any more when it returns, nor will one for a call that is under way.
    kt_host_lockstep_off();
    clear();
    memory_.teardown();
}

// A tree is emptied in one piece; nobody waits for the lock any more but who reads the counters.
void Lockstep::clear() {
    u32 from = 0;
    bool more = true;
    while (more) {
        {
            SpinGuard guard(lock());
            LockstepNamespace* ns = table_.any(from);
            more = ns != nullptr;
            if (more) {
                forget(ns);
            }
        }
        (void)kt_host_breathe(0);
    }
}

// Probes that do not fire miss without being counted; until they do, nothing that was known holds.
bool Lockstep::check_locked() {
    const bool alive = kt_host_lockstep_alive();
    SpinGuard guard(lock());
    if (!missed_more() && !alive) {
        ++generation_;
    }
    return alive;
}

bool Lockstep::check(bool& alive) {
    MutexGuard control(control_);
    const bool on = armed_.load_relaxed() != 0;
    alive = on && check_locked();
    return on;
}

// Who switches holds the mutex over grace periods, and the mirror's pools have the same maintainer: it does not wait.
void Lockstep::maintain() {
    if (armed_.load_relaxed() == 0) {
        return;
    }
    MutexGuard control(control_);
    if (armed_.load_relaxed() != 0) {
        memory_.maintain();
        (void)check_locked();
    }
}

void Lockstep::fill(ktwin_audit& report) {
    SpinGuard guard(lock());
    const auto count = [this](Outcome outcome)
                           TA_REQUIRES(memory_.lock()) { return counts_[static_cast<u32>(outcome)]; };
    report.lockstep = armed_.load_relaxed();
    report.lockstep_namespaces = table_.count();
    report.predicted = count(Outcome::kPredicted);
    report.mispredicted = count(Outcome::kMispredicted);
    report.adopting = count(Outcome::kAdopting);
    report.cursor_set = count(Outcome::kCursorSet);
    report.kernel_no_memory = count(Outcome::kKernelNoMemory);
    report.twin_no_memory = count(Outcome::kTwinNoMemory);
    report.missed = count(Outcome::kMissed);
    report.contradicted = contradicted_;
    report.unfollowed = unfollowed_;
    report.skipped = missed_seen_ - missed_before_;
    report.lockstep_since_ns = since_ns_;
    report.allocations = 0;
    for (const u64 outcomes : counts_) {
        report.allocations += outcomes;
    }
}

Result Lockstep::mispredict(u32 count) {
    SpinGuard guard(lock());
    if (armed_.load_relaxed() == 0) {
        return Errno::kNoData;
    }
    mispredict_ = count;
    return {};
}

}  // namespace ktwin
