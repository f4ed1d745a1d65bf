// SPDX-License-Identifier: GPL-2.0-only
// What is queued on the CPUs of the paper kernel: CPU 0 has one of each kind, CPU 1 is idle, CPU 2 is crowded.
#include "paper_rq.h"

#include <sched.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace ktwin {
namespace {

struct Queue {
    ktwin_rq_cpu cpu;
    std::vector<ktwin_rq_task> tasks;
};

bool asked_for(const char* what) {
    const char* paper = std::getenv("KTWIN_PAPER");
    return paper && std::string_view(paper) == what;
}

void name(ktwin_rq_name& to, int32_t tid, std::string_view comm) {
    to = {.tid = tid, .tgid = tid, .comm = {}};
    comm.copy(to.comm, sizeof(to.comm));
}

ktwin_rq_task task(uint32_t sched_class, uint32_t position, int32_t tid, std::string_view comm,
                   uint32_t policy, int32_t prio, uint32_t flags) {
    ktwin_rq_task raw = {};
    raw.tid = raw.tgid = tid;
    raw.sched_class = sched_class;
    raw.position = position;
    raw.flags = flags;
    raw.policy = policy;
    raw.prio = raw.normal_prio = prio;
    raw.static_prio = prio >= 100 ? prio : 120;
    raw.nice = raw.static_prio - 120;
    raw.run_delay_ns = 5000;
    raw.pcount = 7;
    raw.last_arrival_ns = 900;
    raw.queued_ns = flags & KTWIN_RQ_TASK_RUNNING ? 0 : 1500000;
    comm.copy(raw.comm, sizeof(raw.comm));
    return raw;
}

ktwin_rq_task fair(uint32_t position, int32_t tid, std::string_view comm, int32_t prio, uint64_t vruntime,
                   uint32_t flags) {
    ktwin_rq_task raw = task(KTWIN_SCHED_FAIR, position, tid, comm, SCHED_OTHER, prio, flags);
    raw.vruntime = vruntime;
    raw.lag = 1000 - static_cast<int64_t>(vruntime);
    raw.slice_ns = 3000000;
    raw.deadline = vruntime + 3000000;
    return raw;
}

Queue mixed() {
    Queue queue = {};
    queue.cpu.flags = KTWIN_RQ_ONLINE | KTWIN_RQ_EEVDF | KTWIN_RQ_SERVER;
    queue.cpu.nr_running = 9;
    queue.cpu.nr_deadline = 2;
    queue.cpu.nr_rt = 2;
    queue.cpu.nr_fair = 5;
    queue.cpu.elsewhere = 1;
    queue.cpu.nr_switches = 4711;
    queue.cpu.clock_ns = 123456789;
    queue.cpu.hold_ns = 2500;
    name(queue.cpu.curr, 501, "dl");
    name(queue.cpu.idle, 0, "swapper/0");
    name(queue.cpu.stop, 15, "migration/0");
    queue.tasks = {
        task(KTWIN_SCHED_DEADLINE, 0, 501, "dl", 6, -1, KTWIN_RQ_TASK_RUNNING),
        task(KTWIN_SCHED_RT, 0, 502, "fi\tfo", SCHED_FIFO, 49, 0),
        task(KTWIN_SCHED_RT, 1, 503, "rr", SCHED_RR, 79, KTWIN_RQ_TASK_BOOSTED),
        fair(0, 504, "next", 120, 400, KTWIN_RQ_TASK_ELIGIBLE | KTWIN_RQ_TASK_BUDDY),
        fair(1, 505, "", 139, 900, KTWIN_RQ_TASK_HIDDEN),
        fair(3, 506, "asleep", 120, 1200, KTWIN_RQ_TASK_DELAYED),
        fair(4, 507, "used-up", 100, 0, KTWIN_RQ_TASK_THROTTLED),
    };
    queue.tasks[0].deadline = 130000000;
    queue.tasks[3].group = 0xabcdef;
    queue.tasks[3].depth = 1;
    return queue;
}

Queue idle() {
    Queue queue = {};
    queue.cpu.cpu = 1;
    queue.cpu.flags = KTWIN_RQ_ONLINE | KTWIN_RQ_EEVDF | KTWIN_RQ_IDLE;
    queue.cpu.hold_ns = 300;
    name(queue.cpu.curr, 0, "swapper/1");
    name(queue.cpu.idle, 0, "swapper/1");
    name(queue.cpu.stop, 21, "migration/1");
    return queue;
}

// More than there is room for at first.
Queue crowd() {
    Queue queue = idle();
    queue.cpu.cpu = 2;
    queue.cpu.flags = KTWIN_RQ_TRUNCATED;
    queue.cpu.nr_running = queue.cpu.nr_fair = 3000;
    queue.cpu.unlisted = 1000;
    for (uint32_t i = 0; i < 2000; i++) {
        queue.tasks.push_back(fair(i, 10000 + static_cast<int32_t>(i), "crowd", 120, i, 0));
    }
    return queue;
}

void give(ktwin_rq& raw, Queue queue) {
    auto* cpus = reinterpret_cast<ktwin_rq_cpu*>(static_cast<uintptr_t>(raw.cpus));
    auto* tasks = reinterpret_cast<ktwin_rq_task*>(static_cast<uintptr_t>(raw.tasks));
    queue.cpu.first = raw.tasks_filled;
    for (ktwin_rq_task one : queue.tasks) {
        if (raw.tasks_filled == raw.tasks_room) {
            raw.flags |= KTWIN_RQ_MORE;
            break;
        }
        one.cpu = queue.cpu.cpu;
        tasks[raw.tasks_filled++] = one;
        queue.cpu.listed++;
    }
    cpus[raw.cpus_filled++] = queue.cpu;
}

ktwin_layout field(uint32_t group, std::string_view name, int32_t offset, uint32_t flags) {
    ktwin_layout raw = {};
    raw.group = group;
    raw.flags = flags;
    raw.offset = offset;
    raw.length = offset < 0 ? 0 : 8;
    name.copy(raw.name, sizeof(raw.name));
    return raw;
}

}  // namespace

