// SPDX-License-Identifier: GPL-2.0-only
/*
 * A switches fd: context switches are counted as long as it is open, for it alone.
 *
 * Lifetimes: the struct and what the core has behind it live until release(), which every call under way has left by
 * then, since each holds the file. The audit in the background goes first, then the hooks, each waited for if it is under
 * way. The file holds the module, so that it cannot be unloaded while there are hooks.
 */
#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "inspect_rq.h"

/* Every switch of the system pays for each. */
#define OPEN_MAX	8

#define FLAGS	(KTWIN_SWITCHES_TASKS | KTWIN_SWITCHES_WAITS | KTWIN_SWITCHES_TWIN | KTWIN_SWITCHES_EVENTS)

struct switches_file {
	struct list_head link;
	struct ktwin_hooked hooked;
	struct mutex reading;	/* events: a ring has one reader at a time */
	struct delayed_work audit;
	bool closing;		/* the audit need not go on */
	u64 since_ns;
	u64 events_since_ns;	/* from here on each was told or counted as lost */
	u32 serial;
};

/* Those whose hooks are on, and how many are about to be or to be no more. */
static LIST_HEAD(open_files);
static DEFINE_MUTEX(open_lock);
static u32 opened, serials;

/*
 * A pass over each CPU, each second. What it found stands in the totals; that it could not look, too. A pass waits for grace
 * periods: not in the maintainer's thread, on which the mirror's memory depends, and without a lock that it takes.
 */
static void audit(struct work_struct *work)
{
	struct switches_file *file = container_of(to_delayed_work(work), struct switches_file, audit);
	u32 cpu;

	for_each_online_cpu(cpu) {
		if (READ_ONCE(file->closing))
			return;
		ktwin_rq_audit_pass(file->hooked.switches, cpu);
	}
	queue_delayed_work(system_unbound_wq, &file->audit, HZ);
}

static bool is_audited(const struct switches_file *file)
{
	return (file->hooked.flags & KTWIN_SWITCHES_TWIN) && !ktwin_rq_usable();
}

static void refill(const struct ktwin_hooked *hooked)
{
	kt_core_switches_refill(hooked->switches);
	if (hooked->events)
		kt_core_sched_events_refill(hooked->events);
}

void ktwin_switches_refill(void)
{
	struct switches_file *file;

	mutex_lock(&open_lock);
	list_for_each_entry(file, &open_files, link)
		refill(&file->hooked);
	mutex_unlock(&open_lock);
}

int ktwin_switches_each(int (*visit)(struct kt_switches *switches, u32 serial, void *arg), void *arg)
{
	struct switches_file *file;
	int err = 0;

	mutex_lock(&open_lock);
	list_for_each_entry(file, &open_files, link) {
		err = visit(file->hooked.switches, file->serial, arg);
		if (err)
			break;
	}
	mutex_unlock(&open_lock);
	return err;
}

static void give_place(void)
{
	mutex_lock(&open_lock);
	opened--;
	mutex_unlock(&open_lock);
}

/* Its hooks are off. */
static void discard(struct switches_file *file)
{
	kt_core_switches_close(file->hooked.switches);
	ktwin_events_close(&file->hooked);
	kfree(file);
	give_place();
}

static void close_switches(struct switches_file *file)
{
	mutex_lock(&open_lock);
	list_del(&file->link);
	mutex_unlock(&open_lock);
	WRITE_ONCE(file->closing, true);
	cancel_delayed_work_sync(&file->audit);
	ktwin_sched_hooks_off(&file->hooked);
	discard(file);
}

