// SPDX-License-Identifier: GPL-2.0-only
#include "switches.h"

#include <cerrno>

#include "decode.h"
#include "message.h"
#include "read_records.h"

namespace ktwin {

template <class Raw, class Record>
Result<std::vector<Record>> Switches::all(unsigned long command, std::string_view what) const {
    std::vector<Record> records;
    const Result<Reading> reading = read_records<Raw>(*transport_, command, 0, what, [&](const Raw& raw) {
        records.push_back(decode(raw));
        return true;
    });
    if (!reading) {
        return std::unexpected(reading.error());
    }
    return records;
}

Result<std::vector<CpuSwitches>> Switches::cpus() const {
    return all<ktwin_switch_cpu, CpuSwitches>(KTWIN_IOC_SWITCHES_CPUS, "switches");
}

Result<std::vector<TaskSwitches>> Switches::tasks() const {
    return all<ktwin_switch_task, TaskSwitches>(KTWIN_IOC_SWITCHES_TASKS, "switches of tasks");
}

Result<std::vector<SwitchWaits>> Switches::waits() const {
    return all<ktwin_switch_waits, SwitchWaits>(KTWIN_IOC_SWITCHES_WAITS, "times waited");
}

Result<std::vector<NsWaits>> Switches::ns_waits() const {
    return all<ktwin_ns_waits, NsWaits>(KTWIN_IOC_SWITCHES_NS_WAITS, "times waited");
}

Result<std::vector<RqAudit>> Switches::audits() const {
    auto audits = all<ktwin_rq_audit, RqAudit>(KTWIN_IOC_SWITCHES_AUDIT, "audit of the run queues");
    if (!audits && audits.error().code == ENODATA) {
        return std::unexpected(
            failure("cannot read the audit of the run queues", ENODATA,
                    "the layout of this kernel's run queues is not known: see ktwin status --layout"));
    }
    return audits;
}

Result<std::vector<RqTwin>> Switches::twins() const {
    return all<ktwin_rq_twin, RqTwin>(KTWIN_IOC_SWITCHES_TWINS, "twin run queues");
}

Result<Reading> Switches::events(const std::function<void(const SchedEvent&)>& visit) const {
    return read_records<ktwin_sched_event>(*transport_, KTWIN_IOC_SWITCHES_EVENTS, 0, "scheduler's events",
                                           [&](const ktwin_sched_event& raw) {
                                               visit(decode(raw));
                                               return true;
                                           });
}

}  // namespace ktwin
