// SPDX-License-Identifier: GPL-2.0-only
// ktwin audit: a pass now, or each second, or the last background pass; and the background rate.
#include <fmt/format.h>
#include <uapi/ktwin.h>

#include <cerrno>
#include <cstring>

#include "command.h"
#include "lib/names.h"

namespace ktwin::cli {
namespace {

constexpr size_t printed_at_most = 20;

constexpr Column<Audit> columns[] = {
    {"CHECKED", Align::right, true, "numbers compared", [](const Audit& a) { return Json(a.checked); }, 9},
    {"PIDS", Align::right, true, "struct pids among them", [](const Audit& a) { return Json(a.pids); }, 7},
    {"NAMESPACES", Align::right, true, "PID namespaces", [](const Audit& a) { return Json(a.namespaces); }},
    {"DIFFERENCES", Align::right, true, "confirmed in this pass",
     [](const Audit& a) { return Json(a.differences); }},
    {"TRANSIENTS", Align::right, true, "seen, and gone when looked at again",
     [](const Audit& a) { return Json(a.transients); }},
    {"COMPLETE", Align::left, true, "everything was checked",
     [](const Audit& a) { return Json(a.complete); }},
    {"WHY", Align::left, true, "if not, why", [](const Audit& a) { return Json(why_names(a.why)); }},
    {"STARTED_NS", Align::right, false, "CLOCK_MONOTONIC", [](const Audit& a) { return Json(a.started_ns); },
     15},
    {"DURATION_NS", Align::right, false, "length of the pass",
     [](const Audit& a) { return Json(a.duration_ns); }},
    {"EPOCH", Align::right, false, "population it was made in", [](const Audit& a) { return Json(a.epoch); }},
    {"PASSES", Align::right, false, "passes since load", [](const Audit& a) { return Json(a.passes); }},
    {"PASSES_COMPLETE", Align::right, false, "complete ones among them",
     [](const Audit& a) { return Json(a.passes_complete); }},
    {"CHECKED_TOTAL", Align::right, false, "numbers compared since load",
     [](const Audit& a) { return Json(a.checked_total); }},
    {"DIFFERENCES_TOTAL", Align::right, false, "distinct differences since load",
     [](const Audit& a) { return Json(a.differences_total); }},
    {"LOCKSTEP", Align::left, false, "the twin makes each allocation too",
     [](const Audit& a) { return Json(a.lockstep); }},
    {"LOCKSTEP_NAMESPACES", Align::right, false, "namespaces it follows",
     [](const Audit& a) { return Json(a.lockstep_namespaces); }},
    {"ALLOCATIONS", Align::right, false, "allocations made by both since lockstep is on",
     [](const Audit& a) { return Json(a.allocations); }},
    {"PREDICTED", Align::right, false, "with the same result",
     [](const Audit& a) { return Json(a.predicted); }},
    {"MISPREDICTED", Align::right, false, "with another",
     [](const Audit& a) { return Json(a.mispredicted); }},
    {"ADOPTING", Align::right, false, "not predicted: the namespace was still being read",
     [](const Audit& a) { return Json(a.adopting); }},
    {"CURSOR_SET", Align::right, false, "not predicted: ns_last_pid was written",
     [](const Audit& a) { return Json(a.cursor_set); }},
    {"KERNEL_NO_MEMORY", Align::right, false, "not predicted: the kernel had no memory",
     [](const Audit& a) { return Json(a.kernel_no_memory); }},
    {"TWIN_NO_MEMORY", Align::right, false, "not predicted: the twin had no memory",
     [](const Audit& a) { return Json(a.twin_no_memory); }},
    {"MISSED", Align::right, false, "not predicted: the kernel skipped a probe hit",
     [](const Audit& a) { return Json(a.missed); }},
    {"CONTRADICTED", Align::right, false, "events that were lost, as others show",
     [](const Audit& a) { return Json(a.contradicted); }},
    {"UNFOLLOWED", Align::right, false, "forks into namespaces the twin had no memory to follow",
     [](const Audit& a) { return Json(a.unfollowed); }},
    {"SKIPPED", Align::right, false, "probe hits that the kernel skipped, of any idr",
     [](const Audit& a) { return Json(a.skipped); }},
    {"LOCKSTEP_SINCE_NS", Align::right, false, "when lockstep was switched on last, CLOCK_MONOTONIC",
     [](const Audit& a) { return Json(a.lockstep_since_ns); }},
};

// A divergence that this pass confirmed, not one that only an earlier pass saw; a misprediction stands as long as lockstep
// counts it: until it is switched on again.
bool current(const Divergence& divergence, const Audit& audit) {
    return divergence.last_ns >=
           (divergence.kind == KTWIN_MISPREDICTED ? audit.lockstep_since_ns : audit.started_ns);
}

Json divergence_object(const Divergence& d, const Audit& audit) {
    Json object = {
        {"index", d.index},
        {"ns", d.ns},
        {"pid", d.nr},
        {"kind", divergence_name(d.kind)},
        {"current", current(d, audit)},
        {"time_ns", d.time_ns},
        {"last_ns", d.last_ns},
        {"passes", d.passes},
        {"epoch", d.epoch},
        {"kernel_hash", fmt::format("{:016x}", d.kernel_hash)},
        {"twin_hash", fmt::format("{:016x}", d.twin_hash)},
        {"twin_serial", d.twin_serial},
    };
    if (d.kind == KTWIN_MISPREDICTED) {
        object["kernel_nr"] = d.kernel_nr;
        object["twin_nr"] = d.twin_nr;
    }
    return object;
}

Json everything(const Audit& audit, const std::vector<Divergence>& divergences) {
    Json object = Json::object();
    for (const auto& column : columns) {
        object[lower(column.name)] = column.value(audit);
    }
    object["divergences"] = Json::array();
    for (const Divergence& divergence : divergences) {
        object["divergences"].push_back(divergence_object(divergence, audit));
    }
    return object;
}

std::string verdict(const Audit& audit) {
    const std::string differences = counted(audit.differences, "difference");
    std::string text = fmt::format("audit: {} in {} checked ({}), {}, ", counted(audit.checked, "number"),
                                   counted(audit.namespaces, "namespace"), counted(audit.pids, "pid"),
                                   audit.differences ? paint(Colour::red, differences) : differences);
    if (audit.complete) {
        return text + paint(audit.differences ? Colour::red : Colour::green, "complete");
    }
    text += paint(Colour::red, "INCOMPLETE");
    const std::string why = join(why_sentences(audit.why), "; ");
    return why.empty() ? text : text + ": " + why;
}

// What was not predicted, by its reasons.
std::vector<std::string> exceptions(const Audit& a) {
    const std::pair<uint64_t, std::string_view> reasons[] = {
        {a.adopting, "while the namespace was read"},
        {a.cursor_set, "after ns_last_pid was written"},
        {a.kernel_no_memory, "for which the kernel had no memory"},
        {a.twin_no_memory, "for which the twin had no memory"},
        {a.missed, "after the kernel skipped a probe hit"},
    };
    std::vector<std::string> texts;
    for (const auto& [count, reason] : reasons) {
        if (count) {
            texts.push_back(fmt::format("{} {}", count, reason));
        }
    }
    if (a.mispredicted) {
        texts.push_back(paint(Colour::red, fmt::format("{} MISPREDICTED", a.mispredicted)));
    }
    if (a.contradicted) {
        texts.push_back(
            paint(Colour::red, counted(a.contradicted, "event") + " lost that the twin should have seen"));
    }
    if (a.unfollowed) {
        texts.push_back(counted(a.unfollowed, "fork") + " not followed for lack of memory");
    }
    if (a.skipped) {
        texts.push_back(counted(a.skipped, "probe hit") + " skipped by the kernel");
    }
    return texts;
}

std::string lockstep_line(const Audit& audit) {
    std::string text = fmt::format("lockstep{}: predicted {} of {}", audit.lockstep ? "" : " (off)",
                                   audit.predicted, counted(audit.allocations, "allocation"));
    const std::vector<std::string> rest = exceptions(audit);
    return rest.empty() ? text : text + "; " + join(rest, "; ");
}

// A number, or the error in its place.
std::string result_text(int32_t result) {
    const char* name = result < 0 ? strerrorname_np(-result) : nullptr;
    return name ? name : std::to_string(result);
}

std::string misprediction(const Divergence& d) {
    return fmt::format("in namespace {}: the kernel's allocation gave {}, the twin's {}, at {}.{:06} s", d.ns,
                       result_text(d.kernel_nr), result_text(d.twin_nr), d.time_ns / 1000000000,
                       d.time_ns % 1000000000 / 1000);
}

std::string sentence(const Divergence& d) {
    if (d.kind == KTWIN_MISPREDICTED) {
        return misprediction(d);
    }
    std::string text = fmt::format("{} in namespace {}: {}", d.nr, d.ns, divergence_sentence(d.kind));
    text += fmt::format(" (confirmed in {} {}", d.passes, d.passes == 1 ? "pass" : "passes");
    return text +
           fmt::format(", first at {}.{:06} s)", d.time_ns / 1000000000, d.time_ns % 1000000000 / 1000);
}

// The differences of this pass one by one; what earlier passes saw as a count.
void print_divergences(const Audit& audit, const std::vector<Divergence>& divergences) {
    size_t now = 0;
    size_t earlier = 0;
    for (const Divergence& divergence : divergences) {
        if (!current(divergence, audit)) {
            earlier++;
        } else if (now++ < printed_at_most) {
            emit_line("  " + sentence(divergence));
        }
    }
    if (now > printed_at_most) {
        emit_line(fmt::format("  and {} more (ktwin audit -J has them all)", now - printed_at_most));
    }
    if (earlier) {
        emit_line(fmt::format("  {} of earlier passes, not seen in this one (ktwin audit -J)",
                              counted(earlier, "difference")));
    }
}

struct Options {
    Format format;
    bool watch = false;
    bool last = false;
    bool show_rate = false;
    uint64_t count = 0;
    std::optional<std::string> lockstep;
    std::optional<uint32_t> interval_ms;
    std::optional<uint32_t> batch;
    std::optional<uint32_t> cpu_percent;

