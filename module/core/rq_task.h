// SPDX-License-Identifier: GPL-2.0-only
//
// RqTask: what the twin run queues know of one task: an entity for each generation and class, as the kernel's task_struct
// has a sched_entity for each class. It comes from a pool, lives from when the task is first heard of until it is dead, and
// is reached by its key only under the lock of the twin.
#ifndef KTWIN_CORE_RQ_TASK_H
#define KTWIN_CORE_RQ_TASK_H

#include "core/cfs_queue.h"
#include "core/deadline_queue.h"
#include "core/eevdf_queue.h"
#include "core/pool.h"
#include "core/prio_array_queue.h"
#include "core/rt_queue.h"
#include "core/scan_queue.h"

namespace ktwin {

// Its place among those queued on a CPU.
struct RqMember : RingNode {};

// PoolNode first: the pool knows the object by it.
struct RqTask : PoolNode,
                RqMember,
                ScanEntity,
                PrioArrayEntity,
                CfsEntity,
                EevdfEntity,
                RtEntity,
                DeadlineEntity {
    RqTask(kt_key the_key, i32 the_nr, u32 the_cpu, const SchedParams& the_params)
        : key(the_key), nr(the_nr), cpu(the_cpu), params(the_params.checked()) {}

    const kt_key key;
    i32 nr;  // for who reads
    RqTask* bucket_next = nullptr;
    u32 cpu;                // whose queue it is on, or was on last
    bool queued = false;    // the current one is queued too
    bool arriving = false;  // neither queued nor asleep: RunQueue::expect()
    bool adrift =
        true;  // asleep, and what it knows is relative to no queue: none had it, or it was forgotten
    SchedParams params;
    u64 waits_since = 0;  // queued without the CPU; 0: it has it, or sleeps
    u64 seen = 0;         // the last comparison that met it
};

}  // namespace ktwin

#endif
