// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the scheduler tells us: probes on its tracepoints, for as long as somebody counts switches (switches.c).
 *
 * The tracepoints are not exported, so they are found by name among those of the kernel; the compiler checks a probe's
 * arguments against the headers. Each who counts has probes of his own: the data pointer is his.
 *
 * Context of all: irqs off, under the lock of a run queue, or under the task's pi_lock; but for a task that wakes itself on
 * its way to sleep. A probe takes no lock but the
 * twin's raw one, allocates nothing and wakes nobody; it reads what the scheduler itself guards by the locks it holds.
 * The tasks it is told of are alive as long as it runs; what is remembered of them is their address, as a name.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/deadline.h>
#include <linux/sched/rt.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/sched.h>

#include "compat/sched.h"
#include "inspect_rq.h"
#include "trace.h"

/* The stopper threads alone are of the stop class, which no header shows; no user can name a kernel thread. */
static bool is_stopper(const struct task_struct *task)
{
	return task->prio == 0 && (task->flags & PF_KTHREAD) && !strncmp(task->comm, "migration/", 10);
}

/* The class it is in now; priority inheritance may have lifted it above its policy. */
static u32 sched_class_of(const struct task_struct *task)
{
	if (kt_is_idle(task))
		return KTWIN_SCHED_IDLE;
	if (dl_prio(task->prio))
		return KTWIN_SCHED_DEADLINE;
	if (rt_prio(task->prio))
		return is_stopper(task) ? KTWIN_SCHED_STOP : KTWIN_SCHED_RT;
	return KTWIN_SCHED_FAIR;
}

static kt_key key_of(const struct task_struct *task)
{
	return kt_is_idle(task) ? 0 : ktwin_key(task);
}

/* --- counting --------------------------------------------------------------------------------------------------- */

static __always_inline u32 how(bool preempt, const struct task_struct *prev, const struct task_struct *next,
			       unsigned int prev_state)
{
	u32 how = (preempt ? KT_SWITCH_PREEMPTED : 0) | (prev_state ? KT_SWITCH_SLEEPS : 0);

	if (prev->mm == next->mm && prev->tgid == next->tgid && !((prev->flags | next->flags) & PF_KTHREAD))
		how |= KT_SWITCH_ONE_PROCESS;
	return how;
}

static __always_inline u32 count(const struct ktwin_hooked *hooked, bool preempt, const struct task_struct *prev,
				 const struct task_struct *next, unsigned int prev_state)
{
	return kt_core_switch(hooked->switches, raw_smp_processor_id(), ktwin_key(prev->mm), ktwin_key(next->mm),
			      ktwin_key(prev->active_mm), how(preempt, prev, next, prev_state));
}

static void count_task(const struct ktwin_hooked *hooked, u32 what, bool preempt, const struct task_struct *prev,
		       unsigned int prev_state)
{
	kt_core_switch_task(hooked->switches, raw_smp_processor_id(), what, key_of(prev), prev->pid,
			    !preempt && (prev_state & TASK_DEAD));
}

/* 0: it has been released. Its struct pid, and the namespace that this holds, outlive a section with irqs off. */
static u32 pid_ns_inode(const struct task_struct *task)
{
	struct pid *pid = READ_ONCE(task->thread_pid);

	return pid ? ns_of_pid(pid)->ns.inum : 0;
}

static void count_wait(const struct ktwin_hooked *hooked, const struct task_struct *next)
{
	int cpu = raw_smp_processor_id();
	u64 since, now;

	if (kt_is_idle(next))
		return;
	/* The scheduler has read its clock once, at the beginning of schedule(), and will do this sum next. */
	since = kt_last_queued(next);
	now = since ? sched_clock_cpu(cpu) : 0;
	kt_core_switch_wait(hooked->switches, cpu, sched_class_of(next), pid_ns_inode(next),
			    now > since ? now - since : 0);
}

/* --- the twin run queues ----------------------------------------------------------------------------------------- */

static void describe_task(struct kt_sched_task *to, const struct task_struct *task)
{
	to->sched_class = sched_class_of(task);
	to->key = key_of(task);
	to->mm = ktwin_key(task->mm);
	to->nr = task->pid;
	to->policy = task->policy;
	to->nice = task_nice(task);
	to->rt_priority = to->sched_class == KTWIN_SCHED_RT ? MAX_RT_PRIO - 1 - task->prio : 0;
	to->deadline = to->sched_class == KTWIN_SCHED_DEADLINE ? task->dl.deadline : 0;
	to->slice_ns = kt_custom_slice(task);
	to->place_kind = KT_PLACE_UNKNOWN;
	to->place = 0;
	to->rr_ticks = task->policy == SCHED_RR ? task->rt.time_slice : 0;
	to->grouped = to->sched_class == KTWIN_SCHED_FAIR && kt_is_grouped(task);
}

