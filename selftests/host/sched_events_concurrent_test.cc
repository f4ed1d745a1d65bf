// SPDX-License-Identifier: GPL-2.0-only
//
// Every CPU writes to its ring, one that was away comes online, and somebody reads, all at once: each event is read once,
// whole and in order, or counted as lost at the place where it is missing.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "core/sched_events.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kCpus = 3;
constexpr u64 kEvents = 30000;

SchedEvent event(u32 cpu, u64 number) {
    SchedEvent made = {};
    made.cpu = cpu;
    made.time_ns = number;
    made.depth = made.task.flags = static_cast<u32>(number);
    return made;
}

class Reader {
  public:
    explicit Reader(SchedEvents& events) : events_(events) {}

    void turn() {
        std::array<SchedEvent, 16> some;
        u64 cursor = 0;
        for (u32 got = 16; got == 16;) {
            got = events_.take(cursor, {some.data(), 16});
            for (u32 i = 0; i < got; ++i) {
                check(some[i]);
            }
        }
    }
    u64 next(u32 cpu) const { return next_[cpu]; }
    u64 read(u32 cpu) const { return read_[cpu]; }

  private:
    void check(const SchedEvent& event) {
        ASSERT_EQ(event.time_ns, next_[event.cpu] + event.lost);
        ASSERT_EQ(event.depth, static_cast<u32>(event.time_ns));
        ASSERT_EQ(event.task.flags, event.depth);
        next_[event.cpu] = event.time_ns + 1;
        ++read_[event.cpu];
    }

    SchedEvents& events_;
    std::array<u64, kCpus> next_{};
    std::array<u64, kCpus> read_{};
};

TEST(SchedEventsConcurrent, EveryCpuAndAReader) {
    FakeHost::get().reset();
    FakeHost::get().offline_cpu = 2;
    auto events = std::make_unique<SchedEvents>(kCpus, SchedEventRing::kMinCapacity);
    ASSERT_TRUE(events->setup());
    std::atomic<u32> writing{kCpus};
    std::vector<std::thread> cpus;
    for (u32 cpu = 0; cpu < kCpus; ++cpu) {
        cpus.emplace_back([&, cpu] {
            for (u64 i = 0; i < kEvents; ++i) {
                events->append(cpu, event(cpu, i));
                if (i == kEvents / 4) {
                    FakeHost::get().offline_cpu = FakeHost::kNoCpu;
                }
            }
            --writing;
        });
    }
    Reader reader(*events);
    while (writing != 0) {
        reader.turn();
        events->refill();
    }
    for (std::thread& cpu : cpus) {
        cpu.join();
    }
    reader.turn();
    for (u32 cpu = 0; cpu < kCpus; ++cpu) {
        const SchedEvents::Count count = events->count(cpu);
        EXPECT_EQ(count.stored + count.lost, kEvents);
        EXPECT_EQ(reader.read(cpu), count.stored);
        EXPECT_LE(reader.next(cpu), kEvents);
    }
    events->teardown();
    events.reset();
    FakeHost::get().reset();
}

}  // namespace
}  // namespace ktwin
