// SPDX-License-Identifier: GPL-2.0-only
// What is queued on the CPUs, and where ktwin found the fields it reads that from, as plain values. As in records.h:
// numbers are in the caller's PID namespace, and what is not known or not visible is an empty optional.
#pragma once

#include <uapi/ktwin.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ktwin {

// What a task is on its run queue by; not known of another user's.
struct RqFigures {
    uint32_t policy;  // SCHED_*
    int32_t prio;     // the kernel's, 0 is best
    int32_t static_prio;
    int32_t normal_prio;
    int32_t nice;
    std::optional<uint64_t> vruntime;  // fair
    std::optional<int64_t> lag;        // fair
    std::optional<uint64_t> slice_ns;
    std::optional<uint64_t> deadline;  // EEVDF: in vruntime; deadline: in the queue's clock
    uint64_t run_delay_ns;
    uint64_t pcount;
    uint64_t last_arrival_ns;           // in the queue's clock
    std::optional<uint64_t> queued_ns;  // none: it runs, or does not wait
};

struct RqTask {
    int32_t tid;
    int32_t tgid;
    uint32_t cpu;
    uint32_t task_class;  // enum ktwin_sched_class
    uint32_t position;    // in the order its class would pick
    uint32_t flags;       // KTWIN_RQ_TASK_*
    uint32_t depth;       // groups that it is in
    std::optional<uint64_t> group;
    std::optional<RqFigures> figures;
    std::string comm;

    bool is(uint32_t flag) const { return (flags & flag) != 0; }
};

struct RqName {
    std::optional<int32_t> tid;
    std::optional<int32_t> tgid;
    std::string comm;
};

// A run queue at one instant; its tasks by class, in the order they would be picked.
struct RunQueue {
    uint32_t cpu;
    uint32_t flags;  // KTWIN_RQ_*
    uint32_t nr_running;
    uint32_t nr_deadline;
    uint32_t nr_rt;
    uint32_t nr_fair;
    uint32_t unlisted;   // no room
    uint32_t elsewhere;  // no number here
    uint64_t nr_switches;
    uint64_t clock_ns;
    uint64_t hold_ns;
    RqName curr;
    RqName idle;
    RqName stop;
    std::vector<RqTask> tasks;

    bool is(uint32_t flag) const { return (flags & flag) != 0; }
};

struct RunQueues {
    std::vector<RunQueue> cpus;
    uint64_t longest_ns;  // that a lock was held since load
    bool complete;        // there was room for all
};

// A field of a kernel struct that ktwin uses.
struct LayoutField {
    uint32_t group;                 // enum ktwin_layout_group
    std::string name;               // struct.member
    std::optional<int32_t> offset;  // none: not known, or this kernel has none
    uint32_t length;
    bool compared;        // the headers say the same
    std::string missing;  // empty: its group is known
    std::string why;
};

}  // namespace ktwin
