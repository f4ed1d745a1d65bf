// SPDX-License-Identifier: GPL-2.0-only
// A laboratory of PID namespaces as plain values. Namespaces, tasks and numbers are the lab's own.
#pragma once

#include <uapi/ktwin.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "records.h"

namespace ktwin {

// 0: what the kernel takes then.
struct LabOptions {
    uint32_t backend = KTWIN_LAB_TWIN;
    uint32_t pid_max = 0;
    uint32_t limit = 0;
    uint32_t pids = 0;
    uint32_t namespaces = 0;
    uint32_t tasks = 0;
    uint64_t bytes = 0;
};

struct LabCreated {
    uint32_t ns;
    uint32_t level;
};

struct LabRequest {
    uint32_t ns = 1;
    uint32_t how = KTWIN_LAB_CYCLIC;  // enum ktwin_lab_how
    bool task = false;
    std::vector<int32_t> wanted = {};  // for ns first, then its ancestors
};

struct LabAllocated {
    uint64_t serial;
    std::optional<uint32_t> task;
    std::vector<int32_t> numbers;  // for ns first, then its ancestors
};

struct LabPid {
    uint64_t serial;
    std::array<uint32_t, KTWIN_LAB_TYPES> tasks;  // that use it so
    std::vector<Upid> numbers;                    // level 0 first

    bool used() const;
};

// The number at which it was found.
struct LabFound {
    int32_t nr;
    LabPid pid;
};

struct LabRole {
    uint32_t op;    // enum ktwin_lab_role_op
    uint32_t type;  // enum ktwin_lab_type
    uint32_t task = 0;
    uint32_t other = 0;
    uint32_t ns = 0;
    int32_t nr = 0;
};

struct LabKilled {
    uint32_t tasks;
    uint32_t pids;
    uint32_t left;
};

struct LabNs {
    uint32_t ns;
    std::optional<uint32_t> parent;
    uint32_t level;
    bool dying;
    uint32_t count;
    uint32_t pid_max;
    std::optional<uint32_t> cursor;
    uint32_t children;
    uint32_t hole_start;
    uint32_t hole_length;
};

struct LabTask {
    uint32_t task;
    std::array<std::optional<int32_t>, KTWIN_LAB_TYPES> roles;  // numbers at level 0
};

struct LabLeaf {
    uint32_t first;
    uint64_t used;  // bit i: number first + i is in use
};

struct LabStats {
    uint32_t backend;
    uint32_t has;  // KTWIN_LAB_HAS_*
    uint32_t pids;
    uint32_t namespaces;
    uint32_t tasks;
    uint32_t numbers;
    uint32_t limit;
    uint32_t pids_limit;
    uint32_t namespaces_limit;
    uint32_t tasks_limit;
    uint64_t bytes_limit;
    uint64_t bytes;
    uint64_t bytes_most;
    uint64_t allocs;
    uint64_t frees;
    uint64_t no_number;
    uint64_t no_memory;
    uint64_t taken;
    uint64_t shrunk;
    Pool pid_pool;
    Pool node_pool;
    Pool ns_pool;
    Pool task_pool;
    uint32_t verdict;  // enum ktwin_lab_verdict
    uint32_t unused;
    uint32_t holder;
    uint32_t held;
};

}  // namespace ktwin
