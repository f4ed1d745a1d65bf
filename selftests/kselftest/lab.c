// SPDX-License-Identifier: GPL-2.0-only
/* The allocator lab: what each call does and refuses, on each backend; each test has a lab of its own. */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "lab.h"

#define RESERVED_PIDS	300

/* --- what all backends that keep pids have in common --- */

FIXTURE(lab) {
	int device;
	int lab;
	__u32 order;		/* how numbers are handed out where nothing else is said */
	bool cyclic;
};

FIXTURE_VARIANT(lab) {
	__u32 backend;
};

FIXTURE_VARIANT_ADD(lab, twin) { .backend = KTWIN_LAB_TWIN };
FIXTURE_VARIANT_ADD(lab, blocks) { .backend = KTWIN_LAB_BLOCKS };
FIXTURE_VARIANT_ADD(lab, pidmap) { .backend = KTWIN_LAB_PIDMAP };
FIXTURE_VARIANT_ADD(lab, idr) { .backend = KTWIN_LAB_IDR };
FIXTURE_VARIANT_ADD(lab, xarray) { .backend = KTWIN_LAB_XARRAY };

FIXTURE_SETUP(lab)
{
	KT_OPEN_LIVE(self->device);
	self->lab = kt_lab(self->device, variant->backend);
	ASSERT_LE(0, self->lab);
	self->order = kt_lab_order(self->lab);
	self->cyclic = self->order == KTWIN_LAB_CYCLIC;
}

FIXTURE_TEARDOWN(lab)
{
	if (fcntl(self->lab, F_GETFD) >= 0) {
		kt_expect_lab_sound(_metadata, self->lab);
		close(self->lab);
	}
	close(self->device);
}

TEST_F(lab, opened)
{
	struct ktwin_lab_stats stats = kt_lab_stats(self->lab);
	struct ktwin_lab_ns ns;

	EXPECT_EQ(variant->backend, stats.backend);
	EXPECT_TRUE(stats.has & KTWIN_LAB_HAS_PIDS);
	EXPECT_TRUE(stats.has & KTWIN_LAB_HAS_AT);
	EXPECT_EQ(self->cyclic, !!(stats.has & KTWIN_LAB_HAS_LOWEST));
	EXPECT_EQ(variant->backend <= KTWIN_LAB_BLOCKS, !!(stats.has & KTWIN_LAB_HAS_ANY));
	EXPECT_EQ(65536, stats.pids_limit);
	EXPECT_EQ(65536, stats.tasks_limit);
	EXPECT_EQ(256, stats.namespaces_limit);
	EXPECT_EQ(64 << 20, stats.bytes_limit);
	EXPECT_EQ(1, stats.namespaces);
	EXPECT_EQ(0, stats.pids);
	EXPECT_EQ(KTWIN_LAB_ROOM, stats.verdict);
	EXPECT_LT(0, stats.bytes);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->lab, F_GETFD));
	ASSERT_EQ(0, kt_lab_ns_record(self->lab, 1, &ns));
	EXPECT_EQ(0, ns.parent);
	EXPECT_EQ(0, ns.level);
	EXPECT_EQ(0, ns.count);
	EXPECT_EQ(32768, ns.pid_max);
	EXPECT_EQ(1, ns.hole_start);
	EXPECT_EQ(32767, ns.hole_length);
}

TEST_F(lab, first_is_1)
{
	EXPECT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	if (self->cyclic) {
		EXPECT_EQ(2, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
		EXPECT_EQ(3, kt_lab_alloc(self->lab, 1, KTWIN_LAB_LOWEST));
		EXPECT_EQ(0, kt_lab_free(self->lab, 1, 2));
		EXPECT_EQ(4, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
		EXPECT_EQ(2, kt_lab_alloc(self->lab, 1, KTWIN_LAB_LOWEST));
	}
}

TEST_F(lab, orders_it_lacks)
{
	bool any = variant->backend <= KTWIN_LAB_BLOCKS;

	EXPECT_EQ(any ? 1 : -EOPNOTSUPP, kt_lab_alloc(self->lab, 1, KTWIN_LAB_ANY));
	EXPECT_EQ(self->cyclic ? 1 + any : -EOPNOTSUPP, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	EXPECT_EQ(self->cyclic ? 2 + any : -EOPNOTSUPP, kt_lab_alloc(self->lab, 1, KTWIN_LAB_LOWEST));
	EXPECT_EQ(-EINVAL, kt_lab_alloc(self->lab, 1, KTWIN_LAB_ANY + 1));
}

/* From 300 on, once the numbers have come round; below it none is given in turn. */
TEST_F(lab, wraps)
{
	int i;

	if (!self->cyclic)
		SKIP(return, "its order is its own");
	ASSERT_EQ(32768, kt_lab_pid_max(self->lab, 1, 400));
	for (i = 1; i < 400; i++)
		ASSERT_EQ(i, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	ASSERT_EQ(-EAGAIN, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	ASSERT_EQ(-EAGAIN, kt_lab_alloc(self->lab, 1, KTWIN_LAB_LOWEST));
	EXPECT_EQ(0, kt_lab_free(self->lab, 1, 5));
	EXPECT_EQ(-EAGAIN, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	EXPECT_EQ(0, kt_lab_free(self->lab, 1, RESERVED_PIDS));
	EXPECT_EQ(0, kt_lab_free(self->lab, 1, 350));
	EXPECT_EQ(RESERVED_PIDS, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	EXPECT_EQ(350, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	EXPECT_EQ(-EAGAIN, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	EXPECT_EQ(5, kt_lab_alloc(self->lab, 1, KTWIN_LAB_LOWEST));
	EXPECT_EQ(4, kt_lab_stats(self->lab).no_number);
}

/* No number of a namespace means none at all: what its ancestors gave goes back. */
TEST_F(lab, full_child)
{
	int child, i;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	child = kt_lab_ns(self->lab, 1, 4);
	ASSERT_EQ(2, child);
	for (i = 0; i < 3; i++)
		ASSERT_LT(0, kt_lab_alloc(self->lab, child, self->order));
	EXPECT_EQ(-EAGAIN, kt_lab_alloc(self->lab, child, self->order));
	EXPECT_EQ(4, kt_lab_stats(self->lab).pids);
	EXPECT_EQ(7, kt_lab_stats(self->lab).numbers);
	/* and the other way round: the parent has none */
	ASSERT_EQ(32768, kt_lab_pid_max(self->lab, 1, 2));
	ASSERT_EQ(4, kt_lab_pid_max(self->lab, child, 100));
	if (self->cyclic)
		EXPECT_EQ(-EAGAIN, kt_lab_alloc(self->lab, child, self->order));
	EXPECT_EQ(7, kt_lab_stats(self->lab).numbers);
}

TEST_F(lab, wanted)
{
	struct ktwin_lab_alloc alloc = { .ns = 1, .how = self->order, .wanted = 2, .numbers = { 1, 1 } };
	int child;

	EXPECT_EQ(-EINVAL, kt_lab_alloc_call(self->lab, &alloc)); /* more than levels */
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(self->lab, 1, self->order, 7)); /* nobody is 1 */
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(self->lab, 1, self->order, 0));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(self->lab, 1, self->order, -1));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(self->lab, 1, self->order, INT32_MIN));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(self->lab, 1, self->order, 32768));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(self->lab, 1, self->order, INT32_MAX));
	EXPECT_EQ(1, kt_lab_alloc_at(self->lab, 1, self->order, 1));
	EXPECT_EQ(-EEXIST, kt_lab_alloc_at(self->lab, 1, self->order, 1));
	EXPECT_EQ(7, kt_lab_alloc_at(self->lab, 1, self->order, 7));
	EXPECT_EQ(-EEXIST, kt_lab_alloc_at(self->lab, 1, self->order, 7));
	EXPECT_EQ(32767, kt_lab_alloc_at(self->lab, 1, self->order, 32767));
	EXPECT_EQ(2, kt_lab_stats(self->lab).taken);
	/* the cursor stayed where it was */
	if (self->cyclic)
		EXPECT_EQ(2, kt_lab_alloc(self->lab, 1, KTWIN_LAB_LOWEST));
	child = kt_lab_ns(self->lab, 1, 0);
	alloc = (struct ktwin_lab_alloc) { .ns = child, .how = self->order, .wanted = 2, .numbers = { 1, 7 } };
	EXPECT_EQ(-EEXIST, kt_lab_alloc_call(self->lab, &alloc)); /* its parent's is taken: its own goes back */
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, child, 1, NULL));
	alloc.numbers[1] = 1000;
	ASSERT_EQ(0, kt_lab_alloc_call(self->lab, &alloc));
	EXPECT_EQ(2, alloc.depth);
	EXPECT_EQ(1, alloc.numbers[0]);
	EXPECT_EQ(1000, alloc.numbers[1]);
	EXPECT_EQ(0, alloc.numbers[2]);
	alloc = (struct ktwin_lab_alloc) { .ns = child, .how = self->order, .wanted = 3, .numbers = { 2, 1001, 1 } };
	EXPECT_EQ(-EINVAL, kt_lab_alloc_call(self->lab, &alloc));
	alloc.wanted = KTWIN_LEVELS + 1;
	EXPECT_EQ(-EINVAL, kt_lab_alloc_call(self->lab, &alloc));
	alloc.wanted = UINT32_MAX;
	EXPECT_EQ(-EINVAL, kt_lab_alloc_call(self->lab, &alloc));
	EXPECT_EQ(self->cyclic ? 5 : 4, kt_lab_stats(self->lab).pids);
}

static int without_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	return syscall(SYS_capset, &header, data);
}

