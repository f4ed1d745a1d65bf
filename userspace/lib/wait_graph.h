// SPDX-License-Identifier: GPL-2.0-only
// The wait-for graph: a task waits on a queue, a queue is held by those who can wake it. Built from facts alone, so
// that it can be tested on invented ones; wait_facts.h gathers the real ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "procfs.h"
#include "socket_peers.h"

namespace ktwin {

enum class FileKind { other, pipe, socket, epoll };

struct FileFact {
    int32_t pid;
    int32_t fd;
    FileKind kind = FileKind::other;
    uint64_t inode = 0;   // of a pipe or a socket
    uint64_t device = 0;  // of a fifo: the file system it is in
    bool reads = false;   // of a pipe
    bool writes = false;
    std::string name;                   // as ls -l /proc/PID/fd shows it
    std::optional<uint64_t> head = {};  // hash of its own wait-queue head, where it was asked for
    std::vector<Watched> watched = {};  // of an epoll
};

struct TaskFact {
    int32_t tid;
    int32_t pid;
    std::string comm;
    std::optional<uint32_t> sleep = {};  // enum ktwin_sleep_kind; none: it could not be asked
    std::vector<int32_t> fds = {};       // with KTWIN_SLEEP_FD
    bool more_fds = false;
    std::optional<uint64_t> asleep_ns = {};
};

struct ProcessFact {
    int32_t pid;
    int32_t parent;
    std::string comm;
};

struct WaitFacts {
    std::vector<ProcessFact> processes;
    std::vector<TaskFact> tasks;
    std::vector<FileFact> files;
    SocketPeers peers;
    bool complete = true;            // every process could be looked into
    std::vector<std::string> notes;  // what is not known, a sentence each
};

struct GraphNode {
    enum class Type { task, queue };
    std::string id;  // unique
    Type type;
    std::string
        kind;  // task: what it sleeps on, or "process" for one of several threads; queue: of which file
    std::string label;  // "812 (nginx)", "pipe:[4711]"
    std::optional<int32_t> pid = {};
    std::optional<int32_t> tid = {};
    std::optional<int32_t> fd = {};  // with pid, one way to the queue
    std::optional<uint64_t> asleep_ns = {};
    bool unknown = false;   // others, not known, may wake it
    uint32_t left_out = 0;  // epoll: watched files of unknown holders, which have no node
};

struct GraphEdge {
    enum class Type { waits, held_by };
    size_t from;
    size_t to;
    Type type;
};

struct WaitGraph {
    std::vector<GraphNode> nodes;
    std::vector<GraphEdge> edges;
    // Nodes that reach each other (strongly connected components), ascending.
    std::vector<std::vector<size_t>> cycles;
    // Those among them that nobody outside can end, as far as is known: by position in cycles. A time-out or a
    // signal still may.
    std::vector<size_t> closed;
};

// Of the tasks of these processes and all they wait for; without any, of every task that waits for somebody.
WaitGraph build_wait_graph(const WaitFacts& facts, const std::vector<int32_t>& pids = {});

// Strongly connected components of more than one node, by Tarjan's algorithm (SIAM J. Comput. 1, 1972), each
// ascending, in the order of their first nodes. successors[i]: where the edges of i lead.
std::vector<std::vector<size_t>> find_cycles(const std::vector<std::vector<size_t>>& successors);

}  // namespace ktwin
