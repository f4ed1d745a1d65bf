// SPDX-License-Identifier: GPL-2.0-only
// A lab as a picture without script: namespaces as boxes in boxes, the tree of their numbers, the pools.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "command.h"
#include "lab_view.h"
#include "lib/names.h"

namespace ktwin::cli {
namespace {

constexpr double width = 1100;
constexpr double margin = 20;
constexpr double line = 18;
constexpr double slot = 11;
constexpr double row_height = 14;
constexpr double rows_left = 250;
constexpr double root_left = margin;
constexpr double root_slot = 7;
constexpr double block_left = 110;
constexpr double block_width = 80;
constexpr uint32_t block_numbers = 65536;  // below a slot of the root of ktwin's tree
constexpr size_t most_boxes = 64;
constexpr size_t most_rows = 48;

constexpr std::string_view used_fill = "#35618f";
constexpr std::string_view free_fill = "#eef1f4";
constexpr std::string_view ready_fill = "#a9c3dd";

// All that is written is of this program's own making: numbers, and words without markup.
class Drawing {
  public:
    explicit Drawing(const LabView& view) : view_(view) {}

    std::string draw() {
        heading("namespaces: numbers in use of those there are");
        boxes();
        for (const LabIds& ids : view_.ids) {
            tree(ids);
        }
        pools();
        return head() + body_ + "</svg>\n";
    }

  private:
    std::string title() const {
        return fmt::format("ktwin lab, {}: {}, {}, {}", lab_backend_name(view_.stats.backend),
                           counted(view_.stats.namespaces, "namespace"), counted(view_.stats.pids, "pid"),
                           counted(view_.stats.tasks, "task"));
    }

    std::string head() const {
        return fmt::format(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
            "font-family=\"sans-serif\" font-size=\"11\">\n"
            "<title>{2}</title>\n"
            "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n"
            "<text x=\"{3}\" y=\"22\" font-size=\"14\">{2}</text>\n",
            width, y_ + margin, title(), margin);
    }

    void rect(double x, double y, double wide, double high, std::string_view look,
              std::string_view about = "") {
        body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}", x, y,
                             wide, high, look);
        body_ += about.empty() ? "/>\n" : fmt::format("><title>{}</title></rect>\n", about);
    }

