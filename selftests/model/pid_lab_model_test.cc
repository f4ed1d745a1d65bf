// SPDX-License-Identifier: GPL-2.0-only
//
// The same random calls to a laboratory over each backend that keeps pids, and to a std:: model.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.h"
#include "fake_host.h"
#include "lab_model.h"

namespace {

struct Work {
    uint32_t backend;
    uint32_t pid_max;
    uint32_t limit;
    uint32_t operations;
    uint64_t seed;
};

const char* const kNames[] = {"twin", "blocks", "pidmap", "idr", "xarray"};

std::ostream& operator<<(std::ostream& to, const Work& work) {
    return to << kNames[work.backend] << " " << work.pid_max;
}

class LabModelTest : public ::testing::TestWithParam<Work> {
  protected:
    LabModelTest() : dice(GetParam().seed), model(static_cast<int>(GetParam().pid_max)) {
        FakeHost::get().reset();
        ktwin_lab wanted = {};
        wanted.size = sizeof(wanted);
        wanted.backend = GetParam().backend;
        wanted.pid_max = GetParam().pid_max;
        wanted.limit = GetParam().limit;
        wanted.pids = 100000;
        wanted.bytes = uint64_t{1} << 30;
        int error = 0;
        lab = kt_core_lab_open(&wanted, 4, &error);
        EXPECT_EQ(error, 0);
    }
    ~LabModelTest() override {
        if (lab != nullptr) {
            kt_core_lab_close(lab);
        }
        FakeHost::get().reset();
    }

    uint32_t below(uint32_t end) { return static_cast<uint32_t>(dice.below(end)); }
    uint32_t random_ns() {
        // At times one that is not there.
        if (below(50) == 0) {
            return last_ns + 7;
        }
        auto at = model.namespaces.begin();
        if (at == model.namespaces.end()) {
            return 1;
        }
        std::advance(at, below(static_cast<uint32_t>(model.namespaces.size())));
        return at->first;
    }
    int random_nr(uint32_t ns) {
        const auto at = model.namespaces.find(ns);
        if (at == model.namespaces.end() || at->second.pids.empty() || below(10) == 0) {
            return static_cast<int>(below(GetParam().pid_max + 10)) - 2;
        }
        const auto near = at->second.pids.lower_bound(static_cast<int>(below(GetParam().pid_max)));
        return near != at->second.pids.end() ? near->first : at->second.pids.begin()->first;
    }
    uint32_t random_task() {
        if (model.tasks.empty() || below(20) == 0) {
            return last_task + 3;
        }
        const auto near = model.tasks.lower_bound(below(last_task + 1));
        return near != model.tasks.end() ? near->first : model.tasks.begin()->first;
    }

    void create() {
        ktwin_lab_create request = {};
        request.size = sizeof(request);
        request.parent = random_ns();
        request.pid_max = below(3) == 0 ? GetParam().pid_max / 2 : 0;
        if (request.parent == 0 || model.namespaces.size() >= 40) {
            return;
        }
        const int result = kt_core_lab_create(lab, &request);
        EXPECT_EQ(result, model.create(request.parent, static_cast<int>(request.pid_max), request.ns));
        last_ns = result == 0 ? request.ns : last_ns;
    }

    void alloc() {
        ktwin_lab_alloc request = {};
        request.size = sizeof(request);
        request.ns = random_ns();
        request.how = GetParam().backend == KTWIN_LAB_BLOCKS ? KTWIN_LAB_ANY
                      : below(4) == 0                        ? KTWIN_LAB_LOWEST
                                                             : KTWIN_LAB_CYCLIC;
        request.flags = below(3) == 0 ? KTWIN_LAB_WITH_TASK : 0;
        std::vector<int> wanted;
        if (below(10) == 0) {
            const uint32_t count = 1 + below(3);
            for (uint32_t i = 0; i < count; ++i) {
                request.numbers[i] = random_nr(request.ns);
                wanted.push_back(request.numbers[i]);
            }
            request.wanted = count;
        }
        fake_run_on_cpu(below(4));
        const int result = kt_core_lab_alloc(lab, &request, true);
        std::vector<int> numbers;
        const int expected =
            model.alloc(request.ns, request.how, wanted, result == 0 ? request.numbers : nullptr, &numbers);
        ASSERT_EQ(result, expected) << "in " << request.ns << " how " << request.how;
        if (result != 0) {
            return;
        }
        ASSERT_EQ(request.depth, numbers.size());
        for (uint32_t i = 0; i < request.depth; ++i) {
            ASSERT_EQ(request.numbers[i], numbers[i]);
        }
        if (request.flags != 0) {
            LabModel::Pid* pid = model.find(request.ns, numbers[0]);
            EXPECT_EQ(model.attach(request.task, KTWIN_LAB_PID, pid), 0);
            EXPECT_EQ(model.attach(request.task, KTWIN_LAB_TGID, pid), 0);
            last_task = std::max(last_task, request.task);
        }
    }