static u64 min_vruntime(int cpu)
{
	return KTWIN_RQ_READ(u64, ktwin_rq_field(ktwin_rq_of(cpu), KT_FIELD_RQ_CFS), CFS_RQ_ZERO_VRUNTIME);
}

/* Of a task that has just gone to sleep, or was just woken; under the lock of its run queue. */
static void describe_place(struct kt_sched_task *to, const struct task_struct *task)
{
	if (to->sched_class != KTWIN_SCHED_FAIR || to->grouped)
		return;
	if (kt_keeps_lag()) {
		if (kt_fair_lag(task, &to->place))
			to->place_kind = KT_PLACE_LAG;
	} else if (!ktwin_rq_usable()) {
		to->place = task->se.vruntime - min_vruntime(task_cpu(task));
		to->place_kind = KT_PLACE_OFFSET;
	}
}

/*
 * The twins live by the clock that the scheduler charges tasks by (rq->clock_task), which only its own code may read. Each
 * time it charges one it has just written that clock into it, and tells of it (sched_stat_runtime): at the tick, before
 * anybody joins or leaves the queue, and before each pick. So the twin charges the same task the same time at the same
 * instants. That matters: whether a slice is over is asked at the tick, tasks that share a CPU are one tick apart again
 * and again, and a clock of our own, some microseconds late, would decide such ties by chance.
 *
 * At a switch the clock stands in the task that gets the CPU or, before idle, in the one that leaves it.
 */
static u64 clock_at_switch(const struct task_struct *prev, const struct task_struct *next)
{
	return kt_is_idle(next) ? prev->se.exec_start : next->se.exec_start;
}

/* The task has the CPU; under the lock of its run queue, by whichever CPU. */
static void feed_runtime(void *data, struct task_struct *task, KT_STAT_RUNTIME_REST)
{
	const struct ktwin_hooked *hooked = data;
	struct kt_sched_task event;

	describe_task(&event, task);
	kt_core_rq_ran(hooked->switches, task_cpu(task), &event, task->se.exec_start);
}

static void feed_switch(const struct ktwin_hooked *hooked, const struct task_struct *prev,
			const struct task_struct *next, unsigned int prev_state)
{
	struct kt_sched_switch event;

	describe_task(&event.prev, prev);
	describe_task(&event.next, next);
	/* Not prev_state: who was preempted between setting it and schedule(), or has a signal, stays. */
	event.prev_queued = kt_is_runnable(prev);
	if (!event.prev_queued)
		describe_place(&event.prev, prev);
	event.prev_special = !event.prev_queued && is_special_task_state(prev_state);
	event.prev_dead = !event.prev_queued && (prev_state & TASK_DEAD);
	kt_core_rq_switched(hooked->switches, raw_smp_processor_id(), &event, clock_at_switch(prev, next));
}

/* 0 in the following: the time was told by feed_runtime(), as far as somebody was charged. */

/* task_cpu() does not change under the locks that are held. */
static void feed_wakeup(void *data, struct task_struct *task)
{
	const struct ktwin_hooked *hooked = data;
	struct kt_sched_task event;
	unsigned long flags;

	/* One that wakes itself does so with irqs on: no tick may come between what is read and what is told. */
	local_irq_save(flags);
	describe_task(&event, task);
	/* While it has the CPU the field is of another use (EEVDF). */
	if (!READ_ONCE(task->on_cpu))
		describe_place(&event, task);
	kt_core_rq_woken(hooked->switches, task_cpu(task), &event, 0);
	local_irq_restore(flags);
}

/* Told by wake_up_new_task(), which who forked calls. */
static void feed_wakeup_new(void *data, struct task_struct *task)
{
	const struct ktwin_hooked *hooked = data;
	struct kt_sched_task event;

	describe_task(&event, task);
	kt_core_rq_created(hooked->switches, task_cpu(task), &event, key_of(current), 0);
}

/*
 * It is about to be queued on the other CPU, whose current task will be charged just before, and is not charged here yet:
 * what passes between is missing in the place that a runnable one gets there.
 */
static void feed_migration(void *data, struct task_struct *task, int cpu)
{
	const struct ktwin_hooked *hooked = data;

	kt_core_rq_moved(hooked->switches, key_of(task), cpu, 0);
}

/* --- the switch itself -------------------------------------------------------------------------------------------- */

/*
 * One probe for all that it tells: a second on the same tracepoint would make the kernel walk a list at each switch, and
 * wait for a grace period at each change of it.
 */
