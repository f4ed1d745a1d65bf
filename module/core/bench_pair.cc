// SPDX-License-Identifier: GPL-2.0-only
#include "core/bench_pair.h"

#include "boundary/host_api.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u64 kPatienceNs = 3000000000;
constexpr u32 kTries = 200;
constexpr u32 kAtOnce = 16;  // operations between two looks at the clock
constexpr u64 kStandstillNs = BenchPair::kWindowNs / 8;

}  // namespace

BenchPair::BenchPair(BenchSide& side, u32 work) : side_(side) {
    for (u32 i = 0; i < 2; ++i) {
        threads_[i].work = bench_work(work, i == 1);
    }
}

void BenchPair::wait_for_other() {
    there_.fetch_add_relaxed(1);
    while (there_.load_acquire() < 2) {
        cpu_relax();
        (void)kt_host_breathe(0);
    }
}

void BenchPair::one(u32 which) {
    Thread& thread = threads_[which];
    wait_for_other();
    const u64 start = kt_host_clock_ns();
    u64 last = start;
    u64 now = start;
    while (over_.load_relaxed() == 0 && (which != 0 || now - start < kWindowNs) && thread.side.error == 0) {
        thread.longest = now - last > thread.longest ? now - last : thread.longest;
        last = now;
        thread.work(thread.side, kAtOnce);
        thread.done += kAtOnce;
        now = kt_host_clock_ns();
    }
    // Not for the last look: what was done there was begun within the window.
    over_.store_relaxed(1);
    thread.longest = now - last > thread.longest ? now - last : thread.longest;
    thread.took = now - start;
}

// Neither stood still, nor came late to it.
bool BenchPair::counts() const {
    bool good = true;
    for (const Thread& thread : threads_) {
        good = good && thread.done != 0 && thread.longest < kStandstillNs &&
               thread.took > kWindowNs - kStandstillNs;
    }
    return good;
}

Result BenchPair::run() {
    const u64 start = kt_host_time_ns();
    for (u32 tries = 0; tries < kTries && kt_host_time_ns() - start < kPatienceNs; ++tries) {
        for (Thread& thread : threads_) {
            thread.side = side_;
            thread.done = thread.took = thread.longest = 0;
        }
        there_.store_relaxed(0);
        over_.store_relaxed(0);
        const int error = kt_host_run_pair(
            [](void* self, u32 which) {
                auto& pair = *static_cast<BenchPair*>(self);
                pair.one(which);
            },
            this);
        side_.calls->rest(side_.self);
        for (Thread& thread : threads_) {
            side_.error = thread.side.error != 0 ? thread.side.error : side_.error;
        }
        if (error != 0 || side_.error != 0) {
            return static_cast<Errno>(-(error != 0 ? error : side_.error));
        }
        if (!kt_host_breathe(0)) {
            return Errno::kInterrupted;
        }
        if (counts()) {
            return {};
        }
    }
    return Errno::kTimedOut;
}

}  // namespace ktwin
