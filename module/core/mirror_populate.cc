// SPDX-License-Identifier: GPL-2.0-only
#include "core/mirror.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// Each round refills the pools before, and each refill that was not enough doubles what it aims at.
constexpr u32 kAttempts = 8;

}  // namespace

void Mirror::stop_taking(u32 state, u32 why) {
    SpinGuard guard(lock());
    taking_.store_relaxed(0);
    become(state);
    why_ = why;
    skip_ = 0;
    fail_ = 0;
    touched_.use(nullptr);
}

// Point A of the proof in mirror.h.
void Mirror::start_taking(u64* touched) {
    SpinGuard guard(lock());
    touched_.use(touched);
    taking_.store_relaxed(1);
}

// In portions: hooks on other CPUs wait for the lock with their irqs off.
void Mirror::clear_world() {
    bool more = true;
    while (more) {
        {
            SpinGuard guard(lock());
            more = world_.clear_some(kRound);
        }
        (void)kt_host_breathe(0);
    }
}

Result Mirror::populate() {
    const u64 started_ns = kt_host_time_ns();
    auto* touched = static_cast<u64*>(kt_host_alloc(TouchedMap::kBytes));
    if (touched == nullptr) {
        SpinGuard guard(lock());
        doubt(KTWIN_WHY_NO_MEMORY);
        return Errno::kNoMemory;
    }
    stop_taking(KTWIN_POPULATING, 0);
    clear_world();
    world_.memory().maintain();
    start_taking(touched);
    kt_host_synchronize_hooks();
    const Result scanned = scan();
    end_populating(scanned, started_ns);
    kt_host_free(touched);
    return scanned;
}

void Mirror::end_populating(Result scanned, u64 started_ns) {
    const u64 now_ns = kt_host_time_ns();
    SpinGuard guard(lock());
    // Under the lock: no event has hold of the map any more.
    touched_.use(nullptr);
    epoch_.store_release(epoch() + 1);
    populate_ns_ = now_ns - started_ns;
    if (!scanned) {
        why_ |= KTWIN_WHY_NO_MEMORY;
    }
    // LIVE for an instant, so that a doubt that arose meanwhile is counted and told as any other.
    become(KTWIN_LIVE);
    streams_.twin_event(KTWIN_EV_POPULATED, epoch(), now_ns);
    if (why_ != 0) {
        doubt(why_);
    }
}

Result Mirror::scan() {
    u32 nr = 1;
    u32 attempts = 0;
    bool done = false;
    while (!done) {
        (void)world_.memory().refill();
        const u32 before = nr;
        const Result round = scan_round(nr, done);
        attempts = nr == before ? attempts + 1 : 0;
        if (!round && attempts >= kAttempts) {
            return round;
        }
        (void)kt_host_breathe(0);
    }
    return {};
}

Result Mirror::scan_round(u32& nr, bool& done) {
    RcuGuard rcu;
    for (u32 i = 0; i < kRound; ++i) {
        if (nr >= kPidMaxLimit || !kt_host_pid_ge(static_cast<i32>(nr), &scratch_)) {
            done = true;
            return {};
        }
        const Result adopted = adopt(scratch_);
        if (!adopted) {
            return adopted;
        }
        nr = static_cast<u32>(scratch_.numbers[0].nr) + 1;
    }
    return {};
}

Result Mirror::adopt(const kt_pid& pid) {
    const NamespaceObserver nobody;
    SpinGuard guard(lock());
    if (touched_.test(static_cast<u32>(pid.numbers[0].nr))) {
        return {};
    }
    Expected<TwinPid*> made = world_.insert(pid, 0, nobody);
    if (!made && made.error() == Errno::kNoMemory) {
        return Errno::kNoMemory;
    }
    if (!made) {
        doubt(KTWIN_WHY_CONFLICT);
    }
    return {};
}

}  // namespace ktwin
