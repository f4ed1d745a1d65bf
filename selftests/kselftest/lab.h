/* SPDX-License-Identifier: GPL-2.0-only */
/* A lab as the tests use it. Results as in device.h: 0 or more, or -errno. */
#ifndef KTWIN_TEST_LAB_H
#define KTWIN_TEST_LAB_H

#include <pthread.h>

#include "world.h"

#define KT_LAB_BACKENDS		7

static const char * const kt_lab_names[KT_LAB_BACKENDS] = {
	"twin", "blocks", "pidmap", "idr", "xarray", "ida", "sbitmap",
};

/* What is not named is left to the lab. */
static inline int kt_lab_open(int device, struct ktwin_lab lab)
{
	lab.size = sizeof(lab);
	return kt_call(device, KTWIN_IOC_LAB, &lab);
}

/* What all labs may hold together; 0 sets the default. What it was before. */
static inline long long kt_lab_all_bytes(unsigned long long bytes)
{
	FILE *file = fopen("/sys/module/ktwin/parameters/lab_bytes", "r+");
	long long before = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%lld", &before) != 1)
		before = -1;
	rewind(file);
	fprintf(file, "%llu\n", bytes);
	return fclose(file) ? -1 : before;
}

/* With room for a block of numbers for each CPU that there can be. */
#define KT_LAB_LIMIT	1048576U

static inline int kt_lab(int device, __u32 backend)
{
	return kt_lab_open(device, (struct ktwin_lab) {
		.backend = backend, .pid_max = 32768, .limit = backend == KTWIN_LAB_BLOCKS ? KT_LAB_LIMIT : 0,
	});
}

/* The number of a new namespace. */
static inline int kt_lab_ns(int lab, __u32 parent, __u32 pid_max)
{
	struct ktwin_lab_create create = { .size = sizeof(create), .parent = parent, .pid_max = pid_max };
	int error = kt_call(lab, KTWIN_IOC_LAB_NS_CREATE, &create);

	return error ? error : (int)create.ns;
}

static inline int kt_lab_pid_max(int lab, __u32 ns, __u32 pid_max)
{
	struct ktwin_lab_pid_max request = {
		.size = sizeof(request), .flags = pid_max ? KTWIN_LAB_PID_MAX_SET : 0, .ns = ns, .pid_max = pid_max,
	};
	int error = kt_call(lab, KTWIN_IOC_LAB_PID_MAX, &request);

	return error ? error : (int)request.pid_max;
}

/* alloc says what is wanted, and what was got. */
static inline int kt_lab_alloc_call(int lab, struct ktwin_lab_alloc *alloc)
{
	alloc->size = sizeof(*alloc);
	return kt_call(lab, KTWIN_IOC_LAB_ALLOC, alloc);
}

/* The number in ns. */
static inline int kt_lab_alloc(int lab, __u32 ns, __u32 how)
{
	struct ktwin_lab_alloc alloc = { .ns = ns, .how = how };
	int error = kt_lab_alloc_call(lab, &alloc);

	return error ? error : alloc.numbers[0];
}

static inline int kt_lab_alloc_at(int lab, __u32 ns, __u32 how, __s32 nr)
{
	struct ktwin_lab_alloc alloc = { .ns = ns, .how = how, .wanted = 1, .numbers = { nr } };
	int error = kt_lab_alloc_call(lab, &alloc);

	return error ? error : alloc.numbers[0];
}

/* A task with a pid of its own; its number in ns is left in *nr. */
static inline int kt_lab_task(int lab, __u32 ns, __u32 how, __s32 *nr)
{
	struct ktwin_lab_alloc alloc = { .flags = KTWIN_LAB_WITH_TASK, .ns = ns, .how = how };
	int error = kt_lab_alloc_call(lab, &alloc);

	if (nr)
		*nr = alloc.numbers[0];
	return error ? error : (int)alloc.task;
}

static inline int kt_lab_free(int lab, __u32 ns, __s32 nr)
{
	struct ktwin_lab_free request = { .size = sizeof(request), .ns = ns, .nr = nr };

	return kt_call(lab, KTWIN_IOC_LAB_FREE, &request);
}

static inline int kt_lab_find(int lab, __u32 ns, __s32 nr, struct ktwin_lab_pid *pid)
{
	struct ktwin_lab_find find = { .size = sizeof(find), .ns = ns, .nr = nr };
	int error = kt_call(lab, KTWIN_IOC_LAB_FIND, &find);

	if (pid)
		*pid = find.pid;
	return error;
}