    bool rate() const { return show_rate || interval_ms || batch || cpu_percent; }
    // Something that switching lockstep has no use for.
    bool audits() const {
        return rate() || watch || last || format.raw || format.no_headings || format.chosen();
    }
};

int show_rate(Device& device, const Options& options) {
    Result<AuditRate> rate = device.audit_rate();
    if (rate && (options.interval_ms || options.batch || options.cpu_percent)) {
        rate = device.set_audit_rate({
            .interval_ms = options.interval_ms.value_or(rate->interval_ms),
            .batch = options.batch.value_or(rate->batch),
            .cpu_percent = options.cpu_percent.value_or(rate->cpu_percent),
        });
    }
    if (!rate) {
        return report(rate.error());
    }
    if (options.format.json) {
        emit_line(dump(Json{
            {"interval_ms", rate->interval_ms}, {"batch", rate->batch}, {"cpu_percent", rate->cpu_percent}}));
    } else if (!rate->interval_ms) {
        emit_line("background audit: off");
    } else {
        emit_line(fmt::format("background audit: every {} ms, {} numbers a batch, at most {} % of a CPU",
                              rate->interval_ms, rate->batch, rate->cpu_percent));
    }
    return fine;
}

int switch_lockstep(Device& device, bool on, bool json) {
    const Result<void> result = device.mirror(on ? KTWIN_LOCKSTEP_ON : KTWIN_LOCKSTEP_OFF);
    // What was asked for is so: no error.
    if (!result && result.error().code != EALREADY) {
        return report(result.error());
    }
    if (json) {
        emit_line(dump(Json{{"lockstep", on}, {"changed", result.has_value()}}));
    } else {
        emit_line(fmt::format("lockstep: {}{}", on ? "on" : "off", result ? "" : " already"));
    }
    return fine;
}

class Printer {
  public:
    Printer(const Format& format, const Selection<Audit>& selection, bool watch)
        : format_(format), selection_(selection), watch_(watch) {}

