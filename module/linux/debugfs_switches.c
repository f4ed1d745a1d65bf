// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs rq/: what those who count switches at the moment have counted, a line a CPU. serial tells one who counts from
 * another; nothing is counted when nobody does.
 */
#include <linux/cpumask.h>
#include <linux/pid_namespace.h>
#include <linux/seq_file.h>

#include "ktwin.h"

/* System-wide figures are for who sees the system. */
static bool is_scoped(const struct seq_file *seq)
{
	return seq->private != &init_pid_ns;
}

static int show_counts(struct kt_switches *switches, u32 serial, void *arg)
{
	struct ktwin_switch_cpu cpu;
	struct seq_file *seq = arg;
	u64 cursor = 0;
	bool more;
	u32 i;

	while (kt_core_read_switch_cpus(switches, &cursor, &cpu, 1, &more) > 0) {
		seq_printf(seq, "%7u %4u", serial, cpu.cpu);
		for (i = 0; i < KTWIN_SWITCH_CLASSES; i++)
			seq_printf(seq, " %10llu", cpu.classes[i]);
		for (i = 0; i < KTWIN_LEAVES; i++)
			seq_printf(seq, " %10llu", cpu.leaves[i]);
		seq_putc(seq, '\n');
	}
	return 0;
}

int ktwin_switches_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "#serial  cpu    process     thread  shared_vm     kernel lazy_entry   lazy_hit  mm_switch");
	seq_puts(seq, "    blocked  voluntary  preempted\n");
	return is_scoped(seq) ? 0 : ktwin_switches_each(show_counts, seq);
}

static void show_generation(struct seq_file *seq, u32 serial, const struct ktwin_rq_twin *twin, u32 generation)
{
	static const char *const generations[] = { "scan", "prio_array", "cfs", "eevdf" };
	static const char *const classes[] = { "stop", "deadline", "rt", "fair", "idle" };
	u32 ran;

	BUILD_BUG_ON(ARRAY_SIZE(generations) != KTWIN_GENERATIONS);
	BUILD_BUG_ON(ARRAY_SIZE(classes) != KTWIN_SCHED_CLASSES);
	for (ran = 0; ran < KTWIN_SCHED_CLASSES; ran++) {
		const struct ktwin_rq_agreement *count = &twin->agreement[generation * KTWIN_SCHED_CLASSES + ran];

		if (count->picks)
			seq_printf(seq, "%7u %4u %3u %6llu %-10s %-8s %10llu %10llu %10llu %10llu\n", serial, twin->cpu,
				   twin->why, twin->doubts, generations[generation], classes[ran], count->picks,
				   count->agreed, count->unanswered, count->grouped);
	}
}

static int show_twins(struct kt_switches *switches, u32 serial, void *arg)
{
	struct ktwin_rq_twin twin;
	u64 cursor = 0;
	bool more;
	u32 i;

	/* Who counts without twins has none to show. */
	while (kt_core_read_rq_twins(switches, &cursor, &twin, 1, &more) > 0) {
		for (i = 0; i < KTWIN_GENERATIONS; i++)
			show_generation(arg, serial, &twin, i);
	}
	return 0;
}

int ktwin_agreement_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "#serial  cpu why doubts generation class         picks     agreed unanswered    grouped\n");
	return is_scoped(seq) ? 0 : ktwin_switches_each(show_twins, seq);
}

/* As they stand; who wants a pass made now asks for it (KTWIN_IOC_SWITCHES_AUDIT). */
static int show_audits(struct kt_switches *switches, u32 serial, void *arg)
{
	struct ktwin_rq_audit audit;
	struct seq_file *seq = arg;
	u32 cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		if (ktwin_rq_audit(switches, cpu, &audit))
			continue;
		seq_printf(seq, "%7u %4u %3u %8llu %8llu %10llu %8llu %8llu %9llu %8llu %10llu %8d\n", serial, cpu,
			   audit.why, audit.passes, audit.skipped, audit.equal, audit.missing, audit.surplus,
			   audit.throttled, audit.delayed, audit.transients, audit.last_tid);
	}
	return 0;
}

int ktwin_rq_audit_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "#serial  cpu why   passes  skipped      equal  missing  surplus throttled  delayed transients last_tid\n");
	return is_scoped(seq) ? 0 : ktwin_switches_each(show_audits, seq);
}
