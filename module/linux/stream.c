// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream: an fd whose mapping is a ring of events. The core writes the ring under its own lock; this file owns the
 * memory, the fd and the waking.
 *
 * Lifetimes: the ring and the struct live until release(), which the last fd, dup, mapping and call under way have
 * left by then (a mapping holds the file). The core's stream is closed first; after that no hook can find it, and
 * irq_work_sync() ends the last wake-up.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "compat/mm.h"
#include "ktwin.h"

#define CAPACITY_DEFAULT	8192
#define CAPACITY_MIN		64
#define CAPACITY_MAX		1048576

struct stream_file {
	struct kt_stream *stream;
	struct ktwin_ring *ring;
	/* The namespace whose events it shows is told by its address: it must not be freed and reused meanwhile. */
	struct pid_namespace *viewer;
	wait_queue_head_t readers;
	struct irq_work wake;
};

/* Hooks hold a raw lock, and a wait queue's is one that sleeps on PREEMPT_RT, where this runs in a thread. */
static void wake_readers(struct irq_work *work)
{
	struct stream_file *file = container_of(work, struct stream_file, wake);

	wake_up_interruptible_poll(&file->readers, EPOLLIN | EPOLLRDNORM);
}

void kt_host_stream_wake(void *owner)
{
	irq_work_queue(&((struct stream_file *)owner)->wake);
}

static void free_stream(struct stream_file *file)
{
	put_pid_ns(file->viewer);
	vfree(file->ring);
	kfree(file);
}

static int stream_release(struct inode *inode, struct file *filp)
{
	struct stream_file *file = filp->private_data;

	kt_core_stream_close(file->stream);
	irq_work_sync(&file->wake);
	free_stream(file);
	return 0;
}

static __poll_t stream_poll(struct file *filp, poll_table *table)
{
	struct stream_file *file = filp->private_data;

	poll_wait(filp, &file->readers, table);
	return kt_core_stream_readable(file->stream) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int stream_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct stream_file *file = filp->private_data;

	/* Writable by none, now or by mprotect later: who shares the mapping must not forge events for the others. */
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	if (vma->vm_pgoff)
		return -EINVAL;
	kt_vm_flags_clear(vma, VM_MAYWRITE | VM_MAYEXEC);
	return remap_vmalloc_range(vma, file->ring, vma->vm_pgoff);
}

static long ioctl_ack(struct file *filp, void *arg)
{
	struct stream_file *file = filp->private_data;
	const struct ktwin_stream_ack *ack = arg;

	return ack->flags ? -EINVAL : kt_core_stream_ack(file->stream, ack->tail);
}

static const struct ktwin_command commands[] = {
	KTWIN_ROW(KTWIN_IOC_STREAM_ACK, ktwin_stream_ack, tail, 0, ioctl_ack),
};

static long stream_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return ktwin_command_run(commands, ARRAY_SIZE(commands), filp, cmd, arg);
}

static const struct file_operations stream_fops = {
	.owner = THIS_MODULE,
	.release = stream_release,
	.poll = stream_poll,
	.mmap = stream_mmap,
	.unlocked_ioctl = stream_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct stream_file *create_stream(u32 capacity, int *err)
{
	size_t bytes = PAGE_ALIGN(PAGE_SIZE + (size_t)capacity * sizeof(struct ktwin_event));
	struct stream_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	*err = -ENOMEM;
	if (!file)
		return NULL;
	file->ring = vmalloc_user(bytes);
	if (!file->ring) {
		kfree(file);
		return NULL;
	}
	file->ring->bytes = bytes;
	file->ring->offset = PAGE_SIZE;
	file->viewer = get_pid_ns(task_active_pid_ns(current));
	init_waitqueue_head(&file->readers);
	init_irq_work(&file->wake, wake_readers);
	file->stream = kt_core_stream_open(ktwin_key(file->viewer), file, file->ring, capacity, err);
	if (!file->stream) {
		free_stream(file);
		return NULL;
	}
	return file;
}

long ktwin_ioctl_stream(struct file *filp, void *arg)
{
	const struct ktwin_stream *wanted = arg;
	u32 capacity = wanted->capacity ? wanted->capacity : CAPACITY_DEFAULT;
	struct stream_file *file;
	int fd, err;

	if (wanted->flags || wanted->zero)
		return -EINVAL;
	if (!is_power_of_2(capacity) || capacity < CAPACITY_MIN || capacity > CAPACITY_MAX)
		return -EINVAL;
	/* vmalloc_user() memory is charged to nobody. */
	if (capacity > CAPACITY_DEFAULT && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	file = create_stream(capacity, &err);
	if (!file)
		return err;
	fd = anon_inode_getfd("[ktwin-stream]", &stream_fops, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		kt_core_stream_close(file->stream);
		irq_work_sync(&file->wake);
		free_stream(file);
	}
	return fd;
}
