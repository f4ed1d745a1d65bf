// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs rq/: summary has a line a CPU, cpuN a line a task that is queued there, class by class, in pick order.
 *
 * Numbers are those of the namespace the file was opened from; whom it does not see is only counted.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "inspect_rq.h"

#define EACH_CPU	(-1L)

struct reader {
	struct pid_namespace *viewer;
	long cpu;
};

static const char *const classes[] = { "stop", "deadline", "rt", "fair" };

static const char header[] =
"#class  position     tid policy prio nice             vruntime                  lag             deadline    queued_ns comm            flags\n";

static void show_flags(struct seq_file *seq, u32 flags)
{
	static const char *const names[] = {
		"running", "hidden", "eligible", "delayed", "throttled", "boosted", "buddy",
	};
	char separator = ' ';
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & BIT(i)))
			continue;
		seq_printf(seq, "%c%s", separator, names[i]);
		separator = ',';
	}
	seq_puts(seq, separator == ' ' ? " -\n" : "\n");
}

static long show_task(const struct ktwin_rq_task *task, void *arg)
{
	struct seq_file *seq = arg;

	seq_printf(seq, "%-8s %5u %7d %6u %4d %4d %20llu %20lld %20llu %12llu %-15s", classes[task->sched_class],
		   task->position, task->tid, task->policy, task->prio, task->nice, task->vruntime, task->lag,
		   task->deadline, task->queued_ns, task->comm[0] ? task->comm : "-");
	show_flags(seq, task->flags);
	return 0;
}

static int show_queue(struct seq_file *seq, struct reader *reader)
{
	struct ktwin_rq_snapshot snapshot = {};
	const struct ktwin_rq_cpu *cpu = &snapshot.cpu;
	int err = ktwin_rq_take(&snapshot, reader->cpu);

	if (!err) {
		ktwin_rq_tell_cpu(&snapshot, reader->viewer);
		seq_puts(seq, header);
		err = ktwin_rq_tell_tasks(&snapshot, reader->viewer, show_task, seq);
		if (cpu->elsewhere || cpu->unlisted)
			seq_printf(seq, "# %u not visible here, %u not listed\n", cpu->elsewhere, cpu->unlisted);
		ktwin_rq_put(&snapshot);
	}
	ktwin_rq_free(&snapshot);
	return err;
}

static void show_line(struct seq_file *seq, const struct ktwin_rq_cpu *cpu)
{
	seq_printf(seq, "%4u %-7s %10u %8u %4u %5u %12llu %16llu %8llu %7d %s\n", cpu->cpu,
		   cpu->flags & KTWIN_RQ_ONLINE ? "online" : "offline", cpu->nr_running, cpu->nr_deadline,
		   cpu->nr_rt, cpu->nr_fair, cpu->nr_switches, cpu->clock_ns, cpu->hold_ns, cpu->curr.tid,
		   cpu->curr.comm[0] ? cpu->curr.comm : "-");
}

static int show_summary(struct seq_file *seq, struct reader *reader)
{
	struct ktwin_rq_snapshot snapshot = {};
	int cpu, err = 0;

	seq_puts(seq, "#cpu state   nr_running deadline   rt  fair  nr_switches         clock_ns  hold_ns    curr comm\n");
	for_each_possible_cpu(cpu) {
		err = ktwin_rq_take(&snapshot, cpu);
		if (err)
			break;
		ktwin_rq_tell_cpu(&snapshot, reader->viewer);
		show_line(seq, &snapshot.cpu);
		ktwin_rq_put(&snapshot);
	}
	ktwin_rq_free(&snapshot);
	seq_printf(seq, "# longest hold %llu ns since load\n", ktwin_rq_longest());
	return err;
}

static int rq_show(struct seq_file *seq, void *unused)
{
	struct reader *reader = seq->private;

	if (ktwin_rq_usable()) {
		seq_puts(seq, "# the layout of run queues is not known on this kernel: see audit/layout\n");
		return 0;
	}
	return reader->cpu == EACH_CPU ? show_summary(seq, reader) : show_queue(seq, reader);
}

static int rq_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kmalloc(sizeof(*reader), GFP_KERNEL);
	int err;

	if (!reader)
		return -ENOMEM;
	reader->cpu = (long)inode->i_private;
	reader->viewer = get_pid_ns(task_active_pid_ns(current));
	err = single_open(file, rq_show, reader);
	if (err) {
		put_pid_ns(reader->viewer);
		kfree(reader);
	}
	return err;
}

static int rq_release(struct inode *inode, struct file *file)
{
	struct reader *reader = ((struct seq_file *)file->private_data)->private;

	put_pid_ns(reader->viewer);
	kfree(reader);
	return single_release(inode, file);
}

static const struct file_operations rq_fops = {
	.owner = THIS_MODULE,
	.open = rq_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = rq_release,
};

void ktwin_rq_files(struct dentry *dir)
{
	char name[16];
	int cpu;

	debugfs_create_file("summary", 0444, dir, (void *)EACH_CPU, &rq_fops);
	for_each_possible_cpu(cpu) {
		snprintf(name, sizeof(name), "cpu%d", cpu);
		debugfs_create_file(name, 0444, dir, (void *)(long)cpu, &rq_fops);
	}
}
