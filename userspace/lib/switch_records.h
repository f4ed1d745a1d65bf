// SPDX-License-Identifier: GPL-2.0-only
// Context switches as plain values.
#pragma once

#include <uapi/ktwin.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ktwin {

// By what the switches were, and by how the task left the CPU. Either adds up to all of them.
struct SwitchCounts {
    std::array<uint64_t, KTWIN_SWITCH_CLASSES> classes{};
    std::array<uint64_t, KTWIN_LEAVES> leaves{};

    uint64_t total() const;
    SwitchCounts& operator+=(const SwitchCounts& other);
    // What was counted since then; 0 where it was more then: counters that were begun anew.
    SwitchCounts since(const SwitchCounts& then) const;
};

struct CpuSwitches {
    uint32_t cpu;
    SwitchCounts counts;
    // With KTWIN_SWITCHES_EVENTS.
    uint64_t events = 0;
    uint64_t events_lost = 0;
};

struct TaskSwitches {
    std::optional<int32_t> tid;
    std::optional<int32_t> tgid;
    bool hidden;  // another user's
    std::string comm;
    SwitchCounts counts;
};

// How long tasks waited for a CPU.
struct WaitTimes {
    uint64_t sum_ns = 0;
    std::array<uint64_t, KTWIN_WAIT_BUCKETS> buckets{};

    uint64_t count() const;
    // The end of the bucket that permille of 1000 waits do not go beyond; none without waits.
    std::optional<uint64_t> quantile_ns(uint32_t permille) const;
    WaitTimes since(const WaitTimes& then) const;
};

// Those of one class for one CPU.
struct SwitchWaits {
    uint32_t cpu;
    uint32_t sched_class;  // enum ktwin_sched_class
    WaitTimes times;
};

// Those of one PID namespace.
struct NsWaits {
    std::optional<uint32_t> ns;  // inode; none: all others
    WaitTimes times;
};

struct Agreement {
    uint64_t picks;
    uint64_t agreed;
    uint64_t unanswered;
    uint64_t grouped;  // differed, with tasks of groups queued

    // Of the picks that were answered, without those that groups may account for.
    std::optional<double> share() const;
    Agreement since(const Agreement& then) const;
};

struct RqTwin {
    uint32_t cpu;
    uint32_t why;  // KTWIN_RQ_*; 0: complete
    uint32_t queued;
    uint32_t tasks;
    uint64_t doubts;
    uint64_t idle_with_queued;
    uint64_t no_memory;
    // agreement[generation][class]
    std::array<std::array<Agreement, KTWIN_SCHED_CLASSES>, KTWIN_GENERATIONS> agreement;
};

// Who is queued on a CPU: the twin against the kernel, since the twins began.
struct RqAudit {
    uint32_t cpu;
    uint32_t why;  // KTWIN_RQ_*; 0: complete
    uint64_t passes;
    uint64_t skipped;
    uint64_t equal;
    uint64_t missing;  // confirmed differences
    uint64_t surplus;
    uint64_t throttled;  // sightings that the kernel means so
    uint64_t delayed;
    uint64_t transients;
    uint32_t last_kind;  // enum ktwin_rq_difference; 0: there was none
    std::optional<int32_t> last_tid;
    std::optional<uint64_t> last_ns;

    uint64_t differences() const { return missing + surplus; }
};

}  // namespace ktwin
