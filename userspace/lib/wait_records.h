// SPDX-License-Identifier: GPL-2.0-only
// Who sleeps on what, as plain values. As in records.h: numbers are in the caller's PID namespace, and what is not
// known or not visible is an empty optional.
#pragma once

#include <uapi/ktwin.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ktwin {

struct Waiter {
    uint32_t head;      // index into WaitList::heads
    uint32_t position;  // in the head's wake order
    uint32_t kind;      // enum ktwin_wait_kind
    uint32_t flags;     // KTWIN_WAITER_*
    std::optional<int32_t> tid;
    std::optional<int32_t> tgid;
    std::optional<uint64_t> asleep_ns;
    std::optional<uint64_t> link;  // EPOLL: hash of the epoll's own head
    char state;                    // the letter ps shows; 0: hidden, or no task
    std::string comm;

    bool is(uint32_t flag) const { return (flags & flag) != 0; }
};

struct WaitHead {
    uint64_t hash;
    std::optional<uint64_t> parent;  // hash of the head that an epoll waiter led from; none: the file's own
    std::optional<int32_t> fd;
    bool truncated;    // has more waiters than are listed
    uint32_t waiters;  // at the instant it was listed
    uint32_t depth;    // 0: the file's own
};

// The heads behind one file, and their waiters by head, then in wake order.
struct WaitList {
    std::string file;                // "pipe", "socket:unix"...
    std::optional<uint32_t> events;  // POLL*, what poll(2) would say
    std::vector<WaitHead> heads;
    std::vector<Waiter> waiters;
    bool more_heads;    // there were more than a call can list
    bool more_waiters;  // the same
    bool refused;       // not looked into: its poll does more than look, or it has none

    bool complete() const { return !more_heads && !more_waiters; }
};

// What one task sleeps on.
struct Sleep {
    int32_t tid;
    std::optional<int32_t> tgid;
    uint32_t kind;  // enum ktwin_sleep_kind
    char state;     // the letter ps shows; 0: hidden
    std::optional<uint64_t> asleep_ns;
    bool hidden;               // another user's
    bool more_fds;             // sleeps on more fds than are listed
    std::vector<int32_t> fds;  // its own, on whose queues it sleeps
    std::string file;          // what the first one is
    std::string where;         // the kernel function it sleeps in
    std::string comm;
};

// How to sleep on a laboratory queue; see struct ktwin_wait.
struct WaitRequest {
    uint32_t flags = 0;  // KTWIN_WAIT_*
    ktwin_wait_mode mode = KTWIN_WAIT_INTERRUPTIBLE;
    uint64_t timeout_ns = 0;  // 0: for ever
    uint64_t sequence = 0;    // with KTWIN_WAIT_SEQUENCE
    uint64_t race_ns = 0;     // with KTWIN_WAIT_RACY
};

enum class WaitEnd { woken, timed_out, interrupted, closed };

struct WaitResult {
    WaitEnd end;
    // Known when it was woken only: the kernel answers no call that failed.
    uint64_t sequence;
    uint64_t slept_ns;
    uint64_t wakes;
    uint64_t order;
};

struct WakeRequest {
    uint32_t flags = 0;  // KTWIN_WAKE_*
    ktwin_wake_mode mode = KTWIN_WAKE_NORMAL;
    uint32_t nr = 1;    // exclusive sleepers; 0: all
    uint32_t post = 0;  // tokens
};

struct WakeResult {
    uint32_t woken;
    uint64_t sequence;
};

struct WaitStats {
    uint64_t sequence;
    uint64_t waiters;  // queued now
    uint64_t waits;
    uint64_t wakes;
    uint64_t wakes_empty;  // with nobody queued
    uint64_t woken;
    uint64_t futile;  // of those, went back to sleep without progress
    uint64_t timeouts;
    uint64_t signals;
    uint64_t herds;
    uint64_t herd_most;
    uint64_t unknown;  // of the woken, what became of them is not known
    uint32_t queue;    // serial number
};

}  // namespace ktwin