    void text(double x, double y, std::string_view words, std::string_view look = "") {
        body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}{}>{}</text>\n", x, y, look.empty() ? "" : " ",
                             look, words);
    }

    // Whatever is there is seen.
    static double visible(double wide, uint64_t count) { return count ? std::max(wide, 1.0) : 0; }

    void stroke(double x1, double y1, double x2, double y2) {
        body_ += fmt::format(
            "<path d=\"M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\" fill=\"none\" "
            "stroke=\"#889\"/>\n",
            x1, y1, x1 + 20, y1, x2 - 20, y2, x2, y2);
    }

    void heading(std::string_view words) {
        y_ += 10;
        text(margin, y_ + 14, words, "font-size=\"12\" font-weight=\"bold\"");
        y_ += 22;
    }

    // --- namespaces

    // They come parents first; who comes after all below it, by the level.
    void boxes() {
        std::vector<std::vector<size_t>> children(view_.namespaces.size());
        std::vector<size_t> roots;
        for (size_t i = 0; i < view_.namespaces.size(); i++) {
            const auto parent =
                std::find_if(view_.namespaces.begin(), view_.namespaces.begin() + static_cast<long>(i),
                             [&](const LabNs& ns) { return view_.namespaces[i].parent == ns.ns; });
            const auto at = static_cast<size_t>(parent - view_.namespaces.begin());
            (at < i ? children[at] : roots).push_back(i);
        }
        for (const size_t root : roots) {
            box(children, root, 0);
        }
        if (view_.namespaces.size() > most_boxes) {
            text(margin, y_ + 12, fmt::format("and {} more", view_.namespaces.size() - most_boxes));
            y_ += line;
        }
        if (view_.namespaces.empty()) {
            text(margin, y_ + 12, "of this backend there is no more to be seen");
            y_ += line;
        }
    }

    // The box around those below it is known when they are drawn, but has to be behind them.
    void box(const std::vector<std::vector<size_t>>& children, size_t i, size_t depth) {
        if (boxes_++ >= most_boxes) {
            return;
        }
        const LabNs& ns = view_.namespaces[i];
        const double indent = margin + static_cast<double>(depth) * 12;
        const double top = y_;
        std::string before = std::move(body_);
        body_.clear();
        y_ += 24;
        for (const size_t child : children[i]) {
            box(children, child, depth + 1);
        }
        const std::string inside = std::move(body_);
        body_ = std::move(before);
        const double wide = width - 2 * indent;
        rect(indent, top, wide, y_ - top,
             ns.dying ? "fill=\"#f6e3e3\" stroke=\"#a33\"" : "fill=\"#f7f9fb\" stroke=\"#456\"");
        std::string words =
            fmt::format("namespace {}: {} of {}", ns.ns, ns.count, ns.pid_max ? ns.pid_max - 1 : 0);
        words += ns.cursor ? fmt::format(", cursor {}", *ns.cursor) : "";
        words += ns.dying ? ", dying" : "";
        text(indent + 8, top + 15, words);
        constexpr double bar = 200;
        const double share =
            ns.pid_max > 1 ? std::min(1.0, static_cast<double>(ns.count) / (ns.pid_max - 1)) : 0;
        rect(indent + wide - bar - 8, top + 7, bar, 9, fmt::format("fill=\"{}\"", free_fill));
        rect(indent + wide - bar - 8, top + 7, visible(bar * share, ns.count), 9,
             fmt::format("fill=\"{}\"", used_fill));
        body_ += inside;
        y_ += 6;
    }

    // --- numbers

    void tree(const LabIds& ids) {
        const Grid grid = make_grid(ids, most_rows);
        const LabNs& ns = ids.ns;
        std::string words = fmt::format("namespace {}: {} in use", ns.ns, counted(ns.count, "number"));
        words += hole_text(ns);
        words += grid.per_cell > 1 ? fmt::format("; a cell is {}", counted(grid.per_cell, "number")) : "";
        heading(words);
        const double top = y_;
        for (const GridRow& row : grid.rows) {
            draw_row(ids, grid, row);
            y_ += row_height;
        }
        const bool ours = view_.stats.backend == KTWIN_LAB_TWIN || view_.stats.backend == KTWIN_LAB_BLOCKS;
        if (ours) {
            branches(ids, grid, top);
        }
        y_ = std::max(y_, top + (ours ? 8 * (root_slot + 1) : 0)) + 6;
    }

    void draw_row(const LabIds& ids, const Grid& grid, const GridRow& row) {
        const double wide = grid_columns * slot;
        text(rows_left - 6, y_ + 10, std::to_string(row.first), "text-anchor=\"end\" fill=\"#555\"");
        if (row.kind != RowKind::cells) {
            const bool full = row.kind == RowKind::full;
            rect(rows_left, y_ + 1, wide, row_height - 3,
                 fmt::format("fill=\"{}\"", full ? used_fill : free_fill));
            text(rows_left + wide / 2, y_ + 10,
                 fmt::format("{} {}", ids.numbers(row.first, row.count), full ? "used" : "free"),
                 full ? "text-anchor=\"middle\" fill=\"#fff\"" : "text-anchor=\"middle\" fill=\"#555\"");
        } else {
            for (uint32_t i = 0; i < grid_columns; i++) {
                draw_cell(ids, grid, row.first + i * grid.per_cell, rows_left + i * slot);
            }
            text(rows_left + wide + 8, y_ + 10, std::to_string(ids.used(row.first, row.count)),
                 "fill=\"#555\"");
        }
        mark_cursor(ids, grid, row);
    }

    void draw_cell(const LabIds& ids, const Grid& grid, uint32_t first, double x) {
        const uint32_t numbers = ids.numbers(first, grid.per_cell);
        if (!numbers) {
            return;
        }
        const uint32_t used = ids.used(first, grid.per_cell);
        const std::string look =
            !used || used == numbers
                ? fmt::format("fill=\"{}\"", used ? used_fill : free_fill)
                : fmt::format("fill=\"{}\" fill-opacity=\"{:.2f}\"", used_fill, 0.2 + 0.7 * used / numbers);
        rect(x + 0.5, y_ + 1, slot - 1, row_height - 3, look,
             grid.per_cell == 1
                 ? std::to_string(first)
                 : fmt::format("{}-{}: {} of {}", first, first + grid.per_cell - 1, used, numbers));
    }

    void mark_cursor(const LabIds& ids, const Grid& grid, const GridRow& row) {
        if (!ids.ns.cursor || *ids.ns.cursor < row.first || *ids.ns.cursor - row.first >= row.count) {
            return;
        }
        const double share =
            static_cast<double>((*ids.ns.cursor - row.first) / grid.per_cell * grid.per_cell) / row.count;
        rect(rows_left + share * grid_columns * slot, y_, slot, row_height - 1,
             "fill=\"none\" stroke=\"#d80\" stroke-width=\"2\"",
             fmt::format("cursor {}: the next search begins here", *ids.ns.cursor));
    }

    // The root with its 64 slots, the directories that are there, and the rows that hang below them.
    void branches(const LabIds& ids, const Grid& grid, double top) {
        std::set<uint32_t> blocks;
        for (const LabLeaf& leaf : ids.leaves) {
            blocks.insert(leaf.first / block_numbers);
        }
        const double middle = (top + y_) / 2;
        const double root_top = std::max(top, middle - 4 * (root_slot + 1));
        for (uint32_t i = 0; i < 64; i++) {
            rect(root_left + i % 8 * (root_slot + 1), root_top + i / 8 * (root_slot + 1), root_slot,
                 root_slot, fmt::format("fill=\"{}\"", blocks.contains(i) ? used_fill : free_fill),
                 fmt::format("{} to {}", i * block_numbers, (i + 1) * block_numbers - 1));
        }
        double last = top - row_height;
        for (const uint32_t block : blocks) {
            // Beside the first of its rows, below the box before.
            const double y = std::max(row_of(grid, top, block * block_numbers), last + row_height);
            last = y;
            rect(
                block_left, y + 1, block_width, row_height - 2, "fill=\"#fff\" stroke=\"#456\"",
                fmt::format("directory of {} to {}", block * block_numbers, (block + 1) * block_numbers - 1));
            text(block_left + 4, y + 11, fmt::format("from {}", block * block_numbers));
            stroke(root_left + 8 * (root_slot + 1), root_top + 4 * (root_slot + 1), block_left,
                   y + row_height / 2);
        }
        for (size_t i = 0; i < grid.rows.size() && !blocks.empty() && last + row_height <= y_; i++) {
            const GridRow& row = grid.rows[i];
            const uint32_t block = row.first / block_numbers;
            if (row.kind != RowKind::free && blocks.contains(block) && row.count <= block_numbers &&
                ids.used(row.first, row.count)) {
                stroke(block_left + block_width, row_of(grid, top, block * block_numbers) + row_height / 2,
                       rows_left - 42, top + static_cast<double>(i) * row_height + row_height / 2);
            }
        }
    }

    // Where the row stands in which the number is.
    static double row_of(const Grid& grid, double top, uint32_t number) {
        const auto behind = std::ranges::upper_bound(grid.rows, number, {}, &GridRow::first);
        return top + static_cast<double>(std::max<long>(behind - grid.rows.begin() - 1, 0)) * row_height;
    }

    // --- pools

    void pools() {
        heading("pools: in use, ready, and room up to the limit");
        const LabStats& stats = view_.stats;
        pool("pids", stats.pid_pool);
        pool("nodes", stats.node_pool);
        pool("namespaces", stats.ns_pool);
        pool("tasks", stats.task_pool);
        bar("bytes", stats.bytes, 0, stats.bytes_limit);
    }

    void pool(std::string_view name, const Pool& pool) {
        const uint32_t ready = std::min(pool.ready, pool.total);
        bar(name, pool.total - ready, ready, pool.limit);
    }

    void bar(std::string_view name, uint64_t used, uint64_t ready, uint64_t limit) {
        constexpr double long_bar = grid_columns * slot;
        const auto part = [&](uint64_t count) {
            return limit ? std::min(1.0, static_cast<double>(count) / static_cast<double>(limit)) * long_bar
                         : 0;
        };
        const double full = visible(part(used), used);
        const double behind = std::min(visible(part(ready), ready), long_bar - full);
        text(rows_left - 6, y_ + 10, name, "text-anchor=\"end\" fill=\"#555\"");
        rect(rows_left, y_ + 1, long_bar, row_height - 3, fmt::format("fill=\"{}\"", free_fill));
        rect(rows_left, y_ + 1, full, row_height - 3, fmt::format("fill=\"{}\"", used_fill));
        rect(rows_left + full, y_ + 1, behind, row_height - 3, fmt::format("fill=\"{}\"", ready_fill));
        text(rows_left + long_bar + 8, y_ + 10,
             ready ? fmt::format("{} + {} of {}", used, ready, limit) : fmt::format("{} of {}", used, limit),
             "fill=\"#555\"");
        y_ += line;
    }

    const LabView& view_;
    std::string body_;
    double y_ = 30;
    size_t boxes_ = 0;
};

}  // namespace

std::string lab_svg(const LabView& view) {
    return Drawing(view).draw();
}

}  // namespace ktwin::cli
