// SPDX-License-Identifier: GPL-2.0-only
//
// PrioArray: 140 lists, one a priority, and a bitmap of those that are not empty: struct prio_array of 2.6's
// kernel/sched.c. The first task of the best priority is found in constant time.
#ifndef KTWIN_CORE_PRIO_ARRAY_H
#define KTWIN_CORE_PRIO_ARRAY_H

#include "base/ring.h"
#include "core/prio_bitmap.h"

namespace ktwin {

class PrioArray : Pinned {
  public:
    u32 nr_active() const { return nr_active_; }

    void push_back(RingNode& node, u32 prio) {
        lists_[prio].push_back(node);
        added(prio);
    }
    void push_front(RingNode& node, u32 prio) {
        lists_[prio].push_front(node);
        added(prio);
    }
    // prio: the one it was added with.
    void remove(RingNode& node, u32 prio) {
        node.unlink();
        --nr_active_;
        if (lists_[prio].empty()) {
            bitmap_.clear(prio);
        }
    }
    // nullptr: empty.
    RingNode* first() const {
        const u32 prio = bitmap_.first();
        return prio < kMaxPrio ? lists_[prio].first() : nullptr;
    }

  private:
    void added(u32 prio) {
        bitmap_.set(prio);
        ++nr_active_;
    }

    Ring lists_[kMaxPrio];
    PrioBitmap bitmap_;
    u32 nr_active_ = 0;
};

}  // namespace ktwin

#endif
