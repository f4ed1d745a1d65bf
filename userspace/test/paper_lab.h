// SPDX-License-Identifier: GPL-2.0-only
// A lab made of paper: the rules of the wire format in maps, for the client to be tried on.
#pragma once

#include <uapi/ktwin.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace ktwin {

class PaperLab {
  public:
    explicit PaperLab(const ktwin_lab& options) : options_(options) {
        const auto fill = [](uint32_t& value, uint32_t usual) { value = value ? value : usual; };
        fill(options_.pid_max, 32768);
        fill(options_.limit, options_.pid_max);
        fill(options_.pids, 65536);
        fill(options_.namespaces, 256);
        fill(options_.tasks, options_.pids);
        options_.bytes = options_.bytes ? options_.bytes : 64 << 20;
        namespaces_[1] = {.parent = 0, .level = 0, .pid_max = options_.pid_max};
    }

    // -EINVAL, as the kernel has it.
    static bool is_sound(const ktwin_lab& options) {
        return options.backend <= KTWIN_LAB_SBITMAP && (!options.pid_max || options.pid_max >= 2) &&
               options.pid_max <= 4194304;
    }

    int control(unsigned long command, void* argument) {
        switch (command) {
            case KTWIN_IOC_LAB_NS_CREATE:
                return create(*static_cast<ktwin_lab_create*>(argument));
            case KTWIN_IOC_LAB_PID_MAX:
                return pid_max(*static_cast<ktwin_lab_pid_max*>(argument));
            case KTWIN_IOC_LAB_ALLOC:
                return alloc(*static_cast<ktwin_lab_alloc*>(argument));
            case KTWIN_IOC_LAB_FREE:
                return free(*static_cast<ktwin_lab_free*>(argument));
            case KTWIN_IOC_LAB_FIND:
                return find(*static_cast<ktwin_lab_find*>(argument));
            case KTWIN_IOC_LAB_ROLE:
                return role(*static_cast<ktwin_lab_role*>(argument));
            case KTWIN_IOC_LAB_KILL:
                return kill(*static_cast<ktwin_lab_kill*>(argument));
            case KTWIN_IOC_LAB_STATS:
                return stats(*static_cast<ktwin_lab_stats*>(argument));
            case KTWIN_IOC_LAB_NAMESPACES:
                return give(argument, raw_namespaces());
            case KTWIN_IOC_LAB_PIDS:
            case KTWIN_IOC_LAB_LEAVES: {
                const auto& request = *static_cast<ktwin_read*>(argument);
                if (command == KTWIN_IOC_LAB_PIDS && !has(KTWIN_LAB_HAS_PIDS)) {
                    return -EOPNOTSUPP;
                }
                if (!namespaces_.contains(request.ns)) {
                    return -ESRCH;
                }
                return command == KTWIN_IOC_LAB_PIDS ? give(argument, raw_pids(request.ns))
                                                     : give(argument, raw_leaves(request.ns));
            }
            case KTWIN_IOC_LAB_TASKS:
                return has(KTWIN_LAB_HAS_PIDS) ? give(argument, raw_tasks()) : -EOPNOTSUPP;
            default:
                return -ENOTTY;
        }
    }

  private:
    struct Pid {
        uint64_t serial = 0;
        std::vector<std::pair<uint32_t, int32_t>> numbers = {};  // the deepest first
        uint32_t tasks[KTWIN_LAB_TYPES] = {};

        bool used() const {
            return std::ranges::any_of(tasks, [](uint32_t count) { return count != 0; });
        }
    };

    struct Ns {
        uint32_t parent = 0;
        uint32_t level = 0;
        uint32_t pid_max = 0;
        uint32_t cursor = 0;
        bool dying = false;
        std::map<int32_t, std::shared_ptr<Pid>> pids = {};
    };

    struct Task {
        std::shared_ptr<Pid> roles[KTWIN_LAB_TYPES] = {};
    };

