// SPDX-License-Identifier: GPL-2.0-only
//
// alloc_pid and free_pid against a model of kernel/pid.c over IdrModel: numbers at every level, errors, cursors.
#include <gtest/gtest.h>

#include <random>

#include "../host/fake_host.h"
#include "core/pid_allocator.h"
#include "free_runs.h"

namespace ktwin {
namespace {

// What kernel/pid.c does to one namespace.
struct ModelNs {
    IdrModel idr;
    bool dying = false;
};

struct Shape {
    u32 levels;
    u32 pid_max;
    u32 operations;
};

class AllocPidModel : public ::testing::TestWithParam<Shape> {
  protected:
    AllocPidModel() {
        FakeHost::get().reset();
        memory = std::make_unique<TwinMemory>(KT_LOCK_LAB, 5000000, false);
        EXPECT_TRUE(memory->refill());
        world = std::make_unique<PidWorld>(*memory);
        allocator = std::make_unique<PidAllocator>(*world);
        model.resize(GetParam().levels);
        for (u32 i = 0; i < GetParam().levels; ++i) {
            ns.push_back(
                allocator->create_namespace(i > 0 ? ns[i - 1] : nullptr, GetParam().pid_max).value());
        }
    }
    ~AllocPidModel() override {
        while (TwinPid* pid = PidAllocator::next(1, *ns[0])) {
            allocator->free_pid(pid);
        }
        for (u32 i = GetParam().levels; i-- > 0;) {
            allocator->delete_namespace(ns[i]);
        }
        memory->teardown();
        FakeHost::get().reset();
    }

    u32 below(u32 bound) { return static_cast<u32>(random() % bound); }
    // Once it had one: the kernel's child_reaper stays set.
    bool has_init(u32 level) { return model[level].idr.used().count(1) != 0 || model[level].dying; }

    Errno model_reserve(u32 level, u32 index, const std::vector<i32>& tids, u32& nr) {
        IdrModel& idr = model[level].idr;
        if (index < tids.size()) {
            const i32 tid = tids[index];
            if (tid < 1 || tid >= static_cast<i32>(GetParam().pid_max) || (tid != 1 && !has_init(level))) {
                return Errno::kInvalid;
            }
            nr = static_cast<u32>(tid);
            return idr.alloc(tid, tid + 1) >= 0 ? Errno::kNone : Errno::kExists;
        }
        const int64_t got = idr.alloc_cyclic(idr.cursor > 300 ? 300 : 1, GetParam().pid_max);
        nr = static_cast<u32>(got);
        return got >= 0 ? Errno::kNone : Errno::kAgain;
    }

    Errno model_alloc(u32 deepest, const std::vector<i32>& tids, std::vector<u32>& numbers) {
        numbers.assign(deepest + 1, 0);
        if (tids.size() > deepest + 1) {
            return Errno::kInvalid;
        }
        Errno error = Errno::kNone;
        u32 level = deepest + 1;
        while (level > 0 && error == Errno::kNone) {
            --level;
            error = model_reserve(level, deepest - level, tids, numbers[level]);
        }
        const bool refused = error == Errno::kNone && model[deepest].dying;
        if (error == Errno::kNone && !refused) {
            return error;
        }
        for (u32 i = refused ? 0 : level + 1; i <= deepest; ++i) {
            model[i].idr.remove(numbers[i]);
        }
        if (model[deepest].idr.used().empty() && !model[deepest].dying) {
            model[deepest].idr.cursor = 0;
        }
        return refused ? Errno::kNoMemory : error;
    }

    void alloc() {
        const u32 level = below(GetParam().levels);
        ASSERT_TRUE(memory->reserve(level));
        std::vector<i32> tids;
        if (below(10) == 0) {
            tids.resize(1 + below(level + 2));
            for (i32& tid : tids) {
                tid = below(4) == 0 ? 1 : static_cast<i32>(below(GetParam().pid_max + 2)) - 1;
            }
        }
        std::vector<u32> numbers;
        const Errno expected = model_alloc(level, tids, numbers);
        const Expected<TwinPid*> pid =
            allocator->alloc_pid(ns[level], Span<const i32>(tids.data(), static_cast<u32>(tids.size())));
        ASSERT_EQ(pid.error(), expected);
        exhausted += expected == Errno::kAgain;
        for (u32 i = 0; i <= level; ++i) {
            ASSERT_EQ(ns[i]->ids().cursor(), model[i].idr.cursor) << "level " << i;
            ASSERT_EQ(ns[i]->ids().count(), model[i].idr.used().size());
            if (pid) {
                ASSERT_EQ(pid.value()->nr(i), numbers[i]);
            }
        }
    }

    void free() {
        TwinPid* pid = PidAllocator::next(below(GetParam().pid_max), *ns[0]);
        // Inits seldom go: after them there is nothing more to see in their namespace.
        if (pid == nullptr || (pid->nr(pid->level()) == 1 && below(1000) != 0) || pid->level() == 0) {
            return;
        }
        for (u32 i = 0; i <= pid->level(); ++i) {
            model[i].dying = model[i].dying || pid->nr(i) == 1 || model[i].idr.used().size() == 1;
            ASSERT_TRUE(model[i].idr.remove(pid->nr(i)));
        }
        allocator->free_pid(pid);
    }

    std::unique_ptr<TwinMemory> memory;
    std::unique_ptr<PidWorld> world;
    std::unique_ptr<PidAllocator> allocator;
    std::vector<PidNamespace*> ns;
    std::vector<ModelNs> model;
    std::mt19937_64 random{42};
    u32 exhausted = 0;
};

TEST_P(AllocPidModel, SameAsTheModel) {
    u32 share = 60;
    for (u32 i = 0; i < GetParam().operations; ++i) {
        if (i % 10000 == 0) {
            const u32 shares[] = {95, 50, 30, 60};
            share = shares[i / 10000 % 4];
            memory->reclaim();
        }
        below(100) < share ? alloc() : free();
        if (HasFatalFailure()) {
            FAIL() << "operation " << i;
        }
    }
    EXPECT_TRUE(GetParam().pid_max > 1000 || exhausted > 0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, AllocPidModel,
                         ::testing::Values(Shape{1, 2, 2000}, Shape{1, 302, 200000}, Shape{3, 400, 200000},
                                           Shape{2, 32768, 400000}, Shape{5, 4194304, 200000},
                                           Shape{33, 500, 60000}, Shape{33, 32768, 60000}));

}  // namespace
}  // namespace ktwin
