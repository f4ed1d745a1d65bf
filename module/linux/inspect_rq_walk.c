// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk over what is queued, under rq->__lock with interrupts off: nothing here may print, allocate, sleep or fault.
 * Each node is written once; there are no more than the snapshot has room for, and each step of each walk makes one, so
 * that a list that runs in a circle ends too.
 *
 * Groups are expanded in the order in which they are met, without recursion: the array of nodes is the list of what is
 * to be done.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/prio.h>
#include <linux/sched/task.h>

#include "inspect_rq.h"

struct walk {
	struct ktwin_rq_snapshot *snapshot;
	void *rq;
	u32 parent;	/* whose children are being listed */
	u64 now;
	bool broken;
};

/* NULL: no more room. */
static struct ktwin_rq_node *add_node(struct walk *walk, u32 class)
{
	struct ktwin_rq_snapshot *snapshot = walk->snapshot;
	struct ktwin_rq_node *node, *parent = &snapshot->nodes[walk->parent];

	if (snapshot->count == snapshot->capacity) {
		snapshot->cpu.flags |= KTWIN_RQ_TRUNCATED;
		return NULL;
	}
	node = &snapshot->nodes[snapshot->count++];
	*node = (struct ktwin_rq_node){
		.parent = walk->parent, .class = class, .depth = parent->depth,
		.flags = parent->flags & KTWIN_RQ_TASK_THROTTLED,
	};
	parent->count++;
	return node;
}

static bool add_group(struct walk *walk, u32 class, const void *queue, struct ktwin_rq_node **to)
{
	*to = add_node(walk, class);
	if (!*to)
		return false;
	(*to)->queue = queue;
	(*to)->depth++;
	return true;
}

static void copy_figures(const struct walk *walk, struct task_struct *task, struct ktwin_rq_node *node)
{
	node->policy = task->policy;
	node->prio = task->prio;
	node->static_prio = task->static_prio;
	node->normal_prio = task->normal_prio;
	if (task->prio < task->normal_prio)
		node->flags |= KTWIN_RQ_TASK_BOOSTED;
#ifdef CONFIG_SCHED_INFO
	node->run_delay = task->sched_info.run_delay;
	node->pcount = task->sched_info.pcount;
	node->last_arrival = task->sched_info.last_arrival;
	if (task->sched_info.last_queued && walk->now > task->sched_info.last_queued)
		node->queued_ns = walk->now - task->sched_info.last_queued;
#endif
}

static bool add_task(struct walk *walk, u32 class, struct task_struct *task, struct ktwin_rq_node **to)
{
	if (task_cpu(task) != walk->snapshot->cpu.cpu || !task->on_rq) {
		walk->broken = true;
		return false;
	}
	*to = add_node(walk, class);
	if (!*to)
		return false;
	(*to)->task = get_task_struct(task);
	if (task == walk->snapshot->curr)
		(*to)->flags |= KTWIN_RQ_TASK_RUNNING;
	copy_figures(walk, task, *to);
	return true;
}

/* --- stop ------------------------------------------------------------------------------------------------------ */

static void walk_stop(struct walk *walk)
{
	struct task_struct *stop = walk->snapshot->stop;
	struct ktwin_rq_node *node;

	if (stop && stop->on_rq)
		add_task(walk, KTWIN_SCHED_STOP, stop, &node);
}

/* --- deadline -------------------------------------------------------------------------------------------------- */

/* Newer kernels queue a server here that is no task but part of the rq itself, and runs the fair class. */
static bool is_server(const struct walk *walk, const struct sched_dl_entity *se)
{
	return (char *)se >= (char *)walk->rq && (char *)se < (char *)walk->rq + ktwin_rq_size;
}

static void walk_deadline(struct walk *walk, const void *dl)
{
	struct rb_root_cached *root = ktwin_rq_field(dl, KT_FIELD_DL_RQ_ROOT);
	struct ktwin_rq_node *node;
	struct rb_node *at;

	for (at = rb_first_cached(root); at; at = rb_next(at)) {
		struct sched_dl_entity *se = rb_entry(at, struct sched_dl_entity, rb_node);

		if (is_server(walk, se)) {
			walk->snapshot->cpu.flags |= KTWIN_RQ_SERVER;
			continue;
		}
		if (!add_task(walk, KTWIN_SCHED_DEADLINE, container_of(se, struct task_struct, dl), &node))
			return;
		node->deadline = se->deadline;
		node->slice = max_t(s64, se->runtime, 0);
	}
}

/* --- real time ------------------------------------------------------------------------------------------------- */

static bool add_rt(struct walk *walk, struct sched_rt_entity *se)
{
	struct ktwin_rq_node *node;

#ifdef CONFIG_RT_GROUP_SCHED
	if (se->my_q)
		return add_group(walk, KTWIN_SCHED_RT, se->my_q, &node);
#endif
	if (!add_task(walk, KTWIN_SCHED_RT, container_of(se, struct task_struct, rt), &node))
		return false;
	if (node->policy == SCHED_RR)
		node->slice = (u64)se->time_slice * TICK_NSEC;
	return true;
}

