// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tasks use a struct pid, and as what: the four lists pid->tasks[].
 *
 * Read under RCU, not tasklist_lock (which is not exported): entries are added and taken out with the RCU list
 * primitives, and tasks are freed a grace period after. What a reader may miss: a task that changes its role meanwhile
 * (setsid, setpgid, exec from a thread) can take the walk along to another pid's list. Each entry is therefore asked
 * whose role it is, a stranger ends the walk, and the walk is bounded.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#include "ktwin.h"

#define TASKS_MAX	65536U

static struct pid *role_pid(struct task_struct *task, enum pid_type type)
{
	return type == PIDTYPE_PID ? READ_ONCE(task->thread_pid) : READ_ONCE(task->signal->pids[type]);
}

static u32 task_flags(struct task_struct *task)
{
	const struct pid *pid = READ_ONCE(task->thread_pid);
	u32 flags = 0;

	if (thread_group_leader(task))
		flags |= KTWIN_TASK_LEADER;
	if (!thread_group_empty(task))
		flags |= KTWIN_TASK_THREADS;
	if (task->flags & PF_EXITING)
		flags |= KTWIN_TASK_EXITING;
	if (task->flags & PF_KTHREAD)
		flags |= KTWIN_TASK_KTHREAD;
	/* Compared, not followed. The kernel moves it to another thread when the leader exits first. */
	if (pid && READ_ONCE(pid->numbers[pid->level].ns->child_reaper) == task)
		flags |= KTWIN_TASK_REAPER;
	return flags;
}

static void describe(struct task_struct *task, enum pid_type type, struct pid_namespace *viewer, struct ktwin_role *to)
{
	memset(to, 0, sizeof(*to));
	to->type = type;
	to->flags = task_flags(task);
	to->tid = task_pid_nr_ns(task, viewer);
	to->tgid = task_tgid_nr_ns(task, viewer);
	if (pid_alive(task))
		to->ppid = task_tgid_nr_ns(rcu_dereference(task->real_parent), viewer);
	if (!ktwin_may_see(task)) {
		to->flags |= KTWIN_TASK_HIDDEN;
		return;
	}
	to->state = task_state_to_char(task);
	/* Without task_lock: a name that is being changed may come out mixed, a held lock would hold us up. */
	memcpy(to->comm, task->comm, sizeof(to->comm));
	to->comm[sizeof(to->comm) - 1] = '\0';
}

/* Inside RCU. */
static void walk_role(struct pid *pid, enum pid_type type, struct pid_namespace *viewer, struct ktwin_role *roles,
		      u32 room, u32 *filled, u32 *count)
{
	struct task_struct *task;

	hlist_for_each_entry_rcu(task, &pid->tasks[type], pid_links[type]) {
		if (*count == TASKS_MAX || role_pid(task, type) != pid)
			break;
		if (*filled < room)
			describe(task, type, viewer, &roles[(*filled)++]);
		(*count)++;
	}
}

int ktwin_roles(struct pid *pid, struct pid_namespace *viewer, struct ktwin_role *roles, u32 room, u32 *filled,
		u32 count[KTWIN_ROLES])
{
	int type;

	BUILD_BUG_ON((int)PIDTYPE_PID != KTWIN_ROLE_PID || (int)PIDTYPE_TGID != KTWIN_ROLE_TGID);
	BUILD_BUG_ON((int)PIDTYPE_PGID != KTWIN_ROLE_PGID || (int)PIDTYPE_SID != KTWIN_ROLE_SID);
	BUILD_BUG_ON((int)PIDTYPE_MAX != KTWIN_ROLES);
	*filled = 0;
	for (type = 0; type < PIDTYPE_MAX; type++) {
		count[type] = 0;
		rcu_read_lock();
		walk_role(pid, type, viewer, roles, room, filled, &count[type]);
		rcu_read_unlock();
		cond_resched();
	}
	return 0;
}
