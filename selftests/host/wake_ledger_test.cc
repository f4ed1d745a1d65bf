// SPDX-License-Identifier: GPL-2.0-only
//
// WakeLedger through its boundary: what is counted of the wakes on a real queue, and that every task which it says it
// remembers is given back exactly once, since a reference hangs on that.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "fake_host.h"

namespace {

kt_woken poller(kt_key task) {
    return {.task = task, .calls = 0, .manner = KT_MANNER_POLL};
}

kt_woken reader(kt_key task, uint64_t calls) {
    return {.task = task, .calls = calls, .manner = KT_MANNER_READ};
}

class WakeLedger : public testing::Test {
  protected:
    void SetUp() override {
        FakeHost::get().reset();
        ledger_ = kt_core_ledger_open();
        ASSERT_NE(nullptr, ledger_);
    }
    void TearDown() override {
        kt_core_ledger_close(ledger_);
        EXPECT_EQ(0, FakeHost::get().live_allocations());
    }

    ktwin_wait_stats stats() const {
        ktwin_wait_stats stats = {};
        kt_core_ledger_add(ledger_, &stats);
        return stats;
    }

    // One wake call that wakes pollers 1 to count.
    void wake_pollers(unsigned count) {
        kt_core_ledger_begin(ledger_);
        for (kt_key task = 1; task <= count; ++task) {
            kt_core_ledger_met(ledger_);
            const kt_woken woken = poller(task);
            EXPECT_TRUE(kt_core_ledger_has_room(ledger_, task));
            EXPECT_TRUE(kt_core_ledger_woken(ledger_, &woken));
        }
        kt_core_ledger_end(ledger_);
    }

    bool seen(const kt_woken& now, bool stayed, bool asleep) {
        return kt_core_ledger_seen(ledger_, &now, stayed, asleep);
    }