static void on_switch(void *data, bool preempt, struct task_struct *prev, struct task_struct *next,
		      unsigned int prev_state)
{
	const struct ktwin_hooked *hooked = data;
	u32 what = count(hooked, preempt, prev, next, prev_state);

	trace_ktwin_switch_class(KT_SWITCH_CLASS(what), KT_SWITCH_LEAVE(what), prev->pid, next->pid);
	if (hooked->flags & KTWIN_SWITCHES_TASKS)
		count_task(hooked, what, preempt, prev, prev_state);
	if (hooked->flags & KTWIN_SWITCHES_WAITS)
		count_wait(hooked, next);
	if (hooked->flags & KTWIN_SWITCHES_TWIN)
		feed_switch(hooked, prev, next, prev_state);
	if (hooked->flags & KTWIN_SWITCHES_EVENTS)
		ktwin_tell_switch(hooked, preempt, prev, next, prev_state);
}

/* For who only counts, and pays for no more than that. */
static void on_switch_counted(void *data, bool preempt, struct task_struct *prev, struct task_struct *next,
			      unsigned int prev_state)
{
	if (trace_ktwin_switch_class_enabled())
		on_switch(data, preempt, prev, next, prev_state);
	else
		count(data, preempt, prev, next, prev_state);
}

/* --- switching them on and off ------------------------------------------------------------------------------------ */

struct hook {
	const char *name;
	void *probe;
	u32 wanted_by;		/* KTWIN_SWITCHES_*; 0: by who wants none of these */
	struct tracepoint *tracepoint;
};

/*
 * In the order in which they are switched on: the twin is complete when a CPU is seen to go idle, so what tells it of
 * that comes last. The events are complete from then on, too.
 */
static struct hook hooks[] = {
	{ "sched_stat_runtime", feed_runtime, KTWIN_SWITCHES_TWIN },
	{ "sched_wakeup", feed_wakeup, KTWIN_SWITCHES_TWIN },
	{ "sched_wakeup_new", feed_wakeup_new, KTWIN_SWITCHES_TWIN },
	{ "sched_migrate_task", feed_migration, KTWIN_SWITCHES_TWIN },
	{ "sched_waking", ktwin_tell_waking, KTWIN_SWITCHES_EVENTS },
	{ "sched_wakeup", ktwin_tell_queued, KTWIN_SWITCHES_EVENTS },
	{ "sched_wakeup_new", ktwin_tell_fork, KTWIN_SWITCHES_EVENTS },
	{ "sched_migrate_task", ktwin_tell_migration, KTWIN_SWITCHES_EVENTS },
	{ "sched_switch", on_switch, ~0U },
	{ "sched_switch", on_switch_counted, 0 },
};

static void __maybe_unused check_types(void)
{
	check_trace_callback_type_sched_stat_runtime(feed_runtime);
	check_trace_callback_type_sched_wakeup(feed_wakeup);
	check_trace_callback_type_sched_wakeup_new(feed_wakeup_new);
	check_trace_callback_type_sched_migrate_task(feed_migration);
	check_trace_callback_type_sched_waking(ktwin_tell_waking);
	check_trace_callback_type_sched_wakeup(ktwin_tell_queued);
	check_trace_callback_type_sched_wakeup_new(ktwin_tell_fork);
	check_trace_callback_type_sched_migrate_task(ktwin_tell_migration);
	check_trace_callback_type_sched_switch(on_switch);
	check_trace_callback_type_sched_switch(on_switch_counted);
}

static void note_tracepoint(struct tracepoint *tracepoint, void *unused)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!strcmp(hooks[i].name, tracepoint->name))
			WRITE_ONCE(hooks[i].tracepoint, tracepoint);
	}
}

/* They are the kernel's own and stay where they are: any number of finders write the same. */
static int find_tracepoints(void)
{
	size_t i;

	for_each_kernel_tracepoint(note_tracepoint, NULL);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!hooks[i].tracepoint) {
			pr_err_ratelimited("no tracepoint %s: switches cannot be counted on this kernel\n",
					   hooks[i].name);
			return -ENODEV;
		}
	}
	return 0;
}

static bool wants(const struct ktwin_hooked *hooked, const struct hook *hook)
{
	return hook->wanted_by ? hooked->flags & hook->wanted_by : !hooked->flags;
}

/* The first count of them. In reverse: sched_switch first. */
static void unregister(struct ktwin_hooked *hooked, size_t count)
{
	while (count--) {
		if (wants(hooked, &hooks[count]))
			tracepoint_probe_unregister(hooks[count].tracepoint, hooks[count].probe, hooked);
	}
	tracepoint_synchronize_unregister();
}

int ktwin_sched_hooks_on(struct ktwin_hooked *hooked)
{
	int err = find_tracepoints();
	size_t i;

	for (i = 0; !err && i < ARRAY_SIZE(hooks); i++) {
		if (!wants(hooked, &hooks[i]))
			continue;
		err = tracepoint_probe_register(hooks[i].tracepoint, hooks[i].probe, hooked);
		if (err)
			unregister(hooked, i);
	}
	return err;
}

void ktwin_sched_hooks_off(struct ktwin_hooked *hooked)
{
	unregister(hooked, ARRAY_SIZE(hooks));
}
