// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limit on PID numbers. The kernel's variable is not exported; /proc/sys/kernel/pid_max is its public face. It is
 * read through a procfs mount of our own: see own_mount.c.
 *
 * A procfs instance belongs to the PID namespace of the task that mounts it and keeps that namespace alive: therefore
 * it is mounted by a kernel thread, which is in the initial one.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/kstrtox.h>
#include <linux/printk.h>

#include "ktwin.h"

/* Guards limit_file; held while it is read, so that it is not closed under a reader. */
static DEFINE_MUTEX(limit_lock);
static struct vfsmount *proc;
static struct file *limit_file;
static u32 limit;

void ktwin_pid_max_open(void)
{
	struct file *file;

	proc = ktwin_mount("proc");
	if (IS_ERR(proc)) {
		pr_warn("procfs could not be mounted (%ld): pid_max will be shown as unknown\n", PTR_ERR(proc));
		proc = NULL;
		return;
	}
	file = ktwin_mount_open(proc, "sys/kernel/pid_max");
	if (IS_ERR(file)) {
		pr_warn("pid_max could not be opened (%ld): it will be shown as unknown\n", PTR_ERR(file));
		return;
	}
	mutex_lock(&limit_lock);
	limit_file = file;
	mutex_unlock(&limit_lock);
}

void ktwin_pid_max_close(void)
{
	mutex_lock(&limit_lock);
	if (limit_file)
		fput(limit_file);
	limit_file = NULL;
	mutex_unlock(&limit_lock);
	if (proc)
		kern_unmount(proc);
	proc = NULL;
	WRITE_ONCE(limit, 0);
}

void ktwin_pid_max_refresh(void)
{
	char text[16];
	loff_t position = 0;
	ssize_t length;
	u32 value;

	mutex_lock(&limit_lock);
	length = limit_file ? kernel_read(limit_file, text, sizeof(text) - 1, &position) : 0;
	mutex_unlock(&limit_lock);
	if (length <= 0)
		return;
	text[length] = '\0';
	if (!kstrtou32(text, 10, &value))
		WRITE_ONCE(limit, value);
}

u32 ktwin_pid_max(const struct pid_namespace *ns)
{
	return READ_ONCE(limit);
}
