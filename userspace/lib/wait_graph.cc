// SPDX-License-Identifier: GPL-2.0-only
#include "wait_graph.h"

#include <fmt/format.h>
#include <uapi/ktwin.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <unordered_map>

#include "names.h"

namespace ktwin {
namespace {

using Pids = std::vector<int32_t>;

std::string_view kind_name(FileKind kind) {
    constexpr std::string_view names[] = {"other", "pipe", "socket", "epoll"};
    return names[static_cast<size_t>(kind)];
}

Pids each_once(Pids pids) {
    std::ranges::sort(pids);
    const auto rest = std::ranges::unique(pids);
    pids.erase(rest.begin(), rest.end());
    return pids;
}

// The facts by what they are looked up by.
class Index {
  public:
    explicit Index(const WaitFacts& facts) : facts_(facts) {
        for (const ProcessFact& process : facts.processes) {
            processes_[process.pid] = &process;
            children_[process.parent].push_back(process.pid);
        }
        for (const TaskFact& task : facts.tasks) {
            threads_[task.pid].push_back(&task);
        }
        for (const FileFact& file : facts.files) {
            files_[{file.pid, file.fd}] = &file;
            if (file.kind == FileKind::pipe || file.kind == FileKind::socket) {
                by_inode_[{file.device, file.inode}].push_back(&file);
            }
        }
    }

    const FileFact* file(int32_t pid, int32_t fd) const {
        const auto at = files_.find({pid, fd});
        return at == files_.end() ? nullptr : at->second;
    }

    const std::vector<const TaskFact*>& threads(int32_t pid) const {
        static const std::vector<const TaskFact*> none;
        const auto at = threads_.find(pid);
        return at == threads_.end() ? none : at->second;
    }

    std::string comm(int32_t pid) const {
        const auto at = processes_.find(pid);
        return at == processes_.end() ? std::string() : at->second->comm;
    }

    Pids children(int32_t pid) const {
        const auto at = children_.find(pid);
        return at == children_.end() ? Pids() : at->second;
    }

    // Who can make the file's waiters run. None: that is not known.
    std::optional<Pids> holders(const FileFact& file) const {
        switch (file.kind) {
            case FileKind::pipe:
                return with_other_end(file);
            case FileKind::socket:
                return with_peer(file);
            default:
                // Of an eventfd anyone who has it, a timerfd the time, a terminal a human.
                return std::nullopt;
        }
    }

    // The file that an epoll watches, if that number still is the file.
    const FileFact* watched(const FileFact& epoll, const Watched& watched) const {
        const FileFact* target = file(epoll.pid, watched.fd);
        return target && (!target->inode || target->inode == watched.inode) ? target : nullptr;
    }

  private:
    // A reader waits for writers, a writer for readers.
    std::optional<Pids> with_other_end(const FileFact& file) const {
        Pids pids;
        for (const FileFact* other : by_inode_.at({file.device, file.inode})) {
            const bool opposite = (file.reads && other->writes) || (file.writes && other->reads);
            if (other->kind == FileKind::pipe && opposite) {
                pids.push_back(other->pid);
            }
        }
        return each_once(std::move(pids));
    }

    std::optional<Pids> with_peer(const FileFact& file) const {
        const auto peer = facts_.peers.find(file.inode);
        const auto ends = peer == facts_.peers.end() ? by_inode_.end() : by_inode_.find({0, peer->second});
        if (ends == by_inode_.end()) {
            return std::nullopt;
        }
        Pids pids;
        for (const FileFact* other : ends->second) {
            if (other->kind == FileKind::socket) {
                pids.push_back(other->pid);
            }
        }
        return each_once(std::move(pids));
    }