    bool has(uint32_t what) const {
        constexpr uint32_t all[] = {
            KTWIN_LAB_HAS_LOWEST | KTWIN_LAB_HAS_CYCLIC | KTWIN_LAB_HAS_AT | KTWIN_LAB_HAS_PIDS,
            KTWIN_LAB_HAS_ANY | KTWIN_LAB_HAS_AT | KTWIN_LAB_HAS_PIDS,
            KTWIN_LAB_HAS_LOWEST | KTWIN_LAB_HAS_CYCLIC | KTWIN_LAB_HAS_AT | KTWIN_LAB_HAS_PIDS,
            KTWIN_LAB_HAS_LOWEST | KTWIN_LAB_HAS_CYCLIC | KTWIN_LAB_HAS_AT | KTWIN_LAB_HAS_PIDS,
            KTWIN_LAB_HAS_LOWEST | KTWIN_LAB_HAS_CYCLIC | KTWIN_LAB_HAS_AT | KTWIN_LAB_HAS_PIDS,
            KTWIN_LAB_HAS_LOWEST | KTWIN_LAB_HAS_AT,
            KTWIN_LAB_HAS_ANY,
        };
        return what == ~0U || (all[options_.backend] & what) == what;
    }
    uint32_t all_it_has() const {
        uint32_t mask = 0;
        for (uint32_t bit = 1; bit <= KTWIN_LAB_HAS_PIDS; bit <<= 1) {
            mask |= has(bit) ? bit : 0;
        }
        return mask;
    }

    template <class Raw>
    static int give(void* argument, const std::vector<Raw>& all) {
        auto& request = *static_cast<ktwin_read*>(argument);
        auto* buffer = reinterpret_cast<Raw*>(static_cast<uintptr_t>(request.buffer));
        request.filled = 0;
        while (request.filled < request.room && request.cursor < all.size()) {
            buffer[request.filled++] = all[request.cursor++];
        }
        request.more = request.cursor < all.size();
        request.epoch = 1;
        return 0;
    }

    int create(ktwin_lab_create& raw) {
        const auto parent = namespaces_.find(raw.parent);
        if (!has(KTWIN_LAB_HAS_PIDS)) {
            return -EOPNOTSUPP;
        }
        if (parent == namespaces_.end()) {
            return -ESRCH;
        }
        if (raw.pid_max == 1 || raw.pid_max > options_.limit) {
            return -EINVAL;
        }
        if (parent->second.level == 32) {
            return -ENOSPC;
        }
        if (parent->second.dying || namespaces_.size() >= options_.namespaces) {
            return -ENOMEM;
        }
        raw.ns = ++last_ns_;
        raw.level = parent->second.level + 1;
        namespaces_[raw.ns] = {.parent = raw.parent,
                               .level = raw.level,
                               .pid_max = raw.pid_max ? raw.pid_max : parent->second.pid_max};
        return 0;
    }

    int pid_max(ktwin_lab_pid_max& raw) {
        const auto ns = namespaces_.find(raw.ns);
        if (ns == namespaces_.end()) {
            return -ESRCH;
        }
        if (raw.flags && (raw.pid_max < 2 || raw.pid_max > options_.limit)) {
            return -EINVAL;
        }
        const uint32_t before = ns->second.pid_max;
        if (raw.flags) {
            ns->second.pid_max = raw.pid_max;
        }
        raw.pid_max = before;
        return 0;
    }

    static int32_t first_free(const Ns& ns, uint32_t from) {
        for (auto nr = static_cast<int32_t>(from); nr < static_cast<int32_t>(ns.pid_max); nr++) {
            if (!ns.pids.contains(nr)) {
                return nr;
            }
        }
        return 0;
    }

    static int32_t choose(Ns& ns, uint32_t how) {
        if (how != KTWIN_LAB_CYCLIC) {
            return first_free(ns, 1);
        }
        const uint32_t least = ns.cursor > 300 ? 300 : 1;
        const int32_t nr = first_free(ns, std::max(ns.cursor, least));
        return nr ? nr : first_free(ns, least);
    }

