/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_COMPAT_SCHED_H
#define KTWIN_COMPAT_SCHED_H

#include <linux/sched.h>
#include <linux/version.h>

/* A CPU's own idle task; not a thread that injects idleness, which has PF_IDLE too. */
static inline bool kt_is_idle(const struct task_struct *task)
{
	return !task->pid;
}

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

/* The slice that sched_setattr() asked for, which the fair scheduler knows of from 6.12 on; 0: the usual one. */
static inline u64 kt_custom_slice(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return task->se.custom_slice ? task->se.slice : 0;
#else
	return 0;
#endif
}

/* What the fair class keeps of a task that sleeps: the lag, or, before EEVDF, where it was. */
static inline bool kt_keeps_lag(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0);
}

/* If kt_keeps_lag(). False: it is still in the tree (sched_delayed), and will be measured later. */
static inline bool kt_fair_lag(const struct task_struct *task, s64 *lag)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	*lag = task->se.vlag;
	return !READ_ONCE(task->se.sched_delayed);
#else
	return false;
#endif
}

/* Whether it stands in a task group below the root: a cgroup's, or a session's (autogroup). */
static inline bool kt_is_grouped(const struct task_struct *task)
{
#ifdef CONFIG_FAIR_GROUP_SCHED
	return READ_ONCE(task->se.parent);
#else
	return false;
#endif
}

/* The arguments of sched_stat_runtime behind the task, which changed in 6.8. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define KT_STAT_RUNTIME_REST	u64 runtime
#else
#define KT_STAT_RUNTIME_REST	u64 runtime, u64 vruntime
#endif

/*
 * When it was put on the run queue where it waits, by the scheduler's clock; 0: it does not wait, or this kernel keeps
 * no such time (CONFIG_SCHED_INFO). Under the lock of that run queue.
 */
static inline u64 kt_last_queued(const struct task_struct *task)
{
#ifdef CONFIG_SCHED_INFO
	return task->sched_info.last_queued;
#else
	return 0;
#endif
}

#endif