/* All but one of the first 32, or of those behind. */
static int with_one_capability(int number)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	data[number / 32].effective = data[number / 32].permitted = 1U << number % 32;
	return syscall(SYS_capset, &header, data);
}

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE	40
#endif

/* An inherited fd is as good as one's own, but for numbers that are asked for. */
TEST_F(lab, may_choose)
{
	static const int capabilities[] = { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN };
	int status, i;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	if (!fork()) {
		int bad = without_capabilities() || kt_lab_alloc_at(self->lab, 1, self->order, 500) != -EPERM ||
			  kt_lab_alloc_at(self->lab, 1, self->order, 1) != -EPERM ||
			  kt_lab_alloc(self->lab, 1, self->order) < 1 || kt_lab_kill(self->lab, 2, NULL) != -ESRCH;

		_exit(bad);
	}
	wait(&status);
	EXPECT_EQ(0, status);
	for (i = 0; i < 2; i++) {
		if (!fork()) {
			_exit(with_one_capability(capabilities[i]) ||
			      kt_lab_alloc_at(self->lab, 1, self->order, 600 + i) != 600 + i);
		}
		wait(&status);
		EXPECT_EQ(0, status);
	}
	/* root of a user namespace of one's own */
	if (!fork()) {
		_exit(kt_become_nobody() || unshare(CLONE_NEWUSER) ||
		      kt_lab_alloc_at(self->lab, 1, self->order, 700) != -EPERM);
	}
	wait(&status);
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, 500, NULL));
	EXPECT_EQ(0, kt_lab_find(self->lab, 1, 600, NULL));
	EXPECT_EQ(0, kt_lab_find(self->lab, 1, 601, NULL));
}

TEST_F(lab, dying)
{
	struct ktwin_lab_ns ns;
	int child, other;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	child = kt_lab_ns(self->lab, 1, 0);
	ASSERT_EQ(1, kt_lab_alloc(self->lab, child, self->order));
	other = kt_lab_alloc(self->lab, child, self->order);
	ASSERT_LT(1, other);
	ASSERT_EQ(0, kt_lab_free(self->lab, child, 1)); /* its init */
	ASSERT_EQ(0, kt_lab_ns_record(self->lab, child, &ns));
	EXPECT_EQ(KTWIN_LAB_NS_DYING, ns.flags);
	EXPECT_EQ(-ENOMEM, kt_lab_alloc(self->lab, child, self->order));
	EXPECT_EQ(-ENOMEM, kt_lab_alloc_at(self->lab, child, self->order, 1));
	/* as child_reaper, which stays set: numbers are looked at, but for naught */
	EXPECT_EQ(-ENOMEM, kt_lab_alloc_at(self->lab, child, self->order, 77));
	EXPECT_EQ(-EEXIST, kt_lab_alloc_at(self->lab, child, self->order, other));
	EXPECT_EQ(-ENOMEM, kt_lab_ns(self->lab, child, 0));
	EXPECT_EQ(2, kt_lab_stats(self->lab).pids);
	EXPECT_EQ(KTWIN_LAB_ROOM, kt_lab_stats(self->lab).verdict); /* nothing was short */
	ASSERT_EQ(0, kt_lab_free(self->lab, child, other));
	EXPECT_EQ(-ESRCH, kt_lab_ns_record(self->lab, child, &ns));
	EXPECT_EQ(-ESRCH, kt_lab_alloc(self->lab, child, self->order));
	EXPECT_EQ(-ESRCH, kt_lab_ns(self->lab, child, 0));
	EXPECT_EQ(-ESRCH, kt_lab_pid_max(self->lab, child, 0));
	EXPECT_EQ(-ESRCH, kt_lab_kill(self->lab, child, NULL));
	EXPECT_EQ(3, kt_lab_ns(self->lab, 1, 0)); /* a number is never used again */
}

TEST_F(lab, levels)
{
	struct ktwin_lab_alloc alloc = { .how = self->order };
	struct ktwin_lab_pid pid;
	int ns = 1, level, i;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	for (level = 1; level < KTWIN_LEVELS; level++) {
		int below = kt_lab_ns(self->lab, ns, 0);

		ASSERT_EQ(ns + 1, below);
		ns = below;
		ASSERT_EQ(1, kt_lab_alloc(self->lab, ns, self->order));
	}
	EXPECT_EQ(-ENOSPC, kt_lab_ns(self->lab, ns, 0));
	alloc.ns = ns;
	ASSERT_EQ(0, kt_lab_alloc_call(self->lab, &alloc));
	ASSERT_EQ(KTWIN_LEVELS, alloc.depth);
	for (i = 0; i < KTWIN_LEVELS; i++) {
		ASSERT_EQ(0, kt_lab_find(self->lab, ns - i, alloc.numbers[i], &pid));
		EXPECT_EQ(alloc.serial, pid.serial);
		EXPECT_EQ(KTWIN_LEVELS, pid.depth);
		EXPECT_EQ(ns - i, pid.upids[KTWIN_LEVELS - 1 - i].ns);
		EXPECT_EQ(alloc.numbers[i], pid.upids[KTWIN_LEVELS - 1 - i].nr);
	}
	kt_expect_lab_sound(_metadata, self->lab);
	EXPECT_EQ(KTWIN_LEVELS * (KTWIN_LEVELS + 1) / 2 + KTWIN_LEVELS, kt_lab_stats(self->lab).numbers);
	/* by any of its numbers it goes at all levels */
	EXPECT_EQ(0, kt_lab_free(self->lab, 5, alloc.numbers[KTWIN_LEVELS - 5]));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, ns, alloc.numbers[0], &pid));
	EXPECT_EQ(0, kt_lab_kill(self->lab, 1, NULL));
	kt_expect_lab_empty(_metadata, self->lab);
}

