// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_allocator.h"
#include "core/pid_reservation.h"

#include "base/enforce.h"  // last

namespace ktwin {

Expected<PidNamespace*> PidAllocator::create_namespace(PidNamespace* parent, u32 pid_max) {
    const u32 level = parent != nullptr ? parent->level() + 1 : 0;
    if (level >= kLevels) {
        return Errno::kNoSpace;
    }
    TaskGuard guard(world_.lock());
    Expected<PidNamespace*> ns = world_.make_namespace({0, 0, level, parent}, 0);
    if (ns) {
        ns.value()->set_pid_max(pid_max);
    }
    return ns;
}

void PidAllocator::delete_namespace(PidNamespace* ns) {
    TaskGuard guard(world_.lock());
    if (ns->parent() != nullptr) {
        ns->parent()->remove_child();
    }
    world_.put_namespace(ns);
}

Expected<i32> PidAllocator::wanted(const PidNamespace* deepest, const PidNamespace* ns, bool has_init,
                                   Span<const i32> set_tid) {
    const u32 index = deepest->level() - ns->level();
    if (index >= set_tid.size()) {
        return i32{0};
    }
    const i32 tid = set_tid[index];
    if (tid < 1 || static_cast<u32>(tid) >= ns->pid_max() || (tid != 1 && !has_init)) {
        return Errno::kInvalid;
    }
    return tid;
}

Expected<u32> PidAllocator::reserve(PidNamespace* ns, PidOrder order, i32 tid) {
    NodePools& nodes = world_.nodes();
    if (tid != 0) {
        const Result reserved = ns->ids().reserve_at(static_cast<u32>(tid), nodes);
        return reserved ? Expected<u32>(static_cast<u32>(tid)) : reserved.error();
    }
    const u32 min = ns->ids().cursor() > kReservedPids ? kReservedPids : 1;
    const u32 max = ns->pid_max();
    // The first is the init's, 1, whatever was asked for.
    const bool is_any = order == PidOrder::kAny && ns->reaper() != nullptr;
    const Expected<u32> nr = is_any                       ? ns->ids().reserve_any(1, max, nodes)
                             : order == PidOrder::kCyclic ? ns->ids().reserve_cyclic(min, max, nodes)
                                                          : ns->ids().reserve_lowest(1, max, nodes);
    return !nr && nr.error() == Errno::kNoSpace ? Errno::kAgain : nr;
}

// The numbers of the twin's own trees; the lock is held.
struct PidAllocator::OwnNumbers {
    PidAllocator& allocator;

    static bool has_init(const PidNamespace& ns) { return ns.reaper() != nullptr; }
    static u32 cursor(const PidNamespace& ns) { return ns.ids().cursor(); }
    static void set_cursor(PidNamespace& ns, u32 cursor) { ns.ids().set_cursor(cursor); }
    static u32 count(const PidNamespace& ns) { return ns.ids().count(); }
    Expected<u32> reserve(PidNamespace& ns, PidOrder order, i32 tid) const TA_NO_ANALYSIS {
        return allocator.reserve(&ns, order, tid);
    }
    void release(PidNamespace& ns, u32 nr) const TA_NO_ANALYSIS {
        (void)ns.ids().erase(nr, allocator.world_.nodes());
    }
};

Expected<TwinPid*> PidAllocator::alloc_pid_locked(PidNamespace* ns, PidOrder order, Span<const i32> set_tid,
                                                  PoolNode* at_hand) {
    if (set_tid.size() > ns->level() + 1) {
        world_.put_back(at_hand, ns);
        return Errno::kInvalid;
    }
    const Expected<TwinPid*> made = world_.make_pid(ns, world_.pids_made() + 1, 0, at_hand);
    if (!made) {
        return made;
    }
    TwinPid* pid = made.value();
    const Result reserved =
        PidReservation<OwnNumbers>(OwnNumbers{*this}).reserve_all(ns, pid, order, set_tid);
    if (!reserved) {
        world_.discard_pid(pid);
        return reserved.error();
    }
    pid->get(pid->level() + 1);
    for (u32 level = pid->level() + 1; level-- > 0;) {
        pid->ns(level)->ids().publish_locked(pid->nr(level), pid);
    }
    return pid;
}

// A namespace whose init goes, or whose last pid does, takes no more.
void PidAllocator::note_freed(PidNamespace* ns, u32 nr, u32 count) {
    if ((nr == 1 || count == 1) && !ns->is_dying()) {
        ns->set_dying();
    }
}

void PidAllocator::free_pid_locked(TwinPid* pid) {
    if (pid->deepest_ns()->lab_ids() != nullptr) {
        if (pid->doom()) {
            put_aside_.push(pid);
        }
        return;
    }
    for (u32 level = 0; level <= pid->level(); ++level) {
        PidNamespace* ns = pid->ns(level);
        const u32 count = ns->ids().count();
        note_freed(ns, pid->nr(level), count);
        emptied_ = emptied_ || count == 1;
        (void)ns->ids().erase(pid->nr(level), world_.nodes());
    }
    for (u32 entries = pid->level() + 1; entries-- > 0;) {
        world_.put_pid(pid);
    }
}

void PidAllocator::free_pid(TwinPid* pid) {
    TaskGuard guard(world_.lock());
    free_pid_locked(pid);
}

}  // namespace ktwin
