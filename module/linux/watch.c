// SPDX-License-Identifier: GPL-2.0-only
/*
 * A watch: an fd behind which a file's wait queues are watched (watch_queue.c).
 *
 * Lifetimes: the watch holds the file, and that holds the queues. A file that is held is not released when its last user
 * closes it, so the other end of a pipe would not hear of that; nobody tells us either. So while there are watches, each
 * file is looked at every CLOSING_MS, and a watch ends when nobody but watches holds its file: such a file is in no
 * table of fds, so nobody can come by it again.
 *
 * A watch that holds a socket in whose queue its own fd is passed on would keep both for ever. So it ends when the
 * process that opened it, told by its table of files as in queue.c, closes it or ends, whoever else has a copy.
 *
 * Only files on whose queues a guest changes nothing are watched; each was looked at in fs/ and net/. Their queues live
 * as long as the file does, are locked by their own lock, are woken by __wake_up() and its kin only, and nothing is
 * concluded from whether they are empty but that nobody need be woken. A terminal is none: tty_release() of the other
 * end of a pty waits until the queues are empty. Neither are signalfd (its queue goes with the sighand), epoll (another
 * lock) and the sockets of families that hand their waiters on.
 *
 * One mutex guards all that is not under a queue's lock: opening, reading and ending are rare.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/sock.h>

#include "inspect_wait.h"

#define CLOSING_MS	20

struct watch {
	struct list_head all;		/* empty: it ended */
	struct file *file;
	kt_key owner;
	struct ktwin_watched *watched[KTWIN_FILE_QUEUES];
	u32 count;
};

static DEFINE_MUTEX(watching);
static LIST_HEAD(watches);		/* those that have not ended */
static u32 watches_open;

static void look_for_closed(struct work_struct *work);
static DECLARE_DELAYED_WORK(closing, look_for_closed);

/* Under watching. */
static void end(struct watch *watch)
{
	if (list_empty(&watch->all))
		return;
	list_del_init(&watch->all);
	while (watch->count)
		ktwin_watched_close(watch->watched[--watch->count]);
	fput(watch->file);
}

/* Under watching: whether nobody has the file but watches. */
static bool is_closed(const struct file *file)
{
	const struct watch *watch;
	long ours = 0;

	list_for_each_entry(watch, &watches, all)
		ours += watch->file == file;
	return file_count(file) <= ours;
}

static void look_for_closed(struct work_struct *work)
{
	struct watch *watch, *next;

	mutex_lock(&watching);
	/* One by one: of several on one file each is found when its turn comes. */
	list_for_each_entry_safe(watch, next, &watches, all) {
		if (is_closed(watch->file))
			end(watch);
	}
	if (!list_empty(&watches))
		schedule_delayed_work(&closing, msecs_to_jiffies(CLOSING_MS));
	mutex_unlock(&watching);
}

static int watch_flush(struct file *filp, fl_owner_t id)
{
	struct watch *watch = filp->private_data;

	/* The kernel's own close of a file that no process had is not the owner's. */
	if (id && ktwin_key(id) == watch->owner) {
		mutex_lock(&watching);
		end(watch);
		mutex_unlock(&watching);
	}
	return 0;
}

static void discard(struct watch *watch)
{
	mutex_lock(&watching);
	end(watch);
	watches_open--;
	mutex_unlock(&watching);
	kfree(watch);
}

static int watch_release(struct inode *inode, struct file *filp)
{
	discard(filp->private_data);
	return 0;
}

static long ioctl_stats(struct file *filp, void *arg)
{
	struct watch *watch = filp->private_data;
	struct ktwin_wait_stats *stats = arg;
	long err = -EIDRM;
	u32 i;

	if (stats->flags || stats->zero)
		return -EINVAL;
	memset(stats, 0, sizeof(*stats));
	mutex_lock(&watching);
	if (!list_empty(&watch->all)) {
		err = 0;
		for (i = 0; i < watch->count; i++)
			ktwin_watched_add(watch->watched[i], stats);
	}
	mutex_unlock(&watching);
	return err;
}

static const struct ktwin_command commands[] = {
	KTWIN_ROW(KTWIN_IOC_QUEUE_STATS, ktwin_wait_stats, herd_most, KTWIN_CMD_ANSWERS, ioctl_stats),
};

