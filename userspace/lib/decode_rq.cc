// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstring>

#include "decode.h"

namespace ktwin {
namespace {

template <class T>
std::optional<T> when(bool known, T value) {
    return known ? std::optional<T>(value) : std::nullopt;
}

// Never trusted to be terminated.
template <size_t Size>
std::string text(const char (&bytes)[Size]) {
    return {bytes, strnlen(bytes, Size)};
}

RqFigures figures(const ktwin_rq_task& raw, bool eevdf) {
    const bool fair = raw.sched_class == KTWIN_SCHED_FAIR;
    const bool throttled = fair && (raw.flags & KTWIN_RQ_TASK_THROTTLED) != 0;
    return {
        .policy = raw.policy,
        .prio = raw.prio,
        .static_prio = raw.static_prio,
        .normal_prio = raw.normal_prio,
        .nice = raw.nice,
        .vruntime = when<uint64_t>(fair, raw.vruntime),
        .lag = when<int64_t>(fair && !throttled, raw.lag),
        .slice_ns = when<uint64_t>(raw.slice_ns != 0, raw.slice_ns),
        .deadline = when<uint64_t>((fair && eevdf) || raw.sched_class == KTWIN_SCHED_DEADLINE, raw.deadline),
        .run_delay_ns = raw.run_delay_ns,
        .pcount = raw.pcount,
        .last_arrival_ns = raw.last_arrival_ns,
        .queued_ns = when<uint64_t>(raw.queued_ns != 0, raw.queued_ns),
    };
}

RqName decode(const ktwin_rq_name& raw) {
    return {
        .tid = when<int32_t>(raw.tid != 0, raw.tid),
        .tgid = when<int32_t>(raw.tgid != 0, raw.tgid),
        .comm = text(raw.comm),
    };
}

}  // namespace

RqTask decode(const ktwin_rq_task& raw, bool eevdf) {
    const bool hidden = (raw.flags & KTWIN_RQ_TASK_HIDDEN) != 0;
    return {
        .tid = raw.tid,
        .tgid = raw.tgid,
        .cpu = raw.cpu,
        .task_class = raw.sched_class,
        .position = raw.position,
        .flags = raw.flags,
        .depth = raw.depth,
        .group = when<uint64_t>(raw.group != 0, raw.group),
        .figures = hidden ? std::nullopt : std::optional(figures(raw, eevdf)),
        .comm = hidden ? std::string() : text(raw.comm),
    };
}

RunQueue decode(const ktwin_rq_cpu& raw) {
    return {
        .cpu = raw.cpu,
        .flags = raw.flags,
        .nr_running = raw.nr_running,
        .nr_deadline = raw.nr_deadline,
        .nr_rt = raw.nr_rt,
        .nr_fair = raw.nr_fair,
        .unlisted = raw.unlisted,
        .elsewhere = raw.elsewhere,
        .nr_switches = raw.nr_switches,
        .clock_ns = raw.clock_ns,
        .hold_ns = raw.hold_ns,
        .curr = decode(raw.curr),
        .idle = decode(raw.idle),
        .stop = decode(raw.stop),
        .tasks = {},
    };
}

LayoutField decode(const ktwin_layout& raw) {
    return {
        .group = raw.group,
        .name = text(raw.name),
        .offset = when<int32_t>((raw.flags & KTWIN_LAYOUT_KNOWN) != 0, raw.offset),
        .length = raw.length,
        .compared = (raw.flags & KTWIN_LAYOUT_COMPARED) != 0,
        .missing = text(raw.missing),
        .why = text(raw.why),
    };
}

}  // namespace ktwin
