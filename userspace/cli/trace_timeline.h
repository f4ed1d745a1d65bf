// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>

namespace ktwin::cli {

struct TimelineOptions {
    double seconds = 0;
    uint32_t capacity = 0;  // of each CPU's ring; 0: the kernel's choice
    // Where to; empty: not at all. "-": standard output.
    std::string trace;
    std::string picture;
};

// ktwin trace --seconds N -o FILE: what the CPUs did in that time. The exit status.
int record_timeline(const TimelineOptions& options, const std::string& device);

}  // namespace ktwin::cli
