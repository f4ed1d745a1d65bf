// SPDX-License-Identifier: GPL-2.0-only
#include "lab_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "command.h"
#include "lib/names.h"
#include "tree.h"

namespace ktwin::cli {
namespace {

constexpr uint32_t bar_width = 32;

// By how much of a cell is used: nothing, some, more, most, all. The last two: where the next search begins, and there
// is something.
struct Shades {
    std::string_view cells[5];
    std::string_view cursor;
    std::string_view cursor_used;
    std::string_view dots;
};

constexpr Shades blocks = {{"·", "░", "▒", "▓", "█"}, ">", "»", "…"};
constexpr Shades ascii = {{".", "-", "+", "*", "#"}, ">", "@", "..."};

const Shades& shades(bool utf8) {
    return utf8 ? blocks : ascii;
}

// Of the four steps from nothing to all, the ends for those alone.
size_t shade(uint32_t used, uint32_t numbers) {
    return used == 0 ? 0 : used >= numbers ? 4 : 1 + uint64_t{used} * 3 / (numbers + 1);
}

bool holds(const LabIds& ids, uint32_t first, uint32_t count) {
    return ids.ns.cursor && *ids.ns.cursor >= first && *ids.ns.cursor - first < count;
}

std::string cell(const LabIds& ids, const Grid& grid, uint32_t first, const Shades& look) {
    const uint32_t numbers = ids.numbers(first, grid.per_cell);
    const uint32_t used = ids.used(first, grid.per_cell);
    if (grid.per_cell == 1 && holds(ids, first, 1)) {
        return std::string(used ? look.cursor_used : look.cursor);
    }
    return std::string(numbers ? look.cells[shade(used, numbers)] : " ");
}

std::string row_text(const LabIds& ids, const Grid& grid, const GridRow& row, const Shades& look) {
    std::string text;
    const bool cells = row.kind == RowKind::cells;
    if (cells) {
        for (uint32_t i = 0; i < grid_columns; i++) {
            text += cell(ids, grid, row.first + i * grid.per_cell, look);
        }
        text += fmt::format(" {}", ids.used(row.first, row.count));
    } else {
        text = fmt::format("{} {} {}", look.dots, ids.numbers(row.first, row.count),
                           row.kind == RowKind::free ? "free" : "used");
    }
    if (holds(ids, row.first, row.count) && (!cells || grid.per_cell > 1)) {
        text += fmt::format(" {} {}", look.cursor, *ids.ns.cursor);
    }
    return text;
}

uint32_t in_use(const Pool& pool) {
    return pool.total - std::min(pool.ready, pool.total);
}

// Whatever is there is seen; nothing is drawn beyond the limit.
std::string bar(uint64_t used, uint64_t ready, uint64_t limit, const Shades& look) {
    if (!limit) {
        return "-";
    }
    const auto part = [&](uint64_t count, uint32_t room) {
        const auto cells =
            static_cast<uint64_t>(static_cast<double>(count) / static_cast<double>(limit) * bar_width);
        return static_cast<uint32_t>(std::min<uint64_t>(std::max<uint64_t>(cells, count != 0), room));
    };
    const uint32_t full = part(used, bar_width);
    const uint32_t waiting = part(ready, bar_width - full);
    std::string text = "[";
    for (uint32_t i = 0; i < bar_width; i++) {
        text += look.cells[i < full ? 4 : i < full + waiting ? 2 : 0];
    }
    return text + "]";
}

std::string memory_text(uint64_t bytes) {
    return bytes < 1048576 ? fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024)
                           : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / 1048576);
}

Json pool_json(const Pool& pool) {
    return {{"in_use", in_use(pool)}, {"ready", pool.ready}, {"limit", pool.limit},
            {"low", pool.low},        {"empty", pool.empty}, {"failed", pool.failed}};
}

struct NamedPool {
    std::string_view name;
    Pool LabStats::*pool;
};

constexpr NamedPool pools[] = {
    {"pid", &LabStats::pid_pool},
    {"node", &LabStats::node_pool},
    {"ns", &LabStats::ns_pool},
    {"task", &LabStats::task_pool},
};

}  // namespace

