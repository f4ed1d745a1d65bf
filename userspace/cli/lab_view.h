// SPDX-License-Identifier: GPL-2.0-only
// A lab to look at: its namespaces, the numbers in them, its pools. Pure.
#pragma once

#include <string>
#include <vector>

#include "columns.h"
#include "lab_grid.h"

namespace ktwin::cli {

struct LabView {
    LabStats stats;
    std::vector<LabNs> namespaces;
    std::vector<LabIds> ids;  // of those that are shown, not all perhaps
};

inline constexpr size_t lab_view_rows = 32;

std::string lab_namespaces_text(const std::vector<LabNs>& namespaces, bool utf8);
std::string lab_ids_text(const LabIds& ids, bool utf8, size_t most_rows = lab_view_rows);
std::string lab_pools_text(const LabStats& stats, bool utf8);
std::string lab_stats_text(const LabStats& stats);
std::string lab_view_text(const LabView& view, bool utf8);

Json lab_json(const LabNs& ns);
Json lab_json(const std::vector<LabRange>& ranges);
Json lab_json(const LabStats& stats);
Json lab_json(const LabView& view);

// "room"; for a pool that refused somebody, why in a sentence.
std::string lab_verdict_text(const LabStats& stats);

// lab_svg.cc: a picture by itself.
std::string lab_svg(const LabView& view);

}  // namespace ktwin::cli
