// SPDX-License-Identifier: GPL-2.0-only
#include "explain.h"

#include <fmt/format.h>
#include <uapi/ktwin.h>

#include "names.h"
#include "text.h"

namespace ktwin {
namespace {

constexpr size_t named_at_most = 5;

std::string called(const Role& task) {
    if (task.flags & KTWIN_TASK_HIDDEN) {
        return "(another user's)";
    }
    return fmt::format("({})", printable(task.comm));
}

bool is_zombie(const Role& task) {
    return task.state == 'Z';
}

// Hidden tasks have no letter: what the flags say must do.
bool is_gone(const Role& task) {
    return task.state == 'Z' || task.state == 'X' || (!task.state && (task.flags & KTWIN_TASK_EXITING));
}

std::string in_state(const Role& task) {
    if (task.flags & KTWIN_TASK_EXITING) {
        return "is exiting";
    }
    const std::string_view state = task_state_name(task.state);
    return state.empty() ? "is alive" : fmt::format("is {}", state);
}

// The tasks of one role: those reported, and how many there are in all.
class Users {
  public:
    Users(const Explanation& explanation, uint32_t type) : total_(explanation.role_count[type]) {
        for (const Role& role : explanation.roles) {
            if (role.type == type) {
                known_.push_back(&role);
            }
        }
        total_ = std::max<size_t>(total_, known_.size());
    }

    bool empty() const { return total_ == 0; }
    size_t total() const { return total_; }
    const std::vector<const Role*>& known() const { return known_; }

    // All but the process or thread that has the number itself.
    Users without(const Role& self) const {
        Users others = *this;
        std::erase_if(others.known_, [&](const Role* role) { return role->tid == self.tid; });
        others.total_ -= known_.size() - others.known_.size();
        return others;
    }

    // "3 tasks: 11 (a), 12 (b), 13 (c)"
    std::string list() const {
        std::string text = fmt::format("{} {}", total_, total_ == 1 ? "task" : "tasks");
        size_t named = 0;
        for (const Role* role : known_) {
            if (named == named_at_most) {
                break;
            }
            text += named++ ? ", " : ": ";
            text += role->tid ? fmt::format("{} {}", role->tid, called(*role))
                              : called(*role) + " (not visible here)";
            if (is_zombie(*role)) {
                text += " zombie";
            }
        }
        if (named && named < total_) {
            text += fmt::format(" and {} more", total_ - named);
        }
        return text;
    }

  private:
    std::vector<const Role*> known_;
    size_t total_;
};

std::string zombie_leader(const Role& task, const Users& group) {
    size_t living = 0;
    for (const Role* thread : group.known()) {
        living += thread->tid != task.tid && !is_gone(*thread);
    }
    if (living) {
        return fmt::format(
            "thread-group leader {} {} is a zombie, kept until the other threads of the process end: {}",
            task.tid, called(task), group.without(task).list());
    }
    if (task.flags & KTWIN_TASK_THREADS) {
        return fmt::format(
            "thread-group leader {} {} is a zombie, kept until the other threads of the process end",
            task.tid, called(task));
    }
    const std::string parent = task.ppid ? std::to_string(task.ppid) : "its parent (not visible here)";
    return fmt::format("thread-group leader {} {} is a zombie waiting for {} to wait for it", task.tid,
                       called(task), parent);
}

std::string owner(const Role& task, const Users& group) {
    if (task.flags & KTWIN_TASK_KTHREAD) {
        return fmt::format("kernel thread {} {} {}", task.tid, called(task), in_state(task));
    }
    const bool leader = (task.flags & KTWIN_TASK_LEADER) != 0;
    if (task.state == 'X') {
        return fmt::format("task {} {} is dead and about to be released", task.tid, called(task));
    }
    if (is_zombie(task) && leader) {
        return zombie_leader(task, group);
    }
    if (is_zombie(task)) {
        return fmt::format("thread {} {} of process {} is a zombie: its tracer has not waited for it",
                           task.tid, called(task), task.tgid);
    }
    if ((task.flags & KTWIN_TASK_REAPER) && (task.flags & KTWIN_TASK_EXITING)) {
        return fmt::format(
            "process {} {}, init of its namespace, is exiting and waits until nobody else is in it", task.tid,
            called(task));
    }
    const std::string_view init = task.flags & KTWIN_TASK_REAPER ? ", init of its namespace," : "";
    if (leader) {
        return fmt::format("process {} {}{} {}", task.tid, called(task), init, in_state(task));
    }
    return fmt::format("thread {} {} of process {} {}", task.tid, called(task), task.tgid, in_state(task));
}

struct Group {
    uint32_t type;
    std::string_view words;
};

constexpr Group groups[] = {
    {KTWIN_ROLE_TGID, "a thread group id"},
    {KTWIN_ROLE_PGID, "a process group id"},
    {KTWIN_ROLE_SID, "a session id"},
};

}  // namespace

std::vector<std::string> pinned_by(const Explanation& explanation) {
    std::vector<std::string> reasons;
    const Users self(explanation, KTWIN_ROLE_PID);
    if (!self.known().empty()) {
        const Role& task = *self.known().front();
        const Users threads(explanation, KTWIN_ROLE_TGID);
        reasons.push_back(owner(task, threads));
        for (const Group& group : groups) {
            const Users others = Users(explanation, group.type).without(task);
            // The threads of a process end before its leader is released: they are no reason of their own.
            if (group.type != KTWIN_ROLE_TGID && !others.empty()) {
                reasons.push_back(fmt::format("also {} of {}", group.words, others.list()));
            }
        }
        return reasons;
    }
    if (!self.empty()) {
        reasons.push_back("a task has the number (not reported)");
    }
    for (const Group& group : groups) {
        const Users users(explanation, group.type);
        if (!users.empty()) {
            const std::string_view lead = reasons.empty() ? "kept only as" : "and as";
            reasons.push_back(fmt::format("{} {}: {}", lead, group.words, users.list()));
        }
    }
    if (reasons.empty() && explanation.in_kernel) {
        reasons.push_back("no task uses it: it is being allocated or freed at this moment");
    }
    if (reasons.empty()) {
        reasons.push_back("the kernel does not have it");
    }
    return reasons;
}

}  // namespace ktwin
