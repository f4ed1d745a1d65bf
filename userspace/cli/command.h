// SPDX-License-Identifier: GPL-2.0-only
// What all commands share: the way they are declared, their output options, their exit status.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "columns.h"
#include "lib/device.h"
#include "options.h"
#include "output.h"

namespace ktwin::cli {

enum Exit : int {
    fine = 0,
    different = 1,  // a difference, an incomplete audit, nothing found
    failed = 2,     // wrong usage, no module, no permission
};

// Says it on standard error; the exit status that goes with it.
int report(const Error& error);
int usage_error(std::string_view message);

// Runs work on the open device.
int with_device(const std::string& path, const std::function<int(Device&)>& work);

// Ctrl-C and termination, from here on: they end a wait instead of the process.
class Interruptible {
  public:
    Interruptible();
    static bool interrupted();
    // The signals to be blocked while waiting, for ppoll.
    const sigset_t* wait_mask() const { return &outside_; }
    // Returns early when interrupted.
    void sleep_ms(int milliseconds) const;

  private:
    sigset_t outside_;
};

// CLOCK_MONOTONIC
uint64_t now_ns();

// "1.2 ms", "3.4 s"
std::string duration_text(uint64_t nanoseconds);

// "1 pid", "2 pids"
std::string counted(uint64_t count, std::string_view noun);

inline TableStyle style(const Format& format) {
    return {format.raw, !format.no_headings};
}

template <class Record>
int list_columns(std::span<const Column<Record>> columns, const Format& format) {
    Table table({{"COLUMN", Align::left}, {"DESCRIPTION", Align::left}});
    Json array = Json::array();
    for (const auto& column : columns) {
        table.add({std::string(column.name), std::string(column.help)});
        array.push_back({{"column", column.name}, {"description", column.help}});
    }
    emit(format.json ? dump(Json{{"columns", array}}) + "\n" : table.str(style(format)));
    return fine;
}

// The selection asked for, or the end: its columns were listed, or the request makes no sense.
template <class Record>
std::expected<Selection<Record>, int> choose(std::span<const Column<Record>> columns, const Format& format) {
    if (format.list_columns) {
        return std::unexpected(list_columns<Record>(columns, format));
    }
    auto selection = Selection<Record>::make(columns, format.columns, format.output_all);
    if (!selection) {
        return std::unexpected(usage_error(selection.error()));
    }
    return *selection;
}

template <class Record, size_t Count>
std::expected<Selection<Record>, int> choose(const Column<Record> (&columns)[Count], const Format& format) {
    return choose(std::span<const Column<Record>>(columns), format);
}

// The usual action of a command: its columns chosen, the device open, work(device, options, selection) does
// the rest.
template <class Options, class Record, size_t Count>
void run_with_columns(Command& command, std::shared_ptr<Options> options,
                      const Column<Record> (&columns)[Count],
                      int (*work)(Device&, const Options&, const Selection<Record>&)) {
    command.run([=, &columns, &device = command.device()] {
        const auto selection = choose(columns, options->format);
        if (!selection) {
            return selection.error();
        }
        return with_device(device, [&](Device& open) { return work(open, *options, *selection); });
    });
}

// layout.cc: ktwin status --layout
int show_layout(const std::string& device, const Format& format);

// lab_world.cc: what of ktwin lab is no test of ktwin itself
void add_lab_world(Command& lab);

void add_status(Command& ktwin);
void add_namespaces(Command& ktwin);
void add_pid(Command& ktwin);
void add_pids(Command& ktwin);
void add_audit(Command& ktwin);
void add_mirror(Command& ktwin);
void add_trace(Command& ktwin);
void add_wait(Command& ktwin);
void add_rq(Command& ktwin);
void add_queue(Command& ktwin);
void add_switches(Command& ktwin);
void add_lab(Command& ktwin);

// All of them, in the order of the help.
void add_commands(Command& ktwin);

}  // namespace ktwin::cli
