// SPDX-License-Identifier: GPL-2.0-only
#include "core/mirror.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result Mirror::control(u32 op) {
    MutexGuard control(control_);
    const bool is_on = state() != KTWIN_OFF;
    switch (op) {
        case KTWIN_MIRROR_OFF:
            if (!is_on) {
                return Errno::kAlready;
            }
            switch_off();
            return {};
        case KTWIN_MIRROR_ON:
            return is_on ? Result(Errno::kAlready) : switch_on();
        case KTWIN_MIRROR_RESYNC:
            return is_on ? populate() : Result(Errno::kNoData);
        default:
            return Errno::kInvalid;
    }
}

Result Mirror::switch_on() {
    Result ready = world_.memory().refill();
    if (!ready) {
        return ready;
    }
    // The hooks ignore what they see until start_taking().
    const int placed = kt_host_probes_on();
    if (placed != 0) {
        return static_cast<Errno>(-placed);
    }
    {
        SpinGuard guard(lock());
        missed_seen_ = skipped_;
    }
    Result populated = populate();
    if (!populated) {
        switch_off();
        return populated;
    }
    (void)check_probes_locked();
    return {};
}

void Mirror::switch_off() {
    stop_taking(KTWIN_OFF, KTWIN_WHY_OFF);
    {
        SpinGuard guard(lock());
        streams_.twin_event(KTWIN_EV_INCOMPLETE, KTWIN_WHY_OFF, kt_host_time_ns());
    }
    kt_host_probes_off();
    clear_world();
    world_.memory().maintain();
}

bool Mirror::check_probes_locked() {
    __u64 missed = 0;
    const bool alive = kt_host_probes_alive(&missed);
    SpinGuard guard(lock());
    if (!alive) {
        doubt(KTWIN_WHY_PROBE_DISARMED);
    }
    missed += skipped_;
    if (missed > missed_seen_) {
        probe_missed_ += missed - missed_seen_;
        missed_seen_ = missed;
        doubt(KTWIN_WHY_PROBE_MISSED);
    }
    return alive;
}

bool Mirror::check_probes() {
    MutexGuard control(control_);
    return state() != KTWIN_OFF && check_probes_locked();
}

void Mirror::maintain() {
    MutexGuard control(control_);
    world_.memory().maintain();
    if (state() != KTWIN_OFF) {
        resync_if_due(check_probes_locked());
    }
}

// At once when the twin had been right for a minute; else not before twice the last pause is over. Whatever
// is not due yet is found due by the periodic call.
void Mirror::resync_if_due(bool probes_fire) {
    const u64 now_ns = kt_host_time_ns();
    if (state() != KTWIN_INCOMPLETE || !probes_fire || now_ns < resync_at_) {
        return;
    }
    if (last_resync_ == 0 || now_ns - last_resync_ > 2 * kLongestBackoff) {
        backoff_ = kSecond;
    } else {
        backoff_ = backoff_ * 2 < kLongestBackoff ? backoff_ * 2 : kLongestBackoff;
    }
    last_resync_ = now_ns;
    resync_at_ = now_ns + backoff_;
    kt_host_warn("twin incomplete, populating anew; why and resynchronisations so far", standing().why,
                 epoch());
    (void)populate();
}

}  // namespace ktwin
