// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own PID namespaces, as the audit asks for them.
 *
 * Nothing is followed on the twin's word. What keeps a namespace alive while we look into it is a struct pid that the
 * kernel's initial idr holds at this moment: read under RCU, it cannot be freed before the section ends, and it holds
 * a reference on its namespace. The twin names such a pid (the anchor); whether it is one is decided here. A twin that
 * went stale is so never a reason to touch freed memory.
 */
#include <linux/cache.h>
#include <linux/idr.h>
#include <linux/init.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/random.h>

#include "inspect_pidns.h"
#include "ktwin.h"

#define PID_ALLOCATED_MASK	(PIDNS_ADDING - 1)

kt_key ktwin_viewer(void)
{
	return ktwin_key(task_active_pid_ns(current));
}

struct pid_namespace *ktwin_anchored_ns(const struct kt_ns_anchor *anchor)
{
	const struct pid *pid;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a namespace is only safe inside RCU");
	if (anchor->ns == ktwin_key(&init_pid_ns))
		return &init_pid_ns;
	pid = find_pid_ns(anchor->root_nr, &init_pid_ns);
	if (!pid || pid->level < anchor->level || ktwin_key(pid->numbers[anchor->level].ns) != anchor->ns)
		return NULL;
	return pid->numbers[anchor->level].ns;
}

bool kt_host_pid_ge(int nr, struct kt_pid *to)
{
	const struct pid *pid = find_ge_pid(nr, &init_pid_ns);

	if (!pid)
		return false;
	ktwin_describe_pid(pid, to);
	return true;
}

kt_key kt_host_pid_at(int nr)
{
	return ktwin_key(find_pid_ns(nr, &init_pid_ns));
}

kt_key kt_host_pid_in_ns(const struct kt_pid *pid, __u32 level)
{
	struct pid_namespace *ns = (struct pid_namespace *)(unsigned long)pid->numbers[level].ns;

	return ktwin_key(find_pid_ns(pid->numbers[level].nr, ns));
}

int kt_host_ns_ge(const struct kt_ns_anchor *anchor, int nr, int *found_nr, kt_key *found_key, int *found_root_nr)
{
	struct pid_namespace *ns = ktwin_anchored_ns(anchor);
	const struct pid *pid;

	if (!ns)
		return -1;
	pid = find_ge_pid(nr, ns);
	if (!pid)
		return 0;
	*found_nr = pid->numbers[ns->level].nr;
	*found_key = ktwin_key(pid);
	*found_root_nr = pid->numbers[0].nr;
	return 1;
}

bool kt_host_ns_at(const struct kt_ns_anchor *anchor, int nr, kt_key *key)
{
	struct pid_namespace *ns = ktwin_anchored_ns(anchor);

	if (!ns)
		return false;
	*key = ktwin_key(find_pid_ns(nr, ns));
	return true;
}

bool kt_host_ns_view(const struct kt_ns_anchor *anchor, struct kt_ns_view *view)
{
	struct pid_namespace *ns = ktwin_anchored_ns(anchor);
	unsigned int allocated;

	if (!ns)
		return false;
	allocated = READ_ONCE(ns->pid_allocated);
	view->allocated = allocated & PID_ALLOCATED_MASK;
	view->dying = !(allocated & PIDNS_ADDING);
	view->cursor = idr_get_cursor(&ns->idr);
	view->pid_max = ktwin_pid_max(ns);
	return true;
}

kt_key kt_host_init_ns(void)
{
	return ktwin_key(&init_pid_ns);
}

__u32 kt_host_init_ns_inode(void)
{
	return init_pid_ns.ns.inum;
}

static siphash_key_t hash_secret __ro_after_init;

/* At load, not at first use: that may be under a raw lock, and get_random_once() takes one that sleeps on RT. */
void __init ktwin_hash_init(void)
{
	get_random_bytes(&hash_secret, sizeof(hash_secret));
}

__u64 kt_host_hash_key(kt_key key)
{
	return key ? siphash_1u64(key, &hash_secret) | 1 : 0;
}
