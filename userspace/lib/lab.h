// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "error.h"
#include "lab_records.h"
#include "reading.h"
#include "transport.h"

namespace ktwin {

// A laboratory of PID namespaces: one, 1, to begin with. Destroying it frees everything in it.
//
// Any thread may be in any of these at any time. Errors have the errno of the wire format, which says what they mean;
// EOPNOTSUPP: the backend has no such operation.
class Lab {
  public:
    explicit Lab(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

    // pid_max 0: the parent's.
    Result<LabCreated> create_namespace(uint32_t parent, uint32_t pid_max = 0) const;
    Result<uint32_t> pid_max(uint32_t ns) const;
    // As it was before.
    Result<uint32_t> set_pid_max(uint32_t ns, uint32_t pid_max) const;

    // EAGAIN, no number is left, is an answer like any other: it is not asked for again.
    Result<LabAllocated> alloc(const LabRequest& request) const;
    Result<void> free(uint32_t ns, int32_t nr) const;
    Result<LabPid> find(uint32_t ns, int32_t nr) const;
    // The one with the lowest number from nr on.
    Result<LabFound> next(uint32_t ns, int32_t nr) const;

    // The task, that of ATTACH to 0 too.
    Result<uint32_t> role(const LabRole& role) const;
    // EINTR: some are left; again.
    Result<LabKilled> kill(uint32_t ns) const;

    Result<LabStats> stats() const;
    // Parents before children.
    Result<std::vector<LabNs>> namespaces() const;
    // By number in ns, ascending. visit returns false to stop.
    Result<Reading> pids(uint32_t ns, const std::function<bool(const LabPid&)>& visit) const;
    Result<std::vector<LabTask>> tasks() const;
    // Those of which one number at least is in use, ascending.
    Result<std::vector<LabLeaf>> leaves(uint32_t ns) const;

  private:
    Result<uint32_t> pid_max(uint32_t flags, uint32_t ns, uint32_t pid_max) const;
    Result<LabFound> find(uint32_t flags, uint32_t ns, int32_t nr) const;

    std::unique_ptr<Transport> transport_;
};

}  // namespace ktwin
