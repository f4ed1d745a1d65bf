// SPDX-License-Identifier: GPL-2.0-only
//
// PidWorld: the namespaces and pids of one twin, as a structure. What an event means and when it counts is
// the mirror's business; which number is free is the allocator's.
//
// All changes under the lock of the memory given; each either happens at all levels or not at all.
#ifndef KTWIN_CORE_PID_WORLD_H
#define KTWIN_CORE_PID_WORLD_H

#include "base/expected.h"
#include "core/namespace_table.h"
#include "core/twin_memory.h"

namespace ktwin {

// Told, under the lock, what became of namespaces.
class NamespaceObserver {
  public:
    // A function and its object instead of a virtual one: nothing to link against.
    using Function = void (*)(void* object, const PidNamespace& ns, bool is_new);

    NamespaceObserver() = default;
    NamespaceObserver(Function function, void* object) : function_(function), object_(object) {}
    void tell(const PidNamespace& ns, bool is_new) const {
        if (function_ != nullptr) {
            function_(object_, ns, is_new);
        }
    }

  private:
    Function function_ = nullptr;
    void* object_ = nullptr;
};

class PidWorld : Pinned {
  public:
    explicit PidWorld(TwinMemory& memory) : memory_(memory) {}

    TwinMemory& memory() { return memory_; }
    SpinLock& lock() TA_RETURN(memory_.lock()) { return memory_.lock(); }
    const NamespaceTable& table() const { return table_; }

    // --- lock held ---
    NodePools& nodes() TA_REQUIRES(memory_.lock()) { return memory_.nodes(); }
    Kicker& kicker() TA_REQUIRES(memory_.lock()) { return memory_.kicker(); }

    // The pid with all its numbers; namespaces not known yet are made and listed. kNoMemory; kExists: it
    // contradicts what is there (a number in use, a namespace elsewhere in the tree or with another inode).
    Expected<TwinPid*> insert(const kt_pid& pid, u64 now_ns, const NamespaceObserver& observer)
        TA_REQUIRES(memory_.lock());
    // Takes it away at all levels where it stands at its number, deepest first. A namespace that loses its
    // last number is gone. pid may be retired when this returns.
    void remove(TwinPid* pid, const NamespaceObserver& observer) TA_REQUIRES(memory_.lock());
    // One entry of one tree.
    void remove_entry(PidNamespace* ns, u32 nr, const NamespaceObserver& observer)
        TA_REQUIRES(memory_.lock());
    // Empties the world a little; false when nothing is left. Nobody is told.
    bool clear_some(u32 entries) TA_REQUIRES(memory_.lock());

    // An unlisted namespace, its reference the caller's. The parent may be nullptr.
    Expected<PidNamespace*> make_namespace(const PidNamespace::Identity& identity, u64 now_ns)
        TA_REQUIRES(memory_.lock());
    void list_namespace(PidNamespace* ns) TA_REQUIRES(memory_.lock()) { table_.add(ns); }
    // The reverse; the reference stays the caller's.
    void unlist_namespace(PidNamespace* ns) TA_REQUIRES(memory_.lock());
    void put_namespace(PidNamespace* ns) TA_REQUIRES(memory_.lock());
    // A pid of ns with no reference and no numbers, but its namespaces set; it keeps ns.
    // at_hand: from TwinMemory::take_pid(), for its level.
    Expected<TwinPid*> make_pid(PidNamespace* ns, kt_key key, u64 now_ns, PoolNode* at_hand = nullptr)
        TA_REQUIRES(memory_.lock());
    // What was taken for a pid of ns, if anything, and is not needed.
    void put_back(PoolNode* at_hand, const PidNamespace* ns) TA_REQUIRES(memory_.lock()) {
        memory_.pids().put_back(at_hand, ns->level());
    }
    void put_pid(TwinPid* pid) TA_REQUIRES(memory_.lock());
    // Of make_pid(), never published.
    void discard_pid(TwinPid* pid) TA_REQUIRES(memory_.lock());

    u64 pids_made() const { return pid_serial_; }
    u64 namespaces_made() const { return ns_serial_; }
    u32 pids_alive() const TA_REQUIRES(memory_.lock()) { return pids_alive_; }

  private:
    Expected<PidNamespace*> namespace_for(const kt_pid& pid, u32 level, PidNamespace* parent, u64 now_ns)
        TA_REQUIRES(memory_.lock());
    Expected<PidNamespace*> namespaces_for(const kt_pid& pid, u64 now_ns) TA_REQUIRES(memory_.lock());
    void drop_unlisted(PidNamespace* deepest) TA_REQUIRES(memory_.lock());
    Result reserve_numbers(const kt_pid& pid, TwinPid* made) TA_REQUIRES(memory_.lock());
    void publish(TwinPid* pid, const NamespaceObserver& observer) TA_REQUIRES(memory_.lock());
    void unlist_if_empty(PidNamespace* ns, const NamespaceObserver& observer) TA_REQUIRES(memory_.lock());

    TwinMemory& memory_;
    NamespaceTable table_;
    u64 pid_serial_ = 0;
    u32 pids_alive_ = 0;
    u64 ns_serial_ = 0;
};

}  // namespace ktwin

#endif
