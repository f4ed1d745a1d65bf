// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "error.h"
#include "lab.h"
#include "queue.h"
#include "reading.h"
#include "records.h"
#include "rq_records.h"
#include "stream.h"
#include "switches.h"
#include "transport.h"
#include "watch.h"

namespace ktwin {

// /dev/ktwin: a typed call for each command. ns 0 is the caller's own namespace everywhere.
class Device {
  public:
    static Result<Device> open(const std::string& path = KTWIN_DEVICE);
    explicit Device(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

    Result<Status> status();
    Result<void> mirror(ktwin_mirror_op operation);

    Result<Audit> run_audit();
    Result<Audit> last_audit();
    Result<AuditRate> audit_rate();
    Result<AuditRate> set_audit_rate(const AuditRate& rate);

    // Parents before children. Read again when the twin was populated anew meanwhile.
    Result<std::vector<Namespace>> namespaces();

    Result<std::vector<Divergence>> divergences();

    // By number in ns, ascending. visit returns false to stop.
    Result<Reading> pids(uint32_t ns, const std::function<bool(const Pid&)>& visit);

    Result<Explanation> explain(int32_t nr, uint32_t ns);

    // capacity: records, a power of two; 0: the kernel's choice.
    Result<Stream> stream(uint32_t capacity);

    // A wait queue of ktwin's own, or the kernel's for the same work.
    Result<Queue> queue(ktwin_backend backend);

    // Who sleeps behind an open file. A file that is not looked into is no error: see WaitList::refused. Errors: ESRCH,
    // EACCES, EBADF; ENODATA this kernel has a layout the module does not know.
    Result<WaitList> waiters(int32_t pid, int32_t fd, uint32_t ns);

    // Counts the wakes of the queues behind an open file. Errors: as for waiters(); EOPNOTSUPP; EBUSY.
    Result<Watch> watch(int32_t pid, int32_t fd, uint32_t ns);

    // What a task sleeps on. Errors: ESRCH, EACCES.
    Result<Sleep> sleep(int32_t tid, uint32_t ns);

    // What is queued on a CPU, -1: on each that is online. Errors: ESRCH no such CPU; ENODATA the layout of run queues is
    // not known: see layout().
    Result<RunQueues> run_queues(int32_t cpu);

    // Where the fields are that the module reads of the kernel's structs.
    Result<std::vector<LayoutField>> layout();
    // Counts context switches as long as the result lives. flags: KTWIN_SWITCHES_*; capacity: with EVENTS, of the ring of
    // each CPU, 0 the kernel's choice. Errors: EPERM, EBUSY, ENODEV, EINVAL.
    Result<Switches> switches(uint32_t flags, uint32_t capacity = 0);

    // A laboratory of PID namespaces of its own. Errors: EINVAL, ENOMEM.
    Result<Lab> lab(const LabOptions& options = {});

    // For tests of the module.
    Result<void> inject(ktwin_inject_kind kind, int32_t nr, uint32_t ns);
    Result<CompareResult> compare(const CompareRequest& request);

  private:
    Result<Audit> audit(uint32_t flags);
    Result<AuditRate> exchange_rate(uint32_t flags, const AuditRate& rate);

    std::unique_ptr<Transport> transport_;
};

}  // namespace ktwin
