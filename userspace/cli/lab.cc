// SPDX-License-Identifier: GPL-2.0-only
// ktwin lab: private PID worlds; and, refused unless the module was loaded with kt_lab=1, tests of ktwin itself.
#include <fmt/format.h>
#include <uapi/ktwin.h>

#include "command.h"

namespace ktwin::cli {
namespace {

struct Injection {
    std::string_view name;
    ktwin_inject_kind kind;
    std::string_view help;
};

constexpr Injection injections[] = {
    {"drop", KTWIN_INJECT_DROP, "the twin forgets the number NR"},
    {"add", KTWIN_INJECT_ADD, "the twin invents the number NR"},
    {"swap", KTWIN_INJECT_SWAP, "the twin takes the number NR for another struct pid"},
    {"skip", KTWIN_INJECT_SKIP, "the next NR events are skipped as if the probes had missed them"},
    {"nomem", KTWIN_INJECT_NO_MEMORY, "the next NR allocations for an event fail"},
};

struct InjectOptions {
    int32_t nr = 0;
    uint32_t ns = 0;
};

int inject(Device& device, const Injection& injection, const InjectOptions& options) {
    const Result<void> result = device.inject(injection.kind, options.nr, options.ns);
    if (!result) {
        return report(result.error());
    }
    emit_line(fmt::format("injected: {} {}", injection.name, options.nr));
    return fine;
}

void add_inject(Command& lab) {
    Command command =
        lab.add("inject", "a test of ktwin (kt_lab=1): makes the twin wrong; ktwin mirror resync undoes it");
    command.run([] { return usage_error("lab inject: drop, add, swap, skip or nomem?"); });
    for (const Injection& injection : injections) {
        Command kind = command.add(std::string(injection.name), std::string(injection.help));
        auto options = std::make_shared<InjectOptions>();
        kind.number("nr", options->nr, true, "a pid, or a count");
        kind.ns(options->ns);
        kind.run([=, &injection, &device = kind.device()] {
            return with_device(device, [&](Device& open) { return inject(open, injection, *options); });
        });
    }
}

struct CompareOptions {
    CompareRequest request = {.seed = 1, .operations = 100000, .pid_max = 32768, .levels = 3};
    bool json = false;
};

int compare(Device& device, const CompareOptions& options) {
    const CompareRequest& request = options.request;
    const Result<CompareResult> result = device.compare(request);
    if (!result) {
        return report(result.error());
    }
    if (options.json) {
        emit_line(dump(Json{{"operations", request.operations},
                            {"levels", request.levels},
                            {"pid_max", request.pid_max},
                            {"seed", request.seed},
                            {"compared", result->compared},
                            {"differences", result->differences},
                            {"exhausted", result->exhausted},
                            {"wraps", result->wraps}}));
    } else {
        emit_line(fmt::format(
            "compare: {} at {} below pid_max {}, seed {}: {} compared, {}, exhausted {}, wrapped {}",
            counted(request.operations, "operation"), counted(request.levels, "level"), request.pid_max,
            request.seed, counted(result->compared, "result"), counted(result->differences, "difference"),
            counted(result->exhausted, "time"), counted(result->wraps, "time")));
    }
    return result->differences || !result->compared ? different : fine;
}

void add_compare(Command& lab) {
    Command command = lab.add(
        "compare",
        "a test of ktwin (kt_lab=1): the twin's allocator against the kernel's idr, same random calls");
    auto options = std::make_shared<CompareOptions>();
    command.json(options->json);
    command.option("--ops", "N", options->request.operations, "calls (100000)");
    command.option("--levels", "N", options->request.levels, "nested namespaces driven together (3)");
    command.option("--pid-max", "N", options->request.pid_max, "numbers below it (32768)");
    command.option("--seed", "N", options->request.seed, "of the random calls (1)");
    command.run([=, &device = command.device()] {
        return with_device(device, [&](Device& open) { return compare(open, *options); });
    });
}

}  // namespace

void add_lab(Command& ktwin) {
    Command lab = ktwin.add("lab", "private PID worlds to try things in, on ktwin's allocator and on others");
    lab.run([] { return usage_error("lab: run, show, demo, backends, inject or compare?"); });
    add_lab_world(lab);
    add_inject(lab);
    add_compare(lab);
}

}  // namespace ktwin::cli
