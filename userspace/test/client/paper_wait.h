// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <uapi/ktwin.h>

namespace ktwin {

// Answers for process 812 and its friends, by fd; see proc() in the script run for what /proc says of them.
int paper_waiters(ktwin_waiters& raw);
int paper_sleep(ktwin_sleep& raw);

// A real queue for the threads of this process, with the commands of a queue fd and the one that opens it.
int paper_queue(unsigned long command, void* argument);
int paper_queue_waiters(ktwin_waiters& raw);

// A watched queue, and its counters; those of the queue above as long as nothing is watched.
int paper_watch(const ktwin_watch& raw);
int paper_watched(ktwin_wait_stats& raw);

}  // namespace ktwin
