// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <fmt/format.h>
#include <uapi/ktwin.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <charconv>
#include <sstream>

#include "command.h"

namespace ktwin::cli {
namespace {

// All of text as a number, or nothing.
template <class T>
std::optional<T> parse(std::string_view text) {
    T value = {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc() && end == text.data() + text.size();
    return good ? std::optional<T>(value) : std::nullopt;
}

std::string complain_unless_positive(const std::string& text) {
    const auto value = parse<int32_t>(text);
    return value && *value > 0 ? "" : fmt::format("'{}' is no number from 1 to {}", text, INT32_MAX);
}

std::optional<uint32_t> parse_namespace(std::string_view text) {
    if (text.starts_with("pid:[") && text.ends_with("]")) {
        text = text.substr(5, text.size() - 6);
    }
    return parse<uint32_t>(text);
}

// CLI11 would take -1 for 4294967295, and say in hexadecimal and braces what it expected.
template <class T, class Set>
void add_unsigned(CLI::App& app, const std::string& names, const char* type, const std::string& help,
                  Set set) {
    const auto take = [names, set](const std::string& text) {
        const auto value = parse<T>(text);
        if (!value) {
            throw CLI::ValidationError(
                names, fmt::format("'{}' is no number from 0 to {}", text, std::numeric_limits<T>::max()));
        }
        set(*value);
    };
    app.add_option_function<std::string>(names, take, help)->type_name(type);
}

}  // namespace

Command Command::add(const std::string& name, const std::string& help) {
    CLI::App* command = app_.add_subcommand(name, help);
    command->group("Commands");
    return {*command, invocation_};
}

void Command::hide() {
    app_.group("");
}

void Command::flag(const std::string& names, bool& value, const std::string& help) {
    app_.add_flag(names, value, help);
}

void Command::option(const std::string& names, const char* type, std::string& value,
                     const std::string& help) {
    app_.add_option(names, value, help)->type_name(type);
}

void Command::option(const std::string& names, const char* type, uint32_t& value, const std::string& help) {
    add_unsigned<uint32_t>(app_, names, type, help, [&value](uint32_t given) { value = given; });
}

void Command::option(const std::string& names, const char* type, uint64_t& value, const std::string& help) {
    add_unsigned<uint64_t>(app_, names, type, help, [&value](uint64_t given) { value = given; });
}

void Command::option(const std::string& names, const char* type, std::optional<uint32_t>& value,
                     const std::string& help) {
    add_unsigned<uint32_t>(app_, names, type, help, [&value](uint32_t given) { value = given; });
}

void Command::optional(const std::string& names, const char* type, std::optional<std::string>& value,
                       const std::string& help) {
    const auto take = [&value](const CLI::results_t& given) {
        value = given.empty() ? "" : given.front();
        return true;
    };
    app_.add_option(names, take, help)->expected(0, 1)->type_name(type);
}

void Command::seconds(const std::string& names, double& value, const std::string& help) {
    const auto take = [names, &value](const std::string& text) {
        // A year is more than anyone waits, and what is not a number is neither more nor less than anything.
        const auto given = parse<double>(text);
        if (!given || !(*given > 0 && *given < 366 * 86400.0)) {
            throw CLI::ValidationError(names, fmt::format("'{}' is no time in seconds", text));
        }
        value = *given;
    };
    app_.add_option_function<std::string>(names, take, help)->type_name("SECONDS");
}

void Command::number(const std::string& name, int32_t& value, bool required, const std::string& help) {
    app_.add_option(name, value, help)->check(complain_unless_positive)->required(required)->type_name("N");
}

void Command::words(const std::string& name, std::vector<std::string>& values, const std::string& help) {
    app_.add_option(name, values, help);
}

void Command::ns(uint32_t& value) {
    const auto take = [&value](const std::string& text) {
        const auto inode = parse_namespace(text);
        if (!inode) {
            throw CLI::ValidationError("--ns", fmt::format("'{}' is no namespace: its inode number, "
                                                           "as ls -l /proc/PID/ns/pid shows it",
                                                           text));
        }
        value = *inode;
    };
    app_.add_option_function<std::string>("--ns", take, "numbers of this PID namespace")->type_name("INODE");
}

void Command::json(bool& value) {
    flag("-J,--json", value, "JSON");
}

void Command::format(Format& format) {
    format_as(format, "-o,--output");
}

void Command::format_without_o(Format& format) {
    format_as(format, "--output");
}

void Command::format_as(Format& format, const char* output) {
    json(format.json);
    flag("-n,--noheadings", format.no_headings, "no headings");
    flag("-r,--raw", format.raw, "raw: one blank between the columns");
    option(output, "COL,...", format.columns, "these columns; +COL: these too");
    flag("--output-all", format.output_all, "all columns");
    flag("-H,--list-columns", format.list_columns, "the columns there are");
}

void Command::needs(const std::string& first, const std::string& second) {
    app_.get_option(first)->needs(app_.get_option(second));
}

void Command::excludes(const std::string& first, const std::string& second) {
    app_.get_option(first)->excludes(app_.get_option(second));
}

void Command::run(std::function<int()> action) {
    // CLI11 calls back the innermost command first; the outer ones must not take its place.
    app_.callback([&invocation = invocation_, action = std::move(action)] {
        if (!invocation.action) {
            invocation.action = action;
        }
    });
}

int run_command_line(int argc, char** argv) {
    CLI::App app("ktwin: the kernel's process bookkeeping, its twin, and the proof that both agree", "ktwin");
    Invocation invocation;
    invocation.device = KTWIN_DEVICE;
    app.add_option("--device", invocation.device, "the device to ask")
        ->envname("KTWIN_DEVICE")
        ->capture_default_str()
        ->type_name("PATH");
    app.footer(
        "Exit status: 0 fine; 1 a difference, an incomplete audit, nothing found; 2 wrong usage, no module.");
    Command ktwin(app, invocation);
    add_commands(ktwin);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        if (app.exit(error, out, err) != 0) {
            return usage_error(fmt::format("{}\nTry 'ktwin --help'.", error.what()));
        }
        emit(out.str());  // the help
        return fine;
    }
    return invocation.action ? invocation.action() : usage_error("which command?\nTry 'ktwin --help'.");
}

}  // namespace ktwin::cli
