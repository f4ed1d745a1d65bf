// SPDX-License-Identifier: GPL-2.0-only
#include "core/backend_allocator.h"

#include "base/enforce.h"  // last

namespace ktwin {

bool BackendAllocator::has_init(const PidNamespace& ns) {
    const RcuGuard guard;
    return lab_find(ns, 1) != nullptr;
}

Expected<u32> BackendAllocator::reserve(const PidNamespace& ns, PidOrder order, i32 tid) {
    LabIds& ids = *ns.lab_ids();
    if (!ids.charge_one()) {
        return Errno::kNoMemory;
    }
    const Expected<u32> nr = reserve_charged(ns, order, tid);
    if (nr) {
        ids.count.add_exclusive(1);
    } else {
        ids.discharge_one();
    }
    return nr;
}

void BackendAllocator::release(const PidNamespace& ns, u32 nr) {
    LabIds& ids = *ns.lab_ids();
    (void)ids.backend.erase(nr);
    ids.count.sub_exclusive(1);
    ids.discharge_one();
}

Expected<u32> BackendAllocator::reserve_charged(const PidNamespace& ns, PidOrder order, i32 tid) {
    const IdBackend& ids = ns.lab_ids()->backend;
    // Whatever the order: who comes first is the init.
    if (tid == 0 && order == PidOrder::kAny && !has_init(ns)) {
        tid = 1;
    }
    if (tid != 0) {
        const Result reserved = ids.alloc_at(static_cast<u32>(tid), nullptr);
        return reserved ? Expected<u32>(static_cast<u32>(tid)) : reserved.error();
    }
    const u32 min = order == PidOrder::kCyclic && ids.cursor() > kReservedPids ? kReservedPids : 1;
    const Expected<u32> nr = order == PidOrder::kCyclic   ? ids.alloc_cyclic(min, ns.pid_max(), nullptr)
                             : order == PidOrder::kLowest ? ids.alloc_lowest(min, ns.pid_max(), nullptr)
                                                          : ids.alloc_any(min, ns.pid_max(), nullptr);
    return !nr && nr.error() == Errno::kNoSpace ? Errno::kAgain : nr;
}

Result BackendAllocator::reserve_all(PidNamespace* ns, TwinPid* pid, PidOrder order,
                                     Span<const i32> set_tid) {
    u32 cursors[kLevels];
    for (PidNamespace* at = ns; at != nullptr; at = at->parent()) {
        cursors[at->level()] = at->lab_ids()->backend.cursor();
        const Expected<i32> tid = PidAllocator::wanted(ns, at, has_init(*at) || at->is_dying(), set_tid);
        const Expected<u32> nr = tid ? reserve(*at, order, tid.value()) : tid.error();
        if (!nr) {
            unwind(ns, pid, at->level());
            restore_cursors(nr.error(), ns, at, cursors);
            return nr.error();
        }
        pid->number(at->level()).nr = nr.value();
    }
    if (ns->is_dying()) {
        unwind(ns, pid, ~u32{0});
        return Errno::kRemoved;
    }
    return {};
}

// See PidAllocator::restore_cursors().
void BackendAllocator::restore_cursors(Errno why, PidNamespace* ns, const PidNamespace* last,
                                       const u32* cursors) {
    if (why != Errno::kNoMemory) {
        return;
    }
    for (PidNamespace* at = ns; at != last->parent(); at = at->parent()) {
        at->lab_ids()->backend.set_cursor(cursors[at->level()]);
    }
}

// See PidAllocator::unwind().
void BackendAllocator::unwind(PidNamespace* ns, const TwinPid* pid, u32 above) {
    for (u32 level = above + 1; level <= ns->level(); ++level) {
        release(*pid->ns(level), pid->nr(level));
    }
    if (lab_count(*ns) == 0 && !ns->is_dying()) {
        ns->lab_ids()->backend.set_cursor(0);
    }
}

Expected<TwinPid*> BackendAllocator::alloc_pid(PidNamespace* ns, PidOrder order, Span<const i32> set_tid) {
    if (set_tid.size() > ns->level() + 1) {
        return Errno::kInvalid;
    }
    TwinPid* pid = nullptr;
    {
        SpinGuard guard(world_.lock());
        const Expected<TwinPid*> made = world_.make_pid(ns, world_.pids_made() + 1, 0);
        if (!made) {
            return made;
        }
        pid = made.value();
    }
    const Result reserved = reserve_all(ns, pid, order, set_tid);
    if (!reserved) {
        SpinGuard guard(world_.lock());
        world_.discard_pid(pid);
        return reserved.error();
    }
    pid->get(pid->level() + 1);
    for (u32 level = pid->level() + 1; level-- > 0;) {
        pid->ns(level)->lab_ids()->backend.publish(pid->nr(level), pid);
    }
    return pid;
}

// Level 0 first, as the kernel.
bool BackendAllocator::free_pid(TwinPid* pid) {
    bool emptied = false;
    for (u32 level = 0; level <= pid->level(); ++level) {
        PidNamespace* ns = pid->ns(level);
        emptied = emptied || lab_count(*ns) == 1;
        (void)PidAllocator::note_freed(ns, pid->nr(level), lab_count(*ns));
        release(*ns, pid->nr(level));
    }
    SpinGuard guard(world_.lock());
    for (u32 entries = pid->level() + 1; entries-- > 0;) {
        world_.put_pid(pid);
    }
    return emptied;
}

}  // namespace ktwin
