// SPDX-License-Identifier: GPL-2.0-only
//
// How many objects several pools may hold together, in all states. Under the twin's lock.
#ifndef KTWIN_CORE_POOL_BUDGET_H
#define KTWIN_CORE_POOL_BUDGET_H

#include "base/types.h"

namespace ktwin {

class PoolBudget {
  public:
    explicit PoolBudget(u32 limit) : limit_(limit) {}

    // Takes up to count; says how many it got.
    u32 take(u32 count) {
        const u32 got = count < limit_ - total_ ? count : limit_ - total_;
        total_ += got;
        return got;
    }
    void give_back(u32 count) { total_ -= count; }
    u32 limit() const { return limit_; }

  private:
    const u32 limit_;
    u32 total_ = 0;
};

}  // namespace ktwin

#endif
