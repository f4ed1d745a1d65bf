// SPDX-License-Identifier: GPL-2.0-only
//
// RqAgreement: how often the pick of one generation was the task that the kernel then ran, by the class of that task.
// Written under the lock of the twin, read without it: the numbers of one class may be a pick apart.
//
// The kernel is asked at each switch from one task to another. A pick that would have let the current task go on cannot
// be compared with anything where the kernel let it go on too: there is no event.
//
// The twins take all fair tasks for one flat queue; the kernel picks a group first and then a task in it. So a pick that
// differed while tasks of groups were queued is not held against a generation: it is counted by itself.
#ifndef KTWIN_CORE_RQ_AGREEMENT_H
#define KTWIN_CORE_RQ_AGREEMENT_H

#include "base/atomic.h"
#include "core/sched_params.h"

namespace ktwin {

enum class Generation : u8 { kScan, kPrioArray, kCfs, kEevdf };
inline constexpr u32 kGenerations = KTWIN_GENERATIONS;
static_assert(static_cast<u32>(Generation::kEevdf) == KTWIN_GENERATION_EEVDF);

class RqAgreement {
  public:
    struct Count {
        u64 picks = 0;
        u64 agreed = 0;
        u64 unanswered = 0;  // the twin was not complete, or the scan too long
        u64 grouped = 0;     // differed, with tasks of groups queued; the rest of the picks differed, too
    };

    void answered(SchedClass ran, bool agreed, bool groups) {
        Cell& cell = cells_[static_cast<u32>(ran)];
        cell.picks.add_exclusive(1);
        if (agreed) {
            cell.agreed.add_exclusive(1);
        } else if (groups) {
            cell.grouped.add_exclusive(1);
        }
    }
    void unanswered(SchedClass ran) {
        Cell& cell = cells_[static_cast<u32>(ran)];
        cell.picks.add_exclusive(1);
        cell.unanswered.add_exclusive(1);
    }

    // [any]
    Count count(SchedClass ran) const {
        const Cell& cell = cells_[static_cast<u32>(ran)];
        return {cell.picks.load_relaxed(), cell.agreed.load_relaxed(), cell.unanswered.load_relaxed(),
                cell.grouped.load_relaxed()};
    }

  private:
    struct Cell {
        Atomic<u64> picks;
        Atomic<u64> agreed;
        Atomic<u64> unanswered;
        Atomic<u64> grouped;
    };

    Cell cells_[kSchedClasses];
};

}  // namespace ktwin

#endif
