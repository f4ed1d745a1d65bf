// SPDX-License-Identifier: GPL-2.0-only
// ktwin mirror on|off|resync
#include <fmt/format.h>
#include <uapi/ktwin.h>

#include <cerrno>

#include "command.h"
#include "lib/names.h"

namespace ktwin::cli {
namespace {

struct Operation {
    std::string_view name;
    ktwin_mirror_op op;
    std::string_view help;
};

constexpr Operation operations[] = {
    {"on", KTWIN_MIRROR_ON, "place the probes and populate the twin"},
    {"off", KTWIN_MIRROR_OFF, "take the probes away and empty the twin"},
    {"resync", KTWIN_MIRROR_RESYNC, "forget the twin and populate it anew"},
};

int change(Device& device, ktwin_mirror_op op, bool json) {
    const Result<void> result = device.mirror(op);
    // What was asked for is so: no error.
    if (!result && result.error().code != EALREADY) {
        return report(result.error());
    }
    const Result<Status> status = device.status();
    if (!status) {
        return report(status.error());
    }
    if (json) {
        emit_line(dump(Json{{"state", state_name(status->state)},
                            {"why", why_names(status->why)},
                            {"changed", result.has_value()},
                            {"epoch", status->epoch},
                            {"pids", status->pids},
                            {"namespaces", status->namespaces},
                            {"populate_ns", status->populate_ns}}));
        return fine;
    }
    std::string text = fmt::format("mirror: {}{}", state_name(status->state), result ? "" : " already");
    if (status->state != KTWIN_OFF) {
        text +=
            fmt::format(", {} in {}", counted(status->pids, "pid"), counted(status->namespaces, "namespace"));
        if (result && !status->scoped) {
            text += fmt::format(", populated in {}", duration_text(status->populate_ns));
        }
        if (status->why) {
            text += ": " + join(why_sentences(status->why), "; ");
        }
    }
    emit_line(text);
    return fine;
}

}  // namespace

void add_mirror(Command& ktwin) {
    Command command = ktwin.add("mirror", "switch the mirror: on, off, resync");
    command.run([] { return usage_error("mirror: on, off or resync?"); });
    auto json = std::make_shared<bool>(false);
    for (const Operation& operation : operations) {
        Command verb = command.add(std::string(operation.name), std::string(operation.help));
        verb.json(*json);
        verb.run([=, op = operation.op, &device = verb.device()] {
            return with_device(device, [&](Device& open) { return change(open, op, *json); });
        });
    }
}

}  // namespace ktwin::cli
