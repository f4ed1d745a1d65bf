// SPDX-License-Identifier: GPL-2.0-only
// What the commands of a lab script share: their arguments as values, their answers.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <string>
#include <vector>

#include "lab_session.h"
#include "lib/names.h"
#include "lib/text.h"

namespace ktwin::cli {

// The arguments as values. What is wrong with the first that makes no sense is kept, the rest is of no use then.
class Asked {
  public:
    explicit Asked(const Arguments& arguments) : arguments_(arguments) {}

    // Those that are missing have the value given.
    uint32_t ns(size_t i, uint32_t missing = 1) { return number(i, "namespace", 0, UINT32_MAX, missing); }
    int32_t nr(size_t i) { return static_cast<int32_t>(number(i, "number", 0, INT32_MAX, 0)); }
    uint32_t task(size_t i) {
        return i < arguments_.count() && arguments_.at(i) == "new" ? 0 : number(i, "task", 0, UINT32_MAX, 0);
    }
    uint32_t number(size_t i, std::string_view what, int64_t least, int64_t most, uint32_t missing) {
        return i < arguments_.count() ? take(arguments_.at(i), what, least, most) : missing;
    }
    uint32_t option(std::string_view name, int64_t least, int64_t most, uint32_t missing) {
        const std::string* value = arguments_.value(name);
        return value ? take(*value, name, least, most) : missing;
    }
    uint32_t type(size_t i) { return word(arguments_.at(i), lab_type, "pid, tgid, pgid or sid"); }
    uint32_t how(uint32_t missing) {
        const std::string* value = arguments_.value("--how");
        return value ? word(*value, lab_how, "cyclic, lowest or any") : missing;
    }
    // "7" or "7,3,12". As the kernel sees them, so that it is the kernel that refuses.
    std::vector<int32_t> wanted() {
        std::vector<int32_t> numbers;
        const std::string* value = arguments_.value("--wanted");
        for (size_t at = 0; value && at <= value->size();) {
            const size_t comma = std::min(value->find(',', at), value->size());
            const auto nr = parse_number(value->substr(at, comma - at), "--wanted", INT32_MIN, INT32_MAX);
            numbers.push_back(nr ? static_cast<int32_t>(*nr) : complain(nr.error()));
            at = comma + 1;
        }
        return numbers;
    }
    Range range(size_t i) {
        const Parsed<Range> range = parse_range(arguments_.at(i), "number", 0, INT32_MAX);
        return range ? *range : Range{complain(range.error()), -1};
    }

    const std::optional<std::string>& complaint() const { return complaint_; }

  private:
    int32_t complain(const std::string& why) {
        if (!complaint_) {
            complaint_ = why;
        }
        return 0;
    }
    uint32_t take(const std::string& text, std::string_view what, int64_t least, int64_t most) {
        const Parsed<int64_t> value = parse_number(text, what, least, most);
        return value ? static_cast<uint32_t>(*value) : static_cast<uint32_t>(complain(value.error()));
    }
    uint32_t word(const std::string& text, std::optional<uint32_t> (*meaning)(std::string_view),
                  std::string_view words) {
        const std::optional<uint32_t> value = meaning(text);
        return value ? *value
                     : static_cast<uint32_t>(complain(fmt::format("'{}' is not {}", printable(text), words)));
    }

    const Arguments& arguments_;
    std::optional<std::string> complaint_;
};

inline std::unexpected<LabTrouble> refused(const Error& error) {
    return std::unexpected(LabTrouble{false, error});
}

inline std::unexpected<LabTrouble> senseless(const Asked& asked) {
    return std::unexpected(LabTrouble{true, {EINVAL, *asked.complaint()}});
}

inline std::string without_end(std::string text) {
    if (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

// lab_ns_commands.cc
LabDone create_lab_namespace(LabSession& session, const Arguments& arguments);
LabDone list_lab_namespaces(LabSession& session, const Arguments& arguments);
LabDone lab_pid_max(LabSession& session, const Arguments& arguments);
LabDone kill_lab_namespace(LabSession& session, const Arguments& arguments);
LabDone show_lab_stats(LabSession& session, const Arguments& arguments);
LabDone show_lab(LabSession& session, const Arguments& arguments);

// lab_pid_commands.cc
LabDone alloc_lab_pid(LabSession& session, const Arguments& arguments);
LabDone free_lab_pids(LabSession& session, const Arguments& arguments);
LabDone find_lab_pid(LabSession& session, const Arguments& arguments);
LabDone next_lab_pid(LabSession& session, const Arguments& arguments);
LabDone list_lab_pids(LabSession& session, const Arguments& arguments);

// lab_task_commands.cc
LabDone attach_lab_task(LabSession& session, const Arguments& arguments);
LabDone detach_lab_task(LabSession& session, const Arguments& arguments);
LabDone change_lab_task(LabSession& session, const Arguments& arguments);
LabDone transfer_lab_task(LabSession& session, const Arguments& arguments);
LabDone exchange_lab_tasks(LabSession& session, const Arguments& arguments);
LabDone list_lab_tasks(LabSession& session, const Arguments& arguments);

}  // namespace ktwin::cli
