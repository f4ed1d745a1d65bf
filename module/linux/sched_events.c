// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the scheduler does, told event by event: the hooks of one who reads it (KTWIN_SWITCHES_EVENTS).
 *
 * Context of the hooks: on the CPU where it happens. Irqs are off, under the lock of a run queue or a task's pi_lock, but
 * for a task that wakes itself while it is on its way to sleep: there they are switched off here, for each CPU's ring has
 * one writer. No lock is taken, nothing is allocated, nobody is woken: what finds no room is counted.
 *
 * Lifetimes. The tasks that a hook is told of are alive as long as it runs, and so are their signal_struct and, with irqs
 * off as good as inside RCU, their struct pid: it is freed by RCU. All that is kept of them are copies: numbers and names.
 * Numbers are told in the PID namespace of who opened the fd, and names by his rights, wherever the fd goes; of both a
 * reference is held until the hooks are off. Run queues are static memory of each possible CPU; of one whose lock is not
 * held, nr_running is a number that may have changed by now.
 */
#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/irqflags.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uidgid.h>

#include "compat/sched.h"
#include "inspect_rq.h"

#define CAPACITY_DEFAULT	16384

/* --- who ---------------------------------------------------------------------------------------------------------- */

/* By ids alone: who has no CAP_SYS_PTRACE knows his own. */
static bool may_know(const struct cred *viewer, const struct task_struct *task)
{
	const struct cred *cred;
	bool may;

	if (!viewer)
		return true;
	rcu_read_lock();
	cred = __task_cred(task);
	may = uid_eq(viewer->euid, cred->uid) && uid_eq(viewer->euid, cred->euid) && uid_eq(viewer->euid, cred->suid);
	rcu_read_unlock();
	return may;
}

static void describe_numbers(const struct ktwin_hooked *hooked, struct ktwin_sched_who *to, struct task_struct *task)
{
	/* Quicker, and a task that was reaped before its last switch still has these. */
	if (hooked->viewer == &init_pid_ns) {
		to->tid = task->pid;
		to->tgid = task->tgid;
	} else {
		to->tid = task_pid_nr_ns(task, hooked->viewer);
		to->tgid = to->tid ? task_tgid_nr_ns(task, hooked->viewer) : 0;
	}
}

static void describe(const struct ktwin_hooked *hooked, struct ktwin_sched_who *to, const struct task_struct *of)
{
	/* What asks for a number takes no const. */
	struct task_struct *task = (struct task_struct *)of;

	*to = (struct ktwin_sched_who){};
	if (kt_is_idle(task)) {
		to->flags = KTWIN_WHO_IDLE;
		return;
	}
	describe_numbers(hooked, to, task);
	if (task->flags & PF_KTHREAD)
		to->flags |= KTWIN_WHO_KERNEL;
	if (!to->tid || !may_know(hooked->cred, task)) {
		to->flags |= KTWIN_WHO_HIDDEN;
		return;
	}
	/* Without task_lock, as in inspect_task.c. */
	memcpy(to->comm, task->comm, sizeof(to->comm));
	to->comm[sizeof(to->comm) - 1] = '\0';
}

/* --- what --------------------------------------------------------------------------------------------------------- */

static u32 depth_of(int cpu)
{
	return ktwin_rq_usable() ? KTWIN_DEPTH_UNKNOWN : READ_ONCE(KTWIN_RQ_READ(u32, ktwin_rq_of(cpu), RQ_NR_RUNNING));
}

static struct ktwin_sched_event event_of(u32 kind, u32 queue_cpu)
{
	return (struct ktwin_sched_event) {
		.kind = kind,
		.cpu = raw_smp_processor_id(),
		.queue_cpu = queue_cpu,
		.depth = KTWIN_DEPTH_UNKNOWN,
	};
}

