// SPDX-License-Identifier: GPL-2.0-only
// Run queues and layouts: decoding, buffers that grow, answers that make no sense, errors in words.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "cli/rq_view.h"
#include "lib/decode.h"
#include "paper.h"

namespace ktwin {
namespace {

ktwin_rq_task raw_task(uint32_t sched_class) {
    ktwin_rq_task raw = {};
    raw.tid = raw.tgid = 7;
    raw.sched_class = sched_class;
    raw.vruntime = 100;
    raw.deadline = 300;
    std::memset(raw.comm, 'c', sizeof(raw.comm));
    return raw;
}

TEST(Rq, HiddenTaskShowsNothing) {
    ktwin_rq_task raw = raw_task(KTWIN_SCHED_FAIR);
    raw.flags = KTWIN_RQ_TASK_HIDDEN;
    const RqTask task = decode(raw, true);
    EXPECT_EQ(task.tid, 7);
    EXPECT_EQ(task.comm, "");
    EXPECT_FALSE(task.figures);
}

TEST(Rq, WhatAppliesToTheClassAlone) {
    const RqTask fair = decode(raw_task(KTWIN_SCHED_FAIR), false);
    EXPECT_EQ(fair.comm, std::string(16, 'c'));
    EXPECT_EQ(fair.figures->vruntime, 100U);
    EXPECT_EQ(fair.figures->lag, 0);
    EXPECT_FALSE(fair.figures->deadline);
    EXPECT_FALSE(fair.figures->queued_ns);
    EXPECT_EQ(decode(raw_task(KTWIN_SCHED_FAIR), true).figures->deadline, 300U);
    const RqTask rt = decode(raw_task(KTWIN_SCHED_RT), true);
    EXPECT_FALSE(rt.figures->vruntime || rt.figures->lag || rt.figures->deadline);
    EXPECT_EQ(decode(raw_task(KTWIN_SCHED_DEADLINE), true).figures->deadline, 300U);
}

// One CPU with that many tasks, listed as far as there is room.
Handler server(uint32_t tasks, int* calls) {
    return [=](unsigned long command, void* argument) {
        EXPECT_EQ(command, static_cast<unsigned long>(KTWIN_IOC_RQ));
        auto& raw = *static_cast<ktwin_rq*>(argument);
        EXPECT_EQ(raw.size, sizeof(raw));
        EXPECT_EQ(raw.cpu, 5);
        ktwin_rq_cpu cpu = {};
        cpu.cpu = 5;
        for (uint32_t i = 0; i < tasks; i++) {
            if (raw.tasks_filled == raw.tasks_room) {
                raw.flags |= KTWIN_RQ_MORE;
                break;
            }
            ktwin_rq_task task = raw_task(KTWIN_SCHED_RT);
            task.position = i;
            at<ktwin_rq_task>(raw.tasks)[raw.tasks_filled++] = task;
        }
        cpu.listed = raw.tasks_filled;
        at<ktwin_rq_cpu>(raw.cpus)[raw.cpus_filled++] = cpu;
        ++*calls;
        return 0;
    };
}

TEST(Rq, MoreThanThereIsRoomForAtFirst) {
    int calls = 0;
    Device open = device(server(5000, &calls));
    const Result<RunQueues> queues = open.run_queues(5);
    ASSERT_TRUE(queues);
    EXPECT_TRUE(queues->complete);
    ASSERT_EQ(queues->cpus.size(), 1U);
    EXPECT_EQ(queues->cpus[0].tasks.size(), 5000U);
    EXPECT_EQ(queues->cpus[0].tasks[4999].position, 4999U);
    EXPECT_EQ(calls, 4);
}

TEST(Rq, TasksBeyondTheAnswer) {
    Device open = device([](unsigned long, void* argument) {
        auto& raw = *static_cast<ktwin_rq*>(argument);
        ktwin_rq_cpu cpu = {};
        cpu.first = UINT32_MAX;
        cpu.listed = 2;
        at<ktwin_rq_cpu>(raw.cpus)[0] = cpu;
        raw.cpus_filled = 1;
        raw.tasks_filled = 1;
        return 0;
    });
    EXPECT_EQ(open.run_queues(-1).error().code, EPROTO);
    Device filled = device([](unsigned long, void* argument) {
        static_cast<ktwin_rq*>(argument)->cpus_filled = UINT32_MAX;
        return 0;
    });
    EXPECT_EQ(filled.run_queues(-1).error().code, EPROTO);
}

TEST(Rq, ErrorsSayWhatToDo) {
    EXPECT_NE(failing(ESRCH).run_queues(9).error().message.find("CPU 9"), std::string::npos);
    EXPECT_NE(failing(ENODATA).run_queues(-1).error().message.find("status --layout"), std::string::npos);
    EXPECT_NE(failing(EUCLEAN).run_queues(-1).error().message.find("report"), std::string::npos);
}

TEST(Rq, WhoIsAhead) {
    RunQueue queue = {};
    for (const uint32_t sched_class :
         {KTWIN_SCHED_RT, KTWIN_SCHED_FAIR, KTWIN_SCHED_FAIR, KTWIN_SCHED_FAIR}) {
        RqTask& task = queue.tasks.emplace_back(decode(raw_task(sched_class), true));
        task.position = static_cast<uint32_t>(queue.tasks.size());
    }
    queue.tasks[1].flags = KTWIN_RQ_TASK_THROTTLED;
    const std::vector<const RqTask*> ahead = cli::ahead_of(queue, queue.tasks[3]);
    EXPECT_EQ(ahead, (std::vector<const RqTask*>{&queue.tasks[0], &queue.tasks[2]}));
    EXPECT_TRUE(cli::ahead_of(queue, queue.tasks[0]).empty());
}

TEST(Rq, NamesOfWhatIsNotKnown) {
    EXPECT_EQ(cli::policy_name(6), "deadline");
    EXPECT_EQ(cli::policy_name(4), "4");
    EXPECT_EQ(cli::policy_name(99), "99");
    EXPECT_EQ(cli::sched_class_name(99), "?");
}

TEST(Layout, UnknownAndAbsent) {
    ktwin_layout raw = {};
    raw.offset = 16;
    std::memset(raw.name, 'n', sizeof(raw.name));
    EXPECT_FALSE(decode(raw).offset);
    EXPECT_EQ(decode(raw).name, std::string(48, 'n'));
    raw.flags = KTWIN_LAYOUT_KNOWN | KTWIN_LAYOUT_COMPARED;
    EXPECT_EQ(decode(raw).offset, 16);
    EXPECT_TRUE(decode(raw).compared);
}

}  // namespace
}  // namespace ktwin
