// SPDX-License-Identifier: GPL-2.0-only
//
// Audit: passes, one at a time, what they add up to, and when one counts as complete.
#ifndef KTWIN_CORE_AUDIT_H
#define KTWIN_CORE_AUDIT_H

#include "core/audit_pass.h"

namespace ktwin {

class Audit : Pinned {
  public:
    explicit Audit(Mirror& mirror)
        : mirror_(mirror), lock_(KT_LOCK_AUDIT), pass_(mirror, log_), totals_(KT_LOCK_TOTALS) {}

    // [sleep]
    Result setup();
    void teardown();

    // [sleep] kInterrupted: nothing is reported. remember: for last().
    Result run(kt_key viewer, const kt_audit_budget& budget, bool remember, ktwin_audit& report);
    // [sleep] kNoData: none yet; or the viewer sees only a part, and the last pass was over everything.
    Result last(kt_key viewer, ktwin_audit& report);
    // [any] Lockstep: both made the same allocation, and not with the same result; numbers or -errno.
    void mispredicted(kt_key ns, u32 inode, i32 kernel_nr, i32 twin_nr);
    // [sleep] Fills from the cursor on; true: there may be more.
    bool read_divergences(kt_key viewer, u64& cursor, Span<ktwin_divergence> to, u32& filled);

  private:
    DivergenceLog::Eyes eyes_of(kt_key viewer) const;
    Result run_pass(kt_key viewer, const kt_audit_budget& budget, const Mirror::Standing& before,
                    ktwin_audit& report) TA_EXCLUDES(lock_);
    void conclude(bool probes_fired, const Mirror::Standing& before, ktwin_audit& report);
    void add_up(bool remember, bool scoped, ktwin_audit& report) TA_EXCLUDES(totals_);
    void show_totals(ktwin_audit& report) const TA_REQUIRES(totals_);

    Mirror& mirror_;
    DivergenceLog log_;
    Mutex lock_;  // held for a whole pass, its sleeps included: taken so that a signal can end the wait
    AuditPass pass_ TA_GUARDED_BY(lock_);
    u64 started_ TA_GUARDED_BY(lock_) = 0;
    SpinLock totals_;  // so that what passes came to can be read while one runs
    ktwin_audit last_ TA_GUARDED_BY(totals_) = {};
    bool has_last_ TA_GUARDED_BY(totals_) = false;
    u64 passes_ TA_GUARDED_BY(totals_) = 0;
    u64 passes_complete_ TA_GUARDED_BY(totals_) = 0;
    u64 checked_ TA_GUARDED_BY(totals_) = 0;
};

}  // namespace ktwin

#endif
