// SPDX-License-Identifier: GPL-2.0-only
// The language of ktwin lab run, a line at a time. Pure.
//
//   line:  [$NAME... =] [expect ERRNO] COMMAND ARGUMENT...  [# comment]
//
// $NAME in an argument stands for the number it was bound to. What makes no sense is a sentence.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ktwin::cli {

template <class T>
using Parsed = std::expected<T, std::string>;

struct ScriptLine {
    std::vector<std::string> names;       // to be bound to what the command results in
    std::optional<int> expected;          // errno
    std::vector<std::string_view> words;  // of the line; none: there is nothing to do
};

using Bindings = std::map<std::string, int64_t, std::less<>>;

// The words are those of text.
Parsed<ScriptLine> parse_line(std::string_view text);

// A word with its names replaced.
Parsed<std::string> substitute(std::string_view word, const Bindings& bindings);

// "EAGAIN"; numbers without a name as numbers.
std::string errno_name(int code);
std::optional<int> parse_errno(std::string_view name);

// All of text as a number from least to most. what: how it is called.
Parsed<int64_t> parse_number(std::string_view text, std::string_view what, int64_t least, int64_t most);

struct Range {
    int64_t first;
    int64_t last;
};

// "N" or "N-N"
Parsed<Range> parse_range(std::string_view text, std::string_view what, int64_t least, int64_t most);

// The arguments of a command, as its usage has them: "NS [NR] [--flag] [--option N]"; a last one with "..." any number
// of times, once at least.
class Arguments {
  public:
    static Parsed<Arguments> parse(std::string_view usage, std::span<const std::string> words);

    size_t count() const { return positional_.size(); }
    // i is below count().
    const std::string& at(size_t i) const { return positional_[i]; }
    bool has(std::string_view option) const { return options_.contains(option); }
    // nullptr: it was not given.
    const std::string* value(std::string_view option) const;

  private:
    std::vector<std::string> positional_;
    std::map<std::string, std::string, std::less<>> options_;
};

}  // namespace ktwin::cli
