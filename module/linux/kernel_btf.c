// SPDX-License-Identifier: GPL-2.0-only
/*
 * At load: the kernel's description of its own types, read from sysfs, given to the core, and forgotten. ktwin works
 * without it; what needs an offset that is not known says so.
 *
 * sysfs is mounted by who loads the module, whose network namespace it belongs to until it is unmounted again, here.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "ktwin.h"

#define BTF_FILE	"kernel/btf/vmlinux"
/* Kernels have 4 to 6 MB. */
#define BTF_LIMIT	SZ_64M

#define KNOWN(id, type, member) \
	{ KT_FIELD_##id, offsetof(struct type, member), sizeof_field(struct type, member) }
#define KNOWN_SIZE(id, type) \
	{ KT_FIELD_##id, -1, sizeof(struct type) }

/* What the headers say, that ktwin was built with. */
static const struct kt_layout_known known[] __initconst = {
	KNOWN(WAIT_QUEUE_HEAD_LOCK, wait_queue_head, lock),
	KNOWN(WAIT_QUEUE_HEAD_HEAD, wait_queue_head, head),
	KNOWN(WAIT_QUEUE_ENTRY_FLAGS, wait_queue_entry, flags),
	KNOWN(WAIT_QUEUE_ENTRY_PRIVATE, wait_queue_entry, private),
	KNOWN(WAIT_QUEUE_ENTRY_FUNC, wait_queue_entry, func),
	KNOWN(WAIT_QUEUE_ENTRY_ENTRY, wait_queue_entry, entry),
	KNOWN(POLL_WQUEUES_POLLING_TASK, poll_wqueues, polling_task),
	KNOWN(POLL_TABLE_ENTRY_WAIT, poll_table_entry, wait),
	KNOWN(TASK_STRUCT_STACK, task_struct, stack),
	KNOWN(TASK_STRUCT_STATE, task_struct, __state),
	KNOWN(TASK_STRUCT_SIGNAL, task_struct, signal),
	KNOWN(SIGNAL_STRUCT_WAIT_CHLDEXIT, signal_struct, wait_chldexit),
	KNOWN_SIZE(EVENTPOLL_WQ, wait_queue_head),
	KNOWN_SIZE(EVENTPOLL_POLL_WAIT, wait_queue_head),
	KNOWN_SIZE(EVENTPOLL_LOCK, spinlock),
	KNOWN_SIZE(EPPOLL_ENTRY_WAIT, wait_queue_entry),
	KNOWN_SIZE(RQ_LOCK, raw_spinlock),
	KNOWN_SIZE(RQ_CFS_TASKS, list_head),
	KNOWN_SIZE(CFS_RQ_TASKS_TIMELINE, rb_root_cached),
	KNOWN_SIZE(DL_RQ_ROOT, rb_root_cached),
	KNOWN(SCHED_ENTITY_LOAD, sched_entity, load),
	KNOWN(SCHED_ENTITY_RUN_NODE, sched_entity, run_node),
	KNOWN(SCHED_ENTITY_GROUP_NODE, sched_entity, group_node),
	KNOWN(SCHED_ENTITY_VRUNTIME, sched_entity, vruntime),
	KNOWN(SCHED_DL_ENTITY_RB_NODE, sched_dl_entity, rb_node),
	KNOWN(SCHED_DL_ENTITY_DEADLINE, sched_dl_entity, deadline),
	KNOWN(SCHED_RT_ENTITY_RUN_LIST, sched_rt_entity, run_list),
	KNOWN(TASK_STRUCT_SE, task_struct, se),
	KNOWN(TASK_STRUCT_RT, task_struct, rt),
	KNOWN(TASK_STRUCT_DL, task_struct, dl),
	KNOWN(TASK_STRUCT_SCHED_INFO, task_struct, sched_info),
	KNOWN(TASK_STRUCT_PRIO, task_struct, prio),
};

/* All of the file, or less when there is no more. Result: bytes read, or -errno. */
static ssize_t __init read_all(struct file *file, void *to, size_t size)
{
	loff_t position = 0;

	while (position < size) {
		ssize_t length = kernel_read(file, to + position, size - position, &position);

		if (length < 0)
			return length;
		if (!length)
			break;
	}
	return position;
}

/* For tests: a kernel that calls a field by another name. */
static void __init rename_field(char *btf, size_t size)
{
	static const char name[] __initconst = "\0nr_switches";
	size_t at;

	for (at = 0; at + sizeof(name) <= size; at++) {
		if (!memcmp(btf + at, name, sizeof(name)))
			btf[at + 1] = 'N';
	}
}

static int __init load_from(struct file *file)
{
	loff_t size = i_size_read(file_inode(file));
	ssize_t length;
	void *btf;
	int err;

	if (size <= 0 || size > BTF_LIMIT)
		return -EFBIG;
	btf = vmalloc(size);
	if (!btf)
		return -ENOMEM;
	length = read_all(file, btf, size);
	if (length == size && ktwin_lab_fail("field"))
		rename_field(btf, size);
	if (length == size)
		err = kt_core_layout_load(btf, size, known, ARRAY_SIZE(known));
	else
		err = length < 0 ? length : -EIO;
	vfree(btf);
	return err;
}

static int __init load(void)
{
	struct vfsmount *sysfs = ktwin_mount("sysfs");
	struct file *file;
	int err;

	if (IS_ERR(sysfs))
		return PTR_ERR(sysfs);
	file = ktwin_mount_open(sysfs, ktwin_lab_fail("btf") ? BTF_FILE ".missing" : BTF_FILE);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
	} else {
		err = load_from(file);
		fput(file);
	}
	kern_unmount(sysfs);
	return err;
}

void __init ktwin_btf_load(void)
{
	struct kt_layout_entry entry;
	const char *said = NULL;
	int err = load();
	u32 i;

	for (i = 0; kt_core_layout_entry(i, &entry); i++) {
		if (!entry.missing || entry.missing == said)
			continue;
		said = entry.missing;
		pr_info("%s: %s (%d): what depends on it will be shown as unknown\n", entry.missing, entry.why, err);
	}
}
