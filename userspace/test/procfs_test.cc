// SPDX-License-Identifier: GPL-2.0-only
#include "lib/procfs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ktwin {
namespace {

TEST(Procfs, AccessMode) {
    const auto access = [](std::string_view text) {
        const FdInfo info = parse_fdinfo(text);
        return std::pair(info.reads, info.writes);
    };
    EXPECT_EQ(access("pos:\t0\nflags:\t02\nmnt_id:\t15\n"), std::pair(true, true));
    EXPECT_EQ(access("pos:\t0\nflags:\t0100001\n"), std::pair(false, true));
    EXPECT_EQ(access("flags:\t04000"), std::pair(true, false));
    EXPECT_EQ(access("flags:\tx9"), std::pair(false, false));
    EXPECT_EQ(access(""), std::pair(false, false));
}

TEST(Procfs, WhatAnEpollWatches) {
    const FdInfo info = parse_fdinfo(
        "pos:\t0\nflags:\t02\n"
        "tfd:        5 events:       19 data:                5  pos:0 ino:61ca sdev:f\n"
        "tfd:       12 events: 80000001 data: ffffffffffffffff pos:0 ino:8 sdev:9\n"
        "tfd: nonsense\ntfd: 7 events: 19\ntfd:\n");
    EXPECT_EQ(info.watched, (std::vector<Watched>{{5, 0x61ca}, {12, 8}}));
}

TEST(Procfs, ParentAndName) {
    const ProcessStatus status = parse_status("Name:\ta b)\\nPPid:\t9\nUmask:\t0022\nPPid:\t17\nUid:\t0\n");
    EXPECT_EQ(status.comm, "a b)\\nPPid:\t9");
    EXPECT_EQ(status.parent, 17);
    EXPECT_EQ(parse_status("").parent, 0);
}

TEST(Procfs, InodeInTarget) {
    EXPECT_EQ(inode_in("pipe:[4711]", "pipe"), 4711U);
    EXPECT_FALSE(inode_in("socket:[4711]", "pipe"));
    EXPECT_FALSE(inode_in("pipe:[]", "pipe"));
    EXPECT_FALSE(inode_in("pipe:[", "pipe"));
    EXPECT_FALSE(inode_in("pipe", "pipe"));
    EXPECT_FALSE(inode_in("/tmp/pipe:[1]", "pipe"));
}

TEST(Procfs, OwnProcess) {
    const Proc proc;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto fds = proc.fds(getpid());
    ASSERT_TRUE(fds);
    EXPECT_TRUE(std::ranges::binary_search(*fds, ends[0]));
    EXPECT_TRUE(inode_in(proc.target(getpid(), ends[0]), "pipe"));
    EXPECT_TRUE(proc.fdinfo(getpid(), ends[1]).writes);
    EXPECT_FALSE(proc.fdinfo(getpid(), ends[1]).reads);
    EXPECT_EQ(proc.status(getpid()).parent, getppid());
    EXPECT_TRUE(std::ranges::binary_search(proc.processes(), getpid()));
    EXPECT_EQ(proc.threads(getpid()).front(), getpid());
    close(ends[0]);
    close(ends[1]);
    EXPECT_EQ(proc.target(getpid(), ends[0]), "");
}

TEST(Procfs, NoSuchProcess) {
    const auto fds = Proc("/nonexistent").fds(5);
    ASSERT_FALSE(fds);
    EXPECT_EQ(fds.error().code, ESRCH);
    EXPECT_EQ(
        fds.error().message,
        "cannot read the files of process 5: No such process: it has ended, or is not visible from here");
    EXPECT_TRUE(Proc("/nonexistent").processes().empty());
    EXPECT_TRUE(Proc("/nonexistent").net("tcp").empty());
}

}  // namespace
}  // namespace ktwin
