// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "fake_kernel.h"

namespace {

// A stream with the memory user space would map.
class Stream {
  public:
    Stream(kt_key viewer, unsigned capacity)
        : memory_(4096 / 8 + capacity * sizeof(ktwin_event) / 8),
          ring_(reinterpret_cast<ktwin_ring*>(memory_.data())) {
        stream_ = kt_core_stream_open(viewer, this, ring_, capacity, &error_);
    }
    ~Stream() {
        if (stream_ != nullptr) {
            kt_core_stream_close(stream_);
        }
    }
    std::vector<ktwin_event> read() {
        std::vector<ktwin_event> events;
        const auto* records =
            reinterpret_cast<const ktwin_event*>(reinterpret_cast<const char*>(ring_) + ring_->offset);
        for (uint64_t i = ring_->tail; i < ring_->head; ++i) {
            events.push_back(records[i % ring_->capacity]);
            EXPECT_EQ(events.back().index, i);
        }
        EXPECT_EQ(kt_core_stream_ack(stream_, ring_->head), 0);
        return events;
    }
    const ktwin_ring& ring() const { return *ring_; }
    kt_stream* get() { return stream_; }
    int error() const { return error_; }

  private:
    std::vector<uint64_t> memory_;
    ktwin_ring* ring_;
    kt_stream* stream_;
    int error_ = 0;
};

class StreamTest : public ::testing::Test {
  protected:
    StreamTest() {
        kernel.alloc(kernel.root());
        EXPECT_EQ(kt_core_mirror(KTWIN_MIRROR_ON), 0);
    }
    static std::vector<unsigned> types(const std::vector<ktwin_event>& events) {
        std::vector<unsigned> all;
        for (const ktwin_event& event : events) {
            all.push_back(event.type);
        }
        return all;
    }

    CoreRun run;
    FakeKernel& kernel = FakeKernel::get();
};

TEST_F(StreamTest, Describes) {
    Stream stream(kt_host_init_ns(), 64);
    EXPECT_EQ(stream.ring().capacity, 64u);
    EXPECT_EQ(stream.ring().record_size, 64u);
    EXPECT_EQ(stream.ring().offset, 4096u);
    EXPECT_EQ(stream.ring().bytes, 8192u);
    EXPECT_FALSE(kt_core_stream_readable(stream.get()));
}

TEST_F(StreamTest, BadCapacity) {
    for (unsigned capacity : {0u, 63u, 32u, 100u, 2097152u}) {
        std::vector<uint64_t> memory(1024);
        int error = 0;
        EXPECT_EQ(kt_core_stream_open(kt_host_init_ns(), this, reinterpret_cast<ktwin_ring*>(memory.data()),
                                      capacity, &error),
                  nullptr);
        EXPECT_EQ(error, -EINVAL);
    }
}

TEST_F(StreamTest, AtMost64) {
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 64; ++i) {
        streams.push_back(std::make_unique<Stream>(kt_host_init_ns(), 64));
        EXPECT_NE(streams.back()->get(), nullptr);
    }
    Stream one_more(kt_host_init_ns(), 64);
    EXPECT_EQ(one_more.get(), nullptr);
    EXPECT_EQ(one_more.error(), -EBUSY);
    EXPECT_EQ(run.status().streams, 64u);
}

TEST_F(StreamTest, PidsAndNamespaces) {
    Stream stream(kt_host_init_ns(), 64);
    FakeNs* child = kernel.create_ns(kernel.root());
    FakePid* pid = kernel.alloc(child);
    kernel.free(pid);
    const auto events = stream.read();
    EXPECT_EQ(types(events), (std::vector<unsigned>{KTWIN_EV_NS_NEW, KTWIN_EV_PID_ALLOC, KTWIN_EV_PID_FREE,
                                                    KTWIN_EV_NS_GONE}));
    EXPECT_EQ(events[0].ns, child->inode);
    EXPECT_EQ(events[0].level, 1u);
    EXPECT_EQ(events[0].parent, kernel.root()->inode);
    EXPECT_EQ(events[1].nr, 2);
    EXPECT_EQ(events[1].ns_nr, 1);
    EXPECT_EQ(events[1].ns, child->inode);
    EXPECT_EQ(events[1].level, 1u);
    EXPECT_EQ(events[1].serial, events[2].serial);
    EXPECT_NE(events[1].serial, 0u);
    EXPECT_GE(events[2].time_ns, events[1].time_ns);
}

