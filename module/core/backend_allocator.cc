// SPDX-License-Identifier: GPL-2.0-only
#include "core/backend_allocator.h"
#include "core/pid_reservation.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

bool has_init(const PidNamespace& ns) {
    const RcuGuard guard;
    return lab_find(ns, 1) != nullptr;
}

Expected<u32> reserve_charged(const PidNamespace& ns, PidOrder order, i32 tid) {
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

// The numbers of the namespaces' backends.
struct BackendNumbers {
    static bool has_init(const PidNamespace& ns) { return ktwin::has_init(ns); }
    static u32 cursor(const PidNamespace& ns) { return ns.lab_ids()->backend.cursor(); }
    static void set_cursor(const PidNamespace& ns, u32 cursor) { ns.lab_ids()->backend.set_cursor(cursor); }
    static u32 count(const PidNamespace& ns) { return lab_count(ns); }
    static Expected<u32> reserve(const PidNamespace& ns, PidOrder order, i32 tid) {
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
    static void release(const PidNamespace& ns, u32 nr) {
        LabIds& ids = *ns.lab_ids();
        (void)ids.backend.erase(nr);
        ids.count.sub_exclusive(1);
        ids.discharge_one();
    }
};

}  // namespace

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
    const Result reserved = PidReservation<BackendNumbers>({}).reserve_all(ns, pid, order, set_tid);
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
        PidAllocator::note_freed(ns, pid->nr(level), lab_count(*ns));
        BackendNumbers::release(*ns, pid->nr(level));
    }
    SpinGuard guard(world_.lock());
    for (u32 entries = pid->level() + 1; entries-- > 0;) {
        world_.put_pid(pid);
    }
    return emptied;
}

}  // namespace ktwin