    const WaitFacts& facts_;
    std::unordered_map<int32_t, const ProcessFact*> processes_;
    std::unordered_map<int32_t, Pids> children_;
    std::unordered_map<int32_t, std::vector<const TaskFact*>> threads_;
    std::map<std::pair<int32_t, int32_t>, const FileFact*> files_;
    std::map<std::pair<uint64_t, uint64_t>, std::vector<const FileFact*>> by_inode_;  // by device, inode
};

// A pipe has two heads: of those who wait for data, and of those who wait for room.
std::string_view side(const FileFact& file) {
    return !file.writes ? " data" : !file.reads ? " room" : "";
}

// One for each head.
std::string queue_id(const FileFact& file) {
    switch (file.kind) {
        case FileKind::pipe:
            return file.device ? fmt::format("fifo:[{}:{}]{}", file.device, file.inode, side(file))
                               : fmt::format("pipe:[{}]{}", file.inode, side(file));
        case FileKind::socket:
            return fmt::format("socket:[{}]", file.inode);
        default:
            return file.head ? fmt::format("queue:{:016x}", *file.head)
                             : fmt::format("file:{}:{}", file.pid, file.fd);
    }
}

std::string queue_label(const FileFact& file) {
    switch (file.kind) {
        case FileKind::pipe:
            return fmt::format("{}{}", file.name, side(file));
        case FileKind::epoll:
            return fmt::format("epoll {}:{}", file.pid, file.fd);
        default:
            return file.name.empty() ? queue_id(file) : file.name;
    }
}

// A node is made when it is first led to; what it leads to is added later, from a list: a chain of waiters may be
// longer than a stack is deep.
class Builder {
  public:
    explicit Builder(const WaitFacts& facts) : facts_(facts), index_(facts) {}

    WaitGraph build(const Pids& pids) {
        for (const TaskFact& task : facts_.tasks) {
            const bool waits = task.sleep == KTWIN_SLEEP_FD || task.sleep == KTWIN_SLEEP_CHILD;
            if (pids.empty() ? waits : std::ranges::find(pids, task.pid) != pids.end()) {
                task_node(task);
            }
        }
        while (!todo_.empty()) {
            const std::function<void()> next = std::move(todo_.front());
            todo_.pop_front();
            next();
        }
        mark_cycles();
        return std::move(graph_);
    }

  private:
    using Type = GraphNode::Type;

    // The node of that name, and whether it is new.
    std::pair<size_t, bool> node(GraphNode wanted) {
        const auto [at, added] = by_id_.emplace(wanted.id, graph_.nodes.size());
        if (added) {
            graph_.nodes.push_back(std::move(wanted));
        }
        return {at->second, added};
    }

    void edge(size_t from, size_t to, GraphEdge::Type type) {
        if (edges_.insert({{from, to}, type}).second) {
            graph_.edges.push_back({from, to, type});
        }
    }

    size_t task_node(const TaskFact& task) {
        const auto [at, added] = node({
            .id = fmt::format("task:{}", task.tid),
            .type = Type::task,
            .kind = task.sleep ? sleep_kind_name(*task.sleep) : "unknown",
            .label = fmt::format("{} ({})", task.tid, task.comm),
            .pid = task.pid,
            .tid = task.tid,
            .asleep_ns = task.asleep_ns,
            .unknown = !task.sleep || task.more_fds,
        });
        if (added) {
            todo_.push_back([this, &task, from = at] { add_waits(from, task); });
        }
        return at;
    }

    // A process of several threads: each of them may be the one that wakes.
    size_t process_node(int32_t pid) {
        const auto& threads = index_.threads(pid);
        if (threads.size() == 1) {
            return task_node(*threads.front());
        }
        const auto [at, added] = node({
            .id = fmt::format("process:{}", pid),
            .type = Type::task,
            .kind = "process",
            .label = fmt::format("{} ({})", pid, index_.comm(pid)),
            .pid = pid,
            .unknown = threads.empty(),
        });
        if (added) {
            todo_.push_back([this, pid, from = at] {
                for (const TaskFact* thread : index_.threads(pid)) {
                    edge(from, task_node(*thread), GraphEdge::Type::held_by);
                }
            });
        }
        return at;
    }

