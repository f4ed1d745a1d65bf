// SPDX-License-Identifier: GPL-2.0-only
// ktwin wait --graph: who waits for whom.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "graph_view.h"
#include "lib/wait_facts.h"
#include "wait.h"

namespace ktwin::cli {
namespace {

int show(Device& device, const WaitOptions& options, const std::vector<int32_t>& pids) {
    const Result<WaitFacts> facts = gather_wait_facts(device, Proc(options.proc));
    if (!facts) {
        return report_wait(facts.error());
    }
    for (const int32_t pid : pids) {
        if (std::ranges::find(facts->processes, pid, &ProcessFact::pid) == facts->processes.end()) {
            return report_wait(
                {ESRCH, fmt::format("process {}: no such process, or not visible from here", pid)});
        }
    }
    const WaitGraph graph = build_wait_graph(*facts, pids);
    if (options.format.json) {
        emit_line(dump(graph_json(graph, *facts)));
    } else {
        emit(graph_dot(graph, *facts));
        flush();
        for (const std::string& note : facts->notes) {
            fmt::print(stderr, "ktwin: {}\n", note);
        }
        fmt::print(stderr, "{}\n", graph_summary(graph));
    }
    return graph.nodes.empty() ? different : fine;
}

}  // namespace

int wait_graph(const WaitOptions& options, const std::vector<int32_t>& pids) {
    return with_device(options.device, [&](Device& device) { return show(device, options, pids); });
}

}  // namespace ktwin::cli
