// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lockstep is told: the requests that alloc_pid() makes to the idrs of PID namespaces, with their results.
 *
 *	alloc_pid		entry		into which namespace
 *	idr_alloc_cyclic	entry, return	any number
 *	idr_alloc		entry, return	a number that set_tid asks for
 *	idr_remove		entry		freed, or given back by a fork that failed
 *	idr_destroy		entry		the namespace is no more
 *	pid_ns_ctl_handler	entry, return	ns_last_pid, which moves the cursor without a lock
 *
 * Context of the middle three: preemption off, pidmap_lock held by the kernel, entry and return of one call in the same
 * section of it. On PREEMPT_RT that lock sleeps: the task may be preempted between the two, the lock stays its own.
 *
 * Is this idr a PID namespace's? alloc_pid() is called with a namespace that its caller keeps alive, and that keeps its
 * ancestors: these, and no others, are made known to the core. It forgets each at the idr_destroy() that
 * destroy_pid_namespace() makes before its memory can be used for anything else, when no fork into it is under way and no
 * pid of it is left. So a key that the core follows is a live namespace, and only then is it looked into: by who was called
 * with its idr, so that even after an idr_destroy() that was skipped there is an idr where it looks, if another's. Other
 * users of these functions cost themselves the look-up of a key that is not there.
 *
 * A hit within a handler of the same CPU is skipped by the kernel, and counted. What comes in interrupts (RCU frees pids and
 * with them namespaces) is kept out of those that run for longer with interrupts on; a window of a few instructions of the
 * kernel's own stays.
 *
 * The probes are removed while calls are under way: a call that was entered before is not told of at its return, for
 * unregister_kretprobes() takes the handler away and waits for those that run. The core has stopped counting by then.
 */
#include <linux/atomic.h>
#include <linux/idr.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "compat/regs.h"
#include "ktwin.h"

/* A private idr of ours, which shows that the probes do fire. Aligned: an idr takes the low bits for its own marks. */
static DEFINE_IDR(heartbeat);
static unsigned long heartbeat_value;
static atomic_t beats = ATOMIC_INIT(0);
/* Of one round: two requests with their returns, one removal, one destruction. */
#define BEATS_A_ROUND	6

/* The key of the namespace that this is the idr of, if it is one of a namespace. */
static kt_key idr_key(const void *idr)
{
	return (kt_key)(unsigned long)idr - offsetof(struct pid_namespace, idr);
}

/* From the first namespace down, so that one that is followed has ancestors that are. */
static void meet(const struct pid_namespace *ns)
{
	const struct pid_namespace *chain[KTWIN_LEVELS];
	unsigned int levels = 0;

	for (; ns && levels < KTWIN_LEVELS; ns = ns->parent)
		chain[levels++] = ns;
	while (levels--) {
		if (!kt_core_lockstep_meet(ktwin_key(chain[levels]), chain[levels]->ns.inum))
			return;
	}
}

/* alloc_pid(ns, ...) */
static int on_alloc_pid(struct kprobe *probe, struct pt_regs *regs)
{
	const struct pid_namespace *ns = (const struct pid_namespace *)kt_arg0(regs);
	unsigned long flags;

	local_irq_save(flags);
	if (!kt_core_lockstep_follows_inode(ktwin_key(ns), ns->ns.inum))
		meet(ns);
	local_irq_restore(flags);
	return 0;
}
NOKPROBE_SYMBOL(on_alloc_pid);

/* idr_alloc(idr, ptr, start, end, gfp), and idr_alloc_cyclic() likewise. 0: its return is wanted. */
static int on_request(struct kretprobe_instance *instance, struct pt_regs *regs, bool cyclic)
{
	struct kt_alloc_call *call = (struct kt_alloc_call *)instance->data;
	const struct idr *idr = (const struct idr *)kt_arg0(regs);

	call->ns = idr_key(idr);
	if (!kt_core_lockstep_follows(call->ns)) {
		if (idr != &heartbeat)
			return 1;
		atomic_inc(&beats);
		return 0;
	}
	call->start = (int)kt_arg2(regs);
	call->end = (int)kt_arg3(regs);
	call->cyclic = cyclic;
	return !kt_core_lockstep_request(call);
}
NOKPROBE_SYMBOL(on_request);

static int on_alloc(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	return on_request(instance, regs, false);
}
NOKPROBE_SYMBOL(on_alloc);

static int on_alloc_cyclic(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	return on_request(instance, regs, true);
}
NOKPROBE_SYMBOL(on_alloc_cyclic);

static int on_result(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct kt_alloc_call *call = (const struct kt_alloc_call *)instance->data;

	if (call->ns == idr_key(&heartbeat))
		atomic_inc(&beats);
	else
		kt_core_lockstep_result(call, (int)regs_return_value(regs));
	return 0;
}
NOKPROBE_SYMBOL(on_result);

/*
 * idr_remove(idr, id). A fork that fails gives its numbers back, and then, in the same section, puts the cursor of a
 * namespace back to 0 in which no fork has succeeded: only there is pid_allocated what it was made with, the flag alone.
 */
static int on_remove(struct kprobe *probe, struct pt_regs *regs)
{
	const struct idr *idr = (const struct idr *)kt_arg0(regs);
	kt_key key = idr_key(idr);

	if (kt_core_lockstep_follows(key)) {
		const struct pid_namespace *ns = container_of(idr, struct pid_namespace, idr);

		kt_core_lockstep_removed(key, (int)kt_arg1(regs), READ_ONCE(ns->pid_allocated) == PIDNS_ADDING);
	} else if (idr == &heartbeat) {
		atomic_inc(&beats);
	}
	return 0;
}
NOKPROBE_SYMBOL(on_remove);

