// SPDX-License-Identifier: GPL-2.0-only
// The ring as a kernel gone mad would write it: no read may leave the mapping, no error may pass unseen.
#include "lib/ring.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <random>

namespace ktwin {
namespace {

class FakeRing {
  public:
    explicit FakeRing(uint32_t capacity = 64, uint32_t record_size = sizeof(ktwin_event),
                      uint32_t offset = 4096)
        : memory_(offset + uint64_t{capacity} * record_size) {
        header() = {};
        header().bytes = memory_.size();
        header().capacity = capacity;
        header().record_size = record_size;
        header().offset = offset;
    }

    ktwin_ring& header() { return *reinterpret_cast<ktwin_ring*>(memory_.data()); }

    ktwin_event& record(uint64_t index) {
        const uint64_t slot = index % header().capacity;
        return *reinterpret_cast<ktwin_event*>(memory_.data() + header().offset +
                                               slot * header().record_size);
    }

    void append(uint32_t type, int32_t nr) {
        ktwin_event& event = record(header().head);
        event = {};
        event.index = header().head;
        event.type = type;
        event.nr = nr;
        header().head++;
    }

    std::span<const std::byte> bytes() const { return std::as_bytes(std::span(memory_)); }

  private:
    std::vector<unsigned char> memory_;
};

int error_of(const Result<Ring>& ring) {
    return ring ? 0 : ring.error().code;
}

TEST(Ring, TakesInOrderAndAcrossTheEnd) {
    FakeRing fake;
    Ring ring = *Ring::open(fake.bytes());
    std::vector<Event> events;
    EXPECT_EQ(*ring.take(events, 100), 0U);
    for (int32_t nr = 0; nr < 300; nr++) {
        fake.append(KTWIN_EV_PID_ALLOC, nr);
        if (nr % 50 == 49) {
            events.clear();
            EXPECT_EQ(*ring.take(events, 30), 30U);
            EXPECT_EQ(*ring.take(events, 30), 20U);
            EXPECT_EQ(events.front().nr, nr - 49);
            EXPECT_EQ(events.back().nr, nr);
        }
    }
    EXPECT_EQ(ring.next(), 300U);
}

TEST(Ring, WholeRingAtOnce) {
    FakeRing fake;
    Ring ring = *Ring::open(fake.bytes());
    for (int32_t nr = 0; nr < 64; nr++) {
        fake.append(KTWIN_EV_PID_FREE, nr);
    }
    std::vector<Event> events;
    EXPECT_EQ(*ring.take(events, 1000), 64U);
}

TEST(Ring, LongerRecordsOfANewerKernel) {
    FakeRing fake(64, sizeof(ktwin_event) + 16);
    Ring ring = *Ring::open(fake.bytes());
    fake.append(KTWIN_EV_PID_ALLOC, 7);
    fake.append(99, 8);
    std::vector<Event> events;
    EXPECT_EQ(*ring.take(events, 10), 2U);
    EXPECT_EQ(events[1].nr, 8);
    EXPECT_EQ(events[1].type, 99U);
}

TEST(Ring, Lost) {
    FakeRing fake;
    const Ring ring = *Ring::open(fake.bytes());
    EXPECT_EQ(ring.lost(), 0U);
    fake.header().lost = 12;
    EXPECT_EQ(ring.lost(), 12U);
}

TEST(Ring, RefusesGeometryThatDoesNotFit) {
    EXPECT_EQ(error_of(Ring::open({})), EPROTO);
    const std::vector<std::byte> tiny(sizeof(ktwin_ring) - 1);
    EXPECT_EQ(error_of(Ring::open(tiny)), EPROTO);

    const auto broken = [](auto change) {
        FakeRing fake;
        change(fake.header());
        return error_of(Ring::open(fake.bytes()));
    };
    EXPECT_EQ(broken([](ktwin_ring&) {}), 0);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.capacity = 0; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.capacity = 65; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.capacity = 128; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.capacity = 1U << 31; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.record_size = 0; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.record_size -= 8; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.record_size += 8; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.record_size = UINT32_MAX; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.offset = 0; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.offset += 1; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.offset += 8; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.offset = UINT32_MAX - 7; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.bytes -= 1; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.bytes = 0; }), EPROTO);
    EXPECT_EQ(broken([](ktwin_ring& h) { h.bytes = UINT64_MAX; }), EPROTO);
    // More than is mapped: only what is mapped counts.
    EXPECT_EQ(broken([](ktwin_ring& h) { h.bytes += 4096, h.capacity = 128; }), EPROTO);
}

TEST(Ring, HeadThatLies) {
    for (const uint64_t head : {uint64_t{65}, uint64_t{1} << 40, UINT64_MAX}) {
        FakeRing fake;
        Ring ring = *Ring::open(fake.bytes());
        fake.header().head = head;
        std::vector<Event> events;
        const auto count = ring.take(events, 10);
        ASSERT_FALSE(count);
        EXPECT_EQ(count.error().code, EPROTO);
        EXPECT_TRUE(events.empty());
    }
    FakeRing fake;
    Ring ring = *Ring::open(fake.bytes());
    std::vector<Event> events;
    fake.append(KTWIN_EV_PID_ALLOC, 1);
    fake.append(KTWIN_EV_PID_ALLOC, 2);
    EXPECT_TRUE(ring.take(events, 10));
    fake.header().head = 1;  // backwards
    EXPECT_FALSE(ring.take(events, 10));
}

TEST(Ring, IndexThatDoesNotFit) {
    FakeRing fake;
    Ring ring = *Ring::open(fake.bytes());
    fake.append(KTWIN_EV_PID_ALLOC, 1);
    fake.append(KTWIN_EV_PID_ALLOC, 2);
    fake.record(1).index = 5;
    std::vector<Event> events;
    EXPECT_FALSE(ring.take(events, 10));
}

TEST(Ring, GeometryChangedLaterIsNotReadAgain) {
    FakeRing fake;
    Ring ring = *Ring::open(fake.bytes());
    fake.append(KTWIN_EV_PID_ALLOC, 1);
    fake.header().offset = UINT32_MAX;
    fake.header().capacity = UINT32_MAX;
    fake.header().record_size = UINT32_MAX;
    std::vector<Event> events;
    EXPECT_EQ(*ring.take(events, 10), 1U);
}

TEST(Ring, RandomHeadersNeverReadOutside) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 20000; round++) {
        FakeRing fake;
        ktwin_ring& header = fake.header();
        const uint64_t kind = random();
        header.head = random() >> (random() % 64);
        if (kind & 1) {
            header.capacity = static_cast<uint32_t>(1U << (random() % 32));
        }
        if (kind & 2) {
            header.record_size = static_cast<uint32_t>(random() >> (32 + random() % 32));
        }
        if (kind & 4) {
            header.offset = static_cast<uint32_t>(random() >> (32 + random() % 32));
        }
        if (kind & 8) {
            header.bytes = random() >> (random() % 64);
        }
        Result<Ring> ring = Ring::open(fake.bytes());
        std::vector<Event> events;
        if (ring) {
            (void)ring->take(events, SIZE_MAX);  // the sanitizer is the judge
        }
    }
}

}  // namespace
}  // namespace ktwin
