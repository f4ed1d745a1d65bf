// SPDX-License-Identifier: GPL-2.0-only
//
// AuditPass: one comparison of the twin with the kernel, number by number, both ways.
//
//   1. kernel to twin: every struct pid of the initial namespace's idr, at each of its levels.
//   2. twin to kernel: every entry of every twin namespace.
//   3. kernel to twin in child namespaces: what a child's idr holds that the initial one does not name.
//
// A difference seen once may be the middle of a kernel critical section, so it is only a candidate.
//
// Why a confirmed one is real. The twin is changed by the hook at the entry of the kernel's own change, inside the
// same pidmap_lock section. For a struct pid P and a number n in a namespace, twin and kernel so differ only
//   - inside the section of alloc_pid that publishes P at n, and
//   - inside the section of free_pid that takes P away from n.
// A candidate is confirmed when it is found with the same two sides at three readings with a grace period between each
// two. kt_host_synchronize() returns only after every such section that was open has ended, so the three readings are in
// three different sections, with the same P at the same n. One life of P has two. A third needs P's memory to be freed
// (after a grace period of its own), allocated again, and given n again, by a cursor that went round the whole
// namespace or by a set_tid that asks for n, and read just then; all between two readings. Where the twin has the pid,
// its serial is compared too, and that is new in every life.
//
// What a pass found counts only while the mirror vouches: LIVE all the time, same epoch, no doubt.
#ifndef KTWIN_CORE_AUDIT_PASS_H
#define KTWIN_CORE_AUDIT_PASS_H

#include "core/candidate_list.h"
#include "core/divergence_log.h"
#include "core/mirror.h"
#include "core/pacer.h"
#include "core/viewer.h"

namespace ktwin {

class AuditPass : Pinned {
  public:
    AuditPass(Mirror& mirror, DivergenceLog& log) : mirror_(mirror), log_(log) {}

    // [sleep]
    Result setup() { return candidates_.setup(); }
    void teardown() { candidates_.teardown(); }

    // [sleep] One at a time. kInterrupted, else the counters of the report are filled, and why as far as the
    // pass itself knows; number tells passes apart.
    Result run(kt_key viewer, const kt_audit_budget& budget, u64 number, const Mirror::Standing& before,
               ktwin_audit& report);

  private:
    // A walk goes on, is at its end, or the whole pass ends.
    enum class Step { kOn, kEnd, kStop };

    Result walk();
    Step kernel_pids(u32& nr);
    Step twin_entries(u64 serial, u32& nr);
    Step child_numbers(u64 serial, u32& nr);
    Step next_namespace(u64& serial);
    Result walk_namespaces();
    template <typename Round>
    Result rounds(Round round);
    Result pause(u32 compared);
    bool still_vouched();

    void compare_pid();
    void compare_number(u32 level);
    void compare_entry(const PidNamespace& ns, const TwinPid& pid, u32 nr);
    void suspect(const Place& place, bool counted);

    Sides read(const Place& place) const;
    kt_key kernel_side(const Place& place, const PidNamespace* ns) const;
    bool is_broken(const TwinPid& pid, const PidNamespace* ns, const Place& place) const;

    Result settle();
    void settle_one(u32 index);
    void confirm(const Candidate& candidate);
    Scope scope_of(const Place& place, const PidNamespace* ns) const;

    const NamespaceTable& table() const { return mirror_.world().table(); }
    const PidNamespace* root() const { return table().find(kt_host_init_ns()); }
    // The namespace with this serial, if it is still there.
    const PidNamespace* listed(u64 serial) const;

    Mirror& mirror_;
    DivergenceLog& log_;
    CandidateList candidates_;
    Pacer pacer_;
    kt_key viewer_ = 0;
    u64 number_ = 0;
    Mirror::Standing before_;
    ktwin_audit* report_ = nullptr;
    u32 round_ = 0;        // numbers compared since the last pause
    kt_pid scratch_ = {};  // too large for a kernel stack
};

}  // namespace ktwin

#endif
