// SPDX-License-Identifier: GPL-2.0-only
#include "rq.h"

#include <cerrno>

#include "decode.h"
#include "room.h"

namespace ktwin {
namespace {

// What one call can fill at most, see struct ktwin_rq.
constexpr size_t most_cpus = 8192;
constexpr size_t most_tasks = 1048576;

}  // namespace

std::expected<RunQueues, int> read_run_queues(Transport& transport, int32_t cpu) {
    std::vector<ktwin_rq_cpu> cpus(64);
    std::vector<ktwin_rq_task> tasks(256);
    ktwin_rq raw;
    // The sizes only grow, so this ends.
    for (bool again = true; again;) {
        raw = {};
        raw.size = sizeof(raw);
        raw.cpu = cpu;
        raw.cpu_size = sizeof(ktwin_rq_cpu);
        raw.cpus = address(cpus.data());
        raw.cpus_room = static_cast<uint32_t>(cpus.size());
        raw.task_size = sizeof(ktwin_rq_task);
        raw.tasks = address(tasks.data());
        raw.tasks_room = static_cast<uint32_t>(tasks.size());
        const int result = transport.control(KTWIN_IOC_RQ, &raw);
        if (result < 0) {
            return std::unexpected(result);
        }
        const bool cpus_grown = (raw.flags & KTWIN_RQ_MORE_CPUS) && grow(cpus, most_cpus);
        const bool tasks_grown = (raw.flags & KTWIN_RQ_MORE) && grow(tasks, most_tasks);
        again = cpus_grown || tasks_grown;
    }
    if (raw.cpus_filled > cpus.size() || raw.tasks_filled > tasks.size()) {
        return std::unexpected(-EPROTO);
    }

    RunQueues queues = {
        .cpus = {},
        .longest_ns = raw.longest_ns,
        .complete = (raw.flags & (KTWIN_RQ_MORE_CPUS | KTWIN_RQ_MORE)) == 0,
    };
    for (uint32_t i = 0; i < raw.cpus_filled; i++) {
        RunQueue& queue = queues.cpus.emplace_back(decode(cpus[i]));
        const uint64_t end = uint64_t{cpus[i].first} + cpus[i].listed;
        if (end > raw.tasks_filled) {
            return std::unexpected(-EPROTO);
        }
        for (uint64_t k = cpus[i].first; k < end; k++) {
            queue.tasks.push_back(decode(tasks[k], queue.is(KTWIN_RQ_EEVDF)));
        }
    }
    return queues;
}

}  // namespace ktwin
