// SPDX-License-Identifier: GPL-2.0-only
// What the scheduler did, as plain values.
#pragma once

#include <uapi/ktwin.h>

#include <cstdint>
#include <optional>
#include <string>

namespace ktwin {

// Who a task is in an event. tid 0: the idle task, or one that has no number here.
struct SchedWho {
    int32_t tid = 0;
    int32_t tgid = 0;
    uint32_t flags = 0;  // KTWIN_WHO_*
    std::string comm;

    bool is(uint32_t flag) const { return (flags & flag) != 0; }
    auto operator<=>(const SchedWho&) const = default;
};

struct SchedEvent {
    uint64_t time_ns;
    uint64_t lost;  // events of this CPU since the one before
    uint32_t cpu;
    uint32_t kind;  // enum ktwin_sched_event_kind
    uint32_t queue_cpu;
    uint32_t to_cpu;
    std::optional<uint32_t> depth;  // tasks on queue_cpu's run queue
    uint32_t flags;                 // KTWIN_SCHED_EV_*
    char state;                     // a letter; '?' when it is none
    SchedWho task;
    SchedWho other;

    bool is(uint32_t flag) const { return (flags & flag) != 0; }
};

}  // namespace ktwin
