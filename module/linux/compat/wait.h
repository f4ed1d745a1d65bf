/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_COMPAT_WAIT_H
#define KTWIN_COMPAT_WAIT_H

#include <linux/wait.h>

/*
 * Until 6.6 a wake of many let go of the lock after 64 entries and left a mark on the queue, which has no function and
 * is no waiter.
 */
static inline bool kt_is_wait_bookmark(const struct wait_queue_entry *entry)
{
#ifdef WQ_FLAG_BOOKMARK
	return entry->flags & WQ_FLAG_BOOKMARK;
#else
	return false;
#endif
}

#endif
