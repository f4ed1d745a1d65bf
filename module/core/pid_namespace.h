// SPDX-License-Identifier: GPL-2.0-only
//
// PidNamespace: what the twin knows of one of the kernel's PID namespaces, or one of a private twin.
//
// Lifetime: one reference for being listed (known to the namespace table or to the owner of a private twin),
// one for each TwinPid that was made in it, one for each namespace right below it. All counted under the
// twin's lock. With the last it is retired; an RCU reader may look at it until its section ends, and at its
// parents, which go later.
#ifndef KTWIN_CORE_PID_NAMESPACE_H
#define KTWIN_CORE_PID_NAMESPACE_H

#include "core/id_tree.h"
#include "core/limits.h"
#include "core/twin_pid.h"

namespace ktwin {

struct LabIds;

class PidNamespace : public PoolNode {
  public:
    struct Identity {
        kt_key key;
        u32 inode;
        u32 level;
        PidNamespace* parent;  // nullptr for level 0
    };

    PidNamespace(const Identity& identity, u64 serial, u64 first_seen_ns)
        : identity_(identity), serial_(serial), first_seen_ns_(first_seen_ns) {}

    kt_key key() const { return identity_.key; }
    u32 inode() const { return identity_.inode; }
    u32 level() const { return identity_.level; }
    PidNamespace* parent() const { return identity_.parent; }
    // Order of arrival, from 1; never reused. Keys and inode numbers are.
    u64 serial() const { return serial_; }
    u64 first_seen_ns() const { return first_seen_ns_; }

    // The namespace at a level not below this one's: itself or an ancestor.
    const PidNamespace* ancestor(u32 level) const {
        const PidNamespace* ns = this;
        while (ns->level() > level) {
            ns = ns->parent();
        }
        return ns;
    }
    bool is_at_or_below(const PidNamespace* top) const {
        return level() >= top->level() && ancestor(top->level()) == top;
    }

    IdTree& ids() { return ids_; }
    const IdTree& ids() const { return ids_; }
    // find_pid_ns(). Inside RCU.
    TwinPid* find(u32 nr) const { return static_cast<TwinPid*>(ids_.find(nr)); }
    // Its init: who has number 1. Inside RCU.
    TwinPid* reaper() const { return find(1); }

    // --- the writer, lock held ---
    void get() { ++references_; }
    [[nodiscard]] bool put() { return --references_ == 0; }
    u32 references() const { return references_; }
    bool is_listed() const { return listed_; }
    void set_listed(bool listed) { listed_ = listed; }
    u32 children() const { return children_.load_relaxed(); }  // readers too
    void add_child() { children_.add_exclusive(1); }
    void remove_child() { children_.sub_exclusive(1); }

    // --- only of a laboratory: where its numbers are when not in ids() (lab_ids.h); set before it is listed ---
    LabIds* lab_ids() const { return lab_ids_; }
    void set_lab_ids(LabIds* ids) { lab_ids_ = ids; }

    // --- only of a private twin: what for a mirrored one the kernel knows ---
    // Readers may look.
    u32 pid_max() const { return pid_max_.load_relaxed(); }
    void set_pid_max(u32 pid_max) { pid_max_.store_relaxed(pid_max); }
    bool is_dying() const { return dying_.load_relaxed(); }
    void set_dying() { dying_.store_relaxed(true); }

    RcuLink<PidNamespace> order;      // in the table's list
    Atomic<PidNamespace*> hash_next;  // in its bucket

  private:
    const Identity identity_;
    const u64 serial_;
    const u64 first_seen_ns_;
    u32 references_ = 1;
    Atomic<u32> pid_max_{kPidMaxLimit};
    Atomic<u32> children_;
    bool listed_ = false;
    Atomic<bool> dying_;
    LabIds* lab_ids_ = nullptr;
    IdTree ids_;
};

// pid_nr_ns(): the number by which ns sees the pid, 0 when it does not.
inline u32 pid_nr_ns(const TwinPid& pid, const PidNamespace& ns) {
    return pid.nr_in(&ns, ns.level());
}

}  // namespace ktwin

#endif
