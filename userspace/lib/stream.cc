// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "message.h"

namespace ktwin {

Result<Stream> Stream::open(Fd fd) {
    FdTransport transport(std::move(fd));
    size_t length = 0;
    {
        // How long the whole is stands in the first page.
        const Result<Mapping> first =
            Mapping::map(transport.fd(), static_cast<size_t>(sysconf(_SC_PAGESIZE)));
        if (!first) {
            return std::unexpected(first.error());
        }
        const Result<size_t> bytes = Ring::length(first->bytes());
        if (!bytes) {
            return std::unexpected(bytes.error());
        }
        length = *bytes;
    }
    Result<Mapping> mapping = Mapping::map(transport.fd(), length);
    if (!mapping) {
        return std::unexpected(mapping.error());
    }
    const Result<Ring> ring = Ring::open(mapping->bytes());
    if (!ring) {
        return std::unexpected(ring.error());
    }
    return Stream(std::move(transport), std::move(*mapping), *ring);
}

Result<bool> Stream::wait(int timeout_ms, const sigset_t* mask) {
    pollfd entry = {.fd = transport_.fd(), .events = POLLIN, .revents = 0};
    const timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
    const int ready = ppoll(&entry, 1, timeout_ms < 0 ? nullptr : &timeout, mask);
    if (ready < 0 && errno == EINTR) {
        return false;
    }
    if (ready < 0) {
        return std::unexpected(failure("cannot wait for events", errno));
    }
    if (ready > 0 && !(entry.revents & POLLIN)) {
        return std::unexpected(failure("event stream", EPIPE, "the module ended it"));
    }
    return ready > 0;
}

Result<size_t> Stream::read(std::vector<Event>& events, size_t limit) {
    const Result<size_t> count = ring_.take(events, limit);
    if (!count || *count == 0) {
        return count;
    }
    ktwin_stream_ack ack = {.size = sizeof(ack), .flags = 0, .tail = ring_.next()};
    const int result = transport_.control(KTWIN_IOC_STREAM_ACK, &ack);
    if (result < 0) {
        return std::unexpected(failure("cannot acknowledge events", -result));
    }
    return count;
}

}  // namespace ktwin
