// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <memory>

#include "error.h"
#include "transport.h"
#include "wait_records.h"

namespace ktwin {

// A real file's wait queues, whose wakes are counted. Destroying it ends that.
class Watch {
  public:
    explicit Watch(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

    // Since it was opened; see struct ktwin_watch. Errors: EIDRM nobody has the file open any more.
    Result<WaitStats> stats() const;

  private:
    std::unique_ptr<Transport> transport_;
};

}  // namespace ktwin