TEST_F(lab, freed)
{
	int task, nr;

	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 1, 1));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 0, 1));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 9, 1));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, UINT32_MAX, 1));
	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	task = kt_lab_task(self->lab, 1, self->order, &nr);
	ASSERT_LT(0, task);
	EXPECT_EQ(-EBUSY, kt_lab_free(self->lab, 1, nr));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 1, -1));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 1, 0));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 1, INT32_MAX));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 1, INT32_MIN));
	EXPECT_EQ(0, kt_lab_free(self->lab, 1, 1));
	EXPECT_EQ(-ESRCH, kt_lab_free(self->lab, 1, 1));
}

TEST_F(lab, finds)
{
	static const int numbers[] = { 1, 63, 64, 65, 511, 512, 4095, 4096, 32767 };
	struct ktwin_lab_pid pid;
	struct ktwin_lab_leaf *leaves;
	struct ktwin_lab_ns ns;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		ASSERT_EQ(numbers[i], kt_lab_alloc_at(self->lab, 1, self->order, numbers[i]));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		int before = i ? numbers[i - 1] : -5, nr;

		for (nr = before + 1; nr <= numbers[i]; nr += nr + 9 < numbers[i] ? 9 : 1)
			ASSERT_EQ(numbers[i], kt_lab_next(self->lab, 1, nr, &pid));
		EXPECT_EQ(numbers[i], pid.upids[0].nr);
		EXPECT_EQ(1, pid.upids[0].ns);
	}
	EXPECT_EQ(-ESRCH, kt_lab_next(self->lab, 1, 32768, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_next(self->lab, 1, 4194304, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_next(self->lab, 1, INT32_MAX, &pid));
	EXPECT_EQ(1, kt_lab_next(self->lab, 1, INT32_MIN, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_next(self->lab, 2, 1, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_next(self->lab, 0, 1, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, 2, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, 0, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, -1, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, INT32_MAX, &pid));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, INT32_MIN, &pid));
	ASSERT_EQ(7, kt_lab_leaves(self->lab, 1, &leaves));
	EXPECT_EQ(0, leaves[0].first);
	EXPECT_EQ(1ULL << 1 | 1ULL << 63, leaves[0].used);
	EXPECT_EQ(64, leaves[1].first);
	EXPECT_EQ(3, leaves[1].used);
	EXPECT_EQ(448, leaves[2].first);
	EXPECT_EQ(1ULL << 63, leaves[2].used);
	EXPECT_EQ(512, leaves[3].first);
	EXPECT_EQ(4032, leaves[4].first);
	EXPECT_EQ(32704, leaves[6].first);
	free(leaves);
	ASSERT_EQ(0, kt_lab_ns_record(self->lab, 1, &ns));
	EXPECT_EQ(4097, ns.hole_start);
	EXPECT_EQ(32767 - 4097, ns.hole_length);
}

/* Records, a few at a time and from any cursor. */
TEST_F(lab, reads)
{
	static const __u64 cursors[] = { 1, 4194303, 4194304, UINT32_MAX, 1ULL << 32, INT64_MAX, UINT64_MAX };
	static const unsigned long commands[] = {
		KTWIN_IOC_LAB_NAMESPACES, KTWIN_IOC_LAB_PIDS, KTWIN_IOC_LAB_TASKS, KTWIN_IOC_LAB_LEAVES,
	};
	static char records[8 * sizeof(struct ktwin_lab_pid)];
	struct ktwin_lab_pid *pids;
	size_t i, at;

	for (i = 0; i < 100; i++)
		ASSERT_LT(0, kt_lab_task(self->lab, 1, self->order, NULL));
	EXPECT_EQ(100, kt_read_by(self->lab, KTWIN_IOC_LAB_PIDS, 1, sizeof(*pids), 7, (void **)&pids));
	for (i = 1; i < 100; i++)
		EXPECT_LT(pids[i - 1].upids[0].nr, pids[i].upids[0].nr);
	free(pids);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		__u32 ns = commands[i] == KTWIN_IOC_LAB_PIDS || commands[i] == KTWIN_IOC_LAB_LEAVES;
		struct ktwin_read read = {
			.size = sizeof(read), .buffer = (uintptr_t)records, .record_size = sizeof(struct ktwin_lab_pid),
			.room = 8, .ns = ns,
		};

		for (at = 0; at < ARRAY_SIZE(cursors); at++) {
			read.cursor = cursors[at];
			EXPECT_EQ(0, kt_call(self->lab, commands[i], &read));
		}
		read.cursor = 0;
		read.ns = ns ? 99 : 1;
		EXPECT_EQ(ns ? -ESRCH : -EINVAL, kt_call(self->lab, commands[i], &read));
		read.ns = 0;
		EXPECT_EQ(ns ? -ESRCH : 0, kt_call(self->lab, commands[i], &read));
	}
}

TEST_F(lab, pid_max)
{
	struct ktwin_lab_ns ns;

	EXPECT_EQ(32768, kt_lab_pid_max(self->lab, 1, 0));
	EXPECT_EQ(-EINVAL, kt_lab_pid_max(self->lab, 1, 1));
	EXPECT_EQ(-EINVAL, kt_lab_pid_max(self->lab, 1, 4194305));
	EXPECT_EQ(-EINVAL, kt_lab_pid_max(self->lab, 1, kt_lab_stats(self->lab).limit + 1));
	EXPECT_EQ(-ESRCH, kt_lab_pid_max(self->lab, 0, 0));
	EXPECT_EQ(-ESRCH, kt_lab_pid_max(self->lab, 2, 100));
	EXPECT_EQ(-EINVAL, kt_lab_ns(self->lab, 1, 1));
	EXPECT_EQ(-EINVAL, kt_lab_ns(self->lab, 1, kt_lab_stats(self->lab).limit + 1));
	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	ASSERT_EQ(9000, kt_lab_alloc_at(self->lab, 1, self->order, 9000));
	EXPECT_EQ(32768, kt_lab_pid_max(self->lab, 1, 10));
	EXPECT_EQ(10, kt_lab_pid_max(self->lab, 1, 0));
	EXPECT_EQ(0, kt_lab_find(self->lab, 1, 9000, NULL)); /* above it, and there */
	EXPECT_EQ(9000, kt_lab_next(self->lab, 1, 2, NULL));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(self->lab, 1, self->order, 10));
	EXPECT_EQ(9, kt_lab_alloc_at(self->lab, 1, self->order, 9));
	ASSERT_EQ(0, kt_lab_ns_record(self->lab, 1, &ns));
	EXPECT_EQ(3, ns.count);
	EXPECT_EQ(2, ns.hole_start);
	EXPECT_EQ(7, ns.hole_length);
	while (kt_lab_alloc(self->lab, 1, self->order) > 0)
		;
	EXPECT_EQ(10, kt_lab_stats(self->lab).pids);
	EXPECT_EQ(0, kt_lab_free(self->lab, 1, 9000));
	EXPECT_EQ(-EAGAIN, kt_lab_alloc(self->lab, 1, self->order));
	EXPECT_EQ(10, kt_lab_pid_max(self->lab, 1, 11));
	EXPECT_EQ(10, kt_lab_alloc(self->lab, 1, self->order));
}

