// SPDX-License-Identifier: GPL-2.0-only
#include "core/sched_events.h"

#include "base/memory.h"
#include "boundary/host_api.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// A cursor: the CPU whose turn it is, and how many of its events were taken in this turn.
constexpr u32 kTakenBits = 32;
constexpr u64 cursor_of(u64 cpu, u64 taken) {
    return cpu << kTakenBits | taken;
}

}  // namespace

Result SchedEvents::make_ring(Cpu& cpu) {
    const usize bytes = SchedEventRing::bytes(capacity_);
    if ((rings_ + 1) * u64{bytes} > kMostBytes) {
        return Errno::kNoMemory;
    }
    auto* ring = construct_at<SchedEventRing>(kt_host_alloc(bytes), capacity_);
    if (ring == nullptr) {
        return Errno::kNoMemory;
    }
    ++rings_;
    // Pairs with the acquire loads of ring in append() and take().
    cpu.ring.store_release(ring);
    return {};
}

Result SchedEvents::setup() {
    cpus_ = static_cast<Cpu**>(kt_host_alloc(wanted_ * sizeof(void*)));
    if (cpus_ == nullptr) {
        return Errno::kNoMemory;
    }
    for (; made_ < wanted_; ++made_) {
        cpus_[made_] = construct_at<Cpu>(kt_host_alloc(sizeof(Cpu)));
        if (cpus_[made_] == nullptr) {
            return Errno::kNoMemory;
        }
    }
    for (u32 cpu = 0; cpu < made_; ++cpu) {
        if (kt_host_cpu_online(cpu)) {
            const Result made = make_ring(*cpus_[cpu]);
            if (!made) {
                return made;
            }
        }
    }
    return {};
}

void SchedEvents::teardown() {
    while (made_ != 0) {
        kt_host_free(cpus_[--made_]->ring.load_relaxed());
        kt_host_free(cpus_[made_]);
    }
    kt_host_free(static_cast<void*>(cpus_));
    cpus_ = nullptr;
}

void SchedEvents::refill() {
    for (u32 cpu = 0; cpu < made_; ++cpu) {
        if (cpus_[cpu]->ring.load_relaxed() == nullptr && kt_host_cpu_online(cpu)) {
            // Where there is no memory, its events are lost, and said to be.
            static_cast<void>(make_ring(*cpus_[cpu]));
        }
    }
}

void SchedEvents::append(u32 cpu, const SchedEvent& event) {
    if (cpu >= made_) {
        return;
    }
    Cpu& here = *cpus_[cpu];
    SchedEventRing* ring = here.ring.load_acquire();
    if (ring != nullptr && ring->append(event, here.lost_since)) {
        here.lost_since = 0;
        here.stored.add_exclusive(1);
    } else {
        ++here.lost_since;
        here.lost.add_exclusive(1);
    }
}

u32 SchedEvents::take(u64& cursor, Span<SchedEvent> to) {
    u64 cpu = cursor >> kTakenBits;
    u64 taken = cursor - cursor_of(cpu, 0);
    u32 filled = 0;
    while (cpu < made_ && filled < to.size()) {
        SchedEventRing* ring = cpus_[cpu]->ring.load_acquire();
        // A ring full of each at most: a CPU that is busier than the reader holds up no other.
        const u32 room = taken < capacity_ ? capacity_ - static_cast<u32>(taken) : 0;
        const u32 wanted = room < to.size() - filled ? room : to.size() - filled;
        const u32 got = ring != nullptr ? ring->take({to.data() + filled, wanted}) : 0;
        filled += got;
        taken += got;
        if (got < wanted || taken >= capacity_) {
            ++cpu;
            taken = 0;
        }
    }
    cursor = cursor_of(cpu, taken);
    return filled;
}

SchedEvents::Count SchedEvents::count(u32 cpu) const {
    if (cpu >= made_) {
        return {0, 0};
    }
    return {cpus_[cpu]->stored.load_relaxed(), cpus_[cpu]->lost.load_relaxed()};
}

}  // namespace ktwin
