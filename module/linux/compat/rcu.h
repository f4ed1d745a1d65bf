/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_COMPAT_RCU_H
#define KTWIN_COMPAT_RCU_H

#include <linux/rcupdate.h>
#include <linux/rcupdate_wait.h>

/*
 * Ends when every task has left the code it was preempted in, an optimised probe's detour included. Kernels without
 * CONFIG_TASKS_RCU do not preempt in the kernel, so an ordinary grace period says the same there.
 */
static inline void kt_synchronize_rcu_tasks(void)
{
#ifdef CONFIG_TASKS_RCU
	synchronize_rcu_tasks();
#else
	synchronize_rcu();
#endif
}

#endif
