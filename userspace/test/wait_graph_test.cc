// SPDX-License-Identifier: GPL-2.0-only
// The wait-for graph over invented facts.
#include "lib/wait_graph.h"

#include <gtest/gtest.h>
#include <uapi/ktwin.h>

#include <algorithm>
#include <set>

namespace ktwin {
namespace {

// A system, said in few words.
class World {
  public:
    World& process(int32_t pid, int32_t parent = 1) {
        facts.processes.push_back({pid, parent, "p" + std::to_string(pid)});
        return *this;
    }
    World& thread(int32_t tid, int32_t pid, uint32_t sleep, std::vector<int32_t> fds = {}) {
        facts.tasks.push_back(
            {.tid = tid, .pid = pid, .comm = "t" + std::to_string(tid), .sleep = sleep, .fds = fds});
        return *this;
    }
    World& task(int32_t pid, uint32_t sleep, std::vector<int32_t> fds = {}, int32_t parent = 1) {
        return process(pid, parent).thread(pid, pid, sleep, fds);
    }
    World& pipe(int32_t pid, int32_t fd, uint64_t inode, std::string_view access) {
        facts.files.push_back({.pid = pid,
                               .fd = fd,
                               .kind = FileKind::pipe,
                               .inode = inode,
                               .reads = access.contains('r'),
                               .writes = access.contains('w'),
                               .name = "pipe:[" + std::to_string(inode) + "]"});
        return *this;
    }
    World& socket(int32_t pid, int32_t fd, uint64_t inode, uint64_t peer = 0) {
        facts.files.push_back({.pid = pid,
                               .fd = fd,
                               .kind = FileKind::socket,
                               .inode = inode,
                               .name = "socket:[" + std::to_string(inode) + "]"});
        if (peer) {
            facts.peers[inode] = peer;
        }
        return *this;
    }
    World& epoll(int32_t pid, int32_t fd, std::optional<uint64_t> head, std::vector<Watched> watched) {
        facts.files.push_back({.pid = pid,
                               .fd = fd,
                               .kind = FileKind::epoll,
                               .name = "anon_inode:[eventpoll]",
                               .head = head,
                               .watched = watched});
        return *this;
    }
    World& other(int32_t pid, int32_t fd, std::string name, std::optional<uint64_t> head = {}) {
        facts.files.push_back({.pid = pid, .fd = fd, .name = name, .head = head});
        return *this;
    }

    WaitFacts facts;
};

std::set<std::string> edges(const WaitGraph& graph) {
    std::set<std::string> all;
    for (const GraphEdge& edge : graph.edges) {
        const bool waits = edge.type == GraphEdge::Type::waits;
        all.insert(graph.nodes[edge.from].id + (waits ? " waits " : " held_by ") + graph.nodes[edge.to].id);
    }
    return all;
}

std::vector<std::set<std::string>> cycles(const WaitGraph& graph) {
    std::vector<std::set<std::string>> all;
    for (const auto& cycle : graph.cycles) {
        all.emplace_back();
        for (const size_t node : cycle) {
            all.back().insert(graph.nodes[node].id);
        }
    }
    return all;
}

const GraphNode& node(const WaitGraph& graph, std::string_view id) {
    const auto at = std::ranges::find(graph.nodes, id, &GraphNode::id);
    if (at == graph.nodes.end()) {
        ADD_FAILURE() << "no node " << id;
        static const GraphNode none = {};
        return none;
    }
    return *at;
}

using Edges = std::set<std::string>;

TEST(WaitGraph, ReaderWaitsForWriters) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {0}).pipe(10, 0, 500, "r");
    world.task(11, KTWIN_SLEEP_TIME).pipe(11, 1, 500, "w").pipe(11, 2, 500, "w");
    world.task(12, KTWIN_SLEEP_FD, {1}).pipe(12, 1, 501, "w");  // a full pipe
    world.task(13, KTWIN_SLEEP_FUTEX).pipe(13, 0, 501, "r");
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(edges(graph), (Edges{"task:10 waits pipe:[500] data", "pipe:[500] data held_by task:11",
                                   "task:12 waits pipe:[501] room", "pipe:[501] room held_by task:13"}));
    EXPECT_TRUE(graph.cycles.empty());
    EXPECT_EQ(node(graph, "task:11").kind, "time");
    EXPECT_FALSE(node(graph, "pipe:[500] data").unknown);
    EXPECT_EQ(graph.nodes.size(), 6U);
}