/* A child has its parent's, or its own. */
TEST_F(lab, pid_max_of_children)
{
	int child = kt_lab_ns(self->lab, 1, 0);

	EXPECT_EQ(32768, kt_lab_pid_max(self->lab, child, 0));
	EXPECT_EQ(32768, kt_lab_pid_max(self->lab, child, 500));
	EXPECT_EQ(32768, kt_lab_pid_max(self->lab, 1, 0));
	EXPECT_EQ(500, kt_lab_pid_max(self->lab, kt_lab_ns(self->lab, child, 0), 0));
	EXPECT_EQ(77, kt_lab_pid_max(self->lab, kt_lab_ns(self->lab, child, 77), 0));
}

/* --- roles --- */

/* How many tasks use number nr of ns so. */
static int users(int lab, __u32 ns, __s32 nr, int type)
{
	struct ktwin_lab_pid pid;
	int error = kt_lab_find(lab, ns, nr, &pid);

	return error ? error : (int)pid.tasks[type];
}

TEST_F(lab, attach_and_detach)
{
	int task, thread;
	__s32 nr, tid;

	task = kt_lab_task(self->lab, 1, self->order, &nr);
	ASSERT_LT(0, task);
	EXPECT_EQ(1, users(self->lab, 1, nr, KTWIN_LAB_PID));
	EXPECT_EQ(1, users(self->lab, 1, nr, KTWIN_LAB_TGID));
	EXPECT_EQ(0, users(self->lab, 1, nr, KTWIN_LAB_SID));
	EXPECT_EQ(task, kt_lab_attach(self->lab, task, KTWIN_LAB_PGID, 1, nr));
	EXPECT_EQ(task, kt_lab_attach(self->lab, task, KTWIN_LAB_SID, 1, nr));
	EXPECT_EQ(-EBUSY, kt_lab_attach(self->lab, task, KTWIN_LAB_SID, 1, nr));
	EXPECT_EQ(-EBUSY, kt_lab_attach(self->lab, task, KTWIN_LAB_PID, 1, nr));
	EXPECT_EQ(-ESRCH, kt_lab_attach(self->lab, task + 1, KTWIN_LAB_SID, 1, nr));
	EXPECT_EQ(-ESRCH, kt_lab_attach(self->lab, task, KTWIN_LAB_SID, 1, 9999));
	EXPECT_EQ(-ESRCH, kt_lab_attach(self->lab, task, KTWIN_LAB_SID, 9, 1));
	EXPECT_EQ(-ESRCH, kt_lab_attach(self->lab, 0, KTWIN_LAB_PID, 1, 9999));
	EXPECT_EQ(1, kt_lab_stats(self->lab).tasks);
	/* a thread: a task for a pid that has none */
	tid = kt_lab_alloc(self->lab, 1, self->order);
	ASSERT_LT(0, tid);
	thread = kt_lab_attach(self->lab, 0, KTWIN_LAB_PID, 1, tid);
	ASSERT_LT(task, thread);
	EXPECT_EQ(-ESRCH, kt_lab_detach(self->lab, thread, KTWIN_LAB_TGID));
	EXPECT_EQ(thread, kt_lab_detach(self->lab, thread, KTWIN_LAB_PID));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, tid, NULL)); /* so is its number */
	EXPECT_EQ(-ESRCH, kt_lab_detach(self->lab, thread, KTWIN_LAB_PID)); /* it is gone */
	EXPECT_EQ(1, kt_lab_stats(self->lab).tasks);
	/* the number stays as long as somebody uses it */
	EXPECT_EQ(task, kt_lab_detach(self->lab, task, KTWIN_LAB_PID));
	EXPECT_EQ(task, kt_lab_detach(self->lab, task, KTWIN_LAB_TGID));
	EXPECT_EQ(task, kt_lab_detach(self->lab, task, KTWIN_LAB_SID));
	EXPECT_EQ(0, kt_lab_find(self->lab, 1, nr, NULL));
	EXPECT_EQ(task, kt_lab_detach(self->lab, task, KTWIN_LAB_PGID));
	EXPECT_EQ(0, kt_lab_stats(self->lab).tasks);
	EXPECT_EQ(-ESRCH, kt_lab_alloc(self->lab, 1, self->order)); /* it was the init, and the last */
	kt_expect_lab_empty(_metadata, self->lab);
}

/* setsid(), setpgid(), and a shell's job control. */
TEST_F(lab, sessions)
{
	__s32 shell, job, member;
	int first, second, third;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	first = kt_lab_task(self->lab, 1, self->order, &shell);
	second = kt_lab_task(self->lab, 1, self->order, &job);
	third = kt_lab_task(self->lab, 1, self->order, &member);
	ASSERT_LT(0, third);
	EXPECT_EQ(-ESRCH, kt_lab_change(self->lab, first, KTWIN_LAB_SID, 1, shell)); /* it has none */
	EXPECT_EQ(first, kt_lab_attach(self->lab, first, KTWIN_LAB_SID, 1, shell));
	EXPECT_EQ(first, kt_lab_attach(self->lab, first, KTWIN_LAB_PGID, 1, shell));
	EXPECT_EQ(second, kt_lab_attach(self->lab, second, KTWIN_LAB_SID, 1, shell));
	EXPECT_EQ(second, kt_lab_attach(self->lab, second, KTWIN_LAB_PGID, 1, shell));
	EXPECT_EQ(third, kt_lab_attach(self->lab, third, KTWIN_LAB_SID, 1, shell));
	EXPECT_EQ(third, kt_lab_attach(self->lab, third, KTWIN_LAB_PGID, 1, shell));
	EXPECT_EQ(3, users(self->lab, 1, shell, KTWIN_LAB_PGID));
	EXPECT_EQ(second, kt_lab_change(self->lab, second, KTWIN_LAB_PGID, 1, job));
	EXPECT_EQ(third, kt_lab_change(self->lab, third, KTWIN_LAB_PGID, 1, job));
	EXPECT_EQ(third, kt_lab_change(self->lab, third, KTWIN_LAB_PGID, 1, job)); /* where it is */
	EXPECT_EQ(1, users(self->lab, 1, shell, KTWIN_LAB_PGID));
	EXPECT_EQ(2, users(self->lab, 1, job, KTWIN_LAB_PGID));
	EXPECT_EQ(3, users(self->lab, 1, shell, KTWIN_LAB_SID));
	EXPECT_EQ(-ESRCH, kt_lab_change(self->lab, third, KTWIN_LAB_PGID, 1, 20000));
	EXPECT_EQ(-ESRCH, kt_lab_change(self->lab, third + 1, KTWIN_LAB_PGID, 1, job));
	/* the leader of the job ends: its number is the group's still */
	EXPECT_EQ(second, kt_lab_detach(self->lab, second, KTWIN_LAB_PID));
	EXPECT_EQ(second, kt_lab_detach(self->lab, second, KTWIN_LAB_TGID));
	EXPECT_EQ(second, kt_lab_detach(self->lab, second, KTWIN_LAB_PGID));
	EXPECT_EQ(second, kt_lab_detach(self->lab, second, KTWIN_LAB_SID));
	EXPECT_EQ(1, users(self->lab, 1, job, KTWIN_LAB_PGID));
	EXPECT_EQ(0, users(self->lab, 1, job, KTWIN_LAB_PID));
	EXPECT_EQ(-EEXIST, kt_lab_alloc_at(self->lab, 1, self->order, job));
	/* the last one leaves it: the number is free */
	EXPECT_EQ(third, kt_lab_change(self->lab, third, KTWIN_LAB_PGID, 1, member));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, job, NULL));
	EXPECT_EQ(job, kt_lab_alloc_at(self->lab, 1, self->order, job));
}

