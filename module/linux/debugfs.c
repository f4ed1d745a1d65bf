// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/ktwin: read-only text, a header line and a record a line, from the same functions as the ioctls.
 * For eyes; the ioctls are the interface that stays.
 *
 * A reader sees what is visible from the PID namespace of the task that opened the file; the open file keeps that
 * namespace alive.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "ktwin.h"
#include "table.h"

static struct dentry *root;

static const char *const state_names[] = { "off", "populating", "live", "incomplete" };

/* --- tables: one line a record ------------------------------------------------------------------------------- */

static int read_namespaces(kt_key viewer, u64 *cursor, void *to, bool *more)
{
	return kt_core_read_namespaces(viewer, 0, cursor, to, 1, more);
}

static void show_namespace(struct seq_file *seq, const void *record)
{
	const struct ktwin_ns *ns = record;

	seq_printf(seq, "%-10u %-10u %5u %6u %6u %7u %7u %8u %10u %10u %7d %u %s\n", ns->inode, ns->parent, ns->level,
		   ns->count, ns->kernel_count, ns->cursor, ns->pid_max, ns->headroom, ns->hole_start,
		   ns->hole_length, ns->reaper, ns->children, ns->flags & KTWIN_NS_DYING ? "dying" : "-");
}

static const struct ktwin_table namespaces = {
	"# inode     parent     level  count kernel  cursor pid_max headroom hole_start hole_length reaper children state\n",
	sizeof(struct ktwin_ns), read_namespaces, show_namespace
};

static int read_pids(kt_key viewer, u64 *cursor, void *to, bool *more)
{
	return kt_core_read_pids(viewer, 0, cursor, to, 1, more);
}

static void show_pid(struct seq_file *seq, const void *record)
{
	const struct ktwin_pid *pid = record;
	u32 i;

	seq_printf(seq, "%-10llu %20llu %5u", pid->serial, pid->born_ns, pid->depth);
	for (i = 0; i < pid->depth; i++)
		seq_printf(seq, " %u:%d", pid->upids[i].ns, pid->upids[i].nr);
	seq_putc(seq, '\n');
}

static const struct ktwin_table pids = {
	"# serial                 born_ns depth namespace:number...\n",
	sizeof(struct ktwin_pid), read_pids, show_pid
};

static int read_divergences(kt_key viewer, u64 *cursor, void *to, bool *more)
{
	return kt_core_read_divergences(viewer, cursor, to, 1, more);
}

static void show_divergence(struct seq_file *seq, const void *record)
{
	static const char *const kinds[] = { "?", "only-kernel", "only-twin", "other-pid", "twin-broken", "mispredicted" };
	const struct ktwin_divergence *divergence = record;

	seq_printf(seq, "%-6llu %20llu %20llu %6llu %-10u %8d %-12s %016llx %016llx\n", divergence->index,
		   divergence->time_ns, divergence->last_ns, divergence->passes, divergence->ns, divergence->nr,
		   kinds[divergence->kind < ARRAY_SIZE(kinds) ? divergence->kind : 0], divergence->kernel_hash,
		   divergence->twin_hash);
}

static const struct ktwin_table divergences = {
	"# index             first_ns              last_ns passes ns             nr kind         kernel           twin\n",
	sizeof(struct ktwin_divergence), read_divergences, show_divergence
};

/* --- audit/status: a name and a value a line ------------------------------------------------------------------ */

static void show_lockstep(struct seq_file *seq, const struct ktwin_audit *audit)
{
	seq_printf(seq, "lockstep %u\nlockstep_namespaces %u\nallocations %llu\npredicted %llu\nmispredicted %llu\n",
		   audit->lockstep, audit->lockstep_namespaces, audit->allocations, audit->predicted,
		   audit->mispredicted);
	seq_printf(seq, "adopting %llu\ncursor_set %llu\nkernel_no_memory %llu\ntwin_no_memory %llu\nmissed %llu\n",
		   audit->adopting, audit->cursor_set, audit->kernel_no_memory, audit->twin_no_memory, audit->missed);
	seq_printf(seq, "contradicted %llu\nunfollowed %llu\n", audit->contradicted, audit->unfollowed);
}

