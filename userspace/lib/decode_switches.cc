// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstring>
#include <numeric>

#include "decode.h"

namespace ktwin {
namespace {

uint64_t grown(uint64_t now, uint64_t then) {
    return now > then ? now - then : 0;
}

template <size_t Size>
std::array<uint64_t, Size> grown(const std::array<uint64_t, Size>& now,
                                 const std::array<uint64_t, Size>& then) {
    std::array<uint64_t, Size> result;
    std::ranges::transform(now, then, result.begin(), [](uint64_t a, uint64_t b) { return grown(a, b); });
    return result;
}

template <size_t Size>
uint64_t sum(const std::array<uint64_t, Size>& values) {
    return std::accumulate(values.begin(), values.end(), uint64_t{0});
}

template <class Raw>
SwitchCounts counts(const Raw& raw) {
    SwitchCounts result;
    std::ranges::copy(raw.classes, result.classes.begin());
    std::ranges::copy(raw.leaves, result.leaves.begin());
    return result;
}

template <class Number>
std::optional<Number> unless_zero(Number value) {
    return value ? std::optional(value) : std::nullopt;
}

template <class Raw>
WaitTimes times(const Raw& raw) {
    WaitTimes result = {raw.sum_ns, {}};
    std::ranges::copy(raw.buckets, result.buckets.begin());
    return result;
}

}  // namespace

uint64_t SwitchCounts::total() const {
    return sum(leaves);
}

SwitchCounts& SwitchCounts::operator+=(const SwitchCounts& other) {
    std::ranges::transform(classes, other.classes, classes.begin(), std::plus<>());
    std::ranges::transform(leaves, other.leaves, leaves.begin(), std::plus<>());
    return *this;
}

SwitchCounts SwitchCounts::since(const SwitchCounts& then) const {
    return {grown(classes, then.classes), grown(leaves, then.leaves)};
}

uint64_t WaitTimes::count() const {
    return sum(buckets);
}

std::optional<uint64_t> WaitTimes::quantile_ns(uint32_t permille) const {
    const uint64_t all = count();
    if (!all) {
        return std::nullopt;
    }
    const uint64_t wanted =
        std::max<uint64_t>(1, all / 1000 * permille + (all % 1000 * permille + 999) / 1000);
    uint64_t below = 0;
    for (size_t i = 0; i < buckets.size(); i++) {
        below += buckets[i];
        if (below >= wanted) {
            return (uint64_t{1} << i) - 1;
        }
    }
    return std::nullopt;
}

WaitTimes WaitTimes::since(const WaitTimes& then) const {
    return {grown(sum_ns, then.sum_ns), grown(buckets, then.buckets)};
}

std::optional<double> Agreement::share() const {
    const uint64_t answered = grown(picks, unanswered + grouped);
    return answered ? std::optional(static_cast<double>(agreed) / static_cast<double>(answered))
                    : std::nullopt;
}

Agreement Agreement::since(const Agreement& then) const {
    return {grown(picks, then.picks), grown(agreed, then.agreed), grown(unanswered, then.unanswered),
            grown(grouped, then.grouped)};
}

CpuSwitches decode(const ktwin_switch_cpu& raw) {
    return {raw.cpu, counts(raw), raw.events, raw.events_lost};
}

TaskSwitches decode(const ktwin_switch_task& raw) {
    return {
        .tid = unless_zero(raw.tid),
        .tgid = unless_zero(raw.tgid),
        .hidden = (raw.flags & KTWIN_SWITCH_TASK_HIDDEN) != 0,
        // Never trusted to be terminated.
        .comm = {raw.comm, strnlen(raw.comm, sizeof(raw.comm))},
        .counts = counts(raw),
    };
}

SwitchWaits decode(const ktwin_switch_waits& raw) {
    return {raw.cpu, raw.sched_class, times(raw)};
}

NsWaits decode(const ktwin_ns_waits& raw) {
    return {unless_zero(raw.ns), times(raw)};
}

RqAudit decode(const ktwin_rq_audit& raw) {
    return {
        .cpu = raw.cpu,
        .why = raw.why,
        .passes = raw.passes,
        .skipped = raw.skipped,
        .equal = raw.equal,
        .missing = raw.missing,
        .surplus = raw.surplus,
        .throttled = raw.throttled,
        .delayed = raw.delayed,
        .transients = raw.transients,
        .last_kind = raw.last_kind,
        .last_tid = unless_zero(raw.last_tid),
        .last_ns = unless_zero<uint64_t>(raw.last_ns),
    };
}

RqTwin decode(const ktwin_rq_twin& raw) {
    RqTwin twin = {
        .cpu = raw.cpu,
        .why = raw.why,
        .queued = raw.queued,
        .tasks = raw.tasks,
        .doubts = raw.doubts,
        .idle_with_queued = raw.idle_with_queued,
        .no_memory = raw.no_memory,
        .agreement = {},
    };
    for (size_t i = 0; i < KTWIN_RQ_AGREEMENTS; i++) {
        const ktwin_rq_agreement& from = raw.agreement[i];
        twin.agreement[i / KTWIN_SCHED_CLASSES][i % KTWIN_SCHED_CLASSES] = {from.picks, from.agreed,
                                                                            from.unanswered, from.grouped};
    }
    return twin;
}

}  // namespace ktwin
