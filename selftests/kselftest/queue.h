/* SPDX-License-Identifier: GPL-2.0-only */
/* A laboratory queue as the tests use it, and threads that sleep on one. Results as in device.h: 0 or -errno. */
#ifndef KTWIN_TEST_QUEUE_H
#define KTWIN_TEST_QUEUE_H

#include <pthread.h>

#include "world.h"

static inline int kt_queue(int device, __u32 backend)
{
	struct ktwin_queue queue = { .size = sizeof(queue), .backend = backend };

	return kt_call(device, KTWIN_IOC_QUEUE, &queue);
}

static inline int kt_wait(int queue, struct ktwin_wait *wait)
{
	wait->size = sizeof(*wait);
	return kt_call(queue, KTWIN_IOC_QUEUE_WAIT, wait);
}

/* How many were woken, or -errno. */
static inline int kt_wake_post(int queue, __u32 nr, __u32 post, __u32 flags)
{
	struct ktwin_wake wake = { .size = sizeof(wake), .flags = flags, .nr = nr, .post = post };
	int error = kt_call(queue, KTWIN_IOC_QUEUE_WAKE, &wake);

	return error ? error : (int)wake.woken;
}

static inline int kt_wake(int queue, __u32 nr)
{
	return kt_wake_post(queue, nr, 0, 0);
}

static inline struct ktwin_wait_stats kt_queue_stats(int queue)
{
	struct ktwin_wait_stats stats = { .size = sizeof(stats) };

	if (kt_call(queue, KTWIN_IOC_QUEUE_STATS, &stats))
		memset(&stats, 0xff, sizeof(stats));
	return stats;
}

/* Up to room sleepers in wake order; how many were listed, or -errno. */
static inline int kt_queue_list(int queue, struct ktwin_waiter *to, __u32 room)
{
	struct ktwin_wait_head head;
	struct ktwin_waiters waiters = {
		.size = sizeof(waiters), .head_size = sizeof(head), .waiter_size = sizeof(*to),
		.heads = (uintptr_t)&head, .waiters = (uintptr_t)to, .heads_room = 1, .waiters_room = room,
	};
	int error = kt_call(queue, KTWIN_IOC_WAITERS, &waiters);

	return error ? error : (int)waiters.waiters_filled;
}

/* Until so many are queued. */
static inline bool kt_await_queued(int queue, __u64 count)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	while (kt_queue_stats(queue).waiters != count) {
		if (kt_now_ms() > end)
			return false;
		kt_sleep_ms(2);
	}
	return true;
}

struct kt_sleeper {
	pthread_t thread;
	int queue;
	struct ktwin_wait wait;
	pid_t tid;
	int result;
	bool over;
};

static inline void *kt_sleeper_run(void *argument)
{
	struct kt_sleeper *sleeper = argument;

	__atomic_store_n(&sleeper->tid, kt_root_tid(), __ATOMIC_RELEASE);
	sleeper->result = kt_wait(sleeper->queue, &sleeper->wait);
	__atomic_store_n(&sleeper->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Starts a thread that sleeps with what sleeper->wait says, and does not wait for that. */
static inline int kt_sleeper_start(struct kt_sleeper *sleeper, int queue)
{
	sleeper->queue = queue;
	sleeper->over = false;
	sleeper->tid = 0;
	return -pthread_create(&sleeper->thread, NULL, kt_sleeper_run, sleeper);
}

/* The same, and it is the count-th on the queue when this returns. */
static inline bool kt_sleeper_queue(struct kt_sleeper *sleeper, int queue, __u32 flags, __u64 count)
{
	sleeper->wait.flags = flags;
	return !kt_sleeper_start(sleeper, queue) && kt_await_queued(queue, count);
}

static inline int kt_sleeper_join(struct kt_sleeper *sleeper)
{
	pthread_join(sleeper->thread, NULL);
	return sleeper->result;
}

static inline bool kt_sleeper_is_over(struct kt_sleeper *sleeper)
{
	return __atomic_load_n(&sleeper->over, __ATOMIC_ACQUIRE);
}

#endif