    void free_one() {
        const uint32_t ns = random_ns();
        const int nr = random_nr(ns);
        ASSERT_EQ(kt_core_lab_free(lab, ns, nr), model.free_pid(ns, nr)) << ns << ":" << nr;
    }

    void find() {
        ktwin_lab_find request = {};
        request.size = sizeof(request);
        request.ns = random_ns();
        request.nr = random_nr(request.ns);
        request.flags = below(2) == 0 ? KTWIN_LAB_FIND_NEXT : 0;
        LabModel::Pid* pid = model.find(request.ns, request.nr);
        int nr = request.nr;
        if (request.flags != 0 && model.namespaces.count(request.ns) != 0) {
            const auto& pids = model.namespaces[request.ns].pids;
            const auto at = pids.lower_bound(std::max(nr, 1));
            pid = at != pids.end() ? at->second : nullptr;
            nr = at != pids.end() ? at->first : nr;
        }
        const int result = kt_core_lab_find(lab, &request);
        ASSERT_EQ(result, pid != nullptr ? 0 : -ESRCH);
        ASSERT_EQ(request.nr, nr);
        if (pid != nullptr) {
            expect_same(request.pid, *pid);
        }
    }

    static void expect_same(const ktwin_lab_pid& record, const LabModel::Pid& pid) {
        ASSERT_EQ(record.depth, pid.chain.size());
        for (uint32_t i = 0; i < record.depth; ++i) {
            const uint32_t ns = pid.chain[record.depth - 1 - i];
            EXPECT_EQ(record.upids[i].ns, ns);
            EXPECT_EQ(record.upids[i].nr, pid.numbers.at(ns));
        }
        for (uint32_t type = 0; type < KTWIN_LAB_TYPES; ++type) {
            EXPECT_EQ(record.tasks[type], pid.tasks[type].size());
        }
    }

    void role() {
        ktwin_lab_role request = {};
        request.size = sizeof(request);
        request.op = below(5);
        request.type = request.op == KTWIN_LAB_EXCHANGE   ? KTWIN_LAB_PID
                       : request.op == KTWIN_LAB_TRANSFER ? 1 + below(3)
                                                          : below(4);
        const bool new_task = request.op == KTWIN_LAB_ATTACH && below(3) == 0;
        request.task = new_task ? 0 : random_task();
        LabModel::Pid* pid = nullptr;
        if (request.op == KTWIN_LAB_ATTACH || request.op == KTWIN_LAB_CHANGE) {
            request.ns = random_ns();
            request.nr = random_nr(request.ns);
            pid = model.find(request.ns, request.nr);
        } else if (request.op != KTWIN_LAB_DETACH) {
            request.other = random_task();
            if (request.other == request.task) {
                return;
            }
        }
        const uint32_t task = request.task;
        const int result = kt_core_lab_role(lab, &request);
        int expected = 0;
        switch (request.op) {
            case KTWIN_LAB_ATTACH:
                expected = pid == nullptr || (task != 0 && model.tasks.count(task) == 0)
                               ? -ESRCH
                               : model.attach(request.task, request.type, pid);
                last_task = std::max(last_task, result == 0 ? request.task : 0);
                break;
            case KTWIN_LAB_CHANGE:
                expected = pid == nullptr ? -ESRCH : model.change(task, request.type, pid);
                break;
            case KTWIN_LAB_DETACH:
                expected = model.detach(task, request.type);
                break;
            case KTWIN_LAB_TRANSFER:
                expected = model.transfer(task, request.other, request.type);
                break;
            default:
                expected = model.exchange(task, request.other);
        }
        ASSERT_EQ(result, expected) << "op " << request.op << " type " << request.type;
    }

