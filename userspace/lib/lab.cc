// SPDX-License-Identifier: GPL-2.0-only
#include "lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>

#include "decode.h"
#include "message.h"
#include "names.h"
#include "read_records.h"

namespace ktwin {
namespace {

struct Advice {
    int code;
    std::string_view text;
};

// What an errno means in a lab, where the call says nothing else.
constexpr Advice in_any_case[] = {
    {ESRCH, "there is no such namespace in this lab: see ns list"},
    {EOPNOTSUPP, "this backend has no such operation: see ktwin lab backends"},
    {ENOMEM, "memory is short, or a limit of the lab is reached: see stats"},
    {EINTR, "stopped by a signal: again"},
};

Error refusal(std::string_view what, int code, std::initializer_list<Advice> advices) {
    for (const Advice& advice : advices) {
        if (advice.code == code) {
            return failure(what, code, advice.text);
        }
    }
    for (const Advice& advice : in_any_case) {
        if (advice.code == code) {
            return failure(what, code, advice.text);
        }
    }
    return failure(what, code);
}

std::unexpected<Error> refused(std::string_view what, int result,
                               std::initializer_list<Advice> advices = {}) {
    return std::unexpected(refusal(what, -result, advices));
}

std::string number_text(int32_t nr, uint32_t ns) {
    return fmt::format("number {} of namespace {}", nr, ns);
}

// The general words of reading are for namespaces of the system.
Error reading_refused(const Error& error, uint32_t ns, std::string_view what) {
    if (error.code == EPROTO) {
        return error;
    }
    const std::string whole = ns ? fmt::format("cannot read the {} of namespace {}", what, ns)
                                 : fmt::format("cannot read the {}", what);
    return refusal(whole, error.code, {});
}

template <class Raw, class Record>
Result<std::vector<Record>> read_all(Transport& transport, unsigned long command, uint32_t ns,
                                     std::string_view what) {
    std::vector<Record> records;
    const Result<Reading> reading = read_records<Raw>(transport, command, ns, what, [&](const Raw& raw) {
        records.push_back(decode(raw));
        return true;
    });
    if (!reading) {
        return std::unexpected(reading_refused(reading.error(), ns, what));
    }
    return records;
}

std::string role_text(const LabRole& role) {
    const std::string type = lab_type_name(role.type);
    const std::string to = role.task ? fmt::format("task {}", role.task) : "a new task";
    switch (role.op) {
        case KTWIN_LAB_ATTACH:
            return fmt::format("cannot attach {} to {} as {}", to, number_text(role.nr, role.ns), type);
        case KTWIN_LAB_DETACH:
            return fmt::format("cannot detach {} from its {}", to, type);
        case KTWIN_LAB_CHANGE:
            return fmt::format("cannot change the {} of {} to {}", type, to, number_text(role.nr, role.ns));
        case KTWIN_LAB_TRANSFER:
            return fmt::format("cannot transfer the {} of {} to task {}", type, to, role.other);
        default:
            return fmt::format("cannot exchange the {} of {} and task {}", type, to, role.other);
    }
}

}  // namespace

Result<LabCreated> Lab::create_namespace(uint32_t parent, uint32_t pid_max) const {
    ktwin_lab_create raw = {};
    raw.size = sizeof(raw);
    raw.parent = parent;
    raw.pid_max = pid_max;
    const int result = transport_->control(KTWIN_IOC_LAB_NS_CREATE, &raw);
    if (result < 0) {
        return refused(
            fmt::format("cannot make a namespace below {}", parent), result,
            {{ENOSPC, "namespaces nest 32 levels deep"},
             {EINVAL, "pid_max is 2 to the limit the lab was opened with: see stats"},
             {ENOMEM,
              "the parent is dying (its init is gone), a limit of the lab is reached, or memory is short: "
              "see stats"}});
    }
    return LabCreated{raw.ns, raw.level};
}

Result<uint32_t> Lab::pid_max(uint32_t flags, uint32_t ns, uint32_t pid_max) const {
    ktwin_lab_pid_max raw = {};
    raw.size = sizeof(raw);
    raw.flags = flags;
    raw.ns = ns;
    raw.pid_max = pid_max;
    const int result = transport_->control(KTWIN_IOC_LAB_PID_MAX, &raw);
    if (result < 0) {
        return refused(fmt::format("cannot {} the pid_max of namespace {}", flags ? "set" : "read", ns),
                       result, {{EINVAL, "it is 2 to the limit the lab was opened with: see stats"}});
    }
    return raw.pid_max;
}

Result<uint32_t> Lab::pid_max(uint32_t ns) const {
    return pid_max(0, ns, 0);
}

Result<uint32_t> Lab::set_pid_max(uint32_t ns, uint32_t pid_max) const {
    return this->pid_max(KTWIN_LAB_PID_MAX_SET, ns, pid_max);
}

Result<LabAllocated> Lab::alloc(const LabRequest& request) const {
    ktwin_lab_alloc raw = {};
    raw.size = sizeof(raw);
    raw.flags = request.task ? KTWIN_LAB_WITH_TASK : 0;
    raw.ns = request.ns;
    raw.how = request.how;
    raw.wanted = static_cast<uint32_t>(request.wanted.size());
    const std::string what = fmt::format("cannot allocate a pid in namespace {}", request.ns);
    // The kernel's word on more wanted numbers than any namespace has levels.
    const bool too_many = request.wanted.size() > KTWIN_LEVELS;
    if (!too_many) {
        std::ranges::copy(request.wanted, raw.numbers);
    }
    const int result = too_many ? -EINVAL : transport_->control(KTWIN_IOC_LAB_ALLOC, &raw);
    if (result < 0) {
        return refused(
            what, result,
            {{EAGAIN, "no number is left there, or in one above it"},
             {EINVAL,
              "wanted are numbers from 1 to pid_max - 1, 1 where there is no init, and no more of them than "
              "levels"},
             {EPERM, "numbers are wanted: run as root (CAP_CHECKPOINT_RESTORE)"},
             {EEXIST, "a wanted number is in use"},
             {ENOMEM,
              "it is dying (its init is gone), a limit of the lab is reached, or memory is short: see "
              "stats"}});
    }
    if (raw.depth > KTWIN_LEVELS || raw.depth == 0) {
        return std::unexpected(
            failure(what + ": the module's answer makes no sense", EPROTO, "please report this"));
    }
    return LabAllocated{.serial = raw.serial,
                        .task = raw.task ? std::optional<uint32_t>(raw.task) : std::nullopt,
                        .numbers = {raw.numbers, raw.numbers + raw.depth}};
}

Result<void> Lab::free(uint32_t ns, int32_t nr) const {
    ktwin_lab_free raw = {};
    raw.size = sizeof(raw);
    raw.ns = ns;
    raw.nr = nr;
    const int result = transport_->control(KTWIN_IOC_LAB_FREE, &raw);
    if (result < 0) {
        return refused(fmt::format("cannot free {}", number_text(nr, ns)), result,
                       {{ESRCH, "nobody has it"}, {EBUSY, "a task uses it: see find"}});
    }
    return {};
}

Result<LabFound> Lab::find(uint32_t flags, uint32_t ns, int32_t nr) const {
    ktwin_lab_find raw = {};
    raw.size = sizeof(raw);
    raw.flags = flags;
    raw.ns = ns;
    raw.nr = nr;
    const int result = transport_->control(KTWIN_IOC_LAB_FIND, &raw);
    if (result < 0) {
        return refused(number_text(nr, ns), result,
                       {{ESRCH, flags ? "nobody has it, or one above it" : "nobody has it"}});
    }
    return LabFound{raw.nr, decode(raw.pid)};
}

Result<LabPid> Lab::find(uint32_t ns, int32_t nr) const {
    Result<LabFound> found = find(0, ns, nr);
    if (!found) {
        return std::unexpected(std::move(found.error()));
    }
    return std::move(found->pid);
}

Result<LabFound> Lab::next(uint32_t ns, int32_t nr) const {
    return find(KTWIN_LAB_FIND_NEXT, ns, nr);
}

Result<uint32_t> Lab::role(const LabRole& role) const {
    ktwin_lab_role raw = {};
    raw.size = sizeof(raw);
    raw.op = role.op;
    raw.type = role.type;
    raw.task = role.task;
    raw.other = role.other;
    raw.ns = role.ns;
    raw.nr = role.nr;
    const int result = transport_->control(KTWIN_IOC_LAB_ROLE, &raw);
    if (result < 0) {
        return refused(role_text(role), result,
                       {{ESRCH, "no such task, namespace or number, or the task has no such role: see tasks"},
                        {EBUSY, "it has one, or another task has the number as its PID: see tasks"},
                        {EINVAL, "a PID is exchanged, all else is transferred, between two tasks"}});
    }
    return raw.task;
}

Result<LabKilled> Lab::kill(uint32_t ns) const {
    ktwin_lab_kill raw = {};
    raw.size = sizeof(raw);
    raw.ns = ns;
    const int result = transport_->control(KTWIN_IOC_LAB_KILL, &raw);
    if (result < 0) {
        return refused(fmt::format("cannot kill namespace {}", ns), result,
                       {{EINTR, "stopped by a signal, some are left: again"}});
    }
    return LabKilled{raw.tasks, raw.pids, raw.left};
}

Result<LabStats> Lab::stats() const {
    ktwin_lab_stats raw = {};
    raw.size = sizeof(raw);
    const int result = transport_->control(KTWIN_IOC_LAB_STATS, &raw);
    if (result < 0) {
        return refused("cannot read the lab's counters", result);
    }
    return decode(raw);
}

Result<std::vector<LabNs>> Lab::namespaces() const {
    return read_all<ktwin_lab_ns, LabNs>(*transport_, KTWIN_IOC_LAB_NAMESPACES, 0, "namespaces");
}

Result<Reading> Lab::pids(uint32_t ns, const std::function<bool(const LabPid&)>& visit) const {
    Result<Reading> reading =
        read_records<ktwin_lab_pid>(*transport_, KTWIN_IOC_LAB_PIDS, ns, "pids",
                                    [&](const ktwin_lab_pid& raw) { return visit(decode(raw)); });
    if (!reading) {
        return std::unexpected(reading_refused(reading.error(), ns, "pids"));
    }
    return reading;
}

Result<std::vector<LabTask>> Lab::tasks() const {
    return read_all<ktwin_lab_task, LabTask>(*transport_, KTWIN_IOC_LAB_TASKS, 0, "tasks");
}

Result<std::vector<LabLeaf>> Lab::leaves(uint32_t ns) const {
    return read_all<ktwin_lab_leaf, LabLeaf>(*transport_, KTWIN_IOC_LAB_LEAVES, ns, "leaves");
}

}  // namespace ktwin
