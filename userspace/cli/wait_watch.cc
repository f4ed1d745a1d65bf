// SPDX-License-Identifier: GPL-2.0-only
// ktwin wait --watch PID:FD: how many each wake wakes, and how many of them for nothing.
#include <fmt/format.h>

#include <cerrno>

#include "wait.h"

namespace ktwin::cli {
namespace {

// What was counted between two readings.
struct Line {
    uint64_t wakes;
    uint64_t woken;
    uint64_t futile;
    uint64_t known;    // what became of so many showed, whenever they were woken
    uint64_t unknown;  // what became of so many has not, of all since the watch began
    uint64_t herds;
    uint64_t herd_most;  // since the watch began
    bool most_rose;
    uint64_t waiters;  // now

    double per_wake() const { return wakes ? static_cast<double>(woken) / static_cast<double>(wakes) : 0; }
    std::optional<double> futile_share() const {
        return known ? std::optional(static_cast<double>(futile) / static_cast<double>(known)) : std::nullopt;
    }
};

Line between(const WaitStats& before, const WaitStats& now) {
    return {
        .wakes = now.wakes - before.wakes,
        .woken = now.woken - before.woken,
        .futile = now.futile - before.futile,
        .known = (now.woken - now.unknown) - (before.woken - before.unknown),
        .unknown = now.unknown,
        .herds = now.herds - before.herds,
        .herd_most = now.herd_most,
        .most_rose = now.herd_most > before.herd_most,
        .waiters = now.waiters,
    };
}

Json object(const Line& line) {
    const auto share = line.futile_share();
    return {
        {"time_ns", now_ns()},
        {"wakes", line.wakes},
        {"woken", line.woken},
        {"per_wake", line.per_wake()},
        {"futile", line.futile},
        {"unknown", line.unknown},
        {"futile_share", share ? Json(*share) : Json(nullptr)},
        {"herds", line.herds},
        {"herd_most", line.herd_most},
        {"waiters", line.waiters},
    };
}

std::string text(const Line& line) {
    const auto share = line.futile_share();
    return fmt::format("{:>9} {:>9} {:>8.2f} {:>9} {:>7} {:>9} {:>6} {:>8}", line.wakes, line.woken,
                       line.per_wake(), line.futile, share ? fmt::format("{:.0f} %", *share * 100) : "-",
                       line.unknown, line.herds, line.waiters);
}

void print(const Line& line, bool json) {
    if (json) {
        emit_line(dump(object(line)));
        return;
    }
    emit_line(text(line));
    if (line.most_rose && line.herd_most >= KTWIN_HERD_MIN) {
        emit_line(fmt::format("  {} woken for one event", line.herd_most));
    }
    if (line.herds) {
        emit_line(fmt::format("  {}: woken at once, and at least half of them in vain",
                              counted(line.herds, "herd")));
    }
}

int follow(const Watch& watch, const WaitOptions& options) {
    const Interruptible interruptible;
    Result<WaitStats> before = watch.stats();
    if (!before) {
        return report_wait(before.error());
    }
    if (!options.format.json && !options.format.no_headings) {
        emit_line(fmt::format("{:>9} {:>9} {:>8} {:>9} {:>7} {:>9} {:>6} {:>8}", "WAKES", "WOKEN", "PER-WAKE",
                              "FUTILE", "SHARE", "UNKNOWN", "HERDS", "WAITERS"));
    }
    for (uint32_t lines = 0; options.count == 0 || lines < options.count; ++lines) {
        if (!flush()) {
            return fine;  // nobody reads any more
        }
        interruptible.sleep_ms(static_cast<int>(options.interval * 1000));
        if (Interruptible::interrupted()) {
            return fine;
        }
        Result<WaitStats> now = watch.stats();
        if (!now) {
            // There is nothing left to watch: an end, not a failure of ours.
            const int status = report_wait(now.error());
            return now.error().code == EIDRM ? different : status;
        }
        print(between(*before, *now), options.format.json);
        before = std::move(now);
    }
    return fine;
}

}  // namespace

int wait_watch(const WaitOptions& options, const Target& target) {
    if (options.interval < 0.001 || options.interval > 86400) {
        return usage_error("wait --watch: the interval is 0.001 to 86400 seconds");
    }
    return with_device(options.device, [&](Device& device) {
        const Result<Watch> watch = device.watch(target.pid, *target.fd, options.ns);
        return watch ? follow(*watch, options) : report_wait(watch.error());
    });
}

}  // namespace ktwin::cli
