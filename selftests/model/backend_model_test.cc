// SPDX-License-Identifier: GPL-2.0-only
//
// The same random operations on every kind of IdBackend and on a std:: reference: every number and every error is the
// same where the kind has the operation, and alloc_any() fails exactly when nothing is free.
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "core/id_backend.h"
#include "fake_host.h"
#include "free_runs.h"

namespace ktwin {
namespace {

constexpr u32 kCpus = 4;

struct Work {
    u32 limit;
    u32 operations;
    u32 alloc_percent;
    u32 from;  // the lowest number that is asked for in the second half, as kernel/pid.c does
    u64 seed;
};

std::ostream& operator<<(std::ostream& to, const Work& work) {
    return to << work.limit << "/" << work.alloc_percent << "%";
}

void* value(u32 id) {
    return reinterpret_cast<void*>(u64{id} * 8 + 8);
}

class Run {
  public:
    Run(IdBackend backend, const Work& work, u32 how)
        : backend_(backend), work_(work), how_(how), dice_(work.seed) {}

    void operate() {
        for (u32 i = 0; i < work_.operations && !::testing::Test::HasFailure(); ++i) {
            fake_run_on_cpu(dice_.below(kCpus));
            // Long phases of growing and shrinking, so that both ends are reached.
            const bool growing = (i / 5000) % 3 != 2;
            min_ = how_ == kHasAny ? 0 : i < work_.operations / 2 ? 1 : work_.from;
            step(growing ? work_.alloc_percent : 100 - work_.alloc_percent);
            if (i % 4096 == 0) {
                backend_.maintain();
            }
        }
        check_all();
    }

  private:
    void step(u32 alloc_percent) {
        const u32 what = dice_.below(100);
        if (what < 10) {
            look();
        } else if (dice_.below(100) < alloc_percent) {
            backend_.has(kHasAt) && what < 25 ? alloc_at() : alloc();
        } else {
            erase();
        }
        if (backend_.has(kHasCount) && what == 50) {
            EXPECT_EQ(backend_.count(), model_.used().size());
        }
        if (backend_.has(kHasCursor) && how_ == kHasCyclic) {
            EXPECT_EQ(backend_.cursor(), static_cast<u32>(model_.cursor));
        }
    }

    void alloc() {
        const bool reserve = backend_.has(kHasFind) && dice_.below(8) == 0;
        if (how_ == kHasAny) {
            expect_any(reserve);
            return;
        }
        const int64_t nr =
            how_ == kHasCyclic ? model_.alloc_cyclic(min_, work_.limit) : model_.alloc(min_, work_.limit);
        void* pointer = reserve || nr < 0 ? nullptr : value(static_cast<u32>(nr));
        const Expected<u32> id = how_ == kHasCyclic ? backend_.alloc_cyclic(min_, work_.limit, pointer)
                                                    : backend_.alloc_lowest(min_, work_.limit, pointer);
        ASSERT_EQ(static_cast<bool>(id), nr >= 0);
        if (!id) {
            EXPECT_EQ(id.error(), Errno::kNoSpace);
            return;
        }
        ASSERT_EQ(id.value(), nr);
        note(id.value(), pointer != nullptr);
    }

    void expect_any(bool reserve) {
        const Expected<u32> id = backend_.alloc_any(0, work_.limit, nullptr);
        ASSERT_EQ(static_cast<bool>(id), model_.used().size() < work_.limit);
        if (!id) {
            EXPECT_EQ(id.error(), Errno::kNoSpace);
            return;
        }
        ASSERT_EQ(model_.alloc(id.value(), int64_t{id.value()} + 1), id.value()) << "given twice";
        if (backend_.has(kHasFind) && !reserve) {
            backend_.publish(id.value(), value(id.value()));
            note(id.value(), true);
        }
    }

    void alloc_at() {
        const u32 id = dice_.below(work_.limit + 2);
        const Result result = backend_.alloc_at(id, value(id));
        if (id >= work_.limit) {
            EXPECT_EQ(result.error(), Errno::kRange);
            return;
        }
        ASSERT_EQ(static_cast<bool>(result), model_.alloc(id, int64_t{id} + 1) >= 0);
        if (result) {
            note(id, true);
        } else {
            EXPECT_EQ(result.error(), Errno::kExists);
        }
    }

    void erase() {
        const u32 start = dice_.below(work_.limit);
        const auto at = model_.used().lower_bound(start);
        if (at == model_.used().end()) {
            if (backend_.has(kChecksErase)) {
                EXPECT_FALSE(backend_.erase(start));
            }
            return;
        }
        const u32 id = static_cast<u32>(at->first);
        EXPECT_TRUE(backend_.erase(id));
        model_.remove(id);
    }

