/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_COMPAT_SCHED_H
#define KTWIN_COMPAT_SCHED_H

#include <linux/sched.h>
#include <linux/version.h>

/*
 * Whether the task is to run: not one that went to sleep, though from 6.12 on the fair scheduler may leave such a one
 * on its queue for a while.
 */
static inline bool kt_is_runnable(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return READ_ONCE(task->on_rq) && !READ_ONCE(task->se.sched_delayed);
#else
	return READ_ONCE(task->on_rq);
#endif
}

#endif
