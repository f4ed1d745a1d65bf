// SPDX-License-Identifier: GPL-2.0-only
#include "waiters.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "decode.h"
#include "room.h"

namespace ktwin {
namespace {

// What one call can fill at most, see struct ktwin_waiters.
constexpr size_t most_heads = 64;
constexpr size_t most_waiters = 65536;

}  // namespace

std::expected<WaitList, int> read_waiters(Transport& transport, int32_t pid, int32_t fd, uint32_t ns) {
    std::vector<ktwin_wait_head> heads(16);
    std::vector<ktwin_waiter> waiters(256);
    ktwin_waiters raw;
    // The sizes only grow, so this ends.
    for (bool again = true; again;) {
        raw = {};
        raw.size = sizeof(raw);
        raw.pid = pid;
        raw.fd = fd;
        raw.ns = ns;
        raw.head_size = sizeof(ktwin_wait_head);
        raw.heads = address(heads.data());
        raw.heads_room = static_cast<uint32_t>(heads.size());
        raw.waiter_size = sizeof(ktwin_waiter);
        raw.waiters = address(waiters.data());
        raw.waiters_room = static_cast<uint32_t>(waiters.size());
        const int result = transport.control(KTWIN_IOC_WAITERS, &raw);
        if (result < 0) {
            return std::unexpected(result);
        }
        const bool heads_grown = (raw.flags & KTWIN_WAITERS_MORE_HEADS) && grow(heads, most_heads);
        const bool waiters_grown = (raw.flags & KTWIN_WAITERS_MORE) && grow(waiters, most_waiters);
        again = heads_grown || waiters_grown;
    }
    if (raw.heads_filled > heads.size() || raw.waiters_filled > waiters.size()) {
        return std::unexpected(-EPROTO);
    }

    WaitList list = {
        .file = {raw.file, strnlen(raw.file, sizeof(raw.file))},
        .events = raw.flags & KTWIN_WAITERS_EVENTS ? std::optional(raw.events) : std::nullopt,
        .heads = {},
        .waiters = {},
        .more_heads = (raw.flags & KTWIN_WAITERS_MORE_HEADS) != 0,
        .more_waiters = (raw.flags & KTWIN_WAITERS_MORE) != 0,
        .refused = (raw.flags & KTWIN_WAITERS_REFUSED) != 0,
    };
    for (uint32_t i = 0; i < raw.heads_filled; i++) {
        list.heads.push_back(decode(heads[i]));
    }
    for (uint32_t i = 0; i < raw.waiters_filled; i++) {
        if (waiters[i].head >= raw.heads_filled) {
            return std::unexpected(-EPROTO);
        }
        list.waiters.push_back(decode(waiters[i]));
    }
    std::ranges::stable_sort(list.waiters, {},
                             [](const Waiter& waiter) { return std::tuple(waiter.head, waiter.position); });
    return list;
}

}  // namespace ktwin
