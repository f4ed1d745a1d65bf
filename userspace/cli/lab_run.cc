// SPDX-License-Identifier: GPL-2.0-only
#include "lab_run.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "command.h"
#include "lib/text.h"
#include "output.h"

namespace ktwin::cli {
namespace {

constexpr uint32_t usual_pid_max = 32768;
constexpr uint32_t block_room = 4096;  // a CPU
constexpr uint32_t most_numbers = 4194304;

// Whoever reads standard error may have gone, too.
void aside(const std::string& text) {
    std::fputs((text + "\n").c_str(), stderr);
}

// What ended the lines, if it was not their end; errno is that of the last read. A standard input that cannot be read has
// an end like any other, but for C.
bool is_broken(const std::istream& lines) {
    return lines.bad() || (&lines == &std::cin && std::ferror(stdin));
}

int cannot_read(std::string_view name, int code) {
    return report({code, fmt::format("cannot read {}: {}", name, std::strerror(code))});
}

// name: what cannot be read then.
int run_stream(LabSession& session, LabTeller& teller, std::istream& lines, std::string_view name,
               bool prompt) {
    std::string line;
    for (bool more = true; more;) {
        if (prompt) {
            emit("lab> ");
            flush();
        }
        errno = 0;
        more = static_cast<bool>(std::getline(lines, line));
        // Of the line that it stands in there is a part at most: not to be done.
        if (is_broken(lines)) {
            const int code = errno;
            return std::max(teller.finish(), cannot_read(name, code ? code : EIO));
        }
        more = more && teller.tell(line, session.execute(line));
    }
    if (prompt && lines.eof()) {
        emit_line("");
    }
    return prompt ? fine : teller.finish();
}

}  // namespace

Result<LabSession> open_lab(Device& device, LabOptions options) {
    if (options.backend == KTWIN_LAB_BLOCKS && !options.limit) {
        const auto cpus = static_cast<uint32_t>(std::clamp(::get_nprocs_conf(), 1, 1024));
        options.limit = std::max(options.pid_max ? options.pid_max : usual_pid_max,
                                 std::min(cpus * block_room, most_numbers));
    }
    Result<Lab> lab = device.lab(options);
    if (!lab) {
        return std::unexpected(lab.error());
    }
    return LabSession::begin(std::move(*lab));
}

void LabTeller::complain(const LabAnswer& answer) {
    failures_++;
    status_ = std::max<int>(status_, answer.verdict == Verdict::senseless ? failed : different);
    flush();
    aside(source_.empty() ? fmt::format("ktwin: {}", answer.error)
                          : fmt::format("ktwin: {}: line {}: {}", printable(source_), number_, answer.error));
}

int LabTeller::finish() const {
    if (failures_ && options_.keep_going && !source_.empty()) {
        flush();
        aside(fmt::format("ktwin: {}: {} of {} failed", printable(source_), failures_,
                          counted(commands_, "command")));
    }
    return status_;
}

bool LabTeller::tell(std::string_view line, const LabAnswer& answer) {
    number_++;
    if (answer.verdict == Verdict::nothing) {
        return true;
    }
    if (answer.verdict == Verdict::ended) {
        return false;
    }
    commands_++;
    const bool good = answer.verdict == Verdict::done;
    const bool say = good && answer.command == "say";
    if (!quiet_ && options_.json) {
        Json object = {{"line", number_}, {"command", answer.command}, {"ok", good}};
        object.update(answer.outcome.json);
        if (!good && !object.contains("error")) {
            object["error"] = answer.error;
        }
        emit_line(dump(object));
    } else if (!quiet_) {
        if (options_.echo && !say) {
            emit_line(fmt::format("> {}", printable(line)));
        }
        if (good && (!answer.outcome.text.empty() || say)) {
            emit_line(answer.outcome.text);
        }
    }
    if (!good) {
        complain(answer);
    }
    // Whoever drives a lab through pipes waits for each answer.
    return (quiet_ || flush()) && (good || options_.keep_going);
}

int run_script(LabSession& session, const LabRunOptions& options, const std::string& path, bool quiet) {
    if (!path.empty() && path != "-") {
        const std::string name = fmt::format("'{}'", printable(path));
        std::ifstream file(path);
        if (!file.is_open()) {
            return cannot_read(name, errno);
        }
        LabTeller teller(options, path, quiet);
        return run_stream(session, teller, file, name, false);
    }
    constexpr std::string_view input = "standard input";
    const bool prompt = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !options.json && !quiet;
    if (!prompt) {
        LabTeller teller(options, input, quiet);
        return run_stream(session, teller, std::cin, input, false);
    }
    // Who sees what went wrong goes on, and needs no status for it.
    LabRunOptions patient = options;
    patient.keep_going = true;
    LabTeller teller(patient, "", quiet);
    emit_line("A lab of your own: namespace 1 is empty. help lists the commands, quit or Ctrl-D ends it.");
    return run_stream(session, teller, std::cin, input, true);
}

int run_text(LabSession& session, const LabRunOptions& options, std::string_view text,
             std::string_view name) {
    LabTeller teller(options, name, false);
    for (bool more = true; more && !text.empty();) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        more = teller.tell(line, session.execute(line));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return teller.finish();
}

}  // namespace ktwin::cli