/* de_thread(): a thread executes and becomes the leader; the pid of the group stays. */
TEST_F(lab, exec_of_a_thread)
{
	int leader, thread, type;
	__s32 tgid, tid;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	leader = kt_lab_task(self->lab, 1, self->order, &tgid);
	ASSERT_EQ(leader, kt_lab_attach(self->lab, leader, KTWIN_LAB_PGID, 1, tgid));
	ASSERT_EQ(leader, kt_lab_attach(self->lab, leader, KTWIN_LAB_SID, 1, tgid));
	tid = kt_lab_alloc(self->lab, 1, self->order);
	thread = kt_lab_attach(self->lab, 0, KTWIN_LAB_PID, 1, tid);
	ASSERT_LT(0, thread);
	EXPECT_EQ(thread, kt_lab_between(self->lab, KTWIN_LAB_EXCHANGE, KTWIN_LAB_PID, thread, leader));
	for (type = KTWIN_LAB_TGID; type < KTWIN_LAB_TYPES; type++)
		EXPECT_EQ(leader, kt_lab_between(self->lab, KTWIN_LAB_TRANSFER, type, leader, thread));
	EXPECT_EQ(-ESRCH, kt_lab_between(self->lab, KTWIN_LAB_TRANSFER, KTWIN_LAB_SID, leader, thread));
	EXPECT_EQ(-EBUSY, kt_lab_attach(self->lab, thread, KTWIN_LAB_SID, 1, tgid));
	EXPECT_EQ(leader, kt_lab_detach(self->lab, leader, KTWIN_LAB_PID));
	EXPECT_EQ(-ESRCH, kt_lab_find(self->lab, 1, tid, NULL));
	for (type = 0; type < KTWIN_LAB_TYPES; type++)
		EXPECT_EQ(1, users(self->lab, 1, tgid, type));
	EXPECT_EQ(1, kt_lab_stats(self->lab).tasks);
	EXPECT_EQ(-ESRCH, kt_lab_between(self->lab, KTWIN_LAB_EXCHANGE, KTWIN_LAB_PID, thread, leader));
}

TEST_F(lab, roles_refused)
{
	int one = kt_lab_task(self->lab, 1, self->order, NULL), two = kt_lab_task(self->lab, 1, self->order, NULL);
	struct ktwin_lab_role role = { .task = one, .type = KTWIN_LAB_SID, .ns = 1, .nr = 1 }, was = role;

#define EXPECT_ROLE(result, ...)							\
	do {										\
		role = was;								\
		__VA_ARGS__;								\
		EXPECT_EQ(result, kt_lab_role(self->lab, role));			\
	} while (0)
	EXPECT_ROLE(-EINVAL, role.flags = 1);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_EXCHANGE + 1);
	EXPECT_ROLE(-EINVAL, role.type = KTWIN_LAB_TYPES);
	EXPECT_ROLE(-EINVAL, role.other = two);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_CHANGE, role.other = two);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_DETACH);
	was.ns = was.nr = 0;
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_DETACH, role.other = two);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_TRANSFER, role.other = one);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_TRANSFER, role.other = two, role.type = KTWIN_LAB_PID);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_TRANSFER, role.other = two, role.nr = 1);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_EXCHANGE, role.other = two);
	EXPECT_ROLE(-EINVAL, role.op = KTWIN_LAB_EXCHANGE, role.other = one, role.type = KTWIN_LAB_PID);
	EXPECT_ROLE(-ESRCH, role.op = KTWIN_LAB_TRANSFER, role.other = two);
	EXPECT_ROLE(-ESRCH, role.op = KTWIN_LAB_TRANSFER, role.other = 99);
	EXPECT_ROLE(-ESRCH, role.op = KTWIN_LAB_TRANSFER, role.other = 0);
	EXPECT_ROLE(-EBUSY, role.op = KTWIN_LAB_TRANSFER, role.other = two, role.type = KTWIN_LAB_TGID);
	EXPECT_ROLE(-ESRCH, role.op = KTWIN_LAB_DETACH, role.task = 0);
	EXPECT_ROLE(-ESRCH, role.op = KTWIN_LAB_DETACH, role.task = UINT32_MAX);
}

/* --- the end of namespaces --- */

TEST_F(lab, kill)
{
	struct ktwin_lab_kill kill;
	struct ktwin_lab_ns ns;
	int child, grandchild, i;

	ASSERT_LT(0, kt_lab_task(self->lab, 1, self->order, NULL));
	child = kt_lab_ns(self->lab, 1, 0);
	grandchild = kt_lab_ns(self->lab, child, 0);
	for (i = 0; i < 100; i++) {
		ASSERT_LT(0, kt_lab_task(self->lab, child, self->order, NULL));
		ASSERT_LT(0, kt_lab_task(self->lab, grandchild, self->order, NULL));
		ASSERT_LT(0, kt_lab_alloc(self->lab, grandchild, self->order));
	}
	EXPECT_EQ(-ESRCH, kt_lab_kill(self->lab, 0, NULL));
	EXPECT_EQ(-ESRCH, kt_lab_kill(self->lab, 4, NULL));
	ASSERT_EQ(0, kt_lab_kill(self->lab, child, &kill));
	EXPECT_EQ(200, kill.tasks);
	EXPECT_EQ(300, kill.pids);
	EXPECT_EQ(0, kill.left);
	EXPECT_EQ(-ESRCH, kt_lab_ns_record(self->lab, child, &ns));
	EXPECT_EQ(-ESRCH, kt_lab_ns_record(self->lab, grandchild, &ns));
	EXPECT_EQ(1, kt_lab_stats(self->lab).pids);
	EXPECT_EQ(1, kt_lab_stats(self->lab).tasks);
	EXPECT_EQ(-ESRCH, kt_lab_kill(self->lab, child, NULL));
	ASSERT_EQ(0, kt_lab_kill(self->lab, 1, &kill));
	EXPECT_EQ(1, kill.tasks);
	EXPECT_EQ(1, kill.pids);
	kt_expect_lab_empty(_metadata, self->lab);
	EXPECT_EQ(-ESRCH, kt_lab_alloc(self->lab, 1, self->order));
	EXPECT_EQ(-ESRCH, kt_lab_ns(self->lab, 1, 0));
}

/* Namespaces in which nobody ever was go too. */
TEST_F(lab, kill_the_unborn)
{
	struct ktwin_lab_kill kill;
	int child = kt_lab_ns(self->lab, 1, 0), i;

	for (i = 0; i < 5; i++)
		ASSERT_LT(0, kt_lab_ns(self->lab, child, 0));
	EXPECT_EQ(7, kt_lab_stats(self->lab).namespaces);
	ASSERT_EQ(0, kt_lab_kill(self->lab, child, &kill));
	EXPECT_EQ(0, kill.tasks + kill.pids + kill.left);
	EXPECT_EQ(1, kt_lab_stats(self->lab).namespaces);
}

