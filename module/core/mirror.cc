// SPDX-License-Identifier: GPL-2.0-only
#include "core/mirror.h"

#include "base/enforce.h"  // last

namespace ktwin {

void Mirror::on_namespace(void* mirror, const PidNamespace& ns, bool is_new) TA_NO_ANALYSIS {
    const u32 type = is_new ? KTWIN_EV_NS_NEW : KTWIN_EV_NS_GONE;
    static_cast<Mirror*>(mirror)->streams_.namespace_event(type, ns, kt_host_time_ns());
    const u32 parent = ns.parent() != nullptr ? ns.parent()->inode() : 0;
    (is_new ? kt_host_trace_pidns_new : kt_host_trace_pidns_gone)(ns.inode(), ns.level(), parent);
}

NamespaceObserver Mirror::observer() {
    return NamespaceObserver(&Mirror::on_namespace, this);
}

bool Mirror::takes_event() {
    if (taking_.load_relaxed() == 0) {
        return false;
    }
    if (skip_ > 0) {
        --skip_;
        ++skipped_;
        return false;
    }
    return true;
}

void Mirror::doubt(u32 why) {
    why_ |= why;
    if (state() == KTWIN_LIVE) {
        become(KTWIN_INCOMPLETE);
        ++doubts_;
        streams_.twin_event(KTWIN_EV_INCOMPLETE, why_, kt_host_time_ns());
        world_.kicker().kick();
    }
}

void Mirror::published(const kt_pid& pid) {
    if (taking_.load_relaxed() == 0) {
        return;
    }
    const u64 now_ns = kt_host_time_ns();
    u64 serial = 0;
    {
        SpinGuard guard(lock());
        if (!takes_event()) {
            return;
        }
        touched_.set(static_cast<u32>(pid.numbers[0].nr));
        ++allocs_;
        if (fail_ > 0) {
            --fail_;
            doubt(KTWIN_WHY_NO_MEMORY);
            return;
        }
        Expected<TwinPid*> made = world_.insert(pid, now_ns, observer());
        if (!made) {
            doubt(made.error() == Errno::kNoMemory ? KTWIN_WHY_NO_MEMORY : KTWIN_WHY_CONFLICT);
            return;
        }
        serial = made.value()->serial();
        streams_.pid_event(KTWIN_EV_PID_ALLOC, *made.value(), now_ns);
    }
    kt_host_trace_pid_alloc(serial, &pid);
}

void Mirror::removed(u32 nr) {
    if (taking_.load_relaxed() == 0) {
        return;
    }
    SpinGuard guard(lock());
    if (!takes_event()) {
        return;
    }
    touched_.set(nr);
    const PidNamespace* root = world_.table().find(kt_host_init_ns());
    TwinPid* pid = root != nullptr ? root->find(nr) : nullptr;
    if (pid == nullptr) {
        // A number that was reserved and never published, because the fork failed; or, while populating, one
        // that the scan has not come to.
        unknown_frees_ += state() != KTWIN_POPULATING ? 1 : 0;
        return;
    }
    ++frees_;
    const PidNamespace* ns = pid->deepest_ns();
    streams_.pid_event(KTWIN_EV_PID_FREE, *pid, kt_host_time_ns());
    kt_host_trace_pid_free(pid->serial(), static_cast<i32>(nr), pid->level(), ns->inode(),
                           static_cast<i32>(pid->nr(pid->level())));
    world_.remove(pid, observer());
}

Mirror::Standing Mirror::standing() {
    SpinGuard guard(lock());
    return {state(), why_, epoch(), doubts_};
}

void Mirror::fill(ktwin_status& status) {
    SpinGuard guard(lock());
    status.epoch = epoch();
    status.populate_ns = populate_ns_;
    status.allocs = allocs_;
    status.frees = frees_;
    status.unknown_frees = unknown_frees_;
    status.probe_missed = probe_missed_;
    status.doubts = doubts_;
    status.streams = streams_.count();
    status.events = streams_.events();
    status.events_lost = streams_.lost();
}

void Mirror::skip_events(u32 count) {
    SpinGuard guard(lock());
    skip_ = count;
}

void Mirror::fail_events(u32 count) {
    SpinGuard guard(lock());
    fail_ = count;
}

}  // namespace ktwin
