// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <expected>

#include "transport.h"
#include "wait_records.h"

namespace ktwin {

// KTWIN_IOC_WAITERS, asked again with more room until all is listed or a call can list no more.
// On failure: -errno, for the caller to put into words; -EPROTO when the answer makes no sense.
std::expected<WaitList, int> read_waiters(Transport& transport, int32_t pid, int32_t fd, uint32_t ns);

}  // namespace ktwin
