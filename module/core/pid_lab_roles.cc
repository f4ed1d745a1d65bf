// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_lab.h"
#include "core/pid_lab_writer.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

bool is_sane(const ktwin_lab_role& request) {
    if (request.flags != 0 || request.op > KTWIN_LAB_EXCHANGE || request.type > KTWIN_LAB_SID) {
        return false;
    }
    switch (request.op) {
        case KTWIN_LAB_ATTACH:
        case KTWIN_LAB_CHANGE:
            return request.other == 0;
        case KTWIN_LAB_DETACH:
            return request.other == 0 && request.ns == 0 && request.nr == 0;
        case KTWIN_LAB_TRANSFER:
            return request.type != KTWIN_LAB_PID && request.other != request.task && request.ns == 0 &&
                   request.nr == 0;
        default:
            return request.type == KTWIN_LAB_PID && request.other != request.task && request.ns == 0 &&
                   request.nr == 0;
    }
}

}  // namespace

void PidLab::drop_if_idle(LabTask* task) {
    if (!LabTasks::has_role(*task)) {
        tasks_.drop(task, memory_.nodes());
    }
}

Result PidLab::attach(ktwin_lab_role& request) {
    TwinPid* pid = pid_of(request.ns, request.nr);
    if (pid == nullptr) {
        return Errno::kNotFound;
    }
    Expected<LabTask*> task = tasks_.find(request.task);
    if (request.task == 0) {
        task = tasks_.make(memory_.nodes());
    }
    if (!task || task.value() == nullptr) {
        return task ? Errno::kNotFound : task.error();
    }
    const Result attached = roles_.attach(task.value(), static_cast<PidType>(request.type), pid);
    if (attached) {
        request.task = task.value()->id;
    } else if (request.task == 0) {
        tasks_.unmake(task.value(), memory_.nodes());
    }
    return attached;
}

Result PidLab::role_locked(ktwin_lab_role& request) {
    if (request.op == KTWIN_LAB_ATTACH) {
        return attach(request);
    }
    const auto type = static_cast<PidType>(request.type);
    const bool two = request.op == KTWIN_LAB_TRANSFER || request.op == KTWIN_LAB_EXCHANGE;
    LabTask* task = tasks_.find(request.task);
    LabTask* other = two ? tasks_.find(request.other) : nullptr;
    TwinPid* pid = request.op == KTWIN_LAB_CHANGE ? pid_of(request.ns, request.nr) : nullptr;
    if (task == nullptr || (two && other == nullptr) || (request.op == KTWIN_LAB_CHANGE && pid == nullptr)) {
        return Errno::kNotFound;
    }
    Result done;
    switch (request.op) {
        case KTWIN_LAB_DETACH:
            done = roles_.detach(task, type);
            break;
        case KTWIN_LAB_CHANGE:
            done = roles_.change(task, type, pid);
            break;
        case KTWIN_LAB_TRANSFER:
            done = roles_.transfer(task, other, type);
            break;
        default:
            done = roles_.exchange(task, other);
            break;
    }
    if (done) {
        drop_if_idle(task);
    }
    return done;
}

Result PidLab::role(ktwin_lab_role& request) {
    if (!is_sane(request)) {
        return Errno::kInvalid;
    }
    if (is_flat()) {
        return Errno::kNotSupported;
    }
    const Writer writer(*this);
    // What is made here is a task, which takes no number of a namespace, not even of one that gives none.
    const Result done = with_memory(0, [&] {
        const RcuGuard rcu;
        const Held held(*this);
        const Result tried = role_locked(request);
        reap_emptied();
        return tried;
    });
    finish();
    return done.error() == Errno::kOverflow ? Errno::kNoMemory : done;
}

// One round; whether there is more to do.
Expected<bool> PidLab::kill_some(u32 number, Kill& kill, ktwin_lab_kill& report) {
    struct Context {
        PidLab* lab;
        u32 tasks;
    } context = {this, 0};
    // Called under the lock that kill_some() was.
    const PidRoles::Buried buried = [](void* object, PidTask* task) TA_NO_ANALYSIS {
        auto* to = static_cast<Context*>(object);
        to->lab->tasks_.drop(static_cast<LabTask*>(task), to->lab->memory_.nodes());
        ++to->tasks;
    };
    const Writer writer(*this);
    u32 before = 0;
    u32 gone = 0;
    bool more = false;
    {
        const RcuGuard rcu;
        const Held held(*this);
        PidNamespace* ns = ns_of(number);
        if (ns == nullptr) {
            return Errno::kNotFound;
        }
        before = world_.pids_alive();
        // Once: what is dying gets no children any more.
        const bool dooms = !kill.doomed;
        if (dooms) {
            doom_below(*ns);
            kill.doomed = true;
        }
        more = roles_.kill_some(ns, kill.killing, buried, &context);
        gone = before - world_.pids_alive();
        if (dooms) {
            reap();
        }
        reap_emptied();
    }
    if (!is_twin()) {
        free_aside();
        const Held held(*this);
        gone = before - world_.pids_alive();
    }
    report.pids += gone;
    report.tasks += context.tasks;
    return more;
}

bool PidLab::dismiss_some() {
    const Writer writer(*this);
    bool any = false;
    {
        const RcuGuard rcu;
        const Held held(*this);
        for (u32 i = 0; i < kRound; ++i) {
            LabTask* task = tasks_.next(1);
            if (task == nullptr) {
                break;
            }
            any = true;
            for (u32 type = 0; type < kPidTypes; ++type) {
                (void)roles_.detach(task, static_cast<PidType>(type));
            }
            tasks_.drop(task, memory_.nodes());
        }
    }
    free_aside();
    return any;
}

// Those in which nobody ever was have no init to lose.
void PidLab::doom_below(const PidNamespace& top) {
    for (PidNamespace* at = world_.table().first(); at != nullptr; at = NamespaceTable::following(at)) {
        if (at->is_at_or_below(&top)) {
            at->set_dying();
        }
    }
}

Result PidLab::kill(ktwin_lab_kill& request) {
    if (request.flags != 0) {
        return Errno::kInvalid;
    }
    if (is_flat()) {
        return Errno::kNotSupported;
    }
    request.tasks = 0;
    request.pids = 0;
    request.left = 0;
    const Result killed = kill_all(request);
    // Once, not for each round in which a namespace died.
    bury_ids();
    return killed;
}

Result PidLab::kill_all(ktwin_lab_kill& request) {
    Kill kill;
    Expected<bool> more = kill_some(request.ns, kill, request);
    while (more && more.value()) {
        if (!kt_host_breathe(0)) {
            return Errno::kInterrupted;
        }
        more = kill_some(request.ns, kill, request);
        // It lost its last number before this round could look for it.
        more = !more && more.error() == Errno::kNotFound ? Expected<bool>(false) : more;
    }
    if (!more) {
        return more.error();
    }
    const RcuGuard rcu;
    const PidNamespace* ns = ns_of(request.ns);
    request.left = ns != nullptr ? lab_count(*ns) : 0;
    return {};
}

}  // namespace ktwin