static int switches_release(struct inode *inode, struct file *filp)
{
	close_switches(filp->private_data);
	return 0;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static u64 epoch(void *object)
{
	return ((struct switches_file *)object)->since_ns;
}

static u64 events_epoch(void *object)
{
	return ((struct switches_file *)object)->events_since_ns;
}

static int read_cpus(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	struct switches_file *file = object;
	struct ktwin_switch_cpu *cpus = to;
	int count, i;

	if (ns)
		return -EINVAL;
	count = kt_core_read_switch_cpus(file->hooked.switches, cursor, cpus, room, more);
	for (i = 0; file->hooked.events && i < count; i++)
		kt_core_sched_event_count(file->hooked.events, cpus[i].cpu, &cpus[i].events, &cpus[i].events_lost);
	return count;
}

static int read_events(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	struct switches_file *file = object;
	int count;

	if (ns)
		return -EINVAL;
	if (!file->hooked.events)
		return -ENODATA;
	mutex_lock(&file->reading);
	count = kt_core_read_sched_events(file->hooked.events, cursor, to, room, more);
	mutex_unlock(&file->reading);
	return count;
}

static int read_waits(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	struct switches_file *file = object;

	return ns ? -EINVAL : kt_core_read_switch_waits(file->hooked.switches, cursor, to, room, more);
}

static int read_twins(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	struct switches_file *file = object;

	return ns ? -EINVAL : kt_core_read_rq_twins(file->hooked.switches, cursor, to, room, more);
}

/*
 * The task that the core knows by its address. The address alone may be another's by now, or nobody's: it is compared
 * with that of the task that has the number. False: it has ended, or has no number in the caller's namespace.
 */
static bool name_task(const struct kt_task_switches *from, struct ktwin_switch_task *to)
{
	struct pid_namespace *viewer = task_active_pid_ns(current);
	struct task_struct *task;
	struct pid *pid;

	*to = from->counts;
	rcu_read_lock();
	pid = find_pid_ns(from->nr, &init_pid_ns);
	task = pid ? pid_task(pid, PIDTYPE_PID) : NULL;
	if (!task || ktwin_key(task) != from->key) {
		rcu_read_unlock();
		return false;
	}
	to->tid = task_pid_nr_ns(task, viewer);
	to->tgid = task_tgid_nr_ns(task, viewer);
	if (ktwin_may_see(task)) {
		/* Without task_lock, as in inspect_task.c. */
		memcpy(to->comm, task->comm, TASK_COMM_LEN);
		to->comm[TASK_COMM_LEN - 1] = '\0';
	} else {
		to->flags |= KTWIN_SWITCH_TASK_HIDDEN;
	}
	rcu_read_unlock();
	return to->tid;
}

static int read_tasks(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	struct switches_file *file = object;
	struct ktwin_switch_task *named = to;
	struct kt_task_switches *found;
	int count, i, filled = 0;

	if (ns)
		return -EINVAL;
	found = kvcalloc(room, sizeof(*found), GFP_KERNEL);
	if (!found)
		return -ENOMEM;
	count = kt_core_read_switch_tasks(file->hooked.switches, cursor, found, room, more);
	for (i = 0; i < count; i++)
		filled += name_task(&found[i], &named[filled]);
	kvfree(found);
	return count < 0 ? count : filled;
}

static int read_ns_waits(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	const struct pid_namespace *viewer = task_active_pid_ns(current);
	struct switches_file *file = object;
	struct ktwin_ns_waits *waits = to;
	int count, i, filled = 0;

	if (ns)
		return -EINVAL;
	count = kt_core_read_ns_waits(file->hooked.switches, cursor, waits, room, more);
	for (i = 0; i < count; i++) {
		if (viewer == &init_pid_ns || waits[i].ns == viewer->ns.inum)
			waits[filled++] = waits[i];
	}
	return count < 0 ? count : filled;
}

/* From the initial namespace's number to the caller's; 0: it has ended, or is not visible. */
static s32 nr_here(s32 nr)
{
	struct pid *pid;
	s32 here;

	rcu_read_lock();
	pid = nr ? find_pid_ns(nr, &init_pid_ns) : NULL;
	here = pid_nr_ns(pid, task_active_pid_ns(current));
	rcu_read_unlock();
	return here;
}

/* The CPUs that there may be; the keys are their numbers. */
static int read_audits(void *object, u32 ns, u64 *cursor, void *to, u32 room, bool *more)
{
	struct switches_file *file = object;
	struct ktwin_rq_audit *audits = to;
	u32 cpu = *cursor < nr_cpu_ids ? *cursor : nr_cpu_ids, filled = 0;
	int err = ns ? -EINVAL : kt_core_rq_auditable(file->hooked.switches, 0);

	if (!err)
		err = ktwin_rq_usable();
	for (; !err && cpu < nr_cpu_ids && filled < room && !(filled && signal_pending(current)); cpu++) {
		if (!cpu_possible(cpu))
			continue;
		err = ktwin_rq_audit_pass(file->hooked.switches, cpu);
		if (!err)
			err = ktwin_rq_audit(file->hooked.switches, cpu, &audits[filled]);
		if (err)
			break;
		audits[filled].last_tid = nr_here(audits[filled].last_tid);
		filled++;
	}
	*cursor = cpu;
	*more = cpu < nr_cpu_ids;
	return err ? err : filled;
}

static const struct ktwin_reader cpu_reader = {
	sizeof(struct ktwin_switch_cpu), offsetofend(struct ktwin_switch_cpu, unlisted), read_cpus, epoch
};
static const struct ktwin_reader task_reader = {
	sizeof(struct ktwin_switch_task), offsetofend(struct ktwin_switch_task, comm), read_tasks, epoch
};
static const struct ktwin_reader wait_reader = {
	sizeof(struct ktwin_switch_waits), offsetofend(struct ktwin_switch_waits, buckets), read_waits, epoch
};
static const struct ktwin_reader twin_reader = {
	sizeof(struct ktwin_rq_twin), offsetofend(struct ktwin_rq_twin, agreement), read_twins, epoch
};
static const struct ktwin_reader event_reader = {
	sizeof(struct ktwin_sched_event), offsetofend(struct ktwin_sched_event, other), read_events, events_epoch
};

static const struct ktwin_reader ns_wait_reader = {
	sizeof(struct ktwin_ns_waits), offsetofend(struct ktwin_ns_waits, buckets), read_ns_waits, epoch
};
static const struct ktwin_reader audit_reader = {
	sizeof(struct ktwin_rq_audit), offsetofend(struct ktwin_rq_audit, last_kind), read_audits, epoch
};

static long ioctl_cpus(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &cpu_reader, filp->private_data);
}

