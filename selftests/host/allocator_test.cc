// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "core/pid_allocator.h"
#include "fake_host.h"

namespace ktwin {
namespace {

class AllocatorTest : public ::testing::Test {
  protected:
    AllocatorTest() {
        FakeHost::get().reset();
        memory = std::make_unique<TwinMemory>(KT_LOCK_LAB, 200000, false);
        EXPECT_TRUE(memory->refill());
        world = std::make_unique<PidWorld>(*memory);
        allocator = std::make_unique<PidAllocator>(*world);
    }
    ~AllocatorTest() override {
        while (!namespaces.empty()) {
            while (TwinPid* pid = PidAllocator::next(1, *namespaces.back())) {
                allocator->free_pid(pid);
            }
            allocator->delete_namespace(namespaces.back());
            namespaces.pop_back();
        }
        memory->teardown();
        FakeHost::get().reset();
    }
    PidNamespace* create(PidNamespace* parent, u32 pid_max = 32768) {
        namespaces.push_back(allocator->create_namespace(parent, pid_max).value());
        return namespaces.back();
    }
    Expected<TwinPid*> alloc(PidNamespace* ns, std::vector<i32> tids = {}) {
        EXPECT_TRUE(memory->reserve(ns->level()));
        return allocator->alloc_pid(ns, Span<const i32>(tids.data(), static_cast<u32>(tids.size())));
    }