static void walk_rt(struct walk *walk, const void *rt)
{
	const void *array = ktwin_rq_field(rt, KT_FIELD_RT_RQ_ACTIVE);
	const unsigned long *bitmap = ktwin_rq_field(array, KT_FIELD_RT_PRIO_ARRAY_BITMAP);
	struct list_head *queues = ktwin_rq_field(array, KT_FIELD_RT_PRIO_ARRAY_QUEUE);
	struct list_head *at;
	unsigned int prio;

	for_each_set_bit(prio, bitmap, MAX_RT_PRIO) {
		list_for_each(at, &queues[prio]) {
			if (!add_rt(walk, list_entry(at, struct sched_rt_entity, run_list)))
				return;
		}
	}
}

/* --- fair ------------------------------------------------------------------------------------------------------ */

static const void *group_queue(const struct sched_entity *se)
{
#ifdef CONFIG_FAIR_GROUP_SCHED
	return se->my_q;
#else
	return NULL;
#endif
}

static void copy_fair(const struct sched_entity *se, u64 zero, struct ktwin_rq_node *node)
{
	node->weight = max(2UL, se->load.weight >> SCHED_FIXEDPOINT_SHIFT);
	node->vruntime = se->vruntime;
	node->key = se->vruntime - zero;
	if (!ktwin_rq_has(KT_FIELD_SCHED_ENTITY_DEADLINE))
		return;
	node->deadline = KTWIN_RQ_READ(u64, se, SCHED_ENTITY_DEADLINE);
	node->slice = KTWIN_RQ_READ(u64, se, SCHED_ENTITY_SLICE);
}

static bool add_fair(struct walk *walk, struct sched_entity *se, u64 zero, struct ktwin_rq_node **node)
{
	const void *queue = group_queue(se);

	if (queue) {
		if (!add_group(walk, KTWIN_SCHED_FAIR, queue, node))
			return false;
	} else if (!add_task(walk, KTWIN_SCHED_FAIR, container_of(se, struct task_struct, se), node)) {
		return false;
	}
	copy_fair(se, zero, *node);
	if (ktwin_rq_has(KT_FIELD_SCHED_ENTITY_SCHED_DELAYED) && KTWIN_RQ_READ(u8, se, SCHED_ENTITY_SCHED_DELAYED))
		(*node)->flags |= KTWIN_RQ_TASK_DELAYED;
	return true;
}

/*
 * The one that runs stands outside of the tree, and is added behind it: of two that are equal the tree's is picked.
 * Until its slice is over EEVDF keeps it, which it notes in vlag, of no other use meanwhile (RUN_TO_PARITY).
 */
static void add_current(struct walk *walk, const void *cfs, u64 zero)
{
	struct sched_entity *curr = KTWIN_RQ_READ(struct sched_entity *, cfs, CFS_RQ_CURR);
	struct ktwin_rq_node *node;

	if (!curr || !curr->on_rq || !add_fair(walk, curr, zero, &node))
		return;
	if (ktwin_rq_has(KT_FIELD_SCHED_ENTITY_VLAG))
		node->protected = KTWIN_RQ_READ(u64, curr, SCHED_ENTITY_VLAG) == node->deadline;
}

static void walk_fair(struct walk *walk, const void *cfs)
{
	struct rb_root_cached *root = ktwin_rq_field(cfs, KT_FIELD_CFS_RQ_TASKS_TIMELINE);
	u64 zero = KTWIN_RQ_READ(u64, cfs, CFS_RQ_ZERO_VRUNTIME);
	const struct sched_entity *buddy = NULL;
	struct ktwin_rq_node *node;
	struct rb_node *at;

	if (ktwin_rq_has(KT_FIELD_CFS_RQ_NEXT))
		buddy = KTWIN_RQ_READ(struct sched_entity *, cfs, CFS_RQ_NEXT);
	for (at = rb_first_cached(root); at; at = rb_next(at)) {
		struct sched_entity *se = rb_entry(at, struct sched_entity, run_node);

		if (!add_fair(walk, se, zero, &node))
			return;
		if (se == buddy)
			node->flags |= KTWIN_RQ_TASK_BUDDY;
	}
	add_current(walk, cfs, zero);
}

static bool is_throttled(const struct sched_entity *se)
{
#ifdef CONFIG_FAIR_GROUP_SCHED
	return KTWIN_RQ_READ(int, se->cfs_rq, CFS_RQ_THROTTLE_COUNT) > 0;
#else
	return false;
#endif
}

/*
 * A group that has used up its bandwidth is taken off the queue as a whole; its tasks stay on the list of all fair
 * tasks of the CPU. Bounded by steps, not nodes: most steps make none.
 */
