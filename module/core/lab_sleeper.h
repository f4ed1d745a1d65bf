// SPDX-License-Identifier: GPL-2.0-only
//
// LabSleeper: one call of wait on a LabQueue, on the caller's stack. It has an entry for either backend.
#ifndef KTWIN_CORE_LAB_SLEEPER_H
#define KTWIN_CORE_LAB_SLEEPER_H

#include "core/lab_queue.h"

namespace ktwin {

// What a waker finds behind the core's entry.
struct LabEntry : WaitQueueEntry {
    explicit LabEntry(kt_selected* told);
    kt_selected* const selected;
    const u64 since_ns;
};

class LabSleeper : public RingNode {
  public:
    LabSleeper(LabQueue& queue, kt_key table, const ktwin_wait& wait);
    ~LabSleeper();

    // On the queue, in the state of its mode.
    void prepare();
    void finish();
    // Queued: what it waits for is there without a wake that selected it.
    bool has_come();
    // Off the queue: whether the wait is over well, has_come() said so or a wake selected it, which is accounted for:
    // progress, or in vain.
    bool settle(bool come);
    bool must_leave() const { return __atomic_load_n(&selected_.leave, __ATOMIC_RELAXED) != 0; }
    void leave() { store_relaxed(&selected_.leave, 1U); }

    kt_key table() const { return table_; }
    u32 state() const { return state_; }
    u64 since_ns() const { return entry_.since_ns; }
    u64 wakes() const { return wakes_; }
    u64 order() const { return order_; }

  private:
    LabQueue& queue_;
    const kt_key table_;
    const ktwin_wait& wait_;
    const u32 state_;
    const WaitKind kind_;
    kt_selected selected_{};
    LabEntry entry_{&selected_};
    kt_host_waitq_entry kernel_entry_;
    u64 wakes_ = 0;
    u64 order_ = 0;
};

}  // namespace ktwin

#endif
