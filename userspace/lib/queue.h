// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <memory>

#include "error.h"
#include "transport.h"
#include "wait_records.h"

namespace ktwin {

// A wait queue of the laboratory. Destroying it closes the queue: that ends every sleep on it, but no thread may
// still be inside a call of this object then. A wake of all with tokens for all gets them out before.
class Queue {
  public:
    explicit Queue(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

    // Any thread may be in any of these at any time; each call is the kernel's alone.

    // Sleeps. A time-out, a signal and the closing of the queue are results, not errors.
    Result<WaitResult> wait(const WaitRequest& request) const;

    // Errors: EIDRM the queue was closed; EOVERFLOW more than 2^32-1 tokens.
    Result<WakeResult> wake(const WakeRequest& request) const;

    Result<WaitStats> stats() const;

    // One head.
    Result<WaitList> waiters() const;

  private:
    std::unique_ptr<Transport> transport_;
};

}  // namespace ktwin
