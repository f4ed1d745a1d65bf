// SPDX-License-Identifier: GPL-2.0-only
// A command's columns: a table of them is all it takes for -o, --output-all, --list-columns, raw, JSON and
// completion.
#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table.h"

namespace ktwin::cli {

using Json = nlohmann::ordered_json;

template <class Record>
struct Column {
    std::string_view name;
    Align align;
    bool standard;  // shown when -o was not given
    std::string_view help;
    Json (*value)(const Record&);
    size_t width = 0;  // for streams
};

// What a table shows for a value: "-" for null, yes and no, lists with commas.
std::string cell_text(const Json& value);

// Strings of other processes may hold any bytes; those that are not UTF-8 are replaced.
std::string dump(const Json& value);

// An optional as a number or null.
template <class T>
Json json_of(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

// The positions meant by "COL,COL" or "+COL,COL" among names; the error is a sentence.
std::expected<std::vector<size_t>, std::string> select_columns(std::string_view request,
                                                               std::span<const std::string_view> names,
                                                               const std::vector<size_t>& standard);

std::string lower(std::string_view name);

// The columns of one command that were asked for, in the order asked for.
template <class Record>
class Selection {
  public:
    static std::expected<Selection, std::string> make(std::span<const Column<Record>> all,
                                                      std::string_view request, bool everything) {
        std::vector<std::string_view> names;
        std::vector<size_t> standard;
        for (size_t i = 0; i < all.size(); i++) {
            names.push_back(all[i].name);
            if (all[i].standard || everything) {
                standard.push_back(i);
            }
        }
        const auto chosen = select_columns(request, names, standard);
        if (!chosen) {
            return std::unexpected(chosen.error());
        }
        Selection selection;
        for (const size_t i : *chosen) {
            selection.columns_.push_back(&all[i]);
        }
        return selection;
    }

    std::vector<Heading> headings() const {
        std::vector<Heading> headings;
        for (const auto* column : columns_) {
            headings.push_back({column->name, column->align, std::max(column->width, column->name.size())});
        }
        return headings;
    }

    std::vector<std::string> cells(const Record& record) const {
        std::vector<std::string> cells;
        for (const auto* column : columns_) {
            cells.push_back(cell_text(column->value(record)));
        }
        return cells;
    }

    // Keys are the columns' names in lower case, as in util-linux.
    Json object(const Record& record) const {
        Json object = Json::object();
        for (const auto* column : columns_) {
            object[lower(column->name)] = column->value(record);
        }
        return object;
    }

    // Where a column stands, or the number of columns.
    size_t find(std::string_view name) const {
        const auto at = std::ranges::find(columns_, name, [](const auto* column) { return column->name; });
        return static_cast<size_t>(at - columns_.begin());
    }

    size_t size() const { return columns_.size(); }

  private:
    std::vector<const Column<Record>*> columns_;
};

}  // namespace ktwin::cli
