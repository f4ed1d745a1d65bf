// SPDX-License-Identifier: GPL-2.0-only
#include "sleepers.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "lib/message.h"

namespace ktwin::cli {
namespace {

// An emulated machine takes its time.
constexpr std::chrono::seconds patience(30);

}  // namespace

// The wake cannot miss one that is not asleep yet: its sequence has moved on, or there is a token for it. It fails
// only when the queue is closed, and then nobody sleeps on it.
Sleepers::~Sleepers() {
    if (!threads_.empty()) {
        (void)queue_.wake({.nr = 0, .post = static_cast<uint32_t>(threads_.size())});
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

Result<void> Sleepers::start(uint32_t count, uint32_t exclusive, bool take) {
    const Result<WaitStats> before = queue_.stats();
    if (!before) {
        return std::unexpected(before.error());
    }
    WaitRequest request;
    request.flags = take ? KTWIN_WAIT_TAKE : KTWIN_WAIT_SEQUENCE;
    request.sequence = take ? 0 : before->sequence;
    for (uint32_t i = 0; i < count; i++) {
        // As many exclusive ones among the first i + 1 as their share is.
        const bool alone = uint64_t{i + 1} * exclusive / count > uint64_t{i} * exclusive / count;
        const Result<void> started = start_one(i + 1, alone, request);
        if (!started) {
            return started;
        }
    }
    Result<uint32_t> sleeping = 0;
    const bool quiet = until([&] {
        sleeping = asleep();
        return !sleeping || *sleeping == count;
    });
    if (!sleeping) {
        return std::unexpected(sleeping.error());
    }
    return quiet ? Result<void>() : std::unexpected(failure("the sleepers do not fall asleep", ETIMEDOUT));
}

Result<void> Sleepers::start_one(uint32_t number, bool exclusive, WaitRequest request) {
    request.flags |= exclusive ? KTWIN_WAIT_EXCLUSIVE : 0;
    {
        const std::lock_guard guard(lock_);
        sleepers_.push_back({.number = number, .exclusive = exclusive});
    }
    try {
        threads_.emplace_back([this, number, request] { sleep(number - 1, request); });
    } catch (const std::system_error& error) {
        return std::unexpected(failure("cannot start a thread", error.code().value(),
                                       "fewer sleepers, or raise the limit on tasks (ulimit -u, pids.max)"));
    }
    Result<WaitStats> stats = queue_.stats();
    const bool queued = until([&] {
        stats = queue_.stats();
        return !stats || stats->waiters >= number || ended();
    });
    if (!stats) {
        return std::unexpected(stats.error());
    }
    // Nobody has woken one: it could not sleep.
    for (const Sleeper& sleeper : ended() ? all() : std::vector<Sleeper>()) {
        if (sleeper.end && !*sleeper.end) {
            return std::unexpected(sleeper.end->error());
        }
    }
    if (!queued || ended()) {
        return std::unexpected(failure("the sleepers do not fall asleep", ETIMEDOUT));
    }
    return {};
}

void Sleepers::sleep(size_t index, WaitRequest request) {
    {
        const std::lock_guard guard(lock_);
        sleepers_[index].tid = gettid();
    }
    Result<WaitResult> end = queue_.wait(request);
    const std::lock_guard guard(lock_);
    sleepers_[index].end = std::move(end);
}

bool Sleepers::until(const std::function<bool()>& met) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!met()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

std::vector<Sleeper> Sleepers::all() const {
    const std::lock_guard guard(lock_);
    return sleepers_;
}

uint32_t Sleepers::ended() const {
    const std::lock_guard guard(lock_);
    return static_cast<uint32_t>(
        std::ranges::count_if(sleepers_, [](const Sleeper& sleeper) { return sleeper.end.has_value(); }));
}

Result<uint32_t> Sleepers::asleep() const {
    const Result<WaitList> list = queue_.waiters();
    if (!list) {
        return std::unexpected(list.error());
    }
    constexpr uint32_t leaving = KTWIN_WAITER_CLAIMED | KTWIN_WAITER_WOKEN | KTWIN_WAITER_AWAKE;
    return static_cast<uint32_t>(
        std::ranges::count_if(list->waiters, [](const Waiter& waiter) { return !waiter.is(leaving); }));
}

}  // namespace ktwin::cli
