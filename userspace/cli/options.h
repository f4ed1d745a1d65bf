// SPDX-License-Identifier: GPL-2.0-only
// The command line is CLI11's business, and CLI11 is that of options.cc and main.cc alone: its headers take
// as long to compile as a command does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ktwin::cli {

// The command line as parsed: where the device is, and the one thing to do.
struct Invocation {
    std::string device;
    std::function<int()> action;
};

// What a table or an object shows, and how: -J -n -r -o --output-all --list-columns
struct Format {
    bool json = false;
    bool no_headings = false;
    bool raw = false;
    bool output_all = false;
    bool list_columns = false;
    std::string columns;

    bool chosen() const { return output_all || !columns.empty(); }
};

// A command or a command of a command. Values live as long as the invocation: hold them in shared pointers.
class Command {
  public:
    Command(CLI::App& app, Invocation& invocation) : app_(app), invocation_(invocation) {}

    Command add(const std::string& name, const std::string& help);

    // Not shown in the help of the command above; what is below it is shown in its own.
    void hide();

    // names: "-w,--watch"; type: how the help names the value. What is no such value ends in a usage error.
    void flag(const std::string& names, bool& value, const std::string& help);
    void option(const std::string& names, const char* type, std::string& value, const std::string& help);
    void option(const std::string& names, const char* type, uint32_t& value, const std::string& help);
    void option(const std::string& names, const char* type, uint64_t& value, const std::string& help);
    void option(const std::string& names, const char* type, std::optional<uint32_t>& value,
                const std::string& help);

    // Its value may be left out; it is empty then.
    void optional(const std::string& names, const char* type, std::optional<std::string>& value,
                  const std::string& help);

    // In seconds, fractions allowed.
    void seconds(const std::string& names, double& value, const std::string& help);

    // With a dash or without: a number from 1 that fits a pid_t; stays 0 when it may be left out and is.
    void number(const std::string& name, int32_t& value, bool required, const std::string& help);

    // Without a dash: any number of words.
    void words(const std::string& name, std::vector<std::string>& values, const std::string& help);

    // --ns INODE, also written pid:[INODE] as ls -l /proc/PID/ns prints it.
    void ns(uint32_t& value);

    void format(Format& format);
    // Without -o, which the command has a use of its own for.
    void format_without_o(Format& format);
    void json(bool& value);

    // first makes sense only with, or never with, second.
    void needs(const std::string& first, const std::string& second);
    void excludes(const std::string& first, const std::string& second);

    // What to do when this is the command given, after all is parsed.
    void run(std::function<int()> action);

    // Valid when the action runs.
    const std::string& device() const { return invocation_.device; }

  private:
    void format_as(Format& format, const char* output);

    CLI::App& app_;
    Invocation& invocation_;
};

// Parses, acts. Returns the exit status.
int run_command_line(int argc, char** argv);

}  // namespace ktwin::cli
