// SPDX-License-Identifier: GPL-2.0-only
// The numbers of a namespace as rows of 64 cells, in so few rows that they can be looked at. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/lab_records.h"

namespace ktwin::cli {

inline constexpr uint32_t grid_columns = 64;

// The content of a namespace.
struct LabIds {
    LabNs ns;
    std::vector<LabLeaf> leaves;

    // One more than the last number to be shown: pid_max, or more where some were left above it.
    uint32_t end() const;
    // Of first to first + count - 1.
    uint32_t used(uint32_t first, uint32_t count) const;
    // How many of these are numbers that there can be.
    uint32_t numbers(uint32_t first, uint32_t count) const;
};

// ", largest hole 5+3"; a backend that keeps numbers alone does not tell.
std::string hole_text(const LabNs& ns);

// Numbers in use, from first to last.
struct LabRange {
    uint32_t first;
    uint32_t last;
};
std::vector<LabRange> used_ranges(const std::vector<LabLeaf>& leaves);
// "1-4,7"
std::string ranges_text(const std::vector<LabRange>& ranges);

enum class RowKind { cells, free, full };

struct GridRow {
    RowKind kind;
    uint32_t first;
    uint32_t count;  // grid_columns * per_cell, or of several rows that are all free, all full
};

struct Grid {
    uint32_t per_cell;  // numbers in a cell, a power of two
    std::vector<GridRow> rows;
};

// A cell for a number where the rows suffice, else for 2, 4, 8... Rows that are all free, or all full, stand together.
Grid make_grid(const LabIds& ids, size_t most_rows);

}  // namespace ktwin::cli
