// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs wait/: the laboratory's queues. queues has a line a sleeper in wake order, stats a line a queue.
 *
 * Numbers are those of the namespace the file was opened from; whom it does not see is shown by its place alone.
 */
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "inspect_wait.h"

/* A queue with more sleepers than this shows the first. */
#define SLEEPERS_SHOWN	1024U

static const char *const backends[] = { "twin", "kernel" };

static const char *kind_of(u32 flags)
{
	if (flags & KTWIN_WAITER_PRIORITY)
		return "priority";
	return flags & KTWIN_WAITER_EXCLUSIVE ? "exclusive" : "shared";
}

static void show_sleeper(struct seq_file *seq, u32 queue, const struct ktwin_sleeper *sleeper)
{
	struct pid_namespace *viewer = seq->private;
	pid_t tid = task_pid_nr_ns(sleeper->task, viewer);
	bool may_see;

	rcu_read_lock();
	may_see = tid && ktwin_may_see(sleeper->task);
	rcu_read_unlock();
	seq_printf(seq, "%5u %8u %7d %-9s %-4s %c %16llu %s\n", queue, sleeper->position, tid, kind_of(sleeper->flags),
		   sleeper->flags & KTWIN_WAITER_NEXT ? "next" : "-", may_see ? sleeper->state : '-',
		   may_see ? sleeper->asleep_ns : 0, may_see ? sleeper->task->comm : "-");
}

static int show_sleepers(struct kt_queue *queue, u32 backend, void *arg)
{
	struct ktwin_gathered gathered = { .sleepers_room = SLEEPERS_SHOWN };
	struct seq_file *seq = arg;
	u32 total, i;
	int err = ktwin_lab_gather(queue, &gathered, &total);

	for (i = 0; i < gathered.count; i++)
		show_sleeper(seq, kt_core_queue_serial(queue), &gathered.sleepers[i]);
	if (!err && total > gathered.count)
		seq_printf(seq, "# %u more on queue %u\n", total - gathered.count, kt_core_queue_serial(queue));
	ktwin_gathered_free(&gathered);
	return err;
}

int ktwin_wait_queues_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "#queue position    tid kind      wake S        asleep_ns comm\n");
	return ktwin_queues_each(show_sleepers, seq);
}

static int show_stats(struct kt_queue *queue, u32 backend, void *arg)
{
	struct ktwin_wait_stats stats = {};

	kt_core_queue_stats(queue, &stats);
	seq_printf(arg, "%5u %-7s %7llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu %6llu %9llu\n",
		   kt_core_queue_serial(queue), backends[backend], stats.waiters, stats.waits, stats.wakes,
		   stats.wakes_empty, stats.woken, stats.futile, stats.timeouts, stats.signals, stats.herds,
		   stats.herd_most);
	return 0;
}

int ktwin_wait_stats_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq,
		 "#queue backend waiters    waits    wakes    empty    woken   futile timeouts  signals  herds herd_most\n");
	return ktwin_queues_each(show_stats, seq);
}