/* The number found. */
static inline int kt_lab_next(int lab, __u32 ns, __s32 nr, struct ktwin_lab_pid *pid)
{
	struct ktwin_lab_find find = { .size = sizeof(find), .flags = KTWIN_LAB_FIND_NEXT, .ns = ns, .nr = nr };
	int error = kt_call(lab, KTWIN_IOC_LAB_FIND, &find);

	if (pid)
		*pid = find.pid;
	return error ? error : find.nr;
}

/* The task: with ATTACH to 0 the new one. */
static inline int kt_lab_role(int lab, struct ktwin_lab_role role)
{
	int error;

	role.size = sizeof(role);
	error = kt_call(lab, KTWIN_IOC_LAB_ROLE, &role);
	return error ? error : (int)role.task;
}

static inline int kt_lab_attach(int lab, __u32 task, __u32 type, __u32 ns, __s32 nr)
{
	return kt_lab_role(lab, (struct ktwin_lab_role) {
		.op = KTWIN_LAB_ATTACH, .type = type, .task = task, .ns = ns, .nr = nr,
	});
}

static inline int kt_lab_detach(int lab, __u32 task, __u32 type)
{
	return kt_lab_role(lab, (struct ktwin_lab_role) { .op = KTWIN_LAB_DETACH, .type = type, .task = task });
}

static inline int kt_lab_change(int lab, __u32 task, __u32 type, __u32 ns, __s32 nr)
{
	return kt_lab_role(lab, (struct ktwin_lab_role) {
		.op = KTWIN_LAB_CHANGE, .type = type, .task = task, .ns = ns, .nr = nr,
	});
}

static inline int kt_lab_between(int lab, __u32 op, __u32 type, __u32 task, __u32 other)
{
	return kt_lab_role(lab, (struct ktwin_lab_role) { .op = op, .type = type, .task = task, .other = other });
}

/* What ended is left in *kill, or nothing is asked. */
static inline int kt_lab_kill(int lab, __u32 ns, struct ktwin_lab_kill *kill)
{
	struct ktwin_lab_kill request = { .size = sizeof(request), .ns = ns };
	int error = kt_call(lab, KTWIN_IOC_LAB_KILL, &request);

	if (kill)
		*kill = request;
	return error;
}

static inline struct ktwin_lab_stats kt_lab_stats(int lab)
{
	struct ktwin_lab_stats stats = { .size = sizeof(stats) };

	if (kt_call(lab, KTWIN_IOC_LAB_STATS, &stats))
		memset(&stats, 0xff, sizeof(stats));
	return stats;
}

static inline bool kt_lab_has(int lab, __u32 what)
{
	return kt_lab_stats(lab).has & what;
}

/* The order in which all but the blocks hand out; theirs is their own. */
static inline __u32 kt_lab_order(int lab)
{
	__u32 has = kt_lab_stats(lab).has;

	return has & KTWIN_LAB_HAS_CYCLIC ? KTWIN_LAB_CYCLIC :
	       has & KTWIN_LAB_HAS_LOWEST ? KTWIN_LAB_LOWEST : KTWIN_LAB_ANY;
}

static inline long kt_lab_pids(int lab, __u32 ns, struct ktwin_lab_pid **pids)
{
	return kt_read_by(lab, KTWIN_IOC_LAB_PIDS, ns, sizeof(**pids), 512, (void **)pids);
}

static inline long kt_lab_namespaces(int lab, struct ktwin_lab_ns **namespaces)
{
	return kt_read_by(lab, KTWIN_IOC_LAB_NAMESPACES, 0, sizeof(**namespaces), 64, (void **)namespaces);
}

static inline long kt_lab_tasks(int lab, struct ktwin_lab_task **tasks)
{
	return kt_read_by(lab, KTWIN_IOC_LAB_TASKS, 0, sizeof(**tasks), 512, (void **)tasks);
}

static inline long kt_lab_leaves(int lab, __u32 ns, struct ktwin_lab_leaf **leaves)
{
	return kt_read_by(lab, KTWIN_IOC_LAB_LEAVES, ns, sizeof(**leaves), 512, (void **)leaves);
}

/* The record of one namespace: 0, or -ESRCH. */
static inline int kt_lab_ns_record(int lab, __u32 ns, struct ktwin_lab_ns *found)
{
	struct ktwin_lab_ns *all;
	long count = kt_lab_namespaces(lab, &all), i;
	int result = count < 0 ? count : -ESRCH;

	for (i = 0; i < count; i++) {
		if (all[i].ns == ns) {
			*found = all[i];
			result = 0;
		}
	}
	free(all);
	return result;
}

