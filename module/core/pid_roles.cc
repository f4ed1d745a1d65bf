// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_roles.h"

#include "core/lab_ids.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 index_of(PidType type) {
    return static_cast<u32>(type);
}
constexpr PidType kAllTypes[kPidTypes] = {PidType::kPid, PidType::kTgid, PidType::kPgid, PidType::kSid};

}  // namespace

// A number is the number of one task, though a group's or a session's of many.
bool PidRoles::is_taken(TwinPid& pid, PidType type) {
    return type == PidType::kPid && task(pid, type) != nullptr;
}

bool PidRoles::in_use(TwinPid& pid) {
    for (const PidType type : kAllTypes) {
        if (task(pid, type) != nullptr) {
            return true;
        }
    }
    return false;
}

// hlist_add_head_rcu(). Release: who finds the task finds its pid.
void PidRoles::link(PidTask* task, PidType type, TwinPid* pid) {
    const u32 i = index_of(type);
    Atomic<PidTask*>& head = pid->tasks(type);
    PidTask* first = head.load_relaxed();
    task->pids[i].store_release(pid);
    task->next[i].store_relaxed(first);
    task->links[i] = &head;
    if (first != nullptr) {
        first->links[i] = &task->next[i];
    }
    head.store_release(task);
}

// hlist_del_rcu(): its own forward pointer stays, for the reader that stands on it.
void PidRoles::unlink(PidTask* task, PidType type) {
    const u32 i = index_of(type);
    PidTask* next = task->next[i].load_relaxed();
    task->links[i]->store_release(next);
    if (next != nullptr) {
        next->links[i] = task->links[i];
    }
    task->pids[i].store_release(nullptr);
}

void PidRoles::free_if_unused(TwinPid* pid) {
    if (!in_use(*pid)) {
        pids_.free_pid_locked(pid);
    }
}

void PidRoles::detach_locked(PidTask* task, PidType type) {
    TwinPid* pid = task->pid(type);
    unlink(task, type);
    free_if_unused(pid);
}

Result PidRoles::attach(PidTask* task, PidType type, TwinPid* pid) {
    if (task->pid(type) != nullptr || is_taken(*pid, type)) {
        return Errno::kBusy;
    }
    link(task, type, pid);
    return {};
}

Result PidRoles::detach(PidTask* task, PidType type) {
    if (task->pid(type) == nullptr) {
        return Errno::kNotFound;
    }
    detach_locked(task, type);
    return {};
}

// The kernel's callers ask before whether it is another: change_pid() to the same would free it, and then attach it.
Result PidRoles::change(PidTask* task, PidType type, TwinPid* pid) {
    TwinPid* old = task->pid(type);
    if (old == nullptr) {
        return Errno::kNotFound;
    }
    if (old != pid && is_taken(*pid, type)) {
        return Errno::kBusy;
    }
    if (old != pid) {
        unlink(task, type);
        link(task, type, pid);
        free_if_unused(old);
    }
    return {};
}

// hlist_replace_rcu().
Result PidRoles::transfer(PidTask* from, PidTask* to, PidType type) {
    const u32 i = index_of(type);
    if (type == PidType::kPid) {
        return Errno::kInvalid;
    }
    if (from->pid(type) == nullptr) {
        return Errno::kNotFound;
    }
    if (to->pid(type) != nullptr) {
        return Errno::kBusy;
    }
    PidTask* next = from->next[i].load_relaxed();
    to->pids[i].store_release(from->pid(type));
    to->next[i].store_relaxed(next);
    to->links[i] = from->links[i];
    to->links[i]->store_release(to);
    if (next != nullptr) {
        next->links[i] = &to->next[i];
    }
    from->pids[i].store_release(nullptr);
    return {};
}

// A PID has one task, so the two are the heads of their lists.
Result PidRoles::exchange(PidTask* left, PidTask* right) {
    TwinPid* of_left = left->pid(PidType::kPid);
    TwinPid* of_right = right->pid(PidType::kPid);
    if (of_left == nullptr || of_right == nullptr) {
        return Errno::kNotFound;
    }
    // hlists_swap_heads_rcu(): a reader meets a task at either at all times, and each task has a PID.
    const u32 i = index_of(PidType::kPid);
    of_left->tasks(PidType::kPid).store_release(right);
    of_right->tasks(PidType::kPid).store_release(left);
    left->links[i] = &of_right->tasks(PidType::kPid);
    right->links[i] = &of_left->tasks(PidType::kPid);
    left->pids[i].store_release(of_right);
    right->pids[i].store_release(of_left);
    return {};
}

// __unhash_process(): first the PID, then what the group has. A pid that no task ever had goes at once. False: only
// tasks of outside use it.
bool PidRoles::bury(TwinPid* pid, Buried buried, void* object) {
    PidTask* dead = task(*pid, PidType::kPid);
    if (dead == nullptr) {
        const bool unused = !in_use(*pid);
        free_if_unused(pid);
        return unused;
    }
    for (const PidType type : kAllTypes) {
        if (dead->pid(type) != nullptr) {
            detach_locked(dead, type);
        }
    }
    if (buried != nullptr) {
        buried(object, dead);
    }
    return true;
}

// Pass after pass, until one finds nothing: a child whose init still lived may have got numbers behind our back.
bool PidRoles::kill_some(PidNamespace* ns, Killing& killing, Buried buried, void* object) {
    ns->set_dying();
    for (u32 i = 0; i < kRound; ++i) {
        const IdTree::Found found = lab_next(*ns, killing.at);
        if (found.pointer != nullptr) {
            killing.any = bury(static_cast<TwinPid*>(found.pointer), buried, object) || killing.any;
            killing.at = found.id + 1;
        } else if (killing.any) {
            killing = Killing();
        } else {
            TwinPid* init = lab_find(*ns, 1);
            if (init != nullptr) {
                (void)bury(init, buried, object);
            }
            return false;
        }
    }
    return true;
}

}  // namespace ktwin
