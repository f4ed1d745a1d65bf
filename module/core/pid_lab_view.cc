// SPDX-License-Identifier: GPL-2.0-only
#include "base/memory.h"
#include "core/hole_finder.h"
#include "core/pid_lab.h"
#include "core/pid_lab_writer.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kTasksCounted = 65535;

u32 tasks_of(TwinPid& pid, PidType type) {
    u32 count = 0;
    for (const PidTask* task = PidRoles::task(pid, type); task != nullptr && count < kTasksCounted;
         task = PidRoles::next(*task, type)) {
        ++count;
    }
    return count;
}

u32 operations_of(IdBackendKind kind) {
    const u32 has = IdBackend::describe(kind).has;
    return ((has & kHasLowest) != 0 ? KTWIN_LAB_HAS_LOWEST : 0) |
           ((has & kHasCyclic) != 0 ? KTWIN_LAB_HAS_CYCLIC : 0) |
           ((has & kHasAny) != 0 ? KTWIN_LAB_HAS_ANY : 0) | ((has & kHasAt) != 0 ? KTWIN_LAB_HAS_AT : 0) |
           ((has & kHasFind) != 0 ? KTWIN_LAB_HAS_PIDS : 0);
}

}  // namespace

void PidLab::describe(TwinPid& pid, ktwin_lab_pid& to) {
    memset(&to, 0, sizeof(to));
    to.serial = pid.serial();
    to.depth = pid.level() + 1;
    for (u32 type = 0; type < kPidTypes; ++type) {
        to.tasks[type] = tasks_of(pid, static_cast<PidType>(type));
    }
    for (u32 level = 0; level < to.depth; ++level) {
        to.upids[level] = {pid.ns(level)->inode(), static_cast<i32>(pid.nr(level))};
    }
}

Result PidLab::find(ktwin_lab_find& request) const {
    const bool next = (request.flags & KTWIN_LAB_FIND_NEXT) != 0;
    if ((request.flags & ~KTWIN_LAB_FIND_NEXT) != 0) {
        return Errno::kInvalid;
    }
    if (is_flat()) {
        return Errno::kNotSupported;
    }
    const RcuGuard rcu;
    const PidNamespace* ns = ns_of(request.ns);
    if (ns == nullptr) {
        return Errno::kNotFound;
    }
    TwinPid* pid = nullptr;
    if (next) {
        const IdTree::Found found = lab_next(*ns, request.nr > 0 ? static_cast<u32>(request.nr) : 1);
        pid = static_cast<TwinPid*>(found.pointer);
        request.nr = pid != nullptr ? static_cast<i32>(found.id) : request.nr;
    } else {
        pid = pid_of(request.ns, request.nr);
    }
    if (pid == nullptr) {
        return Errno::kNotFound;
    }
    describe(*pid, request.pid);
    return {};
}

// A round of numbers in each section, and the CPU is given away in between; by its number the namespace is found anew.
Result PidLab::find_hole(u32 number, u32 pid_max, ktwin_lab_ns& to) const {
    HoleFinder finder(pid_max);
    u32 at = 1;
    bool more = true;
    while (more) {
        {
            const RcuGuard rcu;
            const PidNamespace* ns = ns_of(number);
            for (u32 i = 0; i < kRound && more; ++i) {
                const IdTree::Found found = ns != nullptr ? lab_next(*ns, at) : IdTree::Found();
                more = found.pointer != nullptr && found.id < pid_max;
                if (more) {
                    finder.free_run(at, found.id);
                    at = found.id + 1;
                }
            }
        }
        if (more && !kt_host_breathe(0)) {
            return Errno::kInterrupted;
        }
    }
    finder.free_run(at, pid_max);
    to.hole_start = finder.room().hole_start;
    to.hole_length = finder.room().hole_length;
    return {};
}

