// SPDX-License-Identifier: GPL-2.0-only
#include "core/rq_audit.h"

#include "boundary/host_api.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

bool has(Span<const RqDifference> among, const RqDifference& wanted) {
    for (const RqDifference& one : among) {
        if (one.key == wanted.key && one.kind == wanted.kind) {
            return true;
        }
    }
    return false;
}

}  // namespace

Result RqAudit::setup(u32 cpus) {
    // Zero is where all counters begin.
    totals_ = static_cast<ktwin_rq_audit*>(kt_host_alloc(cpus * sizeof(ktwin_rq_audit)));
    return totals_ != nullptr ? Result() : Result(Errno::kNoMemory);
}

void RqAudit::teardown() {
    kt_host_free(totals_);
    totals_ = nullptr;
}

void RqAudit::look(u32 cpu, Span<const RqReal> real, bool whole) {
    comparison_ = RqComparison();
    comparison_.room = Span<RqDifference>(found_, 2 * RunQueueTwin::kCompareLimit);
    answered_ = whole && twin_.compare(cpu, real, comparison_);
}

u32 RqAudit::settle() {
    const Span<const RqDifference> found(found_, answered_ ? comparison_.stored : 0);
    const bool first = looks_++ == 0;
    u32 standing = 0;
    if (first) {
        for (; standing < found.size() && standing < kCandidates; ++standing) {
            candidates_[standing] = found[standing];
        }
        begun_with_ = standing;
    } else {
        for (u32 i = 0; i < standing_; ++i) {
            if (has(found, candidates_[i])) {
                candidates_[standing++] = candidates_[i];
            }
        }
    }
    standing_ = standing;
    return standing;
}

void RqAudit::explain(u32 cpu, u32 index) {
    candidates_[index] = candidates_[--standing_];
    --begun_with_;
    ++totals_[cpu].throttled;
}

u32 RqAudit::finish(u32 cpu, u64 now) {
    ktwin_rq_audit& total = totals_[cpu];
    ++total.passes;
    total.skipped += answered_ ? 0 : 1;
    total.equal += comparison_.equal;
    total.throttled += comparison_.kinds[static_cast<u32>(RqDifferenceKind::kThrottled)];
    total.delayed += comparison_.kinds[static_cast<u32>(RqDifferenceKind::kDelayed)];
    total.transients += answered_ ? begun_with_ - standing_ : 0;
    for (u32 i = 0; i < standing_; ++i) {
        const bool missing = candidates_[i].kind == RqDifferenceKind::kMissing;
        ++(missing ? total.missing : total.surplus);
        total.last_ns = now;
        total.last_tid = candidates_[i].nr;
        total.last_kind = missing ? KTWIN_RQ_MISSING : KTWIN_RQ_SURPLUS;
    }
    const u32 confirmed = standing_;
    forget_pass();
    return confirmed;
}

void RqAudit::abandon(u32 cpu) {
    ++totals_[cpu].passes;
    ++totals_[cpu].skipped;
    forget_pass();
}

void RqAudit::read(u32 cpu, ktwin_rq_audit& to) const {
    to = totals_[cpu];
    to.cpu = cpu;
    to.why = twin_.queue(cpu).why_incomplete();
}

}  // namespace ktwin
