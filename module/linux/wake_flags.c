// SPDX-License-Identifier: GPL-2.0-only
/* WF_SYNC has had three values, in a header that modules do not see; a wake-up of our own tells which it is. */
#include <linux/sched.h>
#include <linux/wait.h>

#include "wake_flags.h"

static int sync_flags;

static int learn(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	sync_flags = flags;
	return 0;
}

void ktwin_wake_flags_learn(void)
{
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(head);
	wait_queue_entry_t entry = { .func = learn };

	add_wait_queue(&head, &entry);
	__wake_up_sync_key(&head, TASK_NORMAL, NULL);
	remove_wait_queue(&head, &entry);
}

int ktwin_wake_sync_flags(void)
{
	return sync_flags;
}