    int alloc(ktwin_lab_alloc& raw) {
        const uint32_t ways[] = {KTWIN_LAB_HAS_CYCLIC, KTWIN_LAB_HAS_LOWEST, KTWIN_LAB_HAS_ANY};
        const auto deepest = namespaces_.find(raw.ns);
        if (deepest == namespaces_.end()) {
            return -ESRCH;
        }
        if (raw.how > KTWIN_LAB_ANY || raw.wanted > deepest->second.level + 1) {
            return -EINVAL;
        }
        if (!has(ways[raw.how]) || (raw.wanted && !has(KTWIN_LAB_HAS_AT))) {
            return -EOPNOTSUPP;
        }
        if (deepest->second.dying || serials_.size() >= options_.pids) {
            no_memory_++;
            return -ENOMEM;
        }
        auto pid = std::make_shared<Pid>();
        uint32_t level = 0;
        for (uint32_t at = raw.ns; at; at = namespaces_[at].parent, level++) {
            Ns& ns = namespaces_[at];
            const int32_t nr = level < raw.wanted ? raw.numbers[level] : choose(ns, raw.how);
            if (level < raw.wanted &&
                (nr < 1 || nr >= static_cast<int32_t>(ns.pid_max) || (nr != 1 && !ns.pids.contains(1)))) {
                return -EINVAL;
            }
            if (!nr) {
                no_number_++;
                return -EAGAIN;
            }
            if (ns.pids.contains(nr)) {
                taken_++;
                return -EEXIST;
            }
            pid->numbers.emplace_back(at, nr);
        }
        pid->serial = ++last_serial_;
        serials_.insert(pid->serial);
        allocs_++;
        raw.depth = level;
        raw.serial = pid->serial;
        for (uint32_t i = 0; i < level; i++) {
            Ns& ns = namespaces_[pid->numbers[i].first];
            raw.numbers[i] = pid->numbers[i].second;
            ns.pids[raw.numbers[i]] = pid;
            if (raw.how == KTWIN_LAB_CYCLIC && i >= raw.wanted) {
                ns.cursor = static_cast<uint32_t>(raw.numbers[i]) + 1;
            }
        }
        raw.task = 0;
        if (raw.flags & KTWIN_LAB_WITH_TASK) {
            raw.task = ++last_task_;
            attach(raw.task, KTWIN_LAB_PID, pid);
            attach(raw.task, KTWIN_LAB_TGID, pid);
        }
        return 0;
    }

    void drop(const std::shared_ptr<Pid>& pid) {
        for (const auto& [ns, nr] : pid->numbers) {
            namespaces_[ns].pids.erase(nr);
        }
        serials_.erase(pid->serial);
        frees_++;
        for (auto at = namespaces_.begin(); at != namespaces_.end();) {
            at = at->second.dying && at->second.pids.empty() ? namespaces_.erase(at) : std::next(at);
        }
    }

    void attach(uint32_t task, uint32_t type, const std::shared_ptr<Pid>& pid) {
        tasks_[task].roles[type] = pid;
        pid->tasks[type]++;
    }

    void detach(uint32_t task, uint32_t type) {
        const std::shared_ptr<Pid> pid = std::move(tasks_[task].roles[type]);
        tasks_[task].roles[type] = nullptr;
        pid->tasks[type]--;
        if (!pid->used()) {
            drop(pid);
        }
        if (std::ranges::none_of(tasks_[task].roles, [](const auto& role) { return role != nullptr; })) {
            tasks_.erase(task);
        }
    }

    std::shared_ptr<Pid> at(uint32_t ns, int32_t nr) const {
        const auto in = namespaces_.find(ns);
        const auto found =
            in == namespaces_.end() ? decltype(in->second.pids.begin()){} : in->second.pids.find(nr);
        return in == namespaces_.end() || found == in->second.pids.end() ? nullptr : found->second;
    }

    int free(ktwin_lab_free& raw) {
        const std::shared_ptr<Pid> pid = at(raw.ns, raw.nr);
        if (!pid) {
            return -ESRCH;
        }
        if (pid->used()) {
            return -EBUSY;
        }
        drop(pid);
        return 0;
    }

    static ktwin_lab_pid raw_pid(const Pid& pid) {
        ktwin_lab_pid raw = {};
        raw.serial = pid.serial;
        std::ranges::copy(pid.tasks, raw.tasks);
        for (auto number = pid.numbers.rbegin(); number != pid.numbers.rend(); ++number) {
            raw.upids[raw.depth++] = {number->first, number->second};
        }
        return raw;
    }