TEST_F(StreamTest, ScopedToTheViewer) {
    FakeNs* child = kernel.create_ns(kernel.root());
    FakeNs* sibling = kernel.create_ns(kernel.root());
    FakePid* init = kernel.alloc(child);
    Stream stream(kernel.key(child), 64);
    kernel.alloc(kernel.root());
    kernel.alloc(sibling);
    FakePid* mine = kernel.alloc(child);
    FakeNs* below = kernel.create_ns(child);
    kernel.free(kernel.alloc(below));
    auto events = stream.read();
    ASSERT_EQ(types(events), (std::vector<unsigned>{KTWIN_EV_PID_ALLOC, KTWIN_EV_NS_NEW, KTWIN_EV_PID_ALLOC,
                                                    KTWIN_EV_PID_FREE, KTWIN_EV_NS_GONE}));
    EXPECT_EQ(events[0].nr, 2);
    EXPECT_EQ(events[0].level, 0u);
    EXPECT_EQ(events[1].level, 1u);
    EXPECT_EQ(events[1].parent, child->inode);
    EXPECT_EQ(events[2].nr, 3);
    EXPECT_EQ(events[2].ns_nr, 1);
    // The viewer's namespace goes: its end is the last that is seen, whatever comes at its address.
    kernel.free(mine);
    kernel.free(init);
    child->inode = 1;
    child->cursor = 0;
    kernel.alloc(child);
    events = stream.read();
    ASSERT_EQ(types(events), (std::vector<unsigned>{KTWIN_EV_PID_FREE, KTWIN_EV_PID_FREE, KTWIN_EV_NS_GONE}));
    EXPECT_EQ(events[2].parent, 0u);
}

TEST_F(StreamTest, FullDropsAndCounts) {
    Stream stream(kt_host_init_ns(), 64);
    for (int i = 0; i < 100; ++i) {
        kernel.alloc(kernel.root());
    }
    EXPECT_EQ(stream.ring().head, 64u);
    EXPECT_EQ(stream.ring().lost, 36u);
    EXPECT_EQ(run.status().events, 64u);
    EXPECT_EQ(run.status().events_lost, 36u);
    EXPECT_TRUE(kt_core_stream_readable(stream.get()));
    EXPECT_EQ(kt_core_stream_ack(stream.get(), 65), -ERANGE);
    EXPECT_EQ(kt_core_stream_ack(stream.get(), 10), 0);
    EXPECT_EQ(kt_core_stream_ack(stream.get(), 9), -ERANGE);
    for (int i = 0; i < 20; ++i) {
        kernel.alloc(kernel.root());
    }
    EXPECT_EQ(stream.ring().head, 74u);
    EXPECT_EQ(stream.read().size(), 64u);
    EXPECT_FALSE(kt_core_stream_readable(stream.get()));
}

TEST_F(StreamTest, WakesWhenItWasEmpty) {
    Stream stream(kt_host_init_ns(), 64);
    kernel.alloc(kernel.root());
    kernel.alloc(kernel.root());
    EXPECT_EQ(FakeHost::get().wakes, 1u);
    stream.read();
    kernel.alloc(kernel.root());
    EXPECT_EQ(FakeHost::get().wakes, 2u);
}

TEST_F(StreamTest, AboutTheTwin) {
    FakeNs* child = kernel.create_ns(kernel.root());
    kernel.alloc(child);
    Stream all(kt_host_init_ns(), 64);
    Stream scoped(kernel.key(child), 64);
    ASSERT_EQ(run.inject(KTWIN_INJECT_NO_MEMORY, 1), 0);
    kernel.alloc(kernel.root());
    kt_core_maintain();
    ASSERT_EQ(run.inject(KTWIN_INJECT_DROP, 1), 0);
    run.audit();
    ASSERT_EQ(kt_core_mirror(KTWIN_MIRROR_OFF), 0);
    const auto events = all.read();
    ASSERT_EQ(types(events), (std::vector<unsigned>{KTWIN_EV_INCOMPLETE, KTWIN_EV_POPULATED,
                                                    KTWIN_EV_DIVERGENCE, KTWIN_EV_INCOMPLETE}));
    EXPECT_EQ(events[0].arg, KTWIN_WHY_NO_MEMORY);
    EXPECT_EQ(events[1].arg, 2u);
    EXPECT_EQ(events[2].arg, 1u) << "index of the divergence";
    EXPECT_EQ(events[2].nr, 1);
    EXPECT_EQ(events[3].arg, KTWIN_WHY_OFF);
    EXPECT_EQ(types(scoped.read()),
              (std::vector<unsigned>{KTWIN_EV_INCOMPLETE, KTWIN_EV_POPULATED, KTWIN_EV_INCOMPLETE}));
}

}  // namespace
