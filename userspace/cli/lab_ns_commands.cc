// SPDX-License-Identifier: GPL-2.0-only
// Commands of a lab script that concern namespaces and the lab as a whole.
#include "command.h"
#include "lab_asked.h"
#include "output.h"
#include "output_file.h"

namespace ktwin::cli {

LabDone create_lab_namespace(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t parent = asked.ns(0);
    const uint32_t pid_max = asked.option("--pid-max", 0, UINT32_MAX, 0);
    if (asked.complaint()) {
        return senseless(asked);
    }
    const Result<LabCreated> made = session.lab().create_namespace(parent, pid_max);
    if (!made) {
        return refused(made.error());
    }
    session.note_namespace(made->ns, parent);
    return LabOutcome{fmt::format("namespace {} at level {}, below {}", made->ns, made->level, parent),
                      {{"ns", made->ns}, {"level", made->level}, {"parent", parent}},
                      {made->ns}};
}

LabDone list_lab_namespaces(LabSession& session, const Arguments&) {
    const Result<std::vector<LabNs>> all = session.lab().namespaces();
    if (!all) {
        return refused(all.error());
    }
    Json array = Json::array();
    for (const LabNs& ns : *all) {
        array.push_back(lab_json(ns));
    }
    return LabOutcome{without_end(lab_namespaces_text(*all, utf8_locale())), {{"namespaces", array}}};
}

LabDone lab_pid_max(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t ns = asked.ns(0);
    const uint32_t wanted = asked.number(1, "pid_max", 0, UINT32_MAX, 0);
    if (asked.complaint()) {
        return senseless(asked);
    }
    const bool set = arguments.count() > 1;
    const Result<uint32_t> before = set ? session.lab().set_pid_max(ns, wanted) : session.lab().pid_max(ns);
    if (!before) {
        return refused(before.error());
    }
    const uint32_t now = set ? wanted : *before;
    return LabOutcome{set ? fmt::format("pid_max of namespace {}: {}, before {}", ns, now, *before)
                          : fmt::format("pid_max of namespace {}: {}", ns, now),
                      {{"ns", ns}, {"pid_max", now}, {"before", *before}},
                      {now}};
}

LabDone kill_lab_namespace(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t ns = asked.ns(0);
    if (asked.complaint()) {
        return senseless(asked);
    }
    const Result<LabKilled> killed = session.lab().kill(ns);
    if (!killed) {
        return refused(killed.error());
    }
    std::string text =
        fmt::format("{} ended, {} went", counted(killed->tasks, "task"), counted(killed->pids, "pid"));
    if (killed->left) {
        text += fmt::format(", {} left: tasks of outside use {} as group or session",
                            counted(killed->left, "number"), killed->left == 1 ? "it" : "them");
    }
    return LabOutcome{text,
                      {{"ns", ns}, {"tasks", killed->tasks}, {"pids", killed->pids}, {"left", killed->left}}};
}

LabDone show_lab_stats(LabSession& session, const Arguments&) {
    const Result<LabStats> stats = session.lab().stats();
    if (!stats) {
        return refused(stats.error());
    }
    return LabOutcome{without_end(lab_stats_text(*stats)), {{"stats", lab_json(*stats)}}};
}

LabDone show_lab(LabSession& session, const Arguments& arguments) {
    Asked asked(arguments);
    const uint32_t ns = asked.ns(0, 0);
    if (asked.complaint()) {
        return senseless(asked);
    }
    const Result<LabView> view = session.view(ns);
    if (!view) {
        return refused(view.error());
    }
    const std::string* path = arguments.value("--svg");
    if (!path) {
        return LabOutcome{without_end(lab_view_text(*view, utf8_locale())), lab_json(*view)};
    }
    const Result<void> written = write_file(*path, lab_svg(*view));
    return written ? LabDone(LabOutcome{*path == "-" ? "" : fmt::format("drawn: {}", printable(*path)),
                                        {{"svg", *path}}})
                   : refused(written.error());
}

}  // namespace ktwin::cli
