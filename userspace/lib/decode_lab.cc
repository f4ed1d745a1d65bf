// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include "decode.h"

namespace ktwin {
namespace {

template <class Number>
std::optional<Number> unless_zero(Number value) {
    return value ? std::optional(value) : std::nullopt;
}

Pool pool(const ktwin_pool& raw) {
    return {raw.ready, raw.total, raw.limit, raw.low, raw.empty, raw.failed};
}

}  // namespace

bool LabPid::used() const {
    return std::ranges::any_of(tasks, [](uint32_t count) { return count != 0; });
}

LabPid decode(const ktwin_lab_pid& raw) {
    LabPid pid = {.serial = raw.serial, .tasks = {}, .numbers = {}};
    std::ranges::copy(raw.tasks, pid.tasks.begin());
    const size_t depth = std::min<size_t>(raw.depth, KTWIN_LEVELS);
    for (size_t i = 0; i < depth; i++) {
        pid.numbers.push_back({raw.upids[i].ns, raw.upids[i].nr});
    }
    return pid;
}

LabNs decode(const ktwin_lab_ns& raw) {
    return {
        .ns = raw.ns,
        .parent = unless_zero(raw.parent),
        .level = raw.level,
        .dying = (raw.flags & KTWIN_LAB_NS_DYING) != 0,
        .count = raw.count,
        .pid_max = raw.pid_max,
        .cursor = unless_zero(raw.cursor),
        .children = raw.children,
        .hole_start = raw.hole_start,
        .hole_length = raw.hole_length,
    };
}

LabTask decode(const ktwin_lab_task& raw) {
    LabTask task = {.task = raw.task, .roles = {}};
    std::ranges::transform(raw.roles, task.roles.begin(), unless_zero<int32_t>);
    return task;
}

LabLeaf decode(const ktwin_lab_leaf& raw) {
    return {raw.first, raw.used};
}

LabStats decode(const ktwin_lab_stats& raw) {
    return {
        .backend = raw.backend,
        .has = raw.has,
        .pids = raw.pids,
        .namespaces = raw.namespaces,
        .tasks = raw.tasks,
        .numbers = raw.numbers,
        .limit = raw.limit,
        .pids_limit = raw.pids_limit,
        .namespaces_limit = raw.namespaces_limit,
        .tasks_limit = raw.tasks_limit,
        .bytes_limit = raw.bytes_limit,
        .bytes = raw.bytes,
        .bytes_most = raw.bytes_most,
        .allocs = raw.allocs,
        .frees = raw.frees,
        .no_number = raw.no_number,
        .no_memory = raw.no_memory,
        .taken = raw.taken,
        .shrunk = raw.shrunk,
        .pid_pool = pool(raw.pid_pool),
        .node_pool = pool(raw.node_pool),
        .ns_pool = pool(raw.ns_pool),
        .task_pool = pool(raw.task_pool),
        .verdict = raw.verdict,
        .unused = raw.unused,
        .holder = raw.holder,
        .held = raw.held,
    };
}

}  // namespace ktwin
