// SPDX-License-Identifier: GPL-2.0-only
// ktwin trace: events as they happen, and how many were lost; with --seconds and a file, a timeline of the CPUs.
#include <fmt/format.h>
#include <uapi/ktwin.h>

#include <filesystem>
#include <system_error>

#include "command.h"
#include "lib/names.h"
#include "trace_timeline.h"

namespace ktwin::cli {
namespace {

bool about_pid(const Event& e) {
    return e.type == KTWIN_EV_PID_ALLOC || e.type == KTWIN_EV_PID_FREE || e.type == KTWIN_EV_DIVERGENCE;
}

Json unless_zero(int64_t value) {
    return value ? Json(value) : Json(nullptr);
}

Json detail(const Event& e) {
    switch (e.type) {
        case KTWIN_EV_POPULATED:
            return fmt::format("epoch {}", e.arg);
        case KTWIN_EV_INCOMPLETE:
            return join(why_names(static_cast<uint32_t>(e.arg)), ",");
        default:
            return nullptr;
    }
}

constexpr Column<Event> columns[] = {
    {"TIME", Align::right, true, "seconds of CLOCK_MONOTONIC",
     [](const Event& e) {
         return Json(fmt::format("{}.{:06}", e.time_ns / 1000000000, e.time_ns % 1000000000 / 1000));
     },
     14},
    {"EVENT", Align::left, true, "pid_alloc, pid_free, ns_new, ns_gone, divergence, populated, incomplete",
     [](const Event& e) { return Json(event_name(e.type)); }, 10},
    {"PID", Align::right, true, "number in your namespace",
     [](const Event& e) { return about_pid(e) ? unless_zero(e.nr) : Json(nullptr); }, 7},
    {"NS", Align::right, true, "deepest namespace the pid is in, or the namespace itself",
     [](const Event& e) { return unless_zero(e.ns); }, 10},
    {"NSPID", Align::right, true, "number there",
     [](const Event& e) { return about_pid(e) ? unless_zero(e.ns_nr) : Json(nullptr); }, 7},
    {"LEVEL", Align::right, true, "levels below yours",
     [](const Event& e) { return e.ns ? Json(e.level) : Json(nullptr); }},
    {"PARENT", Align::right, false, "parent of a namespace",
     [](const Event& e) { return unless_zero(e.parent); }, 10},
    {"CPU", Align::right, true, "where it happened", [](const Event& e) { return Json(e.cpu); }},
    {"SERIAL", Align::right, true, "of the struct pid",
     [](const Event& e) { return unless_zero(static_cast<int64_t>(e.serial)); }, 8},
    {"INDEX", Align::right, false, "in this stream", [](const Event& e) { return Json(e.index); }, 8},
    {"DETAIL", Align::left, true, "epoch of a population, why it is incomplete", detail},
};

Json object(const Event& e) {
    Json object = {
        {"type", event_name(e.type)},
        {"index", e.index},
        {"time_ns", e.time_ns},
        {"cpu", e.cpu},
        {"pid", e.nr},
        {"ns", e.ns},
        {"ns_pid", e.ns_nr},
        {"level", e.level},
        {"parent", e.parent ? Json(e.parent) : Json(nullptr)},
        {"serial", e.serial},
        {"arg", e.arg},
    };
    if (e.type == KTWIN_EV_INCOMPLETE) {
        object["why"] = why_names(static_cast<uint32_t>(e.arg));
    }
    return object;
}

struct Options {
    Format format;
    uint64_t count = 0;
    double seconds = 0;
    uint32_t capacity = 0;
    std::string file;
    std::optional<std::string> picture;
};

class Tracer {
  public:
    Tracer(Stream& stream, const Options& options, const Selection<Event>& selection)
        : stream_(stream), options_(options), selection_(selection), headings_(selection.headings()) {}

    int run() {
        const Interruptible interruptible;
        const uint64_t end =
            options_.seconds > 0 ? now_ns() + static_cast<uint64_t>(options_.seconds * 1e9) : 0;
        start();
        while (!Interruptible::interrupted() && !full()) {
            const int timeout = remaining_ms(end);
            if (timeout == 0) {
                break;
            }
            const Result<bool> ready = stream_.wait(timeout, interruptible.wait_mask());
            if (!ready) {
                return report(ready.error());
            }
            if (*ready && !drain()) {
                return status_;
            }
        }
        // What happened up to the end, but not what its printing causes.
        if (!full() && !drain()) {
            return status_;
        }
        finish();
        return printed_ ? fine : different;
    }

  private:
    static constexpr size_t events_at_once = 1024;

    bool full() const { return options_.count && printed_ >= options_.count; }

