// SPDX-License-Identifier: GPL-2.0-only
// How the wait-for graph is shown.
#pragma once

#include <string>

#include "columns.h"
#include "lib/wait_graph.h"

namespace ktwin::cli {

// For Graphviz: tasks are boxes, queues ellipses, dashed where who may wake is not known; cycles are red, and bold
// where nobody outside is known to be able to end them.
std::string graph_dot(const WaitGraph& graph, const WaitFacts& facts);

Json graph_json(const WaitGraph& graph, const WaitFacts& facts);

// "4 tasks, 3 queues, 1 cycle (1 closed)"
std::string graph_summary(const WaitGraph& graph);

}  // namespace ktwin::cli
