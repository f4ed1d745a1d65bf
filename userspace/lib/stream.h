// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <csignal>
#include <vector>

#include "ring.h"
#include "transport.h"

namespace ktwin {

// Events as they happen. Destroying it closes the kernel's stream.
class Stream {
  public:
    // fd: what KTWIN_IOC_STREAM returned.
    static Result<Stream> open(Fd fd);

    // Waits for events; false when none came. timeout_ms < 0: for ever. mask: the signals blocked meanwhile;
    // a signal that is not in it ends the wait with false.
    Result<bool> wait(int timeout_ms, const sigset_t* mask = nullptr);

    // Appends at most limit events and gives their room back to the kernel. Never blocks.
    Result<size_t> read(std::vector<Event>& events, size_t limit);

    uint64_t lost() const { return ring_.lost(); }
    uint32_t capacity() const { return ring_.capacity(); }

  private:
    Stream(FdTransport transport, Mapping mapping, Ring ring)
        : transport_(std::move(transport)), mapping_(std::move(mapping)), ring_(ring) {}

    FdTransport transport_;
    Mapping mapping_;
    Ring ring_;  // into mapping_, which keeps its address when moved
};

}  // namespace ktwin
