// SPDX-License-Identifier: GPL-2.0-only
#include "decode.h"

#include <algorithm>
#include <cstring>

namespace ktwin {
namespace {

template <class T>
std::optional<T> unless_zero(T value) {
    return value ? std::optional<T>(value) : std::nullopt;
}

template <class T>
std::optional<T> when(bool known, T value) {
    return known ? std::optional<T>(value) : std::nullopt;
}

Pool decode_pool(const ktwin_pool& raw) {
    return {raw.ready, raw.total, raw.limit, raw.low, raw.empty, raw.failed};
}

}  // namespace

Status decode(const ktwin_status& raw) {
    return {
        .lab = (raw.flags & KTWIN_STATUS_LAB) != 0,
        .scoped = (raw.flags & KTWIN_STATUS_SCOPED) != 0,
        .state = raw.state,
        .why = raw.why,
        .own_ns = raw.own_ns,
        .pid_max = unless_zero<uint32_t>(raw.pid_max),
        .pids = raw.pids,
        .namespaces = raw.namespaces,
        .epoch = raw.epoch,
        .populate_ns = raw.populate_ns,
        .allocs = raw.allocs,
        .frees = raw.frees,
        .unknown_frees = raw.unknown_frees,
        .probe_missed = raw.probe_missed,
        .doubts = raw.doubts,
        .streams = raw.streams,
        .events = raw.events,
        .events_lost = raw.events_lost,
        .memory = raw.memory,
        .pid_pool = decode_pool(raw.pid_pool),
        .node_pool = decode_pool(raw.node_pool),
        .ns_pool = decode_pool(raw.ns_pool),
    };
}

Audit decode(const ktwin_audit& raw) {
    return {
        // A pass that has a reason not to be complete is not, whatever the flag says.
        .complete = raw.complete == 1 && raw.why == 0,
        .why = raw.why,
        .checked = raw.checked,
        .pids = raw.pids,
        .namespaces = raw.namespaces,
        .differences = raw.differences,
        .transients = raw.transients,
        .started_ns = raw.started_ns,
        .duration_ns = raw.duration_ns,
        .epoch = raw.epoch,
        .passes = raw.passes,
        .passes_complete = raw.passes_complete,
        .checked_total = raw.checked_total,
        .differences_total = raw.differences_total,
        .lockstep = raw.lockstep == 1,
        .lockstep_namespaces = raw.lockstep_namespaces,
        .allocations = raw.allocations,
        .predicted = raw.predicted,
        .mispredicted = raw.mispredicted,
        .adopting = raw.adopting,
        .cursor_set = raw.cursor_set,
        .kernel_no_memory = raw.kernel_no_memory,
        .twin_no_memory = raw.twin_no_memory,
        .missed = raw.missed,
        .contradicted = raw.contradicted,
        .unfollowed = raw.unfollowed,
        .skipped = raw.skipped,
        .lockstep_since_ns = raw.lockstep_since_ns,
    };
}

AuditRate decode(const ktwin_audit_rate& raw) {
    return {raw.interval_ms, raw.batch, raw.cpu_percent};
}

Namespace decode(const ktwin_ns& raw) {
    const bool from_kernel = (raw.flags & KTWIN_NS_KERNEL) != 0;
    const bool limited = raw.pid_max != 0;
    return {
        .inode = raw.inode,
        .parent = unless_zero<uint32_t>(raw.parent),
        .level = raw.level,
        .dying = (raw.flags & KTWIN_NS_DYING) != 0,
        .count = raw.count,
        .kernel_count = when<uint32_t>(from_kernel, raw.kernel_count),
        .cursor = when<uint32_t>(from_kernel, raw.cursor),
        .pid_max = when<uint32_t>(limited, raw.pid_max),
        .headroom = when<uint32_t>(limited, raw.headroom),
        .hole_start = when<uint32_t>(limited, raw.hole_start),
        .hole_length = when<uint32_t>(limited, raw.hole_length),
        .children = raw.children,
        .reaper = unless_zero<int32_t>(raw.reaper),
        .first_seen_ns = unless_zero<uint64_t>(raw.first_seen_ns),
    };
}

Pid decode(const ktwin_pid& raw) {
    Pid pid{raw.serial, unless_zero<uint64_t>(raw.born_ns), {}};
    const uint32_t depth = std::min<uint32_t>(raw.depth, KTWIN_LEVELS);
    pid.numbers.reserve(depth);
    for (uint32_t level = 0; level < depth; level++) {
        pid.numbers.push_back({raw.upids[level].ns, raw.upids[level].nr});
    }
    return pid;
}

Divergence decode(const ktwin_divergence& raw) {
    return {raw.index,       raw.time_ns,   raw.last_ns,     raw.passes, raw.epoch,
            raw.kernel_hash, raw.twin_hash, raw.twin_serial, raw.ns,     raw.nr,
            raw.kind,        raw.kernel_nr, raw.twin_nr};
}

Role decode(const ktwin_role& raw) {
    const bool hidden = (raw.flags & KTWIN_TASK_HIDDEN) != 0;
    const bool letter = !hidden && raw.state > ' ' && raw.state < 0x7f;
    return {
        .type = raw.type,
        .flags = raw.flags,
        .tid = raw.tid,
        .tgid = raw.tgid,
        .ppid = raw.ppid,
        .state = letter ? static_cast<char>(raw.state) : '\0',
        // Never trusted to be terminated.
        .comm = hidden ? std::string() : std::string(raw.comm, strnlen(raw.comm, sizeof(raw.comm))),
    };
}

Event decode(const ktwin_event& raw) {
    return {raw.index, raw.time_ns, raw.serial, raw.arg,   raw.type,  raw.cpu,
            raw.ns,    raw.level,   raw.nr,     raw.ns_nr, raw.parent};
}

CompareResult decode(const ktwin_compare& raw) {
    return {raw.compared, raw.differences, raw.exhausted, raw.wraps};
}

}  // namespace ktwin