    void set_pid_max() {
        ktwin_lab_pid_max request = {};
        request.size = sizeof(request);
        request.flags = KTWIN_LAB_PID_MAX_SET;
        request.ns = random_ns();
        request.pid_max = GetParam().pid_max / 4 * (1 + below(4)) + 2;
        request.pid_max = std::min(request.pid_max, GetParam().limit);
        const int wanted = static_cast<int>(request.pid_max);
        const int result = kt_core_lab_pid_max(lab, &request);
        const auto at = model.namespaces.find(request.ns);
        ASSERT_EQ(result, at != model.namespaces.end() ? 0 : -ESRCH);
        if (at != model.namespaces.end()) {
            EXPECT_EQ(static_cast<int>(request.pid_max), at->second.pid_max);
            at->second.pid_max = wanted;
        }
    }

    void kill(uint32_t ns) {
        ktwin_lab_kill request = {};
        request.size = sizeof(request);
        request.ns = ns;
        const size_t pids = model.pids.size();
        const size_t tasks = model.tasks.size();
        const int result = kt_core_lab_kill(lab, &request);
        ASSERT_EQ(result, model.kill(ns)) << ns;
        if (result == 0) {
            EXPECT_EQ(request.pids, pids - model.pids.size());
            EXPECT_EQ(request.tasks, tasks - model.tasks.size());
            const auto at = model.namespaces.find(ns);
            EXPECT_EQ(request.left, at != model.namespaces.end() ? at->second.pids.size() : 0);
        }
    }

    template <typename Record, typename Read>
    std::vector<Record> read_all(Read read) {
        std::vector<Record> all;
        __u64 cursor = 0;
        bool more = true;
        while (more) {
            Record records[7];
            const int count = read(&cursor, records, 7, &more);
            EXPECT_LE(0, count);
            for (int i = 0; i < count; ++i) {
                all.push_back(records[i]);
            }
        }
        return all;
    }

    void check_numbers(uint32_t number, const LabModel::Ns& ns) {
        const auto records = read_all<ktwin_lab_pid>(
            [&](auto... rest) { return kt_core_read_lab_pids(lab, number, rest...); });
        ASSERT_EQ(records.size(), ns.pids.size());
        uint32_t i = 0;
        for (const auto& [nr, pid] : ns.pids) {
            expect_same(records[i++], *pid);
        }
        std::map<int, uint64_t> words;
        for (const auto& [nr, pid] : ns.pids) {
            words[nr / 64 * 64] |= uint64_t{1} << (nr % 64);
        }
        const auto leaves = read_all<ktwin_lab_leaf>(
            [&](auto... rest) { return kt_core_read_lab_leaves(lab, number, rest...); });
        ASSERT_EQ(leaves.size(), words.size());
        for (const ktwin_lab_leaf& leaf : leaves) {
            EXPECT_EQ(leaf.used, words[static_cast<int>(leaf.first)]);
        }
    }

    void check_all() {
        const auto namespaces =
            read_all<ktwin_lab_ns>([&](auto... rest) { return kt_core_read_lab_namespaces(lab, rest...); });
        ASSERT_EQ(namespaces.size(), model.namespaces.size());
        size_t numbers = 0;
        for (const ktwin_lab_ns& record : namespaces) {
            const auto at = model.namespaces.find(record.ns);
            ASSERT_NE(at, model.namespaces.end());
            const LabModel::Ns& ns = at->second;
            EXPECT_EQ(record.parent, ns.parent);
            EXPECT_EQ(record.level, ns.level);
            EXPECT_EQ(record.count, ns.pids.size());
            EXPECT_EQ(record.pid_max, static_cast<uint32_t>(ns.pid_max));
            EXPECT_EQ(record.flags, ns.dying ? KTWIN_LAB_NS_DYING : 0u);
            if (GetParam().backend != KTWIN_LAB_BLOCKS && ns.cursor != 0) {
                EXPECT_EQ(record.cursor, static_cast<uint32_t>(ns.cursor));
            }
            check_hole(record, ns);
            check_numbers(record.ns, ns);
            numbers += ns.pids.size();
        }
        const auto tasks =
            read_all<ktwin_lab_task>([&](auto... rest) { return kt_core_read_lab_tasks(lab, rest...); });
        EXPECT_EQ(tasks.size(), model.tasks.size());
        ktwin_lab_stats stats = {};
        stats.size = sizeof(stats);
        kt_core_lab_stats(lab, &stats);
        EXPECT_EQ(stats.pids, model.pids.size());
        EXPECT_EQ(stats.tasks, model.tasks.size());
        EXPECT_EQ(stats.namespaces, model.namespaces.size());
        EXPECT_EQ(stats.numbers, numbers);
        EXPECT_LE(stats.bytes, stats.bytes_limit);
        EXPECT_EQ(stats.unused, std::count_if(model.pids.begin(), model.pids.end(),
                                              [](const auto& pid) { return !pid->used(); }));
    }

