// SPDX-License-Identifier: GPL-2.0-only
// From the wire format to plain values. Nothing that comes in is trusted to be in range.
#pragma once

#include <uapi/ktwin.h>

#include "lab_records.h"
#include "records.h"
#include "rq_records.h"
#include "sched_records.h"
#include "switch_records.h"
#include "wait_records.h"

namespace ktwin {

Status decode(const ktwin_status& raw);
Audit decode(const ktwin_audit& raw);
AuditRate decode(const ktwin_audit_rate& raw);
Namespace decode(const ktwin_ns& raw);
Pid decode(const ktwin_pid& raw);
Divergence decode(const ktwin_divergence& raw);
Role decode(const ktwin_role& raw);
Event decode(const ktwin_event& raw);
CompareResult decode(const ktwin_compare& raw);

Waiter decode(const ktwin_waiter& raw);
WaitHead decode(const ktwin_wait_head& raw);
Sleep decode(const ktwin_sleep& raw);
WaitStats decode(const ktwin_wait_stats& raw);

// Without its tasks.
RunQueue decode(const ktwin_rq_cpu& raw);
// eevdf: the flag of its queue.
RqTask decode(const ktwin_rq_task& raw, bool eevdf);
LayoutField decode(const ktwin_layout& raw);
CpuSwitches decode(const ktwin_switch_cpu& raw);
TaskSwitches decode(const ktwin_switch_task& raw);
SwitchWaits decode(const ktwin_switch_waits& raw);
NsWaits decode(const ktwin_ns_waits& raw);
RqAudit decode(const ktwin_rq_audit& raw);
RqTwin decode(const ktwin_rq_twin& raw);
SchedEvent decode(const ktwin_sched_event& raw);

LabPid decode(const ktwin_lab_pid& raw);
LabNs decode(const ktwin_lab_ns& raw);
LabTask decode(const ktwin_lab_task& raw);
LabLeaf decode(const ktwin_lab_leaf& raw);
LabStats decode(const ktwin_lab_stats& raw);

}  // namespace ktwin