// An inode number means something in its file system alone.
TEST(WaitGraph, FifosOfTwoFileSystems) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {0}).pipe(10, 0, 2, "r");
    world.facts.files.back().device = 7;
    world.facts.files.back().name = "/run/a";
    world.task(11, KTWIN_SLEEP_TIME).pipe(11, 1, 2, "w");
    world.task(12, KTWIN_SLEEP_TIME).pipe(12, 1, 2, "w");
    world.facts.files.back().device = 7;
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(edges(graph), (Edges{"task:10 waits fifo:[7:2] data", "fifo:[7:2] data held_by task:12"}));
    EXPECT_EQ(node(graph, "fifo:[7:2] data").label, "/run/a data");
}

// Two filters, each waiting for the other's output.
TEST(WaitGraph, DeadlockOfTwo) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {0}).pipe(10, 0, 500, "r").pipe(10, 1, 501, "w");
    world.task(11, KTWIN_SLEEP_FD, {0}).pipe(11, 0, 501, "r").pipe(11, 1, 500, "w");
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(
        cycles(graph),
        (std::vector<std::set<std::string>>{{"task:10", "pipe:[500] data", "task:11", "pipe:[501] data"}}));
    EXPECT_EQ(graph.closed, std::vector<size_t>{0});
}

// The usual one: the reader has kept the writing end itself, so it never sees the end of the file.
TEST(WaitGraph, ReaderThatHoldsTheWritingEnd) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {0}).pipe(10, 0, 500, "r").pipe(10, 7, 500, "w");
    WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(cycles(graph), (std::vector<std::set<std::string>>{{"task:10", "pipe:[500] data"}}));
    EXPECT_EQ(graph.closed, std::vector<size_t>{0});
    // Who is not in the circle can end it.
    world.task(11, KTWIN_SLEEP_TIME).pipe(11, 1, 500, "w");
    graph = build_wait_graph(world.facts);
    EXPECT_EQ(graph.cycles.size(), 1U);
    EXPECT_TRUE(graph.closed.empty());
}

TEST(WaitGraph, NoClosedCycleWhereNotAllWasSeen) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {0}).pipe(10, 0, 500, "rw");
    EXPECT_EQ(build_wait_graph(world.facts).closed.size(), 1U);
    world.facts.complete = false;
    EXPECT_EQ(build_wait_graph(world.facts).cycles.size(), 1U);
    EXPECT_TRUE(build_wait_graph(world.facts).closed.empty());
}

TEST(WaitGraph, AnotherThreadCanWake) {
    World world;
    world.process(10).thread(10, 10, KTWIN_SLEEP_FD, {0}).thread(14, 10, KTWIN_SLEEP_FUTEX);
    world.pipe(10, 0, 500, "r").pipe(10, 1, 500, "w");
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(edges(graph), (Edges{"task:10 waits pipe:[500] data", "pipe:[500] data held_by process:10",
                                   "process:10 held_by task:10", "process:10 held_by task:14"}));
    EXPECT_EQ(graph.cycles.size(), 1U);
    EXPECT_TRUE(graph.closed.empty());
    EXPECT_EQ(node(graph, "process:10").label, "10 (p10)");
}

TEST(WaitGraph, ParentAndChild) {
    World world;
    world.task(10, KTWIN_SLEEP_CHILD).pipe(10, 1, 500, "w");
    world.task(11, KTWIN_SLEEP_FD, {0}, 10).pipe(11, 0, 500, "r");
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(edges(graph), (Edges{"task:10 waits children:10", "children:10 held_by task:11",
                                   "task:11 waits pipe:[500] data", "pipe:[500] data held_by task:10"}));
    EXPECT_EQ(graph.closed, std::vector<size_t>{0});
}

