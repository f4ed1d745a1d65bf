// SPDX-License-Identifier: GPL-2.0-only
#include "lab_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace ktwin::cli {
namespace {

constexpr uint32_t leaf_numbers = 64;
// So many rows of one kind are rather said than shown.
constexpr uint32_t dull_rows = 2;

// Bits from to to - 1 of a leaf.
uint64_t bits(uint32_t from, uint32_t to) {
    const uint64_t below = to >= leaf_numbers ? ~uint64_t{0} : (uint64_t{1} << to) - 1;
    return below & (~uint64_t{0} << from);
}

RowKind kind_of(const LabIds& ids, uint32_t first, uint32_t count) {
    const uint32_t used = ids.used(first, count);
    return used == 0 ? RowKind::free : used == ids.numbers(first, count) ? RowKind::full : RowKind::cells;
}

std::vector<GridRow> make_rows(const LabIds& ids, uint32_t row_numbers, size_t most_rows) {
    std::vector<GridRow> rows;
    const uint32_t end = ids.end();
    for (uint32_t first = 0; first < end && rows.size() <= most_rows;) {
        const RowKind kind = kind_of(ids, first, row_numbers);
        uint32_t next = first + row_numbers;
        while (kind != RowKind::cells && next < end && kind_of(ids, next, row_numbers) == kind) {
            next += row_numbers;
        }
        // A dull one among others says more in cells.
        if ((next - first) / row_numbers >= dull_rows) {
            rows.push_back({kind, first, next - first});
        } else {
            rows.push_back({RowKind::cells, first, row_numbers});
        }
        first = next;
    }
    return rows;
}

}  // namespace

uint32_t LabIds::end() const {
    const uint32_t last = leaves.empty() || !leaves.back().used
                              ? 0
                              : leaves.back().first + leaf_numbers -
                                    static_cast<uint32_t>(std::countl_zero(leaves.back().used));
    return std::max(ns.pid_max, last);
}

uint32_t LabIds::used(uint32_t first, uint32_t count) const {
    const uint64_t behind = uint64_t{first} + count;
    uint32_t sum = 0;
    auto leaf = std::ranges::upper_bound(leaves, first, {}, &LabLeaf::first);
    if (leaf != leaves.begin()) {
        --leaf;
    }
    for (; leaf != leaves.end() && leaf->first < behind; ++leaf) {
        const uint32_t from = first > leaf->first ? first - leaf->first : 0;
        if (from < leaf_numbers) {
            const auto to = static_cast<uint32_t>(std::min<uint64_t>(behind - leaf->first, leaf_numbers));
            sum += static_cast<uint32_t>(std::popcount(leaf->used & bits(from, to)));
        }
    }
    return sum;
}

uint32_t LabIds::numbers(uint32_t first, uint32_t count) const {
    const uint64_t from = std::max<uint64_t>(first, 1);
    const uint64_t to = std::min<uint64_t>(uint64_t{first} + count, end());
    return to > from ? static_cast<uint32_t>(to - from) : 0;
}

std::string hole_text(const LabNs& ns) {
    if (ns.hole_length) {
        return fmt::format(", largest hole {}+{}", ns.hole_start, ns.hole_length);
    }
    return ns.count + 1 >= ns.pid_max ? ", no hole" : "";
}

std::vector<LabRange> used_ranges(const std::vector<LabLeaf>& leaves) {
    std::vector<LabRange> ranges;
    for (const LabLeaf& leaf : leaves) {
        for (uint64_t rest = leaf.used; rest;) {
            const auto from = static_cast<uint32_t>(std::countr_zero(rest));
            const auto length = static_cast<uint32_t>(std::countr_one(rest >> from));
            const uint32_t first = leaf.first + from;
            if (!ranges.empty() && ranges.back().last + 1 == first) {
                ranges.back().last = first + length - 1;
            } else {
                ranges.push_back({first, first + length - 1});
            }
            rest &= ~bits(from, from + length);
        }
    }
    return ranges;
}

std::string ranges_text(const std::vector<LabRange>& ranges) {
    std::string text;
    for (const LabRange& range : ranges) {
        text += text.empty() ? "" : ",";
        text += range.first == range.last ? fmt::format("{}", range.first)
                                          : fmt::format("{}-{}", range.first, range.last);
    }
    return text.empty() ? "-" : text;
}

Grid make_grid(const LabIds& ids, size_t most_rows) {
    Grid grid = {.per_cell = 1, .rows = {}};
    grid.rows = make_rows(ids, grid_columns, most_rows);
    while (grid.rows.size() > most_rows) {
        grid.per_cell *= 2;
        grid.rows = make_rows(ids, grid_columns * grid.per_cell, most_rows);
    }
    return grid;
}

}  // namespace ktwin::cli
