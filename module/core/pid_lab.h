// SPDX-License-Identifier: GPL-2.0-only
//
// PidLab: what a lab fd is: a world of PID namespaces of its own, with tasks, over one of seven backends.
//
// Two ways through it. With the twin's own numbers everything that writes holds memory_'s lock for a short while, and
// many may come at once. With another backend's the writers come one at a time, under writers_, since those backends may
// sleep; memory_'s lock then guards only what they share with readers and statistics. Readers take no lock in either:
// they are inside RCU, and what they may stand on goes a grace period after it was taken out.
//
// A namespace that takes no more pids (its init is gone) is unlisted when its last number and its last child are.
//
// Lifetime: the fd's file holds it, every call under way holds the file. Memory: its own, within its limits, charged.
#ifndef KTWIN_CORE_PID_LAB_H
#define KTWIN_CORE_PID_LAB_H

#include "core/backend_allocator.h"
#include "core/flat_numbers.h"
#include "core/lab_tasks.h"
#include "core/pid_roles.h"

namespace ktwin {

// One lock, by the names its parts have for it.
#define TA_LAB_HELD TA_REQUIRES(memory_.lock(), world_.lock(), allocator_.lock(), roles_.lock())

class PidLab : Pinned {
  public:
    struct Config {
        IdBackendKind kind;
        u32 pid_max;
        u32 limit;
        u32 pids;
        u32 namespaces;
        u32 tasks;
        u64 bytes;
        u32 cpus;
    };
    // kInvalid. What was left to the laboratory (0) is filled in.
    static Result configure(const ktwin_lab& wanted, u32 cpus, Config& config);

    explicit PidLab(const Config& config);
    // [sleep] Namespace 1. kNoMemory, kInvalid; teardown() is due in any case.
    Result setup();
    // [sleep] No call is under way.
    void teardown();

    // [sleep] All of them; errors as in include/uapi/ktwin.h.
    Result create(ktwin_lab_create& request);
    Result pid_max(ktwin_lab_pid_max& request);
    Result alloc(ktwin_lab_alloc& request, bool may_choose);
    Result free_pid(u32 ns, i32 nr);
    Result find(ktwin_lab_find& request) const;
    Result role(ktwin_lab_role& request);
    Result kill(ktwin_lab_kill& request);
    Result stats(ktwin_lab_stats& stats);

    // [sleep] Records filled; *cursor moves on. namespaces(): kInterrupted, and then nothing is filled.
    Expected<u32> namespaces(u64& cursor, ktwin_lab_ns* to, u32 room);
    Expected<u32> pids(u32 ns, u64& cursor, ktwin_lab_pid* to, u32 room) const;
    Expected<u32> tasks(u64& cursor, ktwin_lab_task* to, u32 room) const;
    Expected<u32> leaves(u32 ns, u64& cursor, ktwin_lab_leaf* to, u32 room) const;
    // [sleep] Gives back what is ready, or has waited for a grace period, and is not needed, up to so many objects; how many.
    u32 shrink(u32 most);
    // [any] How many those are, about.
    u32 ready();

  private:
    // pid_lab_writer.h: memory_'s lock; the mutex of who writes, when the numbers are not the twin's; or of who does not.
    class Held;
    class Writer;
    class UpkeepGuard;
    struct Chosen {
        PidOrder order = PidOrder::kCyclic;
        Span<const i32> set_tid;
        bool with_task = false;
    };

    bool is_twin() const { return config_.kind == IdBackendKind::kTwin; }
    bool is_flat() const { return (IdBackend::describe(config_.kind).has & kHasFind) == 0; }

    // Inside RCU. Found while listed; under memory_'s lock it stays so.
    PidNamespace* ns_of(u32 ns) const { return ns != 0 ? world_.table().find(ns) : nullptr; }
    TwinPid* pid_of(u32 ns, i32 nr) const;

