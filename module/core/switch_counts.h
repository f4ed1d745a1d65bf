// SPDX-License-Identifier: GPL-2.0-only
//
// SwitchCounts: context switches by what they were and by how the previous task left. For a CPU: written by that CPU alone,
// irqs off, and read by anybody without a lock. One counter a switch, so that a reader finds it in both or in neither.
#ifndef KTWIN_CORE_SWITCH_COUNTS_H
#define KTWIN_CORE_SWITCH_COUNTS_H

#include "base/atomic.h"
#include "core/switch_class.h"

namespace ktwin {

class SwitchCounts {
  public:
    // [any] The writer. what: of what_of().
    void add(u32 what) { counts_[what].add_exclusive(1); }
    void clear() {
        for (Atomic<u64>& count : counts_) {
            count.store_relaxed(0);
        }
    }

    // [any]
    u64 of(SwitchClass what) const {
        u64 sum = 0;
        for (u32 why = 0; why < kLeaveReasons; ++why) {
            sum += at(static_cast<u32>(what), why);
        }
        return sum;
    }
    u64 of(LeaveReason why) const {
        u64 sum = 0;
        for (u32 what = 0; what < kSwitchClasses; ++what) {
            sum += at(what, static_cast<u32>(why));
        }
        return sum;
    }
    u64 total() const {
        u64 sum = 0;
        for (const Atomic<u64>& count : counts_) {
            sum += count.load_relaxed();
        }
        return sum;
    }

    // [any] As the wire format has them; each counter is read once.
    void copy(__u64 (&classes)[KTWIN_SWITCH_CLASSES], __u64 (&leaves)[KTWIN_LEAVES]) const {
        for (u32 what = 0; what < kSwitchClasses; ++what) {
            classes[what] = 0;
        }
        for (u32 why = 0; why < kLeaveReasons; ++why) {
            leaves[why] = 0;
            for (u32 what = 0; what < kSwitchClasses; ++what) {
                const u64 count = at(what, why);
                classes[what] += count;
                leaves[why] += count;
            }
        }
    }

  private:
    u64 at(u32 what, u32 why) const { return counts_[what | why << 3].load_relaxed(); }

    Atomic<u64> counts_[KT_SWITCH_KINDS];
};

}  // namespace ktwin

#endif
