// SPDX-License-Identifier: GPL-2.0-only
/* ioctls: who waits on the queues behind a file; what a task sleeps on. */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "inspect_wait.h"

#define HEADS_MAX	64U

struct task_struct *ktwin_inspected_task(u32 ns, int nr)
{
	struct pid *pid = ktwin_find_pid(ns, nr);
	struct task_struct *task;
	int err;

	if (IS_ERR(pid))
		return ERR_CAST(pid);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return ERR_PTR(-ESRCH);
	err = ktwin_may_inspect(task);
	if (err) {
		put_task_struct(task);
		return ERR_PTR(err);
	}
	return task;
}

/*
 * A file of the process that the caller was let into, or ERR_PTR. An exec in between may have made the process another's,
 * and the file one of that program's: the rights are those of after the file was taken.
 */
struct file *ktwin_inspected_file(struct task_struct *task, int fd)
{
	struct file *file = fd < 0 ? NULL : ktwin_file_get(task, fd);
	int err;

	if (!file)
		return ERR_PTR(-EBADF);
	err = ktwin_may_inspect(task);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

static void copy_comm(char *to, const struct task_struct *task)
{
	/* Without task_lock, as in inspect_task.c. */
	memcpy(to, task->comm, TASK_COMM_LEN);
	to[TASK_COMM_LEN - 1] = '\0';
}

static void describe_task(const struct ktwin_sleeper *sleeper, struct ktwin_waiter *to)
{
	struct pid_namespace *viewer = task_active_pid_ns(current);
	bool may_see;

	to->tid = task_pid_nr_ns(sleeper->task, viewer);
	to->tgid = task_tgid_nr_ns(sleeper->task, viewer);
	rcu_read_lock();
	may_see = to->tid && ktwin_may_see(sleeper->task);
	rcu_read_unlock();
	if (!may_see) {
		to->flags |= KTWIN_WAITER_HIDDEN;
		return;
	}
	to->asleep_ns = sleeper->asleep_ns;
	to->state = sleeper->state;
	copy_comm(to->comm, sleeper->task);
}

static void describe(const struct ktwin_sleeper *sleeper, struct ktwin_waiter *to)
{
	struct ktwin_wait_queue queues[KTWIN_EPOLL_QUEUES];

	memset(to, 0, sizeof(*to));
	to->head = sleeper->head;
	to->position = sleeper->position;
	to->kind = sleeper->kind;
	to->flags = sleeper->flags;
	if (sleeper->epoll && !ktwin_epoll_queues(sleeper->epoll, queues))
		to->link = kt_host_hash_key(ktwin_key(queues[0].head));
	if (sleeper->task)
		describe_task(sleeper, to);
}

long ktwin_waiters_answer(struct ktwin_waiters *waiters, const struct ktwin_gathered *gathered)
{
	char __user *heads = u64_to_user_ptr(waiters->heads);
	char __user *to = u64_to_user_ptr(waiters->waiters);
	struct ktwin_waiter waiter;
	long err = 0;
	u32 i;

	for (i = 0; i < gathered->heads_count && !err; i++)
		err = ktwin_copy_record(heads + (size_t)i * waiters->head_size, waiters->head_size,
					&gathered->heads[i], sizeof(gathered->heads[i]));
	for (i = 0; i < gathered->count && !err; i++) {
		describe(&gathered->sleepers[i], &waiter);
		err = ktwin_copy_record(to + (size_t)i * waiters->waiter_size, waiters->waiter_size, &waiter,
					sizeof(waiter));
		cond_resched();
	}
	waiters->flags |= gathered->flags;
	waiters->heads_filled = gathered->heads_count;
	waiters->waiters_filled = gathered->count;
	return err;
}

static long list_queues(struct ktwin_waiters *waiters, const struct ktwin_file_queues *queues)
{
	struct ktwin_gathered gathered = {
		.heads_room = min(waiters->heads_room, HEADS_MAX),
		.sleepers_room = min(waiters->waiters_room, KTWIN_WAITERS_MAX),
		.fd = waiters->fd,
	};
	long err = -ENOMEM;

	gathered.heads = kvcalloc(max(gathered.heads_room, 1U), sizeof(*gathered.heads), GFP_KERNEL);
	if (gathered.heads)
		err = ktwin_gather(&gathered, queues);
	if (!err)
		err = ktwin_waiters_answer(waiters, &gathered);
	ktwin_gathered_free(&gathered);
	return err;
}

bool ktwin_waiters_are_sane(const struct ktwin_waiters *waiters)
{
	if (waiters->flags)
		return false;
	if (waiters->heads_room && (waiters->head_size < offsetofend(struct ktwin_wait_head, depth) ||
				    waiters->head_size > PAGE_SIZE))
		return false;
	return !waiters->waiters_room || (waiters->waiter_size >= offsetofend(struct ktwin_waiter, comm) &&
					  waiters->waiter_size <= PAGE_SIZE);
}

static long inspect_file(struct ktwin_waiters *waiters, struct task_struct *task, struct file *file)
{
	struct kt_queue *own = ktwin_queue_of(file);
	struct ktwin_file_queues queues;
	int err;

	if (own)
		return ktwin_queue_waiters(own, waiters, waiters->fd);
	err = ktwin_file_queues(file, task, &queues);

	memcpy(waiters->file, queues.name, sizeof(waiters->file));
	if (err == -EOPNOTSUPP) {
		/* An error would not take the name along. */
		waiters->flags |= KTWIN_WAITERS_REFUSED;
		return 0;
	}
	if (err)
		return err;
	waiters->events = queues.events;
	if (queues.events_known)
		waiters->flags |= KTWIN_WAITERS_EVENTS;
	return list_queues(waiters, &queues);
}

long ktwin_ioctl_waiters(struct file *device, void *arg)
{
	struct ktwin_waiters *waiters = arg;
	struct task_struct *task;
	struct file *file;
	long err;

	if (!ktwin_waiters_are_sane(waiters))
		return -EINVAL;
	err = ktwin_functions_learn();
	if (err)
		return err;
	waiters->heads_filled = 0;
	waiters->waiters_filled = 0;
	waiters->events = 0;
	task = ktwin_inspected_task(waiters->ns, waiters->pid);
	if (IS_ERR(task))
		return PTR_ERR(task);
	file = ktwin_inspected_file(task, waiters->fd);
	err = PTR_ERR_OR_ZERO(file);
	if (!err) {
		err = inspect_file(waiters, task, file);
		fput(file);
	}
	put_task_struct(task);
	return err;
}

long ktwin_ioctl_sleep(struct file *device, void *arg)
{
	struct ktwin_sleep *sleep = arg;
	struct task_struct *task;
	long err;

	if (sleep->flags)
		return -EINVAL;
	err = ktwin_functions_learn();
	if (err)
		return err;
	task = ktwin_inspected_task(sleep->ns, sleep->tid);
	if (IS_ERR(task))
		return PTR_ERR(task);
	memset(sleep->comm, 0, sizeof(sleep->comm));
	copy_comm(sleep->comm, task);
	sleep->tgid = task_tgid_nr_ns(task, task_active_pid_ns(current));
	err = ktwin_sleep_of(task, sleep);
	/* Of the process as it is after the last look: see ktwin_inspected_file(). */
	if (!err)
		err = ktwin_may_inspect(task);
	put_task_struct(task);
	return err;
}