    int find(ktwin_lab_find& raw) {
        if (!has(KTWIN_LAB_HAS_PIDS)) {
            return -EOPNOTSUPP;
        }
        const auto ns = namespaces_.find(raw.ns);
        if (ns == namespaces_.end()) {
            return -ESRCH;
        }
        const auto pid = raw.flags ? ns->second.pids.lower_bound(raw.nr) : ns->second.pids.find(raw.nr);
        if (pid == ns->second.pids.end()) {
            return -ESRCH;
        }
        raw.nr = pid->first;
        raw.pid = raw_pid(*pid->second);
        return 0;
    }

    int role(ktwin_lab_role& raw) {
        const bool names_a_pid = raw.op <= KTWIN_LAB_CHANGE && raw.op != KTWIN_LAB_DETACH;
        const std::shared_ptr<Pid> pid = names_a_pid ? at(raw.ns, raw.nr) : nullptr;
        const bool is_new = raw.op == KTWIN_LAB_ATTACH && raw.task == 0;
        if ((names_a_pid && !pid) || (!is_new && !tasks_.contains(raw.task)) ||
            (raw.op >= KTWIN_LAB_TRANSFER && !tasks_.contains(raw.other))) {
            return -ESRCH;
        }
        if (raw.op >= KTWIN_LAB_TRANSFER &&
            ((raw.type == KTWIN_LAB_PID) != (raw.op == KTWIN_LAB_EXCHANGE) || raw.task == raw.other)) {
            return -EINVAL;
        }
        raw.task = is_new ? ++last_task_ : raw.task;
        std::shared_ptr<Pid>& mine = tasks_[raw.task].roles[raw.type];
        if (raw.op == KTWIN_LAB_ATTACH) {
            if (mine) {
                return -EBUSY;
            }
            attach(raw.task, raw.type, pid);
            return 0;
        }
        if (!mine) {
            return -ESRCH;
        }
        if (raw.op == KTWIN_LAB_DETACH) {
            detach(raw.task, raw.type);
        } else if (raw.op == KTWIN_LAB_CHANGE) {
            const std::shared_ptr<Pid> before = mine;
            attach(raw.task, raw.type, pid);
            if (--before->tasks[raw.type], !before->used()) {
                drop(before);
            }
        } else if (raw.op == KTWIN_LAB_TRANSFER) {
            std::swap(mine, tasks_[raw.other].roles[raw.type]);
        } else {
            std::swap(mine, tasks_[raw.other].roles[raw.type]);
        }
        return 0;
    }

    bool below(uint32_t ns, uint32_t top) {
        for (; ns; ns = namespaces_[ns].parent) {
            if (ns == top) {
                return true;
            }
        }
        return false;
    }

    int kill(ktwin_lab_kill& raw) {
        if (!has(KTWIN_LAB_HAS_PIDS)) {
            return -EOPNOTSUPP;
        }
        if (!namespaces_.contains(raw.ns)) {
            return -ESRCH;
        }
        const uint64_t before = frees_;
        for (auto& [id, ns] : namespaces_) {
            ns.dying = ns.dying || below(id, raw.ns);
        }
        std::vector<uint32_t> dead;
        for (const auto& [id, task] : tasks_) {
            if (task.roles[KTWIN_LAB_PID] &&
                below(task.roles[KTWIN_LAB_PID]->numbers.front().first, raw.ns)) {
                dead.push_back(id);
            }
        }
        for (const uint32_t task : dead) {
            for (uint32_t type = 0; type < KTWIN_LAB_TYPES; type++) {
                if (tasks_.contains(task) && tasks_[task].roles[type]) {
                    detach(task, type);
                }
            }
        }
        raw.tasks = static_cast<uint32_t>(dead.size());
        raw.pids = static_cast<uint32_t>(frees_ - before);
        raw.left = namespaces_.contains(raw.ns) ? static_cast<uint32_t>(namespaces_[raw.ns].pids.size()) : 0;
        return 0;
    }

