// SPDX-License-Identifier: GPL-2.0-only
//
// What a laboratory is to its users, by std:: containers: kernel/pid.c and zap_pid_ns_processes() by their semantics.
#ifndef KTWIN_SELFTESTS_LAB_MODEL_H
#define KTWIN_SELFTESTS_LAB_MODEL_H

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "boundary/types.h"

class LabModel {
  public:
    struct Pid {
        std::map<uint32_t, int> numbers;  // namespace -> number
        std::vector<uint32_t> chain;      // deepest first
        std::array<std::set<uint32_t>, KTWIN_LAB_TYPES> tasks;
        bool used() const {
            for (const auto& role : tasks) {
                if (!role.empty()) {
                    return true;
                }
            }
            return false;
        }
    };
    struct Ns {
        uint32_t parent;
        uint32_t level;
        int pid_max;
        int cursor = 0;
        bool dying = false;
        std::map<int, Pid*> pids;
    };
    using Task = std::array<Pid*, KTWIN_LAB_TYPES>;

    explicit LabModel(int pid_max) { namespaces[1] = {0, 0, pid_max, 0, false, {}}; }

    bool empty_below(uint32_t ns) const {
        for (const auto& [number, other] : namespaces) {
            if (other.parent == ns) {
                return false;
            }
        }
        return true;
    }

    int create(uint32_t parent, int pid_max, uint32_t number) {
        const auto at = namespaces.find(parent);
        if (at == namespaces.end()) {
            return -ESRCH;
        }
        if (at->second.level + 1 >= KTWIN_LEVELS) {
            return -ENOSPC;
        }
        if (at->second.dying) {
            return -ENOMEM;
        }
        namespaces[number] = {
            parent, at->second.level + 1, pid_max != 0 ? pid_max : at->second.pid_max, 0, false, {}};
        return 0;
    }

    // any: what the laboratory chose, which must be free; it says what is wrong otherwise.
    int alloc(uint32_t ns, uint32_t how, const std::vector<int>& wanted, const int* any,
              std::vector<int>* numbers) {
        if (namespaces.count(ns) == 0) {
            return -ESRCH;
        }
        if (wanted.size() > namespaces[ns].level + 1) {
            return -EINVAL;
        }
        auto pid = std::make_unique<Pid>();
        uint32_t index = 0;
        for (uint32_t at = ns; at != 0; at = namespaces[at].parent, ++index) {
            const int nr = reserve(namespaces[at], how, index < wanted.size() ? &wanted[index] : nullptr,
                                   any != nullptr ? &any[index] : nullptr);
            if (nr < 0) {
                unwind(*pid, ns);
                return nr;
            }
            namespaces[at].pids[nr] = pid.get();
            pid->numbers[at] = nr;
            pid->chain.push_back(at);
            numbers->push_back(nr);
        }
        if (namespaces[ns].dying) {
            unwind(*pid, ns);
            return -ENOMEM;
        }
        pids.push_back(std::move(pid));
        return 0;
    }

    Pid* find(uint32_t ns, int nr) const {
        const auto at = namespaces.find(ns);
        if (at == namespaces.end()) {
            return nullptr;
        }
        const auto found = at->second.pids.find(nr);
        return found != at->second.pids.end() ? found->second : nullptr;
    }

    int free_pid(uint32_t ns, int nr) {
        Pid* pid = find(ns, nr);
        if (pid == nullptr) {
            return -ESRCH;
        }
        if (pid->used()) {
            return -EBUSY;
        }
        drop(pid);
        reap();
        return 0;
    }

    int attach(uint32_t task, uint32_t type, Pid* pid) {
        if ((tasks.count(task) != 0 && tasks[task][type] != nullptr) ||
            (type == KTWIN_LAB_PID && !pid->tasks[type].empty())) {
            return -EBUSY;
        }
        if (tasks.count(task) == 0) {
            tasks[task] = {};
        }
        tasks[task][type] = pid;
        pid->tasks[type].insert(task);
        return 0;
    }

    int detach(uint32_t task, uint32_t type) {
        Pid* pid = tasks.count(task) != 0 ? tasks[task][type] : nullptr;
        if (pid == nullptr) {
            return -ESRCH;
        }
        leave(task, type);
        settle(pid);
        drop_idle(task);
        reap();
        return 0;
    }

    int change(uint32_t task, uint32_t type, Pid* to) {
        Pid* pid = tasks.count(task) != 0 ? tasks[task][type] : nullptr;
        if (pid == nullptr) {
            return -ESRCH;
        }
        if (pid != to && type == KTWIN_LAB_PID && !to->tasks[type].empty()) {
            return -EBUSY;
        }
        if (pid != to) {
            leave(task, type);
            (void)attach(task, type, to);
            settle(pid);
        }
        reap();
        return 0;
    }

    int transfer(uint32_t from, uint32_t to, uint32_t type) {
        if (tasks.count(from) == 0 || tasks.count(to) == 0 || tasks[from][type] == nullptr) {
            return -ESRCH;
        }
        if (tasks[to][type] != nullptr) {
            return -EBUSY;
        }
        Pid* pid = tasks[from][type];
        leave(from, type);
        (void)attach(to, type, pid);
        drop_idle(from);
        return 0;
    }

