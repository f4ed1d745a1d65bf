// SPDX-License-Identifier: GPL-2.0-only
/*
 * A lab: an fd whose object is a private world of PID namespaces of the core.
 *
 * Lifetimes: the struct lives until release(), which every call under way has left by then, since each holds the file.
 * It is on the list of open labs from before its fd is anybody's until release() takes it off, before the core's part
 * goes; whoever goes along the list holds open_labs_lock.
 *
 * open_labs_lock is a mutex that is taken in the reclaim of memory, and there by trying alone: who holds it allocates
 * nothing. It is in no order with the core's locks but one: the pools' (KT_LOCK_LAB) are taken inside it.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "ktwin.h"

static LIST_HEAD(open_labs);
static DEFINE_MUTEX(open_labs_lock);
static u64 promised;	/* what open labs may hold together, in bytes; open_labs_lock */

struct lab_file {
	struct list_head link;
	struct kt_lab *lab;
	u64 bytes;	/* its part of promised */
};

static unsigned long lab_bytes;

static u64 most_bytes(void)
{
	unsigned long bytes = READ_ONCE(lab_bytes);

	return bytes ? bytes : (u64)totalram_pages() << (PAGE_SHIFT - 2);
}

static int lab_bytes_set(const char *value, const struct kernel_param *kp)
{
	/* The file's mode alone would let a root without capabilities through. */
	return capable(CAP_SYS_ADMIN) ? param_set_ulong(value, kp) : -EPERM;
}

static int lab_bytes_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", most_bytes());
}

static const struct kernel_param_ops lab_bytes_ops = {
	.set = lab_bytes_set,
	.get = lab_bytes_get,
};
module_param_cb(lab_bytes, &lab_bytes_ops, &lab_bytes, 0644);
MODULE_PARM_DESC(lab_bytes, "most memory that all open labs may hold together, in bytes; may be written at run time (0, the default: a quarter of RAM)");

static struct kt_lab *lab_of(const struct file *filp)
{
	return ((struct lab_file *)filp->private_data)->lab;
}

/* What a lab may hold is counted from before it is made until it is gone. False: all may hold no more. */
static bool promise(u64 bytes)
{
	u64 most = most_bytes();
	bool fits;

	mutex_lock(&open_labs_lock);
	fits = promised <= most && bytes <= most - promised;
	if (fits)
		promised += bytes;
	mutex_unlock(&open_labs_lock);
	return fits;
}

static void release_promise(u64 bytes)
{
	mutex_lock(&open_labs_lock);
	promised -= bytes;
	mutex_unlock(&open_labs_lock);
}

/* Not yet, or no longer, anybody's fd. */
static void discard(struct lab_file *file)
{
	mutex_lock(&open_labs_lock);
	list_del(&file->link);
	mutex_unlock(&open_labs_lock);
	kt_core_lab_close(file->lab);
	release_promise(file->bytes);
	kfree(file);
}

static int lab_release(struct inode *inode, struct file *filp)
{
	discard(filp->private_data);
	return 0;
}

bool ktwin_labs_try_each(unsigned long (*visit)(struct kt_lab *lab, void *arg), void *arg, unsigned long *sum)
{
	struct lab_file *file;

	*sum = 0;
	if (!mutex_trylock(&open_labs_lock))
		return false;
	list_for_each_entry(file, &open_labs, link)
		*sum += visit(file->lab, arg);
	mutex_unlock(&open_labs_lock);
	return true;
}

static long ioctl_create(struct file *filp, void *arg)
{
	return kt_core_lab_create(lab_of(filp), arg);
}

static long ioctl_pid_max(struct file *filp, void *arg)
{
	return kt_core_lab_pid_max(lab_of(filp), arg);
}

/* Who may ask for numbers: as checkpoint_restore_ns_capable() for the initial user namespace. */
static long ioctl_alloc(struct file *filp, void *arg)
{
	struct ktwin_lab_alloc *alloc = arg;
	bool may_choose = !alloc->wanted || capable(CAP_CHECKPOINT_RESTORE) || capable(CAP_SYS_ADMIN);

	return kt_core_lab_alloc(lab_of(filp), alloc, may_choose);
}

static long ioctl_free(struct file *filp, void *arg)
{
	const struct ktwin_lab_free *request = arg;

	return request->flags ? -EINVAL : kt_core_lab_free(lab_of(filp), request->ns, request->nr);
}

static long ioctl_find(struct file *filp, void *arg)
{
	return kt_core_lab_find(lab_of(filp), arg);
}

static long ioctl_role(struct file *filp, void *arg)
{
	return kt_core_lab_role(lab_of(filp), arg);
}

