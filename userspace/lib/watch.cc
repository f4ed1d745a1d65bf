// SPDX-License-Identifier: GPL-2.0-only
#include "watch.h"

#include <cerrno>

#include "decode.h"
#include "message.h"

namespace ktwin {

Result<WaitStats> Watch::stats() const {
    ktwin_wait_stats raw = {};
    raw.size = sizeof(raw);
    const int result = transport_->control(KTWIN_IOC_QUEUE_STATS, &raw);
    if (result < 0) {
        return std::unexpected(failure("cannot read the counters of the watch", -result,
                                       result == -EIDRM ? "nobody has the file open any more" : ""));
    }
    return decode(raw);
}

}  // namespace ktwin
