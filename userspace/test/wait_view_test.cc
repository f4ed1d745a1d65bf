// SPDX-License-Identifier: GPL-2.0-only
// What is shown of waiters and of the wait-for graph.
#include "cli/wait_view.h"

#include <gtest/gtest.h>

#include "cli/graph_view.h"

namespace ktwin::cli {
namespace {

Waiter waiter(uint32_t head, uint32_t position, int32_t tid) {
    return {.head = head,
            .position = position,
            .kind = KTWIN_KIND_BLOCKED,
            .flags = KTWIN_WAITER_TASK,
            .tid = tid,
            .tgid = tid,
            .asleep_ns = {},
            .link = {},
            .state = 'S',
            .comm = "t"};
}

WaitHead head(uint64_t hash, uint32_t depth, std::optional<uint64_t> parent, uint32_t waiters) {
    return {.hash = hash, .parent = parent, .fd = {}, .truncated = false, .waiters = waiters, .depth = depth};
}

WaitedFile file(std::vector<WaitHead> heads, std::vector<Waiter> waiters) {
    WaitList list = {"pipe", {}, std::move(heads), std::move(waiters), false, false, false};
    return {.pid = 10, .fd = 3, .comm = "", .target = "", .list = std::move(list)};
}

size_t occurrences(std::string_view text, std::string_view word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
        count++;
    }
    return count;
}

// Whatever the heads say of each other, each is shown once.
TEST(WaitView, HeadsInACircle) {
    const WaitedFile circle =
        file({head(1, 0, 2, 1), head(2, 1, 1, 1), head(2, 1, 2, 1), head(3, 4, 99, 1)},
             {waiter(0, 0, 700), waiter(1, 0, 701), waiter(2, 0, 702), waiter(3, 0, 703)});
    const std::string text = waiters_text(circle, {}, true);
    for (const std::string_view tid : {" 700", " 701", " 702", " 703"}) {
        EXPECT_EQ(occurrences(text, tid), 2U) << text;  // PID and TID
    }
    EXPECT_EQ(occurrences(text, "via epoll"), 3U) << text;
}

TEST(WaitView, NobodyIsNotAnEmptyTable) {
    EXPECT_EQ(waiters_text(file({head(1, 0, {}, 0)}, {}), {}, true), "fd 3 of 10: pipe; nobody waits\n");
    EXPECT_EQ(waiters_text(file({}, {}), {}, true), "fd 3 of 10: pipe: has no wait queue\n");
    // Not a line for each queue of a file.
    EXPECT_EQ(waiters_text(file({head(1, 0, {}, 0), head(2, 0, {}, 0)}, {}), {}, true),
              "fd 3 of 10: pipe; nobody waits\n");
    const std::string half =
        waiters_text(file({head(1, 0, {}, 0), head(2, 0, {}, 1)}, {waiter(1, 0, 700)}), {}, false);
    EXPECT_TRUE(half.starts_with("fd 3 of 10: pipe, queue 2 of 2; 1 waiter,")) << half;
}

// An epoll that watches, and nobody in it; its other queue is of no interest.
TEST(WaitView, EpollNobodyWaitsIn) {
    WaitedFile watched = file({head(1, 0, {}, 1), head(5, 1, 1, 0), head(6, 1, 1, 0)}, {waiter(0, 0, 0)});
    watched.list.waiters[0].kind = KTWIN_KIND_EPOLL;
    watched.list.waiters[0].link = 5;
    const std::string text = waiters_text(watched, {}, false);
    EXPECT_EQ(occurrences(text, "via epoll; nobody waits\n"), 1U) << text;
}

TEST(WaitView, SaysWhatIsNotListed) {
    WaitedFile some = file({head(1, 0, {}, 9)}, {waiter(0, 0, 700)});
    some.list.more_waiters = some.list.more_heads = true;
    const std::string text = waiters_text(some, {}, false);
    EXPECT_NE(text.find("9 waiters (1 listed), the next wake runs nobody"), std::string::npos) << text;
    EXPECT_NE(text.find("and more queues than a call can list\n"), std::string::npos);
    EXPECT_NE(text.find("and more waiters than a call can list\n"), std::string::npos);
    EXPECT_EQ(waiters_json(some, {}, nullptr)["complete"], false);
}

TEST(WaitView, EpollsToFind) {
    WaitedFile watched = file({head(1, 0, {}, 3)}, {waiter(0, 0, 1), waiter(0, 1, 2), waiter(0, 2, 3)});
    watched.list.waiters[1].kind = watched.list.waiters[2].kind = KTWIN_KIND_EPOLL;
    watched.list.waiters[1].link = 5;
    EXPECT_EQ(epolls_in({&watched, 1}), std::unordered_set<uint64_t>{5});
}

WaitGraph graph(std::string_view name) {
    WaitGraph graph;
    graph.nodes = {
        {.id = "task:1",
         .type = GraphNode::Type::task,
         .kind = "fd",
         .label = std::string(name),
         .asleep_ns = 2500000},
        {.id = "queue:1", .type = GraphNode::Type::queue, .kind = "pipe", .label = "q", .unknown = true},
    };
    graph.edges = {{0, 1, GraphEdge::Type::waits}, {1, 0, GraphEdge::Type::held_by}};
    return graph;
}

TEST(GraphView, NamesCannotEndAString) {
    const std::string dot = graph_dot(graph("a\"b\\n\n\x1b"), {});
    EXPECT_NE(dot.find("\"task:1\" [label=\"a\\\"b\\\\x5cn\\\\x0a\\\\x1b\\n2.5 ms\", shape=box];\n"),
              std::string::npos)
        << dot;
    EXPECT_NE(dot.find("\"queue:1\" [label=\"q\", shape=ellipse, style=dashed];\n"), std::string::npos)
        << dot;
    EXPECT_NE(dot.find("\"task:1\" -> \"queue:1\" [label=waits];\n"), std::string::npos) << dot;
    EXPECT_EQ(dot.find("red"), std::string::npos);
}

TEST(GraphView, CyclesAreRed) {
    WaitGraph circle = graph("t");
    circle.cycles = {{0, 1}};
    const std::string open = graph_dot(circle, {});
    EXPECT_EQ(occurrences(open, "color=red]"), 4U) << open;
    EXPECT_NE(open.find("// cycle: t, q\n"), std::string::npos);
    circle.closed = {0};
    const std::string closed =
        graph_dot(circle, {.processes = {}, .tasks = {}, .files = {}, .peers = {}, .notes = {"no"}});
    EXPECT_EQ(occurrences(closed, "color=red, penwidth=3]"), 4U) << closed;
    EXPECT_NE(closed.find("// closed cycle: t, q\n"), std::string::npos);
    EXPECT_NE(closed.find("// no\n"), std::string::npos);
    EXPECT_EQ(graph_summary(circle), "1 task, 1 queue, 1 cycle (1 closed)");
    EXPECT_EQ(graph_json(circle, {})["cycles"].dump(), R"([["task:1","queue:1"]])");
}

}  // namespace
}  // namespace ktwin::cli
