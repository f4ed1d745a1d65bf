// SPDX-License-Identifier: GPL-2.0-only
//
// RqAudit: the twin run queues against the kernel's, by who is on them. A pass over one CPU is
//
//   look()    under the lock of the kernel's queue: what differs at this instant
//   settle()  not under it: the candidates, which differed in every look of this pass
//   ... until there are none, or kLooks times, with an RCU grace period between two
//   finish()  what stands is counted
//
// Why that suffices. The kernel sends each event under the lock of the queue that it is about, but for two: a running
// task is off its queue before it is switched from (newidle balancing lets go of the lock between), and one that moves is
// on neither queue for a while, and here on the second at once. Both last with preemption off, so a grace period ends them.
//
// One pass at a time; who reads the totals keeps passes away.
#ifndef KTWIN_CORE_RQ_AUDIT_H
#define KTWIN_CORE_RQ_AUDIT_H

#include "base/expected.h"
#include "core/run_queue_twin.h"

namespace ktwin {

class RqAudit : Pinned {
  public:
    static constexpr u32 kLooks = 3;
    // Of a first look; more are left to the next pass. Those that come after it are looked up among all there are.
    static constexpr u32 kCandidates = 64;

    explicit RqAudit(RunQueueTwin& twin) : twin_(twin) {}
    // [sleep] kNoMemory. teardown() is due in any case.
    Result setup(u32 cpus);
    void teardown();

    // [any] Of a CPU that there is, as all below. whole: real has all that is queued.
    void look(u32 cpu, Span<const RqReal> real, bool whole);
    // How many candidates stand.
    u32 settle();
    // Below what settle() said.
    const RqDifference& candidate(u32 index) const { return candidates_[index]; }
    // The kernel means this one so: it is not one any more, and the last one has its place.
    void explain(u32 cpu, u32 index);
    // How many were confirmed; the candidates stay until the next look.
    u32 finish(u32 cpu, u64 now);
    // Instead of finish(), after whichever look: the pass could not be made.
    void abandon(u32 cpu);

    // Without last_tid, which is a number of the initial namespace.
    void read(u32 cpu, ktwin_rq_audit& to) const;

  private:
    void forget_pass() { looks_ = standing_ = begun_with_ = 0; }

    RunQueueTwin& twin_;
    ktwin_rq_audit* totals_ = nullptr;  // by CPU
    RqDifference candidates_[kCandidates];
    u32 standing_ = 0;
    u32 begun_with_ = 0;  // candidates of the first look
    u32 looks_ = 0;
    bool answered_ = false;  // the last look

    RqDifference found_[2 * RunQueueTwin::kCompareLimit];
    RqComparison comparison_;
};

}  // namespace ktwin

#endif