std::string lab_namespaces_text(const std::vector<LabNs>& namespaces, bool utf8) {
    std::vector<TreeNode> nodes;
    for (const LabNs& ns : namespaces) {
        nodes.push_back({ns.ns, ns.parent});
    }
    Table table({{"NS", Align::left},
                 {"LEVEL", Align::right},
                 {"COUNT", Align::right},
                 {"CURSOR", Align::right},
                 {"PID_MAX", Align::right},
                 {"HOLE", Align::right},
                 {"DYING", Align::left}});
    for (const Branch& branch : draw_tree(nodes, utf8)) {
        const LabNs& ns = namespaces[branch.index];
        table.add({branch.prefix + std::to_string(ns.ns), std::to_string(ns.level), std::to_string(ns.count),
                   cell_text(json_of(ns.cursor)), std::to_string(ns.pid_max),
                   ns.hole_length ? fmt::format("{}+{}", ns.hole_start, ns.hole_length) : "-",
                   cell_text(Json(ns.dying))});
    }
    return table.str({});
}

std::string lab_ids_text(const LabIds& ids, bool utf8, size_t most_rows) {
    const LabNs& ns = ids.ns;
    const Grid grid = make_grid(ids, most_rows);
    std::string text = fmt::format("namespace {}: {} of {} in use", ns.ns, ns.count,
                                   counted(ns.pid_max ? ns.pid_max - 1 : 0, "number"));
    if (ns.cursor) {
        text += fmt::format(", cursor {}", *ns.cursor);
    }
    text += hole_text(ns);
    if (grid.per_cell > 1) {
        text += fmt::format("; a cell is {}", counted(grid.per_cell, "number"));
    }
    text += ns.dying ? "; dying\n" : "\n";
    const size_t width = std::to_string(grid.rows.empty() ? 0 : grid.rows.back().first).size();
    for (const GridRow& row : grid.rows) {
        std::string line =
            fmt::format("{:>{}} {}", row.first, width + 2, row_text(ids, grid, row, shades(utf8)));
        text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string lab_pools_text(const LabStats& stats, bool utf8) {
    const Shades& look = shades(utf8);
    Table table({{"POOL", Align::left},
                 {"IN_USE", Align::right},
                 {"READY", Align::right},
                 {"LIMIT", Align::right},
                 {"", Align::left}});
    for (const auto& [name, member] : pools) {
        const Pool& pool = stats.*member;
        table.add({std::string(name), std::to_string(in_use(pool)), std::to_string(pool.ready),
                   std::to_string(pool.limit), bar(in_use(pool), pool.ready, pool.limit, look)});
    }
    table.add({"memory", memory_text(stats.bytes), "", memory_text(stats.bytes_limit),
               bar(stats.bytes, 0, stats.bytes_limit, look)});
    return table.str({});
}

std::string lab_verdict_text(const LabStats& stats) {
    switch (stats.verdict) {
        case KTWIN_LAB_ROOM:
            return "room: nobody was refused";
        case KTWIN_LAB_ESTIMATE:
            return "estimate: tasks use most of the pids, so the limit is too low for this work";
        case KTWIN_LAB_LEAK:
            return fmt::format(
                "leak: no task uses {}, of which {} were made in namespace {}: nobody freed them",
                counted(stats.unused, "pid"), stats.held, stats.holder);
        default:
            return lab_verdict_name(stats.verdict);
    }
}

std::string lab_stats_text(const LabStats& stats) {
    std::string text;
    const auto line = [&](std::string_view name, const std::string& value) {
        text += fmt::format("{:<12}{}\n", name, value);
    };
    line("backend",
         fmt::format("{}: {}", lab_backend_name(stats.backend), lab_backend_sentence(stats.backend)));
    line("has", join(lab_has_names(stats.has), ", "));
    line("holds",
         fmt::format("{} with {}, {}, {}", counted(stats.pids, "pid"), counted(stats.numbers, "number"),
                     counted(stats.namespaces, "namespace"), counted(stats.tasks, "task")));
    line("limits", fmt::format("{}, {}, {}, pid_max {}", counted(stats.pids_limit, "pid"),
                               counted(stats.namespaces_limit, "namespace"),
                               counted(stats.tasks_limit, "task"), stats.limit));
    line("did", fmt::format("{}, {}", counted(stats.allocs, "allocation"), counted(stats.frees, "free")));
    line("refused", fmt::format("{} no number, {} no memory or a limit, {} taken", stats.no_number,
                                stats.no_memory, stats.taken));
    line("memory", fmt::format("{}, {} at most, of {}", memory_text(stats.bytes),
                               memory_text(stats.bytes_most), memory_text(stats.bytes_limit)));
    line("given back", fmt::format("{} under memory pressure", counted(stats.shrunk, "object")));
    line("verdict", lab_verdict_text(stats));
    return text;
}

std::string lab_view_text(const LabView& view, bool utf8) {
    const Shades& look = shades(utf8);
    std::string text;
    if (view.namespaces.empty()) {
        text += fmt::format("the {} shows no more than its pools\n", lab_backend_name(view.stats.backend));
    } else {
        text += lab_namespaces_text(view.namespaces, utf8);
    }
    for (const LabIds& ids : view.ids) {
        text += "\n" + lab_ids_text(ids, utf8);
    }
    if (!view.ids.empty()) {
        text += fmt::format("  {} used {} free {} where the next search begins ({}: and it is used)\n",
                            look.cells[4], look.cells[0], look.cursor, look.cursor_used);
    }
    if (view.ids.size() < view.namespaces.size()) {
        text +=
            fmt::format("  of {} shown: {}\n", counted(view.namespaces.size(), "namespace"), view.ids.size());
    }
    return text + "\n" + lab_pools_text(view.stats, utf8);
}

Json lab_json(const LabNs& ns) {
    return {
        {"ns", ns.ns},
        {"parent", json_of(ns.parent)},
        {"level", ns.level},
        {"dying", ns.dying},
        {"count", ns.count},
        {"pid_max", ns.pid_max},
        {"cursor", json_of(ns.cursor)},
        {"children", ns.children},
        {"hole", ns.hole_length ? Json{{"start", ns.hole_start}, {"length", ns.hole_length}} : Json(nullptr)},
    };
}

Json lab_json(const std::vector<LabRange>& ranges) {
    Json array = Json::array();
    for (const LabRange& range : ranges) {
        array.push_back(Json::array({range.first, range.last}));
    }
    return array;
}

Json lab_json(const LabStats& stats) {
    Json of_pools = Json::object();
    for (const auto& [name, member] : pools) {
        of_pools[std::string(name)] = pool_json(stats.*member);
    }
    return {
        {"backend", lab_backend_name(stats.backend)},
        {"has", lab_has_names(stats.has)},
        {"pids", stats.pids},
        {"numbers", stats.numbers},
        {"namespaces", stats.namespaces},
        {"tasks", stats.tasks},
        {"limits",
         {{"pid_max", stats.limit},
          {"pids", stats.pids_limit},
          {"namespaces", stats.namespaces_limit},
          {"tasks", stats.tasks_limit},
          {"bytes", stats.bytes_limit}}},
        {"bytes", stats.bytes},
        {"bytes_most", stats.bytes_most},
        {"allocs", stats.allocs},
        {"frees", stats.frees},
        {"no_number", stats.no_number},
        {"no_memory", stats.no_memory},
        {"taken", stats.taken},
        {"shrunk", stats.shrunk},
        {"pools", of_pools},
        {"verdict", lab_verdict_name(stats.verdict)},
        {"unused", stats.unused},
        {"holder", stats.held ? Json(stats.holder) : Json(nullptr)},
        {"held", stats.held},
    };
}

Json lab_json(const LabView& view) {
    Json namespaces = Json::array();
    for (const LabNs& ns : view.namespaces) {
        namespaces.push_back(lab_json(ns));
    }
    Json ids = Json::array();
    for (const LabIds& one : view.ids) {
        ids.push_back({{"ns", one.ns.ns}, {"used", lab_json(used_ranges(one.leaves))}});
    }
    return {{"namespaces", namespaces}, {"ids", ids}, {"stats", lab_json(view.stats)}};
}

}  // namespace ktwin::cli
