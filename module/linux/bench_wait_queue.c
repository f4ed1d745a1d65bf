// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two queues under the same names. Each function is one branch and one call, so what differs is the queue; the
 * kernel's is used as its users use it, with its own wake functions.
 */
#include <linux/sched.h>
#include <linux/wait.h>

#include "bench_wait.h"

int bench_queue_init(struct bench_queue *queue, u32 backend)
{
	init_waitqueue_head(&queue->kernel);
	if (backend == KTWIN_BACKEND_KERNEL)
		return 0;
	queue->twin = kt_core_waitq_create();
	return queue->twin ? 0 : -ENOMEM;
}

void bench_queue_destroy(struct bench_queue *queue)
{
	kt_core_waitq_destroy(queue->twin);
	queue->twin = NULL;
}

void bench_queue_entry_init(struct bench_queue *queue, union bench_entry *entry, bool autoremove)
{
	if (queue->twin)
		kt_core_waitq_entry_init(&entry->twin, autoremove);
	else if (autoremove)
		init_wait(&entry->kernel);
	else
		init_waitqueue_entry(&entry->kernel, current);
}

void bench_queue_prepare(struct bench_queue *queue, union bench_entry *entry, bool exclusive)
{
	if (queue->twin)
		kt_core_waitq_prepare(queue->twin, &entry->twin, exclusive ? KT_WAIT_EXCLUSIVE : KT_WAIT_SHARED,
				      KT_TASK_INTERRUPTIBLE);
	else if (exclusive)
		prepare_to_wait_exclusive(&queue->kernel, &entry->kernel, TASK_INTERRUPTIBLE);
	else
		prepare_to_wait(&queue->kernel, &entry->kernel, TASK_INTERRUPTIBLE);
}

void bench_queue_finish(struct bench_queue *queue, union bench_entry *entry)
{
	if (queue->twin)
		kt_core_waitq_finish(queue->twin, &entry->twin);
	else
		finish_wait(&queue->kernel, &entry->kernel);
}

void bench_queue_add(struct bench_queue *queue, union bench_entry *entry, bool exclusive)
{
	if (queue->twin)
		kt_core_waitq_add(queue->twin, &entry->twin, exclusive ? KT_WAIT_EXCLUSIVE : KT_WAIT_SHARED);
	else if (exclusive)
		add_wait_queue_exclusive(&queue->kernel, &entry->kernel);
	else
		add_wait_queue(&queue->kernel, &entry->kernel);
}

void bench_queue_set_state(struct bench_queue *queue, union bench_entry *entry)
{
	if (queue->twin)
		kt_core_waitq_set_current_state(&entry->twin, KT_TASK_INTERRUPTIBLE);
	else
		set_current_state(TASK_INTERRUPTIBLE);
}

void bench_queue_remove(struct bench_queue *queue, union bench_entry *entry)
{
	if (queue->twin)
		kt_core_waitq_remove(queue->twin, &entry->twin);
	else
		remove_wait_queue(&queue->kernel, &entry->kernel);
}

void bench_queue_wake(struct bench_queue *queue, u32 nr)
{
	if (queue->twin)
		kt_core_waitq_wake(queue->twin, nr);
	else
		__wake_up(&queue->kernel, TASK_NORMAL, nr, NULL);
}
