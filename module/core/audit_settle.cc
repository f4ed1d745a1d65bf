// SPDX-License-Identifier: GPL-2.0-only
#include "core/audit_pass.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kRetries = 4;       // readings at once before it becomes a candidate
constexpr u32 kRetryPauses = 32;  // of the CPU, between two of them
constexpr u32 kGracePeriods = 2;  // it must stand unchanged to be confirmed
constexpr u32 kChanges = 5;       // after so many other values it is given up as not settled

}  // namespace

// Inside RCU.
void AuditPass::suspect(const Place& place, bool counted) {
    Sides sides;
    for (u32 i = 0; i < kRetries; ++i) {
        sides = read(place);
        if (sides.agree()) {
            ++report_->transients;
            return;
        }
        for (u32 pauses = 0; pauses < kRetryPauses; ++pauses) {
            cpu_relax();
        }
    }
    candidates_.add(place, sides, counted);
}

Result AuditPass::settle() {
    while (candidates_.size() > 0 && still_vouched()) {
        kt_host_synchronize();
        for (u32 i = candidates_.size(); i-- > 0;) {
            settle_one(i);
        }
        if (!kt_host_breathe(0)) {
            return Errno::kInterrupted;
        }
    }
    candidates_.clear();
    return {};
}

// Removes it from the list when it is decided. From the last to the first: what takes its place was looked at.
void AuditPass::settle_one(u32 index) {
    Candidate& candidate = candidates_.at(index);
    RcuGuard rcu;
    const Sides now = read(candidate.place);
    if (now.agree()) {
        ++report_->transients;
        candidates_.remove(index);
    } else if (now == candidate.sides) {
        if (++candidate.stood == kGracePeriods) {
            confirm(candidate);
            candidates_.remove(index);
        }
    } else {
        candidate.sides = now;
        candidate.stood = 0;
        if (++candidate.changed > kChanges) {
            report_->why |= KTWIN_WHY_UNSETTLED;
            candidates_.remove(index);
        }
    }
}

Scope AuditPass::scope_of(const Place& place, const PidNamespace* ns) const {
    Scope scope;
    if (ns == nullptr && place.level > 0) {
        // Unknown to the twin: only the initial namespace, which sees everything, is told.
        return scope;
    }
    for (const PidNamespace* at = ns; at != nullptr; at = at->parent()) {
        scope.serials[at->level()] = at->serial();
    }
    return scope;
}

// Inside RCU, after the last reading: if the mirror vouches even now, it did when that was read.
void AuditPass::confirm(const Candidate& candidate) {
    if (!still_vouched()) {
        return;
    }
    const PidNamespace* ns = table().find(candidate.place.ns);
    const u64 now_ns = kt_host_time_ns();
    const DivergenceLog::Noted noted =
        log_.note(candidate, scope_of(candidate.place, ns), before_.epoch, number_, now_ns);
    report_->differences += noted.is_first_in_pass ? 1 : 0;
    report_->checked += candidate.counted || !noted.is_first_in_pass ? 0 : 1;
    if (noted.is_new) {
        const Place& place = candidate.place;
        kt_host_trace_audit_mismatch(place.inode, static_cast<i32>(place.nr), candidate.sides.kind());
        SpinGuard guard(mirror_.lock());
        mirror_.streams().divergence(ns, place.inode, place.nr, noted.index, now_ns);
    }
}

}  // namespace ktwin