    static void check_hole(const ktwin_lab_ns& record, const LabModel::Ns& ns) {
        int from = 1;
        int best = 0;
        int start = 0;
        const auto pass = [&](int used) {
            if (used - from > best) {
                best = used - from;
                start = from;
            }
            from = used + 1;
        };
        for (const auto& [nr, pid] : ns.pids) {
            if (nr < ns.pid_max) {
                pass(nr);
            }
        }
        pass(ns.pid_max);
        EXPECT_EQ(record.hole_length, static_cast<uint32_t>(best));
        EXPECT_EQ(record.hole_start, static_cast<uint32_t>(start));
    }

    ktwin::Random dice;
    LabModel model;
    kt_lab* lab = nullptr;
    uint32_t last_ns = 1;
    uint32_t last_task = 0;
};

TEST_P(LabModelTest, SameCalls) {
    ASSERT_NE(lab, nullptr);
    for (uint32_t i = 0; i < GetParam().operations && !HasFailure(); ++i) {
        const uint32_t what = below(100);
        const bool growing = i / 3000 % 2 == 0;
        if (what < 20) {
            find();
        } else if (what < 35) {
            role();
        } else if (what < 37) {
            create();
        } else if (what == 37) {
            set_pid_max();
        } else if (what == 38 && below(20) == 0) {
            kill(random_ns());
        } else if (below(100) < (growing ? 75 : 30)) {
            alloc();
        } else {
            free_one();
        }
        if (model.namespaces.empty()) {
            break;  // its own init was killed
        }
        if (i % 5000 == 4999) {
            check_all();
        }
    }
    check_all();
}

// What takes as long as there are numbers holds no lock for it, and ends when a signal comes.
TEST(LabWalks, GiveTheCpuAway) {
    for (const uint32_t backend : {KTWIN_LAB_TWIN, KTWIN_LAB_PIDMAP, KTWIN_LAB_XARRAY}) {
        FakeHost::get().reset();
        ktwin_lab wanted = {};
        wanted.size = sizeof(wanted);
        wanted.backend = backend;
        int error = 0;
        kt_lab* lab = kt_core_lab_open(&wanted, 4, &error);
        ASSERT_NE(lab, nullptr);
        for (int i = 0; i < 1000; ++i) {
            ktwin_lab_alloc alloc = {};
            alloc.ns = 1;
            ASSERT_EQ(kt_core_lab_alloc(lab, &alloc, true), 0);
        }
        int breaths = 0;
        FakeHost::get().on_breathe = [&](uint64_t) {
            // A writer's call: the locks are free.
            ktwin_lab_pid_max request = {};
            request.ns = 1;
            EXPECT_EQ(kt_core_lab_pid_max(lab, &request), 0);
            ++breaths;
            return true;
        };
        ktwin_lab_stats stats = {};
        ktwin_lab_ns record = {};
        __u64 cursor = 0;
        bool more = false;
        EXPECT_EQ(kt_core_lab_stats(lab, &stats), 0);
        EXPECT_EQ(stats.unused, 1000u);
        EXPECT_GE(breaths, 1000 / 64);
        breaths = 0;
        EXPECT_EQ(kt_core_read_lab_namespaces(lab, &cursor, &record, 1, &more), 1);
        EXPECT_EQ(record.hole_start, 1001u);
        EXPECT_GE(breaths, 1000 / 64);
        FakeHost::get().on_breathe = [](uint64_t) { return false; };
        cursor = 0;
        EXPECT_EQ(kt_core_lab_stats(lab, &stats), -EINTR);
        EXPECT_EQ(kt_core_read_lab_namespaces(lab, &cursor, &record, 1, &more), -EINTR);
        FakeHost::get().on_breathe = nullptr;
        kt_core_lab_close(lab);
    }
    FakeHost::get().reset();
}

kt_lab* open_lab(uint32_t backend, uint64_t bytes) {
    FakeHost::get().reset();
    ktwin_lab wanted = {};
    wanted.size = sizeof(wanted);
    wanted.backend = backend;
    wanted.namespaces = 4096;
    wanted.bytes = bytes;
    int error = 0;
    return kt_core_lab_open(&wanted, 4, &error);
}

uint32_t create_below(kt_lab* lab, uint32_t parent) {
    ktwin_lab_create create = {};
    create.parent = parent;
    return kt_core_lab_create(lab, &create) == 0 ? create.ns : 0;
}

// However many namespaces die in it.
TEST(LabClose, WaitsForFewGracePeriods) {
    for (const uint32_t backend : {KTWIN_LAB_TWIN, KTWIN_LAB_PIDMAP, KTWIN_LAB_IDR}) {
        kt_lab* lab = open_lab(backend, uint64_t{1} << 30);
        ASSERT_NE(lab, nullptr);
        ktwin_lab_alloc first = {};
        first.ns = 1;
        ASSERT_EQ(kt_core_lab_alloc(lab, &first, true), 0);
        for (int i = 0; i < 500; ++i) {
            const uint32_t ns = create_below(lab, 1);
            ASSERT_NE(ns, 0u);
            ktwin_lab_alloc alloc = {};
            alloc.ns = ns;
            alloc.flags = KTWIN_LAB_WITH_TASK;
            ASSERT_EQ(kt_core_lab_alloc(lab, &alloc, true), 0);
        }
        const int before = FakeHost::get().grace_periods();
        kt_core_lab_close(lab);
        EXPECT_LE(FakeHost::get().grace_periods() - before, 3);
    }
    FakeHost::get().reset();
}

// A backend that has no memory is asked a few times, with a grace period each, and not a hundred.
TEST(LabMemory, RefusedSoon) {
    for (const uint32_t backend : {KTWIN_LAB_PIDMAP, KTWIN_LAB_IDR, KTWIN_LAB_XARRAY}) {
        kt_lab* lab = open_lab(backend, uint64_t{1} << 20);
        ASSERT_NE(lab, nullptr);
        int result = 0;
        int before = 0;
        while (result == 0) {
            before = FakeHost::get().grace_periods();
            ktwin_lab_alloc alloc = {};
            alloc.ns = 1;
            result = kt_core_lab_alloc(lab, &alloc, true);
        }
        EXPECT_EQ(result, -ENOMEM);
        EXPECT_LE(FakeHost::get().grace_periods() - before, 8) << kNames[backend];
        kt_core_lab_close(lab);
    }
    FakeHost::get().reset();
}

// Memory that only waits for a grace period is no reason to refuse a namespace.
TEST(LabMemory, NamespaceFromWhatWasFreed) {
    kt_lab* lab = open_lab(KTWIN_LAB_PIDMAP, uint64_t{1} << 20);
    ASSERT_NE(lab, nullptr);
    int count = 0;
    for (;; ++count) {
        ktwin_lab_alloc alloc = {};
        alloc.ns = 1;
        if (kt_core_lab_alloc(lab, &alloc, true) != 0) {
            break;
        }
    }
    ASSERT_GT(count, 1000);
    EXPECT_EQ(create_below(lab, 1), 0u);
    for (int nr = 2; nr <= count; ++nr) {
        ASSERT_EQ(kt_core_lab_free(lab, 1, nr), 0);
    }
    EXPECT_NE(create_below(lab, 1), 0u);
    kt_core_lab_close(lab);
    FakeHost::get().reset();
}

// A level's pids come from its own pool.
TEST(LabMemory, PoolsOfTheirLevel) {
    kt_lab* lab = open_lab(KTWIN_LAB_TWIN, uint64_t{64} << 20);
    ASSERT_NE(lab, nullptr);
    ktwin_lab_stats before = {};
    ASSERT_EQ(kt_core_lab_stats(lab, &before), 0);
    for (int i = 0; i < 20000; ++i) {
        ktwin_lab_alloc alloc = {};
        alloc.ns = 1;
        ASSERT_EQ(kt_core_lab_alloc(lab, &alloc, true), 0);
    }
    ktwin_lab_stats after = {};
    ASSERT_EQ(kt_core_lab_stats(lab, &after), 0);
    // Each that was not there is one more look at a pool that was empty.
    EXPECT_LT(after.pid_pool.empty - before.pid_pool.empty, 2000u);
    kt_core_lab_close(lab);
    FakeHost::get().reset();
}

std::vector<Work> works() {
    std::vector<Work> all;
    for (uint32_t backend = KTWIN_LAB_TWIN; backend <= KTWIN_LAB_XARRAY; ++backend) {
        for (uint64_t seed = 1; seed <= 3; ++seed) {
            all.push_back({backend, 32768, 32768, 60000, seed});
            all.push_back({backend, 4194304, 4194304, 20000, seed + 10});
            if (backend != KTWIN_LAB_BLOCKS) {
                all.push_back({backend, 400, 800, 60000, seed + 20});
            }
        }
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(Works, LabModelTest, ::testing::ValuesIn(works()));

}  // namespace
