// SPDX-License-Identifier: GPL-2.0-only
//
// Rings of scheduler events against a queue for each CPU: random events, readings of random length that are broken off
// anywhere, CPUs that come late.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "base/random.h"
#include "core/sched_events.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kCpus = 4;
constexpr u32 kCapacity = SchedEventRing::kMinCapacity;

struct Modelled {
    bool has_ring = true;
    u64 told = 0;
    u64 stored = 0;
    u64 lost = 0;
    u64 lost_since = 0;
    std::deque<SchedEvent> ring;
};

class Model {
  public:
    explicit Model(u32 seed) : random_(seed), events_(std::make_unique<SchedEvents>(kCpus, kCapacity)) {}

    void run() {
        FakeHost::get().offline_cpu = kCpus - 1;
        cpus_[kCpus - 1].has_ring = false;
        ASSERT_TRUE(events_->setup());
        for (u32 i = 0; i < 2000 && !testing::Test::HasFailure(); ++i) {
            step();
        }
        events_->teardown();
    }

  private:
    void step() {
        switch (random_.below(8)) {
            case 0:
                read(random_.below(200));
                break;
            case 1:
                read(random_.below(4));
                break;
            case 2:
                if (random_.below(20) == 0) {
                    FakeHost::get().offline_cpu = FakeHost::kNoCpu;
                }
                events_->refill();
                cpus_[kCpus - 1].has_ring |= FakeHost::get().offline_cpu == FakeHost::kNoCpu;
                break;
            default:
                append(random_.below(kCpus), random_.below(40));
        }
    }

    void append(u32 number, u32 count) {
        Modelled& cpu = cpus_[number];
        for (u32 i = 0; i < count; ++i) {
            SchedEvent event = {};
            event.cpu = number;
            event.time_ns = cpu.told++;
            events_->append(number, event);
            if (cpu.has_ring && cpu.ring.size() < kCapacity) {
                event.lost = cpu.lost_since;
                cpu.lost_since = 0;
                ++cpu.stored;
                cpu.ring.push_back(event);
            } else {
                ++cpu.lost_since;
                ++cpu.lost;
            }
        }
        EXPECT_EQ(events_->count(number).stored, cpu.stored);
        EXPECT_EQ(events_->count(number).lost, cpu.lost);
    }

    // A turn, so many at a time; broken off now and then.
    void read(u32 room) {
        std::vector<SchedEvent> some(room);
        u64 cursor = 0;
        for (u32 got = room; room != 0 && got == room && random_.below(30) != 0;) {
            got = events_->take(cursor, {some.data(), room});
            for (u32 i = 0; i < got; ++i) {
                Modelled& cpu = cpus_[some[i].cpu];
                ASSERT_FALSE(cpu.ring.empty());
                EXPECT_EQ(some[i].time_ns, cpu.ring.front().time_ns);
                EXPECT_EQ(some[i].lost, cpu.ring.front().lost);
                cpu.ring.pop_front();
            }
            if (got < room) {
                expect_empty();
            }
        }
    }

    void expect_empty() {
        for (const Modelled& cpu : cpus_) {
            EXPECT_TRUE(cpu.ring.empty()) << "nobody wrote meanwhile";
        }
    }

    Random random_;
    std::unique_ptr<SchedEvents> events_;
    Modelled cpus_[kCpus];
};

TEST(SchedEventsModel, Random) {
    for (u32 seed = 1; seed <= 20; ++seed) {
        FakeHost::get().reset();
        Model(seed).run();
        FakeHost::get().reset();
    }
}

}  // namespace
}  // namespace ktwin