void PidLab::describe(const PidNamespace& ns, ktwin_lab_ns& to) {
    to.ns = ns.inode();
    to.parent = ns.parent() != nullptr ? ns.parent()->inode() : 0;
    to.level = ns.level();
    to.flags = ns.is_dying() ? KTWIN_LAB_NS_DYING : 0;
    to.count = lab_count(ns);
    to.pid_max = ns.pid_max();
    to.children = ns.children();
    if (!is_twin()) {
        to.cursor = lab_cursor(ns);
        return;
    }
    const Held held(*this);
    to.cursor = ns.ids().cursor();
}

Expected<u32> PidLab::namespaces(u64& cursor, ktwin_lab_ns* to, u32 room) {
    u32 filled = 0;
    if (is_flat()) {
        if (cursor == 0) {
            to[filled++] = {1, 0, 0, 0, flat_.count(), flat_.pid_max(), 0, 0, 0, 0};
            cursor = 1;
        }
        return filled;
    }
    while (filled < room) {
        {
            // Where it begins to search is a backend's own business, under its own lock.
            const Writer writer(*this);
            const RcuGuard rcu;
            const PidNamespace* ns = world_.table().next(cursor);
            if (ns == nullptr) {
                break;
            }
            describe(*ns, to[filled]);
            cursor = ns->serial();
        }
        // Without the mutex: it takes as long as there are numbers.
        const Result walked = find_hole(to[filled].ns, to[filled].pid_max, to[filled]);
        if (!walked) {
            return walked.error();
        }
        ++filled;
    }
    return filled;
}

Expected<u32> PidLab::pids(u32 number, u64& cursor, ktwin_lab_pid* to, u32 room) const {
    if (is_flat()) {
        return Errno::kNotSupported;
    }
    u32 filled = 0;
    // The tasks of one record can be so many that the CPU is given away after each. Who was interrupted gets what he asked
    // for: room is small.
    for (; filled < room; (void)kt_host_breathe(0)) {
        const RcuGuard rcu;
        const PidNamespace* ns = ns_of(number);
        if (ns == nullptr) {
            return filled != 0 ? Expected<u32>(filled) : Errno::kNotFound;
        }
        const IdTree::Found found = lab_next(*ns, static_cast<u32>(cursor) + 1);
        if (found.pointer == nullptr) {
            break;
        }
        describe(*static_cast<TwinPid*>(found.pointer), to[filled++]);
        cursor = found.id;
    }
    return filled;
}

Expected<u32> PidLab::tasks(u64& cursor, ktwin_lab_task* to, u32 room) const {
    u32 filled = 0;
    const RcuGuard rcu;
    while (filled < room) {
        const LabTask* task = tasks_.next(static_cast<u32>(cursor) + 1);
        if (task == nullptr) {
            break;
        }
        ktwin_lab_task& record = to[filled++];
        record.task = task->id;
        record.zero = 0;
        for (u32 type = 0; type < kPidTypes; ++type) {
            const TwinPid* pid = task->pid(static_cast<PidType>(type));
            record.roles[type] = pid != nullptr ? static_cast<i32>(pid->root_nr()) : 0;
        }
        cursor = task->id;
    }
    return filled;
}

u64 PidLab::used_from(const PidNamespace& ns, u32 first) const {
    u64 used = 0;
    for (u32 at = first;;) {
        const IdTree::Found found = lab_next(ns, at);
        if (found.pointer == nullptr || found.id - first >= kSlots) {
            return used;
        }
        used |= bit(found.id - first);
        at = found.id + 1;
    }
}

Expected<u32> PidLab::leaves(u32 number, u64& cursor, ktwin_lab_leaf* to, u32 room) const {
    if (is_flat()) {
        return flat_leaves(number, cursor, to, room);
    }
    u32 filled = 0;
    for (; filled < room; (void)kt_host_breathe(0)) {
        const RcuGuard rcu;
        const PidNamespace* ns = ns_of(number);
        if (ns == nullptr) {
            return filled != 0 ? Expected<u32>(filled) : Errno::kNotFound;
        }
        const IdTree::Found found = lab_next(*ns, cursor != 0 ? static_cast<u32>(cursor) : 1);
        if (found.pointer == nullptr) {
            break;
        }
        const u32 first = found.id - slot_of(found.id);
        to[filled++] = {used_from(*ns, first != 0 ? first : 1) << (first != 0 ? 0 : 1), first, 0};
        cursor = u64{first} + kSlots;
    }
    return filled;
}

