/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of module/linux share with each other. Each block is one file's. */
#ifndef KTWIN_LINUX_H
#define KTWIN_LINUX_H

#ifdef pr_fmt
#undef pr_fmt
#endif
#define pr_fmt(fmt) "ktwin: " fmt

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "boundary/core_api.h"
#include "boundary/host_api.h"

struct cred;
struct dentry;
struct file;
struct kernel_param;
struct pid;
struct pid_namespace;
struct seq_file;
struct task_struct;
struct vfsmount;

/* main.c */
bool ktwin_lab(void);
/* A fault that a test asked for with kt_lab=1 lab_fail=NAME. */
bool ktwin_lab_fail(const char *name);

/* hooks.c */
int ktwin_hooks_init(void);
void ktwin_hooks_exit(void);

/* mirror_thread.c: maintenance, and the background audit */
int ktwin_threads_start(void);
void ktwin_threads_stop(void);
void ktwin_audit_rate_get(struct ktwin_audit_rate *rate);
/* 0 or -ERANGE, and then nothing changed. */
int ktwin_audit_rate_set(const struct ktwin_audit_rate *rate);

/* own_mount.c: ERR_PTR; unmounted by kern_unmount(), which what is still open outlives */
struct vfsmount *ktwin_mount(const char *name);
struct file *ktwin_mount_open(struct vfsmount *mount, const char *name);

/* kernel_btf.c: says in the log what is not known for lack of it; after kt_core_create() */
void ktwin_btf_load(void);

/* pid_max.c. open/close from a kernel thread only: see there. */
void ktwin_pid_max_open(void);
void ktwin_pid_max_close(void);
/* Reads the limit anew; may sleep. ktwin_pid_max() is what was read last, 0 for never. */
void ktwin_pid_max_refresh(void);
u32 ktwin_pid_max(const struct pid_namespace *ns);

/* inspect_pidns.c */
void ktwin_hash_init(void);

/* --- host_memory.c --- */
int ktwin_memory_init(void);
void ktwin_memory_exit(void);
/* Inside RCU. The namespace that the anchor proves alive, or NULL. */
struct pid_namespace *ktwin_anchored_ns(const struct kt_ns_anchor *anchor);

/* inspect_task.c */
/* May sleep. Fills at most room roles; counts all. Numbers as seen from viewer. */
int ktwin_roles(struct pid *pid, struct pid_namespace *viewer, struct ktwin_role *roles, u32 room, u32 *filled,
		u32 count[KTWIN_ROLES]);

/* inspect_rights.c. Inside RCU: whether the caller may know more of task than its numbers. */
bool ktwin_may_see(const struct task_struct *task);

/* chardev.c */
int ktwin_chardev_init(void);
void ktwin_chardev_exit(void);

/* ioctl.c */
#define KTWIN_CMD_CONTROL	BIT(0)	/* CAP_SYS_ADMIN in the initial user namespace */
#define KTWIN_CMD_LAB		BIT(1)	/* kt_lab=1 */
#define KTWIN_CMD_ANSWERS	BIT(2)	/* the argument is copied back */

struct ktwin_command {
	unsigned int cmd;
	unsigned int flags;
	size_t size;		/* as this module knows it */
	size_t first_size;	/* as first published */
	long (*handler)(struct file *file, void *arg);
};

/* Larger than every argument struct. */
#define KTWIN_ARG_MAX	384

#define KTWIN_ROW(command, type, last_field, row_flags, function)					\
	{												\
		.cmd = (command), .flags = (row_flags), .handler = (function),				\
		.size = sizeof(struct type) + BUILD_BUG_ON_ZERO(sizeof(struct type) > KTWIN_ARG_MAX),	\
		.first_size = offsetofend(struct type, last_field),					\
	}

long ktwin_command_run(const struct ktwin_command *table, size_t rows, struct file *file, unsigned int cmd,
		       unsigned long arg);
long ktwin_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
/* One record of size from_size to a user who knows to_size bytes of it. */
long ktwin_copy_record(void __user *to, u32 to_size, const void *from, size_t from_size);

/* bulk_read.c: a kind of record that is read with struct ktwin_read; object is whose. */
struct ktwin_reader {
	size_t size;		/* of the record as this module knows it */
	size_t first_size;	/* as first published */
	/* Fills at most room records and advances the cursor. How many, or -errno. May sleep. */
	int (*read)(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more);
	u64 (*epoch)(void *object);
};

long ktwin_bulk_read(struct ktwin_read *read, const struct ktwin_reader *reader, void *object);

/* ioctl_pid.c, ioctl_audit.c: rows of the table */
long ktwin_ioctl_namespaces(struct file *file, void *arg);
long ktwin_ioctl_pids(struct file *file, void *arg);
long ktwin_ioctl_divergences(struct file *file, void *arg);
long ktwin_ioctl_explain(struct file *file, void *arg);
long ktwin_ioctl_status(struct file *file, void *arg);
long ktwin_ioctl_mirror(struct file *file, void *arg);
long ktwin_ioctl_audit(struct file *file, void *arg);
long ktwin_ioctl_audit_rate(struct file *file, void *arg);
long ktwin_ioctl_inject(struct file *file, void *arg);
long ktwin_ioctl_compare(struct file *file, void *arg);
/* What a number that the caller may name belongs to, with a reference; or ERR_PTR. ns: inode, 0 the caller's. */
struct pid *ktwin_find_pid(u32 ns, int nr);

/* ioctl_wait.c: more of them */
long ktwin_ioctl_waiters(struct file *file, void *arg);
long ktwin_ioctl_sleep(struct file *file, void *arg);

