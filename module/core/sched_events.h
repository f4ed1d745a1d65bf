// SPDX-License-Identifier: GPL-2.0-only
//
// SchedEvents: a ring of events for each CPU, and how many found no room in it.
//
// A ring is made for each CPU that is online in the beginning. One that comes online later gets its ring from the next
// refill(); what happens on it until then is lost, and counted like all that is lost: by the next event that is stored,
// so that a reader knows where something is missing, and in a sum, if none is.
#ifndef KTWIN_CORE_SCHED_EVENTS_H
#define KTWIN_CORE_SCHED_EVENTS_H

#include "base/expected.h"
#include "core/sched_event_ring.h"

namespace ktwin {

class SchedEvents : Pinned {
  public:
    struct Count {
        u64 stored;
        u64 lost;
    };

    // All rings together: a CPU for which this leaves none has its events counted as lost.
    static constexpr u64 kMostBytes = u64{256} << 20;

    // cpus: numbers of CPUs there may be, not 0. capacity: valid.
    SchedEvents(u32 cpus, u32 capacity) : wanted_(cpus), capacity_(capacity) {}

    // [sleep] kNoMemory, also for more than kMostBytes. teardown() is due in any case.
    Result setup();
    // [sleep] No event comes any more, nobody is inside.
    void teardown();
    // [sleep] One at a time. Rings for CPUs that lack one.
    void refill();

    // [rq] On that CPU, irqs off; of a CPU that is not there: ignored. All of the event is set but lost.
    void append(u32 cpu, const SchedEvent& event);

    // [any] One reader at a time. cursor: 0 begins a turn over all CPUs. Fewer than to has room for: the turn is over.
    u32 take(u64& cursor, Span<SchedEvent> to);
    // [any]
    Count count(u32 cpu) const;

  private:
    struct Cpu {
        Atomic<SchedEventRing*> ring;  // set once; release, as its content comes before it
        u64 lost_since = 0;            // since the last that was stored; the CPU's own
        Atomic<u64> stored;
        Atomic<u64> lost;
        u8 apart[32] = {};  // another CPU writes to what may follow
    };

    Result make_ring(Cpu& cpu);

    const u32 wanted_;
    const u32 capacity_;
    u32 made_ = 0;  // all, once setup() has succeeded
    u32 rings_ = 0;
    Cpu** cpus_ = nullptr;
};

}  // namespace ktwin

#endif