Expected<u32> PidLab::flat_leaves(u32 number, u64& cursor, ktwin_lab_leaf* to, u32 room) const {
    if (number != 1) {
        return Errno::kNotFound;
    }
    u32 filled = 0;
    for (; cursor < flat_.limit() && filled < room; cursor += kSlots) {
        const u64 used = flat_.used(static_cast<u32>(cursor));
        if (used != 0) {
            to[filled++] = {used, static_cast<u32>(cursor), 0};
        }
    }
    return filled;
}

// Who holds what: a pid that no task uses was forgotten, or is about to be used.
Result PidLab::judge(ktwin_lab_stats& stats) {
    u32 at = 1;
    for (bool more = !is_flat(); more;) {
        {
            const RcuGuard rcu;
            const PidNamespace* ns = ns_of(1);
            for (u32 i = 0; i < kRound && more; ++i) {
                const IdTree::Found found = ns != nullptr ? lab_next(*ns, at) : IdTree::Found();
                more = found.pointer != nullptr;
                stats.unused += more && !PidRoles::in_use(*static_cast<TwinPid*>(found.pointer)) ? 1 : 0;
                at = found.id + 1;
            }
        }
        if (more && !kt_host_breathe(0)) {
            return Errno::kInterrupted;
        }
    }
    {
        const Held held(*this);
        for (const PidNamespace* ns = world_.table().first(); ns != nullptr;
             ns = NamespaceTable::following(ns)) {
            const u32 held = ns->references() - 1 - ns->children();
            if (held > stats.held) {
                stats.holder = ns->inode();
                stats.held = held;
            }
        }
    }
    stats.verdict = stats.no_memory == 0            ? KTWIN_LAB_ROOM
                    : stats.unused > stats.pids / 2 ? KTWIN_LAB_LEAK
                                                    : KTWIN_LAB_ESTIMATE;
    return {};
}

Result PidLab::stats(ktwin_lab_stats& stats) {
    const u32 size = stats.size;
    memset(&stats, 0, sizeof(stats));
    stats.size = size;
    stats.backend = static_cast<u32>(config_.kind);
    stats.has = operations_of(config_.kind);
    stats.limit = config_.limit;
    stats.pids_limit = config_.pids;
    stats.namespaces_limit = config_.namespaces;
    stats.tasks_limit = config_.tasks;
    stats.bytes_limit = config_.bytes;
    (void)memory_.statistics(&stats.pid_pool, &stats.node_pool, &stats.ns_pool);
    {
        // No pid is half made.
        const Writer writer(*this);
        const Held held(*this);
        stats.pids = is_flat() ? flat_.count() : world_.pids_alive();
        stats.namespaces = is_flat() ? 1 : world_.table().count();
        stats.tasks = tasks_.count();
        for (const PidNamespace* ns = world_.table().first(); ns != nullptr;
             ns = NamespaceTable::following(ns)) {
            stats.numbers += lab_count(*ns);
        }
        stats.numbers = is_flat() ? stats.pids : stats.numbers;
        stats.bytes = bytes_.used();
        stats.bytes_most = bytes_.most();
        tasks_.pool().add_to(stats.task_pool);
        stats.task_pool.limit = tasks_.budget().limit();
    }
    stats.allocs = allocs_.load_relaxed();
    stats.frees = stats.allocs > stats.pids ? stats.allocs - stats.pids : 0;
    stats.no_number = no_number_.load_relaxed();
    stats.no_memory = no_memory_.load_relaxed();
    stats.taken = taken_.load_relaxed();
    stats.shrunk = shrunk_.load_relaxed();
    return judge(stats);
}

}  // namespace ktwin
