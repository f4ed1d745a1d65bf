// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sleepers: kernel threads on one CPU that sleep on the current queue, and when they are woken, again.
 *
 * An entry is on its thread's stack and off the queue before the thread leaves bench_sleep(); the queues go after the
 * last thread was stopped.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "bench_wait.h"
#include "compat/sched.h"

#define SETTLE_JIFFIES	(60 * HZ)

/*
 * Who changes the current queue wakes the former one afterwards: either that finds the entry, or this finds the change.
 * kthread_stop() likewise.
 */
static void bench_nap(struct bench_sleeper *sleeper, struct bench_queue *queue)
{
	if (READ_ONCE(sleeper->bench->current_queue) != queue || kthread_should_stop())
		return;
	WRITE_ONCE(sleeper->where, queue);
	schedule();
	WRITE_ONCE(sleeper->where, NULL);
}

static void bench_sleep(struct bench_sleeper *sleeper)
{
	struct bench *bench = sleeper->bench;
	struct bench_queue *queue = READ_ONCE(bench->current_queue);
	bool exclusive = bench->request->flags & KTWIN_BENCH_EXCLUSIVE;
	union bench_entry entry;

	if (bench->request->flags & KTWIN_BENCH_STAY) {
		bench_queue_entry_init(queue, &entry, false);
		bench_queue_add(queue, &entry, exclusive);
		bench_queue_set_state(queue, &entry);
		bench_nap(sleeper, queue);
		__set_current_state(TASK_RUNNING);
		bench_queue_remove(queue, &entry);
	} else {
		bench_queue_entry_init(queue, &entry, true);
		bench_queue_prepare(queue, &entry, exclusive);
		bench_nap(sleeper, queue);
		bench_queue_finish(queue, &entry);
	}
}

static int bench_sleeper_run(void *argument)
{
	while (!kthread_should_stop())
		bench_sleep(argument);
	return 0;
}

int bench_sleepers_start(struct bench *bench, int cpu)
{
	struct bench_sleeper *sleeper;
	u32 i;

	bench->sleepers = kvcalloc(max(bench->request->waiters, 1U), sizeof(*bench->sleepers), GFP_KERNEL);
	if (!bench->sleepers)
		return -ENOMEM;
	for (i = 0; i < bench->request->waiters; i++) {
		struct task_struct *task;

		if (signal_pending(current))
			return -EINTR;
		sleeper = &bench->sleepers[i];
		sleeper->bench = bench;
		task = kthread_create(bench_sleeper_run, sleeper, "ktwin_sleeper");
		if (IS_ERR(task))
			return PTR_ERR(task);
		kthread_bind(task, cpu);
		sleeper->task = task;
		wake_up_process(task);
	}
	return 0;
}

void bench_sleepers_stop(struct bench *bench)
{
	u32 i;

	for (i = 0; bench->sleepers && i < bench->request->waiters && bench->sleepers[i].task; i++) {
		kthread_stop(bench->sleepers[i].task);
		cond_resched();
	}
	kvfree(bench->sleepers);
}

/* Off its run queue too: one that only is about to sleep is cheaper to wake. */
static bool is_settled(const struct bench *bench, const struct bench_sleeper *sleeper)
{
	return READ_ONCE(sleeper->where) == bench->current_queue && !READ_ONCE(sleeper->task->on_rq);
}

int bench_sleepers_settle(struct bench *bench)
{
	unsigned long end = jiffies + SETTLE_JIFFIES;
	u32 i = 0;

	while (i < bench->request->waiters) {
		if (is_settled(bench, &bench->sleepers[i])) {
			i++;
			continue;
		}
		if (READ_ONCE(bench->stop))
			return -EINTR;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		schedule_timeout_interruptible(1);
	}
	return 0;
}

u32 bench_sleepers_runnable(const struct bench *bench)
{
	u32 count = 0, i;

	for (i = 0; i < bench->request->waiters; i++)
		count += kt_is_runnable(bench->sleepers[i].task);
	return count;
}
