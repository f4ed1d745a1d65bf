// SPDX-License-Identifier: GPL-2.0-only
// ktwin wait: which of its questions is asked.
#include "wait.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>

#include "lib/text.h"

namespace ktwin::cli {
namespace {

std::optional<int32_t> parse_number(std::string_view text, int32_t least) {
    int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc() && end == text.data() + text.size() && value >= least;
    return good ? std::optional(value) : std::nullopt;
}

int graph(const WaitOptions& options) {
    if (options.ns) {
        return usage_error("wait: --graph is of this namespace: not with --ns");
    }
    std::vector<int32_t> pids;
    for (const std::string& text : options.targets) {
        const auto target = parse_target(text);
        if (!target || target->fd) {
            return usage_error(fmt::format("wait --graph: '{}' is no pid", printable(text)));
        }
        pids.push_back(target->pid);
    }
    return wait_graph(options, pids);
}

int act(const WaitOptions& options) {
    if (options.graph) {
        return graph(options);
    }
    if (options.task && !options.targets.empty()) {
        return usage_error("wait: either --task TID or PID[:FD]");
    }
    if (options.task) {
        return wait_task(options);
    }
    // --list-columns needs none.
    if (options.targets.empty() && options.format.list_columns) {
        return wait_file(options, {});
    }
    if (options.targets.size() != 1) {
        return usage_error("wait: on what? (ktwin wait PID:FD, PID, --task TID or --graph)");
    }
    const auto target = parse_target(options.targets.front());
    if (!target) {
        return usage_error(
            fmt::format("wait: '{}' is neither PID nor PID:FD", printable(options.targets.front())));
    }
    if (options.watch && !target->fd) {
        return usage_error("wait --watch: of which file? (ktwin wait --watch PID:FD)");
    }
    return options.watch ? wait_watch(options, *target) : wait_file(options, *target);
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
    const size_t colon = text.find(':');
    const auto pid = parse_number(text.substr(0, colon), 1);
    if (!pid || colon == std::string_view::npos) {
        return pid ? std::optional(Target{*pid, {}}) : std::nullopt;
    }
    const auto fd = parse_number(text.substr(colon + 1), 0);
    return fd ? std::optional(Target{*pid, fd}) : std::nullopt;
}

int report_wait(const Error& error) {
    const int status = report(error);
    return error.code == ENODATA ? failed : status;
}

void add_wait(Command& ktwin) {
    Command command = ktwin.add(
        "wait", "who sleeps behind a file, in wake order; on what a task sleeps; who waits for whom");
    auto options = std::make_shared<WaitOptions>();
    command.words("target", options->targets, "PID:FD: that file; PID: all files of the process");
    command.format(options->format);
    command.ns(options->ns);
    command.number("--task", options->task, false, "what this task (thread) sleeps on");
    command.flag("--graph", options->graph,
                 "the wait-for graph of all, or of these PIDs, for Graphviz (-J: JSON)");
    command.flag("--watch", options->watch,
                 "count the wakes of PID:FD, and those woken in vain; a line per interval");
    command.seconds("--interval", options->interval, "with --watch: time between two lines (1)");
    command.option("--count", "N", options->count, "with --watch: end after so many lines");
    command.option("--proc", "DIR", options->proc, "where proc is mounted (/proc)");
    command.excludes("--graph", "--task");
    command.excludes("--watch", "--task");
    command.excludes("--watch", "--graph");
    command.needs("--interval", "--watch");
    command.needs("--count", "--watch");
    for (const char* name : {"--output", "--output-all", "--raw", "--noheadings", "--list-columns"}) {
        command.excludes("--graph", name);
        if (std::string_view(name) != "--noheadings") {
            command.excludes("--watch", name);
        }
    }
    command.run([options, &device = command.device()] {
        options->device = device;
        return act(*options);
    });
}

}  // namespace ktwin::cli
