// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <uapi/ktwin.h>

namespace ktwin {

// Answers for process 812 and its friends, by fd; see proc() in the script run for what /proc says of them.
int paper_waiters(ktwin_waiters& raw);
int paper_sleep(ktwin_sleep& raw);

}  // namespace ktwin
