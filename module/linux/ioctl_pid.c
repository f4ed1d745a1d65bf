// SPDX-License-Identifier: GPL-2.0-only
/* ioctls: namespaces, pids and divergences; one pid explained. */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ktwin.h"

#define ROLES_MAX	4096U

static int read_namespaces(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	return kt_core_read_namespaces(ktwin_viewer(), ns, cursor, to, room, more);
}

static int read_pids(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	return kt_core_read_pids(ktwin_viewer(), ns, cursor, to, room, more);
}

static int read_divergences(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	return ns ? -EINVAL : kt_core_read_divergences(ktwin_viewer(), cursor, to, room, more);
}

static u64 epoch(void *object)
{
	return kt_core_epoch();
}

static const struct ktwin_reader namespace_reader = {
	sizeof(struct ktwin_ns), offsetofend(struct ktwin_ns, zero), read_namespaces, epoch
};
static const struct ktwin_reader pid_reader = {
	sizeof(struct ktwin_pid), offsetofend(struct ktwin_pid, upids), read_pids, epoch
};
static const struct ktwin_reader divergence_reader = {
	sizeof(struct ktwin_divergence), offsetofend(struct ktwin_divergence, zero), read_divergences, epoch
};

long ktwin_ioctl_namespaces(struct file *file, void *arg)
{
	ktwin_pid_max_refresh();
	return ktwin_bulk_read(arg, &namespace_reader, NULL);
}

long ktwin_ioctl_pids(struct file *file, void *arg)
{
	return ktwin_bulk_read(arg, &pid_reader, NULL);
}

long ktwin_ioctl_divergences(struct file *file, void *arg)
{
	return ktwin_bulk_read(arg, &divergence_reader, NULL);
}

/* The kernel's struct pid behind what the caller named, with a reference, or NULL. */
static struct pid *kernel_pid(const struct kt_resolved *resolved, int nr)
{
	struct pid_namespace *ns = NULL;
	struct pid *pid = NULL;
	u32 i;

	rcu_read_lock();
	if (resolved->ns == ktwin_viewer())
		ns = task_active_pid_ns(current);
	for (i = 0; !ns && i < resolved->anchor_count; i++)
		ns = ktwin_anchored_ns(&resolved->anchors[i]);
	if (ns)
		/* In the idr under RCU: its count cannot reach 0 before this section ends. */
		pid = get_pid(find_pid_ns(nr, ns));
	rcu_read_unlock();
	return pid;
}

struct pid *ktwin_find_pid(u32 ns, int nr)
{
	struct kt_resolved *resolved;
	struct pid *pid;
	int err;

	if (!ns || ns == task_active_pid_ns(current)->ns.inum) {
		/* The twin need not be asked, so it may be off. */
		pid = find_get_pid(nr);
		return pid ? pid : ERR_PTR(-ESRCH);
	}
	resolved = kzalloc(sizeof(*resolved), GFP_KERNEL);
	if (!resolved)
		return ERR_PTR(-ENOMEM);
	err = kt_core_resolve(ktwin_viewer(), ns, nr, resolved);
	pid = err ? ERR_PTR(err) : kernel_pid(resolved, nr);
	kfree(resolved);
	return pid ? pid : ERR_PTR(-ESRCH);
}

static long explain_roles(struct ktwin_explain *explain, struct pid *pid)
{
	u32 room = explain->roles ? min(explain->roles_room, ROLES_MAX) : 0;
	char __user *to = u64_to_user_ptr(explain->roles);
	struct ktwin_role *roles = NULL;
	long err;
	u32 i;

	if (room) {
		roles = kvcalloc(room, sizeof(*roles), GFP_KERNEL);
		if (!roles)
			return -ENOMEM;
	}
	err = ktwin_roles(pid, task_active_pid_ns(current), roles, room, &explain->roles_filled, explain->role_count);
	for (i = 0; !err && i < explain->roles_filled; i++)
		err = ktwin_copy_record(to + (size_t)i * explain->role_size, explain->role_size, &roles[i], sizeof(*roles));
	kvfree(roles);
	return err;
}

static bool explain_is_sane(const struct ktwin_explain *explain)
{
	if (explain->flags || explain->zero)
		return false;
	if (explain->pid && (explain->pid_size < offsetofend(struct ktwin_pid, upids) ||
			     explain->pid_size > PAGE_SIZE))
		return false;
	return !explain->roles || (explain->role_size >= offsetofend(struct ktwin_role, comm) &&
				   explain->role_size <= PAGE_SIZE);
}

/* What the caller may see of a struct pid that the twin does not have: its numbers. The caller has a reference. */
static void describe_unknown(const struct pid *pid, struct ktwin_pid *to)
{
	const struct pid_namespace *viewer = task_active_pid_ns(current);
	u32 level;

	if (pid->level < viewer->level || pid->numbers[viewer->level].ns != viewer)
		return;
	for (level = viewer->level; level <= pid->level; level++) {
		to->upids[to->depth].ns = pid->numbers[level].ns->ns.inum;
		to->upids[to->depth++].nr = pid->numbers[level].nr;
	}
}

static long explain_resolved(struct ktwin_explain *explain, struct kt_resolved *resolved, struct pid *pid)
{
	long err = 0;

	if (resolved->key)
		explain->flags |= KTWIN_EXPLAIN_TWIN;
	else
		describe_unknown(pid, &resolved->pid);
	if (pid)
		explain->flags |= KTWIN_EXPLAIN_KERNEL;
	if (pid && resolved->key == ktwin_key(pid))
		explain->flags |= KTWIN_EXPLAIN_SAME;
	if (explain->pid)
		err = ktwin_copy_record(u64_to_user_ptr(explain->pid), explain->pid_size, &resolved->pid,
				  sizeof(resolved->pid));
	if (!err && pid) {
		if (ktwin_viewer() == kt_host_init_ns())
			/* Less the one that the caller of this function holds. */
			explain->references = refcount_read(&pid->count) - 1;
		err = explain_roles(explain, pid);
	}
	return err;
}

long ktwin_ioctl_explain(struct file *file, void *arg)
{
	struct ktwin_explain *explain = arg;
	struct kt_resolved *resolved;
	struct pid *pid;
	long err;

	if (!explain_is_sane(explain))
		return -EINVAL;
	explain->roles_filled = 0;
	explain->references = 0;
	memset(explain->role_count, 0, sizeof(explain->role_count));
	resolved = kzalloc(sizeof(*resolved), GFP_KERNEL);
	if (!resolved)
		return -ENOMEM;
	err = kt_core_resolve(ktwin_viewer(), explain->ns, explain->nr, resolved);
	if (!err) {
		pid = kernel_pid(resolved, explain->nr);
		if (pid || resolved->key)
			err = explain_resolved(explain, resolved, pid);
		else
			err = -ESRCH;
		put_pid(pid);
	}
	kfree(resolved);
	return err;
}
