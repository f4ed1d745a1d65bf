// SPDX-License-Identifier: GPL-2.0-only
/*
 * At load: do the structs that inline code of ours reads (struct pid, struct pid_namespace) look as the headers say?
 * The kernel's own compiled functions are asked the same questions. vermagic should have refused a foreign kernel
 * before; a forced load, or a distribution that changed a struct, ends here instead of in somebody's memory.
 */
#include <linux/errno.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/proc_ns.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "../ktwin.h"

static const char *wrong_layout(const struct pid *pid)
{
	const struct pid_namespace *deepest;

	if (!pid || pid->level > MAX_PID_NS_LEVEL)
		return "struct pid.level";
	deepest = pid->numbers[pid->level].ns;
	if (deepest != task_active_pid_ns(current) || pid->numbers[0].ns != &init_pid_ns)
		return "struct pid.numbers[].ns";
	if (pid->numbers[0].nr != pid_nr_ns((struct pid *)pid, &init_pid_ns) ||
	    pid->numbers[pid->level].nr != pid_vnr((struct pid *)pid))
		return "struct pid.numbers[].nr";
	if (deepest->level != pid->level || init_pid_ns.level != 0)
		return "struct pid_namespace.level";
	if (init_pid_ns.ns.inum != PROC_PID_INIT_INO)
		return "struct pid_namespace.ns.inum";
	if (idr_find(&init_pid_ns.idr, pid->numbers[0].nr) != pid)
		return "struct pid_namespace.idr";
	if (!(init_pid_ns.pid_allocated & PIDNS_ADDING))
		return "struct pid_namespace.pid_allocated";
	if (pid_task((struct pid *)pid, PIDTYPE_PID) != current || current->thread_pid != pid)
		return "struct pid.tasks";
	return NULL;
}

int ktwin_layout_check(void)
{
	const char *wrong;
	struct pid *pid;

	BUILD_BUG_ON(MAX_PID_NS_LEVEL + 1 != KTWIN_LEVELS);
	pid = get_task_pid(current, PIDTYPE_PID);
	rcu_read_lock();
	wrong = ktwin_lab_fail("layout") ? "struct pid.level (asked for by lab_fail)" : wrong_layout(pid);
	rcu_read_unlock();
	put_pid(pid);
	if (!wrong)
		return 0;
	pr_err("%s is not where this module expects it: build ktwin against the headers of the running kernel\n",
	       wrong);
	return -ENODEV;
}
