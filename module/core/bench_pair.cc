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

// Whoever comes last begins the window.
void BenchPair::wait_for_other() {
    if (there_.fetch_add_relaxed(1) == 1) {
        end_.store_release(kt_host_clock_ns() + kWindowNs);
        return;
    }
    while (end_.load_acquire() == 0) {
        cpu_relax();
        (void)kt_host_breathe(0);
    }
}

void BenchPair::one(Thread& thread) {
    wait_for_other();
    const u64 end = end_.load_acquire();
    u64 last = end - kWindowNs;
    u64 now = kt_host_clock_ns();
    while (now < end && thread.side.error == 0) {
        thread.longest = now - last > thread.longest ? now - last : thread.longest;
        last = now;
        thread.work(thread.side, kAtOnce);
        thread.done += kAtOnce;
        now = kt_host_clock_ns();
    }
    // Not for the last look: what was done there was begun within the window.
    thread.longest = now - last > thread.longest ? now - last : thread.longest;
}

bool BenchPair::counts() const {
    return threads_[0].longest < kStandstillNs && threads_[1].longest < kStandstillNs &&
           threads_[0].done != 0 && threads_[1].done != 0;
}

Result BenchPair::run() {
    const u64 start = kt_host_clock_ns();
    for (u32 tries = 0; tries < kTries && kt_host_clock_ns() - start < kPatienceNs; ++tries) {
        for (Thread& thread : threads_) {
            thread.side = side_;
            thread.done = thread.longest = 0;
        }
        there_.store_relaxed(0);
        end_.store_relaxed(0);
        const int error = kt_host_run_pair(
            [](void* self, u32 which) {
                auto& pair = *static_cast<BenchPair*>(self);
                pair.one(pair.threads_[which]);
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