static long ioctl_tasks(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &task_reader, filp->private_data);
}

static long ioctl_waits(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &wait_reader, filp->private_data);
}

static long ioctl_twins(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &twin_reader, filp->private_data);
}

static long ioctl_ns_waits(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &ns_wait_reader, filp->private_data);
}

static long ioctl_audit(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &audit_reader, filp->private_data);
}

static long ioctl_inject(struct file *filp, void *arg)
{
	const struct ktwin_inject *inject = arg;
	struct switches_file *file = filp->private_data;
	struct task_struct *task;
	struct pid *pid;
	long err = -ESRCH;

	if (inject->flags || inject->ns || inject->zero ||
	    (inject->kind != KTWIN_INJECT_DROP && inject->kind != KTWIN_INJECT_ADD))
		return -EINVAL;
	rcu_read_lock();
	pid = find_vpid(inject->nr);
	task = pid ? pid_task(pid, PIDTYPE_PID) : NULL;
	if (task)
		err = kt_core_rq_inject(file->hooked.switches, ktwin_key(task), inject->kind == KTWIN_INJECT_ADD);
	rcu_read_unlock();
	return err;
}

static long ioctl_events(struct file *filp, void *arg)
{
	return ktwin_bulk_read(arg, &event_reader, filp->private_data);
}