/* Its number in ns, 0: none. */
static inline __s32 kt_lab_nr_in(const struct ktwin_lab_pid *pid, __u32 ns)
{
	__u32 i;

	for (i = 0; i < pid->depth; i++) {
		if (pid->upids[i].ns == ns)
			return pid->upids[i].nr;
	}
	return 0;
}

/*
 * Every way to ask about a quiet lab gives the same answer: each pid is found under each of its numbers, in the order of
 * the numbers, no number twice; leaves, counts and holes are those of the pids; tasks have the roles the pids count.
 */
static inline void kt_expect_lab_sound(struct __test_metadata *_metadata, int lab)
{
	struct ktwin_lab_stats stats = kt_lab_stats(lab);
	struct ktwin_lab_ns *spaces;
	struct ktwin_lab_task *tasks;
	long count = kt_lab_namespaces(lab, &spaces), task_count = kt_lab_tasks(lab, &tasks), i, at;
	__u64 numbers = 0, roles = 0, used = 0, own = 0;
	int type;

	ASSERT_EQ(stats.namespaces, count);
	ASSERT_EQ(stats.tasks, task_count);
	for (i = 0; i < count; i++) {
		struct ktwin_lab_pid *pids;
		struct ktwin_lab_leaf *leaves;
		long found = kt_lab_pids(lab, spaces[i].ns, &pids), leaf_count, bits = 0;
		__s32 before = 0, hole = 0, hole_length = 0;

		ASSERT_EQ(spaces[i].count, found);
		for (at = 0; at < found; at++) {
			struct ktwin_lab_pid *pid = &pids[at], again;
			__s32 nr = kt_lab_nr_in(pid, spaces[i].ns);

			ASSERT_LT(before, nr);
			ASSERT_LT(spaces[i].level, pid->depth);
			if (nr < (__s32)spaces[i].pid_max && nr - before - 1 > hole_length) {
				hole = before + 1;
				hole_length = nr - before - 1;
			}
			before = nr;
			ASSERT_EQ(0, kt_lab_find(lab, spaces[i].ns, nr, &again));
			ASSERT_EQ(0, memcmp(pid, &again, sizeof(again)));
			own += pid->depth == spaces[i].level + 1;
			for (type = 0; spaces[i].level == 0 && type < KTWIN_LAB_TYPES; type++)
				used += pid->tasks[type];
		}
		numbers += found;
		leaf_count = kt_lab_leaves(lab, spaces[i].ns, &leaves);
		for (at = 0; at < leaf_count; at++)
			bits += __builtin_popcountll(leaves[at].used);
		EXPECT_EQ(found, bits);
		if (found && before < (__s32)spaces[i].pid_max) {
			if ((__s32)spaces[i].pid_max - before - 1 > hole_length) {
				hole = before + 1;
				hole_length = spaces[i].pid_max - before - 1;
			}
			EXPECT_EQ(hole, spaces[i].hole_start);
			EXPECT_EQ(hole_length, spaces[i].hole_length);
		}
		free(leaves);
		free(pids);
	}
	for (at = 0; at < task_count; at++) {
		for (type = 0; type < KTWIN_LAB_TYPES; type++) {
			roles += tasks[at].roles[type] != 0;
			if (tasks[at].roles[type])
				EXPECT_EQ(0, kt_lab_find(lab, 1, tasks[at].roles[type], NULL));
		}
	}
	EXPECT_EQ(stats.numbers, numbers);
	EXPECT_EQ(stats.pids, own);
	EXPECT_EQ(roles, used);
	free(spaces);
	free(tasks);
}

/* Nothing is in it any more, and what is held is no more than what is kept ready. */
static inline void kt_expect_lab_empty(struct __test_metadata *_metadata, int lab)
{
	struct ktwin_lab_stats stats = kt_lab_stats(lab);

	EXPECT_EQ(0, stats.pids);
	EXPECT_EQ(0, stats.tasks);
	EXPECT_EQ(0, stats.numbers);
	EXPECT_EQ(0, stats.namespaces);
	EXPECT_EQ(stats.allocs, stats.frees);
	EXPECT_EQ(0, stats.unused);
	EXPECT_EQ(0, stats.held);
}

#endif
