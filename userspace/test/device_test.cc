// SPDX-License-Identifier: GPL-2.0-only
// The typed calls over a kernel made of paper.
#include "lib/device.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "paper.h"

namespace ktwin {
namespace {

TEST(Device, NoModule) {
    const auto result = Device::open("/nonexistent/ktwin");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ENOENT);
    EXPECT_EQ(result.error().message,
              "cannot open /nonexistent/ktwin: No such file or directory: load the module (insmod ktwin.ko)");
}

TEST(Device, ErrorsSayWhatToDo) {
    EXPECT_EQ(
        failing(EPERM).mirror(KTWIN_MIRROR_ON).error().message,
        "cannot switch the mirror on: Operation not permitted: run as root, in the initial user namespace "
        "(CAP_SYS_ADMIN)");
    EXPECT_EQ(failing(ENODATA).namespaces().error().message,
              "cannot read the namespaces: No data available: the mirror is off: ktwin mirror on");
    EXPECT_EQ(failing(ENODATA).last_audit().error().message,
              "audit: No data available: no background pass has run yet; ktwin audit runs one now");
    EXPECT_EQ(failing(ESRCH).explain(77, 5).error().message,
              "pid 77 in namespace 5: No such process: it is free, or not visible from this namespace");
    EXPECT_EQ(failing(EOPNOTSUPP).inject(KTWIN_INJECT_DROP, 5, 0).error().message,
              "cannot inject at 5 here: Operation not supported: a laboratory command: load the module with "
              "kt_lab=1");
    EXPECT_EQ(
        failing(ENOENT).mirror(KTWIN_LOCKSTEP_ON).error().message,
        "cannot switch lockstep on: No such file or directory: dmesg says why: this kernel has no place "
        "for a probe");
    EXPECT_EQ(failing(EOPNOTSUPP).mirror(KTWIN_LOCKSTEP_ON).error().message,
              "cannot switch lockstep on: Operation not supported: dmesg says why: this kernel has no place "
              "for a probe");
    EXPECT_EQ(failing(EINVAL).mirror(KTWIN_LOCKSTEP_OFF).error().message,
              "cannot switch lockstep off: Invalid argument: the loaded module is older than this program: "
              "load the ktwin.ko built with it");
    EXPECT_EQ(failing(ENOENT).mirror(KTWIN_MIRROR_ON).error().message,
              "cannot switch the mirror on: No such file or directory");
    EXPECT_NE(failing(ENOTTY).status().error().message.find("does not know this command"), std::string::npos);
    EXPECT_EQ(failing(EBUSY).stream(0).error().message,
              "cannot open an event stream: Device or resource busy: too many streams are open; close one");
}

// Numbers from..to in readings of at most three, epoch rising by step with each.
Handler number_server(int32_t from, int32_t to, uint64_t step = 0) {
    return [=, epoch = uint64_t{1}](unsigned long command, void* argument) mutable {
        EXPECT_EQ(command, static_cast<unsigned long>(KTWIN_IOC_PIDS));
        auto& request = *static_cast<ktwin_read*>(argument);
        EXPECT_EQ(request.size, sizeof(request));
        EXPECT_EQ(request.record_size, sizeof(ktwin_pid));
        int32_t next = request.cursor ? static_cast<int32_t>(request.cursor) : from;
        for (request.filled = 0; request.filled < 3 && next <= to; next++) {
            ktwin_pid& pid = at<ktwin_pid>(request.buffer)[request.filled++];
            pid = {};
            pid.depth = 1;
            pid.upids[0] = {1, next};
        }
        request.cursor = static_cast<uint64_t>(next);
        request.more = next <= to;
        request.epoch = epoch;
        epoch += step;
        return 0;
    };
}

TEST(Device, ReadsToTheEnd) {
    std::vector<int32_t> numbers;
    const auto reading = device(number_server(1, 10)).pids(0, [&](const Pid& pid) {
        numbers.push_back(pid.numbers.at(0).nr);
        return true;
    });
    ASSERT_TRUE(reading);
    EXPECT_EQ(numbers, (std::vector<int32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    EXPECT_EQ(reading->records, 10U);
    EXPECT_FALSE(reading->repopulated);
}

TEST(Device, SeesThatTheTwinWasPopulatedAnew) {
    EXPECT_TRUE(device(number_server(1, 10, 1)).pids(0, [](const Pid&) { return true; })->repopulated);
}

TEST(Device, StopsWhenAskedTo) {
    EXPECT_EQ(
        device(number_server(1, 10)).pids(0, [](const Pid& pid) { return pid.numbers[0].nr < 5; })->records,
        5U);
}

TEST(Device, AnswersThatMakeNoSense) {
    auto too_many = device([](unsigned long, void* argument) {
        static_cast<ktwin_read*>(argument)->filled = UINT32_MAX;
        return 0;
    });
    EXPECT_EQ(too_many.divergences().error().code, EPROTO);
    auto for_ever = device([](unsigned long, void* argument) {
        static_cast<ktwin_read*>(argument)->more = 1;
        return 0;
    });
    EXPECT_EQ(for_ever.namespaces().error().code, EPROTO);
}

TEST(Device, ExplainAsksAgainWithMoreRoom) {
    int calls = 0;
    auto paper = device([&](unsigned long, void* argument) {
        auto& raw = *static_cast<ktwin_explain*>(argument);
        calls++;
        raw.flags = KTWIN_EXPLAIN_KERNEL | KTWIN_EXPLAIN_TWIN | KTWIN_EXPLAIN_SAME;
        raw.role_count[KTWIN_ROLE_SID] = 500;
        raw.roles_filled = std::min(raw.roles_room, 500U);
        for (uint32_t i = 0; i < raw.roles_filled; i++) {
            at<ktwin_role>(raw.roles)[i].type = KTWIN_ROLE_SID;
        }
        at<ktwin_pid>(raw.pid)->depth = 1;
        return 0;
    });
    const auto explanation = paper.explain(5, 0);
    ASSERT_TRUE(explanation);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(explanation->roles.size(), 500U);
    EXPECT_TRUE(explanation->agree());
    EXPECT_FALSE(explanation->references);
}

TEST(Device, ExplainEndsWhenTheCountsOnlyGrow) {
    uint32_t room = 0;
    auto paper = device([&](unsigned long, void* argument) {
        auto& raw = *static_cast<ktwin_explain*>(argument);
        room = raw.roles_room;
        raw.role_count[0] = raw.role_count[1] = UINT32_MAX;
        raw.roles_filled = UINT32_MAX;
        return 0;
    });
    const auto explanation = paper.explain(5, 0);
    ASSERT_TRUE(explanation);
    EXPECT_EQ(room, 65536U);
    EXPECT_EQ(explanation->roles.size(), 65536U);
}

}  // namespace
}  // namespace ktwin
