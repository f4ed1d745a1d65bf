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
