// SPDX-License-Identifier: GPL-2.0-only
// A lab and the lines of a script that are done in it, one after the other: what ktwin lab run is made of.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "columns.h"
#include "lab_script.h"
#include "lab_view.h"
#include "lib/lab.h"

namespace ktwin::cli {

// What a command has to say.
struct LabOutcome {
    std::string text;  // lines, the last one without its end
    Json json = Json::object();
    std::vector<int64_t> values = {};  // to be bound to names
};

struct LabTrouble {
    bool usage;  // the line makes no sense; else the lab refused
    Error error;
};

using LabDone = std::expected<LabOutcome, LabTrouble>;

enum class Verdict {
    nothing,    // an empty line
    done,       // or refused with the error that was expected
    refused,    // with an error; or not, when one was expected
    senseless,  // nothing was tried
    ended,      // quit
};

struct LabAnswer {
    Verdict verdict = Verdict::nothing;
    std::string command = {};
    LabOutcome outcome = {};
    std::string error = {};  // what was wrong
};

class LabSession {
  public:
    // A session begins with a fresh lab; stats tell what it has.
    static Result<LabSession> begin(Lab lab);

    LabAnswer execute(std::string_view line);

    const Lab& lab() const { return lab_; }
    uint32_t has() const { return has_; }

    // The way to allocate where nothing is said.
    uint32_t usual_way() const;
    // 0 for the first, and for those that were not made here.
    uint32_t parent_of(uint32_t ns) const;
    void note_namespace(uint32_t ns, uint32_t parent) { parents_[ns] = parent; }

    // ns 0: of all, as many as can be looked at.
    Result<LabView> view(uint32_t ns) const;

  private:
    LabSession(Lab lab, uint32_t has) : lab_(std::move(lab)), has_(has) {}

    Lab lab_;
    uint32_t has_;
    std::map<uint32_t, uint32_t> parents_;
    Bindings bindings_;
};

// lab_commands.cc
struct LabCommand {
    std::string_view name;
    std::string_view usage;  // of its arguments; see Arguments
    std::string_view help;
    size_t results;  // values when it is done; --task is one more
    LabDone (*run)(LabSession& session, const Arguments& arguments);
};

// nullptr: there is none of that name.
const LabCommand* find_lab_command(std::string_view name);
std::string lab_commands_help();

}  // namespace ktwin::cli
