// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program on a 64-bit kernel: the same structs, the same commands, no translation between.
 */
#include "lab.h"
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

TEST(lab)
{
	__u32 backend;
	int fd;

	KT_OPEN_LIVE(fd);
	for (backend = KTWIN_LAB_TWIN; backend <= KTWIN_LAB_XARRAY; backend++) {
		int lab = kt_lab(fd, backend), child, task;
		__u32 order;
		__s32 nr;

		ASSERT_LE(0, lab);
		order = kt_lab_order(lab);
		ASSERT_EQ(1, kt_lab_alloc(lab, 1, order));
		child = kt_lab_ns(lab, 1, 0);
		ASSERT_EQ(2, child);
		task = kt_lab_task(lab, child, order, &nr);
		ASSERT_LT(0, task);
		EXPECT_EQ(1, nr);
		EXPECT_EQ(300, kt_lab_alloc_at(lab, child, order, 300));
		EXPECT_EQ(task, kt_lab_attach(lab, task, KTWIN_LAB_SID, 1, 1));
		EXPECT_EQ(32768, kt_lab_pid_max(lab, child, 500));
		kt_expect_lab_sound(_metadata, lab);
		EXPECT_EQ(0, kt_lab_kill(lab, 1, NULL));
		kt_expect_lab_empty(_metadata, lab);
		close(lab);
	}
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