    int stats(ktwin_lab_stats& raw) {
        raw.backend = options_.backend;
        raw.has = all_it_has();
        raw.pids = static_cast<uint32_t>(serials_.size());
        raw.namespaces = static_cast<uint32_t>(namespaces_.size());
        raw.tasks = static_cast<uint32_t>(tasks_.size());
        for (const auto& [id, ns] : namespaces_) {
            raw.numbers += static_cast<uint32_t>(ns.pids.size());
        }
        raw.limit = options_.limit;
        raw.pids_limit = options_.pids;
        raw.namespaces_limit = options_.namespaces;
        raw.tasks_limit = options_.tasks;
        raw.bytes_limit = options_.bytes;
        raw.bytes = raw.bytes_most = 65536 + raw.pids * 128;
        raw.allocs = allocs_;
        raw.frees = frees_;
        raw.no_number = no_number_;
        raw.no_memory = no_memory_;
        raw.taken = taken_;
        raw.pid_pool = {16, 16 + raw.pids, options_.pids, 4, 0, 0};
        raw.node_pool = {8, 9, 4096, 8, 0, 0};
        raw.ns_pool = {2, 2 + raw.namespaces, options_.namespaces, 1, 0, 0};
        raw.task_pool = {16, 16 + raw.tasks, options_.tasks, 4, 0, 0};
        raw.verdict = no_memory_ ? raw.tasks ? KTWIN_LAB_ESTIMATE : KTWIN_LAB_LEAK : KTWIN_LAB_ROOM;
        raw.unused = raw.tasks ? 0 : raw.pids;
        raw.holder = 1;
        raw.held = raw.unused;
        return 0;
    }

    std::vector<ktwin_lab_ns> raw_namespaces() const {
        std::vector<ktwin_lab_ns> all;
        for (const auto& [id, ns] : namespaces_) {
            ktwin_lab_ns raw = {};
            raw.ns = id;
            raw.parent = ns.parent;
            raw.level = ns.level;
            raw.flags = ns.dying ? KTWIN_LAB_NS_DYING : 0;
            raw.count = static_cast<uint32_t>(ns.pids.size());
            raw.pid_max = ns.pid_max;
            raw.cursor = ns.cursor;
            raw.children = static_cast<uint32_t>(std::ranges::count_if(
                namespaces_, [&](const auto& other) { return other.second.parent == id; }));
            int32_t last = 0;
            const auto hole = [&](int32_t next) {
                if (static_cast<uint32_t>(next - last - 1) > raw.hole_length) {
                    raw.hole_start = static_cast<uint32_t>(last + 1);
                    raw.hole_length = static_cast<uint32_t>(next - last - 1);
                }
                last = next;
            };
            for (const auto& [nr, pid] : ns.pids) {
                hole(nr);
            }
            if (static_cast<int32_t>(ns.pid_max) > last) {
                hole(static_cast<int32_t>(ns.pid_max));
            }
            if (!has(KTWIN_LAB_HAS_PIDS)) {
                raw.hole_start = raw.hole_length = 0;
            }
            all.push_back(raw);
        }
        return all;
    }

    std::vector<ktwin_lab_pid> raw_pids(uint32_t ns) const {
        std::vector<ktwin_lab_pid> all;
        for (const auto& [nr, pid] : namespaces_.at(ns).pids) {
            all.push_back(raw_pid(*pid));
        }
        return all;
    }

    std::vector<ktwin_lab_leaf> raw_leaves(uint32_t ns) const {
        std::vector<ktwin_lab_leaf> all;
        for (const auto& [nr, pid] : namespaces_.at(ns).pids) {
            const auto number = static_cast<uint32_t>(nr);
            if (all.empty() || all.back().first != number / 64 * 64) {
                all.push_back({0, number / 64 * 64, 0});
            }
            all.back().used |= uint64_t{1} << number % 64;
        }
        return all;
    }

    std::vector<ktwin_lab_task> raw_tasks() const {
        std::vector<ktwin_lab_task> all;
        for (const auto& [id, task] : tasks_) {
            ktwin_lab_task raw = {};
            raw.task = id;
            for (uint32_t type = 0; type < KTWIN_LAB_TYPES; type++) {
                raw.roles[type] = task.roles[type] ? task.roles[type]->numbers.back().second : 0;
            }
            all.push_back(raw);
        }
        return all;
    }

    ktwin_lab options_;
    std::map<uint32_t, Ns> namespaces_;
    std::map<uint32_t, Task> tasks_;
    std::set<uint64_t> serials_;
    uint32_t last_ns_ = 1;
    uint32_t last_task_ = 0;
    uint64_t last_serial_ = 0;
    uint64_t allocs_ = 0;
    uint64_t frees_ = 0;
    uint64_t no_number_ = 0;
    uint64_t no_memory_ = 0;
    uint64_t taken_ = 0;
};

}  // namespace ktwin