/* A number that somebody outside has as his session stays until he leaves it; so does the namespace, which takes no more. */
TEST_F(lab, kill_with_a_session_outside)
{
	int child, outside, init;
	struct ktwin_lab_kill kill;
	struct ktwin_lab_ns ns;
	__s32 nr, own;

	outside = kt_lab_task(self->lab, 1, self->order, &own);
	child = kt_lab_ns(self->lab, 1, 0);
	init = kt_lab_task(self->lab, child, self->order, NULL);
	ASSERT_LT(0, init);
	ASSERT_LT(0, kt_lab_task(self->lab, child, self->order, &nr));
	ASSERT_EQ(outside, kt_lab_attach(self->lab, outside, KTWIN_LAB_SID, child, nr));
	ASSERT_EQ(0, kt_lab_kill(self->lab, child, &kill));
	EXPECT_EQ(2, kill.tasks);
	EXPECT_EQ(1, kill.pids);
	EXPECT_EQ(1, kill.left);
	ASSERT_EQ(0, kt_lab_ns_record(self->lab, child, &ns));
	EXPECT_EQ(KTWIN_LAB_NS_DYING, ns.flags);
	EXPECT_EQ(1, ns.count);
	EXPECT_EQ(1, users(self->lab, child, nr, KTWIN_LAB_SID));
	EXPECT_EQ(-ENOMEM, kt_lab_alloc(self->lab, child, self->order));
	kt_expect_lab_sound(_metadata, self->lab);
	/* a task may still be given what is left, and the namespace be killed again */
	EXPECT_LT(0, kt_lab_attach(self->lab, 0, KTWIN_LAB_PGID, child, nr));
	ASSERT_EQ(0, kt_lab_kill(self->lab, child, &kill));
	EXPECT_EQ(1, kill.left);
	EXPECT_EQ(outside, kt_lab_change(self->lab, outside, KTWIN_LAB_SID, 1, own));
	EXPECT_EQ(0, kt_lab_ns_record(self->lab, child, &ns));
	EXPECT_EQ(outside + 3, kt_lab_detach(self->lab, outside + 3, KTWIN_LAB_PGID));
	EXPECT_EQ(-ESRCH, kt_lab_ns_record(self->lab, child, &ns));
	EXPECT_EQ(1, kt_lab_stats(self->lab).pids);
}

/* --- limits --- */

static int limited(int device, __u32 backend, struct ktwin_lab lab)
{
	lab.backend = backend;
	if (backend == KTWIN_LAB_BLOCKS)
		lab.limit = KT_LAB_LIMIT;
	return kt_lab_open(device, lab);
}

TEST_F(lab, limit_of_pids)
{
	int lab = limited(self->device, variant->backend, (struct ktwin_lab) { .pids = 100 }), i, task = 0, nr = 0;
	struct ktwin_lab_stats stats;

	ASSERT_LE(0, lab);
	for (i = 0; i < 100; i++)
		ASSERT_LT(0, kt_lab_alloc(lab, 1, self->order));
	EXPECT_EQ(-ENOMEM, kt_lab_alloc(lab, 1, self->order));
	stats = kt_lab_stats(lab);
	EXPECT_EQ(100, stats.pids);
	EXPECT_EQ(1, stats.no_memory);
	EXPECT_EQ(KTWIN_LAB_LEAK, stats.verdict); /* nobody uses them */
	EXPECT_EQ(100, stats.unused);
	EXPECT_EQ(1, stats.holder);
	EXPECT_EQ(100, stats.held);
	for (i = 0; i < 60; i++) {
		nr = kt_lab_next(lab, 1, nr + 1, NULL);
		task = kt_lab_attach(lab, 0, KTWIN_LAB_PID, 1, nr);
		ASSERT_LT(0, task);
	}
	stats = kt_lab_stats(lab);
	EXPECT_EQ(40, stats.unused);
	EXPECT_EQ(KTWIN_LAB_ESTIMATE, stats.verdict);
	/* as many as come go: the limit is for those at a time */
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(task, kt_lab_detach(lab, task, KTWIN_LAB_PID));
		task = kt_lab_task(lab, 1, self->order, NULL);
		ASSERT_LT(0, task);
		ASSERT_EQ(task, kt_lab_detach(lab, task, KTWIN_LAB_TGID));
	}
	EXPECT_EQ(-ENOMEM, kt_lab_alloc(lab, 1, self->order));
	kt_expect_lab_sound(_metadata, lab);
	close(lab);
}

TEST_F(lab, limit_of_namespaces)
{
	int lab = limited(self->device, variant->backend, (struct ktwin_lab) { .namespaces = 10 }), i;

	ASSERT_LE(0, lab);
	ASSERT_EQ(1, kt_lab_alloc(lab, 1, self->order));
	for (i = 2; i <= 10; i++)
		ASSERT_EQ(i, kt_lab_ns(lab, 1, 0));
	EXPECT_EQ(-ENOMEM, kt_lab_ns(lab, 1, 0));
	for (i = 2; i <= 10; i++)
		EXPECT_EQ(0, kt_lab_kill(lab, i, NULL));
	/* they come and go, and memory with them */
	for (i = 0; i < 300; i++) {
		int ns = kt_lab_ns(lab, 1, 0);

		ASSERT_LT(0, ns);
		ASSERT_EQ(1, kt_lab_alloc(lab, ns, self->order));
		ASSERT_EQ(0, kt_lab_kill(lab, ns, NULL));
		if (i == 20 && variant->backend != KTWIN_LAB_TWIN)
			break; /* a grace period each */
	}
	EXPECT_EQ(1, kt_lab_stats(lab).namespaces);
	close(lab);
}

TEST_F(lab, limit_of_tasks)
{
	int lab = limited(self->device, variant->backend, (struct ktwin_lab) { .tasks = 5 }), i;

	ASSERT_LE(0, lab);
	for (i = 0; i < 5; i++)
		ASSERT_LT(0, kt_lab_task(lab, 1, self->order, NULL));
	EXPECT_EQ(-ENOMEM, kt_lab_task(lab, 1, self->order, NULL));
	EXPECT_EQ(-ENOMEM, kt_lab_attach(lab, 0, KTWIN_LAB_SID, 1, 1));
	EXPECT_LT(0, kt_lab_alloc(lab, 1, self->order));
	EXPECT_EQ(6, kt_lab_stats(lab).pids);
	EXPECT_EQ(5, kt_lab_stats(lab).tasks);
	close(lab);
}

TEST_F(lab, limit_of_bytes)
{
	struct ktwin_lab wanted = { .bytes = 1 << 20, .pids = 4194304, .tasks = 4194304, .namespaces = 4096 };
	struct ktwin_lab_stats stats, after;
	int lab, result, ns, i;

	/* what the kernel's could need for so many numbers is taken from the start */
	if (variant->backend == KTWIN_LAB_IDR || variant->backend == KTWIN_LAB_XARRAY)
		wanted.pids = 65536;
	lab = limited(self->device, variant->backend, wanted);
	ASSERT_LE(0, lab);
	while ((result = kt_lab_task(lab, 1, self->order, NULL)) > 0)
		;
	EXPECT_EQ(-ENOMEM, result);
	stats = kt_lab_stats(lab);
	EXPECT_LT(500, stats.pids);
	EXPECT_EQ(KTWIN_LAB_ESTIMATE, stats.verdict);
	EXPECT_GE(1 << 20, stats.bytes);
	EXPECT_GE(1 << 20, stats.bytes_most);
	EXPECT_LT(900 << 10, stats.bytes);
	kt_expect_lab_sound(_metadata, lab);
	/* and all of it comes back, over and over */
	for (i = 0; i < 3; i++) {
		ns = 1;
		while (kt_lab_next(lab, 1, 2, NULL) > 0) {
			struct ktwin_lab_task *tasks;
			long count = kt_lab_tasks(lab, &tasks), at;

			for (at = 1; at < count; at++) {
				ASSERT_LT(0, kt_lab_detach(lab, tasks[at].task, KTWIN_LAB_PID));
				ASSERT_LT(0, kt_lab_detach(lab, tasks[at].task, KTWIN_LAB_TGID));
			}
			free(tasks);
		}
		EXPECT_EQ(1, kt_lab_stats(lab).pids);
		while ((result = kt_lab_task(lab, ns, self->order, NULL)) > 0)
			;
		EXPECT_EQ(-ENOMEM, result);
		after = kt_lab_stats(lab);
		EXPECT_LT(stats.pids - stats.pids / 4, after.pids);
	}
	EXPECT_EQ(0, kt_lab_kill(lab, 1, NULL));
	kt_expect_lab_empty(_metadata, lab);
	close(lab);
}

