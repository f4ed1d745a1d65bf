// SPDX-License-Identifier: GPL-2.0-only
//
// PidAllocator: the twin's own alloc_pid and free_pid, with the numbers and the errors of
// kernel/pid.c (6.1 to 6.12).
//
// Unlike the kernel's, one hold of one lock covers all levels of one allocation, and a number is published by
// a store into the place that was reserved: no second lock, no second walk. Private twins only: the
// namespaces are made here, and their init is whoever gets number 1.
#ifndef KTWIN_CORE_PID_ALLOCATOR_H
#define KTWIN_CORE_PID_ALLOCATOR_H

#include "base/span.h"
#include "core/pid_world.h"

namespace ktwin {

// How a number is chosen where none is wanted.
enum class PidOrder : u32 { kCyclic, kLowest, kAny };

class PidAllocator : Pinned {
  public:
    explicit PidAllocator(PidWorld& world) : world_(world) {}

    // [any] A namespace below parent (nullptr: level 0). The caller's until delete_namespace().
    // kNoMemory; kNoSpace: too deep.
    Expected<PidNamespace*> create_namespace(PidNamespace* parent, u32 pid_max);
    void delete_namespace(PidNamespace* ns);

    // [any] A number in ns and each of its ancestors, published at all of them. set_tid: the numbers wanted,
    // for ns first, for as many levels as there are entries.
    //   kInvalid   more entries than levels; a number below 1 or not below pid_max; not 1 where there is no
    //   init kExists    a wanted number is in use kAgain     no number is left kNoMemory  no memory, or ns
    //   takes no more pids (its init is gone)
    Expected<TwinPid*> alloc_pid(PidNamespace* ns, Span<const i32> set_tid) {
        PoolNode* at_hand = world_.memory().take_pid(ns->level());
        TaskGuard guard(world_.lock());
        const Expected<TwinPid*> pid = alloc_pid_locked(ns, PidOrder::kCyclic, set_tid, at_hand);
        return !pid && pid.error() == Errno::kRemoved ? Errno::kNoMemory : pid;
    }
    // The same, but kRemoved: ns takes no more pids.
    // at_hand: from TwinMemory::take_pid(), for the level of ns; it is used or put back.
    Expected<TwinPid*> alloc_pid_locked(PidNamespace* ns, PidOrder order, Span<const i32> set_tid,
                                        PoolNode* at_hand = nullptr) TA_REQUIRES(world_.lock());
    // [any] Takes it away at all levels. pid may be retired when this returns. In a laboratory whose numbers are
    // elsewhere it is put aside instead, for who may give them back.
    void free_pid(TwinPid* pid);
    void free_pid_locked(TwinPid* pid) TA_REQUIRES(world_.lock());
    Chain& put_aside() TA_REQUIRES(world_.lock()) { return put_aside_; }
    // Whether a namespace lost its last number since the last call.
    bool take_emptied() TA_REQUIRES(world_.lock()) {
        const bool emptied = emptied_;
        emptied_ = false;
        return emptied;
    }
    // What a wanted number must be for ns, a level of a pid that is made in deepest. 0: none is wanted; kInvalid.
    static Expected<i32> wanted(const PidNamespace* deepest, const PidNamespace* ns, bool has_init,
                                Span<const i32> set_tid);
    // A number is about to be taken from ns, of so many: it takes no more if that was its init's, or its last.
    static void note_freed(PidNamespace* ns, u32 nr, u32 count);
    SpinLock& lock() TA_RETURN(world_.lock()) { return world_.lock(); }

    // Readers, inside RCU.
    static TwinPid* find_pid_ns(u32 nr, const PidNamespace& ns) { return ns.find(nr); }
    static bool is_allocated(u32 nr, const PidNamespace& ns) { return ns.find(nr) != nullptr; }
    // find_ge_pid(): the one with the lowest number >= nr; nullptr: none.
    static TwinPid* next(u32 nr, const PidNamespace& ns) {
        return static_cast<TwinPid*>(ns.ids().next(nr).pointer);
    }

  private:
    Expected<u32> reserve(PidNamespace* ns, PidOrder order, i32 tid) TA_REQUIRES(world_.lock());
    struct OwnNumbers;

    PidWorld& world_;
    Chain put_aside_ TA_GUARDED_BY(world_.lock());
    bool emptied_ TA_GUARDED_BY(world_.lock()) = false;
};

}  // namespace ktwin

#endif
