// SPDX-License-Identifier: GPL-2.0-only
/* ioctl: what is queued on the CPUs. */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "inspect_rq.h"

#define CPUS_MAX	8192U
#define TASKS_MAX	1048576U

struct answer {
	struct ktwin_rq *rq;
	struct pid_namespace *viewer;
	struct ktwin_rq_snapshot snapshot;
};

static long give_task(const struct ktwin_rq_task *task, void *arg)
{
	struct answer *answer = arg;
	struct ktwin_rq_cpu *cpu = &answer->snapshot.cpu;
	struct ktwin_rq *rq = answer->rq;
	char __user *to = u64_to_user_ptr(rq->tasks);
	long err;

	if (rq->tasks_filled >= min(rq->tasks_room, TASKS_MAX)) {
		rq->flags |= KTWIN_RQ_MORE;
		cpu->unlisted++;
		return 0;
	}
	err = ktwin_copy_record(to + (size_t)rq->tasks_filled * rq->task_size, rq->task_size, task, sizeof(*task));
	if (!err) {
		rq->tasks_filled++;
		cpu->listed++;
	}
	return err;
}

static long give_cpu(struct answer *answer)
{
	struct ktwin_rq *rq = answer->rq;
	struct ktwin_rq_cpu *cpu = &answer->snapshot.cpu;
	char __user *to = u64_to_user_ptr(rq->cpus);
	long err;

	ktwin_rq_tell_cpu(&answer->snapshot, answer->viewer);
	cpu->first = rq->tasks_filled;
	err = ktwin_rq_tell_tasks(&answer->snapshot, answer->viewer, give_task, answer);
	if (!err)
		err = ktwin_copy_record(to + (size_t)rq->cpus_filled * rq->cpu_size, rq->cpu_size, cpu, sizeof(*cpu));
	if (!err)
		rq->cpus_filled++;
	return err;
}

static long inspect(struct answer *answer, int cpu)
{
	long err;

	if (answer->rq->cpus_filled >= min(answer->rq->cpus_room, CPUS_MAX)) {
		answer->rq->flags |= KTWIN_RQ_MORE_CPUS;
		return 0;
	}
	err = ktwin_rq_take(&answer->snapshot, cpu);
	if (err)
		return err;
	err = give_cpu(answer);
	ktwin_rq_put(&answer->snapshot);
	cond_resched();
	return err ? err : fatal_signal_pending(current) ? -EINTR : 0;
}

static bool is_sane(const struct ktwin_rq *rq)
{
	if (rq->flags || rq->zero || rq->cpu < -1)
		return false;
	if (rq->cpus_room && (rq->cpu_size < offsetofend(struct ktwin_rq_cpu, stop) || rq->cpu_size > PAGE_SIZE))
		return false;
	return !rq->tasks_room ||
	       (rq->task_size >= offsetofend(struct ktwin_rq_task, comm) && rq->task_size <= PAGE_SIZE);
}

long ktwin_ioctl_rq(struct file *device, void *arg)
{
	struct ktwin_rq *rq = arg;
	struct answer answer = { .rq = rq, .viewer = task_active_pid_ns(current) };
	long err = 0;
	int cpu;

	if (!is_sane(rq))
		return -EINVAL;
	if (rq->cpu >= 0 && (rq->cpu >= nr_cpu_ids || !cpu_possible(rq->cpu)))
		return -ESRCH;
	err = ktwin_rq_usable();
	if (err)
		return err;
	rq->cpus_filled = 0;
	rq->tasks_filled = 0;
	if (rq->cpu >= 0) {
		err = inspect(&answer, rq->cpu);
	} else {
		for_each_online_cpu(cpu) {
			err = inspect(&answer, cpu);
			if (err)
				break;
		}
	}
	ktwin_rq_free(&answer.snapshot);
	rq->longest_ns = ktwin_rq_longest();
	return err;
}
