// SPDX-License-Identifier: GPL-2.0-only
#include "graph_view.h"

#include <fmt/format.h>

#include "command.h"
#include "lib/text.h"

namespace ktwin::cli {
namespace {

using NodeType = GraphNode::Type;

// For each node the cycle it is in.
std::vector<std::optional<size_t>> cycle_of_nodes(const WaitGraph& graph) {
    std::vector<std::optional<size_t>> of_node(graph.nodes.size());
    for (size_t cycle = 0; cycle < graph.cycles.size(); cycle++) {
        for (const size_t node : graph.cycles[cycle]) {
            of_node[node] = cycle;
        }
    }
    return of_node;
}

bool is_closed(const WaitGraph& graph, size_t cycle) {
    return std::ranges::binary_search(graph.closed, cycle);
}

std::string_view name(GraphEdge::Type type) {
    return type == GraphEdge::Type::waits ? "waits" : "held_by";
}

// In double quotes. Names are any bytes: control characters are made visible first, then what dot would take for
// its own is escaped.
std::string in_quotes(std::string_view text) {
    std::string all = "\"";
    for (const char letter : printable(text)) {
        if (letter == '"' || letter == '\\') {
            all += '\\';
        }
        all += letter;
    }
    return all + '"';
}

std::string label(const GraphNode& node) {
    std::string text = in_quotes(node.label);
    const auto line = [&](std::string_view more) {
        text.insert(text.size() - 1, fmt::format("\\n{}", more));
    };
    if (node.type == NodeType::task && node.kind != "fd") {
        line(node.kind);
    }
    if (node.asleep_ns) {
        line(duration_text(*node.asleep_ns));
    }
    if (node.left_out) {
        line(fmt::format("and {} more", node.left_out));
    }
    return text;
}

std::string_view colour(const WaitGraph& graph, const std::optional<size_t>& cycle) {
    if (!cycle) {
        return "";
    }
    return is_closed(graph, *cycle) ? ", color=red, penwidth=3" : ", color=red";
}

std::string listed(const WaitGraph& graph, const std::vector<size_t>& nodes) {
    std::string text;
    for (const size_t node : nodes) {
        text += (text.empty() ? "" : ", ") + printable(graph.nodes[node].label);
    }
    return text;
}

}  // namespace

std::string graph_dot(const WaitGraph& graph, const WaitFacts& facts) {
    const auto cycles = cycle_of_nodes(graph);
    std::string text = "digraph wait {\n\trankdir=LR;\n";
    for (const std::string& note : facts.notes) {
        text += fmt::format("\t// {}\n", printable(note));
    }
    for (size_t i = 0; i < graph.cycles.size(); i++) {
        text += fmt::format("\t// {}: {}\n", is_closed(graph, i) ? "closed cycle" : "cycle",
                            listed(graph, graph.cycles[i]));
    }
    for (size_t i = 0; i < graph.nodes.size(); i++) {
        const GraphNode& node = graph.nodes[i];
        text += fmt::format("\t{} [label={}, shape={}{}{}];\n", in_quotes(node.id), label(node),
                            node.type == NodeType::task ? "box" : "ellipse",
                            node.unknown ? ", style=dashed" : "", colour(graph, cycles[i]));
    }
    for (const GraphEdge& edge : graph.edges) {
        const bool inside = cycles[edge.from] && cycles[edge.from] == cycles[edge.to];
        text += fmt::format("\t{} -> {} [label={}{}];\n", in_quotes(graph.nodes[edge.from].id),
                            in_quotes(graph.nodes[edge.to].id),
                            edge.type == GraphEdge::Type::waits ? "waits" : "\"held by\"",
                            inside ? colour(graph, cycles[edge.from]) : "");
    }
    return text + "}\n";
}

Json graph_json(const WaitGraph& graph, const WaitFacts& facts) {
    const auto cycles = cycle_of_nodes(graph);
    Json nodes = Json::array();
    for (size_t i = 0; i < graph.nodes.size(); i++) {
        const GraphNode& node = graph.nodes[i];
        nodes.push_back({
            {"id", node.id},
            {"type", node.type == NodeType::task ? "task" : "queue"},
            {"kind", node.kind},
            {"label", node.label},
            {"pid", json_of(node.pid)},
            {"tid", json_of(node.tid)},
            {"fd", json_of(node.fd)},
            {"asleep_ns", json_of(node.asleep_ns)},
            {"unknown", node.unknown},
            {"left_out", node.left_out},
            {"cycle", json_of(cycles[i])},
        });
    }
    Json edges = Json::array();
    for (const GraphEdge& edge : graph.edges) {
        edges.push_back({{"from", graph.nodes[edge.from].id},
                         {"to", graph.nodes[edge.to].id},
                         {"type", name(edge.type)}});
    }
    Json lists = Json::array();
    for (const std::vector<size_t>& cycle : graph.cycles) {
        Json list = Json::array();
        for (const size_t node : cycle) {
            list.push_back(graph.nodes[node].id);
        }
        lists.push_back(list);
    }
    return {
        {"nodes", nodes},
        {"edges", edges},
        {"cycles", lists},
        {"closed", graph.closed},
        {"complete", facts.complete},
        {"notes", facts.notes},
    };
}

std::string graph_summary(const WaitGraph& graph) {
    const auto tasks = std::ranges::count(graph.nodes, NodeType::task, &GraphNode::type);
    return fmt::format("{}, {}, {} ({} closed)", counted(static_cast<uint64_t>(tasks), "task"),
                       counted(graph.nodes.size() - static_cast<size_t>(tasks), "queue"),
                       counted(graph.cycles.size(), "cycle"), graph.closed.size());
}

}  // namespace ktwin::cli
