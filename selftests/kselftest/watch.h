/* SPDX-License-Identifier: GPL-2.0-only */
/* A watch on a real queue, and those who sleep there. */
#ifndef KTWIN_TEST_WATCH_H
#define KTWIN_TEST_WATCH_H

#include "actors.h"

static inline int kt_watch(int device, __s32 pid, __s32 fd)
{
	struct ktwin_watch watch = { .size = sizeof(watch), .pid = pid, .fd = fd };

	return kt_call(device, KTWIN_IOC_WATCH, &watch);
}

static inline int kt_watched(int watch, struct ktwin_wait_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	return kt_call(watch, KTWIN_IOC_QUEUE_STATS, stats);
}

/* What became of one woken out of a read() is told by how many it has returned from. */
#define KT_NEED_READS()									\
	do {											\
		if (access("/proc/self/io", F_OK))						\
			SKIP(return, "this kernel does not count reads (TASK_IO_ACCOUNTING)");	\
	} while (0)

/* Until so many were woken and it is known what became of each. */
static inline bool kt_wait_settled(int watch, __u64 woken, struct ktwin_wait_stats *stats)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (kt_watched(watch, stats))
			return false;
		if (stats->woken >= woken && !stats->unknown)
			return true;
		kt_sleep_ms(2);
	} while (kt_now_ms() < end);
	return false;
}

static inline void kt_act_read(int fd)
{
	char bytes[8];

	if (read(fd, bytes, sizeof(bytes)) < 1)
		_exit(97);
}

static inline void kt_make_all(struct __test_metadata *_metadata, int device, void (*act)(int fd), int fd, pid_t *pids,
			       int count)
{
	struct kt_listed listed;
	int i;

	for (i = 0; i < count; i++) {
		pids[i] = kt_act(act, fd);
		ASSERT_TRUE(kt_wait_listed(device, getpid(), fd, pids[i], &listed));
	}
}

static inline void kt_end_all(pid_t *pids, int count)
{
	int i;

	for (i = 0; i < count; i++)
		kt_end(pids[i]);
}

#endif
