// SPDX-License-Identifier: GPL-2.0-only
//
// Two CPUs at work on one allocator, for a window of time. A window counts only if neither stood still in it for a
// noticeable part, as a CPU of a virtual machine may, and as one does that has something else to do.
// Clocks of two CPUs need not agree: the first thread says when the window is over, each looks at its own clock alone.
#ifndef KTWIN_CORE_BENCH_PAIR_H
#define KTWIN_CORE_BENCH_PAIR_H

#include "base/atomic.h"
#include "core/bench_work.h"

namespace ktwin {

class BenchPair : Pinned {
  public:
    BenchPair(BenchSide& side, u32 work);

    // [sleep] One window that counts. kTimedOut: none of many did; kNoDevice; kNoMemory; kInterrupted.
    Result run();

    static constexpr u64 kWindowNs = 2000000;
    // Operations done in the window.
    u64 first() const { return threads_[0].done; }
    u64 second() const { return threads_[1].done; }

  private:
    // Each on a line of its own.
    struct Thread {
        BenchWork work = nullptr;
        BenchSide side;
        u64 done = 0;
        u64 took = 0;
        u64 longest = 0;  // between two looks at the clock
        u8 apart_[64] = {};
    };

    void one(u32 which);
    void wait_for_other();
    bool counts() const;

    BenchSide& side_;
    Thread threads_[2];
    Atomic<u32> there_;
    Atomic<u32> over_;  // the window, or one of the two cannot go on
};

}  // namespace ktwin

#endif