    kt_ledger* ledger_ = nullptr;
};

TEST_F(WakeLedger, NoMemory) {
    FakeHost::get().fail_allocation(1);
    EXPECT_EQ(nullptr, kt_core_ledger_open());
    FakeHost::get().no_failures();
}

TEST_F(WakeLedger, CallsWithAndWithoutSleepers) {
    kt_core_ledger_begin(ledger_);
    wake_pollers(2);  // the call before ends where this one begins
    const ktwin_wait_stats got = stats();
    EXPECT_EQ(2U, got.wakes);
    EXPECT_EQ(2U, got.sequence);
    EXPECT_EQ(1U, got.wakes_empty);
    EXPECT_EQ(2U, got.woken);
    EXPECT_EQ(2U, got.unknown);
    EXPECT_EQ(2U, got.herd_most);
    EXPECT_NE(0U, got.queue);
    EXPECT_EQ(2U, FakeHost::get().traced_wakes);
}

TEST_F(WakeLedger, PollAsleepWhereItWasIsFutile) {
    wake_pollers(3);
    EXPECT_FALSE(seen(poller(1), true, false));  // still looking around
    EXPECT_TRUE(seen(poller(1), true, true));
    EXPECT_FALSE(seen(poller(1), true, true));  // forgotten
    EXPECT_TRUE(seen(poller(2), false, true));  // another poll()
    EXPECT_TRUE(seen(reader(3, 7), true, true));
    EXPECT_FALSE(seen(poller(4), true, true));  // never woken
    const ktwin_wait_stats got = stats();
    EXPECT_EQ(1U, got.futile);
    EXPECT_EQ(0U, got.unknown);
}

TEST_F(WakeLedger, ReadIsKnownByItsCount) {
    kt_core_ledger_begin(ledger_);
    for (kt_key task = 1; task <= 2; ++task) {
        const kt_woken woken = reader(task, 5);
        EXPECT_TRUE(kt_core_ledger_woken(ledger_, &woken));
    }
    kt_core_ledger_end(ledger_);
    EXPECT_FALSE(seen(reader(1, 5), false, false));
    EXPECT_TRUE(seen(reader(1, 5), false, true));
    EXPECT_TRUE(seen(reader(2, 6), false, true));
    EXPECT_EQ(1U, stats().futile);
    EXPECT_EQ(0U, stats().unknown);
}

TEST_F(WakeLedger, OthersStayUnknown) {
    kt_core_ledger_begin(ledger_);
    const kt_woken other = {.task = 1, .calls = 0, .manner = KT_MANNER_OTHER};
    EXPECT_FALSE(kt_core_ledger_woken(ledger_, &other));
    kt_core_ledger_end(ledger_);
    EXPECT_FALSE(seen(other, true, true));
    EXPECT_EQ(1U, stats().woken);
    EXPECT_EQ(1U, stats().unknown);
}

// The rest of a call that a walk with a pause had under way when the watch began.
TEST_F(WakeLedger, NothingOfACallNotSeenToBegin) {
    const kt_woken woken = poller(1);
    EXPECT_FALSE(kt_core_ledger_has_room(ledger_, 1));
    EXPECT_FALSE(kt_core_ledger_woken(ledger_, &woken));
    kt_core_ledger_end(ledger_);
    wake_pollers(1);
    EXPECT_EQ(1U, stats().woken);
    EXPECT_EQ(1U, stats().herd_most);
}

TEST_F(WakeLedger, WokenAgainBeforeItWasSeen) {
    wake_pollers(1);
    kt_core_ledger_begin(ledger_);
    const kt_woken again = poller(1);
    EXPECT_TRUE(kt_core_ledger_has_room(ledger_, 1));
    EXPECT_FALSE(kt_core_ledger_woken(ledger_, &again));
    kt_core_ledger_end(ledger_);
    EXPECT_TRUE(seen(poller(1), true, true));
    EXPECT_EQ(2U, stats().woken);
    EXPECT_EQ(1U, stats().futile);
    EXPECT_EQ(1U, stats().unknown);
}

TEST_F(WakeLedger, HerdIsJudgedWhenAllAreKnown) {
    wake_pollers(4);
    EXPECT_TRUE(seen(poller(1), true, true));
    EXPECT_TRUE(seen(poller(2), true, true));
    EXPECT_TRUE(seen(poller(3), true, true));
    EXPECT_EQ(0U, stats().herds);
    EXPECT_TRUE(seen(poller(4), false, true));
    EXPECT_EQ(1U, stats().herds);
    EXPECT_EQ(1U, FakeHost::get().traced_herds);
    EXPECT_EQ(3U, stats().futile);
    // Most made progress: none.
    wake_pollers(4);
    for (kt_key task = 1; task <= 4; ++task) {
        EXPECT_TRUE(seen(poller(task), task == 1, true));
    }
    EXPECT_EQ(1U, stats().herds);
}

TEST_F(WakeLedger, NotMoreThanItHasRoomFor) {
    kt_core_ledger_begin(ledger_);
    unsigned remembered = 0;
    for (kt_key task = 1; task <= 2 * KT_LEDGER_TASKS; ++task) {
        const kt_woken woken = poller(task);
        const bool room = kt_core_ledger_has_room(ledger_, task);
        EXPECT_EQ(room, kt_core_ledger_woken(ledger_, &woken));
        remembered += room ? 1 : 0;
    }
    EXPECT_LT(KT_LEDGER_TASKS / 2U, remembered);
    EXPECT_GE(static_cast<unsigned>(KT_LEDGER_TASKS), remembered);
    kt_core_ledger_end(ledger_);
    EXPECT_EQ(2U * KT_LEDGER_TASKS, stats().unknown);
}

// Random wakes, sights and looks: what the ledger says it remembers is a set, and all that is counted adds up.
TEST_F(WakeLedger, EveryReferenceIsGivenBack) {
    std::mt19937 random(1);
    std::set<kt_key> referenced;
    uint64_t woken = 0;
    for (int round = 0; round < 20000; ++round) {
        kt_core_ledger_begin(ledger_);
        for (unsigned i = random() % 4; i != 0; --i) {
            const kt_woken now =
                random() % 2 != 0 ? poller(1 + random() % 3000) : reader(1 + random() % 3000, random() % 3);
            const bool room = kt_core_ledger_has_room(ledger_, now.task);
            const bool fresh = kt_core_ledger_woken(ledger_, &now);
            ++woken;
            // Not remembered although there was room: a reference is there already.
            ASSERT_EQ(room && !fresh, referenced.contains(now.task));
            ASSERT_FALSE(fresh && !room);
            if (fresh) {
                referenced.insert(now.task);
            }
        }
        kt_core_ledger_end(ledger_);
        kt_core_ledger_look(ledger_);
        for (unsigned i = random() % 8; i != 0; --i) {
            const kt_woken now =
                random() % 2 != 0 ? poller(1 + random() % 3000) : reader(1 + random() % 3000, random() % 3);
            if (seen(now, random() % 2 != 0, random() % 2 != 0)) {
                ASSERT_EQ(1U, referenced.erase(now.task));
            }
        }
        for (unsigned index = random() % 64; index < KT_LEDGER_TASKS; index += 64) {
            kt_woken gone;
            if (kt_core_ledger_absent(ledger_, index, &gone)) {
                ASSERT_EQ(1U, referenced.erase(gone.task));
                kt_core_ledger_left(ledger_, index);
            }
        }
    }
    EXPECT_EQ(woken, stats().woken);
    EXPECT_LE(stats().futile + stats().unknown, woken);
    kt_core_ledger_look(ledger_);
    for (unsigned index = 0; index < KT_LEDGER_TASKS; ++index) {
        kt_woken left;
        if (kt_core_ledger_absent(ledger_, index, &left)) {
            EXPECT_EQ(1U, referenced.erase(left.task));
        }
    }
    EXPECT_TRUE(referenced.empty());
}

}  // namespace