/* --- the fd --- */

TEST_F(lab, two_are_independent)
{
	int other = kt_lab(self->device, variant->backend);

	ASSERT_LE(0, other);
	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	EXPECT_EQ(-ESRCH, kt_lab_find(other, 1, 1, NULL));
	EXPECT_EQ(2, kt_lab_ns(self->lab, 1, 0));
	EXPECT_EQ(-ESRCH, kt_lab_alloc(other, 2, self->order));
	EXPECT_EQ(1, kt_lab_alloc(other, 1, self->order));
	EXPECT_EQ(0, kt_lab_kill(other, 1, NULL));
	EXPECT_EQ(0, kt_lab_find(self->lab, 1, 1, NULL));
	close(other);
}

TEST_F(lab, inherited)
{
	int status, copy;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	if (!fork())
		_exit(kt_lab_alloc(self->lab, 1, self->order) < 2 || kt_lab_stats(self->lab).pids != 2);
	wait(&status);
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, kt_lab_stats(self->lab).pids);
	copy = dup(self->lab);
	close(self->lab);
	EXPECT_EQ(2, kt_lab_stats(copy).pids);
	EXPECT_EQ(copy, dup2(copy, self->lab) == self->lab ? copy : -1);
	close(copy);
}

/* Of the caller's own namespaces nothing is in it: who is in another PID namespace sees the same numbers. */
TEST_F(lab, from_another_namespace)
{
	pid_t child;
	int status;

	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, self->order));
	ASSERT_EQ(4242, kt_lab_alloc_at(self->lab, 1, self->order, 4242));
	child = kt_clone(CLONE_NEWPID);
	if (!child) {
		struct ktwin_lab_pid pid, *pids;

		_exit(kt_lab_find(self->lab, 1, 4242, &pid) || pid.depth != 1 || pid.upids[0].ns != 1 ||
		      pid.upids[0].nr != 4242 || pid.serial != 2 || kt_lab_pids(self->lab, 1, &pids) != 2 ||
		      kt_lab_alloc_at(self->lab, 1, self->order, 4243) != 4243);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, kt_lab_find(self->lab, 1, 4243, NULL));
}

/* Closed with everything in it: tasks, sessions that others hold, namespaces without anybody. The next one is empty. */
TEST_F(lab, closed_full)
{
	int task, child, i;
	__s32 nr;

	for (i = 0; i < 500; i++) {
		task = kt_lab_task(self->lab, 1, self->order, &nr);
		ASSERT_LT(0, task);
		ASSERT_EQ(task, kt_lab_attach(self->lab, task, KTWIN_LAB_SID, 1, 1));
	}
	child = kt_lab_ns(self->lab, 1, 0);
	ASSERT_LT(0, kt_lab_task(self->lab, child, self->order, NULL));
	ASSERT_LT(0, kt_lab_ns(self->lab, child, 0));
	/* only a session: nobody's PID */
	ASSERT_LT(0, kt_lab_attach(self->lab, 0, KTWIN_LAB_SID, 1, nr));
	ASSERT_LT(0, kt_lab_attach(self->lab, 0, KTWIN_LAB_PGID, child, 1));
	close(self->lab);
	self->lab = kt_lab(self->device, variant->backend);
	ASSERT_LE(0, self->lab);
	EXPECT_EQ(0, kt_lab_stats(self->lab).pids);
}

/* --- backends that keep numbers alone --- */

TEST(ida)
{
	struct ktwin_lab_alloc alloc = { .ns = 1, .how = KTWIN_LAB_LOWEST };
	struct ktwin_lab_pid pid, *pids;
	struct ktwin_lab_leaf *leaves;
	struct ktwin_lab_stats stats;
	int device, lab, i;

	KT_OPEN_LIVE(device);
	lab = kt_lab(device, KTWIN_LAB_IDA);
	ASSERT_LE(0, lab);
	EXPECT_EQ(KTWIN_LAB_HAS_LOWEST | KTWIN_LAB_HAS_AT, kt_lab_stats(lab).has);
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(lab, 1, KTWIN_LAB_LOWEST, 5));
	ASSERT_EQ(0, kt_lab_alloc_call(lab, &alloc));
	EXPECT_EQ(1, alloc.numbers[0]);
	EXPECT_EQ(1, alloc.depth);
	EXPECT_EQ(5, kt_lab_alloc_at(lab, 1, KTWIN_LAB_LOWEST, 5));
	EXPECT_EQ(-EEXIST, kt_lab_alloc_at(lab, 1, KTWIN_LAB_LOWEST, 5));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(lab, 1, KTWIN_LAB_LOWEST, 32768));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(lab, 1, KTWIN_LAB_LOWEST, 0));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_alloc(lab, 1, KTWIN_LAB_CYCLIC));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_alloc(lab, 1, KTWIN_LAB_ANY));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_task(lab, 1, KTWIN_LAB_LOWEST, NULL));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_ns(lab, 1, 0));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_find(lab, 1, 1, &pid));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_next(lab, 1, 1, &pid));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_attach(lab, 0, KTWIN_LAB_PID, 1, 1));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_kill(lab, 1, NULL));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_pids(lab, 1, &pids));
	EXPECT_EQ(-ESRCH, kt_lab_alloc(lab, 2, KTWIN_LAB_LOWEST));
	EXPECT_EQ(-ESRCH, kt_lab_free(lab, 2, 1));
	EXPECT_EQ(-ESRCH, kt_lab_free(lab, 1, 2));
	EXPECT_EQ(-ESRCH, kt_lab_free(lab, 1, -1));
	EXPECT_EQ(-ESRCH, kt_lab_free(lab, 1, INT32_MAX));
	ASSERT_EQ(1, kt_lab_leaves(lab, 1, &leaves));
	EXPECT_EQ(1 << 1 | 1 << 5, leaves[0].used);
	EXPECT_EQ(32768, kt_lab_pid_max(lab, 1, 100));
	for (i = 2; i < 99; i++)
		EXPECT_LT(0, kt_lab_alloc(lab, 1, KTWIN_LAB_LOWEST));
	EXPECT_EQ(-EAGAIN, kt_lab_alloc(lab, 1, KTWIN_LAB_LOWEST));
	EXPECT_EQ(0, kt_lab_free(lab, 1, 42));
	EXPECT_EQ(-ESRCH, kt_lab_free(lab, 1, 42));
	EXPECT_EQ(42, kt_lab_alloc(lab, 1, KTWIN_LAB_LOWEST));
	stats = kt_lab_stats(lab);
	EXPECT_EQ(99, stats.pids);
	EXPECT_EQ(99, stats.numbers);
	EXPECT_EQ(1, stats.no_number);
	EXPECT_EQ(100, stats.allocs);
	EXPECT_EQ(1, stats.frees);
	EXPECT_EQ(KTWIN_LAB_ROOM, stats.verdict);
	close(lab);
}

