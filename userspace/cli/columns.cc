// SPDX-License-Identifier: GPL-2.0-only
#include "columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

#include "lib/text.h"

namespace ktwin::cli {

std::string cell_text(const Json& value) {
    if (value.is_null()) {
        return "-";
    }
    if (value.is_boolean()) {
        return value.get<bool>() ? "yes" : "no";
    }
    if (value.is_string()) {
        const std::string text = printable(value.get_ref<const std::string&>());
        return text.empty() ? "-" : text;
    }
    if (value.is_array()) {
        std::string list;
        for (const Json& item : value) {
            list += list.empty() ? cell_text(item) : "," + cell_text(item);
        }
        return list.empty() ? "-" : list;
    }
    if (value.is_number_float()) {
        return fmt::format("{:.3f}", value.get<double>());
    }
    return value.dump();
}

std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string lower(std::string_view name) {
    std::string text(name);
    for (char& letter : text) {
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    return text;
}

std::expected<std::vector<size_t>, std::string> select_columns(std::string_view request,
                                                               std::span<const std::string_view> names,
                                                               const std::vector<size_t>& standard) {
    if (request.empty()) {
        return standard;
    }
    std::vector<size_t> chosen;
    if (request.front() == '+') {
        chosen = standard;
        request.remove_prefix(1);
    }
    for (bool more = true; more;) {
        const size_t comma = request.find(',');
        const std::string wanted = lower(request.substr(0, comma));
        const auto at =
            std::ranges::find_if(names, [&](std::string_view name) { return lower(name) == wanted; });
        if (at == names.end()) {
            return std::unexpected(fmt::format("unknown column '{}'; there are {}",
                                               printable(request.substr(0, comma)), fmt::join(names, ", ")));
        }
        chosen.push_back(static_cast<size_t>(at - names.begin()));
        more = comma != std::string_view::npos;
        request.remove_prefix(more ? comma + 1 : 0);
    }
    return chosen;
}

}  // namespace ktwin::cli
