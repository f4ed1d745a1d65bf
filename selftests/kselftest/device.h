/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device as the tests use it: every call returns 0 or more, or -errno, so that a test compares one value.
 */
#ifndef KTWIN_TEST_DEVICE_H
#define KTWIN_TEST_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "ktwin.h"

/* Seconds for one test, instead of the harness's 30: under emulation, every access checked, on a busy host. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	150

/* Long enough never to be the reason for a failure, short of the above. */
#define KT_PATIENCE_MS	40000

static inline int kt_open(void)
{
	int fd = open(KTWIN_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A kernel in which locks sleep. */
static inline bool kt_is_realtime(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT_RT");
}

static inline int kt_call(int fd, unsigned long command, void *argument)
{
	int result = ioctl(fd, command, argument);

	return result < 0 ? -errno : result;
}

static inline void kt_sleep_ms(unsigned int ms)
{
	struct timespec pause = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&pause, NULL);
}

static inline uint64_t kt_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static inline int kt_status(int fd, struct ktwin_status *status)
{
	memset(status, 0, sizeof(*status));
	status->size = sizeof(*status);
	return kt_call(fd, KTWIN_IOC_STATUS, status);
}

static inline bool kt_is_lab(int fd)
{
	struct ktwin_status status;

	return !kt_status(fd, &status) && (status.flags & KTWIN_STATUS_LAB);
}

/* Waits until the twin is in this state; what it found otherwise is left in status. */
static inline bool kt_wait_state(int fd, __u32 state, struct ktwin_status *status)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (!kt_status(fd, status) && status->state == state)
			return true;
		kt_sleep_ms(10);
	} while (kt_now_ms() < end);
	return false;
}

static inline int kt_mirror(int fd, __u32 op)
{
	struct ktwin_mirror mirror = { .size = sizeof(mirror), .op = op };

	return kt_call(fd, KTWIN_IOC_MIRROR, &mirror);
}

static inline int kt_audit(int fd, struct ktwin_audit *audit)
{
	memset(audit, 0, sizeof(*audit));
	audit->size = sizeof(*audit);
	audit->flags = KTWIN_AUDIT_RUN;
	return kt_call(fd, KTWIN_IOC_AUDIT, audit);
}

static inline int kt_inject(int fd, __u32 kind, __u32 ns, __s32 nr)
{
	struct ktwin_inject inject = { .size = sizeof(inject), .kind = kind, .ns = ns, .nr = nr };

	return kt_call(fd, KTWIN_IOC_INJECT, &inject);
}

/*
 * Reads everything a bulk reader has, room records a call. *records is the caller's to free. Returns how many.
 */
static inline long kt_read_by(int fd, unsigned long command, __u32 ns, size_t record_size, __u32 room, void **records)
{
	struct ktwin_read read = {
		.size = sizeof(read), .record_size = record_size, .room = room, .ns = ns, .more = 1,
	};
	long count = 0;
	int error;

	*records = NULL;
	while (read.more) {
		*records = realloc(*records, (count + room) * record_size);
		read.buffer = (uintptr_t)*records + count * record_size;
		error = kt_call(fd, command, &read);
		if (error)
			return error;
		count += read.filled;
	}
	return count;
}

static inline long kt_pids(int fd, __u32 ns, struct ktwin_pid **pids)
{
	return kt_read_by(fd, KTWIN_IOC_PIDS, ns, sizeof(**pids), 512, (void **)pids);
}

static inline long kt_namespaces(int fd, struct ktwin_ns **namespaces)
{
	return kt_read_by(fd, KTWIN_IOC_NAMESPACES, 0, sizeof(**namespaces), 64, (void **)namespaces);
}

static inline long kt_divergences(int fd, struct ktwin_divergence **divergences)
{
	return kt_read_by(fd, KTWIN_IOC_DIVERGENCES, 0, sizeof(**divergences), 64, (void **)divergences);
}

/* The record of one namespace: 0, or -ESRCH. */
static inline int kt_namespace(int fd, __u32 inode, struct ktwin_ns *found)
{
	struct ktwin_ns *all;
	long count = kt_namespaces(fd, &all), i;
	int result = count < 0 ? count : -ESRCH;

	for (i = 0; i < count; i++) {
		if (all[i].inode == inode) {
			*found = all[i];
			result = 0;
		}
	}
	free(all);
	return result;
}

#define KT_ROLES_ROOM	64

struct kt_explained {
	struct ktwin_explain head;
	struct ktwin_pid pid;
	struct ktwin_role roles[KT_ROLES_ROOM];
};

static inline int kt_explain(int fd, __u32 ns, __s32 nr, struct kt_explained *explained)
{
	memset(explained, 0, sizeof(*explained));
	explained->head = (struct ktwin_explain) {
		.size = sizeof(explained->head), .nr = nr, .ns = ns,
		.pid = (uintptr_t)&explained->pid, .roles = (uintptr_t)explained->roles,
		.pid_size = sizeof(struct ktwin_pid), .role_size = sizeof(struct ktwin_role),
		.roles_room = KT_ROLES_ROOM,
	};
	return kt_call(fd, KTWIN_IOC_EXPLAIN, &explained->head);
}

/*
 * Until the number is gone: pthread_join() returns before the kernel has taken the thread's number back.
 * The last answer, -ESRCH when it is gone.
 */
static inline int kt_wait_gone(int fd, __s32 nr)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	struct kt_explained explained;
	int answer;

	while ((answer = kt_explain(fd, 0, nr, &explained)) == 0 && kt_now_ms() < end)
		kt_sleep_ms(5);
	return answer;
}

/* The first task that uses the number in this role, or NULL. */
static inline struct ktwin_role *kt_role(struct kt_explained *explained, __u32 type)
{
	__u32 i;

	for (i = 0; i < explained->head.roles_filled; i++) {
		if (explained->roles[i].type == type)
			return &explained->roles[i];
	}
	return NULL;
}

#define KT_EXPLAIN_AGREES	(KTWIN_EXPLAIN_KERNEL | KTWIN_EXPLAIN_TWIN | KTWIN_EXPLAIN_SAME)

/*
 * For the beginning of a TEST: the device open and the twin live. Without a module the test is skipped.
 */
#define KT_OPEN_LIVE(fd)								\
	do {										\
		(fd) = kt_open();							\
		if ((fd) == -ENOENT || (fd) == -ENODEV)					\
			SKIP(return, "no " KTWIN_DEVICE);				\
		ASSERT_LE(0, (fd));							\
		kt_assert_live(_metadata, (fd));					\
	} while (0)

#define KT_NEED_LAB(fd)									\
	do {										\
		if (!kt_is_lab(fd))							\
			SKIP(return, "needs kt_lab=1");					\
	} while (0)

static inline void kt_assert_live(struct __test_metadata *_metadata, int fd)
{
	struct ktwin_status status;

	ASSERT_TRUE(kt_wait_state(fd, KTWIN_LIVE, &status)) {
		TH_LOG("state %u, why 0x%x", status.state, status.why);
	}
}

/* A pass that vouches for everything and found nothing. */
static inline void kt_expect_audit_clean(struct __test_metadata *_metadata, int fd)
{
	struct ktwin_audit audit;

	EXPECT_EQ(0, kt_audit(fd, &audit));
	EXPECT_EQ(1, audit.complete);
	EXPECT_EQ(0, audit.why);
	EXPECT_EQ(0, audit.differences);
	EXPECT_LT(0, audit.checked);
	EXPECT_LT(0, audit.pids);
}

#endif
