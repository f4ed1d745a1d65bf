/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the wait-queue measurement share. */
#ifndef KTWIN_BENCH_WAIT_H
#define KTWIN_BENCH_WAIT_H

#include <linux/sched/clock.h>
#include <linux/wait.h>

#include "ktwin.h"

#define BENCH_BACKENDS	2	/* enum ktwin_backend */

/* One queue, ktwin's or the kernel's. */
struct bench_queue {
	struct kt_waitq *twin;	/* NULL: it is the kernel's */
	wait_queue_head_t kernel;
};

/* What a sleeper puts on it: autoremove, as DEFINE_WAIT() makes it, or one that stays, as DECLARE_WAITQUEUE(). */
union bench_entry {
	struct kt_waitq_entry twin;
	wait_queue_entry_t kernel;
};

struct bench;

struct bench_sleeper {
	struct bench *bench;
	struct task_struct *task;
	struct bench_queue *where;	/* written by the thread: queued there, and about to sleep */
};

struct bench {
	struct ktwin_bench *request;
	struct bench_queue queues[BENCH_BACKENDS];
	struct bench_queue *current_queue;	/* where the sleepers are to be */
	bool stop;				/* a signal came */
	u64 clock_cost;				/* of one reading */
	struct bench_sleeper *sleepers;
	struct bench_others *others;		/* NULL: not asked for */
	u64 *samples[BENCH_BACKENDS];		/* one a round */
	u32 taken[BENCH_BACKENDS];
};

/* Cheap, and without a device to ask; all readings of one measurement are of one CPU. */
static inline u64 bench_clock(void)
{
	return sched_clock();
}

/* bench_wait_queue.c: each the one call that its name says, on either queue. All may sleep on PREEMPT_RT. */
int bench_queue_init(struct bench_queue *queue, u32 backend);
void bench_queue_destroy(struct bench_queue *queue);
void bench_queue_prepare(struct bench_queue *queue, union bench_entry *entry, bool exclusive);
void bench_queue_finish(struct bench_queue *queue, union bench_entry *entry);
void bench_queue_entry_init(struct bench_queue *queue, union bench_entry *entry, bool autoremove);
void bench_queue_add(struct bench_queue *queue, union bench_entry *entry, bool exclusive);
void bench_queue_set_state(struct bench_queue *queue, union bench_entry *entry);
void bench_queue_remove(struct bench_queue *queue, union bench_entry *entry);
void bench_queue_wake(struct bench_queue *queue, u32 nr);

/* bench_wait_sleepers.c */
/* May sleep. 0 or -errno; what was started is to be stopped in any case. */
int bench_sleepers_start(struct bench *bench, int cpu);
void bench_sleepers_stop(struct bench *bench);
/* All of them asleep on the current queue: 0, -EINTR, -ETIMEDOUT. */
int bench_sleepers_settle(struct bench *bench);
/* How many are on a run queue. */
u32 bench_sleepers_runnable(const struct bench *bench);

/* bench_wait_hold.c. From begin to end on one CPU. */
int bench_hold_open(void);
void bench_hold_close(void);
void bench_hold_begin(const struct bench_queue *queue);
/* False: it was not seen. */
bool bench_hold_end(u64 *longest);

/* bench_wait_others.c: one thread on a CPU of its own, which adds and removes. */
int bench_others_open(struct bench *bench, int cpu);
void bench_others_close(struct bench *bench);
/* It is at it, but does not count yet: 0, -EINTR, -ETIMEDOUT. */
int bench_others_begin(struct bench *bench);
/* From here on it notes what it does, until it is over. */
void bench_others_note(struct bench *bench);
void bench_others_over(struct bench *bench);
/* May sleep. The p99 of the wait at any time between from and to; adds how many operations that time had. */
u64 bench_others_end(struct bench *bench, u64 from, u64 to, u32 *samples);

#endif
