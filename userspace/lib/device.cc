// SPDX-License-Identifier: GPL-2.0-only
#include "device.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "decode.h"
#include "message.h"
#include "names.h"
#include "read_records.h"
#include "rq.h"
#include "waiters.h"

namespace ktwin {
namespace {

std::string in_namespace(uint32_t ns) {
    return ns ? fmt::format("in namespace {}", ns) : "here";
}

std::string in_words(int32_t nr, uint32_t ns) {
    return ns ? fmt::format("{} in namespace {}", nr, ns) : fmt::format("{}", nr);
}

// What to do when a question about sleepers was refused.
std::string_view wait_advice(int result, uint32_t ns) {
    switch (result) {
        case -ESRCH:
            return "it has ended, or is not visible from this namespace";
        case -EACCES:
            return "it is another user's, or privileged: run as root (CAP_SYS_PTRACE)";
        case -EBADF:
            return "it has no such fd: see /proc/PID/fd";
        case -ENODATA:
            return ns ? "the mirror is off (ktwin mirror on), or a layout of this kernel is not known (dmesg)"
                      : "the module does not know a layout of this kernel that this needs: dmesg says which";
        case -EOPNOTSUPP:
            return "only pipes, eventfds, timerfds, inotify, fanotify, pidfds and unix, TCP and UDP sockets "
                   "are watched";
        case -EBUSY:
            return "too many watches are open; close one";
        default:
            return "";
    }
}

std::string_view rq_advice(int result) {
    switch (result) {
        case -ESRCH:
            return "there is no such CPU: see /sys/devices/system/cpu/possible";
        case -ENODATA:
            return "the layout of this kernel's run queues is not known: see ktwin status --layout";
        case -EUCLEAN:
            return "a queue is not as it can be, so none of it is shown: please report it";
        default:
            return "";
    }
}

// What to do when the mirror, or lockstep, was not switched.
std::string_view mirror_advice(int result, ktwin_mirror_op operation) {
    const bool lockstep = operation == KTWIN_LOCKSTEP_ON || operation == KTWIN_LOCKSTEP_OFF;
    if (result == -EALREADY) {
        return "nothing was changed";
    }
    if (lockstep && (result == -ENOENT || result == -EOPNOTSUPP)) {
        return "dmesg says why: this kernel has no place for a probe";
    }
    if (lockstep && result == -EINVAL) {
        return "the loaded module is older than this program: load the ktwin.ko built with it";
    }
    return "";
}

std::unexpected<Error> failed(std::string_view what, int result, std::string_view advice = {}) {
    return std::unexpected(failure(what, -result, advice));
}

uint64_t address(void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

}  // namespace

Result<Device> Device::open(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) {
        const int code = errno;
        const bool absent = code == ENOENT || code == ENXIO || code == ENODEV;
        const std::string_view advice = absent          ? "load the module (insmod ktwin.ko)"
                                        : code == EPERM ? "run as root"
                                                        : "";
        return std::unexpected(failure(fmt::format("cannot open {}", path), code, advice));
    }
    return Device(std::make_unique<FdTransport>(std::move(fd)));
}

Result<Status> Device::status() {
    ktwin_status raw = {};
    raw.size = sizeof(raw);
    const int result = transport_->control(KTWIN_IOC_STATUS, &raw);
    if (result < 0) {
        return failed("cannot read the status", result);
    }
    return decode(raw);
}

Result<void> Device::mirror(ktwin_mirror_op operation) {
    constexpr std::string_view verbs[] = {"switch the mirror off", "switch the mirror on",
                                          "resynchronise the mirror", "switch lockstep off",
                                          "switch lockstep on"};
    ktwin_mirror raw = {};
    raw.size = sizeof(raw);
    raw.op = operation;
    const int result = transport_->control(KTWIN_IOC_MIRROR, &raw);
    if (result < 0) {
        return failed(fmt::format("cannot {}", verbs[operation]), result, mirror_advice(result, operation));
    }
    return {};
}

Result<Audit> Device::audit(uint32_t flags) {
    ktwin_audit raw = {};
    raw.size = sizeof(raw);
    raw.flags = flags;
    const int result = transport_->control(KTWIN_IOC_AUDIT, &raw);
    if (result == -ENODATA && !flags) {
        return failed("audit", result, "no background pass has run yet; ktwin audit runs one now");
    }
    if (result < 0) {
        return failed("audit", result);
    }
    return decode(raw);
}

Result<Audit> Device::run_audit() {
    return audit(KTWIN_AUDIT_RUN);
}

Result<Audit> Device::last_audit() {
    return audit(0);
}

Result<AuditRate> Device::exchange_rate(uint32_t flags, const AuditRate& rate) {
    ktwin_audit_rate raw = {};
    raw.size = sizeof(raw);
    raw.flags = flags;
    raw.interval_ms = rate.interval_ms;
    raw.batch = rate.batch;
    raw.cpu_percent = rate.cpu_percent;
    const int result = transport_->control(KTWIN_IOC_AUDIT_RATE, &raw);
    if (result == -ERANGE) {
        return failed("audit rate", result,
                      "interval 0 (off) or 10 to 3600000 ms, batch 64 to 1048576, cpu 1 to 100 percent");
    }
    if (result < 0) {
        return failed(flags ? "cannot set the audit rate" : "cannot read the audit rate", result);
    }
    return decode(raw);
}

Result<AuditRate> Device::audit_rate() {
    return exchange_rate(0, {});
}

Result<AuditRate> Device::set_audit_rate(const AuditRate& rate) {
    return exchange_rate(KTWIN_AUDIT_RATE_SET, rate);
}

Result<std::vector<Namespace>> Device::namespaces() {
    constexpr int attempts = 5;
    for (int attempt = 1;; attempt++) {
        std::vector<Namespace> all;
        const Result<Reading> reading = read_records<ktwin_ns>(*transport_, KTWIN_IOC_NAMESPACES, 0,
                                                               "namespaces", [&](const ktwin_ns& raw) {
                                                                   all.push_back(decode(raw));
                                                                   return true;
                                                               });
        if (!reading) {
            return std::unexpected(reading.error());
        }
        if (!reading->repopulated || attempt == attempts) {
            return all;
        }
    }
}

Result<std::vector<Divergence>> Device::divergences() {
    std::vector<Divergence> all;
    const Result<Reading> reading = read_records<ktwin_divergence>(
        *transport_, KTWIN_IOC_DIVERGENCES, 0, "divergences", [&](const ktwin_divergence& raw) {
            all.push_back(decode(raw));
            return true;
        });
    if (!reading) {
        return std::unexpected(reading.error());
    }
    return all;
}

Result<Reading> Device::pids(uint32_t ns, const std::function<bool(const Pid&)>& visit) {
    return read_records<ktwin_pid>(*transport_, KTWIN_IOC_PIDS, ns, "pids",
                                   [&](const ktwin_pid& raw) { return visit(decode(raw)); });
}

Result<Explanation> Device::explain(int32_t nr, uint32_t ns) {
    constexpr uint32_t most_roles = 65536;
    std::vector<ktwin_role> roles(64);
    for (;;) {
        ktwin_pid pid = {};
        ktwin_explain raw = {};
        raw.size = sizeof(raw);
        raw.nr = nr;
        raw.ns = ns;
        raw.pid = address(&pid);
        raw.pid_size = sizeof(pid);
        raw.roles = address(roles.data());
        raw.role_size = sizeof(ktwin_role);
        raw.roles_room = static_cast<uint32_t>(roles.size());
        const int result = transport_->control(KTWIN_IOC_EXPLAIN, &raw);
        if (result < 0) {
            return failed(fmt::format("pid {} {}", nr, in_namespace(ns)), result,
                          result == -ESRCH ? "it is free, or not visible from this namespace" : "");
        }
        uint64_t wanted = 0;
        for (const uint32_t count : raw.role_count) {
            wanted += count;
        }
        if (wanted > roles.size() && roles.size() < most_roles) {
            // With room for those that come meanwhile. The size only grows, so this ends.
            roles.resize(
                std::min<uint64_t>(std::max<uint64_t>(wanted + wanted / 4, roles.size() * 2), most_roles));
            continue;
        }
        Explanation explanation = {
            .nr = nr,
            .ns = ns,
            .pid = {},
            .roles = {},
            .role_count = {raw.role_count[0], raw.role_count[1], raw.role_count[2], raw.role_count[3]},
            .references = raw.references ? std::optional<uint32_t>(raw.references) : std::nullopt,
            .in_kernel = (raw.flags & KTWIN_EXPLAIN_KERNEL) != 0,
            .in_twin = (raw.flags & KTWIN_EXPLAIN_TWIN) != 0,
            .same = (raw.flags & KTWIN_EXPLAIN_SAME) != 0,
        };
        if (pid.depth) {
            explanation.pid = decode(pid);
        }
        const size_t filled = std::min<size_t>(raw.roles_filled, roles.size());
        for (size_t i = 0; i < filled; i++) {
            explanation.roles.push_back(decode(roles[i]));
        }
        return explanation;
    }
}

Result<Stream> Device::stream(uint32_t capacity) {
    ktwin_stream raw = {};
    raw.size = sizeof(raw);
    raw.capacity = capacity;
    const int result = transport_->control(KTWIN_IOC_STREAM, &raw);
    if (result < 0) {
        const std::string_view advice = result == -EINVAL  ? "the capacity is a power of two, 64 to 1048576"
                                        : result == -EBUSY ? "too many streams are open; close one"
                                                           : "";
        return failed("cannot open an event stream", result, advice);
    }
    return Stream::open(Fd(result));
}

Result<Queue> Device::queue(ktwin_backend backend) {
    ktwin_queue raw = {};
    raw.size = sizeof(raw);
    raw.backend = backend;
    const int result = transport_->control(KTWIN_IOC_QUEUE, &raw);
    if (result < 0) {
        return failed("cannot open a wait queue", result);
    }
    return Queue(std::make_unique<FdTransport>(Fd(result)));
}

Result<WaitList> Device::waiters(int32_t pid, int32_t fd, uint32_t ns) {
    std::expected<WaitList, int> list = read_waiters(*transport_, pid, fd, ns);
    if (!list) {
        return failed(fmt::format("fd {} of process {}", fd, in_words(pid, ns)), list.error(),
                      wait_advice(list.error(), ns));
    }
    return std::move(*list);
}

Result<Watch> Device::watch(int32_t pid, int32_t fd, uint32_t ns) {
    ktwin_watch raw = {};
    raw.size = sizeof(raw);
    raw.pid = pid;
    raw.fd = fd;
    raw.ns = ns;
    const int result = transport_->control(KTWIN_IOC_WATCH, &raw);
    if (result < 0) {
        return failed(fmt::format("fd {} of process {}", fd, in_words(pid, ns)), result,
                      wait_advice(result, ns));
    }
    return Watch(std::make_unique<FdTransport>(Fd(result)));
}

Result<Sleep> Device::sleep(int32_t tid, uint32_t ns) {
    ktwin_sleep raw = {};
    raw.size = sizeof(raw);
    raw.tid = tid;
    raw.ns = ns;
    const int result = transport_->control(KTWIN_IOC_SLEEP, &raw);
    if (result < 0) {
        return failed(fmt::format("task {}", in_words(tid, ns)), result, wait_advice(result, ns));
    }
    return decode(raw);
}

Result<RunQueues> Device::run_queues(int32_t cpu) {
    std::expected<RunQueues, int> queues = read_run_queues(*transport_, cpu);
    if (!queues) {
        return failed(cpu < 0 ? "run queues" : fmt::format("run queue of CPU {}", cpu), queues.error(),
                      rq_advice(queues.error()));
    }
    return std::move(*queues);
}

Result<std::vector<LayoutField>> Device::layout() {
    std::vector<LayoutField> fields;
    const Result<Reading> reading =
        read_records<ktwin_layout>(*transport_, KTWIN_IOC_LAYOUT, 0, "layout", [&](const ktwin_layout& raw) {
            fields.push_back(decode(raw));
            return true;
        });
    if (!reading) {
        return std::unexpected(reading.error());
    }
    return fields;
}

Result<Switches> Device::switches(uint32_t flags, uint32_t capacity) {
    ktwin_switches raw = {};
    raw.size = sizeof(raw);
    raw.flags = flags;
    raw.capacity = capacity;
    const int result = transport_->control(KTWIN_IOC_SWITCHES, &raw);
    if (result < 0) {
        const std::string_view advice =
            result == -EBUSY    ? "too many count already; end one"
            : result == -EPERM  ? "it costs every switch of the system a little: run as root (CAP_SYS_ADMIN)"
            : result == -ENODEV ? "the kernel has no such tracepoints: dmesg says which"
            : result == -ENOMEM && (flags & KTWIN_SWITCHES_EVENTS)
                ? "the rings of all CPUs together may have 256 MiB: a smaller --capacity needs less"
            : result == -EINVAL && capacity ? "the capacity is a power of two, 64 to 1048576"
            : result == -EINVAL
                ? "the loaded module is older than this program: load the ktwin.ko built with it"
                : "";
        return failed("cannot count switches", result, advice);
    }
    return Switches(std::make_unique<FdTransport>(Fd(result)));
}

Result<Lab> Device::lab(const LabOptions& options) {
    ktwin_lab raw = {};
    raw.size = sizeof(raw);
    raw.backend = options.backend;
    raw.pid_max = options.pid_max;
    raw.limit = options.limit;
    raw.pids = options.pids;
    raw.namespaces = options.namespaces;
    raw.tasks = options.tasks;
    raw.bytes = options.bytes;
    const int result = transport_->control(KTWIN_IOC_LAB, &raw);
    if (result < 0) {
        const std::string_view advice =
            result == -EINVAL ? "pid_max is 2 to the limit, the limit up to 4194304 (blocks: 4096 a CPU at "
                                "least), pids and tasks up "
                                "to 4194304, namespaces up to 4096, memory 1 MiB to 1 GiB"
            : result == -ENOMEM
                ? "memory is short, or so much is not to be had within its --bytes: ask for less"
                : "";
        return failed(fmt::format("cannot open a lab ({})", lab_backend_name(options.backend)), result,
                      advice);
    }
    return Lab(std::make_unique<FdTransport>(Fd(result), Again::answer));
}

Result<void> Device::inject(ktwin_inject_kind kind, int32_t nr, uint32_t ns) {
    ktwin_inject raw = {};
    raw.size = sizeof(raw);
    raw.kind = kind;
    raw.nr = nr;
    raw.ns = ns;
    const int result = transport_->control(KTWIN_IOC_INJECT, &raw);
    if (result < 0) {
        const std::string_view advice = result == -ESRCH    ? "no such number or namespace"
                                        : result == -EEXIST ? "the number is in use"
                                                            : "";
        return failed(fmt::format("cannot inject at {} {}", nr, in_namespace(ns)), result, advice);
    }
    return {};
}

Result<CompareResult> Device::compare(const CompareRequest& request) {
    ktwin_compare raw = {};
    raw.size = sizeof(raw);
    raw.seed = request.seed;
    raw.operations = request.operations;
    raw.pid_max = request.pid_max;
    raw.levels = request.levels;
    const int result = transport_->control(KTWIN_IOC_COMPARE, &raw);
    if (result < 0) {
        return failed(
            "compare", result,
            result == -ERANGE ? "operations 1 to 10000000, pid_max 2 to 4194304, levels 1 to 33" : "");
    }
    return decode(raw);
}

}  // namespace ktwin
