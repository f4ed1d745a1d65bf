// SPDX-License-Identifier: GPL-2.0-only
//
// PidTask: a task of a private twin, as far as pids are concerned: which pid it has in each role.
//
// A thread has a PID; the TGID, PGID and SID are the thread group's, held by its leader.
#ifndef KTWIN_CORE_PID_TASK_H
#define KTWIN_CORE_PID_TASK_H

#include "core/twin_pid.h"

namespace ktwin {

struct PidTask : PoolNode {
    TwinPid* pid(PidType type) const { return pids[static_cast<u32>(type)].load_acquire(); }

    Atomic<TwinPid*> pids[kPidTypes];    // thread_pid, and signal->pids
    Atomic<PidTask*> next[kPidTypes];    // pid_links: the next task with that pid in that role
    Atomic<PidTask*>* links[kPidTypes];  // what points here; the writer's
};

}  // namespace ktwin

#endif
