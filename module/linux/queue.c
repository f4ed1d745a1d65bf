// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue: an fd whose object is a laboratory wait queue of the core.
 *
 * Lifetimes: the struct lives until release(), which every call under way has left by then, since each holds the file.
 * Sleepers are such calls, so release() finds none; what ends them when their fd is closed is flush(), which runs at
 * each close. The process that opened the queue, told by its table of files, owns it: its close ends all of them.
 * That table's address is only compared. It cannot mean another process: a table that goes closes its fds first, and
 * this function hears of it.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "inspect_wait.h"

#define RACE_MAX_NS	10000000000ULL

#define WAIT_FLAGS	(KTWIN_WAIT_EXCLUSIVE | KTWIN_WAIT_PRIORITY | KTWIN_WAIT_SEQUENCE | KTWIN_WAIT_TAKE | \
			 KTWIN_WAIT_RACY)
#define WAKE_FLAGS	(KTWIN_WAKE_SYNC | KTWIN_WAKE_LOCKED)

/* Every open queue, for debugfs. */
static LIST_HEAD(open_queues);
static DEFINE_MUTEX(open_queues_lock);

struct queue_file {
	struct list_head link;
	struct kt_queue *queue;
	u32 backend;
	kt_key owner;
	wait_queue_head_t pollers;
};

static void wake_pollers(struct queue_file *file, __poll_t events)
{
	wake_up_interruptible_poll(&file->pollers, events);
}

static int queue_flush(struct file *filp, fl_owner_t id)
{
	struct queue_file *file = filp->private_data;
	bool owner = ktwin_key(id) == file->owner;

	/* The kernel's own close of a file that no process had; nobody sleeps through that. */
	if (!id)
		return 0;
	kt_core_queue_shut_down(file->queue, owner ? 0 : ktwin_key(id));
	if (owner)
		wake_pollers(file, EPOLLHUP);
	return 0;
}

/* Not yet, or no longer, anybody's fd. */
static void discard(struct queue_file *file)
{
	mutex_lock(&open_queues_lock);
	list_del(&file->link);
	mutex_unlock(&open_queues_lock);
	kt_core_queue_close(file->queue);
	kfree(file);
}

static int queue_release(struct inode *inode, struct file *filp)
{
	discard(filp->private_data);
	return 0;
}

static __poll_t queue_poll(struct file *filp, poll_table *table)
{
	struct queue_file *file = filp->private_data;
	bool tokens, closed;

	poll_wait(filp, &file->pollers, table);
	kt_core_queue_poll(file->queue, &tokens, &closed);
	return (tokens ? EPOLLIN | EPOLLRDNORM : 0) | (closed ? EPOLLHUP : 0);
}

static bool wait_is_sane(const struct ktwin_wait *wait)
{
	if (wait->flags & ~WAIT_FLAGS || wait->mode > KTWIN_WAIT_UNINTERRUPTIBLE || wait->zero)
		return false;
	if ((wait->flags & KTWIN_WAIT_TAKE) && (wait->flags & KTWIN_WAIT_SEQUENCE))
		return false;
	if (wait->flags & KTWIN_WAIT_RACY)
		return (wait->flags & KTWIN_WAIT_SEQUENCE) && wait->race_ns <= RACE_MAX_NS;
	return !wait->race_ns;
}

static long ioctl_wait(struct file *filp, void *arg)
{
	struct queue_file *file = filp->private_data;
	struct ktwin_wait *wait = arg;
	int err;

	if (!wait_is_sane(wait))
		return -EINVAL;
	/* A sleeper that no signal can end is the administrator's to make. */
	if (wait->mode == KTWIN_WAIT_UNINTERRUPTIBLE && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = kt_core_queue_wait(file->queue, ktwin_key(current->files), wait);
	/* A time that is counted from the call would begin anew. */
	return err == -EINTR && !wait->timeout_ns ? -ERESTARTSYS : err;
}

static long ioctl_wake(struct file *filp, void *arg)
{
	struct queue_file *file = filp->private_data;
	struct ktwin_wake *wake = arg;
	int err;

	if (wake->flags & ~WAKE_FLAGS || wake->mode > KTWIN_WAKE_INTERRUPTIBLE)
		return -EINVAL;
	if ((wake->flags & KTWIN_WAKE_SYNC) && wake->nr != 1)
		return -EINVAL;
	err = kt_core_queue_wake(file->queue, wake);
	if (!err && wake->post)
		wake_pollers(file, EPOLLIN | EPOLLRDNORM);
	return err;
}

static long ioctl_stats(struct file *filp, void *arg)
{
	struct queue_file *file = filp->private_data;
	struct ktwin_wait_stats *stats = arg;

	if (stats->flags || stats->zero)
		return -EINVAL;
	kt_core_queue_stats(file->queue, stats);
	return 0;
}

static long ioctl_waiters(struct file *filp, void *arg)
{
	struct queue_file *file = filp->private_data;
	struct ktwin_waiters *waiters = arg;

	if (!ktwin_waiters_are_sane(waiters) || waiters->pid || waiters->fd || waiters->ns)
		return -EINVAL;
	return ktwin_queue_waiters(file->queue, waiters, -1);
}

static const struct ktwin_command commands[] = {
	KTWIN_ROW(KTWIN_IOC_QUEUE_WAIT, ktwin_wait, order, KTWIN_CMD_ANSWERS, ioctl_wait),
	KTWIN_ROW(KTWIN_IOC_QUEUE_WAKE, ktwin_wake, sequence, KTWIN_CMD_ANSWERS, ioctl_wake),
	KTWIN_ROW(KTWIN_IOC_QUEUE_STATS, ktwin_wait_stats, herd_most, KTWIN_CMD_ANSWERS, ioctl_stats),
	KTWIN_ROW(KTWIN_IOC_WAITERS, ktwin_waiters, file, KTWIN_CMD_ANSWERS, ioctl_waiters),
};

static long queue_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return ktwin_command_run(commands, ARRAY_SIZE(commands), filp, cmd, arg);
}

static const struct file_operations queue_fops = {
	.owner = THIS_MODULE,
	.flush = queue_flush,
	.release = queue_release,
	.poll = queue_poll,
	.unlocked_ioctl = queue_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

struct kt_queue *ktwin_queue_of(const struct file *file)
{
	return file->f_op == &queue_fops ? ((struct queue_file *)file->private_data)->queue : NULL;
}

int ktwin_queues_each(int (*visit)(struct kt_queue *queue, u32 backend, void *arg), void *arg)
{
	struct queue_file *file;
	int err = 0;

	mutex_lock(&open_queues_lock);
	list_for_each_entry(file, &open_queues, link) {
		err = visit(file->queue, file->backend, arg);
		if (err)
			break;
	}
	mutex_unlock(&open_queues_lock);
	return err;
}

long ktwin_ioctl_queue(struct file *device, void *arg)
{
	const struct ktwin_queue *wanted = arg;
	struct queue_file *file;
	int fd, err;

	if (wanted->flags || wanted->zero || wanted->backend > KTWIN_BACKEND_KERNEL)
		return -EINVAL;
	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;
	init_waitqueue_head(&file->pollers);
	file->owner = ktwin_key(current->files);
	file->queue = kt_core_queue_open(wanted->backend, &err);
	if (!file->queue) {
		kfree(file);
		return err;
	}
	file->backend = wanted->backend;
	mutex_lock(&open_queues_lock);
	list_add_tail(&file->link, &open_queues);
	mutex_unlock(&open_queues_lock);
	fd = anon_inode_getfd("[ktwin-queue]", &queue_fops, file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		discard(file);
	return fd;
}
