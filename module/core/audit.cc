// SPDX-License-Identifier: GPL-2.0-only
#include "core/audit.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// In place of a pass's number, for what none of them found; theirs begin at 1.
constexpr u64 kNoPass = ~u64{0};

}  // namespace

Result Audit::setup() {
    MutexGuard guard(lock_);
    Result log = log_.setup();
    return log ? pass_.setup() : log;
}

void Audit::teardown() {
    MutexGuard guard(lock_);
    log_.teardown();
    pass_.teardown();
}

DivergenceLog::Eyes Audit::eyes_of(kt_key key) const {
    if (key == kt_host_init_ns()) {
        return {true, 0, 0};
    }
    RcuGuard rcu;
    const Viewer viewer(mirror_.world().table(), key);
    // Serial 0 is nobody's, and level 0 always has one: sees nothing.
    return viewer ? DivergenceLog::Eyes{false, viewer.ns()->serial(), viewer.level()}
                  : DivergenceLog::Eyes{false, ~u64{0}, 0};
}

Result Audit::run_pass(kt_key viewer, const kt_audit_budget& budget, const Mirror::Standing& before,
                       ktwin_audit& report) {
    if (!lock_.acquire_interruptible()) {
        return Errno::kInterrupted;
    }
    const Result result = pass_.run(viewer, budget, ++started_, before, report);
    lock_.release();
    return result;
}

// The probes are seen to fire outside of lock_: their check takes the control mutex, which
// comes first in the order.
Result Audit::run(kt_key viewer, const kt_audit_budget& budget, bool remember, ktwin_audit& report) {
    const u32 size = report.size;
    memset(&report, 0, sizeof(report));
    report.size = size;
    report.started_ns = kt_host_time_ns();
    const bool fired = mirror_.check_probes();
    const Mirror::Standing before = mirror_.standing();
    report.epoch = before.epoch;
    if (before.state == KTWIN_LIVE) {
        Result result = run_pass(viewer, budget, before, report);
        if (!result) {
            return result;
        }
    }
    conclude(fired, before, report);
    report.duration_ns = kt_host_time_ns() - report.started_ns;
    report.differences_total = log_.count(eyes_of(viewer));
    add_up(remember, viewer != kt_host_init_ns(), report);
    return {};
}

// Complete: LIVE from the first comparison to the last, and the probes fired, and skipped
// nothing, before and after.
void Audit::conclude(bool probes_fired, const Mirror::Standing& before, ktwin_audit& report) {
    probes_fired = mirror_.check_probes() && probes_fired;
    const Mirror::Standing after = mirror_.standing();
    report.why |= before.reasons() | after.reasons();
    if (after.epoch != before.epoch || after.doubts != before.doubts) {
        report.why |= KTWIN_WHY_CHANGED;
    }
    if (!probes_fired && before.state != KTWIN_OFF) {
        report.why |= KTWIN_WHY_PROBE_DISARMED;
    }
    report.complete = report.why == 0 ? 1 : 0;
}

void Audit::show_totals(ktwin_audit& report) const {
    report.passes = passes_;
    report.passes_complete = passes_complete_;
    report.checked_total = checked_;
}

void Audit::add_up(bool remember, bool scoped, ktwin_audit& report) {
    SpinGuard guard(totals_);
    ++passes_;
    passes_complete_ += report.complete;
    checked_ += report.checked;
    if (!scoped) {
        show_totals(report);
    }
    if (remember) {
        last_ = report;
        has_last_ = true;
    }
}

Result Audit::last(kt_key viewer, ktwin_audit& report) {
    const u32 size = report.size;
    {
        SpinGuard guard(totals_);
        if (!has_last_ || viewer != kt_host_init_ns()) {
            return Errno::kNoData;
        }
        report = last_;
        show_totals(report);
    }
    report.size = size;
    // After the report was taken: what its pass recorded is among them.
    report.differences_total = log_.count(eyes_of(viewer));
    return {};
}

bool Audit::read_divergences(kt_key viewer, u64& cursor, Span<ktwin_divergence> to, u32& filled) {
    return log_.read(eyes_of(viewer), cursor, to, filled);
}

// The mirror says who may know of the namespace. One that it does not know yet, only the initial one.
void Audit::mispredicted(kt_key key, u32 inode, i32 kernel_nr, i32 twin_nr) {
    Candidate candidate;
    candidate.place.ns = key;
    candidate.place.inode = inode;
    candidate.place.nr = static_cast<u32>(kernel_nr >= 0 ? kernel_nr : twin_nr >= 0 ? twin_nr : 0);
    candidate.sides.mispredicted = true;
    candidate.sides.kernel_nr = kernel_nr;
    candidate.sides.twin_nr = twin_nr;
    RcuGuard rcu;
    const PidNamespace* ns = mirror_.world().table().find(key);
    Scope scope;
    for (const PidNamespace* at = ns; at != nullptr; at = at->parent()) {
        scope.serials[at->level()] = at->serial();
    }
    const u64 now_ns = kt_host_time_ns();
    const DivergenceLog::Noted noted = log_.note(candidate, scope, mirror_.epoch(), kNoPass, now_ns);
    if (noted.is_new) {
        kt_host_trace_audit_mismatch(inode, static_cast<i32>(candidate.place.nr), KTWIN_MISPREDICTED);
        SpinGuard guard(mirror_.lock());
        mirror_.streams().divergence(ns, inode, candidate.place.nr, noted.index, now_ns);
    }
}

}  // namespace ktwin
