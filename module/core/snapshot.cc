// SPDX-License-Identifier: GPL-2.0-only
#include "core/snapshot.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// How many pids of a namespace are tried as the one that keeps it alive in the kernel.
constexpr u32 kAnchors = 8;

bool kernel_view(const PidNamespace& ns, kt_ns_view& view) {
    IdTree::Found found;
    for (u32 i = 0; i < kAnchors; ++i) {
        found = ns.ids().next(found.pointer == nullptr ? 0 : found.id + 1);
        if (found.pointer == nullptr) {
            return false;
        }
        const kt_ns_anchor anchor = anchor_of(ns, *static_cast<TwinPid*>(found.pointer));
        if (kt_host_ns_view(&anchor, &view)) {
            return true;
        }
    }
    return false;
}

}  // namespace

u32 Snapshot::visible_namespaces(const Viewer& viewer) const {
    u32 count = 0;
    for (const PidNamespace* ns = table().first(); ns != nullptr; ns = NamespaceTable::following(ns)) {
        count += viewer.sees(ns) ? 1 : 0;
    }
    return count;
}

void Snapshot::status(kt_key viewer_key, bool lab, ktwin_status& status) {
    const u32 size = status.size;
    memset(&status, 0, sizeof(status));
    status.size = size;
    const Mirror::Standing standing = mirror_.standing();
    const bool scoped = viewer_key != kt_host_init_ns();
    status.flags = (lab ? KTWIN_STATUS_LAB : 0) | (scoped ? KTWIN_STATUS_SCOPED : 0);
    status.state = standing.state;
    status.why = standing.reasons();
    if (!scoped) {
        mirror_.fill(status);
        status.own_ns = kt_host_init_ns_inode();
        status.memory =
            sizeof(Mirror) + sizeof(PidWorld) +
            mirror_.world().memory().statistics(&status.pid_pool, &status.node_pool, &status.ns_pool);
    }
    RcuGuard rcu;
    const kt_ns_anchor root = {kt_host_init_ns(), 0, 1};
    kt_ns_view view = {};
    if (kt_host_ns_view(&root, &view)) {
        status.pid_max = view.pid_max;
    }
    const Viewer viewer(table(), viewer_key);
    if (viewer) {
        status.own_ns = viewer.ns()->inode();
        status.pids = viewer.ns()->ids().count();
        status.namespaces = visible_namespaces(viewer);
        if (scoped && kernel_view(*viewer.ns(), view)) {
            status.pid_max = view.pid_max;
        }
    }
}

Result Snapshot::readiness() const {
    switch (mirror_.state()) {
        case KTWIN_OFF:
            return Errno::kNoData;
        case KTWIN_POPULATING:
            return Errno::kAgain;
        default:
            return {};
    }
}

// What was not found may only just have been forgotten, because the twin is being populated anew.
Errno Snapshot::missing() const {
    const Result ready = readiness();
    return ready ? Errno::kNotFound : ready.error();
}

void Snapshot::describe(const Viewer& viewer, const PidNamespace& ns, ktwin_ns& to) const {
    memset(&to, 0, sizeof(to));
    to.first_seen_ns = ns.first_seen_ns();
    to.inode = ns.inode();
    to.level = ns.level() - viewer.level();
    to.parent = to.level > 0 ? ns.parent()->inode() : 0;
    to.count = ns.ids().count();
    to.children = ns.children();
    const TwinPid* reaper = ns.reaper();
    to.reaper = reaper != nullptr && viewer.sees(*reaper) ? static_cast<i32>(reaper->nr(viewer.level())) : 0;
    kt_ns_view view = {};
    if (kernel_view(ns, view)) {
        to.flags = KTWIN_NS_KERNEL | (view.dying ? KTWIN_NS_DYING : 0);
        to.kernel_count = view.allocated;
        to.cursor = view.cursor;
        to.pid_max = view.pid_max;
    }
    const IdTree::Room room = ns.ids().room(to.pid_max);
    to.headroom = room.vacant;
    to.hole_start = room.hole_start;
    to.hole_length = room.hole_length;
}

