// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an entry of a wait queue is, by its wake function, and which task is behind it.
 *
 * Why following the pointers is safe: entries are put on and taken off a queue under its lock, and a waker that holds
 * that lock calls the entry's function, which follows the same pointers without any further care. So what the
 * function of an entry would touch is alive for whoever holds the lock. Of a function that is not in the table nothing
 * is known, and nothing of its entry is followed.
 */
#include <linux/poll.h>
#include <linux/wait.h>

#include "inspect_wait.h"

/* default_wake_function() wakes private, and so do those built on it. */
static struct task_struct *private_task(const struct wait_queue_entry *entry)
{
	return entry->private;
}

/* fs/select.c: private is the poll_wqueues on the stack of the task that polls. */
static struct task_struct *polling_task(const struct wait_queue_entry *entry)
{
	const struct poll_wqueues *wqueues = entry->private;

	return wqueues->polling_task;
}

static const struct {
	enum ktwin_function function;
	u32 kind;
	struct task_struct *(*task)(const struct wait_queue_entry *entry);
} known[] = {
	{ KTWIN_FN_POLLWAKE, KTWIN_KIND_POLL, polling_task },
	{ KTWIN_FN_EP_POLL_CALLBACK, KTWIN_KIND_EPOLL, NULL },
	{ KTWIN_FN_EP_AUTOREMOVE, KTWIN_KIND_EPOLL_WAIT, private_task },
	{ KTWIN_FN_CHILD_WAIT, KTWIN_KIND_CHILD, private_task },
	{ KTWIN_FN_RECEIVER_WAKE, KTWIN_KIND_BLOCKED, private_task },
	{ KTWIN_FN_UNIX_PEER_RELAY, KTWIN_KIND_KERNEL, NULL },
	{ KTWIN_FN_IO_POLL_WAKE, KTWIN_KIND_KERNEL, NULL },
	{ KTWIN_FN_AIO_POLL_WAKE, KTWIN_KIND_KERNEL, NULL },
};

static bool is_exported_wake(wait_queue_func_t func)
{
	return func == default_wake_function || func == autoremove_wake_function || func == woken_wake_function;
}

struct ktwin_behind ktwin_entry_behind(const struct wait_queue_entry *entry)
{
	wait_queue_func_t func = entry->func;
	struct ktwin_behind wake = { .kind = KTWIN_KIND_UNKNOWN };
	size_t i;

	if (ktwin_is_watch(entry)) {
		wake.kind = KTWIN_KIND_KERNEL;
		return wake;
	}
	if (is_exported_wake(func)) {
		wake.kind = KTWIN_KIND_BLOCKED;
		wake.task = private_task(entry);
		return wake;
	}
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!ktwin_is_function(known[i].function, func))
			continue;
		wake.kind = known[i].kind;
		if (known[i].task)
			wake.task = known[i].task(entry);
		break;
	}
	return wake;
}
