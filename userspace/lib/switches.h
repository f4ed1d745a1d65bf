// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <memory>

#include "error.h"
#include "reading.h"
#include "sched_records.h"
#include "switch_records.h"
#include "transport.h"

namespace ktwin {

// Context switches, counted as long as this lives, and since it was opened.
class Switches {
  public:
    explicit Switches(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

    Result<std::vector<CpuSwitches>> cpus() const;
    // Those that were asked for when it was opened; else ENODATA.
    Result<std::vector<TaskSwitches>> tasks() const;
    Result<std::vector<SwitchWaits>> waits() const;
    Result<std::vector<NsWaits>> ns_waits() const;
    Result<std::vector<RqTwin>> twins() const;
    // Makes a pass over each CPU; ENODATA also where run queues cannot be read.
    Result<std::vector<RqAudit>> audits() const;
    // Takes out what is there by now, in the order of each CPU; the reading's epoch is when it began.
    Result<Reading> events(const std::function<void(const SchedEvent&)>& visit) const;

  private:
    template <class Raw, class Record>
    Result<std::vector<Record>> all(unsigned long command, std::string_view what) const;

    std::unique_ptr<Transport> transport_;
};

}  // namespace ktwin