static void walk_throttled(struct walk *walk)
{
	struct list_head *tasks = ktwin_rq_field(walk->rq, KT_FIELD_RQ_CFS_TASKS);
	struct ktwin_rq_node *node;
	struct list_head *at;
	u32 steps = 0;

	if (!ktwin_rq_has(KT_FIELD_CFS_RQ_THROTTLE_COUNT))
		return;
	list_for_each(at, tasks) {
		struct sched_entity *se = list_entry(at, struct sched_entity, group_node);

		if (++steps > KTWIN_RQ_NODES_MAX)
			break;
		if (is_throttled(se) && !add_fair(walk, se, 0, &node))
			return;
	}
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

static void expand(struct walk *walk, u32 index)
{
	struct ktwin_rq_node *node = &walk->snapshot->nodes[index];

	walk->parent = index;
	node->first = walk->snapshot->count;
	if (index == KTWIN_RQ_ROOT_STOP)
		walk_stop(walk);
	else if (index == KTWIN_RQ_ROOT_THROTTLED)
		walk_throttled(walk);
	else if (node->class == KTWIN_SCHED_DEADLINE)
		walk_deadline(walk, node->queue);
	else if (node->class == KTWIN_SCHED_RT)
		walk_rt(walk, node->queue);
	else
		walk_fair(walk, node->queue);
}

static void plant_roots(struct ktwin_rq_snapshot *snapshot, const void *rq)
{
	static const u32 classes[] = {
		KTWIN_SCHED_STOP, KTWIN_SCHED_DEADLINE, KTWIN_SCHED_RT, KTWIN_SCHED_FAIR, KTWIN_SCHED_FAIR,
	};
	u32 i;

	for (i = 0; i < KTWIN_RQ_ROOTS; i++)
		snapshot->nodes[i] = (struct ktwin_rq_node){ .class = classes[i], .parent = KTWIN_RQ_NONE };
	snapshot->nodes[KTWIN_RQ_ROOT_DEADLINE].queue = ktwin_rq_field(rq, KT_FIELD_RQ_DL);
	snapshot->nodes[KTWIN_RQ_ROOT_RT].queue = ktwin_rq_field(rq, KT_FIELD_RQ_RT);
	snapshot->nodes[KTWIN_RQ_ROOT_FAIR].queue = ktwin_rq_field(rq, KT_FIELD_RQ_CFS);
	snapshot->nodes[KTWIN_RQ_ROOT_THROTTLED].flags = KTWIN_RQ_TASK_THROTTLED;
	if (snapshot->cpu.flags & KTWIN_RQ_RT_THROTTLED)
		snapshot->nodes[KTWIN_RQ_ROOT_RT].flags = KTWIN_RQ_TASK_THROTTLED;
	snapshot->count = KTWIN_RQ_ROOTS;
}

static void copy_numbers(struct ktwin_rq_cpu *cpu, const void *rq)
{
	const void *rt = ktwin_rq_field(rq, KT_FIELD_RQ_RT);

	cpu->nr_running = KTWIN_RQ_READ(u32, rq, RQ_NR_RUNNING);
	cpu->nr_switches = KTWIN_RQ_READ(u64, rq, RQ_NR_SWITCHES);
	cpu->clock_ns = KTWIN_RQ_READ(u64, rq, RQ_CLOCK);
	cpu->nr_deadline = KTWIN_RQ_READ(u32, ktwin_rq_field(rq, KT_FIELD_RQ_DL), DL_RQ_DL_NR_RUNNING);
	cpu->nr_rt = KTWIN_RQ_READ(u32, rt, RT_RQ_RT_NR_RUNNING);
	cpu->nr_fair = KTWIN_RQ_READ(u32, ktwin_rq_field(rq, KT_FIELD_RQ_CFS), CFS_RQ_H_NR_QUEUED);
	if (ktwin_rq_has(KT_FIELD_RT_RQ_RT_THROTTLED) && KTWIN_RQ_READ(int, rt, RT_RQ_RT_THROTTLED))
		cpu->flags |= KTWIN_RQ_RT_THROTTLED;
}

static struct task_struct *reference(struct task_struct *task)
{
	return task ? get_task_struct(task) : NULL;
}

int ktwin_rq_walk(struct ktwin_rq_snapshot *snapshot, void *rq)
{
	struct walk walk = { .snapshot = snapshot, .rq = rq, .now = sched_clock_cpu(snapshot->cpu.cpu) };
	u32 i;

	if (KTWIN_RQ_READ(int, rq, RQ_CPU) != snapshot->cpu.cpu)
		return -EUCLEAN;
	copy_numbers(&snapshot->cpu, rq);
	snapshot->curr = reference(KTWIN_RQ_READ(struct task_struct *, rq, RQ_CURR));
	snapshot->idle = reference(KTWIN_RQ_READ(struct task_struct *, rq, RQ_IDLE));
	snapshot->stop = reference(KTWIN_RQ_READ(struct task_struct *, rq, RQ_STOP));
	plant_roots(snapshot, rq);
	for (i = 0; i < snapshot->count && !walk.broken; i++) {
		if (snapshot->nodes[i].queue || i < KTWIN_RQ_ROOTS)
			expand(&walk, i);
	}
	return walk.broken ? -EUCLEAN : 0;
}
