// SPDX-License-Identifier: GPL-2.0-only
//
// PidRoles: who uses a pid as what, with the meaning of attach_pid(), detach_pid(), change_pid(), transfer_pid() and
// exchange_tids() of kernel/pid.c, and of zap_pid_ns_processes() of kernel/pid_namespace.c. Private twins only, with pools
// made for it. A pid whose last role goes is freed, as there; so a number stays as long as a group or session has it,
// though the process that gave it its number is gone.
//
// Where the kernel warns or corrupts a list, these refuse. The caller holds the lock; task() needs none.
#ifndef KTWIN_CORE_PID_ROLES_H
#define KTWIN_CORE_PID_ROLES_H

#include "core/pid_allocator.h"
#include "core/pid_task.h"

namespace ktwin {

class PidRoles : Pinned {
  public:
    explicit PidRoles(PidAllocator& pids) : pids_(pids) {}
    SpinLock& lock() TA_RETURN(pids_.lock()) { return pids_.lock(); }

    // kBusy: it has a pid in that role, or another task has this one as its PID.
    Result attach(PidTask* task, PidType type, TwinPid* pid) TA_REQUIRES(pids_.lock());
    // pid may be retired when this returns. kNotFound: it has none.
    Result detach(PidTask* task, PidType type) TA_REQUIRES(pids_.lock());
    // As setpgid() and setsid() do. To the one it has: nothing happens. kNotFound: it has none. kBusy: another
    // task has this one as its PID.
    Result change(PidTask* task, PidType type, TwinPid* pid) TA_REQUIRES(pids_.lock());
    // The role and its place in the list go from one to the other: de_thread(), for the leader's TGID, PGID and SID.
    // kInvalid: of a PID; kNotFound: from has none; kBusy: to has one.
    Result transfer(PidTask* from, PidTask* to, PidType type) TA_REQUIRES(pids_.lock());
    // The two swap their PIDs: de_thread(), the leader and the thread that executes. kNotFound: one has none.
    Result exchange(PidTask* left, PidTask* right) TA_REQUIRES(pids_.lock());

    // Readers, inside RCU: pid_task(). nullptr: nobody; then has_task() is false.
    static PidTask* task(TwinPid& pid, PidType type) { return pid.tasks(type).load_acquire(); }
    static PidTask* next(const PidTask& task, PidType type) {
        return task.next[static_cast<u32>(type)].load_acquire();
    }
    static bool in_use(TwinPid& pid);

    // Told of each task that is dead, under the lock; it has no role left.
    using Buried = void (*)(void* object, PidTask* task);

    struct Killing {
        u32 at = 2;        // all but the init first, as zap_pid_ns_processes() waits for them
        bool any = false;  // this pass over the numbers found something
    };
    // The namespace's init is gone: it takes no more pids (kNoMemory), and every task seen in it dies, those of its
    // children too, which so lose their inits. A few at a time; false when it is done, then the init is gone too. What
    // remains are numbers that tasks of outside still use as group or session. Between two calls give the CPU away, and
    // free what was put aside. Inside RCU.
    bool kill_some(PidNamespace* ns, Killing& killing, Buried buried, void* object) TA_REQUIRES(pids_.lock());

  private:
    static bool is_taken(TwinPid& pid, PidType type);
    void link(PidTask* task, PidType type, TwinPid* pid);
    static void unlink(PidTask* task, PidType type);
    void detach_locked(PidTask* task, PidType type) TA_REQUIRES(pids_.lock());
    void free_if_unused(TwinPid* pid) TA_REQUIRES(pids_.lock());
    bool bury(TwinPid* pid, Buried buried, void* object) TA_REQUIRES(pids_.lock());

    PidAllocator& pids_;
};

}  // namespace ktwin

#endif
