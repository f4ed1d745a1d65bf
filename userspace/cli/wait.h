// SPDX-License-Identifier: GPL-2.0-only
// The three questions of ktwin wait: who sleeps behind a file, what a task sleeps on, who waits for whom.
#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace ktwin::cli {

struct WaitOptions {
    std::string device;
    Format format;
    uint32_t ns = 0;
    int32_t task = 0;
    bool graph = false;
    bool watch = false;
    double interval = 1;
    uint32_t count = 0;  // lines; 0: no end
    std::string proc = "/proc";
    std::vector<std::string> targets;
};

// "812" or "812:5".
struct Target {
    int32_t pid;
    std::optional<int32_t> fd;
};
std::optional<Target> parse_target(std::string_view text);

// As report(), but to know no layout is a failure here: nothing was looked at.
int report_wait(const Error& error);

int wait_file(const WaitOptions& options, const Target& target);
int wait_watch(const WaitOptions& options, const Target& target);
int wait_task(const WaitOptions& options);
int wait_graph(const WaitOptions& options, const std::vector<int32_t>& pids);

}  // namespace ktwin::cli