int paper_rq(ktwin_rq& raw) {
    if (asked_for("strange")) {
        return -ENODATA;
    }
    if (raw.cpu > 2) {
        return -ESRCH;
    }
    raw.longest_ns = 88000;
    if (raw.cpu == 2) {
        give(raw, crowd());
    }
    if (raw.cpu < 1) {
        give(raw, mixed());
    }
    if (raw.cpu == 1 || raw.cpu < 0) {
        give(raw, idle());
    }
    return 0;
}

int paper_layout(ktwin_read& raw) {
    const uint32_t known = KTWIN_LAYOUT_KNOWN;
    std::vector<ktwin_layout> fields = {
        field(KTWIN_LAYOUT_WAIT, "wait_queue_head.lock", 0, known | KTWIN_LAYOUT_COMPARED),
        field(KTWIN_LAYOUT_RUN_QUEUE, "rq.curr", 2320, known),
        field(KTWIN_LAYOUT_RUN_QUEUE, "rt_rq.rt_throttled", -1, 0),
    };
    if (asked_for("strange")) {
        for (size_t i = 1; i < fields.size(); i++) {
            fields[i] = field(KTWIN_LAYOUT_RUN_QUEUE, fields[i].name, -1, KTWIN_LAYOUT_REFUSED);
            std::strcpy(fields[i].missing, "rq.curr");
            std::strcpy(fields[i].why, "not found");
        }
    }
    auto* to = reinterpret_cast<ktwin_layout*>(static_cast<uintptr_t>(raw.buffer));
    raw.filled = 0;
    for (const ktwin_layout& one : fields) {
        to[raw.filled++] = one;
    }
    raw.more = 0;
    return 0;
}

}  // namespace ktwin
