// SPDX-License-Identifier: GPL-2.0-only
/*
 * The longest time a queue's lock is held. ktwin's lock is watched where it is taken and given back. Of the kernel's queue
 * it is the longest run of __wake_up_common(), which is all the kernel does under the lock in a wake call, seen by a
 * return probe: one reading of the clock a section, none an entry.
 */
#include <linux/jump_label.h>
#include <linux/kprobes.h>

#include "bench_wait.h"
#include "compat/regs.h"
#include "lock_watch.h"

DEFINE_STATIC_KEY_FALSE(ktwin_lock_watched);

/* Written under the lock that is watched, or between begin and end; begin and end are on the waker's CPU. */
static struct {
	const struct kt_host_lock *twin;
	const wait_queue_head_t *kernel;
	u64 since;
	u64 longest;
	u32 sections;
} watch;

static void section_ends(void)
{
	u64 held = bench_clock() - watch.since;

	watch.longest = max(watch.longest, held);
	watch.sections++;
}

void ktwin_lock_taken(const struct kt_host_lock *lock)
{
	if (lock == READ_ONCE(watch.twin))
		watch.since = bench_clock();
}

void ktwin_lock_left(const struct kt_host_lock *lock)
{
	if (lock == READ_ONCE(watch.twin))
		section_ends();
}

/* Not 0: its return is nobody's business. */
static int common_entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if ((const wait_queue_head_t *)kt_arg0(regs) != READ_ONCE(watch.kernel))
		return 1;
	watch.since = bench_clock();
	return 0;
}
NOKPROBE_SYMBOL(common_entered);

static int common_returned(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	section_ends();
	return 0;
}
NOKPROBE_SYMBOL(common_returned);

/* As many at once as there can be on a few CPUs: a task, what interrupts it, and what interrupts that. */
static struct kretprobe common_probe;

int bench_hold_open(void)
{
	/* A probe that was registered cannot be registered again as it is. */
	common_probe = (struct kretprobe) {
		.kp.symbol_name = "__wake_up_common",
		.entry_handler = common_entered,
		.handler = common_returned,
		.maxactive = 64,
	};
	if (register_kretprobe(&common_probe))
		return -ENODEV;
	static_branch_enable(&ktwin_lock_watched);
	return 0;
}

void bench_hold_close(void)
{
	static_branch_disable(&ktwin_lock_watched);
	unregister_kretprobe(&common_probe);
}

void bench_hold_begin(const struct bench_queue *queue)
{
	watch.longest = 0;
	watch.sections = 0;
	common_probe.nmissed = 0;
	WRITE_ONCE(watch.twin, queue->twin ? kt_core_waitq_lock(queue->twin) : NULL);
	WRITE_ONCE(watch.kernel, queue->twin ? NULL : &queue->kernel);
}

bool bench_hold_end(u64 *longest)
{
	WRITE_ONCE(watch.twin, NULL);
	WRITE_ONCE(watch.kernel, NULL);
	*longest = watch.longest;
	return watch.sections && !common_probe.nmissed;
}
