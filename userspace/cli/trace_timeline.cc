// SPDX-License-Identifier: GPL-2.0-only
// ktwin trace --seconds N -o FILE: the scheduler's events of a stretch of time, written down as a timeline.
#include "trace_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "command.h"
#include "output_file.h"
#include "timeline_view.h"

namespace ktwin::cli {
namespace {

// What is made of them is kept in memory until the time is over: some 30 bytes for each.
constexpr uint64_t events_at_most = 20000000;

// Reading wakes this program up, which is seen in the trace: as seldom as the rings allow.
constexpr int pause_least_ms = 2;
constexpr int pause_most_ms = 200;

class Recorder {
  public:
    Recorder(Device& device, const Switches& switches, const TimelineOptions& options)
        : device_(device), switches_(switches), options_(options) {}

    Result<Timeline> record() {
        const Interruptible interruptible;
        const Result<uint64_t> first = drain();
        if (!first) {
            return std::unexpected(first.error());
        }
        // Not when this began, but when the module had everything in place.
        const uint64_t wanted_end = began_ns_ + static_cast<uint64_t>(options_.seconds * 1e9);
        int pause_ms = pause_least_ms;
        while (now_ns() < wanted_end && !Interruptible::interrupted() && events_ < events_at_most) {
            const uint64_t left_ms = (wanted_end - now_ns() + 999999) / 1000000;
            interruptible.sleep_ms(
                static_cast<int>(std::min<uint64_t>(left_ms, static_cast<uint64_t>(pause_ms))));
            if (now_ns() >= wanted_end) {
                break;
            }
            const Result<uint64_t> most = drain();
            if (!most) {
                return std::unexpected(most.error());
            }
            pause_ms = next_pause(pause_ms, *most);
        }
        return finish(std::min(wanted_end, now_ns()));
    }

  private:
    // A ring should be an eighth full when it is emptied.
    int next_pause(int pause_ms, uint64_t most) const {
        const uint64_t capacity = options_.capacity ? options_.capacity : 16384;
        if (most > capacity / 4) {
            return std::max(pause_ms / 4, pause_least_ms);
        }
        return most < capacity / 16 ? std::min(pause_ms * 2, pause_most_ms) : pause_ms;
    }

    // How many the busiest CPU had.
    Result<uint64_t> drain() {
        std::map<uint32_t, uint64_t> of_cpu;
        const auto take = [&](const SchedEvent& event) {
            of_cpu[event.cpu]++;
            if (builder_) {
                builder_->add(event);
            } else {
                early_.push_back(event);
            }
        };
        const Result<Reading> reading = switches_.events(take);
        if (!reading) {
            return std::unexpected(reading.error());
        }
        if (!builder_) {
            begin(reading->epoch);
        }
        events_ += reading->records;
        uint64_t most = 0;
        for (const auto& [cpu, count] : of_cpu) {
            most = std::max(most, count);
        }
        return most;
    }

    // When it began is known with the first reading.
    void begin(uint64_t epoch) {
        began_ns_ = epoch;
        builder_.emplace(epoch);
        for (const SchedEvent& event : early_) {
            builder_->add(event);
        }
        early_.clear();
    }

    // Who has the CPUs now, and how many events were lost until now: read before the last events, so that a switch after
    // it is among those.
    Result<std::vector<TimelineEnd>> ends() {
        std::vector<TimelineEnd> ends;
        const Result<RunQueues> queues = device_.run_queues(-1);
        // Where the layout of run queues is not known, there are the CPUs that events come from.
        if (queues) {
            for (const RunQueue& queue : queues->cpus) {
                SchedWho curr;
                curr.tid = queue.curr.tid.value_or(0);
                curr.tgid = queue.curr.tgid.value_or(0);
                curr.comm = queue.curr.comm;
                if (queue.nr_running == 0) {
                    curr = {0, 0, KTWIN_WHO_IDLE, {}};
                }
                ends.push_back({queue.cpu, 0, curr});
            }
        }
        const auto cpus = switches_.cpus();
        if (!cpus) {
            return std::unexpected(cpus.error());
        }
        for (const CpuSwitches& cpu : *cpus) {
            const auto known = std::ranges::find(ends, cpu.cpu, &TimelineEnd::cpu);
            if (known != ends.end()) {
                known->lost = cpu.events_lost;
            } else if (cpu.events || cpu.events_lost) {
                ends.push_back({cpu.cpu, cpu.events_lost, std::nullopt});
            }
        }
        return ends;
    }

    Result<Timeline> finish(uint64_t end_ns) {
        const Result<std::vector<TimelineEnd>> known = ends();
        if (!known) {
            return std::unexpected(known.error());
        }
        const Result<uint64_t> last = drain();
        if (!last) {
            return std::unexpected(last.error());
        }
        return std::move(*builder_).finish(end_ns, *known);
    }

    Device& device_;
    const Switches& switches_;
    const TimelineOptions& options_;
    std::optional<TimelineBuilder> builder_;
    std::vector<SchedEvent> early_;
    uint64_t began_ns_ = 0;
    uint64_t events_ = 0;
};

// An empty path is no file, and fine.
Result<void> open_unless_empty(const std::string& path, std::optional<OutputFile>& file) {
    if (!path.empty()) {
        Result<OutputFile> opened = OutputFile::open(path);
        if (!opened) {
            return std::unexpected(opened.error());
        }
        file.emplace(std::move(*opened));
    }
    return {};
}

Result<void> write(std::optional<OutputFile>& file, const Timeline& timeline,
                   void (*writer)(const Timeline&, const Sink&)) {
    if (!file) {
        return {};
    }
    writer(timeline, [&](std::string_view text) { return file->write(text); });
    return file->commit();
}

// Nothing is hooked any more when it returns.
Result<Timeline> record(Device& device, const TimelineOptions& options) {
    const Result<Switches> switches = device.switches(KTWIN_SWITCHES_EVENTS, options.capacity);
    if (!switches) {
        return std::unexpected(switches.error());
    }
    return Recorder(device, *switches, options).record();
}

// Whoever reads standard error may have gone, too: fmt::print() would throw.
void aside(const std::string& text) {
    std::fputs((text + "\n").c_str(), stderr);
}

void tell(const Timeline& timeline) {
    flush();
    aside(timeline_summary(timeline));
    if (timeline.events() >= events_at_most) {
        aside(fmt::format("ktwin: ended early: more than {} events", events_at_most));
    }
    if (timeline.lost()) {
        aside("ktwin: events were lost, and are missing where it is said: try a larger --capacity");
    }
}

int run(Device& device, const TimelineOptions& options) {
    std::optional<OutputFile> trace;
    std::optional<OutputFile> picture;
    // Before the time is spent.
    Result<void> good = open_unless_empty(options.trace, trace);
    if (good) {
        good = open_unless_empty(options.picture, picture);
    }
    if (!good) {
        return report(good.error());
    }
    // Interrupted while it is hooked, too, what was begun beside the files goes away.
    const Interruptible interruptible;
    const Result<Timeline> timeline = record(device, options);
    if (!timeline) {
        return report(timeline.error());
    }
    good = write(trace, *timeline, write_trace_json);
    if (good) {
        good = write(picture, *timeline, write_timeline_svg);
    }
    if (!good) {
        return report(good.error());
    }
    tell(*timeline);
    return fine;
}

}  // namespace

int record_timeline(const TimelineOptions& options, const std::string& device) {
    return with_device(device, [&](Device& open) { return run(open, options); });
}

}  // namespace ktwin::cli
