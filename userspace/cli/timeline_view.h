// SPDX-License-Identifier: GPL-2.0-only
// A timeline as a file: a trace for Perfetto and its like, and a picture. Pure; a file that is not read to its end is
// written piece by piece.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/timeline.h"

namespace ktwin::cli {

// Takes the next piece. false: no more is wanted.
using Sink = std::function<bool(std::string_view)>;

// "bash 812"; for who has no number, or no name, here: words in brackets.
std::string task_title(const SchedWho& who);

// The trace-event format: an event a line, times in us since the beginning.
void write_trace_json(const Timeline& timeline, const Sink& sink);

// A picture by itself: CPUs down, time to the right.
void write_timeline_svg(const Timeline& timeline, const Sink& sink);

// "2 CPUs, 1.5 s: 812 runs, 300 flows from waker to woken, 0 of 3000 events lost"
std::string timeline_summary(const Timeline& timeline);

}  // namespace ktwin::cli