static long ioctl_kill(struct file *filp, void *arg)
{
	return kt_core_lab_kill(lab_of(filp), arg);
}

static long ioctl_stats(struct file *filp, void *arg)
{
	struct ktwin_lab_stats *stats = arg;

	return stats->flags ? -EINVAL : kt_core_lab_stats(lab_of(filp), stats);
}

/* A lab is never populated anew. */
static u64 no_epoch(void *object)
{
	return 0;
}

static int read_namespaces(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	return ns ? -EINVAL : kt_core_read_lab_namespaces(object, cursor, to, room, more);
}

static int read_pids(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	return kt_core_read_lab_pids(object, ns, cursor, to, room, more);
}

static int read_tasks(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	return ns ? -EINVAL : kt_core_read_lab_tasks(object, cursor, to, room, more);
}

static int read_leaves(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	return kt_core_read_lab_leaves(object, ns, cursor, to, room, more);
}

#define LAB_READER(type, read_fn) { sizeof(struct type), sizeof(struct type), read_fn, no_epoch }

static const struct ktwin_reader ns_reader = LAB_READER(ktwin_lab_ns, read_namespaces);
static const struct ktwin_reader pid_reader = LAB_READER(ktwin_lab_pid, read_pids);
static const struct ktwin_reader task_reader = LAB_READER(ktwin_lab_task, read_tasks);
static const struct ktwin_reader leaf_reader = LAB_READER(ktwin_lab_leaf, read_leaves);

static long ioctl_namespaces(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &ns_reader, lab_of(filp));
}

static long ioctl_pids(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &pid_reader, lab_of(filp));
}

static long ioctl_tasks(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &task_reader, lab_of(filp));
}

static long ioctl_leaves(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &leaf_reader, lab_of(filp));
}

static const struct ktwin_command commands[] = {
	KTWIN_ROW(KTWIN_IOC_LAB_NS_CREATE, ktwin_lab_create, level, KTWIN_CMD_ANSWERS, ioctl_create),
	KTWIN_ROW(KTWIN_IOC_LAB_PID_MAX, ktwin_lab_pid_max, pid_max, KTWIN_CMD_ANSWERS, ioctl_pid_max),
	KTWIN_ROW(KTWIN_IOC_LAB_ALLOC, ktwin_lab_alloc, zero2, KTWIN_CMD_ANSWERS, ioctl_alloc),
	KTWIN_ROW(KTWIN_IOC_LAB_FREE, ktwin_lab_free, nr, 0, ioctl_free),
	KTWIN_ROW(KTWIN_IOC_LAB_FIND, ktwin_lab_find, pid, KTWIN_CMD_ANSWERS, ioctl_find),
	KTWIN_ROW(KTWIN_IOC_LAB_ROLE, ktwin_lab_role, nr, KTWIN_CMD_ANSWERS, ioctl_role),
	KTWIN_ROW(KTWIN_IOC_LAB_KILL, ktwin_lab_kill, left, KTWIN_CMD_ANSWERS, ioctl_kill),
	KTWIN_ROW(KTWIN_IOC_LAB_STATS, ktwin_lab_stats, held, KTWIN_CMD_ANSWERS, ioctl_stats),
	KTWIN_ROW(KTWIN_IOC_LAB_NAMESPACES, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_namespaces),
	KTWIN_ROW(KTWIN_IOC_LAB_PIDS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_pids),
	KTWIN_ROW(KTWIN_IOC_LAB_TASKS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_tasks),
	KTWIN_ROW(KTWIN_IOC_LAB_LEAVES, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_leaves),
};

static long lab_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return ktwin_command_run(commands, ARRAY_SIZE(commands), filp, cmd, arg);
}

static const struct file_operations lab_fops = {
	.owner = THIS_MODULE,
	.release = lab_release,
	.unlocked_ioctl = lab_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

long ktwin_ioctl_lab(struct file *device, void *arg)
{
	struct lab_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	int fd, err;

	if (!file)
		return -ENOMEM;
	/* 0: the core says what is wrong. */
	file->bytes = kt_core_lab_bytes(arg, nr_cpu_ids);
	if (!promise(file->bytes)) {
		kfree(file);
		return -ENOMEM;
	}
	file->lab = kt_core_lab_open(arg, nr_cpu_ids, &err);
	if (!file->lab) {
		release_promise(file->bytes);
		kfree(file);
		return err;
	}
	mutex_lock(&open_labs_lock);
	list_add_tail(&file->link, &open_labs);
	mutex_unlock(&open_labs_lock);
	fd = anon_inode_getfd("[ktwin-lab]", &lab_fops, file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		discard(file);
	return fd;
}
