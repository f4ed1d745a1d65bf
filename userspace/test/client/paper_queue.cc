// SPDX-License-Identifier: GPL-2.0-only
// A wait queue as the kernel's is: non-exclusive sleepers in front, the last one first; exclusive ones behind them,
// the first one first.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>

#include "paper_wait.h"

namespace ktwin {
namespace {

struct Entry {
    int32_t tid;
    bool exclusive;
    uint64_t order = 0;  // of the wake that selected it
    std::condition_variable woken = {};
};

class PaperQueue {
  public:
    int wait(ktwin_wait& raw) {
        std::unique_lock guard(lock_);
        if ((raw.flags & KTWIN_WAIT_SEQUENCE) && raw.sequence != stats_.sequence) {
            return 0;
        }
        const bool take = raw.flags & KTWIN_WAIT_TAKE;
        for (bool first = true; !take || !tokens_; first = false) {
            stats_.waits += first;
            stats_.futile += !first;
            raw.order = sleep(guard, raw.flags & KTWIN_WAIT_EXCLUSIVE);
            raw.wakes++;
            if (!take) {
                break;
            }
        }
        tokens_ -= take;
        raw.slept_ns = 1500000;
        raw.sequence = stats_.sequence;
        return 0;
    }

    int wake(ktwin_wake& raw) {
        const std::lock_guard guard(lock_);
        tokens_ += raw.post;
        stats_.sequence++;
        stats_.wakes++;
        raw.woken = 0;
        uint32_t exclusive = 0;
        for (auto entry = entries_.begin(); entry != entries_.end();) {
            Entry& sleeper = **entry;
            exclusive += sleeper.exclusive;
            sleeper.order = ++orders_;
            sleeper.woken.notify_one();
            entry = entries_.erase(entry);
            raw.woken++;
            if (exclusive && exclusive == raw.nr) {
                break;
            }
        }
        stats_.woken += raw.woken;
        stats_.herds += raw.woken >= KTWIN_HERD_MIN;
        stats_.herd_most = std::max<uint64_t>(stats_.herd_most, raw.woken);
        raw.sequence = stats_.sequence;
        return 0;
    }

    int stats(ktwin_wait_stats& raw) {
        const std::lock_guard guard(lock_);
        const uint32_t size = raw.size;
        raw = stats_;
        raw.size = size;
        raw.waiters = entries_.size();
        return 0;
    }

    int waiters(ktwin_waiters& raw) {
        const std::lock_guard guard(lock_);
        auto* heads = reinterpret_cast<ktwin_wait_head*>(static_cast<uintptr_t>(raw.heads));
        auto* waiters = reinterpret_cast<ktwin_waiter*>(static_cast<uintptr_t>(raw.waiters));
        raw.heads_filled = 1;
        heads[0] = {1, 0, -1, 0, static_cast<uint32_t>(entries_.size()), 0};
        bool next = true;
        for (const Entry* entry : entries_) {
            if (raw.waiters_filled == raw.waiters_room) {
                raw.flags |= KTWIN_WAITERS_MORE;
                break;
            }
            ktwin_waiter& waiter = waiters[raw.waiters_filled];
            waiter = {};
            waiter.position = raw.waiters_filled++;
            waiter.kind = KTWIN_KIND_LAB;
            waiter.tid = entry->tid;
            waiter.tgid = getpid();
            waiter.state = 'S';
            waiter.flags = KTWIN_WAITER_TASK | (entry->exclusive ? KTWIN_WAITER_EXCLUSIVE : 0) |
                           (next ? KTWIN_WAITER_NEXT : 0);
            next = next && !entry->exclusive;
        }
        return 0;
    }

  private:
    uint64_t sleep(std::unique_lock<std::mutex>& guard, bool exclusive) {
        Entry entry = {.tid = gettid(), .exclusive = exclusive};
        entries_.insert(exclusive ? entries_.end() : entries_.begin(), &entry);
        entry.woken.wait(guard, [&] { return entry.order != 0; });
        return entry.order;
    }

    std::mutex lock_;
    std::list<Entry*> entries_;  // on their sleepers' stacks
    ktwin_wait_stats stats_ = {};
    uint64_t tokens_ = 0;
    uint64_t orders_ = 0;
};

PaperQueue queue;

}  // namespace

int paper_queue(unsigned long command, void* argument) {
    switch (command) {
        case KTWIN_IOC_QUEUE: {
            const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
            return fd < 0 ? -errno : fd;
        }
        case KTWIN_IOC_QUEUE_WAIT:
            return queue.wait(*static_cast<ktwin_wait*>(argument));
        case KTWIN_IOC_QUEUE_WAKE:
            return queue.wake(*static_cast<ktwin_wake*>(argument));
        case KTWIN_IOC_QUEUE_STATS:
            return queue.stats(*static_cast<ktwin_wait_stats*>(argument));
        default:
            return -ENOTTY;
    }
}

int paper_queue_waiters(ktwin_waiters& raw) {
    return queue.waiters(raw);
}

}  // namespace ktwin