/* idr_destroy(idr) */
static int on_destroy(struct kprobe *probe, struct pt_regs *regs)
{
	const struct idr *idr = (const struct idr *)kt_arg0(regs);
	kt_key key = idr_key(idr);

	if (kt_core_lockstep_follows(key))
		kt_core_lockstep_gone(key);
	else if (idr == &heartbeat)
		atomic_inc(&beats);
	return 0;
}
NOKPROBE_SYMBOL(on_destroy);

/* pid_ns_ctl_handler(table, write, ...): of the caller's namespace. */
static int on_cursor_write(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	kt_key *key = (kt_key *)instance->data;
	unsigned long flags;

	if (!(int)kt_arg1(regs))
		return 1;
	local_irq_save(flags);
	*key = ktwin_viewer();
	/* So that what it does to a namespace that is met meanwhile is known too. */
	if (!kt_core_lockstep_follows(*key))
		meet(task_active_pid_ns(current));
	kt_core_lockstep_cursor_write_begins(*key);
	local_irq_restore(flags);
	return 0;
}
NOKPROBE_SYMBOL(on_cursor_write);

static int on_cursor_written(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	kt_core_lockstep_cursor_write_ends(*(const kt_key *)instance->data, !(int)regs_return_value(regs));
	return 0;
}
NOKPROBE_SYMBOL(on_cursor_written);

static struct kprobe fork_probe, remove_probe, destroy_probe;
static struct kprobe *probes[] = { &destroy_probe, &remove_probe, &fork_probe };
static struct kretprobe alloc_probe, cyclic_probe, cursor_probe;
/* A kernel without checkpointing has no ns_last_pid: the last one is left out. */
static struct kretprobe *return_probes[] = { &alloc_probe, &cyclic_probe, &cursor_probe };
#define RETURN_PROBES	(ARRAY_SIZE(return_probes) - !IS_ENABLED(CONFIG_CHECKPOINT_RESTORE))

/*
 * A struct kprobe must be zeroed before it is registered again. Of the calls of interest one is under way at a time, and
 * others' give their instance back at once, with preemption off: the usual number, at least two a CPU, is enough. A write
 * to ns_last_pid may be preempted, so more of them are possible; a return that is not told is counted.
 */
static void prepare_probes(void)
{
	const size_t call_size = sizeof(struct kt_alloc_call);

	fork_probe = (struct kprobe){ .symbol_name = "alloc_pid", .pre_handler = on_alloc_pid };
	remove_probe = (struct kprobe){ .symbol_name = "idr_remove", .pre_handler = on_remove };
	destroy_probe = (struct kprobe){ .symbol_name = "idr_destroy", .pre_handler = on_destroy };
	alloc_probe = (struct kretprobe){
		.kp.symbol_name = "idr_alloc", .entry_handler = on_alloc, .handler = on_result, .data_size = call_size,
	};
	cyclic_probe = (struct kretprobe){
		.kp.symbol_name = "idr_alloc_cyclic", .entry_handler = on_alloc_cyclic, .handler = on_result,
		.data_size = call_size,
	};
	cursor_probe = (struct kretprobe){
		.kp.symbol_name = "pid_ns_ctl_handler", .entry_handler = on_cursor_write,
		.handler = on_cursor_written, .data_size = sizeof(kt_key), .maxactive = 64,
	};
}

/* Called by the core under a mutex of its own, and alternating with kt_host_lockstep_off(). */
int kt_host_lockstep_on(void)
{
	int err;

	prepare_probes();
	err = register_kretprobes(return_probes, RETURN_PROBES);
	if (err) {
		pr_err("no return probe on one of idr_alloc, idr_alloc_cyclic, pid_ns_ctl_handler (%d): no lockstep on this kernel\n",
		       err);
		return err;
	}
	err = register_kprobes(probes, ARRAY_SIZE(probes));
	if (err) {
		pr_err("no probe on one of alloc_pid, idr_remove, idr_destroy (%d): no lockstep on this kernel\n", err);
		unregister_kretprobes(return_probes, RETURN_PROBES);
	}
	return err;
}

void kt_host_lockstep_off(void)
{
	unregister_kprobes(probes, ARRAY_SIZE(probes));
	unregister_kretprobes(return_probes, RETURN_PROBES);
}

__u64 kt_host_lockstep_missed(void)
{
	u64 missed = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		missed += READ_ONCE(probes[i]->nmissed);
	for (i = 0; i < RETURN_PROBES; i++)
		missed += (u64)READ_ONCE(return_probes[i]->nmissed) + READ_ONCE(return_probes[i]->kp.nmissed);
	return missed;
}

/* One at a time: the core calls it under the mutex under which it switches. */
bool kt_host_lockstep_alive(void)
{
	int before = atomic_read(&beats);

	idr_alloc(&heartbeat, &heartbeat_value, 0, 0, GFP_KERNEL);
	idr_alloc_cyclic(&heartbeat, &heartbeat_value, 0, 0, GFP_KERNEL);
	idr_remove(&heartbeat, 0);
	idr_destroy(&heartbeat);
	return atomic_read(&beats) - before == BEATS_A_ROUND;
}
