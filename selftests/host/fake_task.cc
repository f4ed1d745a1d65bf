// SPDX-License-Identifier: GPL-2.0-only
#include "fake_task.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "fake_host.h"

namespace {

thread_local FakeTask own;
thread_local FakeTask* other = nullptr;
thread_local int preempt_depth = 0;

constexpr uint32_t kWakeKill = KT_TASK_KILLABLE & ~KT_TASK_UNINTERRUPTIBLE;

}  // namespace

FakeTask& FakeTask::current() {
    return other != nullptr ? *other : own;
}

void FakeTask::become(FakeTask* task) {
    other = task;
}

bool FakeTask::signal_pending(uint32_t state) const {
    return signal_ != kNone &&
           ((state & KT_TASK_INTERRUPTIBLE) != 0 || (signal_ == kFatal && (state & kWakeKill) != 0));
}

void FakeTask::send(Signal signal) {
    signal_ = signal;
    if (signal_pending(state_)) {
        stir();
    }
}

bool FakeTask::wake(uint32_t mode) {
    std::lock_guard guard(mutex_);
    if ((state_ & mode) == 0) {
        return false;
    }
    state_ = KT_TASK_RUNNING;
    woken_.notify_all();
    return true;
}

// As schedule(): who has a signal pending does not sleep in a state that the signal ends.
bool FakeTask::schedule(uint64_t deadline_ns) {
    std::unique_lock lock(mutex_);
    bool in_time = true;
    while (asleep() && !signal_pending(state_)) {
        if (deadline_ns != 0 && FakeHost::get().tick() >= deadline_ns) {
            in_time = false;
            break;
        }
        woken_.wait_for(lock, std::chrono::milliseconds(1));
    }
    state_ = KT_TASK_RUNNING;
    return in_time;
}

int fake_preempt_depth() {
    return preempt_depth;
}

extern "C" {

kt_key kt_host_current() {
    return FakeTask::current().key();
}
void kt_host_set_state(__u32 state) {
    FakeTask::current().set_state(state);
}
bool kt_host_signal_pending(__u32 state) {
    return FakeTask::current().signal_pending(state);
}
bool kt_host_schedule(__u64 deadline_ns) {
    if (preempt_depth != 0) {
        std::fprintf(stderr, "fake host: schedule() with preemption off\n");
        std::abort();
    }
    return FakeTask::current().schedule(deadline_ns);
}
bool kt_host_wake_task(kt_key task, __u32 mode, __u32) {
    return reinterpret_cast<FakeTask*>(task)->wake(mode);
}
// A grace period waits for sections with preemption off too, and nothing sleeps in them.
void kt_host_preempt_disable() {
    ++preempt_depth;
    kt_host_rcu_read_lock();
}
__u32 kt_host_get_cpu() {
    kt_host_preempt_disable();
    return kt_host_cpu();
}

void kt_host_preempt_enable() {
    kt_host_rcu_read_unlock();
    --preempt_depth;
}

}  // extern "C"
