// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_lab.h"
#include "core/pid_lab_writer.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result PidLab::choose(const ktwin_lab_alloc& request, bool may_choose, Chosen& chosen) const {
    constexpr u32 kNeeded[] = {kHasCyclic, kHasLowest, kHasAny};
    if ((request.flags & ~KTWIN_LAB_WITH_TASK) != 0 || request.how > KTWIN_LAB_ANY ||
        request.wanted > kLevels || request.zero != 0 || request.zero2 != 0) {
        return Errno::kInvalid;
    }
    chosen.order = static_cast<PidOrder>(request.how);
    chosen.set_tid = Span<const i32>(request.numbers, request.wanted);
    chosen.with_task = (request.flags & KTWIN_LAB_WITH_TASK) != 0;
    const u32 has = IdBackend::describe(config_.kind).has;
    if ((has & kNeeded[request.how]) == 0 || (request.wanted != 0 && (has & kHasAt) == 0) ||
        (chosen.with_task && is_flat())) {
        return Errno::kNotSupported;
    }
    // Who asks is looked at before all that depends on the namespace; alloc_pid() does it behind each number's own checks.
    return request.wanted != 0 && !may_choose ? Errno::kNotPermitted : Result();
}

Expected<LabTask*> PidLab::task_for(const Chosen& chosen) {
    if (world_.pids_alive() >= config_.pids) {
        return Errno::kOverflow;
    }
    return chosen.with_task ? tasks_.make(memory_.nodes()) : Expected<LabTask*>(nullptr);
}

// The pid is told, and the task gets it, before anybody can free it.
Result PidLab::settle(const Expected<TwinPid*>& made, LabTask* task, ktwin_lab_alloc& answer) {
    if (!made) {
        if (task != nullptr) {
            tasks_.unmake(task, memory_.nodes());
        }
        return made.error();
    }
    TwinPid* pid = made.value();
    if (task != nullptr) {
        (void)roles_.attach(task, PidType::kPid, pid);
        (void)roles_.attach(task, PidType::kTgid, pid);
    }
    answer.task = task != nullptr ? task->id : 0;
    answer.serial = pid->serial();
    answer.depth = pid->level() + 1;
    for (u32 i = 0; i < kLevels; ++i) {
        answer.numbers[i] = i < answer.depth ? static_cast<i32>(pid->nr(pid->level() - i)) : 0;
    }
    return {};
}

// The object is at hand before the lock is taken. The namespace is found once more then: it may have gone meanwhile, but
// another one never has its number.
Result PidLab::alloc_twin(ktwin_lab_alloc& request, const Chosen& chosen) {
    return with_memory(request.ns, [&]() -> Result {
        const RcuGuard rcu;
        const PidNamespace* before = ns_of(request.ns);
        if (before == nullptr) {
            return Errno::kNotFound;
        }
        const u32 level = before->level();
        PoolNode* at_hand = memory_.take_pid(level);
        const Held held(*this);
        PidNamespace* ns = ns_of(request.ns);
        const Expected<LabTask*> task = ns != nullptr ? task_for(chosen) : Errno::kNotFound;
        if (!task) {
            memory_.pids().put_back(at_hand, level);
            return task.error();
        }
        return settle(allocator_.alloc_pid_locked(ns, chosen.order, chosen.set_tid, at_hand), task.value(),
                      request);
    });
}

// A Writer is held: the namespace stays.
Result PidLab::alloc_other(ktwin_lab_alloc& request, const Chosen& chosen) {
    return with_memory(request.ns, [&]() -> Result {
        PidNamespace* ns = nullptr;
        LabTask* task = nullptr;
        {
            const RcuGuard rcu;
            const Held held(*this);
            ns = ns_of(request.ns);
            if (ns == nullptr) {
                return Errno::kNotFound;
            }
            const Expected<LabTask*> made = task_for(chosen);
            if (!made) {
                return made.error();
            }
            task = made.value();
        }
        const Expected<TwinPid*> pid = other_.alloc_pid(ns, chosen.order, chosen.set_tid);
        const Held held(*this);
        return settle(pid, task, request);
    });
}

Result PidLab::alloc_flat(ktwin_lab_alloc& request, const Chosen& chosen) {
    if (request.ns != 1) {
        return Errno::kNotFound;
    }
    if (flat_.count() >= config_.pids) {
        return Errno::kOverflow;
    }
    const Expected<u32> nr = flat_.alloc(chosen.order, chosen.set_tid);
    if (!nr) {
        return nr.error();
    }
    request.task = 0;
    request.serial = 0;
    request.depth = 1;
    for (u32 i = 0; i < kLevels; ++i) {
        request.numbers[i] = i == 0 ? static_cast<i32>(nr.value()) : 0;
    }
    return {};
}

Result PidLab::count(Result result) {
    switch (result.error()) {
        case Errno::kNone:
            allocs_.fetch_add_relaxed(1);
            break;
        case Errno::kAgain:
            no_number_.fetch_add_relaxed(1);
            break;
        case Errno::kExists:
            taken_.fetch_add_relaxed(1);
            break;
        case Errno::kOverflow:
            no_memory_.fetch_add_relaxed(1);
            return Errno::kNoMemory;
        case Errno::kNoMemory:
            no_memory_.fetch_add_relaxed(1);
            break;
        case Errno::kRemoved:
            return Errno::kNoMemory;
        default:
            break;
    }
    return result;
}

Result PidLab::alloc(ktwin_lab_alloc& request, bool may_choose) {
    Chosen chosen;
    const Result sane = choose(request, may_choose, chosen);
    if (!sane) {
        return sane;
    }
    const Writer writer(*this);
    return count(is_twin()   ? alloc_twin(request, chosen)
                 : is_flat() ? alloc_flat(request, chosen)
                             : alloc_other(request, chosen));
}

TwinPid* PidLab::pid_of(u32 ns, i32 nr) const {
    const PidNamespace* at = ns_of(ns);
    return at != nullptr && nr > 0 ? lab_find(*at, static_cast<u32>(nr)) : nullptr;
}

Result PidLab::free_pid(u32 ns, i32 nr) {
    const Writer writer(*this);
    if (is_flat()) {
        return ns == 1 && nr >= 0 ? flat_.give_back(static_cast<u32>(nr)) : Errno::kNotFound;
    }
    {
        const RcuGuard rcu;
        const Held held(*this);
        TwinPid* pid = pid_of(ns, nr);
        if (pid == nullptr) {
            return Errno::kNotFound;
        }
        if (PidRoles::in_use(*pid)) {
            return Errno::kBusy;
        }
        allocator_.free_pid_locked(pid);
        reap_emptied();
    }
    finish();
    return {};
}

}  // namespace ktwin
