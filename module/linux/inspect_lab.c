// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sleeps on a laboratory queue, told as for the kernel's own queues.
 *
 * A sleeper's task is alive while it is on the queue: it sleeps in a call of its own. The core lists under the queue's
 * lock; between that and the reference taken here a task may leave and end, but not be freed, since all of it is one
 * RCU section.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "inspect_wait.h"

static void take(const struct kt_waiter *view, u32 position, bool *stops, struct ktwin_sleeper *to)
{
	struct task_struct *task = (struct task_struct *)(unsigned long)view->task;
	bool asleep = ktwin_would_wake(task, TASK_NORMAL);
	u64 now = ktime_get_mono_fast_ns();

	*to = (struct ktwin_sleeper){
		.task = get_task_struct(task),
		.state = task_state_to_char(task),
		.asleep_ns = now > view->since_ns ? now - view->since_ns : 0,
		.position = position,
		.kind = KTWIN_KIND_LAB,
		.flags = view->flags | KTWIN_WAITER_TASK,
	};
	if (!asleep)
		to->flags |= KTWIN_WAITER_AWAKE;
	else if (!*stops)
		to->flags |= KTWIN_WAITER_NEXT;
	*stops |= asleep && (view->flags & KTWIN_WAITER_EXCLUSIVE);
}

int ktwin_lab_gather(struct kt_queue *queue, struct ktwin_gathered *gathered, u32 *total)
{
	u32 room = max(gathered->sleepers_room, 1U);
	struct kt_waiter *views = kvcalloc(room, sizeof(*views), GFP_KERNEL);
	bool stops = false;

	gathered->sleepers = kvcalloc(room, sizeof(*gathered->sleepers), GFP_KERNEL);
	if (!views || !gathered->sleepers) {
		kvfree(views);
		return -ENOMEM;
	}
	rcu_read_lock();
	*total = kt_core_queue_list(queue, views, gathered->sleepers_room);
	for (; gathered->count < min(*total, gathered->sleepers_room); gathered->count++)
		take(&views[gathered->count], gathered->count, &stops, &gathered->sleepers[gathered->count]);
	rcu_read_unlock();
	kvfree(views);
	return 0;
}

static void describe_head(struct kt_queue *queue, struct ktwin_gathered *gathered, u32 total)
{
	bool truncated = total > gathered->count;

	if (truncated)
		gathered->flags |= KTWIN_WAITERS_MORE;
	if (!gathered->heads_room) {
		gathered->flags |= KTWIN_WAITERS_MORE_HEADS;
		return;
	}
	gathered->heads_count = 1;
	gathered->heads[0] = (struct ktwin_wait_head){
		.hash = kt_host_hash_key(ktwin_key(queue)),
		.fd = gathered->fd,
		.flags = truncated ? KTWIN_HEAD_TRUNCATED : 0,
		.waiters = total,
	};
}

long ktwin_queue_waiters(struct kt_queue *queue, struct ktwin_waiters *waiters, int fd)
{
	struct ktwin_gathered gathered = {
		.heads_room = min(waiters->heads_room, 1U),
		.sleepers_room = min(waiters->waiters_room, KTWIN_WAITERS_MAX),
		.fd = fd,
	};
	long err = -ENOMEM;
	u32 total;

	gathered.heads = kvcalloc(1, sizeof(*gathered.heads), GFP_KERNEL);
	if (gathered.heads)
		err = ktwin_lab_gather(queue, &gathered, &total);
	if (!err) {
		describe_head(queue, &gathered, total);
		strscpy(waiters->file, "ktwin-queue", sizeof(waiters->file));
		err = ktwin_waiters_answer(waiters, &gathered);
	}
	ktwin_gathered_free(&gathered);
	return err;
}