    // --- pid_lab.cc: namespaces and memory ---
    IdBackendConfig backend_config();
    Expected<LabIds*> make_ids();
    void destroy_ids(LabIds* ids);
    u64 ids_bytes() const;
    Result make_namespace(ktwin_lab_create& request);
    Result make_listed(ktwin_lab_create& request, LabIds* ids) TA_LAB_HELD;
    void unlist(PidNamespace* ns) TA_LAB_HELD;
    // Unlists what is empty and takes no more.
    void reap() TA_LAB_HELD;
    // With the twin's numbers, once a namespace has lost its last: reap(), which looks at all of them.
    void reap_emptied() TA_LAB_HELD {
        if (allocator_.take_emptied()) {
            reap();
        }
    }
    // A few of all; false: there is none left.
    bool unlist_some();
    // Where the numbers are not the twin's: frees what was put aside, then as reap(). The lock is not held.
    void free_aside();
    // [sleep, lock not held] What the numbers of namespaces that are gone were in.
    void bury_ids();
    void finish() {
        free_aside();
        bury_ids();
    }
    // attempt() again after kNoMemory while there is hope. ns: where a pid is to be made.
    template <typename Attempt>
    auto with_memory(u32 ns, Attempt attempt) -> decltype(attempt());
    struct Growth {
        u32 tries = 0;
        bool reclaimed = false;
    };
    bool can_grow(u32 ns, Growth& growth);
    bool reserve(u32 ns);
    void reclaim();
    void for_each_ids(void (*visit)(const IdBackend& ids));
    u32 shrink_pools(u32 most);

    // --- pid_lab_alloc.cc ---
    Result choose(const ktwin_lab_alloc& request, bool may_choose, Chosen& chosen) const;
    Result alloc_twin(ktwin_lab_alloc& request, const Chosen& chosen);
    Result alloc_other(ktwin_lab_alloc& request, const Chosen& chosen);
    Result alloc_flat(ktwin_lab_alloc& request, const Chosen& chosen);
    // nullptr: none is wanted. kOverflow: a limit.
    Expected<LabTask*> task_for(const Chosen& chosen) TA_LAB_HELD;
    Result settle(const Expected<TwinPid*>& pid, LabTask* task, ktwin_lab_alloc& answer) TA_LAB_HELD;
    Result count(Result result);

    // --- pid_lab_roles.cc ---
    Result role_locked(ktwin_lab_role& request) TA_LAB_HELD;
    Result attach(ktwin_lab_role& request) TA_LAB_HELD;
    void drop_if_idle(LabTask* task) TA_LAB_HELD;
    struct Kill {
        PidRoles::Killing killing;
        bool doomed = false;  // all below it know
    };
    Expected<bool> kill_some(u32 ns, Kill& kill, ktwin_lab_kill& report);
    Result kill_all(ktwin_lab_kill& request);
    // Tasks lose all their roles; false: there is none left.
    bool dismiss_some();
    void doom_below(const PidNamespace& top) TA_LAB_HELD;

    // --- pid_lab_view.cc ---
    static void describe(TwinPid& pid, ktwin_lab_pid& to);
    void describe(const PidNamespace& ns, ktwin_lab_ns& to);
    u64 used_from(const PidNamespace& ns, u32 first) const;
    Result find_hole(u32 number, u32 pid_max, ktwin_lab_ns& to) const;
    Expected<u32> flat_leaves(u32 number, u64& cursor, ktwin_lab_leaf* to, u32 room) const;
    // kInterrupted
    Result judge(ktwin_lab_stats& stats);

    const Config config_;
    ByteBudget bytes_;
    TwinMemory memory_;
    PidWorld world_;
    PidAllocator allocator_;
    BackendAllocator other_;
    PidRoles roles_;
    Kicker kicker_;
    LabTasks tasks_;
    FlatNumbers flat_;
    Mutex writers_{KT_LOCK_LAB_WRITERS};
    LabIds* dead_ids_ = nullptr;  // unlisted, to be destroyed after a grace period; under memory_'s lock

    Atomic<u64> allocs_;
    Atomic<u64> no_number_;
    Atomic<u64> no_memory_;
    Atomic<u64> taken_;
    Atomic<u64> shrunk_;
};

#undef TA_LAB_HELD

}  // namespace ktwin

#endif
