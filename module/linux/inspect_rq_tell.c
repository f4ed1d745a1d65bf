// SPDX-License-Identifier: GPL-2.0-only
/* A snapshot in the words of the uapi, as far as a reader may know: numbers by its namespace, figures by its rights. */
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/string.h>

#include "inspect_rq.h"

static void copy_comm(char *to, const struct task_struct *task)
{
	/* Without task_lock, as in inspect_task.c. */
	memcpy(to, task->comm, TASK_COMM_LEN);
	to[TASK_COMM_LEN - 1] = '\0';
}

static bool may_see(const struct task_struct *task)
{
	bool may;

	rcu_read_lock();
	may = ktwin_may_see(task);
	rcu_read_unlock();
	return may;
}

/* The idle task has number 0 everywhere. */
static void name_task(struct task_struct *task, struct pid_namespace *viewer, struct ktwin_rq_name *to)
{
	if (!task)
		return;
	to->tid = task_pid_nr_ns(task, viewer);
	to->tgid = task_tgid_nr_ns(task, viewer);
	if ((to->tid || is_idle_task(task)) && may_see(task))
		copy_comm(to->comm, task);
}

/* Tasks that are queued and were not looked at. */
static u32 rest(const struct ktwin_rq_snapshot *snapshot)
{
	const struct ktwin_rq_cpu *cpu = &snapshot->cpu;
	u32 queued = cpu->nr_deadline + cpu->nr_rt + cpu->nr_fair - !!(cpu->flags & KTWIN_RQ_SERVER);
	u32 found = 0, i;

	if (!(cpu->flags & KTWIN_RQ_TRUNCATED))
		return 0;
	for (i = KTWIN_RQ_ROOTS; i < snapshot->count; i++) {
		const struct ktwin_rq_node *node = &snapshot->nodes[i];

		found += node->task && node->class != KTWIN_SCHED_STOP && node->parent != KTWIN_RQ_ROOT_THROTTLED;
	}
	return queued > found ? queued - found : 1;
}

void ktwin_rq_tell_cpu(struct ktwin_rq_snapshot *snapshot, struct pid_namespace *viewer)
{
	struct ktwin_rq_cpu *cpu = &snapshot->cpu;

	if (snapshot->curr == snapshot->idle)
		cpu->flags |= KTWIN_RQ_IDLE;
	cpu->unlisted = rest(snapshot);
	name_task(snapshot->curr, viewer, &cpu->curr);
	name_task(snapshot->idle, viewer, &cpu->idle);
	name_task(snapshot->stop, viewer, &cpu->stop);
}

static void tell_figures(const struct ktwin_rq_node *node, struct ktwin_rq_task *to)
{
	to->policy = node->policy;
	to->prio = node->prio;
	to->static_prio = node->static_prio;
	to->normal_prio = node->normal_prio;
	to->nice = PRIO_TO_NICE(node->static_prio);
	to->vruntime = node->vruntime;
	to->lag = node->lag;
	to->slice_ns = node->slice;
	to->deadline = node->deadline;
	to->run_delay_ns = node->run_delay;
	to->pcount = node->pcount;
	to->last_arrival_ns = node->last_arrival;
	to->queued_ns = node->queued_ns;
	copy_comm(to->comm, node->task);
}

/* false: it has no number in viewer. */
static bool describe(const struct ktwin_rq_snapshot *snapshot, const struct ktwin_rq_node *node,
		     struct pid_namespace *viewer, struct ktwin_rq_task *to)
{
	const struct ktwin_rq_node *group = &snapshot->nodes[node->parent];

	memset(to, 0, sizeof(*to));
	to->tid = task_pid_nr_ns(node->task, viewer);
	if (!to->tid)
		return false;
	to->tgid = task_tgid_nr_ns(node->task, viewer);
	to->cpu = snapshot->cpu.cpu;
	to->sched_class = node->class;
	to->flags = node->flags;
	to->depth = node->depth;
	if (group->parent != KTWIN_RQ_NONE)
		to->group = kt_host_hash_key(ktwin_key(group->queue));
	if (may_see(node->task))
		tell_figures(node, to);
	else
		to->flags |= KTWIN_RQ_TASK_HIDDEN;
	return true;
}

long ktwin_rq_tell_tasks(struct ktwin_rq_snapshot *snapshot, struct pid_namespace *viewer,
			 long (*take)(const struct ktwin_rq_task *task, void *arg), void *arg)
{
	u32 root, place, position = 0;
	struct ktwin_rq_task task;
	long err = 0;

	for (root = 0; root < KTWIN_RQ_ROOTS; root++) {
		/* The throttled ones are counted on behind the others of their class. */
		if (root != KTWIN_RQ_ROOT_THROTTLED)
			position = 0;
		place = ktwin_rq_first(snapshot, root);
		for (; place != KTWIN_RQ_NONE && !err; place = ktwin_rq_next(snapshot, place)) {
			const struct ktwin_rq_node *node = ktwin_rq_at_place(snapshot, place);

			if (!node->task)
				continue;
			if (describe(snapshot, node, viewer, &task)) {
				task.position = position;
				err = take(&task, arg);
			} else {
				snapshot->cpu.elsewhere++;
			}
			position++;
			cond_resched();
		}
	}
	return err;
}
