// SPDX-License-Identifier: GPL-2.0-only
//
// Pacer: keeps work to a share of one CPU. After each batch it sleeps as long as the share asks for.
#ifndef KTWIN_CORE_PACER_H
#define KTWIN_CORE_PACER_H

#include "base/types.h"
#include "boundary/core_api.h"
#include "boundary/host_api.h"

namespace ktwin {

class Pacer {
  public:
    void start(const kt_audit_budget& budget) {
        batch_ = budget.batch != 0 ? budget.batch : 4096;
        percent_ = budget.cpu_percent >= 1 && budget.cpu_percent <= 100 ? budget.cpu_percent : 100;
        done_ = 0;
        since_ns_ = kt_host_time_ns();
    }

    // [sleep] False: stop.
    bool spent(u32 count) {
        done_ += count;
        if (done_ < batch_) {
            return true;
        }
        const u64 busy_ns = kt_host_time_ns() - since_ns_;
        const bool go_on = kt_host_breathe(busy_ns * (100 - percent_) / percent_);
        done_ = 0;
        since_ns_ = kt_host_time_ns();
        return go_on;
    }

  private:
    u32 batch_ = 4096;
    u32 percent_ = 100;
    u32 done_ = 0;
    u64 since_ns_ = 0;
};

}  // namespace ktwin

#endif
