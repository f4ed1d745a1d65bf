// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <fmt/format.h>
#include <uapi/ktwin.h>

#include <cerrno>
#include <functional>
#include <string_view>
#include <vector>

#include "error.h"
#include "message.h"
#include "reading.h"
#include "transport.h"

namespace ktwin {

// Large enough for few calls, small enough to stay in the cache.
inline constexpr uint32_t records_per_call = 512;

// With any command that takes struct ktwin_read. what: the records, for messages. visit returns false to stop.
template <class Raw>
Result<Reading> read_records(Transport& transport, unsigned long command, uint32_t ns, std::string_view what,
                             const std::function<bool(const Raw&)>& visit) {
    std::vector<Raw> buffer(records_per_call);
    ktwin_read request = {};
    request.size = sizeof(request);
    request.buffer = reinterpret_cast<uintptr_t>(buffer.data());
    request.record_size = sizeof(Raw);
    request.room = records_per_call;
    request.ns = ns;

    Reading reading;
    uint64_t epoch = 0;
    for (bool first = true;; first = false) {
        const uint64_t before = request.cursor;
        const int result = transport.control(command, &request);
        if (result == -ESRCH) {
            return std::unexpected(failure(fmt::format("cannot read the {} of namespace {}", what, ns),
                                           -result, "no such namespace, or not one below yours"));
        }
        if (result < 0) {
            return std::unexpected(failure(fmt::format("cannot read the {}", what), -result));
        }
        if (request.filled > request.room || (request.more && !request.filled && request.cursor == before)) {
            return std::unexpected(
                failure(fmt::format("reading the {}: the module's answer makes no sense", what), EPROTO,
                        "please report this"));
        }
        reading.repopulated |= !first && request.epoch != epoch;
        epoch = reading.epoch = request.epoch;
        for (uint32_t i = 0; i < request.filled; i++) {
            reading.records++;
            if (!visit(buffer[i])) {
                return reading;
            }
        }
        if (!request.more) {
            return reading;
        }
    }
}

}  // namespace ktwin