static const struct ktwin_command commands[] = {
	KTWIN_ROW(KTWIN_IOC_SWITCHES_CPUS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_cpus),
	KTWIN_ROW(KTWIN_IOC_SWITCHES_TASKS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_tasks),
	KTWIN_ROW(KTWIN_IOC_SWITCHES_WAITS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_waits),
	KTWIN_ROW(KTWIN_IOC_SWITCHES_TWINS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_twins),
	KTWIN_ROW(KTWIN_IOC_SWITCHES_NS_WAITS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_ns_waits),
	KTWIN_ROW(KTWIN_IOC_SWITCHES_AUDIT, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_audit),
	KTWIN_ROW(KTWIN_IOC_SWITCHES_INJECT, ktwin_inject, zero, KTWIN_CMD_CONTROL | KTWIN_CMD_LAB, ioctl_inject),
	KTWIN_ROW(KTWIN_IOC_SWITCHES_EVENTS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ioctl_events),
};

static long switches_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return ktwin_command_run(commands, ARRAY_SIZE(commands), filp, cmd, arg);
}

static const struct file_operations switches_fops = {
	.owner = THIS_MODULE,
	.release = switches_release,
	.unlocked_ioctl = switches_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* --- opening ----------------------------------------------------------------------------------------------------- */

/* A place among those that may be open. */
static int take_place(u32 *serial)
{
	int err = -EBUSY;

	mutex_lock(&open_lock);
	if (opened < OPEN_MAX) {
		err = 0;
		opened++;
		*serial = ++serials;
	}
	mutex_unlock(&open_lock);
	return err;
}

/* What the core has is there; the place is taken. */
static int begin(struct switches_file *file)
{
	int err;

	file->since_ns = kt_host_time_ns();
	err = ktwin_sched_hooks_on(&file->hooked);
	if (err)
		return err;
	file->events_since_ns = kt_host_time_ns();
	mutex_lock(&open_lock);
	list_add_tail(&file->link, &open_files);
	mutex_unlock(&open_lock);
	if (is_audited(file))
		queue_delayed_work(system_unbound_wq, &file->audit, HZ);
	return 0;
}

/* What the core has for it. Nothing is left when it fails. */
static int equip(struct ktwin_hooked *hooked, u32 capacity)
{
	int err;

	hooked->switches = kt_core_switches_open(hooked->flags, nr_cpu_ids, num_online_cpus(), &err);
	if (!hooked->switches)
		return err;
	err = hooked->flags & KTWIN_SWITCHES_EVENTS ? ktwin_events_open(hooked, capacity) : 0;
	if (err)
		kt_core_switches_close(hooked->switches);
	return err;
}

static struct switches_file *create(const struct ktwin_switches *wanted)
{
	struct switches_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	int err;

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->hooked.flags = wanted->flags;
	mutex_init(&file->reading);
	INIT_DELAYED_WORK(&file->audit, audit);
	err = take_place(&file->serial);
	if (err)
		goto free;
	err = equip(&file->hooked, wanted->capacity);
	if (err)
		goto leave;
	return file;
leave:
	give_place();
free:
	kfree(file);
	return ERR_PTR(err);
}

long ktwin_ioctl_switches(struct file *device, void *arg)
{
	const struct ktwin_switches *wanted = arg;
	struct switches_file *file;
	int fd, err;

	if (wanted->flags & ~FLAGS || wanted->zero)
		return -EINVAL;
	if (wanted->capacity && !(wanted->flags & KTWIN_SWITCHES_EVENTS))
		return -EINVAL;
	if ((wanted->flags & KTWIN_SWITCHES_WAITS) && !IS_ENABLED(CONFIG_SCHED_INFO))
		return -EOPNOTSUPP;
	file = create(wanted);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = begin(file);
	if (err) {
		discard(file);
		return err;
	}
	fd = anon_inode_getfd("[ktwin-switches]", &switches_fops, file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		close_switches(file);
	return fd;
}
