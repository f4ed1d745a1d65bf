// SPDX-License-Identifier: GPL-2.0-only
#include "lab_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "lib/names.h"
#include "lib/text.h"

namespace ktwin::cli {
namespace {

// More than these are not looked at when nobody says which.
constexpr size_t most_shown = 16;

LabAnswer senseless(std::string_view command, std::string_view why) {
    LabAnswer answer = {.verdict = Verdict::senseless};
    answer.command = command;
    answer.error = why;
    return answer;
}

LabAnswer answer(const LabCommand& command, LabDone done, const std::optional<int>& expected) {
    LabAnswer answer = {.verdict = Verdict::done};
    answer.command = command.name;
    if (done) {
        answer.outcome = std::move(*done);
        if (expected) {
            answer.verdict = Verdict::refused;
            answer.outcome.json["expected"] = errno_name(*expected);
            answer.error = fmt::format("{} was expected, and it was done: {}", errno_name(*expected),
                                       answer.outcome.text);
        }
        return answer;
    }
    const auto& [usage, error] = done.error();
    if (usage) {
        return senseless(command.name, fmt::format("{}: {}\nusage: {} {}", command.name, error.message,
                                                   command.name, command.usage));
    }
    answer.outcome.json = {{"errno", errno_name(error.code)}, {"error", error.message}};
    if (expected == error.code) {
        answer.outcome.text = fmt::format("{}, as expected: {}", errno_name(error.code), error.message);
        return answer;
    }
    answer.verdict = Verdict::refused;
    if (expected) {
        answer.outcome.json["expected"] = errno_name(*expected);
    }
    answer.error =
        expected ? fmt::format("{} was expected: {}", errno_name(*expected), error.message) : error.message;
    return answer;
}

// The command that the words begin with, which are then its arguments. Names are of one word or two.
const LabCommand* take_command(std::span<const std::string_view>& words) {
    if (words.size() > 1) {
        const LabCommand* two = find_lab_command(fmt::format("{} {}", words[0], words[1]));
        if (two) {
            words = words.subspan(2);
            return two;
        }
    }
    const LabCommand* one = find_lab_command(words[0]);
    words = words.subspan(1);
    return one;
}

}  // namespace

Result<LabSession> LabSession::begin(Lab lab) {
    const Result<LabStats> stats = lab.stats();
    if (!stats) {
        return std::unexpected(stats.error());
    }
    return LabSession(std::move(lab), stats->has);
}

LabAnswer LabSession::execute(std::string_view text) {
    const Parsed<ScriptLine> line = parse_line(text);
    if (!line) {
        return senseless("", line.error());
    }
    if (line->words.empty()) {
        return {};
    }
    std::span<const std::string_view> rest = line->words;
    const LabCommand* command = take_command(rest);
    if (!command) {
        return senseless("", fmt::format("there is no command '{}': see help", printable(line->words[0])));
    }
    std::vector<std::string> words;
    for (const std::string_view word : rest) {
        const Parsed<std::string> whole = substitute(word, bindings_);
        if (!whole) {
            return senseless(command->name, whole.error());
        }
        words.push_back(*whole);
    }
    const Parsed<Arguments> arguments = Arguments::parse(command->usage, words);
    if (!arguments) {
        return answer(*command, std::unexpected(LabTrouble{true, {EINVAL, arguments.error()}}), std::nullopt);
    }
    const size_t results = command->results + arguments->has("--task");
    if (line->names.size() > results) {
        return senseless(command->name, fmt::format("{}: it results in {}, not in {}", command->name, results,
                                                    line->names.size()));
    }
    if (command->name == "quit") {
        return {.verdict = Verdict::ended};
    }
    LabAnswer done = answer(*command, command->run(*this, *arguments), line->expected);
    const size_t bound = std::min(line->names.size(), done.outcome.values.size());
    for (size_t i = 0; done.verdict == Verdict::done && i < bound; i++) {
        bindings_[line->names[i]] = done.outcome.values[i];
    }
    return done;
}

uint32_t LabSession::usual_way() const {
    return has_ & KTWIN_LAB_HAS_CYCLIC ? KTWIN_LAB_CYCLIC
           : has_ & KTWIN_LAB_HAS_ANY  ? KTWIN_LAB_ANY
                                       : KTWIN_LAB_LOWEST;
}

uint32_t LabSession::parent_of(uint32_t ns) const {
    const auto at = parents_.find(ns);
    return at == parents_.end() ? 0 : at->second;
}

Result<LabView> LabSession::view(uint32_t ns) const {
    const Result<LabStats> stats = lab_.stats();
    if (!stats) {
        return std::unexpected(stats.error());
    }
    LabView view = {.stats = *stats, .namespaces = {}, .ids = {}};
    Result<std::vector<LabNs>> namespaces = lab_.namespaces();
    if (!namespaces && namespaces.error().code == EOPNOTSUPP) {
        return view;
    }
    if (!namespaces) {
        return std::unexpected(std::move(namespaces.error()));
    }
    view.namespaces = std::move(*namespaces);
    for (const LabNs& one : view.namespaces) {
        if ((ns && one.ns != ns) || view.ids.size() == most_shown) {
            continue;
        }
        Result<std::vector<LabLeaf>> leaves = lab_.leaves(one.ns);
        if (!leaves) {
            return std::unexpected(std::move(leaves.error()));
        }
        view.ids.push_back({one, std::move(*leaves)});
    }
    if (ns && view.ids.empty()) {
        return std::unexpected(
            Error{ESRCH, fmt::format("namespace {}: there is none in this lab: see ns list", ns)});
    }
    return view;
}

}  // namespace ktwin::cli
