// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "lib/queue.h"

namespace ktwin::cli {

// One thread that sleeps on the queue, once.
struct Sleeper {
    uint32_t number;  // in the order in which they fell asleep, from 1
    bool exclusive;
    int32_t tid = 0;
    std::optional<Result<WaitResult>> end = {};  // none: still asleep
};

// Threads that sleep on a queue. Destroying it wakes all of them and waits for their end.
class Sleepers {
  public:
    explicit Sleepers(const Queue& queue) : queue_(queue) {}
    Sleepers(const Sleepers&) = delete;
    Sleepers& operator=(const Sleepers&) = delete;
    ~Sleepers();

    // Starts count threads one after the other, so that they fall asleep in this order; exclusive of them, evenly
    // spread, sleep exclusively. take: for a token. Back when all are asleep. Errors: those of the queue; EAGAIN no
    // thread could be had; ETIMEDOUT they do not fall asleep.
    Result<void> start(uint32_t count, uint32_t exclusive, bool take);

    // Looks again each millisecond until met says true; false when it does not for too long.
    static bool until(const std::function<bool()>& met);

    // A copy of what is known now, by number.
    std::vector<Sleeper> all() const;
    uint32_t ended() const;

    // How many of the queue's entries are asleep at this instant.
    Result<uint32_t> asleep() const;

  private:
    void sleep(size_t index, WaitRequest request);
    Result<void> start_one(uint32_t number, bool exclusive, WaitRequest request);

    const Queue& queue_;
    mutable std::mutex lock_;
    std::vector<Sleeper> sleepers_;     // under lock_
    std::vector<std::thread> threads_;  // the starter's alone
};

}  // namespace ktwin::cli
