// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one task sleeps on, found from outside. In this order: its children (the queue of its own process), the open
 * files of its process (is it among the waiters of their queues?), its kernel stack.
 *
 * The task may be woken at any time. The answer is given only when it slept from the first question to the last;
 * otherwise it is asked again, and one that does not sleep long enough to be asked is awake.
 */
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "inspect_wait.h"

#define TRIES	3
#define BATCH	16

static bool waits_for_child(const struct task_struct *task)
{
	/* task->signal lives as long as the task's struct. */
	struct wait_queue_head *head = &task->signal->wait_chldexit;
	struct ktwin_wait_queue queue = { .head = head, .lock = &head->lock };

	return ktwin_queue_has(&queue, task);
}

static void check_file(struct task_struct *task, const struct ktwin_open_file *open, struct ktwin_sleep *sleep)
{
	struct ktwin_file_queues queues;
	bool found = false;
	u32 i;

	if (ktwin_file_queues(open->file, task, &queues))
		return;
	for (i = 0; i < queues.count && !found; i++)
		found = ktwin_queue_has(&queues.queues[i], task);
	if (!found)
		return;
	if (sleep->fds_filled == ARRAY_SIZE(sleep->fds)) {
		sleep->flags |= KTWIN_SLEEP_MORE_FDS;
		return;
	}
	if (!sleep->fds_filled)
		strscpy(sleep->file, queues.name, sizeof(sleep->file));
	sleep->fds[sleep->fds_filled++] = open->fd;
}

static int check_files(struct task_struct *task, struct ktwin_sleep *sleep)
{
	struct ktwin_open_file files[BATCH];
	u32 fd = 0, count, i;

	do {
		count = ktwin_files_get(task, fd, files, BATCH);
		/* A queue can be long: a signal need not wait for the whole batch. */
		for (i = 0; i < count; i++) {
			if (!signal_pending(current))
				check_file(task, &files[i], sleep);
			fput(files[i].file);
			fd = files[i].fd + 1;
			cond_resched();
		}
		if (signal_pending(current))
			return -EINTR;
	} while (count == BATCH && !(sleep->flags & KTWIN_SLEEP_MORE_FDS));
	return 0;
}

static void forget(struct ktwin_sleep *sleep)
{
	sleep->flags = 0;
	sleep->kind = KTWIN_SLEEP_AWAKE;
	sleep->asleep_ns = 0;
	sleep->fds_filled = 0;
	memset(sleep->fds, 0, sizeof(sleep->fds));
	memset(sleep->file, 0, sizeof(sleep->file));
	memset(sleep->where, 0, sizeof(sleep->where));
}

/* One attempt, while the task may wake up at any moment. */
static int look(struct task_struct *task, struct ktwin_sleep *sleep)
{
	struct ktwin_place place;
	int err = 0;

	sleep->asleep_ns = ktwin_asleep_ns(task);
	if (!ktwin_place_of(task, &place))
		return 0;
	strscpy(sleep->where, place.where, sizeof(sleep->where));
	sleep->kind = place.kind;
	if (waits_for_child(task))
		sleep->kind = KTWIN_SLEEP_CHILD;
	else if (place.kind == KTWIN_SLEEP_OTHER)
		err = check_files(task, sleep);
	if (sleep->fds_filled)
		sleep->kind = KTWIN_SLEEP_FD;
	return err;
}

int ktwin_sleep_of(struct task_struct *task, struct ktwin_sleep *sleep)
{
	int try, err;

	for (try = 0; try < TRIES; try++) {
		unsigned long switches = ktwin_switches(task);

		forget(sleep);
		/* The switches were those before the sleep that is seen next. */
		smp_rmb();
		if (!ktwin_is_asleep(task))
			break;
		err = look(task, sleep);
		if (err)
			return err;
		/* All of the above was read before the task is looked at again. */
		smp_rmb();
		if (ktwin_is_asleep(task) && ktwin_switches(task) == switches)
			goto out;
		forget(sleep);
	}
	/* A zombie does not run and will not: it is told by its state. */
	if (READ_ONCE(task->exit_state))
		sleep->kind = KTWIN_SLEEP_OTHER;
out:
	sleep->state = task_state_to_char(task);
	return 0;
}