    int exchange(uint32_t left, uint32_t right) {
        if (tasks.count(left) == 0 || tasks.count(right) == 0 || tasks[left][KTWIN_LAB_PID] == nullptr ||
            tasks[right][KTWIN_LAB_PID] == nullptr) {
            return -ESRCH;
        }
        Pid* of_left = tasks[left][KTWIN_LAB_PID];
        Pid* of_right = tasks[right][KTWIN_LAB_PID];
        leave(left, KTWIN_LAB_PID);
        leave(right, KTWIN_LAB_PID);
        (void)attach(left, KTWIN_LAB_PID, of_right);
        (void)attach(right, KTWIN_LAB_PID, of_left);
        return 0;
    }

    int kill(uint32_t ns) {
        if (namespaces.count(ns) == 0) {
            return -ESRCH;
        }
        for (auto& [number, other] : namespaces) {
            other.dying = other.dying || is_below(number, ns);
        }
        std::vector<Pid*> all;
        for (const auto& [nr, pid] : namespaces[ns].pids) {
            all.push_back(pid);
        }
        std::set<uint32_t> dead;
        for (Pid* pid : all) {
            dead.insert(pid->tasks[KTWIN_LAB_PID].begin(), pid->tasks[KTWIN_LAB_PID].end());
        }
        for (const uint32_t task : dead) {
            for (uint32_t type = 0; type < KTWIN_LAB_TYPES; ++type) {
                if (Pid* pid = tasks[task][type]) {
                    leave(task, type);
                    if (std::find(all.begin(), all.end(), pid) == all.end()) {
                        settle(pid);
                    }
                }
            }
            tasks.erase(task);
        }
        for (Pid* pid : all) {
            settle(pid);
        }
        reap();
        return 0;
    }

    std::map<uint32_t, Ns> namespaces;
    std::map<uint32_t, Task> tasks;
    std::list<std::unique_ptr<Pid>> pids;

  private:
    static int reserve(Ns& ns, uint32_t how, const int* wanted, const int* any) {
        if (wanted != nullptr) {
            if (*wanted < 1 || *wanted >= ns.pid_max ||
                (*wanted != 1 && ns.pids.count(1) == 0 && !ns.dying)) {
                return -EINVAL;
            }
            return ns.pids.count(*wanted) != 0 ? -EEXIST : *wanted;
        }
        if (how == KTWIN_LAB_ANY) {
            if (any == nullptr) {
                return first_free(ns, 1) < 0 ? -EAGAIN : first_free(ns, 1);
            }
            const bool fits = *any >= 1 && *any < ns.pid_max && ns.pids.count(*any) == 0 &&
                              (ns.pids.count(1) != 0 || *any == 1);
            return fits ? *any : -ENOTRECOVERABLE;
        }
        const int min = how == KTWIN_LAB_CYCLIC && ns.cursor > 300 ? 300 : 1;
        int nr = first_free(ns, how == KTWIN_LAB_CYCLIC && ns.cursor > min ? ns.cursor : min);
        if (nr < 0) {
            nr = first_free(ns, min);
        }
        if (nr >= 0 && how == KTWIN_LAB_CYCLIC) {
            ns.cursor = nr + 1;
        }
        return nr < 0 ? -EAGAIN : nr;
    }

    static int first_free(const Ns& ns, int from) {
        auto at = ns.pids.lower_bound(from);
        for (; at != ns.pids.end() && at->first == from; ++at, ++from) {}
        return from < ns.pid_max ? from : -1;
    }

    void unwind(const Pid& pid, uint32_t ns) {
        for (const auto& [number, nr] : pid.numbers) {
            namespaces[number].pids.erase(nr);
        }
        if (namespaces[ns].pids.empty() && !namespaces[ns].dying) {
            namespaces[ns].cursor = 0;
        }
    }

    bool is_below(uint32_t ns, uint32_t top) {
        for (; ns != 0; ns = namespaces[ns].parent) {
            if (ns == top) {
                return true;
            }
        }
        return false;
    }

    void leave(uint32_t task, uint32_t type) {
        tasks[task][type]->tasks[type].erase(task);
        tasks[task][type] = nullptr;
    }

    void settle(Pid* pid) {
        if (!pid->used()) {
            drop(pid);
        }
    }

    void drop(Pid* pid) {
        for (const auto& [number, nr] : pid->numbers) {
            Ns& ns = namespaces[number];
            ns.dying = ns.dying || nr == 1 || ns.pids.size() == 1;
            ns.pids.erase(nr);
        }
        pids.remove_if([&](const auto& other) { return other.get() == pid; });
    }

    void drop_idle(uint32_t task) {
        if (tasks.count(task) != 0 && tasks[task] == Task{}) {
            tasks.erase(task);
        }
    }

    void reap() {
        for (auto at = namespaces.rbegin(); at != namespaces.rend();) {
            const uint32_t number = at->first;
            const bool gone = at->second.dying && at->second.pids.empty() && empty_below(number);
            ++at;
            if (gone) {
                namespaces.erase(number);
                at = std::map<uint32_t, Ns>::reverse_iterator(namespaces.lower_bound(number));
            }
        }
    }
};

#endif