TEST(WaitGraph, Sockets) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {3}).socket(10, 3, 600, 601);
    world.task(11, KTWIN_SLEEP_FD, {4}).socket(11, 4, 601, 600);
    world.task(12, KTWIN_SLEEP_FD, {5}).socket(12, 5, 602);       // listens, or is of another namespace
    world.task(13, KTWIN_SLEEP_FD, {5}).socket(13, 5, 603, 999);  // its peer is of nobody who is visible
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(cycles(graph),
              (std::vector<std::set<std::string>>{{"task:10", "socket:[600]", "task:11", "socket:[601]"}}));
    EXPECT_EQ(graph.closed, std::vector<size_t>{0});
    EXPECT_TRUE(node(graph, "socket:[602]").unknown);
    EXPECT_TRUE(node(graph, "socket:[603]").unknown);
}

// A server waits for all its clients at once, and for new ones: it is in a cycle with each client that waits for it,
// and in no deadlock.
TEST(WaitGraph, EpollWaitsForAny) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {4}).epoll(10, 4, 0xabc, {{5, 700}, {6, 701}, {7, 8}, {8, 999}});
    world.socket(10, 5, 700).socket(10, 6, 701, 800).other(10, 7, "anon_inode:[timerfd]");
    world.socket(10, 8, 702, 801);  // 8 was another file when it was added
    world.task(11, KTWIN_SLEEP_FD, {3}).socket(11, 3, 800, 701);
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(edges(graph),
              (Edges{"task:10 waits queue:0000000000000abc", "queue:0000000000000abc waits socket:[701]",
                     "socket:[701] held_by task:11", "task:11 waits socket:[800]",
                     "socket:[800] held_by task:10"}));
    EXPECT_EQ(node(graph, "queue:0000000000000abc").left_out, 3U);
    EXPECT_EQ(graph.cycles.size(), 1U);
    EXPECT_TRUE(graph.closed.empty());
    EXPECT_EQ(node(graph, "queue:0000000000000abc").label, "epoll 10:4");
}

TEST(WaitGraph, SharedQueueIsOneNode) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {4}).other(10, 4, "anon_inode:[eventfd]", 5);
    world.task(11, KTWIN_SLEEP_FD, {9}).other(11, 9, "anon_inode:[eventfd]", 5);
    world.task(12, KTWIN_SLEEP_FD, {4}).other(12, 4, "/dev/pts/0");
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(edges(graph), (Edges{"task:10 waits queue:0000000000000005",
                                   "task:11 waits queue:0000000000000005", "task:12 waits file:12:4"}));
    EXPECT_TRUE(node(graph, "queue:0000000000000005").unknown);
}

TEST(WaitGraph, EpollsThatWatchEachOther) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {4}).epoll(10, 4, 1, {{5, 8}}).epoll(10, 5, {}, {{4, 8}});
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_EQ(edges(graph),
              (Edges{"task:10 waits queue:0000000000000001", "queue:0000000000000001 waits file:10:5",
                     "file:10:5 waits queue:0000000000000001"}));
}

TEST(WaitGraph, WhatIsNotKnownIsSaid) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {4});  // closed meanwhile
    world.task(11, KTWIN_SLEEP_FD);       // no fd of its own
    world.task(12, KTWIN_SLEEP_FD, {3}).socket(12, 3, 600, 601);
    world.process(13).socket(13, 3, 601, 600);  // none of its threads could be asked
    const WaitGraph graph = build_wait_graph(world.facts);
    EXPECT_TRUE(node(graph, "task:10").unknown);
    EXPECT_TRUE(node(graph, "task:11").unknown);
    EXPECT_FALSE(node(graph, "task:12").unknown);
    EXPECT_TRUE(node(graph, "process:13").unknown);
}

