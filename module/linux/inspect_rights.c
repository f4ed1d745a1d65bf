// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may look at whom. The kernel's own answer, ptrace_may_access(), is not exported; this asks what it asks, as far as
 * can be asked from outside: ids, dumpability and capability, not the security modules. (The device is root's, and what
 * is shown is names and numbers.)
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm_types.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "inspect_wait.h"

static bool same_user(const struct cred *cred)
{
	return uid_eq(current_euid(), cred->uid) && uid_eq(current_euid(), cred->euid) &&
	       uid_eq(current_euid(), cred->suid);
}

static bool same_group(const struct cred *cred)
{
	return gid_eq(current_egid(), cred->gid) && gid_eq(current_egid(), cred->egid) &&
	       gid_eq(current_egid(), cred->sgid);
}

bool ktwin_may_see(const struct task_struct *task)
{
	const struct cred *cred = __task_cred(task);

	return same_user(cred) || ns_capable_noaudit(cred->user_ns, CAP_SYS_PTRACE);
}

/* Inside RCU. */
static bool may_inspect_thread(const struct task_struct *task)
{
	const struct cred *cred = __task_cred(task);

	/* The same ids are not enough where the task may do what the caller may not: cap_ptrace_access_check(). */
	return (same_user(cred) && same_group(cred) && cred->user_ns == current_user_ns() &&
		cap_issubset(cred->cap_permitted, current_cred()->cap_effective)) ||
	       ns_capable(cred->user_ns, CAP_SYS_PTRACE);
}

/* A process that made itself, or was made, undumpable keeps its own user out, too. */
static bool may_inspect_mm(struct task_struct *task)
{
	bool may = true;

	/*
	 * As ptrace_may_access() does it: the lock keeps task->mm from going. Of one that ends, and has none any more but
	 * its files, nobody knows here whether it was dumpable.
	 */
	task_lock(task);
	if (!task->mm)
		may = capable(CAP_SYS_PTRACE);
	else if (get_dumpable(task->mm) != SUID_DUMP_USER)
		may = ns_capable(task->mm->user_ns, CAP_SYS_PTRACE);
	task_unlock(task);
	return may;
}

int ktwin_may_inspect(struct task_struct *task)
{
	struct task_struct *thread;
	bool may;

	if (same_thread_group(task, current))
		return 0;
	rcu_read_lock();
	may = may_inspect_thread(task);
	/* for_each_thread() spelled out: with lockdep it names tasklist_lock, which is not exported. */
	list_for_each_entry_rcu(thread, &task->signal->thread_head, thread_node)
		may = may && may_inspect_thread(thread);
	rcu_read_unlock();
	return may && may_inspect_mm(task) ? 0 : -EACCES;
}
