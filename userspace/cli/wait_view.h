// SPDX-License-Identifier: GPL-2.0-only
// How the waiters behind a file are shown. No device, no /proc: what is shown is all given.
#pragma once

#include <span>
#include <string>
#include <unordered_set>

#include "columns.h"
#include "lib/epoll_owners.h"
#include "lib/wait_records.h"

namespace ktwin::cli {

// A file that was asked about, and the answer.
struct WaitedFile {
    int32_t pid;
    int32_t fd;
    std::string comm;    // of the process; empty: not known
    std::string target;  // as ls -l /proc/PID/fd shows it; empty: not known
    WaitList list;
};

struct WaiterRow {
    const WaitedFile& file;
    const Waiter& waiter;
    const EpollOwners& owners;
};

std::span<const Column<WaiterRow>> waiter_columns();

// The epolls that are named in the answers, whose owners are not.
std::unordered_set<uint64_t> epolls_in(std::span<const WaitedFile> files);

std::vector<WaiterRow> waiter_rows(std::span<const WaitedFile> files, const EpollOwners& owners);

// "file", "events", "complete", "heads" and in those the waiters, in wake order. chosen: with these columns alone.
Json waiters_json(const WaitedFile& file, const EpollOwners& owners, const Selection<WaiterRow>* chosen);

// A line and a table for each head; those of epolls below the head that they watch, indented.
std::string waiters_text(const WaitedFile& file, const EpollOwners& owners, bool headings);

}  // namespace ktwin::cli
