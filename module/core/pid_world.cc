// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_world.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

Expected<PidNamespace*> PidWorld::make_namespace(const PidNamespace::Identity& identity, u64 now_ns) {
    auto* ns = construct_at<PidNamespace>(memory_.namespaces().get(), identity, ns_serial_ + 1, now_ns);
    if (ns == nullptr) {
        return Errno::kNoMemory;
    }
    ++ns_serial_;
    if (identity.parent != nullptr) {
        identity.parent->get();
        identity.parent->add_child();
    }
    return ns;
}

void PidWorld::put_namespace(PidNamespace* ns) {
    while (ns != nullptr && ns->put()) {
        PidNamespace* parent = ns->parent();
        ns->ids().clear(memory_.nodes());
        memory_.namespaces().retire(ns);
        ns = parent;
    }
}

Expected<TwinPid*> PidWorld::make_pid(PidNamespace* ns, kt_key key, u64 now_ns, PoolNode* at_hand) {
    TwinPid* pid = memory_.pids().make(ns->level(), key, pid_serial_ + 1, now_ns, at_hand);
    if (pid == nullptr) {
        return Errno::kNoMemory;
    }
    ++pid_serial_;
    ++pids_alive_;
    ns->get();
    for (PidNamespace* at = ns; at != nullptr; at = at->parent()) {
        pid->number(at->level()) = {at, 0};
    }
    return pid;
}

void PidWorld::discard_pid(TwinPid* pid) {
    PidNamespace* ns = pid->deepest_ns();
    memory_.pids().discard(pid);
    --pids_alive_;
    put_namespace(ns);
}

void PidWorld::put_pid(TwinPid* pid) {
    if (pid->put()) {
        PidNamespace* ns = pid->deepest_ns();
        memory_.pids().retire(pid);
        --pids_alive_;
        put_namespace(ns);
    }
}

// The namespace a number names: the known one if it fits, else a new one, unlisted until its first pid is complete.
Expected<PidNamespace*> PidWorld::namespace_for(const kt_pid& pid, u32 level, PidNamespace* parent,
                                                u64 now_ns) {
    const kt_upid& number = pid.numbers[level];
    PidNamespace* known = table_.find(number.ns);
    if (known != nullptr) {
        const bool fits =
            known->level() == level && known->inode() == number.inode && known->parent() == parent;
        return fits ? Expected<PidNamespace*>(known) : Errno::kExists;
    }
    // Its first number is always 1 (the kernel refuses others before): one that begins otherwise is older than us.
    return make_namespace({number.ns, number.inode, level, parent}, number.nr == 1 ? now_ns : 0);
}

Expected<PidNamespace*> PidWorld::namespaces_for(const kt_pid& pid, u64 now_ns) {
    PidNamespace* parent = nullptr;
    for (u32 level = 0; level <= pid.level; ++level) {
        Expected<PidNamespace*> ns = namespace_for(pid, level, parent, now_ns);
        if (!ns) {
            drop_unlisted(parent);
            return ns;
        }
        parent = ns.value();
    }
    return parent;
}

// Undoes namespaces_for(): the new ones are the deepest part of the chain, each kept by the one below only.
void PidWorld::drop_unlisted(PidNamespace* deepest) {
    while (deepest != nullptr && !deepest->is_listed()) {
        PidNamespace* parent = deepest->parent();
        if (parent != nullptr) {
            parent->remove_child();
        }
        put_namespace(deepest);
        deepest = parent;
    }
}

Result PidWorld::reserve_numbers(const kt_pid& pid, TwinPid* made) {
    for (u32 level = 0; level <= pid.level; ++level) {
        const u32 nr = static_cast<u32>(pid.numbers[level].nr);
        IdTree& ids = made->ns(level)->ids();
        Result reserved = ids.reserve_at(nr, memory_.nodes());
        if (!reserved) {
            while (level-- > 0) {
                made->ns(level)->ids().erase(made->nr(level), memory_.nodes());
            }
            return reserved;
        }
        made->number(level).nr = nr;
    }
    return {};
}

// Deepest first, as the kernel does: who finds it at level 0 finds it everywhere.
void PidWorld::publish(TwinPid* pid, const NamespaceObserver& observer) {
    pid->get(pid->level() + 1);
    for (u32 level = 0; level <= pid->level(); ++level) {
        PidNamespace* ns = pid->ns(level);
        if (!ns->is_listed()) {
            table_.add(ns);
            observer.tell(*ns, true);
        }
    }
    for (u32 level = pid->level() + 1; level-- > 0;) {
        pid->ns(level)->ids().publish_locked(pid->nr(level), pid);
    }
}

Expected<TwinPid*> PidWorld::insert(const kt_pid& pid, u64 now_ns, const NamespaceObserver& observer) {
    if (pid.level >= kLevels) {
        return Errno::kExists;
    }
    Expected<PidNamespace*> ns = namespaces_for(pid, now_ns);
    if (!ns) {
        return ns.error();
    }
    Expected<TwinPid*> made = make_pid(ns.value(), pid.key, now_ns);
    if (!made) {
        drop_unlisted(ns.value());
        return made;
    }
    Result reserved = reserve_numbers(pid, made.value());
    if (!reserved) {
        discard_pid(made.value());
        drop_unlisted(ns.value());
        return reserved.error() == Errno::kNoMemory ? Errno::kNoMemory : Errno::kExists;
    }
    publish(made.value(), observer);
    return made;
}

void PidWorld::unlist_if_empty(PidNamespace* ns, const NamespaceObserver& observer) {
    if (ns->ids().count() != 0 || !ns->is_listed()) {
        return;
    }
    unlist_namespace(ns);
    observer.tell(*ns, false);
    put_namespace(ns);
}

void PidWorld::unlist_namespace(PidNamespace* ns) {
    table_.remove(ns);
    if (ns->parent() != nullptr) {
        ns->parent()->remove_child();
    }
}

void PidWorld::remove_entry(PidNamespace* ns, u32 nr, const NamespaceObserver& observer) {
    auto* pid = static_cast<TwinPid*>(ns->ids().erase(nr, memory_.nodes()));
    ns->get();
    unlist_if_empty(ns, observer);
    if (pid != nullptr) {
        put_pid(pid);
    }
    put_namespace(ns);
}

void PidWorld::remove(TwinPid* pid, const NamespaceObserver& observer) {
    pid->get();
    for (u32 level = pid->level() + 1; level-- > 0;) {
        PidNamespace* ns = pid->ns(level);
        if (ns->find(pid->nr(level)) == pid) {
            remove_entry(ns, pid->nr(level), observer);
        }
    }
    put_pid(pid);
}

// From the youngest namespace to the oldest: children go before their parents.
bool PidWorld::clear_some(u32 entries) {
    const NamespaceObserver nobody;
    while (PidNamespace* ns = table_.last()) {
        ns->get();
        while (entries > 0) {
            const IdTree::Found found = ns->ids().next(0);
            if (found.pointer == nullptr) {
                break;
            }
            remove_entry(ns, found.id, nobody);
            --entries;
        }
        unlist_if_empty(ns, nobody);
        put_namespace(ns);
        if (entries == 0) {
            return table_.last() != nullptr;
        }
    }
    return false;
}

}  // namespace ktwin
