// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel tells us: two kprobes, on idr_replace and idr_remove.
 *
 * The kernel publishes every struct pid with idr_replace, at level 0 last, and takes it away with idr_remove, at
 * level 0 first, both under pidmap_lock with irqs off (kernel/pid.c: alloc_pid, free_pid). So the events of the initial
 * namespace's idr are serialised by the kernel itself, and each carries, or names, a complete struct pid.
 *
 * Context of both handlers: preemption off, pidmap_lock held by the kernel; irqs off too, except on PREEMPT_RT, where
 * pidmap_lock is a sleeping lock that leaves them on. The handler may not sleep in either: no allocation on RT, no lock
 * but raw ones, and those save irqs.
 *
 * A probe is removed while it runs: unregister_kprobes() waits for handlers in flight (it ends in synchronize_rcu;
 * the optimised jump is taken back under text_mutex after synchronize_rcu_tasks). What the handlers touch outlives
 * that.
 *
 * Other users of these two functions cost themselves one comparison. A private idr of ours is the heartbeat: it shows
 * that the probes do fire, which /sys/kernel/debug/kprobes/enabled can prevent without telling us.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>

#include "compat/regs.h"
#include "inspect_pidns.h"
#include "ktwin.h"

static DEFINE_IDR(heartbeat);
/* Aligned: an idr takes the low bits of what it stores for its own marks. */
static unsigned long heartbeat_value;
static atomic_t replace_beats = ATOMIC_INIT(0);
static atomic_t remove_beats = ATOMIC_INIT(0);

/* idr_replace(idr, ptr, id) */
static int on_idr_replace(struct kprobe *probe, struct pt_regs *regs)
{
	const struct idr *idr = (const struct idr *)kt_arg0(regs);

	if (idr == &init_pid_ns.idr) {
		struct kt_pid pid;

		ktwin_describe_pid((const struct pid *)kt_arg1(regs), &pid);
		kt_core_pid_published(&pid);
	} else if (idr == &heartbeat) {
		atomic_inc(&replace_beats);
	}
	return 0;
}
NOKPROBE_SYMBOL(on_idr_replace);

/* idr_remove(idr, id) */
static int on_idr_remove(struct kprobe *probe, struct pt_regs *regs)
{
	const struct idr *idr = (const struct idr *)kt_arg0(regs);

	if (idr == &init_pid_ns.idr)
		kt_core_pid_removed((int)kt_arg1(regs));
	else if (idr == &heartbeat)
		atomic_inc(&remove_beats);
	return 0;
}
NOKPROBE_SYMBOL(on_idr_remove);

static struct kprobe replace_probe;
static struct kprobe remove_probe;
static struct kprobe *probes[] = { &replace_probe, &remove_probe };

/* A struct kprobe must be zeroed before it is registered again. */
static void prepare_probes(void)
{
	replace_probe = (struct kprobe){
		.symbol_name = ktwin_lab_fail("symbol") ? "idr_replace_missing" : "idr_replace",
		.pre_handler = on_idr_replace,
	};
	remove_probe = (struct kprobe){
		.symbol_name = "idr_remove",
		.pre_handler = on_idr_remove,
	};
}

/* Called by the core under KT_LOCK_CONTROL, so never twice at once, and alternating with kt_host_probes_off(). */
int kt_host_probes_on(void)
{
	size_t i;
	int err;

	prepare_probes();
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		err = register_kprobe(probes[i]);
		if (err) {
			pr_err("no kprobe on %s (%d): the mirror cannot run on this kernel\n", probes[i]->symbol_name, err);
			unregister_kprobes(probes, i);
			return err;
		}
	}
	return 0;
}

void kt_host_probes_off(void)
{
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}

bool kt_host_probes_alive(__u64 *missed)
{
	static DEFINE_MUTEX(beating);
	int replaced, removed;
	bool alive;

	/* Two callers at once would count each other's beats. */
	mutex_lock(&beating);
	replaced = atomic_read(&replace_beats);
	removed = atomic_read(&remove_beats);
	idr_replace(&heartbeat, &heartbeat_value, 0);
	idr_remove(&heartbeat, 1);
	alive = atomic_read(&replace_beats) != replaced && atomic_read(&remove_beats) != removed;
	mutex_unlock(&beating);
	*missed = (u64)READ_ONCE(replace_probe.nmissed) + READ_ONCE(remove_probe.nmissed);
	return alive;
}

int ktwin_hooks_init(void)
{
	int id = idr_alloc(&heartbeat, &heartbeat_value, 0, 1, GFP_KERNEL);

	if (id < 0)
		pr_err("no memory for the probes' heartbeat (%d)\n", id);
	return id < 0 ? id : 0;
}

void ktwin_hooks_exit(void)
{
	idr_destroy(&heartbeat);
}