    // -1: for ever; 0: the time is over.
    static int remaining_ms(uint64_t end) {
        if (!end) {
            return -1;
        }
        const uint64_t now = now_ns();
        return now >= end ? 0 : static_cast<int>(std::min<uint64_t>((end - now + 999999) / 1000000, 1000000));
    }

    void start() {
        if (!options_.format.json && !options_.format.no_headings) {
            emit_line(heading_line(headings_, options_.format.raw));
        }
        flush();
    }

    // At most one ring full: a system that is faster than the printing cannot hold it here. false: the end.
    bool drain() {
        for (uint32_t seen = 0; seen < stream_.capacity() && !full();) {
            events_.clear();
            const uint64_t wanted = options_.count ? options_.count - printed_ : events_at_once;
            const Result<size_t> count = stream_.read(events_, std::min<uint64_t>(wanted, events_at_once));
            if (!count) {
                status_ = report(count.error());
                return false;
            }
            if (*count == 0) {
                break;
            }
            seen += static_cast<uint32_t>(*count);
            for (const Event& event : events_) {
                print(event);
            }
        }
        tell_lost();
        status_ = fine;
        return flush();
    }

    void print(const Event& event) {
        printed_++;
        const Format& format = options_.format;
        if (format.json) {
            emit_line(dump(format.chosen() ? selection_.object(event) : object(event)));
        } else {
            emit_line(table_line(headings_, selection_.cells(event), format.raw));
        }
    }

    void tell_lost() {
        const uint64_t lost = stream_.lost();
        if (lost == lost_) {
            return;
        }
        if (options_.format.json) {
            emit_line(dump(Json{{"type", "lost"}, {"lost", lost - lost_}, {"lost_total", lost}}));
        } else {
            emit_line(fmt::format("# {} lost: the reader was too slow (--capacity)",
                                  counted(lost - lost_, "event")));
        }
        lost_ = lost;
    }

    void finish() {
        if (!options_.format.json) {
            fmt::print(stderr, "{}, {} lost\n", counted(printed_, "event"), lost_);
        }
    }

    Stream& stream_;
    const Options& options_;
    const Selection<Event>& selection_;
    const std::vector<Heading> headings_;
    std::vector<Event> events_;
    uint64_t printed_ = 0;
    uint64_t lost_ = 0;
    int status_ = fine;
};

int trace(Device& device, const Options& options, const Selection<Event>& selection) {
    Result<Stream> stream = device.stream(options.capacity);
    return stream ? Tracer(*stream, options, selection).run() : report(stream.error());
}

bool is_same_file(const std::string& one, const std::string& other) {
    std::error_code ignored;
    return one == other || (!one.empty() && !other.empty() &&
                            std::filesystem::weakly_canonical(one, ignored) ==
                                std::filesystem::weakly_canonical(other, ignored));
}

int timeline(const Options& options, const std::string& device) {
    if (options.count || options.format.json || options.format.chosen()) {
        return usage_error("trace: a timeline has no --count, no columns, and its own JSON");
    }
    TimelineOptions wanted = {options.seconds, options.capacity, options.file, {}};
    // Without a file of its own the picture takes the place of the trace.
    if (options.picture && options.picture->empty()) {
        wanted.picture = options.file.empty() ? "-" : options.file;
        wanted.trace.clear();
    } else if (options.picture) {
        wanted.picture = *options.picture;
    }
    if (is_same_file(wanted.trace, wanted.picture)) {
        return usage_error("trace: two files of the same name");
    }
    return record_timeline(wanted, device);
}

int run(Options& options, const std::string& device) {
    if (options.seconds > 0 && (!options.file.empty() || options.picture)) {
        return timeline(options, device);
    }
    if (options.picture) {
        return usage_error("trace: a picture of how many --seconds?");
    }
    // Without a time it is what it is elsewhere.
    if (!options.file.empty()) {
        options.format.columns = options.file;
    }
    const auto selection = choose(columns, options.format);
    if (!selection) {
        return selection.error();
    }
    return with_device(device, [&](Device& open) { return trace(open, options, *selection); });
}

}  // namespace

void add_trace(Command& ktwin) {
    Command command =
        ktwin.add("trace", "events as they happen: pids, namespaces, differences; a timeline of the CPUs");
    auto options = std::make_shared<Options>();
    command.format_without_o(options->format);
    command.option("-o", "FILE", options->file,
                   "with --seconds: a timeline of what each CPU ran, for Perfetto; else as --output");
    command.optional("--svg", "[FILE]", options->picture,
                     "with --seconds: a picture of it; without FILE in place of the trace");
    command.option("--count", "N", options->count, "end after this many events");
    command.seconds("--seconds", options->seconds, "end after this time");
    command.option("--capacity", "RECORDS", options->capacity,
                   "of the ring, or of each CPU's, a power of two from 64 to 1048576");
    command.run([options, &device = command.device()] { return run(*options, device); });
}

}  // namespace ktwin::cli
