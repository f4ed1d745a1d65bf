// SPDX-License-Identifier: GPL-2.0-only
// Waiters, sleeps and laboratory queues: decoding, buffers that grow, errors in words.
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <cstring>

#include "lib/decode.h"
#include "lib/names.h"
#include "paper.h"

namespace ktwin {
namespace {

TEST(Wait, HiddenWaiterShowsNothing) {
    ktwin_waiter raw = {};
    raw.flags = KTWIN_WAITER_TASK | KTWIN_WAITER_HIDDEN;
    raw.state = 'S';
    std::strcpy(raw.comm, "secret");
    const Waiter waiter = decode(raw);
    EXPECT_EQ(waiter.comm, "");
    EXPECT_EQ(waiter.state, '\0');
    EXPECT_FALSE(waiter.tid || waiter.tgid || waiter.asleep_ns || waiter.link);
    EXPECT_TRUE(waiter.is(KTWIN_WAITER_HIDDEN));
    EXPECT_FALSE(waiter.is(KTWIN_WAITER_NEXT));
}

TEST(Wait, SleepBeyondItsArrays) {
    ktwin_sleep raw = {};
    raw.fds_filled = UINT32_MAX;
    std::memset(raw.file, 'f', sizeof(raw.file));
    std::memset(raw.where, 'w', sizeof(raw.where));
    std::memset(raw.comm, 'c', sizeof(raw.comm));
    raw.state = 27;
    const Sleep sleep = decode(raw);
    EXPECT_EQ(sleep.fds.size(), 16U);
    EXPECT_EQ(sleep.file, std::string(32, 'f'));
    EXPECT_EQ(sleep.where, std::string(64, 'w'));
    EXPECT_EQ(sleep.comm, std::string(16, 'c'));
    EXPECT_EQ(sleep.state, '\0');
}

TEST(Wait, HeadWithoutFd) {
    ktwin_wait_head raw = {};
    raw.fd = -1;
    raw.flags = KTWIN_HEAD_TRUNCATED;
    EXPECT_FALSE(decode(raw).fd);
    EXPECT_FALSE(decode(raw).parent);
    EXPECT_TRUE(decode(raw).truncated);
    raw.fd = 0;
    EXPECT_EQ(decode(raw).fd, 0);
}

TEST(Wait, Names) {
    EXPECT_EQ(wait_kind_name(KTWIN_KIND_EPOLL_WAIT), "epoll_wait");
    EXPECT_EQ(wait_kind_name(99), "kind_99");
    EXPECT_EQ(sleep_kind_name(KTWIN_SLEEP_CHILD), "child");
    EXPECT_EQ(sleep_kind_phrase(77), "on something of unknown kind 77");
    EXPECT_EQ(join(waiter_flag_names(KTWIN_WAITER_EXCLUSIVE | 1U << 20), ","), "exclusive,bit_20");
    EXPECT_EQ(join(poll_event_names(POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLRDHUP), ","),
              "in,out,rdhup");
}

// A file with heads of waiters each, listed as far as there is room.
Handler waiter_server(uint32_t heads, uint32_t waiters, int* calls = nullptr) {
    return [=](unsigned long command, void* argument) {
        EXPECT_EQ(command, static_cast<unsigned long>(KTWIN_IOC_WAITERS));
        auto& raw = *static_cast<ktwin_waiters*>(argument);
        EXPECT_EQ(raw.size, sizeof(raw));
        EXPECT_EQ(raw.head_size, sizeof(ktwin_wait_head));
        EXPECT_EQ(raw.waiter_size, sizeof(ktwin_waiter));
        if (calls) {
            ++*calls;
        }
        raw.heads_filled = std::min(heads, raw.heads_room);
        raw.flags = raw.heads_filled < heads ? KTWIN_WAITERS_MORE_HEADS : 0;
        raw.waiters_filled = 0;
        for (uint32_t head = 0; head < raw.heads_filled; head++) {
            at<ktwin_wait_head>(raw.heads)[head] = {};
            at<ktwin_wait_head>(raw.heads)[head].waiters = waiters;
            for (uint32_t i = 0; i < waiters; i++) {
                if (raw.waiters_filled == raw.waiters_room) {
                    raw.flags |= KTWIN_WAITERS_MORE;
                    break;
                }
                // Last head and position first: the order must not be taken on trust.
                ktwin_waiter& waiter = at<ktwin_waiter>(raw.waiters)[raw.waiters_filled++];
                waiter = {};
                waiter.head = raw.heads_filled - 1 - head;
                waiter.position = waiters - 1 - i;
            }
        }
        return 0;
    };
}

TEST(Wait, ListGrowsUntilAllIsThere) {
    int calls = 0;
    const auto list = device(waiter_server(20, 100, &calls)).waiters(1, 2, 0);
    ASSERT_TRUE(list);
    EXPECT_EQ(list->heads.size(), 20U);
    ASSERT_EQ(list->waiters.size(), 2000U);
    EXPECT_TRUE(list->complete());
    EXPECT_EQ(calls, 3);
    for (uint32_t i = 0; i < 2000; i++) {
        ASSERT_EQ(list->waiters[i].head, i / 100);
        ASSERT_EQ(list->waiters[i].position, i % 100);
    }
}

TEST(Wait, ListEndsAtWhatACallCanFill) {
    const auto list = device(waiter_server(100, 2000)).waiters(1, 2, 0);
    ASSERT_TRUE(list);
    EXPECT_EQ(list->heads.size(), 64U);
    EXPECT_EQ(list->waiters.size(), 65536U);
    EXPECT_TRUE(list->more_heads);
    EXPECT_TRUE(list->more_waiters);
    EXPECT_FALSE(list->complete());
}

TEST(Wait, AnswersThatMakeNoSense) {
    auto too_many = device([](unsigned long, void* argument) {
        static_cast<ktwin_waiters*>(argument)->waiters_filled = UINT32_MAX;
        return 0;
    });
    EXPECT_EQ(too_many.waiters(1, 2, 0).error().code, EPROTO);
    auto no_such_head = device([](unsigned long, void* argument) {
        auto& raw = *static_cast<ktwin_waiters*>(argument);
        raw.heads_filled = raw.waiters_filled = 1;
        at<ktwin_waiter>(raw.waiters)[0].head = 1;
        return 0;
    });
    EXPECT_EQ(no_such_head.waiters(1, 2, 0).error().code, EPROTO);
}

TEST(Wait, WatchThatIsRefusedSaysWhy) {
    auto asked = device([](unsigned long command, void* argument) {
        const auto& raw = *static_cast<ktwin_watch*>(argument);
        EXPECT_EQ(command, static_cast<unsigned long>(KTWIN_IOC_WATCH));
        EXPECT_TRUE(raw.size == sizeof(raw) && raw.pid == 12 && raw.fd == 3 && raw.ns == 7);
        EXPECT_FALSE(raw.flags || raw.zero);
        return -EBUSY;
    });
    EXPECT_EQ(asked.watch(12, 3, 7).error().code, EBUSY);
    EXPECT_NE(failing(EOPNOTSUPP).watch(1, 2, 0).error().message.find("only pipes"), std::string::npos);
}

TEST(Wait, WatchedCountersAndTheirEnd) {
    const Watch watch(std::make_unique<Paper>([](unsigned long command, void* argument) {
        auto& raw = *static_cast<ktwin_wait_stats*>(argument);
        EXPECT_EQ(command, static_cast<unsigned long>(KTWIN_IOC_QUEUE_STATS));
        EXPECT_EQ(raw.size, sizeof(raw));
        raw.woken = 9;
        raw.unknown = 4;
        raw.queue = 3;
        return 0;
    }));
    ASSERT_TRUE(watch.stats());
    EXPECT_EQ(watch.stats()->woken, 9U);
    EXPECT_EQ(watch.stats()->unknown, 4U);
    EXPECT_EQ(watch.stats()->queue, 3U);
    const Watch ended(std::make_unique<Paper>([](unsigned long, void*) { return -EIDRM; }));
    EXPECT_EQ(ended.stats().error().code, EIDRM);
}

TEST(Wait, RefusedFileIsAnAnswer) {
    const auto list = device([](unsigned long, void* argument) {
                          auto& raw = *static_cast<ktwin_waiters*>(argument);
                          raw.flags = KTWIN_WAITERS_REFUSED;
                          raw.events = POLLIN;
                          std::strcpy(raw.file, "io_uring");
                          return 0;
                      }).waiters(12, 3, 0);
    ASSERT_TRUE(list);
    EXPECT_TRUE(list->refused);
    EXPECT_EQ(list->file, "io_uring");
    EXPECT_FALSE(list->events);
}

TEST(Wait, ErrorsSayWhatToDo) {
    EXPECT_EQ(failing(EBADF).waiters(12, 3, 0).error().message,
              "fd 3 of process 12: Bad file descriptor: it has no such fd: see /proc/PID/fd");
    EXPECT_EQ(
        failing(ENODATA).waiters(12, 3, 77).error().message,
        "fd 3 of process 12 in namespace 77: No data available: the mirror is off (ktwin mirror on), or a "
        "layout of this kernel is not known (dmesg)");
    EXPECT_EQ(failing(ENODATA).waiters(12, 3, 0).error().message,
              "fd 3 of process 12: No data available: the module does not know a layout of this kernel that "
              "this needs: dmesg says which");
    EXPECT_EQ(failing(EACCES).sleep(12, 0).error().message,
              "task 12: Permission denied: it is another user's, or privileged: run as root "
              "(CAP_SYS_PTRACE)");
    EXPECT_EQ(failing(ESRCH).sleep(12, 0).error().code, ESRCH);
    EXPECT_EQ(failing(ENOMEM).queue(KTWIN_BACKEND_TWIN).error().message,
              "cannot open a wait queue: Cannot allocate memory");
}

Queue queue(Handler handler) {
    return Queue(std::make_unique<Paper>(std::move(handler)));
}

TEST(WaitQueue, SleepEndsInFourWays) {
    constexpr std::pair<int, WaitEnd> ends[] = {{-ETIMEDOUT, WaitEnd::timed_out},
                                                {-EINTR, WaitEnd::interrupted},
                                                {-EIDRM, WaitEnd::closed},
                                                {0, WaitEnd::woken}};
    for (const auto& [code, end] : ends) {
        const auto result = queue([&](unsigned long, void* argument) {
                                static_cast<ktwin_wait*>(argument)->order = 7;
                                return code;
                            }).wait({});
        ASSERT_TRUE(result);
        EXPECT_EQ(result->end, end);
        EXPECT_EQ(result->order, end == WaitEnd::woken ? 7U : 0U);
    }
    EXPECT_EQ(queue([](unsigned long, void*) { return -EPERM; }).wait({}).error().code, EPERM);
}

TEST(WaitQueue, PassesOnWhatWasAsked) {
    const Queue asked = queue([](unsigned long command, void* argument) {
        switch (command) {
            case KTWIN_IOC_QUEUE_WAIT: {
                auto& raw = *static_cast<ktwin_wait*>(argument);
                EXPECT_EQ(raw.size, sizeof(raw));
                EXPECT_EQ(raw.flags, KTWIN_WAIT_EXCLUSIVE | KTWIN_WAIT_SEQUENCE);
                EXPECT_EQ(raw.mode, uint32_t{KTWIN_WAIT_KILLABLE});
                EXPECT_EQ(raw.timeout_ns, 5U);
                EXPECT_EQ(raw.sequence, 6U);
                raw.sequence = 9, raw.wakes = 2, raw.slept_ns = 3;
                return 0;
            }
            case KTWIN_IOC_QUEUE_WAKE: {
                auto& raw = *static_cast<ktwin_wake*>(argument);
                EXPECT_EQ(raw.nr, 2U);
                EXPECT_EQ(raw.post, 4U);
                EXPECT_EQ(raw.flags, KTWIN_WAKE_SYNC);
                EXPECT_EQ(raw.mode, uint32_t{KTWIN_WAKE_INTERRUPTIBLE});
                raw.woken = 3, raw.sequence = 10;
                return 0;
            }
            case KTWIN_IOC_QUEUE_STATS:
                static_cast<ktwin_wait_stats*>(argument)->futile = 99;
                return 0;
            default:
                return waiter_server(1, 3)(command, argument);
        }
    });
    const auto slept = asked.wait({.flags = KTWIN_WAIT_EXCLUSIVE | KTWIN_WAIT_SEQUENCE,
                                   .mode = KTWIN_WAIT_KILLABLE,
                                   .timeout_ns = 5,
                                   .sequence = 6});
    EXPECT_EQ(slept->sequence, 9U);
    EXPECT_EQ(slept->wakes, 2U);
    EXPECT_EQ(slept->slept_ns, 3U);
    const auto woken =
        asked.wake({.flags = KTWIN_WAKE_SYNC, .mode = KTWIN_WAKE_INTERRUPTIBLE, .nr = 2, .post = 4});
    EXPECT_EQ(woken->woken, 3U);
    EXPECT_EQ(woken->sequence, 10U);
    EXPECT_EQ(asked.stats()->futile, 99U);
    EXPECT_EQ(asked.waiters()->waiters.size(), 3U);
}

TEST(WaitQueue, ErrorsSayWhatToDo) {
    const auto refusing = [](int code) { return queue([code](unsigned long, void*) { return -code; }); };
    EXPECT_EQ(refusing(EIDRM).wake({}).error().message,
              "cannot wake the queue: Identifier removed: the queue was closed");
    EXPECT_EQ(refusing(EOVERFLOW).wake({}).error().code, EOVERFLOW);
    EXPECT_EQ(refusing(EIDRM).stats().error().code, EIDRM);
    EXPECT_EQ(refusing(EIDRM).waiters().error().message, "cannot list the queue: Identifier removed");
}

}  // namespace
}  // namespace ktwin
