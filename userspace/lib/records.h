// SPDX-License-Identifier: GPL-2.0-only
// What the kernel says, as plain values: decoded once, checked once. Numbers are in the caller's PID
// namespace unless said otherwise; what is not known is an empty optional, never 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ktwin {

struct Pool {
    uint32_t ready;
    uint32_t total;
    uint32_t limit;
    uint32_t low;
    uint64_t empty;
    uint64_t failed;
};

struct Status {
    bool lab;
    bool scoped;     // the caller is in a child namespace: what is system-wide is 0
    uint32_t state;  // enum ktwin_state
    uint32_t why;    // KTWIN_WHY_*
    uint32_t own_ns;
    std::optional<uint32_t> pid_max;
    uint64_t pids;
    uint64_t namespaces;
    uint64_t epoch;
    uint64_t populate_ns;
    uint64_t allocs;
    uint64_t frees;
    uint64_t unknown_frees;
    uint64_t probe_missed;
    uint64_t doubts;
    uint64_t streams;
    uint64_t events;
    uint64_t events_lost;
    uint64_t memory;
    Pool pid_pool;
    Pool node_pool;
    Pool ns_pool;
};

struct Audit {
    bool complete;
    uint32_t why;
    uint64_t checked;
    uint64_t pids;
    uint64_t namespaces;
    uint64_t differences;
    uint64_t transients;
    uint64_t started_ns;
    uint64_t duration_ns;
    uint64_t epoch;
    uint64_t passes;
    uint64_t passes_complete;
    uint64_t checked_total;
    uint64_t differences_total;
    bool lockstep;
    uint32_t lockstep_namespaces;
    uint64_t
        allocations;  // what lockstep compared: the sum of predicted, mispredicted and the five below them
    uint64_t predicted;
    uint64_t mispredicted;
    uint64_t adopting;
    uint64_t cursor_set;
    uint64_t kernel_no_memory;
    uint64_t twin_no_memory;
    uint64_t missed;
    uint64_t contradicted;
    uint64_t unfollowed;
    uint64_t skipped;
    uint64_t lockstep_since_ns;

    // Nothing speaks against the twin. Lockstep's counts stay when it is switched off.
    bool agrees() const { return complete && !differences && !mispredicted && !contradicted; }
};

struct AuditRate {
    uint32_t interval_ms;  // 0: off
    uint32_t batch;
    uint32_t cpu_percent;
};

struct Namespace {
    uint32_t inode;
    std::optional<uint32_t> parent;  // none: the caller's own
    uint32_t level;                  // from the caller's
    bool dying;
    uint32_t count;
    std::optional<uint32_t> kernel_count;
    std::optional<uint32_t> cursor;
    std::optional<uint32_t> pid_max;
    std::optional<uint32_t> headroom;  // these three are known with pid_max
    std::optional<uint32_t> hole_start;
    std::optional<uint32_t> hole_length;
    uint32_t children;
    std::optional<int32_t> reaper;
    std::optional<uint64_t> first_seen_ns;  // none: older than the mirror
};

struct Upid {
    uint32_t ns;
    int32_t nr;
};

struct Pid {
    uint64_t serial;
    std::optional<uint64_t> born_ns;  // none: older than the mirror
    std::vector<Upid> numbers;        // the caller's namespace first
};

struct Divergence {
    uint64_t index;
    uint64_t time_ns;
    uint64_t last_ns;
    uint64_t passes;
    uint64_t epoch;
    uint64_t kernel_hash;  // 0: the kernel has none there
    uint64_t twin_hash;
    uint64_t twin_serial;
    uint32_t ns;
    int32_t nr;
    uint32_t kind;      // enum ktwin_divergence_kind
    int32_t kernel_nr;  // of a misprediction: a number, or -errno
    int32_t twin_nr;
};

struct Role {
    uint32_t type;   // enum ktwin_role_type
    uint32_t flags;  // KTWIN_TASK_*
    int32_t tid;
    int32_t tgid;
    int32_t ppid;
    char state;  // the letter ps shows; 0: hidden
    std::string comm;
};

struct Explanation {
    int32_t nr;
    uint32_t ns;  // 0: the caller's
    std::optional<Pid> pid;
    std::vector<Role> roles;  // may be fewer than counted
    std::array<uint32_t, 4> role_count;
    std::optional<uint32_t> references;
    bool in_kernel;
    bool in_twin;
    bool same;

    bool agree() const { return in_kernel == in_twin && (!in_kernel || same); }
};

struct Event {
    uint64_t index;
    uint64_t time_ns;
    uint64_t serial;
    uint64_t arg;
    uint32_t type;  // enum ktwin_event_type
    uint32_t cpu;
    uint32_t ns;
    uint32_t level;
    int32_t nr;
    int32_t ns_nr;
    uint32_t parent;
};

struct CompareRequest {
    uint64_t seed;
    uint32_t operations;
    uint32_t pid_max;
    uint32_t levels;
};

struct CompareResult {
    uint64_t compared;
    uint64_t differences;
    uint64_t exhausted;
    uint64_t wraps;
};

}  // namespace ktwin