static long watch_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return ktwin_command_run(commands, ARRAY_SIZE(commands), filp, cmd, arg);
}

/* Without a poll: a watch cannot be watched. */
static const struct file_operations watch_fops = {
	.owner = THIS_MODULE,
	.flush = watch_flush,
	.release = watch_release,
	.unlocked_ioctl = watch_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static const enum ktwin_function hosts[] = {
	KTWIN_FN_PIPE_POLL, KTWIN_FN_EVENTFD_POLL, KTWIN_FN_TIMERFD_POLL, KTWIN_FN_INOTIFY_POLL, KTWIN_FN_FANOTIFY_POLL,
	KTWIN_FN_PIDFD_POLL,
};

static bool is_host_socket(const struct socket *socket)
{
	/* As in inspect_wait_file.c. */
	const struct sock *sk = READ_ONCE(socket->sk);

	if (!sk)
		return false;
	switch (sk->sk_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
	case AF_INET6:
		return sk->sk_protocol == IPPROTO_TCP || sk->sk_protocol == IPPROTO_UDP;
	}
	return false;
}

/* Whether our entries may be on this file's queues for long: see the top. */
static bool is_host(struct file *file)
{
	const struct socket *socket = sock_from_file(file);
	size_t i;

	if (socket)
		return is_host_socket(socket);
	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		if (ktwin_is_function(hosts[i], file->f_op->poll))
			return true;
	}
	return false;
}

/* A socket's may wait for more than one piece (SO_RCVLOWAT). */
static bool reads_are_whole(struct file *file)
{
	return !sock_from_file(file);
}

/* Under watching. */
static int begin(struct watch *watch, struct file *file, const struct ktwin_file_queues *queues)
{
	u32 i;

	for (i = 0; i < queues->count; i++) {
		watch->watched[i] = ktwin_watched_open(&queues->queues[i], reads_are_whole(file));
		if (!watch->watched[i]) {
			while (i--)
				ktwin_watched_close(watch->watched[i]);
			return -ENOMEM;
		}
	}
	watch->count = queues->count;
	watch->file = get_file(file);
	list_add(&watch->all, &watches);
	schedule_delayed_work(&closing, msecs_to_jiffies(CLOSING_MS));
	return 0;
}

static int open_watch(struct watch *watch, struct file *file, const struct ktwin_file_queues *queues)
{
	int err = -EBUSY;

	mutex_lock(&watching);
	if (watches_open < KTWIN_WATCHES_MAX)
		err = begin(watch, file, queues);
	if (!err)
		watches_open++;
	mutex_unlock(&watching);
	return err;
}

static int watch_file(struct file *file, struct task_struct *task)
{
	struct ktwin_file_queues queues;
	struct watch *watch;
	int err;

	if (!is_host(file))
		return -EOPNOTSUPP;
	err = ktwin_file_queues(file, task, &queues);
	if (err)
		return err;
	watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	if (!watch)
		return -ENOMEM;
	INIT_LIST_HEAD(&watch->all);
	watch->owner = ktwin_key(current->files);
	err = open_watch(watch, file, &queues);
	if (err) {
		kfree(watch);
		return err;
	}
	err = anon_inode_getfd("[ktwin-watch]", &watch_fops, watch, O_RDWR | O_CLOEXEC);
	if (err < 0)
		discard(watch);
	return err;
}

long ktwin_ioctl_watch(struct file *device, void *arg)
{
	const struct ktwin_watch *wanted = arg;
	struct task_struct *task;
	struct file *file;
	long err;

	if (wanted->flags || wanted->zero)
		return -EINVAL;
	err = ktwin_functions_learn();
	if (err)
		return err;
	task = ktwin_inspected_task(wanted->ns, wanted->pid);
	if (IS_ERR(task))
		return PTR_ERR(task);
	file = ktwin_inspected_file(task, wanted->fd);
	err = PTR_ERR_OR_ZERO(file);
	if (!err) {
		err = watch_file(file, task);
		fput(file);
	}
	put_task_struct(task);
	return err;
}

/* No watch is left, since each keeps the module; the work may still be on its way to find that out. */
void ktwin_watch_exit(void)
{
	cancel_delayed_work_sync(&closing);
}
