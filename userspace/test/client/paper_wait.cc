// SPDX-License-Identifier: GPL-2.0-only
// Who sleeps on what in the system of the paper kernel.
#include "paper_wait.h"

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

namespace ktwin {
namespace {

constexpr uint64_t second = 1000000000;
constexpr uint32_t sleeps = KTWIN_WAITER_TASK;

struct Answer {
    std::string_view file;
    uint32_t events;
    std::vector<ktwin_wait_head> heads;
    std::vector<ktwin_waiter> waiters;
};

ktwin_wait_head head(uint64_t hash, int32_t fd, uint32_t waiters) {
    return {.hash = hash, .parent = 0, .fd = fd, .flags = 0, .waiters = waiters, .depth = 0};
}

ktwin_waiter waiter(uint32_t head, uint32_t position, uint32_t kind, uint32_t flags, int32_t pid,
                    std::string_view comm) {
    ktwin_waiter raw = {};
    raw.head = head;
    raw.position = position;
    raw.kind = kind;
    raw.flags = flags;
    raw.tid = raw.tgid = pid;
    raw.state = pid ? 'S' : 0;
    raw.asleep_ns = pid ? pid * second / 100 : 0;
    comm.copy(raw.comm, sizeof(raw.comm));
    return raw;
}

// A connection that an epoll with two waiters watches, and somebody polls.
Answer connection(int32_t fd) {
    Answer answer = {"socket:tcp", POLLOUT | POLLWRNORM, {head(0xaa01, fd, 2), head(0xee01, fd, 2)}, {}};
    answer.heads[1].parent = 0xaa01;
    answer.heads[1].depth = 1;
    ktwin_waiter epoll = waiter(0, 0, KTWIN_KIND_EPOLL, KTWIN_WAITER_NEXT, 0, "");
    epoll.link = 0xee01;
    answer.waiters = {
        epoll,
        waiter(0, 1, KTWIN_KIND_POLL, sleeps | KTWIN_WAITER_NEXT, 900, "a\033b\xff"),
        waiter(1, 0, KTWIN_KIND_EPOLL_WAIT, sleeps | KTWIN_WAITER_EXCLUSIVE | KTWIN_WAITER_NEXT, 812,
               "nginx"),
        waiter(1, 1, KTWIN_KIND_EPOLL_WAIT, sleeps | KTWIN_WAITER_EXCLUSIVE, 813, "nginx"),
    };
    return answer;
}

// All that is not simply there to be seen.
Answer obscure(int32_t fd) {
    Answer answer = {"eventfd", 0, {head(0xaa02, fd, 70)}, {}};
    answer.heads[0].flags = KTWIN_HEAD_TRUNCATED;
    answer.waiters = {
        waiter(0, 0, KTWIN_KIND_BLOCKED, sleeps | KTWIN_WAITER_HIDDEN | KTWIN_WAITER_NEXT, 990, ""),
        waiter(0, 1, KTWIN_KIND_BLOCKED, sleeps | KTWIN_WAITER_NEXT, 0, ""),
        waiter(0, 2, KTWIN_KIND_UNKNOWN, KTWIN_WAITER_NEXT, 0, ""),
        waiter(0, 3, KTWIN_KIND_KERNEL, KTWIN_WAITER_NEXT, 0, ""),
        waiter(0, 4, KTWIN_KIND_BLOCKED, sleeps | KTWIN_WAITER_NEXT | KTWIN_WAITER_AWAKE, 991, "five"),
        waiter(0, 5, KTWIN_KIND_BLOCKED, sleeps | KTWIN_WAITER_NEXT, 992, "six"),
    };
    return answer;
}

// Several heads, each with more than one call has room for at first.
Answer crowd(int32_t fd) {
    Answer answer = {"tty", POLLIN, {}, {}};
    for (uint32_t i = 0; i < 2; i++) {
        answer.heads.push_back(head(0xaa10 + i, fd, 200));
        for (uint32_t position = 0; position < 200; position++) {
            answer.waiters.push_back(waiter(i, position, KTWIN_KIND_BLOCKED, sleeps | KTWIN_WAITER_EXCLUSIVE,
                                            static_cast<int32_t>(2000 + position), "many"));
        }
        answer.waiters.back().flags |= KTWIN_WAITER_NEXT;
    }
    return answer;
}

int give(ktwin_waiters& raw, const Answer& answer) {
    auto* heads = reinterpret_cast<ktwin_wait_head*>(static_cast<uintptr_t>(raw.heads));
    auto* waiters = reinterpret_cast<ktwin_waiter*>(static_cast<uintptr_t>(raw.waiters));
    for (const ktwin_wait_head& one : answer.heads) {
        heads[raw.heads_filled++] = one;
    }
    for (const ktwin_waiter& one : answer.waiters) {
        if (raw.waiters_filled == raw.waiters_room) {
            raw.flags |= KTWIN_WAITERS_MORE;
            break;
        }
        waiters[raw.waiters_filled++] = one;
    }
    raw.flags |= KTWIN_WAITERS_EVENTS;
    raw.events = answer.events;
    answer.file.copy(raw.file, sizeof(raw.file));
    return 0;
}

}  // namespace

int paper_waiters(ktwin_waiters& raw) {
    raw.flags = raw.heads_filled = raw.waiters_filled = 0;
    if (!raw.pid) {
        return paper_queue_waiters(raw);
    }
    if (raw.pid == 78) {
        return -EACCES;
    }
    if (raw.pid == 901 && raw.fd == 0) {
        return give(raw, {"pipe", 0, {head(0xaa05, 0, 0)}, {}});
    }
    if (raw.pid != 812) {
        return -ESRCH;
    }
    switch (raw.fd) {
        case 0:
            return give(raw, {"pipe",
                              0,
                              {head(0xaa00, 0, 1)},
                              {waiter(0, 0, KTWIN_KIND_BLOCKED,
                                      sleeps | KTWIN_WAITER_EXCLUSIVE | KTWIN_WAITER_NEXT, 812, "nginx")}});
        case 5:
            return give(raw, connection(5));
        case 7:
            return give(raw, {"pipe", POLLHUP, {head(0xaa07, 7, 0)}, {}});
        case 8:
            return -ENODATA;
        case 9:
            return give(raw, obscure(9));
        case 10:
            return give(raw, crowd(10));
        case 11:
            return give(raw, {"inotify", 0, {}, {}});
        case 20:
            return give(raw, {"eventpoll", 0, {head(0xee01, 20, 0)}, {}});
        case 1:
            raw.flags = KTWIN_WAITERS_REFUSED;
            std::snprintf(raw.file, sizeof(raw.file), "ext4");
            return 0;
        case 6:
            raw.flags = KTWIN_WAITERS_REFUSED;
            std::snprintf(raw.file, sizeof(raw.file), "io_uring");
            return 0;
        default:
            return -EBADF;
    }
}

int paper_sleep(ktwin_sleep& raw) {
    struct Sleeper {
        int32_t tid;
        int32_t tgid;
        uint32_t kind;
        std::vector<int32_t> fds;
        const char* file;
        const char* where;
        const char* comm;
    };
    static const Sleeper sleepers[] = {
        {812, 812, KTWIN_SLEEP_FD, {20}, "eventpoll", "ep_poll", "nginx"},
        {813, 812, KTWIN_SLEEP_FUTEX, {}, "", "futex_wait_queue", "worker"},
        {900, 900, KTWIN_SLEEP_CHILD, {}, "", "do_wait", "a\033b\xff"},
        {901, 901, KTWIN_SLEEP_FD, {0}, "pipe", "pipe_read", "c\"at\\"},
        {902, 902, KTWIN_SLEEP_FD, {3, 4}, "socket:tcp", "wait_woken", "curl"},
        {903, 903, KTWIN_SLEEP_AWAKE, {}, "", "", "busy"},
        {904, 904, KTWIN_SLEEP_OTHER, {}, "", "io_schedule", "disk"},
    };
    for (const Sleeper& sleeper : sleepers) {
        if (raw.tid != sleeper.tid) {
            continue;
        }
        raw.kind = sleeper.kind;
        raw.tgid = sleeper.tgid;
        raw.state = sleeper.kind == KTWIN_SLEEP_AWAKE ? 'R' : sleeper.kind == KTWIN_SLEEP_OTHER ? 'D' : 'S';
        raw.asleep_ns = sleeper.kind == KTWIN_SLEEP_AWAKE ? 0 : raw.tid * second / 100;
        for (const int32_t fd : sleeper.fds) {
            raw.fds[raw.fds_filled++] = fd;
        }
        raw.flags = sleeper.tid == 902 ? KTWIN_SLEEP_MORE_FDS : 0;
        std::snprintf(raw.file, sizeof(raw.file), "%s", sleeper.file);
        std::snprintf(raw.where, sizeof(raw.where), "%s", sleeper.where);
        std::snprintf(raw.comm, sizeof(raw.comm), "%s", sleeper.comm);
        return 0;
    }
    return raw.tid == 78 ? -EACCES : -ESRCH;
}

}  // namespace ktwin
