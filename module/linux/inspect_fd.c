// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files of another process, as /proc/PID/fd finds them.
 *
 * task_lock keeps task->files from being replaced or let go (exec, unshare, exit), and the table is read under its
 * file_lock. The process takes both for moments only and never sleeps in them (on PREEMPT_RT no longer than it takes to
 * be boosted), so waiting for them is not waiting for the process. A file gets a reference before the table is let go.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/task.h>

#include "inspect_wait.h"

struct collection {
	struct ktwin_open_file *files;
	u32 room;
	u32 count;
};

/* The kernel passes its argument on as const; what it points to is ours. */
static int collect(const void *argument, struct file *file, unsigned int fd)
{
	struct collection *to = (struct collection *)argument;

	to->files[to->count].file = get_file(file);
	to->files[to->count].fd = fd;
	to->count++;
	return to->count == to->room;
}

u32 ktwin_files_get(struct task_struct *task, u32 fd, struct ktwin_open_file *to, u32 room)
{
	struct collection all = { .files = to, .room = room };

	task_lock(task);
	iterate_fd(task->files, fd, collect, &all);
	task_unlock(task);
	return all.count;
}

struct wanted {
	struct file *file;
	u32 fd;
};

static int pick(const void *argument, struct file *file, unsigned int fd)
{
	struct wanted *wanted = (struct wanted *)argument;

	if (fd == wanted->fd)
		wanted->file = get_file(file);
	return 1;
}

struct file *ktwin_file_get(struct task_struct *task, u32 fd)
{
	struct wanted wanted = { .fd = fd };

	task_lock(task);
	iterate_fd(task->files, fd, pick, &wanted);
	task_unlock(task);
	return wanted.file;
}