    void look() {
        const u32 id = dice_.below(work_.limit + 2);
        RcuGuard guard;
        if (backend_.has(kHasFind)) {
            const auto at = model_.used().find(id);
            EXPECT_EQ(backend_.find(id), at != model_.used().end() && at->second != 0 ? value(id) : nullptr);
        }
        if (backend_.has(kHasNext)) {
            auto at = model_.used().lower_bound(id);
            while (at != model_.used().end() && at->second == 0) {
                ++at;
            }
            const IdTree::Found found = backend_.next(id);
            EXPECT_EQ(found.id, at != model_.used().end() ? static_cast<u32>(at->first) : IdTree::kNone);
            EXPECT_EQ(found.pointer, found.id != IdTree::kNone ? value(found.id) : nullptr);
        }
    }

    void check_all() {
        RcuGuard guard;
        u32 at = 0;
        for (const auto& [nr, published] : model_.used()) {
            if (backend_.has(kHasNext) && published != 0) {
                const IdTree::Found found = backend_.next(at);
                ASSERT_EQ(found.id, nr);
                at = found.id + 1;
            }
        }
        if (backend_.has(kHasNext)) {
            EXPECT_EQ(backend_.next(at).id, IdTree::kNone);
        }
    }

    void note(u32 id, bool published) { model_.used()[id] = published ? 1 : 0; }

