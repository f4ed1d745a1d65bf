// SPDX-License-Identifier: GPL-2.0-only
// How run queues are shown. No device: what is shown is all given.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "columns.h"
#include "lib/rq_records.h"

namespace ktwin::cli {

std::span<const Column<RqTask>> rq_columns();

// "cpu", "nr_running", "curr", ... and "classes" with an array of tasks, in pick order, for each.
Json rq_json(const RunQueue& queue, const Selection<RqTask>* chosen);

// A line on the queue, and a table of its tasks.
std::string rq_text(const RunQueue& queue, const Selection<RqTask>& selection, const TableStyle& style);

// Those that would be picked before the task, in that order: of its class and of those above.
std::vector<const RqTask*> ahead_of(const RunQueue& queue, const RqTask& task);

std::string_view sched_class_name(uint32_t sched_class);
std::string policy_name(uint32_t policy);

}  // namespace ktwin::cli
