// SPDX-License-Identifier: GPL-2.0-only
//
// LabQueue: what a queue fd is. Sleepers, wakers and tokens over one of two backends, the core's WaitQueueHead or the
// kernel's own wait_queue_head, so that the same work can be run on both.
//
// A sleeper's condition is that a wake call selected it, or with SEQUENCE that any call was made since the number was
// read, or with TAKE that it got a token. Who leaves for another reason leaves the queue first and looks again, so that
// an exclusive wake-up is not lost with it.
//
// Lifetime: the fd's file holds it; every call under way holds the file. Nothing here outlives the last of them.
#ifndef KTWIN_CORE_LAB_QUEUE_H
#define KTWIN_CORE_LAB_QUEUE_H

#include "core/herd_log.h"
#include "core/wait_queue.h"

namespace ktwin {

class LabSleeper;

class LabQueue : Pinned {
  public:
    // kernel: from kt_host_waitq_create(), owned from here on; nullptr: the core's own queue.
    LabQueue(u32 serial, void* kernel);
    ~LabQueue();

    Result wait(kt_key table, ktwin_wait& wait);
    Result wake(ktwin_wake& wake);
    void shut_down(kt_key table);
    void stats(ktwin_wait_stats& stats);
    u32 list(kt_waiter* to, u32 room);
    bool has_tokens() const { return tokens_.load_relaxed() != 0; }
    bool is_closed() const { return closed_.load_relaxed(); }
    u32 serial() const { return serial_; }

  private:
    friend class LabSleeper;

    u32 wake_backend(kt_wake_call call);
    u32 waiters();
    // timeout_ns 0: none.
    Result sleep(LabSleeper& sleeper, u64 timeout_ns);
    bool post(u32 tokens);
    bool take();
    // An exclusive wake-up that its sleeper turned out not to need.
    void pass_on(u64 sequence, u32 mode);
    void note_end(u64 sequence, bool futile);
    Result sleep_on(LabSleeper& sleeper, const ktwin_wait& wait);
    void count(Result result);

    const u32 serial_;
    void* const kernel_;
    WaitQueueHead head_{KT_LOCK_QUEUE};

    SpinLock lock_{KT_LOCK_QUEUE};  // never together with head_'s
    Ring sleepers_ TA_GUARDED_BY(lock_);
    HerdLog herds_ TA_GUARDED_BY(lock_);

    Atomic<bool> closed_;
    Atomic<u32> tokens_;
    Atomic<u64> sequence_;
    u64 woken_ = 0;  // atomic additions only, by both backends
    Atomic<u64> waits_;
    Atomic<u64> wakes_;
    Atomic<u64> wakes_empty_;
    Atomic<u64> timeouts_;
    Atomic<u64> signals_;
};

}  // namespace ktwin

#endif
