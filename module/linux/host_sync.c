// SPDX-License-Identifier: GPL-2.0-only
/*
 * host_api.h: locks, RCU, time; what is taken and left on every path is in host_inline.c.
 *
 * Lock order, outermost first: KT_LOCK_CONTROL > KT_LOCK_AUDIT > KT_LOCK_LAB_WRITERS > (kernel's pidmap_lock) >
 * KT_LOCK_TWIN > KT_LOCK_LOCKSTEP > KT_LOCK_DIVERGENCES > KT_LOCK_TOTALS. The table that is enforced is enum kt_lock_class, with one lockdep class each.
 */
#include <linux/build_bug.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/processor.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "compat/rcu.h"
#include "host_lock.h"
#include "ktwin.h"

static struct lock_class_key lock_keys[KT_LOCK_CLASSES];
static const char * const lock_names[KT_LOCK_CLASSES] = {
	[KT_LOCK_CONTROL] = "ktwin_control",
	[KT_LOCK_AUDIT] = "ktwin_audit",
	[KT_LOCK_LAB_WRITERS] = "ktwin_lab_writers",
	[KT_LOCK_TWIN] = "ktwin_twin",
	[KT_LOCK_LOCKSTEP] = "ktwin_lockstep",
	[KT_LOCK_DIVERGENCES] = "ktwin_divergences",
	[KT_LOCK_TOTALS] = "ktwin_totals",
	[KT_LOCK_LAB] = "ktwin_lab",
	[KT_LOCK_QUEUE] = "ktwin_queue",
	[KT_LOCK_RUN_QUEUES] = "ktwin_run_queues",
};

static bool is_mutex(enum kt_lock_class lock_class)
{
	return lock_class < KT_LOCK_TWIN;
}

static struct mutex *mutex_of(struct kt_host_lock *lock)
{
	return (struct mutex *)lock->opaque;
}

void kt_host_lock_init(struct kt_host_lock *lock, enum kt_lock_class lock_class)
{
	BUILD_BUG_ON(sizeof(struct mutex) > sizeof(lock->opaque));
	if (is_mutex(lock_class)) {
		mutex_init(mutex_of(lock));
		lockdep_set_class_and_name(mutex_of(lock), &lock_keys[lock_class], lock_names[lock_class]);
	} else {
		raw_spin_lock_init(ktwin_raw_lock(lock));
		lockdep_set_class_and_name(ktwin_raw_lock(lock), &lock_keys[lock_class], lock_names[lock_class]);
	}
}

void kt_host_mutex_lock(struct kt_host_lock *lock)
{
	mutex_lock(mutex_of(lock));
}

bool kt_host_mutex_lock_interruptible(struct kt_host_lock *lock)
{
	return !mutex_lock_interruptible(mutex_of(lock));
}

void kt_host_mutex_unlock(struct kt_host_lock *lock)
{
	mutex_unlock(mutex_of(lock));
}

/*
 * One flavour of RCU serves all: readers, preemption off and irqs off. On PREEMPT_RT a spinlock section is a reader
 * too, because rt_spin_lock() enters one.
 */
void kt_host_synchronize(void)
{
	synchronize_rcu();
}

__u64 kt_host_grace_begin(void)
{
	return get_state_synchronize_rcu();
}

bool kt_host_grace_over(__u64 since)
{
	return poll_state_synchronize_rcu(since);
}

void kt_host_synchronize_hooks(void)
{
	synchronize_rcu();
	kt_synchronize_rcu_tasks();
}

__u64 kt_host_time_ns(void)
{
	/* Usable under any lock, timekeeping's own included: a probe may be hit anywhere. */
	return ktime_get_mono_fast_ns();
}

bool kt_host_cpu_online(__u32 cpu)
{
	return cpu_online(cpu);
}

static bool should_stop(void)
{
	return current->flags & PF_KTHREAD ? kthread_should_stop() : signal_pending(current);
}

bool kt_host_breathe(__u64 ns)
{
	if (ns) {
		ktime_t pause = ns_to_ktime(ns);

		set_current_state(TASK_INTERRUPTIBLE);
		if (!should_stop())
			schedule_hrtimeout_range(&pause, 50 * NSEC_PER_USEC, HRTIMER_MODE_REL);
		__set_current_state(TASK_RUNNING);
	} else {
		/* Who works for long without sleeping must not hold up synchronize_rcu_tasks(), ours and others'. */
		cond_resched_tasks_rcu_qs();
	}
	return !should_stop();
}

void kt_host_warn(const char *what, __u64 a, __u64 b)
{
	pr_warn_ratelimited("%s (%llu, %llu)\n", what, a, b);
}
