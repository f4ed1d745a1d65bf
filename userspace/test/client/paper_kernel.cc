// SPDX-License-Identifier: GPL-2.0-only
// Takes the place of lib/transport.cc in a client that is tested without a module: answers from a small,
// fixed system. KTWIN_PAPER names what is wrong with it: off, differs, incomplete, scoped, errno=N, lost,
// many, nopeers.
#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "lib/message.h"
#include "lib/socket_peers.h"
#include "lib/transport.h"
#include "paper_rq.h"
#include "paper_switches.h"
#include "paper_wait.h"
#include "test/paper_lab.h"

namespace ktwin {
namespace {

constexpr uint32_t initial = 4026531836U;
constexpr uint32_t container = 4026532201U;
constexpr uint32_t nested = 4026532305U;
constexpr uint32_t other = 4026532400U;
constexpr uint64_t second = 1000000000;

bool paper(const char* what) {
    const char* value = std::getenv("KTWIN_PAPER");
    return value && std::strcmp(value, what) == 0;
}

template <class T>
T* at(uint64_t address) {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

int status(ktwin_status& raw) {
    raw.flags = paper("scoped") ? KTWIN_STATUS_SCOPED : KTWIN_STATUS_LAB;
    raw.own_ns = paper("scoped") ? container : initial;
    raw.state = paper("off") ? KTWIN_OFF : paper("incomplete") ? KTWIN_INCOMPLETE : KTWIN_LIVE;
    raw.why = paper("off")          ? KTWIN_WHY_OFF
              : paper("incomplete") ? KTWIN_WHY_PROBE_MISSED | KTWIN_WHY_NO_MEMORY
                                    : 0;
    raw.pid_max = 32768;
    raw.pids = 151;
    raw.namespaces = 4;
    if (!paper("scoped")) {
        raw.epoch = 1;
        raw.populate_ns = 312400;
        raw.allocs = 1234;
        raw.frees = 1100;
        raw.unknown_frees = 3;
        raw.streams = 1;
        raw.events = 2334;
        raw.memory = 1258291;
        raw.pid_pool = {200, 351, 65536, 180, 0, 0};
        raw.node_pool = {32, 40, 8192, 30, 0, 0};
        raw.ns_pool = {8, 12, 1024, 7, 1, 0};
    }
    return 0;
}

int audit(ktwin_audit& raw) {
    if (!(raw.flags & KTWIN_AUDIT_RUN) && paper("off")) {
        return -ENODATA;
    }
    raw.complete = !paper("incomplete") && !paper("off");
    raw.why = paper("off") ? KTWIN_WHY_OFF : paper("incomplete") ? KTWIN_WHY_PROBE_MISSED : 0;
    raw.checked = 182;
    raw.pids = 151;
    raw.namespaces = 4;
    raw.differences = raw.differences_total = paper("differs") ? 2 : 0;
    raw.transients = 1;
    raw.started_ns = 100 * second;
    raw.duration_ns = 250000;
    raw.epoch = 1;
    raw.passes = 12;
    raw.passes_complete = 12;
    raw.checked_total = 2184;
    if (paper("lockstep") || paper("mispredicts")) {
        raw.lockstep = 1;
        raw.lockstep_namespaces = 3;
        raw.allocations = 94284;
        raw.predicted = 94284;
    }
    if (paper("mispredicts")) {
        raw.predicted = 94279;
        raw.mispredicted = 1;
        raw.cursor_set = 3;
        raw.missed = 1;
        raw.contradicted = 1;
        raw.unfollowed = 2;
        raw.skipped = 1;
        raw.differences_total = 1;
    }
    return 0;
}

std::vector<ktwin_ns> namespaces() {
    std::vector<ktwin_ns> all(4);
    all[0] = {.first_seen_ns = 0,
              .inode = initial,
              .parent = 0,
              .level = 0,
              .flags = KTWIN_NS_KERNEL,
              .count = 151,
              .kernel_count = 151,
              .cursor = 1301,
              .pid_max = 32768,
              .headroom = 32616,
              .hole_start = 1302,
              .hole_length = 31466,
              .children = 2,
              .reaper = 1,
              .zero = 0};
    all[1] = {.first_seen_ns = 5 * second,
              .inode = container,
              .parent = initial,
              .level = 1,
              .flags = KTWIN_NS_KERNEL,
              .count = 12,
              .kernel_count = 12,
              .cursor = 13,
              .pid_max = 32768,
              .headroom = 32755,
              .hole_start = 13,
              .hole_length = 32755,
              .children = 1,
              .reaper = 1200,
              .zero = 0};
    all[2] = {.first_seen_ns = 6 * second,
              .inode = nested,
              .parent = container,
              .level = 2,
              .flags = KTWIN_NS_DYING,
              .count = 1,
              .kernel_count = 0,
              .cursor = 0,
              .pid_max = 0,
              .headroom = 0,
              .hole_start = 0,
              .hole_length = 0,
              .children = 0,
              .reaper = 0,
              .zero = 0};
    all[3] = {.first_seen_ns = 7 * second,
              .inode = other,
              .parent = initial,
              .level = 1,
              .flags = KTWIN_NS_KERNEL,
              .count = 1,
              .kernel_count = 1,
              .cursor = 2,
              .pid_max = 32768,
              .headroom = 32766,
              .hole_start = 2,
              .hole_length = 32766,
              .children = 0,
              .reaper = 1300,
              .zero = 0};
    return all;
}

std::vector<ktwin_pid> pids() {
    std::vector<ktwin_pid> all(paper("many") ? 100000 : 3);
    for (uint32_t i = 0; i < all.size(); i++) {
        all[i].serial = i + 1;
        all[i].depth = 1;
        all[i].upids[0] = {initial, static_cast<int32_t>(i + 1)};
    }
    all[1].depth = 2;
    all[1].born_ns = second;
    all[1].upids[1] = {container, 1};
    return all;
}

std::vector<ktwin_divergence> divergences() {
    std::vector<ktwin_divergence> all(paper("differs") ? 3 : 0);
    for (uint32_t i = 0; i < all.size(); i++) {
        all[i].index = i + 1;
        all[i].time_ns = 90 * second + i;
        all[i].last_ns = (i == 2 ? 95 : 101) * second;
        all[i].passes = i + 1;
        all[i].ns = initial;
        all[i].nr = static_cast<int32_t>(500 + i);
        all[i].kind = KTWIN_ONLY_KERNEL + i;
    }
    if (paper("mispredicts")) {
        all.resize(1);
        all[0].index = all[0].passes = 1;
        all[0].time_ns = all[0].last_ns = 90 * second;
        all[0].ns = initial;
        all[0].nr = all[0].kernel_nr = 700;
        all[0].twin_nr = -ENOSPC;
        all[0].kind = KTWIN_MISPREDICTED;
    }
    return all;
}

template <class Raw>
int read(ktwin_read& request, const std::vector<Raw>& all) {
    if (paper("off")) {
        return -ENODATA;
    }
    if (request.ns != 0 && request.ns != initial && request.ns != container) {
        return -ESRCH;
    }
    request.filled = 0;
    while (request.filled < request.room && request.cursor < all.size()) {
        at<Raw>(request.buffer)[request.filled++] = all[request.cursor++];
    }
    request.more = request.cursor < all.size();
    request.epoch = 1;
    return 0;
}

int explain(ktwin_explain& raw) {
    if (raw.nr != 1234) {
        return -ESRCH;
    }
    raw.flags = KTWIN_EXPLAIN_KERNEL;
    if (!paper("differs")) {
        raw.flags |= KTWIN_EXPLAIN_TWIN | KTWIN_EXPLAIN_SAME;
    }
    *at<ktwin_pid>(raw.pid) = {};
    at<ktwin_pid>(raw.pid)->serial = 77;
    at<ktwin_pid>(raw.pid)->depth = 2;
    at<ktwin_pid>(raw.pid)->upids[0] = {initial, 1234};
    at<ktwin_pid>(raw.pid)->upids[1] = {container, 12};
    ktwin_role role = {.type = KTWIN_ROLE_PID,
                       .flags = KTWIN_TASK_LEADER | KTWIN_TASK_EXITING,
                       .tid = 1234,
                       .tgid = 1234,
                       .ppid = 1200,
                       .state = 'Z',
                       .comm = "a\033b\xff"};
    at<ktwin_role>(raw.roles)[0] = role;
    role.type = KTWIN_ROLE_TGID;
    at<ktwin_role>(raw.roles)[1] = role;
    raw.roles_filled = 2;
    raw.role_count[KTWIN_ROLE_PID] = raw.role_count[KTWIN_ROLE_TGID] = 1;
    raw.references = 2;
    return 0;
}

// A ring of 64 records with five events in it.
std::vector<std::byte>& ring() {
    static std::vector<std::byte> memory = [] {
        std::vector<std::byte> bytes(4096 + 64 * sizeof(ktwin_event));
        auto& header = *reinterpret_cast<ktwin_ring*>(bytes.data());
        header.bytes = bytes.size();
        header.capacity = 64;
        header.record_size = sizeof(ktwin_event);
        header.offset = 4096;
        header.lost = paper("lost") ? 7 : 0;
        header.head = 5;
        auto* records = reinterpret_cast<ktwin_event*>(bytes.data() + 4096);
        records[0] = {0, second, 0, 3, KTWIN_EV_POPULATED, 0, 0, 0, 0, 0, 0, 0};
        records[1] = {1, 2 * second, 0, 0, KTWIN_EV_NS_NEW, 1, container, 1, 0, 0, initial, 0};
        records[2] = {2, 2 * second + 5000, 900, 0, KTWIN_EV_PID_ALLOC, 1, container, 1, 1500, 1, 0, 0};
        records[3] = {3, 3 * second, 900, 0, KTWIN_EV_PID_FREE, 0, container, 1, 1500, 1, 0, 0};
        records[4] = {4, 4 * second, 0, KTWIN_WHY_PROBE_MISSED, KTWIN_EV_INCOMPLETE, 0, 0, 0, 0, 0, 0, 0};
        return bytes;
    }();
    return memory;
}

// The lab that was opened last.
std::unique_ptr<PaperLab> lab;

int open_lab(const ktwin_lab& options) {
    if (!PaperLab::is_sound(options)) {
        return -EINVAL;
    }
    lab = std::make_unique<PaperLab>(options);
    const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

}  // namespace

int FdTransport::control(unsigned long command, void* argument) {
    const char* value = std::getenv("KTWIN_PAPER");
    if (value && std::strncmp(value, "errno=", 6) == 0) {
        return -std::atoi(value + 6);
    }
    switch (command) {
        case KTWIN_IOC_STATUS:
            return status(*static_cast<ktwin_status*>(argument));
        case KTWIN_IOC_MIRROR:
            if (static_cast<ktwin_mirror*>(argument)->op == KTWIN_LOCKSTEP_ON) {
                return paper("lockstep") ? -EALREADY : 0;
            }
            return static_cast<ktwin_mirror*>(argument)->op == KTWIN_MIRROR_ON && !paper("off") ? -EALREADY
                                                                                                : 0;
        case KTWIN_IOC_AUDIT:
            return audit(*static_cast<ktwin_audit*>(argument));
        case KTWIN_IOC_AUDIT_RATE: {
            auto& rate = *static_cast<ktwin_audit_rate*>(argument);
            if (!(rate.flags & KTWIN_AUDIT_RATE_SET)) {
                rate.interval_ms = 1000, rate.batch = 4096, rate.cpu_percent = 10;
            }
            return rate.batch < 64 ? -ERANGE : 0;
        }
        case KTWIN_IOC_NAMESPACES:
            return read(*static_cast<ktwin_read*>(argument), namespaces());
        case KTWIN_IOC_PIDS:
            return read(*static_cast<ktwin_read*>(argument), pids());
        case KTWIN_IOC_DIVERGENCES:
            return read(*static_cast<ktwin_read*>(argument), divergences());
        case KTWIN_IOC_EXPLAIN:
            return explain(*static_cast<ktwin_explain*>(argument));
        case KTWIN_IOC_STREAM: {
            int ends[2];
            // The reading end of a pipe with a byte in it: poll finds it ready.
            return pipe(ends) || ::write(ends[1], "", 1) != 1 ? -errno : ends[0];
        }
        case KTWIN_IOC_STREAM_ACK:
            return 0;
        case KTWIN_IOC_SWITCHES:
        case KTWIN_IOC_SWITCHES_CPUS:
        case KTWIN_IOC_SWITCHES_TASKS:
        case KTWIN_IOC_SWITCHES_WAITS:
        case KTWIN_IOC_SWITCHES_TWINS:
        case KTWIN_IOC_SWITCHES_NS_WAITS:
        case KTWIN_IOC_SWITCHES_AUDIT:
        case KTWIN_IOC_SWITCHES_EVENTS:
            return paper_switches(command, argument);
        case KTWIN_IOC_INJECT:
            return static_cast<ktwin_inject*>(argument)->nr == 99 ? -ESRCH : 0;
        case KTWIN_IOC_COMPARE: {
            auto& compare = *static_cast<ktwin_compare*>(argument);
            compare.compared = compare.operations;
            compare.differences = paper("differs") ? 1 : 0;
            return compare.levels > 33 ? -ERANGE : 0;
        }
        case KTWIN_IOC_WAITERS:
            return paper_waiters(*static_cast<ktwin_waiters*>(argument));
        case KTWIN_IOC_SLEEP:
            return paper_sleep(*static_cast<ktwin_sleep*>(argument));
        case KTWIN_IOC_WATCH:
            return paper_watch(*static_cast<ktwin_watch*>(argument));
        case KTWIN_IOC_QUEUE_STATS:
            return paper_watched(*static_cast<ktwin_wait_stats*>(argument));
        case KTWIN_IOC_RQ:
            return paper_rq(*static_cast<ktwin_rq*>(argument));
        case KTWIN_IOC_LAYOUT:
            return paper_layout(*static_cast<ktwin_read*>(argument));
        case KTWIN_IOC_LAB:
            return open_lab(*static_cast<ktwin_lab*>(argument));
        case KTWIN_IOC_LAB_NS_CREATE:
        case KTWIN_IOC_LAB_PID_MAX:
        case KTWIN_IOC_LAB_ALLOC:
        case KTWIN_IOC_LAB_FREE:
        case KTWIN_IOC_LAB_FIND:
        case KTWIN_IOC_LAB_ROLE:
        case KTWIN_IOC_LAB_KILL:
        case KTWIN_IOC_LAB_STATS:
        case KTWIN_IOC_LAB_NAMESPACES:
        case KTWIN_IOC_LAB_PIDS:
        case KTWIN_IOC_LAB_TASKS:
        case KTWIN_IOC_LAB_LEAVES:
            return lab->control(command, argument);
        default:
            return paper_queue(command, argument);
    }
}

Result<Mapping> Mapping::map(int, size_t) {
    return Mapping(ring());
}

Mapping::~Mapping() = default;

// What this machine's sockets are joined to is none of the paper kernel's business.
std::optional<std::string> read_unix_peers(SocketPeers&) {
    return paper("nopeers") ? std::optional<std::string>("the ends of unix sockets are not known: no")
                            : std::nullopt;
}

}  // namespace ktwin