TEST(sbitmap)
{
	static bool seen[1000];
	struct ktwin_lab_leaf *leaves;
	int device, lab, i, nr;
	long count, bits = 0;

	KT_OPEN_LIVE(device);
	lab = kt_lab_open(device, (struct ktwin_lab) { .backend = KTWIN_LAB_SBITMAP, .pid_max = 1000 });
	ASSERT_LE(0, lab);
	EXPECT_EQ(KTWIN_LAB_HAS_ANY, kt_lab_stats(lab).has);
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_alloc(lab, 1, KTWIN_LAB_LOWEST));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_alloc(lab, 1, KTWIN_LAB_CYCLIC));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_alloc_at(lab, 1, KTWIN_LAB_ANY, 1));
	EXPECT_EQ(-EOPNOTSUPP, kt_lab_pid_max(lab, 1, 500));
	EXPECT_EQ(1000, kt_lab_pid_max(lab, 1, 0));
	for (i = 0; i < 1000; i++) {
		nr = kt_lab_alloc(lab, 1, KTWIN_LAB_ANY);
		ASSERT_LE(0, nr);
		ASSERT_GT(1000, nr);
		ASSERT_FALSE(seen[nr]);
		seen[nr] = true;
	}
	EXPECT_EQ(-EAGAIN, kt_lab_alloc(lab, 1, KTWIN_LAB_ANY));
	count = kt_lab_leaves(lab, 1, &leaves);
	EXPECT_EQ(16, count);
	for (i = 0; i < count; i++)
		bits += __builtin_popcountll(leaves[i].used);
	EXPECT_EQ(1000, bits);
	EXPECT_EQ(0, kt_lab_free(lab, 1, 500));
	EXPECT_EQ(-ESRCH, kt_lab_free(lab, 1, 500));
	EXPECT_EQ(500, kt_lab_alloc(lab, 1, KTWIN_LAB_ANY));
	close(lab);
}

/* --- what is refused --- */

TEST(refused_to_open)
{
	static const struct ktwin_lab bad[] = {
		{ .flags = 1 },
		{ .backend = KT_LAB_BACKENDS },
		{ .backend = UINT32_MAX },
		{ .pid_max = 1 },
		{ .pid_max = 4194305 },
		{ .pid_max = UINT32_MAX },
		{ .pid_max = 1000, .limit = 999 },
		{ .limit = 1 },
		{ .limit = 4194305 },
		{ .pids = 4194305 },
		{ .namespaces = 4097 },
		{ .tasks = 4194305 },
		{ .bytes = 1 },
		{ .bytes = (1 << 20) - 1 },
		{ .bytes = (1 << 30) + 1 },
		{ .bytes = UINT64_MAX },
		{ .backend = KTWIN_LAB_BLOCKS, .pid_max = 4000 },
	};
	int device;
	size_t i;

	KT_OPEN_LIVE(device);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, kt_lab_open(device, bad[i])) {
			TH_LOG("case %zu", i);
		}
	}
	/* all that it can need is made with it */
	EXPECT_EQ(-ENOMEM, kt_lab_open(device, (struct ktwin_lab) {
		.backend = KTWIN_LAB_SBITMAP, .pid_max = 4194304, .bytes = 1 << 20,
	}));
}

/* The whole range of numbers. */
TEST_F(lab, four_million)
{
	int lab = kt_lab_open(self->device, (struct ktwin_lab) {
		.backend = variant->backend, .pid_max = 4194304, .pids = 1000, .bytes = 256 << 20,
	});
	int nr;

	ASSERT_LE(0, lab);
	ASSERT_EQ(1, kt_lab_alloc(lab, 1, self->order));
	for (nr = 8191; nr < 4194304; nr += 8192)
		ASSERT_EQ(nr, kt_lab_alloc_at(lab, 1, self->order, nr));
	EXPECT_EQ(4194303, kt_lab_next(lab, 1, 4194303 - 8191, NULL));
	EXPECT_EQ(-EEXIST, kt_lab_alloc_at(lab, 1, self->order, 4194303));
	EXPECT_EQ(-EINVAL, kt_lab_alloc_at(lab, 1, self->order, 4194304));
	kt_expect_lab_sound(_metadata, lab);
	EXPECT_EQ(0, kt_lab_kill(lab, 1, NULL));
	kt_expect_lab_empty(_metadata, lab);
	close(lab);
}

/* --- all labs together --- */

TEST(bytes_of_all)
{
	struct ktwin_lab wanted = { .bytes = 64 << 20 };
	int device, one, two, i;

	KT_OPEN_LIVE(device);
	if (kt_lab_all_bytes(0) <= 0)
		SKIP(return, "no parameter to be written");
	ASSERT_LE(256 << 20, kt_lab_all_bytes(100 << 20));
	ASSERT_EQ(100 << 20, kt_lab_all_bytes(100 << 20));
	/* each is counted once, and no longer when it is closed, or could not be opened */
	for (i = 0; i < 3; i++) {
		one = kt_lab_open(device, wanted);
		ASSERT_LE(0, one);
		EXPECT_EQ(-ENOMEM, kt_lab_open(device, wanted));
		EXPECT_EQ(-EINVAL, kt_lab_open(device, (struct ktwin_lab) { .bytes = 1 }));
		EXPECT_EQ(-ENOMEM, kt_lab_open(device, (struct ktwin_lab) {
			.backend = KTWIN_LAB_SBITMAP, .pid_max = 4194304, .bytes = 1 << 20,
		}));
		two = kt_lab_open(device, (struct ktwin_lab) { .bytes = 36 << 20 });
		EXPECT_LE(0, two);
		EXPECT_EQ(-ENOMEM, kt_lab_open(device, (struct ktwin_lab) { .bytes = 1 << 20 }));
		close(two);
		/* less than what is open already: nobody gets more */
		kt_lab_all_bytes(1 << 20);
		EXPECT_EQ(-ENOMEM, kt_lab_open(device, (struct ktwin_lab) { .bytes = 1 << 20 }));
		kt_lab_all_bytes(100 << 20);
		close(one);
	}
	kt_lab_all_bytes(0);
	one = kt_lab_open(device, wanted);
	EXPECT_LE(0, one);
	close(one);
	close(device);
}

/* --- memory pressure --- */

static int drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	int result = fd < 0 || write(fd, "2", 1) != 1 ? -errno : 0;

	close(fd);
	return result;
}

/* What it has ready goes when the system is short; what is in use stays. */
TEST_F(lab, shrunk)
{
	struct ktwin_lab_stats before, after;
	int i;

	for (i = 0; i < 3000; i++)
		ASSERT_LT(0, kt_lab_task(self->lab, 1, self->order, NULL));
	before = kt_lab_stats(self->lab);
	EXPECT_LT(100, before.pid_pool.ready);
	ASSERT_EQ(0, drop_caches());
	after = kt_lab_stats(self->lab);
	EXPECT_LT(before.shrunk, after.shrunk);
	EXPECT_GT(before.bytes, after.bytes);
	EXPECT_EQ(3000, after.pids);
	EXPECT_EQ(before.pids, after.pids);
	EXPECT_LT(0, kt_lab_task(self->lab, 1, self->order, NULL));
}

TEST_HARNESS_MAIN
