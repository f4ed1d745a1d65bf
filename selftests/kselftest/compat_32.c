// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program on a 64-bit kernel: the same structs, the same commands, no translation between.
 */
#include "ring.h"

TEST(status)
{
	struct ktwin_status status;
	int fd;

	ASSERT_EQ(4, sizeof(void *));
	KT_OPEN_LIVE(fd);
	ASSERT_EQ(0, kt_status(fd, &status));
	EXPECT_EQ(kt_ns_inode(getpid(), "pid"), status.own_ns);
	EXPECT_EQ(kt_file_number("/proc/sys/kernel/pid_max"), status.pid_max);
	EXPECT_LT(20, status.pids);
}

TEST(numbers)
{
	struct kt_line line;
	pid_t child;
	int fd;

	KT_OPEN_LIVE(fd);
	ASSERT_EQ(0, kt_line_open(&line));
	kt_expect_numbers(_metadata, fd, getpid());
	child = kt_make_waiting(&line, CLONE_NEWPID);
	ASSERT_EQ(child, kt_hear(&line));
	kt_expect_numbers(_metadata, fd, child);
	kt_end(child);
	kt_expect_audit_clean(_metadata, fd);
}

TEST(stream)
{
	struct kt_stream stream;
	struct ktwin_event event;
	pid_t child;
	int fd;

	KT_OPEN_LIVE(fd);
	ASSERT_EQ(0, kt_stream_open(fd, 256, &stream));
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	do {
		ASSERT_TRUE(kt_stream_wait(&stream, KTWIN_EV_PID_FREE, &event));
	} while (event.nr != child);
	kt_stream_close(&stream);
}

/* What does not fit into a 32-bit address is not cut down to one. */
TEST(high_pointer)
{
	struct ktwin_pid record;
	struct ktwin_read read = {
		.size = sizeof(read), .buffer = (1ULL << 32) | (uintptr_t)&record, .record_size = sizeof(record), .room = 1,
	};
	int fd;

	KT_OPEN_LIVE(fd);
	EXPECT_EQ(-EFAULT, kt_call(fd, KTWIN_IOC_PIDS, &read));
	read.buffer = (uintptr_t)&record;
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_PIDS, &read));
}

TEST_HARNESS_MAIN
