// SPDX-License-Identifier: GPL-2.0-only
//
// TaskSwitches: the switches away from each task, in a table of fixed size: an event allocates nothing.
//
// No lock. A task leaves one CPU at a time, and the kernel's run-queue locks put these instants in order, so a slot has
// one writer at a time, which also is the only one to look for that key. Slots are taken and given back by their key;
// two tasks that want the same one are parted by a compare-exchange. A reader that finds the same key before and after
// has counts of that task.
#ifndef KTWIN_CORE_TASK_SWITCHES_H
#define KTWIN_CORE_TASK_SWITCHES_H

#include "base/expected.h"
#include "base/span.h"
#include "boundary/core_api.h"
#include "core/switch_counts.h"

namespace ktwin {

class TaskSwitches : Pinned {
  public:
    static constexpr u32 kSlots = 8192;

    // [sleep] kNoMemory
    Result setup();
    void teardown();

    // [any] key is not 0; nr names the task to readers. False: no room for it.
    bool add(kt_key key, i32 nr, u32 what);
    // [any] No more of it will come, and it may come again for another. How many there were.
    u64 end(kt_key key);

    // [any] In no order; cursor: 0 first. Fewer than to has room for: there are no more.
    u32 read(u64& cursor, Span<kt_task_switches> to) const;

  private:
    // A task is in one of so many slots behind the one its key leads to, or nowhere.
    static constexpr u32 kWindow = 16;

    struct Slot {
        Atomic<u64> key;  // 0: free, and the counts are 0
        Atomic<i32> nr;
        SwitchCounts counts;
    };

    Slot* find(kt_key key) const;
    Slot* take(kt_key key);
    Slot& behind(kt_key key, u32 steps) const;

    Slot* slots_ = nullptr;
};

}  // namespace ktwin

#endif
