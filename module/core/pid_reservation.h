// SPDX-License-Identifier: GPL-2.0-only
//
// A number at each level for one pid, deepest first, and back again where one cannot be had: the steps of alloc_pid(), whoever
// keeps the numbers.
//
// Numbers says who: has_init(ns), reserve(ns, order, tid), release(ns, nr), cursor(ns), set_cursor(ns, cursor), count(ns).
// The caller holds what these need, which the thread-safety analysis does not see through.
#ifndef KTWIN_CORE_PID_RESERVATION_H
#define KTWIN_CORE_PID_RESERVATION_H

#include "core/pid_allocator.h"

namespace ktwin {

template <typename Numbers>
class PidReservation {
  public:
    explicit PidReservation(const Numbers& numbers) : numbers_(numbers) {}

    // The numbers are in pid then. Errors as of PidAllocator::alloc_pid_locked(); nothing is reserved then.
    Result reserve_all(PidNamespace* ns, TwinPid* pid, PidOrder order,
                       Span<const i32> set_tid) TA_NO_ANALYSIS {
        u32 cursors[kLevels];
        for (PidNamespace* at = ns; at != nullptr; at = at->parent()) {
            cursors[at->level()] = numbers_.cursor(*at);
            // As child_reaper, which stays set when the init is gone.
            const Expected<i32> tid =
                PidAllocator::wanted(ns, at, numbers_.has_init(*at) || at->is_dying(), set_tid);
            const Expected<u32> nr = tid ? numbers_.reserve(*at, order, tid.value()) : tid.error();
            if (!nr) {
                unwind(ns, pid, at->level());
                restore_cursors(nr.error(), ns, at, cursors);
                return nr.error();
            }
            pid->number(at->level()).nr = nr.value();
        }
        if (ns->is_dying()) {
            unwind(ns, pid, ~u32{0});
            return Errno::kRemoved;
        }
        return {};
    }

  private:
    // An attempt for which there was no memory is made again when there is some, and must not have moved anything. last:
    // the level it failed at.
    void restore_cursors(Errno why, PidNamespace* ns, const PidNamespace* last,
                         const u32* cursors) TA_NO_ANALYSIS {
        if (why != Errno::kNoMemory) {
            return;
        }
        for (PidNamespace* at = ns; at != last->parent(); at = at->parent()) {
            numbers_.set_cursor(*at, cursors[at->level()]);
        }
    }
    // Gives back what was reserved at the levels above the one given (~0: at all). In the kernel's order; the cursors
    // stay where the attempt has moved them, except in a namespace that has no pid yet: its first is to be number 1.
    void unwind(PidNamespace* ns, const TwinPid* pid, u32 above) TA_NO_ANALYSIS {
        for (u32 level = above + 1; level <= ns->level(); ++level) {
            numbers_.release(*pid->ns(level), pid->nr(level));
        }
        if (numbers_.count(*ns) == 0 && !ns->is_dying()) {
            numbers_.set_cursor(*ns, 0);
        }
    }

    const Numbers numbers_;
};

}  // namespace ktwin

#endif
