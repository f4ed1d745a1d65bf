// SPDX-License-Identifier: GPL-2.0-only
#include "lib/decode.h"

#include <gtest/gtest.h>

#include <cstring>

#include "lib/names.h"

namespace ktwin {
namespace {

TEST(Decode, DepthBeyondTheArray) {
    ktwin_pid raw = {};
    raw.depth = UINT32_MAX;
    EXPECT_EQ(decode(raw).numbers.size(), size_t{KTWIN_LEVELS});
    raw.depth = 2;
    raw.upids[1] = {4026532000U, 17};
    const Pid pid = decode(raw);
    ASSERT_EQ(pid.numbers.size(), 2U);
    EXPECT_EQ(pid.numbers[1].ns, 4026532000U);
    EXPECT_EQ(pid.numbers[1].nr, 17);
    EXPECT_FALSE(pid.born_ns);
}

TEST(Decode, CommWithoutEnd) {
    ktwin_role raw = {};
    std::memset(raw.comm, 'x', sizeof(raw.comm));
    EXPECT_EQ(decode(raw).comm, std::string(16, 'x'));
}

TEST(Decode, HiddenTaskShowsNothing) {
    ktwin_role raw = {};
    raw.flags = KTWIN_TASK_HIDDEN;
    raw.state = 'S';
    std::strcpy(raw.comm, "secret");
    const Role role = decode(raw);
    EXPECT_EQ(role.comm, "");
    EXPECT_EQ(role.state, '\0');
}

TEST(Decode, StateThatIsNoLetter) {
    ktwin_role raw = {};
    for (const uint32_t state : {0U, 27U, 0x7fU, 0x1b5bU, UINT32_MAX}) {
        raw.state = state;
        EXPECT_EQ(decode(raw).state, '\0') << state;
    }
}

TEST(Decode, WhatTheKernelDidNotSayIsNotZero) {
    ktwin_ns raw = {};
    Namespace ns = decode(raw);
    EXPECT_FALSE(ns.parent || ns.kernel_count || ns.cursor || ns.pid_max || ns.headroom || ns.hole_start ||
                 ns.reaper);
    raw.flags = KTWIN_NS_KERNEL | KTWIN_NS_DYING;
    raw.pid_max = 32768;
    ns = decode(raw);
    EXPECT_EQ(ns.kernel_count, 0U);
    EXPECT_EQ(ns.headroom, 0U);
    EXPECT_TRUE(ns.dying);
}

TEST(Decode, AuditWithAReasonIsNotComplete) {
    ktwin_audit raw = {};
    raw.complete = 1;
    EXPECT_TRUE(decode(raw).complete);
    raw.why = KTWIN_WHY_CHANGED;
    EXPECT_FALSE(decode(raw).complete);
    raw.why = 0;
    raw.complete = 2;
    EXPECT_FALSE(decode(raw).complete);
}

TEST(Names, UnknownValuesShowThemselves) {
    EXPECT_EQ(state_name(KTWIN_LIVE), "live");
    EXPECT_EQ(state_name(9), "state_9");
    EXPECT_EQ(event_name(77), "type_77");
    EXPECT_EQ(divergence_sentence(0), "a difference of unknown kind 0");
    EXPECT_EQ(why_names(0), std::vector<std::string>{});
    EXPECT_EQ(why_names(KTWIN_WHY_PROBE_MISSED | 1U << 31),
              (std::vector<std::string>{"probe_missed", "bit_31"}));
}

}  // namespace
}  // namespace ktwin
