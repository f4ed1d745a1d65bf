// SPDX-License-Identifier: GPL-2.0-only
//
// SwitchCounts: context switches by what they were and by how the previous task left. For a CPU: written by that CPU alone,
// irqs off, and read by anybody without a lock; a reader may find a switch in one of the two and not yet in the other.
#ifndef KTWIN_CORE_SWITCH_COUNTS_H
#define KTWIN_CORE_SWITCH_COUNTS_H

#include "base/atomic.h"
#include "core/switch_class.h"

namespace ktwin {

class SwitchCounts {
  public:
    // [any] The writer. What it was: KT_SWITCH_*.
    u32 add(const SwitchEvent& event) {
        const u32 what = static_cast<u32>(classify_switch(event.prev, event.next));
        const u32 why = static_cast<u32>(classify_leave(event));
        classes_[what].add_exclusive(1);
        reasons_[why].add_exclusive(1);
        return what | why << 8;
    }
    void clear() {
        for (Atomic<u64>& count : classes_) {
            count.store_relaxed(0);
        }
        for (Atomic<u64>& count : reasons_) {
            count.store_relaxed(0);
        }
    }

    // [any]
    u64 of(SwitchClass what) const { return classes_[static_cast<u32>(what)].load_relaxed(); }
    u64 of(LeaveReason why) const { return reasons_[static_cast<u32>(why)].load_relaxed(); }
    u64 total() const {
        u64 total = 0;
        for (const Atomic<u64>& count : reasons_) {
            total += count.load_relaxed();
        }
        return total;
    }

    // [any] As the wire format has them.
    void copy(__u64 (&classes)[KTWIN_SWITCH_CLASSES], __u64 (&leaves)[KTWIN_LEAVES]) const {
        for (u32 i = 0; i < kSwitchClasses; ++i) {
            classes[i] = classes_[i].load_relaxed();
        }
        for (u32 i = 0; i < kLeaveReasons; ++i) {
            leaves[i] = reasons_[i].load_relaxed();
        }
    }

  private:
    Atomic<u64> classes_[kSwitchClasses];
    Atomic<u64> reasons_[kLeaveReasons];
};

}  // namespace ktwin

#endif