/* The time is taken here, so that in each ring it does not go back. */
static void tell(const struct ktwin_hooked *hooked, struct ktwin_sched_event *event)
{
	event->time_ns = kt_host_time_ns();
	kt_core_sched_event(hooked->events, event->cpu, event);
}

static u32 letter_of(const struct task_struct *prev, unsigned int prev_state)
{
	if (kt_is_runnable(prev))
		return 'R';
	if (prev_state & TASK_DEAD)
		return 'X';
	return task_index_to_char(__task_state_index(prev_state, prev->exit_state));
}

void ktwin_tell_switch(const struct ktwin_hooked *hooked, bool preempt, const struct task_struct *prev,
		       const struct task_struct *next, unsigned int prev_state)
{
	struct ktwin_sched_event event = event_of(KTWIN_SCHED_EV_SWITCH, raw_smp_processor_id());

	describe(hooked, &event.task, next);
	describe(hooked, &event.other, prev);
	event.depth = depth_of(event.cpu);
	event.state = letter_of(prev, prev_state);
	event.flags = preempt ? KTWIN_SCHED_EV_PREEMPTED : 0;
	tell(hooked, &event);
}

/* The waker's own context, whichever CPU the task will be put on. */
void ktwin_tell_waking(void *data, struct task_struct *task)
{
	const struct ktwin_hooked *hooked = data;
	struct ktwin_sched_event event;
	unsigned long flags;

	local_irq_save(flags);
	event = event_of(KTWIN_SCHED_EV_WAKING, task_cpu(task));
	describe(hooked, &event.task, task);
	describe(hooked, &event.other, current);
	if (in_hardirq() || in_serving_softirq())
		event.flags = KTWIN_SCHED_EV_INTERRUPT;
	tell(hooked, &event);
	local_irq_restore(flags);
}

void ktwin_tell_queued(void *data, struct task_struct *task)
{
	const struct ktwin_hooked *hooked = data;
	struct ktwin_sched_event event;
	unsigned long flags;

	local_irq_save(flags);
	event = event_of(KTWIN_SCHED_EV_QUEUED, task_cpu(task));
	describe(hooked, &event.task, task);
	event.depth = depth_of(event.queue_cpu);
	tell(hooked, &event);
	local_irq_restore(flags);
}

/* Told by wake_up_new_task(), which who forked calls. */
void ktwin_tell_fork(void *data, struct task_struct *task)
{
	const struct ktwin_hooked *hooked = data;
	struct ktwin_sched_event event = event_of(KTWIN_SCHED_EV_FORK, task_cpu(task));

	describe(hooked, &event.task, task);
	describe(hooked, &event.other, current);
	event.depth = depth_of(event.queue_cpu);
	tell(hooked, &event);
}

/* One that was queued has left the old queue by now, whose lock is held. */
void ktwin_tell_migration(void *data, struct task_struct *task, int to_cpu)
{
	const struct ktwin_hooked *hooked = data;
	struct ktwin_sched_event event = event_of(KTWIN_SCHED_EV_MIGRATE, task_cpu(task));

	describe(hooked, &event.task, task);
	event.to_cpu = to_cpu;
	event.depth = depth_of(event.queue_cpu);
	tell(hooked, &event);
}

/* --- for as long as somebody reads --------------------------------------------------------------------------------- */

int ktwin_events_open(struct ktwin_hooked *hooked, u32 capacity)
{
	int err;

	hooked->events = kt_core_sched_events_open(nr_cpu_ids, capacity ? capacity : CAPACITY_DEFAULT, &err);
	if (!hooked->events)
		return err;
	hooked->viewer = get_pid_ns(task_active_pid_ns(current));
	if (!ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE))
		hooked->cred = get_current_cred();
	return 0;
}

void ktwin_events_close(struct ktwin_hooked *hooked)
{
	if (!hooked->events)
		return;
	kt_core_sched_events_close(hooked->events);
	put_pid_ns(hooked->viewer);
	if (hooked->cred)
		put_cred(hooked->cred);
	hooked->events = NULL;
}
