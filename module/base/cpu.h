// SPDX-License-Identifier: GPL-2.0-only
//
// This CPU, and nobody else on it, until the end of the block. A grace period waits for it.
#ifndef KTWIN_BASE_CPU_H
#define KTWIN_BASE_CPU_H

#include "base/types.h"
#include "boundary/host_api.h"

namespace ktwin {

class OnCpu : Pinned {
  public:
    OnCpu() : cpu_(kt_host_get_cpu()) {}
    ~OnCpu() { kt_host_preempt_enable(); }
    u32 cpu() const { return cpu_; }

  private:
    const u32 cpu_;
};

}  // namespace ktwin

#endif
