// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the run queues are. The kernel's BTF says where in the per-CPU section `runqueues` lies, and where kstat does;
 * kstat is exported, so the one is found from the other. Offsets are looked up once, at load: not under a lock.
 */
#include <linux/cpumask.h>
#include <linux/kernel_stat.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "inspect_rq.h"

int ktwin_rq_at[KT_FIELDS] __ro_after_init;
u32 ktwin_rq_size __ro_after_init;
static bool usable __ro_after_init;

void *ktwin_rq_of(int cpu)
{
	char *kernel_stat = (char *)per_cpu_ptr(&kstat, cpu);

	return kernel_stat - ktwin_rq_at[KT_FIELD_PERCPU_KSTAT] + ktwin_rq_at[KT_FIELD_PERCPU_RUNQUEUES];
}

int ktwin_rq_usable(void)
{
	return usable ? 0 : -ENODATA;
}

/* Its own number, and an idle task that is one. Nothing is believed yet, so nothing is followed that could fault. */
static bool __init looks_right(int cpu)
{
	const void *rq = ktwin_rq_of(cpu);
	struct task_struct *idle;
	unsigned int flags;
	pid_t pid;
	int number;

	if (get_kernel_nofault(number, (int *)ktwin_rq_field(rq, KT_FIELD_RQ_CPU)) || number != cpu)
		return false;
	if (get_kernel_nofault(idle, (struct task_struct **)ktwin_rq_field(rq, KT_FIELD_RQ_IDLE)) || !idle)
		return false;
	if (get_kernel_nofault(pid, &idle->pid) || get_kernel_nofault(flags, &idle->flags))
		return false;
	return !pid && (flags & PF_KTHREAD);
}

void __init ktwin_rq_learn(void)
{
	struct kt_layout_entry entry;
	int cpu, i;

	if (kt_core_layout_missing(KT_GROUP_RUN_QUEUE))
		return;
	if (kt_core_layout_entry(KT_FIELD_PERCPU_RUNQUEUES, &entry))
		ktwin_rq_size = entry.size;
	for (i = 0; i < KT_FIELDS; i++)
		ktwin_rq_at[i] = kt_core_layout(i);
	for_each_possible_cpu(cpu) {
		/* A CPU that never was online may not have an idle task. */
		if (!cpu_online(cpu) || looks_right(cpu))
			continue;
		pr_info("CPU %d has no run queue where the BTF says: run queues will be shown as unknown\n", cpu);
		return;
	}
	usable = true;
}