    size_t file_node(const FileFact& file) {
        const auto [at, added] = node({
            .id = queue_id(file),
            .type = Type::queue,
            .kind = std::string(kind_name(file.kind)),
            .label = queue_label(file),
            .pid = file.pid,
            .fd = file.fd,
        });
        if (added) {
            todo_.push_back([this, &file, from = at] {
                if (file.kind == FileKind::epoll) {
                    add_watched(from, file);
                } else {
                    add_holders(from, index_.holders(file));
                }
            });
        }
        return at;
    }

    size_t children_node(const TaskFact& task) {
        const auto [at, added] = node({
            .id = fmt::format("children:{}", task.pid),
            .type = Type::queue,
            .kind = "children",
            .label = fmt::format("children of {}", task.pid),
            .pid = task.pid,
        });
        if (added) {
            todo_.push_back([this, pid = task.pid, from = at] { add_holders(from, index_.children(pid)); });
        }
        return at;
    }

    void add_waits(size_t from, const TaskFact& task) {
        if (task.sleep == KTWIN_SLEEP_CHILD) {
            edge(from, children_node(task), GraphEdge::Type::waits);
        }
        if (task.sleep != KTWIN_SLEEP_FD) {
            return;
        }
        graph_.nodes[from].unknown |= task.fds.empty();
        for (const int32_t fd : task.fds) {
            const FileFact* file = index_.file(task.pid, fd);
            if (file) {
                edge(from, file_node(*file), GraphEdge::Type::waits);
            } else {  // closed since, or opened
                graph_.nodes[from].unknown = true;
            }
        }
    }

    void add_holders(size_t from, const std::optional<Pids>& pids) {
        graph_.nodes[from].unknown |= !pids;
        for (const int32_t pid : pids.value_or(Pids())) {
            edge(from, process_node(pid), GraphEdge::Type::held_by);
        }
    }

    // An epoll waits on what it watches. A server's ten thousand connections from elsewhere are a number, not nodes.
    void add_watched(size_t from, const FileFact& epoll) {
        uint32_t left_out = 0;
        for (const Watched& watched : epoll.watched) {
            const FileFact* file = index_.watched(epoll, watched);
            if (file && (file->kind == FileKind::epoll || index_.holders(*file))) {
                edge(from, file_node(*file), GraphEdge::Type::waits);
            } else {
                left_out++;
            }
        }
        graph_.nodes[from].left_out = left_out;
        // Without any, whoever adds one.
        graph_.nodes[from].unknown |= left_out || epoll.watched.empty();
    }

    void mark_cycles() {
        std::vector<std::vector<size_t>> successors(graph_.nodes.size());
        for (const GraphEdge& edge : graph_.edges) {
            successors[edge.from].push_back(edge.to);
        }
        graph_.cycles = find_cycles(successors);
        for (size_t i = 0; facts_.complete && i < graph_.cycles.size(); i++) {
            const std::vector<size_t>& cycle = graph_.cycles[i];
            // It takes one way out: who waits for several is woken by any.
            const bool leak = std::ranges::any_of(cycle, [&](size_t member) {
                return graph_.nodes[member].unknown ||
                       std::ranges::any_of(successors[member],
                                           [&](size_t to) { return !std::ranges::binary_search(cycle, to); });
            });
            if (!leak) {
                graph_.closed.push_back(i);
            }
        }
    }

    const WaitFacts& facts_;
    const Index index_;
    WaitGraph graph_;
    std::unordered_map<std::string, size_t> by_id_;
    std::map<std::pair<size_t, size_t>, GraphEdge::Type> edges_;
    std::deque<std::function<void()>> todo_;
};

}  // namespace

WaitGraph build_wait_graph(const WaitFacts& facts, const std::vector<int32_t>& pids) {
    return Builder(facts).build(pids);
}

}  // namespace ktwin
