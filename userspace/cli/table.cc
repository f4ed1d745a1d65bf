// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <algorithm>

namespace ktwin::cli {
namespace {

std::string encode_blanks(std::string_view cell) {
    std::string text;
    for (const char letter : cell) {
        if (letter == ' ') {
            text += "\\x20";
        } else {
            text += letter;
        }
    }
    return text;
}

}  // namespace

size_t display_width(std::string_view text) {
    // A character is where a UTF-8 sequence begins.
    return std::ranges::count_if(text, [](char byte) { return (byte & 0xc0) != 0x80; });
}

std::string table_line(const std::vector<Heading>& headings, const std::vector<std::string>& cells,
                       bool raw) {
    std::string line;
    for (size_t i = 0; i < headings.size(); i++) {
        if (i) {
            line += ' ';
        }
        if (raw) {
            line += encode_blanks(cells[i]);
            continue;
        }
        const size_t width = display_width(cells[i]);
        const std::string fill(headings[i].width > width ? headings[i].width - width : 0, ' ');
        line += headings[i].align == Align::right ? fill + cells[i] : cells[i] + fill;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string heading_line(const std::vector<Heading>& headings, bool raw) {
    std::vector<std::string> names;
    for (const Heading& heading : headings) {
        names.emplace_back(heading.name);
    }
    return table_line(headings, names, raw);
}

std::string Table::str(const TableStyle& style) const {
    std::vector<Heading> headings = headings_;
    for (size_t i = 0; i < headings.size(); i++) {
        headings[i].width = std::max(headings[i].width, style.headings ? headings[i].name.size() : 0);
        for (const auto& row : rows_) {
            headings[i].width = std::max(headings[i].width, display_width(row[i]));
        }
    }
    std::string text;
    if (style.headings) {
        text += heading_line(headings, style.raw) + '\n';
    }
    for (const auto& row : rows_) {
        text += table_line(headings, row, style.raw) + '\n';
    }
    return text;
}

}  // namespace ktwin::cli
