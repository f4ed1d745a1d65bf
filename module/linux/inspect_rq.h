/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU's run queue, copied at one instant under its own lock, and put in order afterwards.
 *
 * Lifetimes. What is queued is alive: a task is taken off its queue, under the queue's lock, before its last switch,
 * and the reference that goes with that switch is given up behind it (finish_task_switch). One that is dying is never
 * left on a queue as delayed (DEQUEUE_SPECIAL). So under the lock a reference can be taken on each task that is met,
 * and on rq->curr, idle and stop; all else that is pointed to (cfs_rq, sched_entity of groups) is only looked at under
 * the lock, since task groups are taken off the queue, under the lock, before they are freed.
 *
 * An offline CPU's queue is as good as another: struct rq is static per-CPU data, set up at boot for each possible CPU
 * and never freed, and its lock is held for whatever is done to it. So no lock is held against hotplug, which would
 * make us wait for it, and it for us.
 */
#ifndef KTWIN_INSPECT_RQ_H
#define KTWIN_INSPECT_RQ_H

#include <linux/sched.h>

#include "ktwin.h"

/* What is listed of one queue at most, groups included: it bounds how long its lock is held. */
#define KTWIN_RQ_NODES_MAX	2048U

#define KTWIN_RQ_NONE		U32_MAX

/* The first nodes: what is queued in each class hangs on one of them. */
enum ktwin_rq_root {
	KTWIN_RQ_ROOT_STOP,
	KTWIN_RQ_ROOT_DEADLINE,
	KTWIN_RQ_ROOT_RT,
	KTWIN_RQ_ROOT_FAIR,
	KTWIN_RQ_ROOT_THROTTLED,	/* fair tasks in groups that are taken off the queue */
	KTWIN_RQ_ROOTS
};

/* A task or a group that is queued. The children of a group stand together in the array of nodes. */
struct ktwin_rq_node {
	struct task_struct *task;	/* with a reference; NULL: a group */
	const void *queue;		/* that a group owns; behind the lock only a name */
	u32 parent;			/* index of the group that it is queued in */
	u32 first, count;		/* children */
	u32 place;			/* in the order: see struct ktwin_rq_snapshot */
	u32 class, flags, policy, depth;
	int prio, static_prio, normal_prio;
	bool protected;			/* EEVDF: runs until its slice is over */
	unsigned long weight;
	s64 key;			/* vruntime, from its queue's zero */
	s64 lag;
	u64 vruntime, slice, deadline;
	u64 run_delay, pcount, last_arrival, queued_ns;
};

struct ktwin_rq_snapshot {
	struct ktwin_rq_cpu cpu;	/* numbers only; names and what is listed are the reader's */
	struct task_struct *curr, *idle, *stop;	/* with references; may be NULL */
	struct ktwin_rq_node *nodes;
	/* Of each group, in the places where its children stand in nodes: their indices as they would be picked. */
	u32 *order;
	u32 *scratch;			/* two for each node */
	u32 capacity, count;
};

/* inspect_rq_find.c */
/* 0, or -ENODATA: not on this kernel. */
int ktwin_rq_usable(void);
/* For a possible CPU; asked after ktwin_rq_usable(). */
void *ktwin_rq_of(int cpu);
/* Offsets as learnt, -1 for what this kernel does not have. */
extern int ktwin_rq_at[KT_FIELDS];
extern u32 ktwin_rq_size;		/* of struct rq */

static inline void *ktwin_rq_field(const void *base, enum kt_layout_field which)
{
	return (char *)base + ktwin_rq_at[which];
}

#define KTWIN_RQ_READ(type, base, field) (*(type *)ktwin_rq_field(base, KT_FIELD_##field))

static inline bool ktwin_rq_has(enum kt_layout_field which)
{
	return ktwin_rq_at[which] >= 0;
}

/* inspect_rq_walk.c: under the lock. 0 or -EUCLEAN: what was met cannot be, nothing is to be believed. */
int ktwin_rq_walk(struct ktwin_rq_snapshot *snapshot, void *rq);

/* inspect_rq_order.c */
void ktwin_rq_order(struct ktwin_rq_snapshot *snapshot);
/* The first place of what hangs on root, and the one behind place; KTWIN_RQ_NONE: no more. Groups have places too. */
u32 ktwin_rq_first(const struct ktwin_rq_snapshot *snapshot, enum ktwin_rq_root root);
u32 ktwin_rq_next(const struct ktwin_rq_snapshot *snapshot, u32 place);

static inline struct ktwin_rq_node *ktwin_rq_at_place(const struct ktwin_rq_snapshot *snapshot, u32 place)
{
	return &snapshot->nodes[snapshot->order[place]];
}

/* inspect_rq.c */
/* May sleep. The queue as it was at one instant, in order; 0, -ENOMEM, -EUCLEAN. */
int ktwin_rq_take(struct ktwin_rq_snapshot *snapshot, int cpu);
/* The same; visit sees it, not in order, still under the lock of the queue, and once more when there was no room for all. */
int ktwin_rq_take_with(struct ktwin_rq_snapshot *snapshot, int cpu,
		       void (*visit)(const struct ktwin_rq_snapshot *snapshot, void *arg), void *arg);
/* Gives up the references; the memory stays for the next one. */
void ktwin_rq_put(struct ktwin_rq_snapshot *snapshot);
void ktwin_rq_free(struct ktwin_rq_snapshot *snapshot);
/* The longest that any queue's lock was held since load. */
u64 ktwin_rq_longest(void);

/* inspect_rq_tell.c: for the eyes of a reader in viewer, by the rights of the caller. */
void ktwin_rq_tell_cpu(struct ktwin_rq_snapshot *snapshot, struct pid_namespace *viewer);
/*
 * May sleep. Each task that has a number in viewer, class by class, in pick order; the others are counted in
 * snapshot->cpu. What take returns, if it is not 0, ends it.
 */
long ktwin_rq_tell_tasks(struct ktwin_rq_snapshot *snapshot, struct pid_namespace *viewer,
			 long (*take)(const struct ktwin_rq_task *task, void *arg), void *arg);

#endif
