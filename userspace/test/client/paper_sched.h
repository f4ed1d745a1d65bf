// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <uapi/ktwin.h>

namespace ktwin {

// What the scheduler did in a millisecond that began at 5 s; told once. With KTWIN_PAPER=lost, not all of it.
int paper_sched_events(ktwin_read& request);
// How many events there are, and were lost, of that CPU.
void paper_sched_counts(ktwin_switch_cpu& cpu);

}  // namespace ktwin
