// SPDX-License-Identifier: GPL-2.0-only
#include "core/core.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result Core::setup() {
    Result filled = memory_.refill();
    return filled ? audit_.setup() : filled;
}

void Core::teardown() {
    bool more = true;
    while (more) {
        SpinGuard guard(world_.lock());
        more = world_.clear_some(kRound);
    }
    memory_.teardown();
    audit_.teardown();
}

Result Core::control(u32 op) {
    return op == KTWIN_LOCKSTEP_ON || op == KTWIN_LOCKSTEP_OFF ? lockstep_.control(op == KTWIN_LOCKSTEP_ON)
                                                               : mirror_.control(op);
}

Result Core::run_audit(kt_key viewer, const kt_audit_budget& budget, ktwin_audit& report) {
    const Result result = audit_.run(viewer, budget, false, report);
    if (!result || viewer != kt_host_init_ns()) {
        return result;
    }
    bool alive = false;
    if (lockstep_.check(alive) && !alive) {
        report.why |= KTWIN_WHY_PROBE_DISARMED;
        report.complete = 0;
    }
    lockstep_.fill(report);
    return result;
}

Result Core::last_audit(kt_key viewer, ktwin_audit& report) {
    const Result result = audit_.last(viewer, report);
    if (result) {
        lockstep_.fill(report);
    }
    return result;
}

Expected<EventStream*> Core::open_stream(kt_key viewer, void* owner, ktwin_ring* ring, u32 capacity) {
    if (!EventStream::is_valid(capacity)) {
        return Errno::kInvalid;
    }
    auto* stream =
        construct_at<EventStream>(kt_host_alloc(sizeof(EventStream)), viewer, owner, ring, capacity);
    if (stream == nullptr) {
        return Errno::kNoMemory;
    }
    Result added;
    {
        SpinGuard guard(mirror_.lock());
        added = mirror_.streams().add(stream);
    }
    if (!added) {
        kt_host_free(stream);
        return added.error();
    }
    return stream;
}

void Core::close_stream(EventStream* stream) {
    {
        SpinGuard guard(mirror_.lock());
        mirror_.streams().remove(stream);
    }
    kt_host_free(stream);
}

Result Core::acknowledge(EventStream* stream, u64 tail) {
    SpinGuard guard(mirror_.lock());
    return stream->acknowledge(tail);
}

bool Core::is_readable(const EventStream* stream) {
    SpinGuard guard(mirror_.lock());
    return stream->readable();
}

}  // namespace ktwin
