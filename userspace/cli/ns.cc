// SPDX-License-Identifier: GPL-2.0-only
// ktwin ns: the PID namespaces visible from here, as a list or a tree.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "command.h"
#include "tree.h"

namespace ktwin::cli {
namespace {

constexpr Column<Namespace> columns[] = {
    {"NS", Align::left, true, "inode number, as ls -l /proc/PID/ns/pid shows it",
     [](const Namespace& n) { return Json(n.inode); }},
    {"LEVEL", Align::right, true, "levels below the caller's namespace",
     [](const Namespace& n) { return Json(n.level); }},
    {"PARENT", Align::right, false, "inode number of the parent",
     [](const Namespace& n) { return json_of(n.parent); }},
    {"COUNT", Align::right, true, "struct pids in it", [](const Namespace& n) { return Json(n.count); }},
    {"KERNEL_COUNT", Align::right, false, "the same as the kernel counts them",
     [](const Namespace& n) { return json_of(n.kernel_count); }},
    {"CURSOR", Align::right, true, "where the next cyclic search starts",
     [](const Namespace& n) { return json_of(n.cursor); }},
    {"PID_MAX", Align::right, true, "numbers below it can be had",
     [](const Namespace& n) { return json_of(n.pid_max); }},
    {"HEADROOM", Align::right, true, "free numbers", [](const Namespace& n) { return json_of(n.headroom); }},
    {"HOLE", Align::right, true, "largest run of free numbers: first+length",
     [](const Namespace& n) {
         return n.hole_start ? Json(fmt::format("{}+{}", *n.hole_start, *n.hole_length)) : Json(nullptr);
     }},
    {"CHILDREN", Align::right, false, "namespaces right below it",
     [](const Namespace& n) { return Json(n.children); }},
    {"REAPER", Align::right, true, "its process 1, as numbered here",
     [](const Namespace& n) { return json_of(n.reaper); }},
    {"DYING", Align::left, true, "its init is gone, no new number can be had",
     [](const Namespace& n) { return Json(n.dying); }},
    {"AGE", Align::right, false, "seconds since it was first seen; -: older than the mirror",
     [](const Namespace& n) {
         return n.first_seen_ns ? Json(static_cast<double>(now_ns() - *n.first_seen_ns) / 1e9)
                                : Json(nullptr);
     }},
};

Json object(const Namespace& n) {
    return {
        {"inode", n.inode},
        {"level", n.level},
        {"parent", json_of(n.parent)},
        {"count", n.count},
        {"kernel_count", json_of(n.kernel_count)},
        {"cursor", json_of(n.cursor)},
        {"pid_max", json_of(n.pid_max)},
        {"headroom", json_of(n.headroom)},
        {"hole", {{"start", json_of(n.hole_start)}, {"length", json_of(n.hole_length)}}},
        {"reaper", json_of(n.reaper)},
        {"dying", n.dying},
        {"children", n.children},
        {"first_seen_ns", json_of(n.first_seen_ns)},
    };
}

struct Options {
    Format format;
    uint32_t ns = 0;
    bool tree = false;
    bool list = false;
};

// The one asked for and all below it. The records come parents first.
std::vector<Namespace> below(const std::vector<Namespace>& all, uint32_t root) {
    std::vector<Namespace> kept;
    for (const Namespace& n : all) {
        const bool inside =
            std::ranges::any_of(kept, [&](const Namespace& k) { return n.parent == k.inode; });
        if (n.inode == root || inside) {
            kept.push_back(n);
        }
    }
    return kept;
}

int show(Device& device, const Options& options, const Selection<Namespace>& selection) {
    Result<std::vector<Namespace>> all = device.namespaces();
    if (!all) {
        return report(all.error());
    }
    if (options.ns) {
        *all = below(*all, options.ns);
        if (all->empty()) {
            return report(
                {ESRCH, fmt::format("namespace {}: no such PID namespace here or below", options.ns)});
        }
    }
    const Format& format = options.format;
    if (format.json) {
        Json array = Json::array();
        for (const Namespace& n : *all) {
            array.push_back(format.chosen() ? selection.object(n) : object(n));
        }
        emit_line(dump(Json{{"namespaces", array}}));
        return all->empty() ? different : fine;
    }
    const bool tree = options.tree || (!options.list && !format.raw && isatty(STDOUT_FILENO));
    const size_t trunk = tree ? selection.find("NS") : selection.size();
    Table table(selection.headings());
    const auto add = [&](const Namespace& n, std::string_view branch) {
        std::vector<std::string> cells = selection.cells(n);
        if (trunk < cells.size()) {
            cells[trunk].insert(0, branch);
        }
        table.add(std::move(cells));
    };
    if (tree) {
        for (const Branch& branch : namespace_tree(*all, utf8_locale())) {
            add((*all)[branch.index], branch.prefix);
        }
    } else {
        for (const Namespace& n : *all) {
            add(n, "");
        }
    }
    emit(table.str(style(format)));
    return all->empty() ? different : fine;
}

}  // namespace

void add_namespaces(Command& ktwin) {
    Command command = ktwin.add("ns", "the PID namespaces: tree, counts, limits, free numbers");
    auto options = std::make_shared<Options>();
    command.format(options->format);
    command.ns(options->ns);
    command.flag("-T,--tree", options->tree, "as a tree (so on a terminal)");
    command.flag("-l,--list", options->list, "as a list");
    command.excludes("--list", "--tree");
    run_with_columns(command, options, columns, show);
}

}  // namespace ktwin::cli
