// SPDX-License-Identifier: GPL-2.0-only
#include "wait_facts.h"

#include <fmt/format.h>

#include <cerrno>
#include <set>

namespace ktwin {
namespace {

// Hash of the file's own head, the first if it has several.
std::optional<uint64_t> own_head(Device& device, int32_t pid, int32_t fd) {
    const Result<WaitList> list = device.waiters(pid, fd, 0);
    for (const WaitHead& head : list ? list->heads : std::vector<WaitHead>()) {
        if (head.depth == 0) {
            return head.hash;
        }
    }
    return std::nullopt;
}

class Gatherer {
  public:
    Gatherer(Device& device, const Proc& proc) : device_(device), proc_(proc) {}

    Result<WaitFacts> gather(const PeerReader& unix_peers) {
        // Peers first: a socket that comes later is one whose peer is not known.
        if (const auto note = unix_peers(facts_.peers)) {
            facts_.notes.push_back(*note);
        }
        add_tcp_peers(proc_.net("tcp"), proc_.net("tcp6"), facts_.peers);
        for (const int32_t pid : proc_.processes()) {
            if (const auto error = add_process(pid)) {
                return std::unexpected(*error);
            }
        }
        ask_for_heads();
        if (refused_) {
            facts_.complete = false;
            facts_.notes.push_back(
                fmt::format("{} of {} processes could not be looked into: run as root (CAP_SYS_PTRACE)",
                            refused_, facts_.processes.size()));
        }
        return std::move(facts_);
    }

  private:
    std::optional<Error> add_process(int32_t pid) {
        ProcessStatus status = proc_.status(pid);
        facts_.processes.push_back({pid, status.parent, std::move(status.comm)});
        bool refused = !add_files(pid);
        for (const int32_t tid : proc_.threads(pid)) {
            const Result<Sleep> sleep = device_.sleep(tid, 0);
            if (sleep) {
                add_task(tid, pid, *sleep);
            } else if (sleep.error().code == EACCES) {
                refused = true;
            } else if (sleep.error().code != ESRCH) {
                return sleep.error();
            }
        }
        refused_ += refused;
        return std::nullopt;
    }

    void add_task(int32_t tid, int32_t pid, const Sleep& sleep) {
        // Its files are closed, its threads are what is left of it.
        if (sleep.state == 'Z' || sleep.state == 'X') {
            return;
        }
        facts_.tasks.push_back({
            .tid = tid,
            .pid = pid,
            .comm = sleep.comm.empty() ? facts_.processes.back().comm : sleep.comm,
            .sleep = sleep.hidden ? std::nullopt : std::optional(sleep.kind),
            .fds = sleep.fds,
            .more_fds = sleep.more_fds,
            .asleep_ns = sleep.asleep_ns,
        });
    }

    // false: they may not be seen.
    bool add_files(int32_t pid) {
        const Result<std::vector<int32_t>> fds = proc_.fds(pid);
        for (const int32_t fd : fds ? *fds : std::vector<int32_t>()) {
            FileFact file = {.pid = pid, .fd = fd, .name = proc_.target(pid, fd)};
            classify(file);
            facts_.files.push_back(std::move(file));
        }
        return fds || fds.error().code == ESRCH;
    }

    void classify(FileFact& file) const {
        const auto pipe = inode_in(file.name, "pipe");
        const auto socket = inode_in(file.name, "socket");
        // Only a path can be a fifo.
        const auto fifo = file.name.starts_with('/') ? proc_.fifo(file.pid, file.fd) : std::optional<Inode>();
        if (socket) {
            file.kind = FileKind::socket;
            file.inode = *socket;
        } else if (pipe || fifo) {
            file.kind = FileKind::pipe;
            file.inode = pipe ? *pipe : fifo->number;
            file.device = pipe ? 0 : fifo->device;
            const FdInfo info = proc_.fdinfo(file.pid, file.fd);
            file.reads = info.reads;
            file.writes = info.writes;
        } else if (file.name == epoll_target) {
            file.kind = FileKind::epoll;
            file.watched = proc_.fdinfo(file.pid, file.fd).watched;
        }
    }

    // Pipes and sockets are known by their inodes; of the rest, those that somebody sleeps on, by their heads.
    void ask_for_heads() {
        std::set<std::pair<int32_t, int32_t>> slept_on;
        for (const TaskFact& task : facts_.tasks) {
            for (const int32_t fd : task.fds) {
                slept_on.insert({task.pid, fd});
            }
        }
        for (FileFact& file : facts_.files) {
            const bool nameless = file.kind == FileKind::other || file.kind == FileKind::epoll;
            if (nameless && slept_on.contains({file.pid, file.fd})) {
                file.head = own_head(device_, file.pid, file.fd);
            }
        }
    }

    Device& device_;
    const Proc& proc_;
    WaitFacts facts_;
    size_t refused_ = 0;
};

}  // namespace

Result<WaitFacts> gather_wait_facts(Device& device, const Proc& proc, const PeerReader& unix_peers) {
    return Gatherer(device, proc).gather(unix_peers);
}

}  // namespace ktwin
