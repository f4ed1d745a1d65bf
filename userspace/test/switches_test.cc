// SPDX-License-Identifier: GPL-2.0-only
// Context switches: decoding, what is new since a reading, quantiles.
#include <gtest/gtest.h>

#include <cstring>

#include "lib/decode.h"
#include "lib/names.h"

namespace ktwin {
namespace {

TEST(Switches, TaskWithoutEndOfName) {
    ktwin_switch_task raw = {};
    std::memset(raw.comm, 'c', sizeof(raw.comm));
    raw.classes[KTWIN_SWITCH_MM] = raw.leaves[KTWIN_LEAVE_PREEMPTED] = 3;
    const TaskSwitches task = decode(raw);
    EXPECT_EQ(task.comm, std::string(16, 'c'));
    EXPECT_FALSE(task.tid || task.tgid);
    EXPECT_EQ(task.counts.classes[KTWIN_SWITCH_MM], 3U);
    EXPECT_EQ(task.counts.total(), 3U);
}

TEST(Switches, NeverFewerThanNone) {
    SwitchCounts less;
    SwitchCounts more;
    more.leaves[0] = 5;
    less.leaves[0] = 3;
    EXPECT_EQ(more.since(less).total(), 2U);
    EXPECT_EQ(less.since(more).total(), 0U) << "another task with its number";
    more += less;
    EXPECT_EQ(more.total(), 8U);
}

TEST(Switches, Quantiles) {
    WaitTimes waits;
    EXPECT_FALSE(waits.quantile_ns(500));
    waits.buckets[0] = 1;
    EXPECT_EQ(waits.quantile_ns(1000), 0U);
    waits.buckets[11] = 98;
    waits.buckets[KTWIN_WAIT_BUCKETS - 1] = 1;
    EXPECT_EQ(waits.count(), 100U);
    EXPECT_EQ(waits.quantile_ns(0), 0U);
    EXPECT_EQ(waits.quantile_ns(500), 2047U);
    EXPECT_EQ(waits.quantile_ns(990), 2047U);
    EXPECT_EQ(waits.quantile_ns(1000), (uint64_t{1} << 47) - 1);
}

TEST(Switches, Agreement) {
    ktwin_rq_twin raw = {};
    raw.agreement[int{KTWIN_GENERATION_CFS} * int{KTWIN_SCHED_CLASSES} + int{KTWIN_SCHED_RT}] = {11, 6, 2, 1};
    const RqTwin twin = decode(raw);
    EXPECT_EQ(twin.agreement[KTWIN_GENERATION_CFS][KTWIN_SCHED_RT].share(), 0.75);
    EXPECT_FALSE(twin.agreement[KTWIN_GENERATION_EEVDF][KTWIN_SCHED_RT].share());
    EXPECT_FALSE((Agreement{2, 0, 3, 0}).share()) << "the counters were read a pick apart";
    EXPECT_EQ(rq_generation_name(KTWIN_GENERATION_PRIO_ARRAY), "prio_array");
    EXPECT_EQ(sched_class_name(77), "class_77");
    EXPECT_EQ(rq_difference_name(KTWIN_RQ_SURPLUS), "surplus");
    EXPECT_EQ(rq_why_names(KTWIN_RQ_CONFLICT | KTWIN_RQ_STARTING).size(), 2U);
}

}  // namespace
}  // namespace ktwin
