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
};

struct TaskSwitches {
    std::optional<int32_t> tid;
    std::optional<int32_t> tgid;
    bool hidden;  // another user's
    std::string comm;
    SwitchCounts counts;
};

// How long the tasks of one class waited for one CPU.
struct SwitchWaits {
    uint32_t cpu;
    uint32_t sched_class;  // enum ktwin_sched_class
    uint64_t sum_ns;
    std::array<uint64_t, KTWIN_WAIT_BUCKETS> buckets{};

    uint64_t count() const;
    // The end of the bucket that permille of 1000 waits do not go beyond; none without waits.
    std::optional<uint64_t> quantile_ns(uint32_t permille) const;
    SwitchWaits since(const SwitchWaits& then) const;
};

struct Agreement {
    uint64_t picks;
    uint64_t agreed;
    uint64_t unanswered;

    std::optional<double> share() const;  // of the picks that were answered
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

}  // namespace ktwin
