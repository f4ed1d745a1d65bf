// SPDX-License-Identifier: GPL-2.0-only
//
// A laboratory whose memory fails at the Nth allocation, or from the Nth on: the call that met it says -ENOMEM, nothing
// leaks, nothing is half done, and with memory again all works.
#include <gtest/gtest.h>

#include "boundary/core_api.h"
#include "fake_host.h"

namespace {

struct Way {
    uint32_t backend;
    bool for_good;  // from the Nth on
};

const char* const kNames[] = {"twin", "blocks", "pidmap", "idr", "xarray", "ida", "sbitmap"};

std::ostream& operator<<(std::ostream& to, const Way& way) {
    return to << kNames[way.backend] << (way.for_good ? "_for_good" : "_once");
}

template <typename Request>
Request request_of(uint32_t ns) {
    Request request = {};
    request.size = sizeof(request);
    request.ns = ns;
    return request;
}

class LabFailureTest : public ::testing::TestWithParam<Way> {
  protected:
    ~LabFailureTest() override { FakeHost::get().reset(); }

    bool keeps_pids() const { return GetParam().backend <= KTWIN_LAB_XARRAY; }
    uint32_t how() const {
        return GetParam().backend == KTWIN_LAB_IDA ? KTWIN_LAB_LOWEST
               : GetParam().backend == KTWIN_LAB_SBITMAP || GetParam().backend == KTWIN_LAB_BLOCKS
                   ? KTWIN_LAB_ANY
                   : KTWIN_LAB_CYCLIC;
    }

    void open() {
        ktwin_lab wanted = {};
        wanted.size = sizeof(wanted);
        wanted.backend = GetParam().backend;
        wanted.limit = 32768;
        int error = 0;
        lab = kt_core_lab_open(&wanted, 2, &error);
        ASSERT_EQ(error, lab != nullptr ? 0 : -ENOMEM);
    }

    // The pid's number in ns; or -errno.
    int alloc(uint32_t ns, bool task) {
        auto request = request_of<ktwin_lab_alloc>(ns);
        request.how = how();
        request.flags = task ? KTWIN_LAB_WITH_TASK : 0;
        const int result = kt_core_lab_alloc(lab, &request, true);
        return result != 0 ? result : request.numbers[0];
    }

    void expect_memory_at_most(int result) { EXPECT_TRUE(result >= 0 || result == -ENOMEM) << result; }

    uint32_t create(uint32_t parent) {
        ktwin_lab_create request = {};
        request.size = sizeof(request);
        request.parent = parent;
        const int result = kt_core_lab_create(lab, &request);
        expect_memory_at_most(result);
        return result == 0 ? request.ns : 0;
    }

    void group(uint32_t ns, int leader) {
        auto request = request_of<ktwin_lab_role>(ns);
        request.op = KTWIN_LAB_ATTACH;
        request.type = KTWIN_LAB_PGID;
        request.nr = leader;
        expect_memory_at_most(kt_core_lab_role(lab, &request));
    }

    // Numbers far apart, in namespaces one below the other, with tasks and without; some go again.
    void live() {
        uint32_t ns = 1;
        for (int i = 0; i < 120; ++i) {
            const int nr = alloc(ns, keeps_pids() && i % 3 == 0);
            expect_memory_at_most(nr);
            if (nr > 1 && i % 3 == 1) {  // not an init
                EXPECT_EQ(kt_core_lab_free(lab, ns, nr), 0);
            } else if (nr > 0 && keeps_pids() && i % 7 == 0) {
                group(ns, nr);
            }
            if (keeps_pids() && i % 40 == 39) {
                const uint32_t made = create(ns);
                ns = made != 0 ? made : ns;
            }
        }
    }

    ktwin_lab_stats stats() {
        ktwin_lab_stats stats = {};
        stats.size = sizeof(stats);
        EXPECT_EQ(kt_core_lab_stats(lab, &stats), 0);
        return stats;
    }

    void expect_usable() {
        const ktwin_lab_stats before = stats();
        ASSERT_EQ(before.allocs - before.frees, before.pids);
        const uint32_t ns = keeps_pids() ? create(1) : 1;
        ASSERT_NE(ns, 0u);
        for (int i = 0; i < 200; ++i) {
            ASSERT_GE(alloc(ns, keeps_pids()), 0);
        }
        ASSERT_EQ(stats().pids, before.pids + 200);
        if (keeps_pids()) {
            auto end = request_of<ktwin_lab_kill>(1);
            ASSERT_EQ(kt_core_lab_kill(lab, &end), 0);
            ASSERT_EQ(end.left, stats().pids);
        }
    }

    kt_lab* lab = nullptr;
};

TEST_P(LabFailureTest, EveryNth) {
    FakeHost& host = FakeHost::get();
    bool hit = true;
    for (int64_t nth = 1; hit; nth += nth < 150 ? 1 : 29) {
        host.reset();
        GetParam().for_good ? host.fail_from(nth) : host.fail_allocation(nth);
        open();
        if (lab != nullptr) {
            live();
        }
        hit = host.failure_hit();
        host.no_failures();
        if (lab != nullptr) {
            ASSERT_NO_FATAL_FAILURE(expect_usable()) << nth;
            kt_core_lab_close(lab);
        }
        ASSERT_EQ(host.live_allocations(), 0) << nth;
    }
}

std::vector<Way> all_ways() {
    std::vector<Way> ways;
    for (uint32_t backend = KTWIN_LAB_TWIN; backend <= KTWIN_LAB_SBITMAP; ++backend) {
        ways.push_back({backend, false});
        ways.push_back({backend, true});
    }
    return ways;
}

INSTANTIATE_TEST_SUITE_P(All, LabFailureTest, ::testing::ValuesIn(all_ways()),
                         ::testing::PrintToStringParamName());

}  // namespace
