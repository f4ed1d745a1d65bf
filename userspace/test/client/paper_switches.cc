// SPDX-License-Identifier: GPL-2.0-only
// Two CPUs, of which the second never switched, and a third that is not there. Each reading finds the same again on top of
// the last one.
#include "paper_switches.h"

#include <fcntl.h>
#include <uapi/ktwin.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "paper_sched.h"

namespace ktwin {
namespace {

uint64_t readings;

std::vector<ktwin_switch_cpu> cpus() {
    std::vector<ktwin_switch_cpu> all(3);
    for (uint32_t i = 0; i < 3; i++) {
        all[i].cpu = i;
        paper_sched_counts(all[i]);
    }
    for (uint32_t i = 0; i < KTWIN_SWITCH_CLASSES; i++) {
        all[0].classes[i] = (i + 1) * readings;
    }
    all[0].leaves[KTWIN_LEAVE_BLOCKED] = 20 * readings;
    all[0].leaves[KTWIN_LEAVE_VOLUNTARY] = 7 * readings;
    all[0].leaves[KTWIN_LEAVE_PREEMPTED] = readings;
    return all;
}

ktwin_switch_task task(int32_t tid, int32_t tgid, uint64_t blocked, const char* comm) {
    ktwin_switch_task one = {};
    one.tid = tid;
    one.tgid = tgid;
    one.classes[KTWIN_SWITCH_PROCESS] = one.leaves[KTWIN_LEAVE_BLOCKED] = blocked;
    std::memcpy(one.comm, comm, std::min(std::strlen(comm), sizeof(one.comm)));
    return one;
}

std::vector<ktwin_switch_task> tasks() {
    std::vector<ktwin_switch_task> all = {
        task(813, 812, 3 * readings, "nginx"), task(900, 900, 9 * readings, "a\033b\xff of 16 bytes"),
        task(901, 901, 5, "asleep"), task(77, 77, 2 * readings, ""), task(0, 0, 4 * readings, "")};
    all[3].flags = KTWIN_SWITCH_TASK_HIDDEN;
    return all;
}

std::vector<ktwin_switch_waits> waits() {
    std::vector<ktwin_switch_waits> all(2);
    all[0].sched_class = KTWIN_SCHED_RT;
    all[1].sched_class = KTWIN_SCHED_FAIR;
    all[1].sum_ns = 1000000 * readings;
    all[1].buckets[0] = readings;
    all[1].buckets[10] = 97 * readings;
    all[1].buckets[20] = 2 * readings;
    return all;
}

std::vector<ktwin_rq_twin> twins() {
    std::vector<ktwin_rq_twin> all(2);
    for (uint32_t i = 0; i < KTWIN_GENERATIONS; i++) {
        all[0].agreement[i * KTWIN_SCHED_CLASSES + KTWIN_SCHED_FAIR] = {
            40 * readings, (10 + 7 * i) * readings, 0, i * readings};
    }
    all[1].cpu = 1;
    all[1].why = KTWIN_RQ_STARTING | 1U << 9;
    all[1].agreement[KTWIN_SCHED_IDLE] = {2 * readings, 0, 2 * readings, 0};
    return all;
}

std::vector<ktwin_ns_waits> ns_waits() {
    std::vector<ktwin_ns_waits> all(3);
    all[0].ns = 4026531836;
    all[0].sum_ns = 3000 * readings;
    all[0].buckets[11] = 2 * readings;
    all[1].ns = 4026532201;
    all[1].buckets[0] = 1;
    all[2].sum_ns = 5 * readings;
    all[2].buckets[3] = readings;
    return all;
}

std::vector<ktwin_rq_audit> audits() {
    std::vector<ktwin_rq_audit> all(2);
    all[0].passes = readings;
    all[0].equal = 3 * readings;
    all[0].throttled = 1;
    all[0].delayed = 2;
    all[0].transients = 1;
    all[1].cpu = 1;
    all[1].passes = readings;
    all[1].skipped = 1;
    all[1].why = KTWIN_RQ_CONFLICT;
    return all;
}

std::vector<ktwin_rq_audit> differing() {
    std::vector<ktwin_rq_audit> all = audits();
    all[0].missing = 1;
    all[0].last_kind = KTWIN_RQ_MISSING;
    all[0].last_tid = 812;
    all[0].last_ns = 77000000000;
    return all;
}

bool is_differing() {
    const char* paper = std::getenv("KTWIN_PAPER");
    return paper && std::strcmp(paper, "differs") == 0;
}

template <class Raw>
int answer(ktwin_read& request, const std::vector<Raw>& all) {
    request.filled = 0;
    while (request.filled < request.room && request.cursor < all.size()) {
        reinterpret_cast<Raw*>(static_cast<uintptr_t>(request.buffer))[request.filled++] =
            all[request.cursor++];
    }
    request.more = 0;
    return 0;
}

}  // namespace

int paper_switches(unsigned long command, void* argument) {
    if (command == KTWIN_IOC_SWITCHES) {
        const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    auto& request = *static_cast<ktwin_read*>(argument);
    readings++;
    switch (command) {
        case KTWIN_IOC_SWITCHES_CPUS:
            return answer(request, cpus());
        case KTWIN_IOC_SWITCHES_TASKS:
            return answer(request, tasks());
        case KTWIN_IOC_SWITCHES_EVENTS:
            return paper_sched_events(request);
        case KTWIN_IOC_SWITCHES_WAITS:
            return answer(request, waits());
        case KTWIN_IOC_SWITCHES_NS_WAITS:
            return answer(request, ns_waits());
        case KTWIN_IOC_SWITCHES_AUDIT:
            return answer(request, is_differing() ? differing() : audits());
        default:
            return answer(request, twins());
    }
}

}  // namespace ktwin