    void print(const Audit& audit, const std::vector<Divergence>& divergences) {
        if (format_.json) {
            emit_line(dump(format_.chosen() ? selection_.object(audit) : everything(audit, divergences)));
        } else if (format_.raw || format_.chosen()) {
            print_row(audit);
        } else {
            emit_line(verdict(audit));
            if (audit.lockstep || audit.allocations || audit.contradicted) {
                emit_line(lockstep_line(audit));
            }
            if (!watch_) {
                print_divergences(audit, divergences);
            }
        }
    }

  private:
    void print_row(const Audit& audit) {
        const std::vector<Heading> headings = selection_.headings();
        if (!std::exchange(begun_, true) && !format_.no_headings) {
            emit_line(heading_line(headings, format_.raw));
        }
        emit_line(table_line(headings, selection_.cells(audit), format_.raw));
    }

    const Format& format_;
    const Selection<Audit>& selection_;
    const bool watch_;
    bool begun_ = false;
};

int audit_once(Device& device, bool last, Printer& printer) {
    const Result<Audit> audit = last ? device.last_audit() : device.run_audit();
    if (!audit) {
        return report(audit.error());
    }
    std::vector<Divergence> divergences;
    if (audit->differences_total || audit->differences) {
        Result<std::vector<Divergence>> known = device.divergences();
        if (!known) {
            return report(known.error());
        }
        divergences = std::move(*known);
    }
    printer.print(*audit, divergences);
    return audit->agrees() ? fine : different;
}

int watch(Device& device, const Options& options, Printer& printer) {
    const Interruptible interruptible;
    int worst = fine;
    for (uint64_t pass = 1;; pass++) {
        const int status = audit_once(device, options.last, printer);
        worst = std::max(worst, status);
        if (status == failed || !flush() || pass == options.count) {
            return worst;
        }
        interruptible.sleep_ms(1000);
        if (Interruptible::interrupted()) {
            return worst;
        }
    }
}

int run(Device& device, const Options& options, const Selection<Audit>& selection) {
    if (options.lockstep) {
        if (options.lockstep != "on" && options.lockstep != "off") {
            return usage_error("audit --lockstep: on or off?");
        }
        if (options.audits()) {
            return usage_error("audit --lockstep: alone, or with --json: it switches, and audits nothing");
        }
        return switch_lockstep(device, options.lockstep == "on", options.format.json);
    }
    if (options.rate()) {
        const int status = show_rate(device, options);
        if (status != fine || !options.watch) {
            return status;
        }
    }
    Printer printer(options.format, selection, options.watch);
    return options.watch ? watch(device, options, printer) : audit_once(device, options.last, printer);
}

}  // namespace

void add_audit(Command& ktwin) {
    Command command = ktwin.add("audit", "compare twin and kernel, number by number, now");
    auto options = std::make_shared<Options>();
    command.format(options->format);
    command.flag("-w,--watch", options->watch, "again each second, until Ctrl-C");
    command.option("--count", "N", options->count, "with --watch: this many passes");
    command.needs("--count", "--watch");
    command.flag("--last", options->last, "the last background pass instead of one now");
    command.optional("--lockstep", "on|off", options->lockstep,
                     "switch lockstep: each allocation of a pid is made in the twin too");
    command.flag("--rate", options->show_rate, "show the background rate");
    command.option("--interval", "MS", options->interval_ms,
                   "set it: pause between passes, 0: no background audit");
    command.option("--batch", "N", options->batch,
                   "set it: numbers between two points where the CPU is given away");
    command.option("--cpu", "PERCENT", options->cpu_percent, "set it: share of one CPU");
    run_with_columns(command, options, columns, run);
}

}  // namespace ktwin::cli
