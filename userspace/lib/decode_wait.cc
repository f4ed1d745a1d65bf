// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstring>

#include "decode.h"

namespace ktwin {
namespace {

template <class T>
std::optional<T> unless_zero(T value) {
    return value ? std::optional<T>(value) : std::nullopt;
}

// Never trusted to be terminated.
template <size_t Size>
std::string text(const char (&bytes)[Size]) {
    return {bytes, strnlen(bytes, Size)};
}

char letter(uint32_t state) {
    return state > ' ' && state < 0x7f ? static_cast<char>(state) : '\0';
}

}  // namespace

Waiter decode(const ktwin_waiter& raw) {
    const bool hidden = (raw.flags & KTWIN_WAITER_HIDDEN) != 0;
    return {
        .head = raw.head,
        .position = raw.position,
        .kind = raw.kind,
        .flags = raw.flags,
        .tid = unless_zero<int32_t>(raw.tid),
        .tgid = unless_zero<int32_t>(raw.tgid),
        .asleep_ns = unless_zero<uint64_t>(raw.asleep_ns),
        .link = unless_zero<uint64_t>(raw.link),
        .state = hidden ? '\0' : letter(raw.state),
        .comm = hidden ? std::string() : text(raw.comm),
    };
}

WaitHead decode(const ktwin_wait_head& raw) {
    return {
        .hash = raw.hash,
        .parent = unless_zero<uint64_t>(raw.parent),
        .fd = raw.fd >= 0 ? std::optional<int32_t>(raw.fd) : std::nullopt,
        .truncated = (raw.flags & KTWIN_HEAD_TRUNCATED) != 0,
        .waiters = raw.waiters,
        .depth = raw.depth,
    };
}

Sleep decode(const ktwin_sleep& raw) {
    const bool hidden = (raw.flags & KTWIN_SLEEP_HIDDEN) != 0;
    const size_t fds = std::min<size_t>(raw.fds_filled, std::size(raw.fds));
    return {
        .tid = raw.tid,
        .tgid = unless_zero<int32_t>(raw.tgid),
        .kind = raw.kind,
        .state = hidden ? '\0' : letter(raw.state),
        .asleep_ns = unless_zero<uint64_t>(raw.asleep_ns),
        .hidden = hidden,
        .more_fds = (raw.flags & KTWIN_SLEEP_MORE_FDS) != 0,
        .fds = {raw.fds, raw.fds + fds},
        .file = text(raw.file),
        .where = text(raw.where),
        .comm = hidden ? std::string() : text(raw.comm),
    };
}

WaitStats decode(const ktwin_wait_stats& raw) {
    return {
        .sequence = raw.sequence,
        .waiters = raw.waiters,
        .waits = raw.waits,
        .wakes = raw.wakes,
        .wakes_empty = raw.wakes_empty,
        .woken = raw.woken,
        .futile = raw.futile,
        .timeouts = raw.timeouts,
        .signals = raw.signals,
        .herds = raw.herds,
        .herd_most = raw.herd_most,
        .unknown = raw.unknown,
        .queue = raw.queue,
    };
}

}  // namespace ktwin
