// SPDX-License-Identifier: GPL-2.0-only
// ktwin lab demo: worked examples, in the language of ktwin lab run. Each has a lab of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ktwin::cli {

struct Chapter {
    std::string_view title;
    uint32_t needs;  // KTWIN_LAB_HAS_*
    uint32_t pids;   // most at a time; 0: as many as usual
    std::string_view script;
};

std::span<const Chapter> chapters();

}  // namespace ktwin::cli
