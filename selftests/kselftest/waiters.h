/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions about wait queues, and sleepers placed on them.
 *
 * A sleeper is a process that blocks in one call. All of them, and the one that wakes them, are on one CPU under
 * SCHED_FIFO, sleepers with one priority: those that a wake makes ready then run in the order in which it did, and write
 * that order down.
 */
#ifndef KTWIN_TEST_WAITERS_H
#define KTWIN_TEST_WAITERS_H

#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "world.h"

#define KT_HEADS	64
#define KT_WAITERS	512

struct kt_listed {
	struct ktwin_waiters head;
	struct ktwin_wait_head heads[KT_HEADS];
	struct ktwin_waiter waiters[KT_WAITERS];
};

static inline void kt_ask(struct kt_listed *listed, __s32 pid, __s32 fd)
{
	memset(listed, 0, sizeof(*listed));
	listed->head = (struct ktwin_waiters) {
		.size = sizeof(listed->head), .pid = pid, .fd = fd,
		.heads = (uintptr_t)listed->heads, .head_size = sizeof(listed->heads[0]), .heads_room = KT_HEADS,
		.waiters = (uintptr_t)listed->waiters, .waiter_size = sizeof(listed->waiters[0]),
		.waiters_room = KT_WAITERS,
	};
}

static inline int kt_waiters(int device, __s32 pid, __s32 fd, struct kt_listed *listed)
{
	kt_ask(listed, pid, fd);
	return kt_call(device, KTWIN_IOC_WAITERS, &listed->head);
}

static inline int kt_asleep_on(int device, __s32 tid, struct ktwin_sleep *sleep)
{
	memset(sleep, 0, sizeof(*sleep));
	sleep->size = sizeof(*sleep);
	sleep->tid = tid;
	return kt_call(device, KTWIN_IOC_SLEEP, sleep);
}

/* Until the answer is of this kind, with this state. One that is on a queue may still be on its way to sleep. */
static inline bool kt_wait_told(int device, pid_t tid, __u32 kind, char state, struct ktwin_sleep *sleep)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (kt_asleep_on(device, tid, sleep))
			return false;
		if (sleep->kind == kind && sleep->state == (__u32)state)
			return true;
		kt_sleep_ms(5);
	} while (kt_now_ms() < end);
	return false;
}

/* The index of the first waiter with this tid, or -1. */
static inline int kt_find_waiter(const struct kt_listed *listed, __s32 tid)
{
	__u32 i;

	for (i = 0; i < listed->head.waiters_filled; i++) {
		if (listed->waiters[i].tid == tid)
			return i;
	}
	return -1;
}

/* Until tid sleeps on a queue behind that fd. */
static inline bool kt_wait_listed(int device, __s32 pid, __s32 fd, __s32 tid, struct kt_listed *listed)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	int at;

	do {
		if (kt_waiters(device, pid, fd, listed))
			return false;
		at = kt_find_waiter(listed, tid);
		if (at >= 0 && !(listed->waiters[at].flags & KTWIN_WAITER_AWAKE))
			return true;
		kt_sleep_ms(2);
	} while (kt_now_ms() < end);
	return false;
}

/* Until that many waiters are listed, all of them asleep. */
static inline bool kt_wait_asleep(int device, __s32 pid, __s32 fd, __u32 count, struct kt_listed *listed)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	__u32 i, asleep;

	do {
		if (kt_waiters(device, pid, fd, listed))
			return false;
		for (i = 0, asleep = 0; i < listed->head.waiters_filled; i++)
			asleep += !(listed->waiters[i].flags & KTWIN_WAITER_AWAKE);
		if (asleep == count && listed->head.waiters_filled == count)
			return true;
		kt_sleep_ms(2);
	} while (kt_now_ms() < end);
	return false;
}

/* Shared by the test and its sleepers. */
struct kt_log {
	atomic_int count;
	int order[64];
};

static inline struct kt_log *kt_log_open(void)
{
	return mmap(NULL, sizeof(struct kt_log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static inline void kt_log_add(struct kt_log *log, int value)
{
	log->order[atomic_fetch_add(&log->count, 1)] = value;
}

static inline bool kt_log_wait(struct kt_log *log, int count)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	while (atomic_load(&log->count) < count && kt_now_ms() < end)
		kt_sleep_ms(2);
	return atomic_load(&log->count) >= count;
}

static inline void kt_realtime(int priority)
{
	struct sched_param param = { .sched_priority = priority };
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu) || sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(98);
}

#endif
