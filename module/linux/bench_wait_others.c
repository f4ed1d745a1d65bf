// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who only wants to queue while a long wake is under way: a thread on another CPU that adds an entry and removes it,
 * again and again, and notes how long each takes.
 *
 * idle -> running -> noting -> over -> idle. The conductor makes every step but the last. What counts is told afterwards by
 * the clock: what overlaps the wake calls. A CPU of a virtual machine may stand still between any two steps.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/sort.h>

#include "bench_wait.h"

#define SAMPLES		65536
#define WARM_LAPS	64

enum phase { IDLE, RUNNING, NOTING, OVER };

struct sample {
	u64 start;
	u32 took;
};

struct bench_others {
	struct task_struct *task;
	struct completion begin;
	struct completion ended;
	enum phase phase;
	bool leave;
	u32 laps;
	u32 count;
	struct sample samples[SAMPLES];
};

static void note(struct bench_others *others, u64 start, u64 end)
{
	if (others->count < SAMPLES)
		others->samples[others->count++] = (struct sample) {
			.start = start, .took = min_t(u64, end - start, U32_MAX),
		};
}

static void add_and_remove(struct bench *bench)
{
	struct bench_others *others = bench->others;
	struct bench_queue *queue = bench->current_queue;
	bool exclusive = bench->request->flags & KTWIN_BENCH_EXCLUSIVE;
	enum phase after = RUNNING;
	union bench_entry entry;

	bench_queue_entry_init(queue, &entry, false);
	while (after != OVER) {
		u64 start, added, removed;

		start = bench_clock();
		bench_queue_add(queue, &entry, exclusive);
		added = bench_clock();
		bench_queue_remove(queue, &entry);
		removed = bench_clock();
		after = READ_ONCE(others->phase);
		if (after != RUNNING) {
			note(others, start, added);
			note(others, added, removed);
		}
		WRITE_ONCE(others->laps, others->laps + 1);
	}
}

static int others_run(void *argument)
{
	struct bench *bench = argument;
	struct bench_others *others = bench->others;

	for (;;) {
		/* No signal reaches it; this way it does not count as stuck. */
		wait_for_completion_interruptible(&others->begin);
		if (READ_ONCE(others->leave))
			break;
		add_and_remove(bench);
		complete(&others->ended);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

int bench_others_open(struct bench *bench, int cpu)
{
	struct bench_others *others = kvzalloc(sizeof(*others), GFP_KERNEL);
	struct task_struct *task;

	if (!others)
		return -ENOMEM;
	init_completion(&others->begin);
	init_completion(&others->ended);
	bench->others = others;
	task = kthread_create(others_run, bench, "ktwin_others");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	sched_set_fifo(task);
	others->task = task;
	wake_up_process(task);
	return 0;
}

void bench_others_close(struct bench *bench)
{
	struct bench_others *others = bench->others;

	if (others && others->task) {
		WRITE_ONCE(others->leave, true);
		complete(&others->begin);
		kthread_stop(others->task);
	}
	kvfree(others);
	bench->others = NULL;
}

void bench_others_note(struct bench *bench)
{
	/* Seen before the wake-ups that follow are. */
	smp_store_mb(bench->others->phase, NOTING);
}

void bench_others_over(struct bench *bench)
{
	WRITE_ONCE(bench->others->phase, OVER);
}

int bench_others_begin(struct bench *bench)
{
	struct bench_others *others = bench->others;
	unsigned long end = jiffies + HZ;

	others->count = others->laps = 0;
	WRITE_ONCE(others->phase, RUNNING);
	complete(&others->begin);
	while (READ_ONCE(others->laps) < WARM_LAPS) {
		if (time_after(jiffies, end) || READ_ONCE(bench->stop)) {
			bench_others_over(bench);
			wait_for_completion(&others->ended);
			return READ_ONCE(bench->stop) ? -EINTR : -ETIMEDOUT;
		}
		schedule_timeout_interruptible(1);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	u32 a_took = ((const struct sample *)a)->took, b_took = ((const struct sample *)b)->took;

	return a_took < b_took ? -1 : a_took > b_took;
}

/* Keeps those that overlap the time between from and to. */
static void keep_overlapping(struct bench_others *others, u64 from, u64 to)
{
	u32 kept = 0, i;

	for (i = 0; i < others->count; i++) {
		struct sample sample = others->samples[i];

		if (sample.start < to && sample.start + sample.took > from)
			others->samples[kept++] = sample;
	}
	others->count = kept;
}

/*
 * Who comes at any moment waits for the operation that is under way then, so a long one meets many: what 99 of 100 do not
 * exceed is told over time, not over operations. (This thread, which waits too, comes once for a hold of milliseconds and
 * hundreds of times in front of it: counted one by one, the wait would be an exception.) Sorted by how long they took.
 */
static u64 waited_p99(const struct bench_others *others)
{
	u64 total = 0, longer = 0, hundredth;
	u32 i;

	for (i = 0; i < others->count; i++)
		total += others->samples[i].took;
	hundredth = div_u64(total, 100);
	for (i = others->count; i--; ) {
		u32 count = others->count - i;
		u64 next = i ? others->samples[i - 1].took : 0;

		longer += others->samples[i].took;
		/* The moments at which more than next is left, of all: down to a hundredth in this step. */
		if (longer - count * next >= hundredth)
			return div_u64(longer - hundredth, count);
	}
	return 0;
}

u64 bench_others_end(struct bench *bench, u64 from, u64 to, u32 *samples)
{
	struct bench_others *others = bench->others;

	wait_for_completion(&others->ended);
	keep_overlapping(others, from, to);
	*samples += others->count;
	sort(others->samples, others->count, sizeof(others->samples[0]), compare, NULL);
	return waited_p99(others);
}
