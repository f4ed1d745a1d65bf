// SPDX-License-Identifier: GPL-2.0-only
/* host_api.h: two threads at once, on a CPU each. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "ktwin.h"

struct pair {
	void (*work)(void *arg, __u32 which);
	void *arg;
	struct completion done;
};

struct half {
	struct pair *pair;
	struct task_struct *task;
	u32 which;
};

/* Stays until it is told to stop: then it is known to have left the module's code. */
static int run_half(void *argument)
{
	struct half *half = argument;

	half->pair->work(half->pair->arg, half->which);
	complete(&half->pair->done);
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Neither runs before both are there. */
static int create_both(struct half halves[2], struct pair *pair)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);
	int i;

	for (i = 0; i < 2; i++) {
		struct task_struct *task;

		if (cpu >= nr_cpu_ids)
			return -ENODEV;
		task = kthread_create(run_half, &halves[i], "ktwin_pair");
		if (IS_ERR(task))
			return PTR_ERR(task);
		kthread_bind(task, cpu);
		halves[i] = (struct half){ .pair = pair, .task = task, .which = i };
		cpu = cpumask_next(cpu, cpu_online_mask);
	}
	return 0;
}

int kt_host_run_pair(void (*work)(void *arg, __u32 which), void *arg)
{
	struct pair pair = { .work = work, .arg = arg };
	struct half halves[2] = {};
	int error, i;

	init_completion(&pair.done);
	error = create_both(halves, &pair);
	if (!error) {
		for (i = 0; i < 2; i++)
			wake_up_process(halves[i].task);
		/* Not for long: the caller's work has an end of its own. */
		for (i = 0; i < 2; i++)
			wait_for_completion(&pair.done);
	}
	for (i = 0; i < 2; i++) {
		if (halves[i].task)
			kthread_stop(halves[i].task);
	}
	return error;
}