    std::unique_ptr<TwinMemory> memory;
    std::unique_ptr<PidWorld> world;
    std::unique_ptr<PidAllocator> allocator;
    std::vector<PidNamespace*> namespaces;
};

TEST_F(AllocatorTest, NumbersAtAllLevels) {
    PidNamespace* top = create(nullptr);
    PidNamespace* child = create(top);
    TwinPid* first = alloc(top).value();
    TwinPid* second = alloc(child).value();
    EXPECT_EQ(first->nr(0), 1u);
    EXPECT_EQ(second->nr(0), 2u);
    EXPECT_EQ(second->nr(1), 1u);
    EXPECT_EQ(second->deepest_ns(), child);
    EXPECT_EQ(child->reaper(), second);
    EXPECT_EQ(pid_nr_ns(*second, *top), 2u);
    EXPECT_EQ(pid_nr_ns(*second, *child), 1u);
    EXPECT_EQ(pid_nr_ns(*first, *child), 0u);
    EXPECT_EQ(PidAllocator::find_pid_ns(2, *top), second);
    EXPECT_TRUE(PidAllocator::is_allocated(1, *child));
    EXPECT_FALSE(PidAllocator::is_allocated(2, *child));
    EXPECT_EQ(PidAllocator::next(2, *top), second);
    EXPECT_EQ(PidAllocator::next(3, *top), nullptr);
    EXPECT_EQ(top->children(), 1u);
}

TEST_F(AllocatorTest, References) {
    PidNamespace* top = create(nullptr);
    TwinPid* pid = alloc(top).value();
    EXPECT_EQ(pid->references(), 1u);
    EXPECT_TRUE(pid->try_get());
    allocator->free_pid(pid);
    EXPECT_EQ(pid->references(), 1u);
    EXPECT_EQ(PidAllocator::find_pid_ns(1, *top), nullptr);
    {
        SpinGuard guard(world->lock());
        world->put_pid(pid);
    }
    EXPECT_FALSE(pid->try_get()) << "the last one is gone; still readable, nothing was reclaimed";
}

TEST_F(AllocatorTest, SetTid) {
    PidNamespace* top = create(nullptr, 1000);
    PidNamespace* child = create(top, 1000);
    EXPECT_EQ(alloc(top, {5}).error(), Errno::kInvalid) << "no init yet";
    EXPECT_EQ(alloc(top, {1}).value()->nr(0), 1u);
    EXPECT_EQ(alloc(child, {1, 500}).value()->nr(0), 500u);
    EXPECT_EQ(alloc(child, {7}).value()->nr(1), 7u);
    EXPECT_EQ(alloc(child, {7}).error(), Errno::kExists);
    EXPECT_EQ(alloc(child, {8, 500}).error(), Errno::kExists);
    EXPECT_FALSE(PidAllocator::is_allocated(8, *child)) << "given back";
    EXPECT_EQ(alloc(child, {8, 501, 502}).error(), Errno::kInvalid) << "more than levels";
    EXPECT_EQ(alloc(child, {0}).error(), Errno::kInvalid);
    EXPECT_EQ(alloc(child, {-1}).error(), Errno::kInvalid);
    EXPECT_EQ(alloc(child, {1000}).error(), Errno::kInvalid);
    EXPECT_EQ(alloc(child, {999}).value()->nr(1), 999u);
    EXPECT_EQ(alloc(child).value()->nr(1), 2u) << "set_tid did not move the cursor";
}

TEST_F(AllocatorTest, ReservedAfterTheFirstRound) {
    PidNamespace* top = create(nullptr, 400);
    for (u32 i = 1; i < 400; ++i) {
        ASSERT_EQ(alloc(top).value()->nr(0), i);
    }
    EXPECT_EQ(alloc(top).error(), Errno::kAgain);
    allocator->free_pid(PidAllocator::find_pid_ns(10, *top));
    EXPECT_EQ(alloc(top).error(), Errno::kAgain) << "10 is reserved";
    allocator->free_pid(PidAllocator::find_pid_ns(300, *top));
    EXPECT_EQ(alloc(top).value()->nr(0), 300u);
    EXPECT_EQ(alloc(top).error(), Errno::kAgain);
}

TEST_F(AllocatorTest, UnwindKeepsTheCursorUnlessItIsTheFirst) {
    PidNamespace* top = create(nullptr, 3);
    PidNamespace* child = create(top, 100);
    (void)alloc(top);
    (void)alloc(top);
    EXPECT_EQ(alloc(child).error(), Errno::kAgain);
    EXPECT_EQ(child->ids().cursor(), 0u) << "its first is still to be 1";
    allocator->free_pid(PidAllocator::find_pid_ns(2, *top));
    EXPECT_EQ(alloc(child).value()->nr(1), 1u);
    EXPECT_EQ(alloc(child).error(), Errno::kAgain);
    EXPECT_EQ(child->ids().cursor(), 3u) << "moved by the attempt";
    EXPECT_EQ(child->ids().count(), 1u);
}

TEST_F(AllocatorTest, NoInitNoPids) {
    PidNamespace* top = create(nullptr);
    PidNamespace* child = create(top);
    (void)alloc(top);
    TwinPid* init = alloc(child).value();
    TwinPid* other = alloc(child).value();
    allocator->free_pid(init);
    EXPECT_EQ(alloc(child).error(), Errno::kNoMemory);
    EXPECT_EQ(child->ids().count(), 1u);
    allocator->free_pid(other);
    EXPECT_EQ(top->ids().count(), 1u);
}

TEST_F(AllocatorTest, AsDeepAsItGoes) {
    PidNamespace* ns = nullptr;
    for (u32 level = 0; level < kLevels; ++level) {
        ns = create(ns);
        EXPECT_EQ(alloc(ns).value()->nr(level), 1u);
    }
    EXPECT_EQ(allocator->create_namespace(ns, 100).error(), Errno::kNoSpace);
    TwinPid* pid = alloc(ns).value();
    for (u32 level = 0; level < kLevels; ++level) {
        EXPECT_EQ(pid->nr(level), kLevels - level + 1);
    }
}

TEST_F(AllocatorTest, NoMemoryAtEachStep) {
    PidNamespace* ns = nullptr;
    for (u32 level = 0; level < 20; ++level) {
        ns = create(ns);
    }
    FakeHost::get().set_rt(true);
    std::vector<u32> cursors;
    u32 made = 0;
    // Each takes a leaf at every level once the ones there are full; nothing is refilled.
    for (;; ++made) {
        const Expected<TwinPid*> pid = allocator->alloc_pid(ns, Span<const i32>());
        if (!pid) {
            EXPECT_EQ(pid.error(), Errno::kNoMemory);
            break;
        }
    }
    EXPECT_GT(made, 100u);
    for (PidNamespace* at = ns; at != nullptr; at = at->parent()) {
        EXPECT_EQ(at->ids().count(), made);
    }
}

}  // namespace
}  // namespace ktwin
