// SPDX-License-Identifier: GPL-2.0-only
//
// Rings of scheduler events: what is stored comes out in order, what is not is counted where it is missing, and a turn
// over all CPUs ends.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "core/sched_events.h"
#include "fake_host.h"

namespace ktwin {
namespace {

constexpr u32 kCapacity = SchedEventRing::kMinCapacity;

SchedEvent event(u32 cpu, u64 time) {
    SchedEvent made = {};
    made.cpu = cpu;
    made.time_ns = time;
    made.lost = ~u64{0};  // not the caller's to say
    return made;
}

class SchedEventsTest : public testing::Test {
  protected:
    void SetUp() override { FakeHost::get().reset(); }
    void TearDown() override {
        if (events) {
            events->teardown();
        }
        events.reset();
        FakeHost::get().reset();
    }
    void open(u32 cpus, u32 capacity = kCapacity) {
        events = std::make_unique<SchedEvents>(cpus, capacity);
        ASSERT_TRUE(events->setup());
    }
    void append(u32 cpu, u32 count) {
        for (u32 i = 0; i < count; ++i) {
            events->append(cpu, event(cpu, ++time[cpu]));
        }
    }
    // One turn, room records at a time.
    std::vector<SchedEvent> turn(u32 room = 7) {
        std::vector<SchedEvent> all;
        std::vector<SchedEvent> some(room);
        u64 cursor = 0;
        for (u32 got = room; got == room;) {
            const u64 before = cursor;
            got = events->take(cursor, {some.data(), room});
            EXPECT_TRUE(got < room || cursor != before) << "who gets no further is asked no more";
            all.insert(all.end(), some.begin(), some.begin() + got);
        }
        return all;
    }

    std::unique_ptr<SchedEvents> events;
    std::map<u32, u64> time;
};

TEST_F(SchedEventsTest, InOrderCpuByCpu) {
    open(3);
    append(2, 5);
    append(0, 10);
    const std::vector<SchedEvent> all = turn();
    ASSERT_EQ(all.size(), 15U);
    for (u32 i = 0; i < 15; ++i) {
        EXPECT_EQ(all[i].cpu, i < 10 ? 0U : 2U);
        EXPECT_EQ(all[i].time_ns, i < 10 ? i + 1 : i - 9);
        EXPECT_EQ(all[i].lost, 0U);
    }
    EXPECT_TRUE(turn().empty()) << "what was taken is gone";
}

TEST_F(SchedEventsTest, FullMeansLostAndSaidWhere) {
    open(2);
    append(1, kCapacity + 9);
    EXPECT_EQ(events->count(1).stored, kCapacity);
    EXPECT_EQ(events->count(1).lost, 9U);
    EXPECT_EQ(events->count(0).lost, 0U);
    EXPECT_EQ(turn().size(), kCapacity);
    append(1, 2);
    const std::vector<SchedEvent> after = turn();
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0].time_ns, kCapacity + 10);
    EXPECT_EQ(after[0].lost, 9U);
    EXPECT_EQ(after[1].lost, 0U);
}

TEST_F(SchedEventsTest, OneThatIsBusierThanTheReaderHoldsUpNobody) {
    open(2);
    std::vector<SchedEvent> some(16);
    u64 cursor = 0;
    u32 of_first = 0;
    append(0, kCapacity);
    append(1, 1);
    for (u32 i = 0; i < 10 * kCapacity; ++i) {
        const u32 got = events->take(cursor, {some.data(), 16});
        for (u32 j = 0; j < got; ++j) {
            if (some[j].cpu == 1) {
                EXPECT_EQ(of_first, kCapacity);
                return;
            }
            ++of_first;
        }
        append(0, 16);
    }
    FAIL() << "the second CPU was never asked";
}

TEST_F(SchedEventsTest, CursorsThatNobodyReturned) {
    open(2);
    append(0, 3);
    append(1, 3);
    std::vector<SchedEvent> some(16);
    for (u64 cursor : {~u64{0}, u64{2} << 32, u64{5}, u64{kCapacity}, u64{1} << 32 | 0xffffffff}) {
        EXPECT_LE(events->take(cursor, {some.data(), 16}), 6U);
    }
    u64 cursor = 0;
    EXPECT_EQ(events->take(cursor, {}), 0U);
}