/* bench_wait.c */
long ktwin_ioctl_bench(struct file *file, void *arg);
/* bench_ids.c */
long ktwin_ioctl_bench_ids(struct file *file, void *arg);
/* ioctl_rq.c, ioctl_layout.c: more of them */
long ktwin_ioctl_rq(struct file *file, void *arg);
long ktwin_ioctl_layout(struct file *file, void *arg);

/* inspect_rq_find.c: at load, after ktwin_btf_load(); says in the log what is wrong */
void ktwin_rq_learn(void);

/* stream.c */
long ktwin_ioctl_stream(struct file *file, void *arg);

/* queue.c */
long ktwin_ioctl_queue(struct file *device, void *arg);
/* May sleep. Each open queue in the order they were opened; visit may sleep, and what is not 0 ends the walk. */
int ktwin_queues_each(int (*visit)(struct kt_queue *queue, u32 backend, void *arg), void *arg);

/* sched_hooks.c: the scheduler's tracepoints, for one who counts. */
struct ktwin_hooked {
	struct kt_switches *switches;
	u32 flags;		/* KTWIN_SWITCHES_* */
	/* With KTWIN_SWITCHES_EVENTS, see sched_events.c: */
	struct kt_sched_events *events;
	struct pid_namespace *viewer;	/* whose numbers are told; a reference */
	const struct cred *cred;	/* who may know names; a reference, NULL: knows all */
};

/* May sleep. 0 or -errno; hooked stays as it is until ktwin_sched_hooks_off() has returned. */
int ktwin_sched_hooks_on(struct ktwin_hooked *hooked);
/* May sleep. No hook is under way when it returns. */
void ktwin_sched_hooks_off(struct ktwin_hooked *hooked);

/* sched_events.c: events for one who reads them, in the numbers and by the rights of the caller. */
/* May sleep. 0 or -errno; capacity: of each CPU's ring. */
int ktwin_events_open(struct ktwin_hooked *hooked, u32 capacity);
/* May sleep. No hook is under way, nobody reads; nothing happens when it is not open. */
void ktwin_events_close(struct ktwin_hooked *hooked);
/* From the hook on sched_switch. */
void ktwin_tell_switch(const struct ktwin_hooked *hooked, bool preempt, const struct task_struct *prev,
		       const struct task_struct *next, unsigned int prev_state);
/* Hooks by themselves; data is a struct ktwin_hooked. */
void ktwin_tell_waking(void *data, struct task_struct *task);
void ktwin_tell_queued(void *data, struct task_struct *task);
void ktwin_tell_fork(void *data, struct task_struct *task);
void ktwin_tell_migration(void *data, struct task_struct *task, int to_cpu);

/* switches.c */
long ktwin_ioctl_switches(struct file *device, void *arg);
/* May sleep. Memory for events to come. */
void ktwin_switches_refill(void);
/* May sleep. Each open one in the order they were opened; visit may sleep, and what is not 0 ends the walk. */
int ktwin_switches_each(int (*visit)(struct kt_switches *switches, u32 serial, void *arg), void *arg);

/* lab.c */
long ktwin_ioctl_lab(struct file *device, void *arg);
/*
 * With each open lab, none of which closes meanwhile; false: one is being opened or closed, and nothing was done.
 * What visit returns is added up.
 */
bool ktwin_labs_try_each(unsigned long (*visit)(struct kt_lab *lab, void *arg), void *arg, unsigned long *sum);

/* lab_shrinker.c: ready objects of labs go when the system is short of memory. */
int ktwin_lab_shrinker_init(void);
void ktwin_lab_shrinker_exit(void);

/* audit_rq.c */
/*
 * May sleep, for some grace periods: a pass over that CPU, which there may be, once ktwin_rq_usable(). One that could not
 * be made (-ENOMEM, -EUCLEAN) is counted as skipped. -ENODATA there are no twins; -EINTR killed.
 */
int ktwin_rq_audit_pass(struct kt_switches *switches, u32 cpu);
/* May sleep. What all passes found; last_tid in the initial namespace. -ENODATA there are no twins; -ESRCH no such CPU. */
int ktwin_rq_audit(struct kt_switches *switches, u32 cpu, struct ktwin_rq_audit *audit);

/* debugfs_switches.c */
int ktwin_rq_audit_show(struct seq_file *seq, void *unused);
int ktwin_switches_show(struct seq_file *seq, void *unused);
int ktwin_agreement_show(struct seq_file *seq, void *unused);

/* debugfs_wait.c */
int ktwin_wait_queues_show(struct seq_file *seq, void *unused);
int ktwin_wait_stats_show(struct seq_file *seq, void *unused);

/* watch.c */
long ktwin_ioctl_watch(struct file *device, void *arg);
void ktwin_watch_exit(void);

/* debugfs.c */
void ktwin_debugfs_init(void);
void ktwin_debugfs_exit(void);
/* debugfs_tree.c */
int ktwin_tree_show(struct seq_file *seq, void *unused);
/* debugfs_rq.c: below rq/ */
void ktwin_rq_files(struct dentry *dir);
/* debugfs_layout.c */
int ktwin_layout_show(struct seq_file *seq, void *unused);

/* compat/layout.c: 0, or -ENODEV with the reason in the log */
int ktwin_layout_check(void);

/* The key by which the core knows the caller's namespace. */
kt_key ktwin_viewer(void);

static inline kt_key ktwin_key(const void *object)
{
	return (kt_key)(unsigned long)object;
}

#endif