TEST(WaitGraph, OfSomeProcesses) {
    World world;
    world.task(10, KTWIN_SLEEP_FD, {0}).pipe(10, 0, 500, "r");
    world.task(11, KTWIN_SLEEP_FD, {0}).pipe(11, 0, 501, "r").pipe(11, 1, 500, "w");
    world.task(12, KTWIN_SLEEP_TIME).pipe(12, 1, 501, "w");
    world.task(13, KTWIN_SLEEP_FD, {0}).pipe(13, 0, 500, "r");
    EXPECT_EQ(build_wait_graph(world.facts, {11}).nodes.size(), 3U);
    EXPECT_EQ(build_wait_graph(world.facts, {10}).nodes.size(), 5U);
    EXPECT_EQ(build_wait_graph(world.facts, {12}).nodes.size(), 1U);
    EXPECT_EQ(build_wait_graph(world.facts, {77}).nodes.size(), 0U);
    EXPECT_EQ(build_wait_graph(world.facts).nodes.size(), 6U);
}

TEST(Cycles, ComponentsOfAGraph) {
    using Nodes = std::vector<std::vector<size_t>>;
    EXPECT_EQ(find_cycles({}), Nodes{});
    EXPECT_EQ(find_cycles({{0}}), Nodes{});
    EXPECT_EQ(find_cycles({{1}, {2}, {}}), Nodes{});
    EXPECT_EQ(find_cycles({{1}, {2}, {0}}), (Nodes{{0, 1, 2}}));
    // Two that touch through a bridge; a figure of eight is one.
    EXPECT_EQ(find_cycles({{1}, {0, 2}, {3}, {2}}), (Nodes{{0, 1}, {2, 3}}));
    EXPECT_EQ(find_cycles({{1, 2}, {0}, {0}}), (Nodes{{0, 1, 2}}));
    // Found from the far end first.
    EXPECT_EQ(find_cycles({{}, {0, 3}, {1}, {2}}), (Nodes{{1, 2, 3}}));
}

// Against the definition: two nodes are in one component when each reaches the other.
TEST(Cycles, RandomGraphs) {
    uint32_t state = 1;
    const auto random = [&] { return state = state * 1664525 + 1013904223, state >> 16; };
    for (int round = 0; round < 300; round++) {
        const size_t count = 1 + random() % 9;
        std::vector<std::vector<size_t>> successors(count);
        std::vector<std::vector<bool>> reaches(count, std::vector<bool>(count));
        for (size_t edge = random() % (2 * count); edge > 0; edge--) {
            const size_t from = random() % count;
            const size_t to = random() % count;
            successors[from].push_back(to);
            reaches[from][to] = true;
        }
        for (size_t via = 0; via < count; via++) {
            for (size_t from = 0; from < count; from++) {
                for (size_t to = 0; to < count; to++) {
                    reaches[from][to] = reaches[from][to] || (reaches[from][via] && reaches[via][to]);
                }
            }
        }
        std::set<std::vector<size_t>> expected;
        for (size_t node = 0; node < count; node++) {
            std::vector<size_t> component;
            for (size_t other = 0; other < count; other++) {
                if (other == node || (reaches[node][other] && reaches[other][node])) {
                    component.push_back(other);
                }
            }
            if (component.size() > 1) {
                expected.insert(component);
            }
        }
        const auto found = find_cycles(successors);
        EXPECT_EQ(std::set(found.begin(), found.end()), expected) << "round " << round;
    }
}

TEST(Cycles, LongChainNeedsNoStack) {
    constexpr size_t length = 1000000;
    std::vector<std::vector<size_t>> chain(length);
    for (size_t i = 0; i + 1 < length; i++) {
        chain[i].push_back(i + 1);
    }
    EXPECT_TRUE(find_cycles(chain).empty());
    chain.back().push_back(0);
    EXPECT_EQ(find_cycles(chain).at(0).size(), length);
}

}  // namespace
}  // namespace ktwin
