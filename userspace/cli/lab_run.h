// SPDX-License-Identifier: GPL-2.0-only
// Scripts in a fresh lab: from a file, from standard input, at a prompt.
#pragma once

#include <string>
#include <string_view>

#include "lab_session.h"
#include "lib/device.h"

namespace ktwin::cli {

struct LabRunOptions {
    LabOptions lab = {};
    bool json = false;
    bool keep_going = false;
    bool echo = false;
};

// What ktwin lab takes the backend's name for; 0 for what the user did not say becomes what the backend needs.
Result<LabSession> open_lab(Device& device, LabOptions options);

// Says the answers as they come. One for a whole script.
class LabTeller {
  public:
    LabTeller(const LabRunOptions& options, std::string_view source, bool quiet)
        : options_(options), source_(source), quiet_(quiet) {}

    // A line as it was given. false: the script ends here.
    bool tell(std::string_view line, const LabAnswer& answer);
    // The exit status, in the end; says how many failed where that did not end it.
    int finish() const;

  private:
    void complain(const LabAnswer& answer);

    const LabRunOptions& options_;
    std::string_view source_;  // "FILE"; empty at a prompt
    bool quiet_;
    uint64_t number_ = 0;
    uint64_t commands_ = 0;
    uint64_t failures_ = 0;
    int status_ = 0;
};

// path "": standard input, with a prompt when that is a terminal. quiet: only what goes wrong is said.
int run_script(LabSession& session, const LabRunOptions& options, const std::string& path, bool quiet);

// Lines in memory, called name.
int run_text(LabSession& session, const LabRunOptions& options, std::string_view text, std::string_view name);

}  // namespace ktwin::cli
