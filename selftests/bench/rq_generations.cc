// SPDX-License-Identifier: GPL-2.0-only
//
// What it costs each generation of run queue to have a task join, leave, and be picked, in nanoseconds: in a guest whose
// clock counts instructions, in instructions. A line for each generation and number of tasks, by turns that go on.
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

#include "core/cfs_queue.h"
#include "core/eevdf_queue.h"
#include "core/prio_array_queue.h"
#include "core/scan_queue.h"

namespace ktwin {
namespace {

constexpr u32 kRounds = 200;
constexpr u64 kTick = 4000000;

u64 clock_ns() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<u64>(now.tv_sec) * 1000000000 + static_cast<u64>(now.tv_nsec);
}

// The least that two looks at the clock are apart.
u64 clock_cost() {
    u64 least = ~u64{0};
    for (u32 i = 0; i < kRounds; ++i) {
        const u64 begin = clock_ns();
        const u64 took = clock_ns() - begin;
        least = took < least ? took : least;
    }
    return least;
}

struct Sum {
    u64 ns = 0;
    u64 times = 0;
    template <typename Work>
    void add(u64 clock, Work work) {
        const u64 begin = clock_ns();
        work();
        const u64 took = clock_ns() - begin;
        ns += took > clock ? took - clock : 0;
        ++times;
    }
    double mean() const { return static_cast<double>(ns) / static_cast<double>(times); }
};

// Of tasks of all weights one runs for a tick, one sleeps for a while: as a scheduler has it, and who joins is elsewhere
// each time.
template <RunQueueModel Q>
void measure(const char* name, u32 tasks, u64 clock) {
    auto queue = std::make_unique<Q>();
    std::vector<std::unique_ptr<typename Q::Entity>> entities;
    u64 now = 1000 * kTick;
    for (u32 i = 0; i < tasks; ++i) {
        entities.push_back(std::make_unique<typename Q::Entity>());
        SchedParams params;
        params.nice = static_cast<i32>(i % 11) - 5;
        params.mm = 1 + i;
        queue->setup(*entities.back(), params);
        queue->enqueue(*entities.back(), EnqueueReason::kMove, now);
    }
    Sum enqueue, dequeue, pick;
    for (u32 i = 0; i < kRounds; ++i) {
        typename Q::Entity* next = nullptr;
        pick.add(clock, [&] {
            const Pick<typename Q::Entity> answer = queue->pick(now);
            next = answer.known ? answer.entity : nullptr;
        });
        if (next == nullptr) {
            std::printf("%s %u - - -\n", name, tasks);
            return;
        }
        queue->set_next(*next);
        now += kTick;
        queue->charge(*next, kTick, now);
        typename Q::Entity& sleeper = *entities[(i * 7) % tasks];
        const bool current = &sleeper == next;
        if (!current) {
            queue->put_prev(*next);
        }
        dequeue.add(clock, [&] { queue->dequeue(sleeper, DequeueReason::kSleep, now); });
        now += kTick;
        enqueue.add(clock, [&] { queue->enqueue(sleeper, EnqueueReason::kWakeup, now); });
    }
    std::printf("%s %u %.0f %.0f %.0f\n", name, tasks, enqueue.mean(), dequeue.mean(), pick.mean());
}

}  // namespace
}  // namespace ktwin

int main() {
    const ktwin::u64 clock = ktwin::clock_cost();
    for (const ktwin::u32 tasks : {3U, 10U, 50U, 1000U}) {
        ktwin::measure<ktwin::ScanQueue>("scan", tasks, clock);
        ktwin::measure<ktwin::PrioArrayQueue>("prio_array", tasks, clock);
        ktwin::measure<ktwin::CfsQueue>("cfs", tasks, clock);
        ktwin::measure<ktwin::EevdfQueue>("eevdf", tasks, clock);
    }
    return 0;
}
