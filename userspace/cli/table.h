// SPDX-License-Identifier: GPL-2.0-only
// Tables in the manner of util-linux: columns by name, aligned or raw.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ktwin::cli {

enum class Align { left, right };

struct Heading {
    std::string_view name;
    Align align;
    // What a column of a stream is made wide for, as no row can be looked at in advance.
    size_t width = 0;
};

struct TableStyle {
    bool raw = false;  // one blank between fields, blanks in them as \x20
    bool headings = true;
};

// Columns a text takes on the terminal.
size_t display_width(std::string_view text);

// Holds all rows, then prints them with the widths they need.
class Table {
  public:
    explicit Table(std::vector<Heading> headings) : headings_(std::move(headings)) {}
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const { return rows_.empty(); }
    std::string str(const TableStyle& style) const;

  private:
    std::vector<Heading> headings_;
    std::vector<std::vector<std::string>> rows_;
};

// One line, with the widths of the headings.
std::string table_line(const std::vector<Heading>& headings, const std::vector<std::string>& cells, bool raw);
std::string heading_line(const std::vector<Heading>& headings, bool raw);

}  // namespace ktwin::cli
