// SPDX-License-Identifier: GPL-2.0-only
#include "lab_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include "lib/text.h"

namespace ktwin::cli {
namespace {

constexpr int most_errno = 133;
constexpr std::string_view blanks = " \t\r\n\v\f";

// A # begins a comment where a word could begin.
std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> words;
    for (size_t at = text.find_first_not_of(blanks); at != std::string_view::npos && text[at] != '#';
         at = text.find_first_not_of(blanks, at)) {
        const size_t end = std::min(text.find_first_of(blanks, at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

bool is_name_letter(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_';
}

size_t name_length(std::string_view text) {
    return static_cast<size_t>(std::ranges::find_if_not(text, is_name_letter) - text.begin());
}

struct Option {
    std::string_view name;
    bool takes_value;
};

// What a usage allows.
struct Signature {
    size_t least = 0;
    size_t most = 0;
    std::vector<Option> options;

    explicit Signature(std::string_view usage) {
        const std::vector<std::string_view> words = split(usage);
        for (size_t i = 0; i < words.size(); i++) {
            const bool optional = words[i].starts_with('[');
            const std::string_view name = words[i].substr(optional, words[i].find(']') - optional);
            if (name.starts_with("--")) {
                const bool takes_value = !words[i].ends_with(']');
                options.push_back({name, takes_value});
                i += takes_value;
            } else {
                least += !optional;
                most = words[i].find("...") != std::string_view::npos ? SIZE_MAX : most + 1;
            }
        }
    }

    const Option* find(std::string_view name) const {
        const auto at = std::ranges::find(options, name, &Option::name);
        return at == options.end() ? nullptr : &*at;
    }
};

}  // namespace

Parsed<ScriptLine> parse_line(std::string_view text) {
    ScriptLine line;
    line.words = split(text);
    const auto equals = std::ranges::find(line.words, "=");
    if (equals != line.words.end()) {
        for (auto word = line.words.begin(); word != equals; ++word) {
            if (!word->starts_with('$') || word->size() < 2 ||
                name_length(word->substr(1)) + 1 != word->size()) {
                return std::unexpected(fmt::format("'{}' is no name: $ and letters", printable(*word)));
            }
            line.names.emplace_back(word->substr(1));
        }
        if (line.names.empty()) {
            return std::unexpected("a name belongs before the =: $a = alloc");
        }
        line.words.erase(line.words.begin(), equals + 1);
        if (line.words.empty()) {
            return std::unexpected("a command belongs behind the =: $a = alloc");
        }
    }
    if (!line.words.empty() && line.words.front() == "expect") {
        const std::string_view name = line.words.size() > 1 ? line.words[1] : "";
        line.expected = parse_errno(name);
        if (!line.expected) {
            return std::unexpected(
                fmt::format("expect: '{}' is no error: EAGAIN, EEXIST...", printable(name)));
        }
        if (line.words.size() < 3) {
            return std::unexpected(fmt::format("expect {}: of which command?", name));
        }
        if (!line.names.empty()) {
            return std::unexpected("an error leaves nothing to be bound to a name");
        }
        line.words.erase(line.words.begin(), line.words.begin() + 2);
    }
    return line;
}

Parsed<std::string> substitute(std::string_view word, const Bindings& bindings) {
    std::string text;
    while (!word.empty()) {
        const size_t dollar = std::min(word.find('$'), word.size());
        text += word.substr(0, dollar);
        word.remove_prefix(dollar);
        if (word.empty()) {
            break;
        }
        const std::string_view name = word.substr(1, name_length(word.substr(1)));
        const auto bound = bindings.find(name);
        if (bound == bindings.end()) {
            return std::unexpected(fmt::format("${} is not bound: ${} = alloc ...", printable(name), name));
        }
        text += std::to_string(bound->second);
        word.remove_prefix(1 + name.size());
    }
    return text;
}

std::string errno_name(int code) {
    const char* name = ::strerrorname_np(code);
    return name && code ? name : std::to_string(code);
}

std::optional<int> parse_errno(std::string_view name) {
    for (int code = 1; code <= most_errno; code++) {
        if (!name.empty() && errno_name(code) == name) {
            return code;
        }
    }
    return std::nullopt;
}

Parsed<int64_t> parse_number(std::string_view text, std::string_view what, int64_t least, int64_t most) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
        return std::unexpected(
            fmt::format("{} '{}' is no number from {} to {}", what, printable(text), least, most));
    }
    return value;
}

Parsed<Range> parse_range(std::string_view text, std::string_view what, int64_t least, int64_t most) {
    const size_t dash = text.find('-', 1);
    const Parsed<int64_t> first = parse_number(text.substr(0, dash), what, least, most);
    if (!first) {
        return std::unexpected(first.error());
    }
    if (dash == std::string_view::npos) {
        return Range{*first, *first};
    }
    const Parsed<int64_t> last = parse_number(text.substr(dash + 1), what, least, most);
    if (!last) {
        return std::unexpected(last.error());
    }
    if (*last < *first) {
        return std::unexpected(fmt::format("{} '{}' ends before it begins", what, printable(text)));
    }
    return Range{*first, *last};
}

Parsed<Arguments> Arguments::parse(std::string_view usage, std::span<const std::string> words) {
    const Signature signature(usage);
    Arguments arguments;
    for (size_t i = 0; i < words.size(); i++) {
        if (!words[i].starts_with("--")) {
            arguments.positional_.push_back(words[i]);
            continue;
        }
        const size_t equals = words[i].find('=');
        const std::string name = words[i].substr(0, equals);
        const Option* option = signature.find(name);
        if (!option) {
            return std::unexpected(fmt::format("there is no {}", printable(name)));
        }
        if (!option->takes_value && equals != std::string::npos) {
            return std::unexpected(fmt::format("{} takes no value", name));
        }
        if (option->takes_value && equals == std::string::npos && i + 1 == words.size()) {
            return std::unexpected(fmt::format("{} takes a value", name));
        }
        arguments.options_[name] = !option->takes_value          ? ""
                                   : equals != std::string::npos ? words[i].substr(equals + 1)
                                                                 : words[++i];
    }
    if (arguments.count() < signature.least || arguments.count() > signature.most) {
        return std::unexpected(arguments.count() < signature.least ? "there is something missing"
                                                                   : "there is too much");
    }
    return arguments;
}

const std::string* Arguments::value(std::string_view option) const {
    const auto at = options_.find(option);
    return at == options_.end() ? nullptr : &at->second;
}

}  // namespace ktwin::cli