    IdBackend backend_;
    const Work work_;
    const u32 how_;
    Random dice_;
    IdrModel model_;
    u32 min_ = 1;
};

class Differential : public ::testing::TestWithParam<Work> {};

void run_kind(IdBackendKind kind, const Work& work) {
    for (const u32 how : {kHasLowest, kHasCyclic, kHasAny}) {
        if ((IdBackend::describe(kind).has & how) == 0) {
            continue;
        }
        SCOPED_TRACE(std::string(IdBackend::describe(kind).name) + " how " + std::to_string(how));
        FakeHost::get().reset();
        const Expected<IdBackend> made = IdBackend::create(kind, {work.limit, kCpus, 1000000});
        if (kind == IdBackendKind::kBlocks && work.limit < 8 * 512 * kCpus) {
            EXPECT_EQ(made.error(), Errno::kInvalid) << "too small for its CPUs";
            continue;
        }
        ASSERT_TRUE(made);
        IdBackend backend = made.value();
        Run(backend, work, how).operate();
        backend.destroy();
        fake_run_on_cpu(1);
        FakeHost::get().reset();
    }
}

TEST_P(Differential, AllKinds) {
    for (u32 kind = 0; kind < kIdBackendKinds; ++kind) {
        run_kind(static_cast<IdBackendKind>(kind), GetParam());
    }
}

INSTANTIATE_TEST_SUITE_P(Limits, Differential,
                         ::testing::Values(Work{2, 2000, 60, 1, 1}, Work{10, 20000, 60, 3, 2},
                                           Work{400, 60000, 70, 300, 3}, Work{1025, 60000, 80, 300, 4},
                                           Work{32768, 200000, 75, 300, 5}, Work{40000, 200000, 97, 300, 6},
                                           Work{4194304, 200000, 80, 300, 7}));

TEST(Backend, Describes) {
    FakeHost::get().reset();
    EXPECT_EQ(IdBackend::create(IdBackendKind::kTwin, {1, 1, 10}).error(), Errno::kInvalid);
    EXPECT_EQ(IdBackend::create(IdBackendKind::kTwin, {4194305, 1, 10}).error(), Errno::kInvalid);
    IdBackend ida = IdBackend::create(IdBackendKind::kIda, {100, 1, 10}).value();
    EXPECT_STREQ(ida.name(), "ida");
    EXPECT_FALSE(ida.has(kHasFind));
    EXPECT_EQ(ida.alloc_any(0, 100, nullptr).error(), Errno::kNotSupported);
    ida.destroy();
    IdBackend twin = IdBackend::create(IdBackendKind::kTwin, {100, 1, 1000}).value();
    EXPECT_EQ(twin.alloc_any(0, 100, nullptr).value(), 0u);
    EXPECT_EQ(twin.alloc_lowest(7, 7, nullptr).error(), Errno::kNoSpace);
    twin.destroy();
    FakeHost::get().reset();
}

// Every id of a limit, to the last one, whoever owns its block; then one at a time.
TEST(Backend, ExhaustionIsExact) {
    for (u32 kind = 0; kind < kIdBackendKinds; ++kind) {
        const IdBackendOps& ops = IdBackend::describe(static_cast<IdBackendKind>(kind));
        SCOPED_TRACE(ops.name);
        FakeHost::get().reset();
        constexpr u32 kLimit = 32768 + 17;
        IdBackend backend =
            IdBackend::create(static_cast<IdBackendKind>(kind), {kLimit, kCpus, 100000}).value();
        const auto alloc = [&] {
            return backend.has(kHasAny)      ? backend.alloc_any(0, kLimit, nullptr)
                   : backend.has(kHasCyclic) ? backend.alloc_cyclic(0, kLimit, nullptr)
                                             : backend.alloc_lowest(0, kLimit, nullptr);
        };
        std::vector<bool> seen(kLimit);
        for (u32 i = 0; i < kLimit; ++i) {
            fake_run_on_cpu(i % 7 % kCpus);
            const Expected<u32> id = alloc();
            ASSERT_TRUE(id);
            ASSERT_FALSE(seen[id.value()]);
            seen[id.value()] = true;
        }
        Random dice(9);
        for (u32 i = 0; i < 200; ++i) {
            ASSERT_EQ(alloc().error(), Errno::kNoSpace);
            fake_run_on_cpu(dice.below(kCpus));
            const u32 id = dice.below(kLimit);
            ASSERT_TRUE(backend.erase(id));
            fake_run_on_cpu(dice.below(kCpus));
            ASSERT_EQ(alloc().value(), id);
        }
        backend.destroy();
        fake_run_on_cpu(1);
        FakeHost::get().reset();
    }
}

// Without memory for another block all that is free in those that are there is given, whoever owns them; -ENOMEM only then.
TEST(Backend, BlocksGiveAllTheyHave) {
    FakeHost::get().reset();
    constexpr u32 kLimit = 65536;
    IdBackend backend = IdBackend::create(IdBackendKind::kBlocks, {kLimit, kCpus, 100000}).value();
    for (u32 cpu = 0; cpu < kCpus; ++cpu) {
        fake_run_on_cpu(cpu);
        ASSERT_TRUE(backend.alloc_any(0, kLimit, nullptr));
    }
    FakeHost::get().fail_from(1);
    fake_run_on_cpu(0);
    u32 count = kCpus;
    Expected<u32> id = backend.alloc_any(0, kLimit, nullptr);
    for (; id; id = backend.alloc_any(0, kLimit, nullptr)) {
        ++count;
    }
    EXPECT_EQ(id.error(), Errno::kNoMemory);
    EXPECT_EQ(count % 512, 0u) << "every number of every block";
    EXPECT_LT(count, kLimit);
    FakeHost::get().no_failures();
    EXPECT_TRUE(backend.alloc_any(0, kLimit, nullptr));
    backend.destroy();
    fake_run_on_cpu(1);
    FakeHost::get().reset();
}

// Memory fails at the Nth allocation: nothing leaks, the call says so, and afterwards all works.
TEST(Backend, NoMemoryAnywhere) {
    for (u32 kind = 0; kind < kIdBackendKinds; ++kind) {
        SCOPED_TRACE(IdBackend::describe(static_cast<IdBackendKind>(kind)).name);
        for (int64_t nth = 1; nth < 60; ++nth) {
            for (const bool from : {false, true}) {
                FakeHost::get().reset();
                from ? FakeHost::get().fail_from(nth) : FakeHost::get().fail_allocation(nth);
                FakeHost::get().set_rt(nth % 2 != 0);
                Expected<IdBackend> made =
                    IdBackend::create(static_cast<IdBackendKind>(kind), {65536, kCpus, 10000});
                if (!made) {
                    EXPECT_EQ(made.error(), Errno::kNoMemory);
                    continue;
                }
                IdBackend backend = made.value();
                const auto alloc = [&] {
                    return backend.has(kHasAny) ? backend.alloc_any(0, 65536, nullptr)
                                                : backend.alloc_lowest(0, 65536, nullptr);
                };
                std::vector<u32> ids;
                for (u32 i = 0; i < 3000; ++i) {
                    fake_run_on_cpu(i % kCpus);
                    const Expected<u32> id = alloc();
                    if (id) {
                        ids.push_back(id.value());
                    } else {
                        ASSERT_EQ(id.error(), Errno::kNoMemory);
                    }
                }
                FakeHost::get().no_failures();
                ASSERT_TRUE(alloc());
                for (u32 id : ids) {
                    ASSERT_TRUE(backend.erase(id));
                }
                if (backend.has(kHasCount)) {
                    EXPECT_EQ(backend.count(), 1u);
                }
                backend.destroy();
            }
        }
        fake_run_on_cpu(1);
        FakeHost::get().no_failures();
        FakeHost::get().reset();
    }
}

}  // namespace
}  // namespace ktwin