Result Snapshot::namespaces_round(kt_key viewer_key, u32 inode, u64& cursor, Span<ktwin_ns> to,
                                  Progress& progress) {
    RcuGuard rcu;
    const Viewer viewer(table(), viewer_key);
    const PidNamespace* top = viewer.find_inode(inode);
    if (top == nullptr) {
        return missing();
    }
    const PidNamespace* ns = table().next(cursor);
    for (u32 i = 0; i < kNamespaceRound && progress.filled < to.size(); ns = NamespaceTable::following(ns)) {
        if (ns == nullptr) {
            progress.more = false;
            return {};
        }
        cursor = ns->serial();
        if (ns->is_at_or_below(top)) {
            describe(viewer, *ns, to[progress.filled++]);
            ++i;
        }
    }
    progress.more = ns != nullptr;
    return {};
}

Expected<Snapshot::Progress> Snapshot::namespaces(kt_key viewer, u32 inode, u64& cursor, Span<ktwin_ns> to) {
    Progress progress;
    do {
        const Result ready = readiness();
        if (!ready) {
            return ready.error();
        }
        const Result round = namespaces_round(viewer, inode, cursor, to, progress);
        if (!round) {
            return round.error();
        }
    } while (progress.more && progress.filled < to.size());
    return progress;
}

Result Snapshot::pids_round(kt_key viewer_key, u32 inode, u64& cursor, Span<ktwin_pid> to,
                            Progress& progress) {
    RcuGuard rcu;
    const Viewer viewer(table(), viewer_key);
    const PidNamespace* ns = viewer.find_inode(inode);
    if (ns == nullptr) {
        return missing();
    }
    progress.more = true;
    for (u32 i = 0; i < kRound && progress.filled < to.size(); ++i) {
        const IdTree::Found found =
            cursor < kIds ? ns->ids().next(static_cast<u32>(cursor)) : IdTree::Found();
        if (found.pointer == nullptr) {
            progress.more = false;
            return {};
        }
        const TwinPid& pid = *static_cast<TwinPid*>(found.pointer);
        viewer.translate(pid, to[progress.filled++]);
        cursor = u64{found.id} + 1;
    }
    return {};
}

Expected<Snapshot::Progress> Snapshot::pids(kt_key viewer, u32 inode, u64& cursor, Span<ktwin_pid> to) {
    Progress progress;
    do {
        const Result ready = readiness();
        if (!ready) {
            return ready.error();
        }
        const Result round = pids_round(viewer, inode, cursor, to, progress);
        if (!round) {
            return round.error();
        }
    } while (progress.more && progress.filled < to.size());
    return progress;
}

// The pid that was asked for first: while it lives, it alone is enough.
void Snapshot::collect_anchors(const PidNamespace& ns, u32 nr, kt_resolved& resolved) {
    const void* asked = ns.ids().find(nr);
    if (asked != nullptr) {
        resolved.anchors[resolved.anchor_count++] = anchor_of(ns, *static_cast<const TwinPid*>(asked));
    }
    IdTree::Found found = ns.ids().next(0);
    while (found.pointer != nullptr && resolved.anchor_count < KT_ANCHORS) {
        resolved.anchors[resolved.anchor_count++] = anchor_of(ns, *static_cast<TwinPid*>(found.pointer));
        found = ns.ids().next(found.id + 1);
    }
}

Result Snapshot::resolve(kt_key viewer_key, u32 inode, u32 nr, kt_resolved& resolved) {
    memset(&resolved, 0, sizeof(resolved));
    const Result ready = readiness();
    if (!ready) {
        return ready;
    }
    RcuGuard rcu;
    const Viewer viewer(table(), viewer_key);
    const PidNamespace* ns = viewer.find_inode(inode);
    if (ns == nullptr) {
        return missing();
    }
    resolved.ns = ns->key();
    resolved.ns_level = ns->level();
    if (const TwinPid* pid = ns->find(nr)) {
        resolved.key = pid->key();
        resolved.root_nr = static_cast<i32>(pid->root_nr());
        viewer.translate(*pid, resolved.pid);
    }
    if (ns != viewer.ns()) {
        collect_anchors(*ns, nr, resolved);
    }
    return {};
}

}  // namespace ktwin