static void show_audit(struct seq_file *seq, kt_key viewer)
{
	struct ktwin_audit audit = { .size = sizeof(audit) };

	if (kt_core_audit_last(viewer, &audit)) {
		seq_puts(seq, "last_pass none\n");
		return;
	}
	seq_printf(seq, "complete %u\nwhy 0x%x\nchecked %llu\npids %llu\nnamespaces %llu\n", audit.complete,
		   audit.why, audit.checked, audit.pids, audit.namespaces);
	seq_printf(seq, "differences %llu\ntransients %llu\nduration_ns %llu\n", audit.differences, audit.transients,
		   audit.duration_ns);
	seq_printf(seq, "passes %llu\npasses_complete %llu\nchecked_total %llu\ndifferences_total %llu\n", audit.passes,
		   audit.passes_complete, audit.checked_total, audit.differences_total);
	show_lockstep(seq, &audit);
}

static int status_show(struct seq_file *seq, void *unused)
{
	struct ktwin_status status = { .size = sizeof(status) };
	struct ktwin_audit_rate rate = {};
	kt_key viewer = ktwin_key(seq->private);
	int err = kt_core_status(viewer, &status);

	if (err)
		return err;
	ktwin_audit_rate_get(&rate);
	seq_printf(seq, "# name value\nstate %s\nstate_why 0x%x\nepoch %llu\nprobe_missed %llu\ndoubts %llu\n",
		   state_names[status.state & 3], status.why, status.epoch, status.probe_missed, status.doubts);
	seq_printf(seq, "interval_ms %u\nbatch %u\ncpu_percent %u\n", rate.interval_ms, rate.batch, rate.cpu_percent);
	show_audit(seq, viewer);
	return 0;
}

/* A text made at once, seen from the opener's namespace; i_private says by which function. */
static int text_open(struct inode *inode, struct file *file)
{
	struct pid_namespace *viewer = get_pid_ns(task_active_pid_ns(current));
	int err = single_open(file, inode->i_private, viewer);

	if (err)
		put_pid_ns(viewer);
	return err;
}

static int text_release(struct inode *inode, struct file *file)
{
	put_pid_ns(((struct seq_file *)file->private_data)->private);
	return single_release(inode, file);
}

static const struct file_operations text_fops = {
	.owner = THIS_MODULE,
	.open = text_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = text_release,
};

/* debugfs may be absent or locked down; ktwin works without, so nothing here is an error. */
void ktwin_debugfs_init(void)
{
	struct dentry *pid, *audit, *wait, *rq;

	root = debugfs_create_dir("ktwin", NULL);
	pid = debugfs_create_dir("pid", root);
	audit = debugfs_create_dir("audit", root);
	wait = debugfs_create_dir("wait", root);
	rq = debugfs_create_dir("rq", root);
	debugfs_create_file("namespaces", 0444, pid, (void *)&namespaces, &ktwin_table_fops);
	debugfs_create_file("pids", 0444, pid, (void *)&pids, &ktwin_table_fops);
	debugfs_create_file("tree", 0444, pid, ktwin_tree_show, &text_fops);
	debugfs_create_file("queues", 0444, wait, ktwin_wait_queues_show, &text_fops);
	debugfs_create_file("stats", 0444, wait, ktwin_wait_stats_show, &text_fops);
	ktwin_rq_files(rq);
	debugfs_create_file("switches", 0444, rq, ktwin_switches_show, &text_fops);
	debugfs_create_file("agreement", 0444, rq, ktwin_agreement_show, &text_fops);
	debugfs_create_file("audit", 0444, rq, ktwin_rq_audit_show, &text_fops);
	debugfs_create_file("status", 0444, audit, status_show, &text_fops);
	debugfs_create_file("layout", 0444, audit, ktwin_layout_show, &text_fops);
	debugfs_create_file("divergences", 0444, audit, (void *)&divergences, &ktwin_table_fops);
}

void ktwin_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