TEST_F(SchedEventsTest, ACpuThatComesLater) {
    FakeHost::get().offline_cpu = 1;
    open(2);
    append(1, 4);
    EXPECT_EQ(events->count(1).lost, 4U);
    events->refill();
    append(1, 1);
    EXPECT_TRUE(turn().empty()) << "it is still not there";
    FakeHost::get().offline_cpu = FakeHost::kNoCpu;
    FakeHost::get().fail_allocation(1);
    events->refill();
    append(1, 1);
    events->refill();
    append(1, 2);
    const std::vector<SchedEvent> all = turn();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].lost, 6U);
    EXPECT_EQ(all[0].time_ns, 7U);
    EXPECT_EQ(events->count(1).stored, 2U);
    events->append(2, event(2, 1));
    EXPECT_EQ(events->count(2).stored, 0U) << "there is no such CPU";
}

TEST_F(SchedEventsTest, EveryAllocationMayFail) {
    for (int nth = 1;; ++nth) {
        FakeHost::get().reset();
        FakeHost::get().fail_allocation(nth);
        int error = 1;
        kt_sched_events* opened = kt_core_sched_events_open(3, kCapacity, &error);
        const bool hit = FakeHost::get().failure_hit();
        EXPECT_EQ(opened == nullptr, hit);
        EXPECT_EQ(error, hit ? -static_cast<int>(Errno::kNoMemory) : 0);
        if (opened != nullptr) {
            FakeHost::get().no_failures();
            kt_core_sched_events_close(opened);
        }
        EXPECT_EQ(FakeHost::get().live_allocations(), 0) << "nth " << nth;
        if (!hit) {
            EXPECT_EQ(nth, 9);
            break;
        }
    }
    int error = 0;
    for (u32 capacity : {0U, 32U, 65U, 2 * SchedEventRing::kMaxCapacity}) {
        EXPECT_EQ(kt_core_sched_events_open(1, capacity, &error), nullptr);
        EXPECT_EQ(error, -static_cast<int>(Errno::kInvalid));
    }
}

TEST_F(SchedEventsTest, RingsHaveALimitTogether) {
    int error = 0;
    EXPECT_EQ(kt_core_sched_events_open(3, SchedEventRing::kMaxCapacity, &error), nullptr)
        << "three of over 100 MiB";
    EXPECT_EQ(error, -static_cast<int>(Errno::kNoMemory));
    EXPECT_EQ(FakeHost::get().live_allocations(), 0);
    kt_sched_events* opened = kt_core_sched_events_open(1, SchedEventRing::kMaxCapacity, &error);
    ASSERT_NE(opened, nullptr);
    kt_core_sched_events_close(opened);
}

TEST_F(SchedEventsTest, ThroughTheBoundary) {
    int error = 0;
    kt_sched_events* opened = kt_core_sched_events_open(1, kCapacity, &error);
    ASSERT_NE(opened, nullptr);
    for (u32 i = 0; i < kCapacity + 1; ++i) {
        const SchedEvent one = event(0, i);
        kt_core_sched_event(opened, 0, &one);
    }
    std::vector<SchedEvent> some(kCapacity);
    __u64 cursor = 0;
    bool more = false;
    EXPECT_EQ(kt_core_read_sched_events(opened, &cursor, some.data(), kCapacity, &more),
              static_cast<int>(kCapacity));
    EXPECT_TRUE(more);
    EXPECT_EQ(kt_core_read_sched_events(opened, &cursor, some.data(), kCapacity, &more), 0);
    EXPECT_FALSE(more);
    __u64 stored = 0;
    __u64 lost = 0;
    kt_core_sched_event_count(opened, 0, &stored, &lost);
    EXPECT_EQ(stored, kCapacity);
    EXPECT_EQ(lost, 1U);
    kt_core_sched_events_close(opened);
}

}  // namespace
}  // namespace ktwin
