// SPDX-License-Identifier: GPL-2.0-only
//
// Tasks on the host: what kt_host_set_state, schedule and wake_task work on. A thread has one of its own; a test in
// one thread can stand in for many by being one after the other.
#ifndef KTWIN_SELFTESTS_FAKE_TASK_H
#define KTWIN_SELFTESTS_FAKE_TASK_H

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "boundary/host_api.h"

class FakeTask {
  public:
    enum Signal { kNone, kOrdinary, kFatal };

    kt_key key() const { return reinterpret_cast<kt_key>(this); }
    uint32_t state() const { return state_; }
    bool asleep() const { return state_ != KT_TASK_RUNNING; }

    // Wakes it where a signal of this kind ends its sleep.
    void send(Signal signal);
    // Awake for a reason that no queue knows of.
    void stir() { wake(~0U); }

    // Used by the kt_host_* definitions.
    void set_state(uint32_t state) { state_ = state; }
    bool signal_pending(uint32_t state) const;
    bool schedule(uint64_t deadline_ns);
    bool wake(uint32_t mode);

    static FakeTask& current();
    // This thread is that task from now on; nullptr: its own again.
    static void become(FakeTask* task);

  private:
    std::atomic<uint32_t> state_{KT_TASK_RUNNING};
    std::atomic<Signal> signal_{kNone};
    std::mutex mutex_;
    std::condition_variable woken_;
};

// How deep this thread has preemption off.
int fake_preempt_depth();

#endif
