// SPDX-License-Identifier: GPL-2.0-only
//
// SchedEventRing: what the scheduler did on one CPU, until somebody reads it. One CPU writes, irqs off, one reader at a
// time takes out; neither waits for the other. What was not taken is never overwritten: a full ring refuses.
//
//   append (the CPU)                          take (the reader)
//     t = load_acquire(tail)           <-+      h = load_acquire(head)            <-+
//     room: write record[head]           |      read records from tail below h      |
//     store_release(head, head + 1)  ----|--+   store_release(tail, new tail)  -----+
//                                        |  |                                       |
//                                        |  +---- records are seen whole -----------+
//                                        +------- a record is written only after it was read
#ifndef KTWIN_CORE_SCHED_EVENT_RING_H
#define KTWIN_CORE_SCHED_EVENT_RING_H

#include "base/atomic.h"
#include "base/bits.h"
#include "base/span.h"
#include "boundary/types.h"

namespace ktwin {

using SchedEvent = ktwin_sched_event;

class SchedEventRing : Pinned {
  public:
    static constexpr u32 kMinCapacity = 64;
    static constexpr u32 kMaxCapacity = 1048576;
    static constexpr bool is_valid(u32 capacity) {
        return capacity >= kMinCapacity && capacity <= kMaxCapacity && is_power_of_two(capacity);
    }
    // What it takes to construct one of that capacity.
    static constexpr usize bytes(u32 capacity) {
        return sizeof(SchedEventRing) + usize{capacity} * sizeof(SchedEvent);
    }

    // In memory of bytes(capacity).
    explicit SchedEventRing(u32 capacity) : mask_(capacity - 1) {}

    // [rq] The writer. False: no room.
    bool append(const SchedEvent& event, u64 lost);
    // [any] The reader. The oldest; how many.
    u32 take(Span<SchedEvent> to);

  private:
    SchedEvent& at(u64 index) { return reinterpret_cast<SchedEvent*>(this + 1)[index & mask_]; }

    const u64 mask_;
    Atomic<u64> head_;
    [[maybe_unused]] u8 apart_[56] = {};  // another CPU writes to what follows
    Atomic<u64> tail_;
};
static_assert(sizeof(SchedEventRing) % alignof(SchedEvent) == 0);

}  // namespace ktwin

#endif
