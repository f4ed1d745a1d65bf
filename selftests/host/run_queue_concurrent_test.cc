// SPDX-License-Identifier: GPL-2.0-only
//
// Every CPU sends its events, tasks go from one to another, somebody looks and somebody refills the pool, all at once:
// what is read without the lock is read without a race, and the counts come out even.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/random.h"
#include "core/run_queue_twin.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kCpus = 3;
constexpr u32 kSwitches = 4000;
constexpr u32 kKeys = 30;

SchedTask task(kt_key key) {
    SchedTask made;
    made.key = key;
    made.params.mm = key;
    return made;
}

// A CPU that now and then wakes a task on any CPU, and switches between those it woke itself and idle.
void drive(RunQueueTwin& twin, u32 cpu) {
    Random random(cpu + 1);
    kt_key running = 0;
    for (u32 i = 1; i <= kSwitches; ++i) {
        const u64 now = u64{i} * 100000;
        twin.woken(random.below(kCpus), task(1 + random.below(kKeys)), now);
        twin.moved(1 + random.below(kKeys), cpu, now);
        SchedSwitch event;
        event.prev = task(running);
        running = random.below(3) == 0 ? 0 : 1 + random.below(kKeys);
        event.next = task(running);
        event.prev_queued = random.below(2) != 0;
        event.prev_dead = random.below(50) == 0;
        twin.switched(cpu, event, now);
    }
}

// Picks and waits as anybody reads them.
u64 look(const RunQueueTwin& twin) {
    u64 picks = 0;
    for (u32 cpu = 0; cpu < kCpus; ++cpu) {
        for (u32 i = 0; i < kSchedClasses; ++i) {
            const auto sched_class = static_cast<SchedClass>(i);
            const RqAgreement::Count count = twin.queue(cpu).agreement(Generation::kEevdf).count(sched_class);
            EXPECT_LE(count.agreed, kSwitches);
            picks += count.picks;
            EXPECT_LE(twin.queue(cpu).waits(sched_class).count(), kSwitches);
        }
    }
    return picks;
}

TEST(RunQueueConcurrent, EventsOfEveryCpuAndReaders) {
    FakeHost::get().reset();
    auto twin = std::make_unique<RunQueueTwin>(KT_LOCK_TWIN, kCpus, kCpus, 64);
    ASSERT_TRUE(twin->setup());
    std::atomic<bool> over{false};
    std::thread reader([&] {
        while (!over) {
            EXPECT_LE(look(*twin), u64{kCpus} * kSwitches);
            kt_key keys[4];
            RqComparison result;
            twin->queued(0, Span<kt_key>(keys, 4));
            (void)!twin->compare(1, Span<const RqReal>(), result);
            twin->refill();
        }
    });
    std::vector<std::thread> cpus;
    for (u32 cpu = 0; cpu < kCpus; ++cpu) {
        cpus.emplace_back([&, cpu] { drive(*twin, cpu); });
    }
    for (std::thread& cpu : cpus) {
        cpu.join();
    }
    over = true;
    reader.join();
    EXPECT_EQ(look(*twin), u64{kCpus} * kSwitches) << "a pick for each switch";
    twin->teardown();
    twin.reset();
    FakeHost::get().reset();
}

}  // namespace
}  // namespace ktwin
