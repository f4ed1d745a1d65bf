// SPDX-License-Identifier: GPL-2.0-only
#include <cstring>

#include "decode.h"

namespace ktwin {
namespace {

SchedWho who(const ktwin_sched_who& raw) {
    // Never trusted to be terminated.
    return {raw.tid, raw.tgid, raw.flags, {raw.comm, strnlen(raw.comm, sizeof(raw.comm))}};
}

bool is_letter(uint32_t state) {
    return (state >= 'A' && state <= 'Z') || (state >= 'a' && state <= 'z');
}

}  // namespace

SchedEvent decode(const ktwin_sched_event& raw) {
    return {
        .time_ns = raw.time_ns,
        .lost = raw.lost,
        .cpu = raw.cpu,
        .kind = raw.kind,
        .queue_cpu = raw.queue_cpu,
        .to_cpu = raw.to_cpu,
        .depth = raw.depth == KTWIN_DEPTH_UNKNOWN ? std::nullopt : std::optional(raw.depth),
        .flags = raw.flags,
        .state = is_letter(raw.state) ? static_cast<char>(raw.state) : '?',
        .task = who(raw.task),
        .other = who(raw.other),
    };
}

}  // namespace ktwin
