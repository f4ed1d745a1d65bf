// SPDX-License-Identifier: GPL-2.0-only
//
// WakeLedger: whom the wake calls on one of the kernel's queues woke, and what became of each. Nobody tells; it is told
// from what is seen of a task later, on the queue or off it:
//
//   polls     its entry stays on the queue until its call returns. There ever since, and asleep: woken in vain.
//   reads     its call counts itself when it returns. Asleep there with the count unchanged: woken in vain.
//
// Of any other nothing is known, which is counted, too. Everything happens under the lock of the queue.
#ifndef KTWIN_CORE_WAKE_LEDGER_H
#define KTWIN_CORE_WAKE_LEDGER_H

#include "base/bits.h"
#include "base/types.h"
#include "boundary/types.h"
#include "core/herd_log.h"

namespace ktwin {

class WakeLedger : Pinned {
  public:
    explicit WakeLedger(u32 serial) : serial_(serial) {}

    void begin();
    void end();
    void met() { met_ = true; }
    // Whether one that were woken now would be remembered: true until one that is not remembered yet is woken.
    bool has_room(kt_key task) { return calling_ && find(task) != nullptr; }
    // Whether it is remembered from now on; it may have been before.
    bool woken(const kt_woken& woken);
    // True: it was remembered, and is not any more. As the next one's, stayed is about the last wake but this.
    bool seen(const kt_woken& now, bool stayed, bool asleep);

    // A look at the whole queue: look(), seen() for each task on it, then those who are not.
    void look() { ++looks_; }
    bool absent(u32 index, kt_woken& woken) const;
    void left(u32 index) { settle(tasks_[index], HerdLog::End::kProgress); }

    void add_to(ktwin_wait_stats& stats) const;

  private:
    struct Task {
        kt_woken woken;  // task 0: free
        u64 sequence;
        u64 look;
    };
    // A task is in one of so many places behind its own.
    static constexpr u32 kPlaces = 8;
    static_assert(is_power_of_two(KT_LEDGER_TASKS));

    Task* find(kt_key task);
    void settle(Task& task, HerdLog::End end);
    void note_end(u64 sequence, HerdLog::End end);
    void tell(const HerdLog::Herd& herd) const;

    const u32 serial_;
    bool calling_ = false;
    bool met_ = false;
    u32 woken_now_ = 0;
    u64 wakes_ = 0;
    u64 wakes_empty_ = 0;
    u64 woken_ = 0;
    u64 progressed_ = 0;
    u64 looks_ = 0;
    HerdLog herds_;
    Task tasks_[KT_LEDGER_TASKS] = {};
};

}  // namespace ktwin

#endif
