// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <expected>

#include "rq_records.h"
#include "transport.h"

namespace ktwin {

// KTWIN_IOC_RQ, asked again with more room until all is listed or a call can list no more. cpu -1: each that is online.
// On failure: -errno, for the caller to put into words; -EPROTO when the answer makes no sense.
std::expected<RunQueues, int> read_run_queues(Transport& transport, int32_t cpu);

}  // namespace ktwin
