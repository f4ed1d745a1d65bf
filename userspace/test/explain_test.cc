// SPDX-License-Identifier: GPL-2.0-only
#include "lib/explain.h"

#include <gtest/gtest.h>
#include <uapi/ktwin.h>

namespace ktwin {
namespace {

Role task(uint32_t type, int32_t tid, char state, std::string comm, uint32_t flags = KTWIN_TASK_LEADER) {
    return {
        .type = type, .flags = flags, .tid = tid, .tgid = tid, .ppid = 1200, .state = state, .comm = comm};
}

Explanation with(std::vector<Role> roles) {
    Explanation e = {};
    e.nr = 1234;
    e.in_kernel = e.in_twin = e.same = true;
    for (const Role& role : roles) {
        e.role_count[role.type]++;
    }
    e.roles = std::move(roles);
    return e;
}

using Reasons = std::vector<std::string>;

TEST(Explain, RunningProcess) {
    const auto e = with({task(KTWIN_ROLE_PID, 1234, 'S', "bash"), task(KTWIN_ROLE_TGID, 1234, 'S', "bash"),
                         task(KTWIN_ROLE_PGID, 1234, 'S', "bash"), task(KTWIN_ROLE_SID, 1234, 'S', "bash")});
    EXPECT_EQ(pinned_by(e), Reasons{"process 1234 (bash) is sleeping"});
}

TEST(Explain, GroupsThatWouldOutliveTheProcess) {
    const auto e = with({task(KTWIN_ROLE_PID, 1234, 'R', "sh"), task(KTWIN_ROLE_PGID, 1234, 'R', "sh"),
                         task(KTWIN_ROLE_PGID, 1240, 'S', "cat"), task(KTWIN_ROLE_SID, 1240, 'S', "cat")});
    EXPECT_EQ(pinned_by(e), (Reasons{"process 1234 (sh) is running or ready",
                                     "also a process group id of 1 task: 1240 (cat)",
                                     "also a session id of 1 task: 1240 (cat)"}));
}

TEST(Explain, Init) {
    const auto e = with({task(KTWIN_ROLE_PID, 1, 'S', "systemd", KTWIN_TASK_LEADER | KTWIN_TASK_REAPER)});
    EXPECT_EQ(pinned_by(e), Reasons{"process 1 (systemd), init of its namespace, is sleeping"});
}

TEST(Explain, InitOfADyingNamespace) {
    const auto e = with(
        {task(KTWIN_ROLE_PID, 900, 'I', "sh", KTWIN_TASK_LEADER | KTWIN_TASK_REAPER | KTWIN_TASK_EXITING)});
    EXPECT_EQ(
        pinned_by(e),
        Reasons{"process 900 (sh), init of its namespace, is exiting and waits until nobody else is in it"});
}

TEST(Explain, KernelThread) {
    const auto e =
        with({task(KTWIN_ROLE_PID, 2, 'I', "kworker/0:1", KTWIN_TASK_LEADER | KTWIN_TASK_KTHREAD)});
    EXPECT_EQ(pinned_by(e), Reasons{"kernel thread 2 (kworker/0:1) is idle"});
}

TEST(Explain, Thread) {
    Role thread = task(KTWIN_ROLE_PID, 1240, 'S', "pool", 0);
    thread.tgid = 1234;
    EXPECT_EQ(pinned_by(with({thread})), Reasons{"thread 1240 (pool) of process 1234 is sleeping"});
}

TEST(Explain, ZombieWaitsForItsParent) {
    const auto flags = KTWIN_TASK_LEADER | KTWIN_TASK_EXITING;
    const auto e = with(
        {task(KTWIN_ROLE_PID, 1234, 'Z', "bash", flags), task(KTWIN_ROLE_TGID, 1234, 'Z', "bash", flags)});
    EXPECT_EQ(pinned_by(e),
              Reasons{"thread-group leader 1234 (bash) is a zombie waiting for 1200 to wait for it"});
}

TEST(Explain, ZombieWhoseParentIsOutside) {
    Role zombie = task(KTWIN_ROLE_PID, 5, 'Z', "sh");
    zombie.ppid = 0;
    EXPECT_EQ(pinned_by(with({zombie})), Reasons{"thread-group leader 5 (sh) is a zombie waiting for its "
                                                 "parent (not visible here) to wait for it"});
}

TEST(Explain, ZombieLeaderWithLivingThreads) {
    Role thread = task(KTWIN_ROLE_TGID, 1240, 'S', "pool", 0);
    thread.tgid = 1234;
    const auto e =
        with({task(KTWIN_ROLE_PID, 1234, 'Z', "bash"), task(KTWIN_ROLE_TGID, 1234, 'Z', "bash"), thread});
    EXPECT_EQ(pinned_by(e),
              Reasons{"thread-group leader 1234 (bash) is a zombie, kept until the other threads of the "
                      "process end: 1 task: 1240 (pool)"});
}

TEST(Explain, ZombieLeaderWhoseThreadsAreNotListed) {
    const auto e = with({task(KTWIN_ROLE_PID, 1234, 'Z', "bash", KTWIN_TASK_LEADER | KTWIN_TASK_THREADS)});
    EXPECT_EQ(pinned_by(e),
              Reasons{"thread-group leader 1234 (bash) is a zombie, kept until the other threads of the "
                      "process end"});
}

TEST(Explain, ZombieThreadHasATracer) {
    Role thread = task(KTWIN_ROLE_PID, 1240, 'Z', "pool", KTWIN_TASK_EXITING);
    thread.tgid = 1234;
    EXPECT_EQ(pinned_by(with({thread})),
              Reasons{"thread 1240 (pool) of process 1234 is a zombie: its tracer has not waited for it"});
}

TEST(Explain, OnlyProcessGroup) {
    const auto e = with({task(KTWIN_ROLE_PGID, 11, 'S', "a"), task(KTWIN_ROLE_PGID, 12, 'Z', "b"),
                         task(KTWIN_ROLE_PGID, 13, 'R', "c")});
    EXPECT_EQ(pinned_by(e),
              Reasons{"kept only as a process group id: 3 tasks: 11 (a), 12 (b) zombie, 13 (c)"});
}

TEST(Explain, OnlyGroupAndSession) {
    const auto e = with({task(KTWIN_ROLE_PGID, 11, 'S', "a"), task(KTWIN_ROLE_SID, 11, 'S', "a")});
    EXPECT_EQ(pinned_by(e), (Reasons{"kept only as a process group id: 1 task: 11 (a)",
                                     "and as a session id: 1 task: 11 (a)"}));
}

TEST(Explain, OnlyThreadGroup) {
    EXPECT_EQ(pinned_by(with({task(KTWIN_ROLE_TGID, 11, 'S', "a", 0)})),
              Reasons{"kept only as a thread group id: 1 task: 11 (a)"});
}

TEST(Explain, MoreThanAreNamed) {
    std::vector<Role> roles;
    for (int32_t tid = 1; tid <= 7; tid++) {
        roles.push_back(task(KTWIN_ROLE_SID, tid, 'S', "x"));
    }
    auto e = with(roles);
    e.role_count[KTWIN_ROLE_SID] = 100;  // more than the buffer had room for
    EXPECT_EQ(pinned_by(e),
              Reasons{"kept only as a session id: 100 tasks: 1 (x), 2 (x), 3 (x), 4 (x), 5 (x) and 95 more"});
}

TEST(Explain, CountedButNotReported) {
    Explanation e = with({});
    e.role_count = {1, 0, 3, 0};
    EXPECT_EQ(pinned_by(e),
              (Reasons{"a task has the number (not reported)", "and as a process group id: 3 tasks"}));
}

TEST(Explain, BetweenAllocationAndUse) {
    EXPECT_EQ(pinned_by(with({})), Reasons{"no task uses it: it is being allocated or freed at this moment"});
}

TEST(Explain, NotInTheKernel) {
    Explanation e = with({});
    e.in_kernel = false;
    EXPECT_EQ(pinned_by(e), Reasons{"the kernel does not have it"});
    EXPECT_FALSE(e.agree());
}

TEST(Explain, HiddenTask) {
    Role role = task(KTWIN_ROLE_PID, 77, '\0', "", KTWIN_TASK_LEADER | KTWIN_TASK_HIDDEN);
    EXPECT_EQ(pinned_by(with({role})), Reasons{"process 77 (another user's) is alive"});
}

TEST(Explain, NamesCannotCommandTheTerminal) {
    EXPECT_EQ(pinned_by(with({task(KTWIN_ROLE_PID, 5, 'S', "a\033[2Jb")})),
              Reasons{"process 5 (a\\x1b[2Jb) is sleeping"});
}

TEST(Explain, Agreement) {
    Explanation e = with({});
    EXPECT_TRUE(e.agree());
    e.same = false;
    EXPECT_FALSE(e.agree());
    e.in_kernel = e.in_twin = false;
    EXPECT_TRUE(e.agree());
}

}  // namespace
}  // namespace ktwin
