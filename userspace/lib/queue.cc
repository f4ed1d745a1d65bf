// SPDX-License-Identifier: GPL-2.0-only
#include "queue.h"

#include <cerrno>
#include <optional>

#include "decode.h"
#include "message.h"
#include "waiters.h"

namespace ktwin {
namespace {

std::optional<WaitEnd> end_of(int result) {
    switch (result) {
        case -ETIMEDOUT:
            return WaitEnd::timed_out;
        case -EINTR:
            return WaitEnd::interrupted;
        case -EIDRM:
            return WaitEnd::closed;
        default:
            return result < 0 ? std::nullopt : std::optional(WaitEnd::woken);
    }
}

}  // namespace

Result<WaitResult> Queue::wait(const WaitRequest& request) const {
    ktwin_wait raw = {};
    raw.size = sizeof(raw);
    raw.flags = request.flags;
    raw.mode = request.mode;
    raw.timeout_ns = request.timeout_ns;
    raw.sequence = request.sequence;
    raw.race_ns = request.race_ns;
    const int result = transport_->control(KTWIN_IOC_QUEUE_WAIT, &raw);
    const std::optional<WaitEnd> end = end_of(result);
    if (!end) {
        return std::unexpected(failure("cannot sleep on the queue", -result));
    }
    if (*end != WaitEnd::woken) {
        return WaitResult{*end, 0, 0, 0, 0};
    }
    return WaitResult{*end, raw.sequence, raw.slept_ns, raw.wakes, raw.order};
}

Result<WakeResult> Queue::wake(const WakeRequest& request) const {
    ktwin_wake raw = {};
    raw.size = sizeof(raw);
    raw.flags = request.flags;
    raw.mode = request.mode;
    raw.nr = request.nr;
    raw.post = request.post;
    const int result = transport_->control(KTWIN_IOC_QUEUE_WAKE, &raw);
    if (result < 0) {
        const std::string_view advice = result == -EIDRM       ? "the queue was closed"
                                        : result == -EOVERFLOW ? "a queue holds at most 4294967295 tokens"
                                                               : "";
        return std::unexpected(failure("cannot wake the queue", -result, advice));
    }
    return WakeResult{raw.woken, raw.sequence};
}

Result<WaitStats> Queue::stats() const {
    ktwin_wait_stats raw = {};
    raw.size = sizeof(raw);
    const int result = transport_->control(KTWIN_IOC_QUEUE_STATS, &raw);
    if (result < 0) {
        return std::unexpected(failure("cannot read the queue's counters", -result));
    }
    return decode(raw);
}

Result<WaitList> Queue::waiters() const {
    std::expected<WaitList, int> list = read_waiters(*transport_, 0, 0, 0);
    if (!list) {
        return std::unexpected(failure("cannot list the queue", -list.error()));
    }
    return std::move(*list);
}

}  // namespace ktwin
