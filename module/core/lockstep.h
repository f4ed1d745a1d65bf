// SPDX-License-Identifier: GPL-2.0-only
//
// Lockstep: every number that the kernel gives to a fork is also asked of the twin's own allocator, with the arguments of
// the kernel's call, and the two are compared.
//
// Events, all of one namespace in the order of pidmap_lock, under which the kernel makes them: the request at the entry of
// idr_alloc_cyclic() or idr_alloc(), its result at the return, removals at the entry of idr_remove(). In between the twin
// has decided, without having seen what the kernel did. Levels and forks interleave; that does not matter, because one
// namespace's numbers depend on nothing but its own.
//
// Why a second set of trees beside the mirror's. A namespace is here from the first fork into it until its idr is
// destroyed, there from its first published pid to the removal of the last; the numbers here include those that are
// reserved and never published; what was there before is read here namespace by namespace under the kernel's own lock,
// there by a scan; and a prediction that went wrong, or is made to, must not disturb what the audit compares.
//
// The beginning. The first event of a namespace reads from the kernel's idr which numbers are used and where its cursor
// stands, before the kernel changes either: exact, because the kernel holds its lock. A word for 64 numbers, and at most
// so many words an event: what is above the frontier is read by the next, so events there need not be applied.
//
// What the twin cannot know is named and counted, never guessed (enum LockstepOutcome):
//   - ns_last_pid stores the cursor without the lock. A probe on its handler tells that a write began and ended: only then
//     is the kernel's cursor taken over.
//   - The kernel may have no memory for a node; the twin may have none either, and then it reads the namespace anew.
//   - The kernel may skip a probe hit, and counts that it did: everything is read anew at its next request. If it was
//     the end of a namespace, that stays until another has its memory, or lockstep is switched off.
// Any other difference is a misprediction: a divergence, recorded as those of the audit are. The namespace is read anew
// after it, so that one is not counted twice.
//
// Locks: switching and maintaining under control_ (a mutex), all else under the memory's lock.
#ifndef KTWIN_CORE_LOCKSTEP_H
#define KTWIN_CORE_LOCKSTEP_H

#include "core/audit.h"
#include "core/lockstep_memory.h"
#include "core/lockstep_table.h"

namespace ktwin {

enum class LockstepOutcome : u32 {
    kPredicted,
    kMispredicted,
    kAdopting,
    kCursorSet,
    kKernelNoMemory,
    kTwinNoMemory,
    kMissed,
    kCount
};

class Lockstep : Pinned {
  public:
    Lockstep(Audit& audit, u32 leaf_limit) : audit_(audit), control_(KT_LOCK_CONTROL), memory_(leaf_limit) {}

    // [sleep] kAlready, kNoMemory, or what kt_host_lockstep_on() said.
    Result control(bool on);
    // [sleep] Once a second, and when kicked.
    void maintain();
    // [sleep] Whether it is on; alive: and its probes fire. A probe that was skipped is acted on.
    bool check(bool& alive);
    // [any]
    void fill(ktwin_audit& report);
    // [any] The laboratory. kNoData: it is off.
    Result mispredict(u32 count);

    bool is_on() const { return armed_.load_relaxed() != 0; }
    // [any, preemption off]
    bool follows(kt_key ns) const { return table_.find(ns) != nullptr; }
    bool follows(kt_key key, u32 inode) const {
        const LockstepNamespace* ns = table_.find(key);
        return ns != nullptr && ns->inode() == inode;
    }
    // [any]
    bool meet(kt_key key, u32 inode);
    void gone(kt_key key);
    // A write to ns_last_pid; stored: it moved the cursor.
    void cursor_write_begins(kt_key key);
    void cursor_write_ends(kt_key key, bool stored);
    // [hook]
    bool request(kt_alloc_call& call);
    void result(const kt_alloc_call& call, i32 result);
    void removed(kt_key key, u32 nr, bool first_failed);

  private:
    using Outcome = LockstepOutcome;
    // The words of the kernel's idr that are read in one event: 32,768 numbers if all are used.
    static constexpr u32 kWordsAnEvent = 512;

    SpinLock& lock() TA_RETURN(memory_.lock()) { return memory_.lock(); }

    Outcome adopt(LockstepNamespace& ns) TA_REQUIRES(memory_.lock());
    Outcome take_cursor(LockstepNamespace& ns) TA_REQUIRES(memory_.lock());
    static bool is_of_some_cursor(const LockstepNamespace& ns, const kt_alloc_call& call, i32 result);
    void predict(LockstepNamespace& ns, kt_alloc_call& call) TA_REQUIRES(memory_.lock());
    Outcome judge(LockstepNamespace& ns, const kt_alloc_call& call, i32 result) TA_REQUIRES(memory_.lock());
    Outcome differs(LockstepNamespace& ns, const kt_alloc_call& call, i32 result) TA_REQUIRES(memory_.lock());
    void copy(LockstepNamespace& ns, const kt_alloc_call& call, i32 result) TA_REQUIRES(memory_.lock());
    bool missed_more() TA_REQUIRES(memory_.lock());
    void begin() TA_REQUIRES(control_);
    void listen(bool on) TA_REQUIRES(control_);
    Result switch_on() TA_REQUIRES(control_);
    void switch_off() TA_REQUIRES(control_);
    void clear() TA_REQUIRES(control_);
    void forget(LockstepNamespace* ns) TA_REQUIRES(memory_.lock());
    bool check_locked() TA_REQUIRES(control_);

    Audit& audit_;
    Mutex control_;
    LockstepMemory memory_;
    LockstepTable table_;
    // Namespaces are met, and writes to their cursors seen, from before the first probe is placed.
    bool listening_ TA_GUARDED_BY(memory_.lock()) = false;
    // Events are taken. Written under the lock; read without it where a late answer does no harm.
    Atomic<u32> armed_;
    // What is newer than a namespace's own has it read anew.
    u64 generation_ TA_GUARDED_BY(memory_.lock()) = 0;
    u64 missed_seen_ TA_GUARDED_BY(memory_.lock()) = 0;
    u64 missed_before_ TA_GUARDED_BY(memory_.lock()) = 0;
    u64 since_ns_ TA_GUARDED_BY(memory_.lock()) = 0;
    u32 mispredict_ TA_GUARDED_BY(memory_.lock()) = 0;
    u64 counts_[static_cast<u32>(Outcome::kCount)] TA_GUARDED_BY(memory_.lock()) = {};
    u64 contradicted_ TA_GUARDED_BY(memory_.lock()) = 0;
    u64 unfollowed_ TA_GUARDED_BY(memory_.lock()) = 0;
};

}  // namespace ktwin

#endif
