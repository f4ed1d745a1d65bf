// SPDX-License-Identifier: GPL-2.0-only
// ktwin queue: a wait queue to look at: who is woken in which order, and what a thundering herd costs.
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "command.h"
#include "lib/names.h"
#include "sleepers.h"

namespace ktwin::cli {
namespace {

constexpr uint32_t most_sleepers = 10000;

struct QueueOptions {
    std::string backend = "twin";
    uint32_t sleepers;
    std::optional<uint32_t> exclusive;  // none: half of them
    uint32_t wake = 1;
    uint32_t hold = 0;  // seconds before the wake
    bool json = false;
    bool all_exclusive = false;  // of a herd

    uint32_t exclusives() const { return exclusive.value_or((sleepers + 1) / 2); }
};

// A sleeper in the list of its queue.
struct Row {
    uint32_t position;
    uint32_t number;
    int32_t tid;
    bool exclusive;
    bool next;
};

// A sleeper that was woken.
struct Woken {
    uint64_t order;
    uint32_t number;
    int32_t tid;
    bool exclusive;
    uint64_t slept_ns;
};

std::vector<Row> rows(const WaitList& list, const std::vector<Sleeper>& sleepers) {
    std::vector<Row> rows;
    for (const Waiter& waiter : list.waiters) {
        const auto at = std::ranges::find(sleepers, waiter.tid.value_or(0), &Sleeper::tid);
        rows.push_back({
            .position = waiter.position,
            .number = at == sleepers.end() ? 0 : at->number,
            .tid = waiter.tid.value_or(0),
            .exclusive = waiter.is(KTWIN_WAITER_EXCLUSIVE),
            .next = waiter.is(KTWIN_WAITER_NEXT),
        });
    }
    return rows;
}

// In the order in which they were woken. Those of one instant stand as they stood in the queue.
std::vector<Woken> woken(const std::vector<Sleeper>& sleepers, const std::vector<Row>& before) {
    std::vector<Woken> woken;
    for (const Row& row : before) {
        const auto at = std::ranges::find(sleepers, row.tid, &Sleeper::tid);
        if (at == sleepers.end() || !at->end || !*at->end || (*at->end)->end != WaitEnd::woken) {
            continue;
        }
        woken.push_back({(*at->end)->order, at->number, at->tid, at->exclusive, (*at->end)->slept_ns});
    }
    std::ranges::stable_sort(woken, {}, &Woken::order);
    return woken;
}

Json json_of_rows(const std::vector<Row>& rows) {
    Json array = Json::array();
    for (const Row& row : rows) {
        array.push_back({{"position", row.position},
                         {"started", row.number},
                         {"tid", row.tid},
                         {"exclusive", row.exclusive},
                         {"next", row.next}});
    }
    return array;
}

Json json_of_woken(const std::vector<Woken>& woken) {
    Json array = Json::array();
    for (const Woken& one : woken) {
        array.push_back({{"order", one.order},
                         {"started", one.number},
                         {"tid", one.tid},
                         {"exclusive", one.exclusive},
                         {"slept_ns", one.slept_ns}});
    }
    return array;
}

std::string yes_no(bool value) {
    return cell_text(Json(value));
}

void print_rows(const std::vector<Row>& rows) {
    Table table({{"POS", Align::right},
                 {"STARTED", Align::right},
                 {"TID", Align::right},
                 {"EXCL", Align::left},
                 {"NEXT", Align::left}});
    for (const Row& row : rows) {
        table.add({std::to_string(row.position), std::to_string(row.number), std::to_string(row.tid),
                   yes_no(row.exclusive), yes_no(row.next)});
    }
    emit(table.str({}));
}

void print_woken(const std::vector<Woken>& woken) {
    Table table({{"ORDER", Align::right},
                 {"STARTED", Align::right},
                 {"TID", Align::right},
                 {"EXCL", Align::left},
                 {"SLEPT", Align::right}});
    for (const Woken& one : woken) {
        table.add({std::to_string(one.order), std::to_string(one.number), std::to_string(one.tid),
                   yes_no(one.exclusive), duration_text(one.slept_ns)});
    }
    emit(table.str({}));
}

struct Demo {
    std::vector<Row> before;
    uint32_t counted;  // by the wake
    std::vector<Woken> woken;
    std::vector<Row> after;
};

Result<Demo> play(const Queue& queue, const QueueOptions& options) {
    Sleepers sleepers(queue);
    const Result<void> started = sleepers.start(options.sleepers, options.exclusives(), false);
    if (!started) {
        return std::unexpected(started.error());
    }
    const Result<WaitList> before = queue.waiters();
    if (!before) {
        return std::unexpected(before.error());
    }
    std::this_thread::sleep_for(std::chrono::seconds(options.hold));
    const Result<WakeResult> wake = queue.wake({.nr = options.wake});
    if (!wake) {
        return std::unexpected(wake.error());
    }
    // Who was woken has yet to come back from the kernel.
    Sleepers::until([&] { return sleepers.ended() >= wake->woken; });
    const Result<WaitList> after = queue.waiters();
    if (!after) {
        return std::unexpected(after.error());
    }
    const std::vector<Sleeper> all = sleepers.all();
    Demo demo = {rows(*before, all), wake->woken, {}, rows(*after, all)};
    demo.woken = woken(all, demo.before);
    return demo;
}

void print_demo(const Demo& demo, const QueueOptions& options) {
    emit_line(fmt::format("{} on a wait queue ({}), {} of them exclusive, in wake order:",
                          counted(options.sleepers, "sleeper"), options.backend, options.exclusives()));
    print_rows(demo.before);
    const std::string wake = options.wake ? fmt::format("wake_up_nr({})", options.wake) : "wake_up_all()";
    emit_line(fmt::format("{} wakes {}{}", wake, counted(demo.counted, "sleeper"), demo.counted ? ":" : ""));
    if (!demo.woken.empty()) {
        print_woken(demo.woken);
    }
    emit_line(demo.after.empty() ? "nobody sleeps on" : "still asleep:");
    if (!demo.after.empty()) {
        print_rows(demo.after);
    }
}

int show_demo(const Queue& queue, const QueueOptions& options) {
    const Result<Demo> demo = play(queue, options);
    if (!demo) {
        return report(demo.error());
    }
    if (options.json) {
        emit_line(dump(Json{{"backend", options.backend},
                            {"sleepers", options.sleepers},
                            {"exclusive", options.exclusives()},
                            {"nr", options.wake},
                            {"before", json_of_rows(demo->before)},
                            {"counted", demo->counted},
                            {"woken", json_of_woken(demo->woken)},
                            {"after", json_of_rows(demo->after)}}));
    } else {
        print_demo(*demo, options);
    }
    if (demo->woken.size() != demo->counted) {
        fmt::print(stderr, "ktwin: the wake counted {}, but {} came back\n", demo->counted,
                   demo->woken.size());
        return different;
    }
    return fine;
}

// What one token did to all that waited for it.
Result<WaitStats> stampede(const Queue& queue, const QueueOptions& options) {
    Sleepers sleepers(queue);
    const Result<void> started =
        sleepers.start(options.sleepers, options.all_exclusive ? options.sleepers : 0, true);
    if (!started) {
        return std::unexpected(started.error());
    }
    const Result<WakeResult> wake = queue.wake({.nr = 1, .post = 1});
    if (!wake) {
        return std::unexpected(wake.error());
    }
    // One takes it; the others find none and go back to sleep.
    Result<WaitStats> stats = queue.stats();
    Sleepers::until([&] {
        stats = queue.stats();
        return !stats || (sleepers.ended() && stats->futile + sleepers.ended() >= stats->woken);
    });
    return stats;
}

int show_herd(const Queue& queue, const QueueOptions& options) {
    const Result<WaitStats> stats = stampede(queue, options);
    if (!stats) {
        return report(stats.error());
    }
    const uint64_t useful = stats->woken - std::min(stats->futile, stats->woken);
    const double share = stats->woken ? static_cast<double>(useful) / static_cast<double>(stats->woken) : 0;
    if (options.json) {
        emit_line(dump(Json{{"backend", options.backend},
                            {"sleepers", options.sleepers},
                            {"exclusive", options.all_exclusive},
                            {"tokens", 1},
                            {"woken", stats->woken},
                            {"useful", useful},
                            {"futile", stats->futile},
                            {"share", share},
                            {"herds", stats->herds},
                            {"herd_most", stats->herd_most}}));
    } else {
        emit_line(fmt::format(
            "{} ({}{}) wait for a token; one token, one wake:", counted(options.sleepers, "sleeper"),
            options.backend, options.all_exclusive ? ", exclusive" : ""));
        emit_line(fmt::format("{} woken, {} took it, {} in vain: {:.1f} % useful{}", stats->woken, useful,
                              stats->futile, share * 100, stats->herds ? ", a thundering herd" : ""));
    }
    return fine;
}

std::optional<ktwin_backend> parse_backend(std::string_view name) {
    for (const ktwin_backend backend : {KTWIN_BACKEND_TWIN, KTWIN_BACKEND_KERNEL}) {
        if (backend_name(backend) == name) {
            return backend;
        }
    }
    return std::nullopt;
}

int with_queue(const std::string& device, const QueueOptions& options,
               int (*work)(const Queue&, const QueueOptions&)) {
    const auto backend = parse_backend(options.backend);
    if (!backend) {
        return usage_error("queue: --backend is twin or kernel");
    }
    if (options.sleepers < 1 || options.sleepers > most_sleepers) {
        return usage_error(fmt::format("queue: --sleepers is 1 to {}", most_sleepers));
    }
    if (options.exclusives() > options.sleepers) {
        return usage_error("queue: more exclusive sleepers than sleepers");
    }
    return with_device(device, [&](Device& open) {
        const Result<Queue> queue = open.queue(*backend);
        return queue ? work(*queue, options) : report(queue.error());
    });
}

std::shared_ptr<QueueOptions> common_options(Command& command, uint32_t sleepers) {
    auto options = std::make_shared<QueueOptions>();
    options->sleepers = sleepers;
    command.json(options->json);
    command.option("--backend", "NAME", options->backend,
                   "twin: ktwin's own queue (so without); kernel: the kernel's");
    command.option("--sleepers", "N", options->sleepers, fmt::format("threads that sleep ({})", sleepers));
    return options;
}

void add_demo(Command& queue) {
    Command command = queue.add("demo", "some threads sleep, a wake wakes some of them: which?");
    auto options = common_options(command, 5);
    command.option("--exclusive", "M", options->exclusive, "of them, woken one by one (half)");
    command.option("--wake", "NR", options->wake, "exclusive ones to wake (1); 0: all");
    command.option("--hold", "SECONDS", options->hold, "leave them asleep so long, to be looked at (0)");
    command.run([options, &device = command.device()] { return with_queue(device, *options, show_demo); });
}

void add_herd(Command& queue) {
    Command command = queue.add("herd", "many threads wait for one token: what its wake costs");
    auto options = common_options(command, 100);
    command.flag("--exclusive", options->all_exclusive, "all sleep exclusively");
    command.run([options, &device = command.device()] { return with_queue(device, *options, show_herd); });
}

}  // namespace

void add_queue(Command& ktwin) {
    Command queue = ktwin.add("queue", "a wait queue to look at: wake order, thundering herds");
    queue.run([] { return usage_error("queue: demo or herd?"); });
    add_demo(queue);
    add_herd(queue);
}

}  // namespace ktwin::cli
