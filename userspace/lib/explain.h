// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <vector>

#include "records.h"

namespace ktwin {

// Why the number is still taken, a sentence each, the strongest reason first. Never empty.
//
// The rule behind it (kernel/pid.c, __change_pid): a number is free again when no task uses its struct pid in
// any of the roles PID, TGID, PGID, SID. References (a pidfd, an open /proc/PID) keep the struct, never the
// number.
std::vector<std::string> pinned_by(const Explanation& explanation);

}  // namespace ktwin
