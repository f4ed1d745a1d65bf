// SPDX-License-Identifier: GPL-2.0-only
/*
 * The twin run queues against the kernel's own, by who is queued: a pass over one CPU. What the core compares with is
 * copied and compared under the lock of that CPU's run queue, where no event of it is under way (core/rq_audit.h).
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/deadline.h>
#include <linux/slab.h>

#include "inspect_rq.h"
#include "trace.h"

struct pass {
	struct kt_switches *switches;
	u32 cpu;
	struct kt_rq_real *real;	/* room for KTWIN_RQ_NODES_MAX */
	struct ktwin_rq_snapshot snapshot;
};

/* One pass at a time, grace periods and all. No other lock is held by who takes it. */
static DEFINE_MUTEX(audit_lock);

/* The totals, for as long as they are added to or read. Taken inside audit_lock, or the lock of who lists the open files. */
static DEFINE_MUTEX(totals_lock);

static u32 presence(const struct ktwin_rq_node *node)
{
	if (node->flags & KTWIN_RQ_TASK_DELAYED)
		return KT_RQ_DELAYED;
	return node->flags & KTWIN_RQ_TASK_THROTTLED ? KT_RQ_THROTTLED : KT_RQ_QUEUED;
}

/* Under the lock of the run queue. */
static void look(const struct ktwin_rq_snapshot *snapshot, void *arg)
{
	struct pass *pass = arg;
	u32 count = 0, i;

	for (i = KTWIN_RQ_ROOTS; i < snapshot->count; i++) {
		const struct ktwin_rq_node *node = &snapshot->nodes[i];

		if (node->task)
			pass->real[count++] = (struct kt_rq_real){
				.key = ktwin_key(node->task), .nr = node->task->pid, .presence = presence(node),
			};
	}
	kt_core_rq_look(pass->switches, pass->cpu, pass->real, count,
			!(snapshot->cpu.flags & KTWIN_RQ_TRUNCATED));
}

static int look_once(struct pass *pass)
{
	int err = ktwin_rq_take_with(&pass->snapshot, pass->cpu, look, pass);

	if (!err)
		ktwin_rq_put(&pass->snapshot);
	return err;
}

/*
 * A deadline task without runtime is on no queue, though it is runnable, until its timer puts it back; of neither is there
 * an event. The address is only compared: see name_task() in switches.c.
 */
static bool awaits_runtime(const struct kt_rq_candidate *candidate, u32 cpu)
{
	struct task_struct *task;
	struct pid *pid;
	bool awaits;

	rcu_read_lock();
	pid = find_pid_ns(candidate->nr, &init_pid_ns);
	task = pid ? pid_task(pid, PIDTYPE_PID) : NULL;
	awaits = task && ktwin_key(task) == candidate->key && task_cpu(task) == cpu && READ_ONCE(task->on_rq) &&
		 dl_task(task) && task->dl.dl_throttled;
	rcu_read_unlock();
	return awaits;
}

/* What the kernel means so is no candidate any more. How many are left. */
static u32 explain(const struct pass *pass, u32 standing)
{
	struct kt_rq_candidate candidate;
	u32 i = 0;

	mutex_lock(&totals_lock);
	while (i < standing) {
		kt_core_rq_candidate(pass->switches, i, &candidate);
		if (!candidate.missing && awaits_runtime(&candidate, pass->cpu)) {
			kt_core_rq_explain(pass->switches, pass->cpu, i);
			standing--;
		} else {
			i++;
		}
	}
	mutex_unlock(&totals_lock);
	return standing;
}

static void finish(const struct pass *pass)
{
	struct kt_rq_candidate candidate;
	u32 confirmed, i;

	mutex_lock(&totals_lock);
	confirmed = kt_core_rq_finish(pass->switches, pass->cpu, kt_host_time_ns());
	mutex_unlock(&totals_lock);
	for (i = 0; i < confirmed; i++) {
		kt_core_rq_candidate(pass->switches, i, &candidate);
		trace_ktwin_rq_audit(pass->cpu, candidate.missing ? KTWIN_RQ_MISSING : KTWIN_RQ_SURPLUS, candidate.nr);
	}
}

static int run_pass(struct pass *pass)
{
	u32 standing, looks = 0;
	int err;

	do {
		if (looks)
			synchronize_rcu();
		err = look_once(pass);
		standing = err ? 0 : kt_core_rq_settle(pass->switches);
		if (!looks)
			standing = explain(pass, standing);
	} while (++looks < KT_RQ_LOOKS && standing);
	if (!err)
		finish(pass);
	return err;
}

static int pass_with_room(struct pass *pass)
{
	int err;

	pass->real = kvmalloc_array(KTWIN_RQ_NODES_MAX, sizeof(*pass->real), GFP_KERNEL);
	err = pass->real ? run_pass(pass) : -ENOMEM;
	kvfree(pass->real);
	ktwin_rq_free(&pass->snapshot);
	return err;
}

int ktwin_rq_audit_pass(struct kt_switches *switches, u32 cpu)
{
	struct pass pass = { .switches = switches, .cpu = cpu };
	int err = kt_core_rq_auditable(switches, cpu);

	if (err)
		return err;
	/* A kernel thread is never killed. */
	if (mutex_lock_killable(&audit_lock))
		return -EINTR;
	if (pass_with_room(&pass)) {
		mutex_lock(&totals_lock);
		kt_core_rq_abandon(switches, cpu);
		mutex_unlock(&totals_lock);
	}
	mutex_unlock(&audit_lock);
	return 0;
}

int ktwin_rq_audit(struct kt_switches *switches, u32 cpu, struct ktwin_rq_audit *audit)
{
	int err = kt_core_rq_auditable(switches, cpu);

	if (err || !cpu_possible(cpu))
		return err ? err : -ESRCH;
	mutex_lock(&totals_lock);
	kt_core_rq_audit(switches, cpu, audit);
	mutex_unlock(&totals_lock);
	return 0;
}
