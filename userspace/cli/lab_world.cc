// SPDX-License-Identifier: GPL-2.0-only
// ktwin lab run, show, demo, backends: private PID worlds.
#include <fmt/format.h>
#include <uapi/ktwin.h>

#include <algorithm>

#include "command.h"
#include "lab_demo.h"
#include "lab_run.h"
#include "lib/names.h"
#include "output_file.h"

namespace ktwin::cli {
namespace {

constexpr uint32_t backends[] = {KTWIN_LAB_TWIN,   KTWIN_LAB_BLOCKS, KTWIN_LAB_PIDMAP, KTWIN_LAB_IDR,
                                 KTWIN_LAB_XARRAY, KTWIN_LAB_IDA,    KTWIN_LAB_SBITMAP};

std::string backend_names() {
    std::vector<std::string> names;
    for (const uint32_t backend : backends) {
        names.push_back(lab_backend_name(backend));
    }
    return join(names, ", ");
}

struct ScriptOptions {
    LabRunOptions run;
    std::string backend = "twin";
    std::vector<std::string> files;
    uint32_t ns = 0;  // show
    std::string svg;  // show
};

void add_lab_options(Command& command, ScriptOptions& options) {
    LabOptions& lab = options.run.lab;
    command.json(options.run.json);
    command.option("--backend", "NAME", options.backend, backend_names() + " (twin)");
    command.option("--pid-max", "N", lab.pid_max, "of namespace 1 (32768)");
    command.option("--limit", "N", lab.limit, "no pid_max may be above it (the pid_max)");
    command.option("--pids", "N", lab.pids, "most pids at a time (65536)");
    command.option("--namespaces", "N", lab.namespaces, "most namespaces at a time (256)");
    command.option("--tasks", "N", lab.tasks, "most tasks at a time (as many as pids)");
    command.option("--bytes", "N", lab.bytes, "most memory (67108864)");
}

int with_lab(const std::string& device, ScriptOptions& options, const std::function<int(LabSession&)>& work) {
    const std::optional<uint32_t> backend = lab_backend(options.backend);
    if (!backend) {
        return usage_error(fmt::format("lab: --backend is one of {}", backend_names()));
    }
    if (options.files.size() > 1) {
        return usage_error("lab: one script at a time");
    }
    options.run.lab.backend = *backend;
    return with_device(device, [&](Device& open) {
        Result<LabSession> session = open_lab(open, options.run.lab);
        return session ? work(*session) : report(session.error());
    });
}

std::string script_of(const ScriptOptions& options) {
    return options.files.empty() ? "" : options.files.front();
}

void add_run(Command& lab) {
    Command command = lab.add("run", "does a script in a fresh lab: FILE, standard input, or at a prompt");
    auto options = std::make_shared<ScriptOptions>();
    add_lab_options(command, *options);
    command.flag("-k,--keep-going", options->run.keep_going, "past commands that fail");
    command.flag("-x,--echo", options->run.echo, "each command before what it says");
    command.words("FILE", options->files,
                  "the script; - or none: standard input. 'help' in it lists its commands");
    command.run([options, &device = command.device()] {
        return with_lab(device, *options, [&](LabSession& session) {
            return run_script(session, options->run, script_of(*options), false);
        });
    });
}

int show(LabSession& session, const ScriptOptions& options) {
    const int status = run_script(session, options.run, script_of(options), true);
    if (status != fine) {
        return status;
    }
    const Result<LabView> view = session.view(options.ns);
    if (!view) {
        return report(view.error());
    }
    if (!options.svg.empty()) {
        const Result<void> written = write_file(options.svg, lab_svg(*view));
        return written ? fine : report(written.error());
    }
    emit(options.run.json ? dump(lab_json(*view)) + "\n" : lab_view_text(*view, utf8_locale()));
    return fine;
}

void add_show(Command& lab) {
    Command command =
        lab.add("show", "does a script quietly, then draws the lab: namespaces, numbers, pools");
    auto options = std::make_shared<ScriptOptions>();
    add_lab_options(command, *options);
    command.option("--ns", "N", options->ns, "the numbers of this namespace of the lab alone");
    command.option("--svg", "FILE", options->svg, "as a picture");
    command.words("FILE", options->files, "the script; - or none: standard input");
    command.run([options, &device = command.device()] {
        return with_lab(device, *options, [&](LabSession& session) { return show(session, *options); });
    });
}

// --- worked examples

struct DemoOptions {
    LabRunOptions run;
    std::string backend = "twin";
    bool script = false;
};

void tell_title(const DemoOptions& options, std::string_view title, std::string_view backend, bool skipped) {
    if (options.run.json) {
        emit_line(dump(Json{{"chapter", title}, {"backend", backend}, {"skipped", skipped}}));
    } else if (skipped) {
        emit_line(fmt::format("== {}: not with {}, which has no such operation\n", title, backend));
    } else {
        emit_line(fmt::format("== {} ({})", title, backend));
    }
}

int play_chapter(Device& device, const DemoOptions& options, const Chapter& chapter, uint32_t backend) {
    Result<LabSession> session = open_lab(device, {.backend = backend, .pids = chapter.pids});
    if (!session) {
        return report(session.error());
    }
    const std::string name = lab_backend_name(backend);
    const bool skipped = (session->has() & chapter.needs) != chapter.needs;
    tell_title(options, chapter.title, name, skipped);
    if (skipped) {
        return fine;
    }
    const int status = run_text(*session, options.run, chapter.script, fmt::format("demo ({})", name));
    if (!options.run.json) {
        emit_line("");
    }
    return status;
}

int play_demo(Device& device, const DemoOptions& options, std::span<const uint32_t> which) {
    int status = fine;
    for (const uint32_t backend : which) {
        for (const Chapter& chapter : chapters()) {
            status = std::max(status, play_chapter(device, options, chapter, backend));
            if (status == failed) {
                return status;
            }
        }
    }
    return status;
}

int print_demo() {
    for (const Chapter& chapter : chapters()) {
        emit_line(fmt::format("# --- {}; in a lab of its own: ktwin lab run -x{}{}", chapter.title,
                              chapter.pids ? fmt::format(" --pids {}", chapter.pids) : "", chapter.script));
    }
    return fine;
}

int demo(const DemoOptions& options, const std::string& device) {
    if (options.script) {
        return print_demo();
    }
    const std::optional<uint32_t> one = lab_backend(options.backend);
    if (!one && options.backend != "all") {
        return usage_error(fmt::format("lab demo: --backend is all or one of {}", backend_names()));
    }
    return with_device(device, [&](Device& open) {
        return play_demo(open, options,
                         one ? std::span<const uint32_t>(&*one, 1) : std::span<const uint32_t>(backends));
    });
}

void add_lab_demo(Command& lab) {
    Command command =
        lab.add("demo", "worked examples: namespaces, the cursor, what keeps a number, how one ends");
    auto options = std::make_shared<DemoOptions>();
    options->run.echo = true;
    command.json(options->run.json);
    command.option("--backend", "NAME", options->backend, "all, or one of " + backend_names() + " (twin)");
    command.flag("--script", options->script, "print them, to be changed and run with ktwin lab run");
    command.run([options, &device = command.device()] { return demo(*options, device); });
}

// --- what there is

struct Backend {
    uint32_t backend;
    Result<LabStats> stats;
};

Json has(const Backend& b, uint32_t what) {
    return b.stats ? Json((b.stats->has & what) != 0) : Json(nullptr);
}

constexpr Column<Backend> backend_columns[] = {
    {"BACKEND", Align::left, true, "its name for --backend",
     [](const Backend& b) { return Json(lab_backend_name(b.backend)); }},
    {"CYCLIC", Align::left, true, "gives the next number behind the last one",
     [](const Backend& b) { return has(b, KTWIN_LAB_HAS_CYCLIC); }},
    {"LOWEST", Align::left, true, "gives the lowest number that is free",
     [](const Backend& b) { return has(b, KTWIN_LAB_HAS_LOWEST); }},
    {"ANY", Align::left, true, "gives some number of its own choice",
     [](const Backend& b) { return has(b, KTWIN_LAB_HAS_ANY); }},
    {"WANTED", Align::left, true, "gives a number that is asked for",
     [](const Backend& b) { return has(b, KTWIN_LAB_HAS_AT); }},
    {"PIDS", Align::left, true, "keeps a pid for each number: namespaces, find, list, roles",
     [](const Backend& b) { return has(b, KTWIN_LAB_HAS_PIDS); }},
    {"BYTES", Align::right, false, "memory of an empty lab",
     [](const Backend& b) { return b.stats ? Json(b.stats->bytes) : Json(nullptr); }},
    {"WHAT", Align::left, true, "what it is; or why it cannot be had",
     [](const Backend& b) {
         return Json(b.stats ? std::string(lab_backend_sentence(b.backend)) : b.stats.error().message);
     }},
};

Backend look_at(Device& device, uint32_t backend) {
    const Result<LabSession> session = open_lab(device, {.backend = backend});
    return {backend, session ? session->lab().stats() : std::unexpected(session.error())};
}

int list_backends(Device& device, const Format& format, const Selection<Backend>& selection) {
    Table table(selection.headings());
    Json array = Json::array();
    size_t missing = 0;
    for (const uint32_t one : backends) {
        const Backend backend = look_at(device, one);
        // Nothing to be had at all is no matter of backends.
        if (!backend.stats && ++missing == std::size(backends)) {
            return report(backend.stats.error());
        }
        table.add(selection.cells(backend));
        array.push_back(selection.object(backend));
    }
    emit(format.json ? dump(Json{{"backends", array}}) + "\n" : table.str(style(format)));
    return missing ? different : fine;
}

void add_backends(Command& lab) {
    Command command =
        lab.add("backends", "what hands out numbers in a lab, and what each can do: a lab of each is opened");
    auto format = std::make_shared<Format>();
    command.format(*format);
    command.run([format, &device = command.device()] {
        const auto selection = choose(backend_columns, *format);
        if (!selection) {
            return selection.error();
        }
        return with_device(device, [&](Device& open) { return list_backends(open, *format, *selection); });
    });
}

}  // namespace

void add_lab_world(Command& lab) {
    add_run(lab);
    add_show(lab);
    add_lab_demo(lab);
    add_backends(lab);
}

}  // namespace ktwin::cli
