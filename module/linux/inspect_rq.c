// SPDX-License-Identifier: GPL-2.0-only
/* One snapshot of a run queue: memory before, the lock around the walk alone, the order behind it. */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "inspect_rq.h"

/* For groups, throttled tasks, and who is queued between the look and the lock. */
#define SLACK	64U
/* A queue that grows faster than room can be made is shown in part. */
#define TRIES	3

static atomic64_t longest = ATOMIC64_INIT(0);

u64 ktwin_rq_longest(void)
{
	return atomic64_read(&longest);
}

static void note_hold(u64 hold_ns)
{
	s64 before = atomic64_read(&longest);

	while ((s64)hold_ns > before && !atomic64_try_cmpxchg(&longest, &before, hold_ns))
		;
}

static int make_room(struct ktwin_rq_snapshot *snapshot, u32 wanted)
{
	u32 capacity = min(wanted, KTWIN_RQ_NODES_MAX);

	if (capacity <= snapshot->capacity)
		return 0;
	ktwin_rq_free(snapshot);
	snapshot->nodes = kvmalloc_array(capacity, sizeof(*snapshot->nodes), GFP_KERNEL);
	snapshot->order = kvmalloc_array(capacity, sizeof(*snapshot->order), GFP_KERNEL);
	snapshot->scratch = kvmalloc_array(capacity, 2 * sizeof(*snapshot->scratch), GFP_KERNEL);
	if (!snapshot->nodes || !snapshot->order || !snapshot->scratch) {
		ktwin_rq_free(snapshot);
		return -ENOMEM;
	}
	snapshot->capacity = capacity;
	return 0;
}

void ktwin_rq_free(struct ktwin_rq_snapshot *snapshot)
{
	kvfree(snapshot->nodes);
	kvfree(snapshot->order);
	kvfree(snapshot->scratch);
	*snapshot = (struct ktwin_rq_snapshot){};
}

static void put_task(struct task_struct **task)
{
	if (*task)
		put_task_struct(*task);
	*task = NULL;
}

void ktwin_rq_put(struct ktwin_rq_snapshot *snapshot)
{
	u32 i;

	for (i = 0; i < snapshot->count; i++)
		put_task(&snapshot->nodes[i].task);
	snapshot->count = 0;
	put_task(&snapshot->curr);
	put_task(&snapshot->idle);
	put_task(&snapshot->stop);
}

/* With interrupts off, but for nothing that was not measured. */
static int walk_locked(struct ktwin_rq_snapshot *snapshot, void *rq,
		       void (*visit)(const struct ktwin_rq_snapshot *snapshot, void *arg), void *arg)
{
	raw_spinlock_t *lock = ktwin_rq_field(rq, KT_FIELD_RQ_LOCK);
	unsigned long flags;
	u64 since;
	int err;

	raw_spin_lock_irqsave(lock, flags);
	since = ktime_get_mono_fast_ns();
	err = ktwin_rq_walk(snapshot, rq);
	if (!err && visit)
		visit(snapshot, arg);
	snapshot->cpu.hold_ns = ktime_get_mono_fast_ns() - since;
	raw_spin_unlock_irqrestore(lock, flags);
	note_hold(snapshot->cpu.hold_ns);
	return err;
}

static void start(struct ktwin_rq_snapshot *snapshot, int cpu)
{
	snapshot->cpu = (struct ktwin_rq_cpu){ .cpu = cpu };
	if (cpu_online(cpu))
		snapshot->cpu.flags |= KTWIN_RQ_ONLINE;
	if (ktwin_rq_has(KT_FIELD_SCHED_ENTITY_DEADLINE))
		snapshot->cpu.flags |= KTWIN_RQ_EEVDF;
}

int ktwin_rq_take(struct ktwin_rq_snapshot *snapshot, int cpu)
{
	return ktwin_rq_take_with(snapshot, cpu, NULL, NULL);
}

int ktwin_rq_take_with(struct ktwin_rq_snapshot *snapshot, int cpu,
		       void (*visit)(const struct ktwin_rq_snapshot *snapshot, void *arg), void *arg)
{
	void *rq = ktwin_rq_of(cpu);
	/* A guess; the lock is not held. */
	u32 wanted = READ_ONCE(KTWIN_RQ_READ(u32, rq, RQ_NR_RUNNING)) + SLACK;
	int try, err;

	for (try = 0; try < TRIES; try++) {
		err = make_room(snapshot, wanted);
		if (err)
			return err;
		start(snapshot, cpu);
		err = walk_locked(snapshot, rq, visit, arg);
		if (err) {
			ktwin_rq_put(snapshot);
			return err;
		}
		if (!(snapshot->cpu.flags & KTWIN_RQ_TRUNCATED) || snapshot->capacity == KTWIN_RQ_NODES_MAX ||
		    try == TRIES - 1)
			break;
		ktwin_rq_put(snapshot);
		wanted = snapshot->capacity * 4;
	}
	ktwin_rq_order(snapshot);
	return 0;
}
