// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order in which a class would pick what is queued: the first is whom it would pick now, the second whom it would
 * pick then if the first were gone, and so on, as if no time passed. What is in a group comes where the group is
 * picked. On a copy, outside of the lock.
 *
 * Deadline and real-time queues are kept in that order. The fair class of old picks the least vruntime. EEVDF picks,
 * of those whose vruntime is not beyond the weighted average of all (the eligible ones), the earliest virtual deadline;
 * take one away that was eligible, and the average of the rest can only grow. So those that become eligible do so in
 * the order of their vruntimes, and one sweep over these with a heap of the eligible by deadline does it.
 *
 * After kernel/sched/fair.c: entity_before(), pick_eevdf(), vruntime_eligible(), avg_vruntime().
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/sort.h>

#include "inspect_rq.h"

/* The sums that decide who is eligible: avg_vruntime and avg_load of a cfs_rq, curr included. */
struct load {
	s64 sum;
	s64 weight;
};

static bool is_eligible(const struct load *load, const struct ktwin_rq_node *node)
{
	return load->sum >= node->key * load->weight;
}

static int by_vruntime(const void *a, const void *b, const void *arg)
{
	const struct ktwin_rq_snapshot *snapshot = arg;
	u32 left = *(const u32 *)a, right = *(const u32 *)b;
	s64 delta = snapshot->nodes[left].key - snapshot->nodes[right].key;

	if (delta)
		return delta < 0 ? -1 : 1;
	/* In the order they were met, as sort() is not stable. */
	return left < right ? -1 : left > right;
}

/* --- a heap of indices, the earliest deadline on top -------------------------------------------------------------- */

struct heap {
	const struct ktwin_rq_node *nodes;
	u32 *at;
	u32 count;
};

static bool is_before(const struct heap *heap, u32 left, u32 right)
{
	s64 delta = heap->nodes[left].deadline - heap->nodes[right].deadline;

	return delta ? delta < 0 : left < right;
}

static void heap_push(struct heap *heap, u32 index)
{
	u32 hole = heap->count++;

	while (hole && is_before(heap, index, heap->at[(hole - 1) / 2])) {
		heap->at[hole] = heap->at[(hole - 1) / 2];
		hole = (hole - 1) / 2;
	}
	heap->at[hole] = index;
}

static u32 heap_pop(struct heap *heap)
{
	u32 top = heap->at[0], last = heap->at[--heap->count], hole = 0, child;

	while ((child = 2 * hole + 1) < heap->count) {
		if (child + 1 < heap->count && is_before(heap, heap->at[child + 1], heap->at[child]))
			child++;
		if (!is_before(heap, heap->at[child], last))
			break;
		heap->at[hole] = heap->at[child];
		hole = child;
	}
	heap->at[hole] = last;
	return top;
}

/* --- fair --------------------------------------------------------------------------------------------------------- */

static struct load weigh(struct ktwin_rq_snapshot *snapshot, const struct ktwin_rq_node *group)
{
	struct load load = {};
	u32 i;

	for (i = group->first; i < group->first + group->count; i++) {
		load.sum += snapshot->nodes[i].key * (s64)snapshot->nodes[i].weight;
		load.weight += snapshot->nodes[i].weight;
	}
	return load;
}

/* How far each is behind the average, which is what the queue owes it. */
static void judge(struct ktwin_rq_snapshot *snapshot, const struct ktwin_rq_node *group, const struct load *load)
{
	/* The kernel's division rounds down. */
	s64 floor = load->sum < 0 ? load->sum - (load->weight - 1) : load->sum;
	s64 average = div64_s64(floor, load->weight);
	u32 i;

	for (i = group->first; i < group->first + group->count; i++) {
		struct ktwin_rq_node *node = &snapshot->nodes[i];

		node->lag = average - node->key;
		if (is_eligible(load, node))
			node->flags |= KTWIN_RQ_TASK_ELIGIBLE;
	}
}

/* The one that runs and is not to be preempted yet goes first, if it is eligible. */
static u32 find_protected(const struct ktwin_rq_snapshot *snapshot, const struct ktwin_rq_node *group)
{
	u32 last = group->first + group->count - 1;

	return snapshot->nodes[last].protected && (snapshot->nodes[last].flags & KTWIN_RQ_TASK_ELIGIBLE) ?
	       last : KTWIN_RQ_NONE;
}

/* sorted: the children by vruntime. */
static void sweep(struct ktwin_rq_snapshot *snapshot, const struct ktwin_rq_node *group, struct load load,
		  const u32 *sorted)
{
	struct heap heap = { .nodes = snapshot->nodes, .at = snapshot->scratch + snapshot->capacity };
	u32 first = find_protected(snapshot, group), *to = snapshot->order + group->first;
	u32 next = 0, picked;

	while (next < group->count || heap.count) {
		while (next < group->count && is_eligible(&load, &snapshot->nodes[sorted[next]]))
			heap_push(&heap, sorted[next++]);
		/* Beyond what 64 bits can weigh none may be eligible: then the leftmost. */
		if (!heap.count)
			heap_push(&heap, sorted[next++]);
		picked = heap_pop(&heap);
		load.sum -= snapshot->nodes[picked].key * (s64)snapshot->nodes[picked].weight;
		load.weight -= snapshot->nodes[picked].weight;
		*to++ = picked;
	}
	if (first == KTWIN_RQ_NONE)
		return;
	for (to = snapshot->order + group->first; *to != first; to++)
		;
	memmove(snapshot->order + group->first + 1, snapshot->order + group->first,
		(to - (snapshot->order + group->first)) * sizeof(*to));
	snapshot->order[group->first] = first;
}

static void order_fair(struct ktwin_rq_snapshot *snapshot, const struct ktwin_rq_node *group)
{
	struct load load = weigh(snapshot, group);
	u32 *sorted = snapshot->scratch;
	u32 i;

	judge(snapshot, group, &load);
	for (i = 0; i < group->count; i++)
		sorted[i] = group->first + i;
	sort_r(sorted, group->count, sizeof(*sorted), by_vruntime, NULL, snapshot);
	if (snapshot->cpu.flags & KTWIN_RQ_EEVDF)
		sweep(snapshot, group, load, sorted);
	else
		memcpy(snapshot->order + group->first, sorted, group->count * sizeof(*sorted));
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

void ktwin_rq_order(struct ktwin_rq_snapshot *snapshot)
{
	u32 i, k;

	for (i = 0; i < snapshot->count; i++) {
		struct ktwin_rq_node *group = &snapshot->nodes[i];

		if (!group->count)
			continue;
		/* Throttled tasks are of many queues: they have no order between them. */
		for (k = group->first; k < group->first + group->count; k++)
			snapshot->order[k] = k;
		if (group->class == KTWIN_SCHED_FAIR && i != KTWIN_RQ_ROOT_THROTTLED)
			order_fair(snapshot, group);
		for (k = group->first; k < group->first + group->count; k++)
			snapshot->nodes[snapshot->order[k]].place = k;
	}
}

u32 ktwin_rq_first(const struct ktwin_rq_snapshot *snapshot, enum ktwin_rq_root root)
{
	return snapshot->nodes[root].count ? snapshot->nodes[root].first : KTWIN_RQ_NONE;
}

u32 ktwin_rq_next(const struct ktwin_rq_snapshot *snapshot, u32 place)
{
	const struct ktwin_rq_node *node = ktwin_rq_at_place(snapshot, place), *parent;

	if (node->count)
		return node->first;
	for (;; node = parent) {
		parent = &snapshot->nodes[node->parent];
		if (node->place + 1 < parent->first + parent->count)
			return node->place + 1;
		if (parent->parent == KTWIN_RQ_NONE)
			return KTWIN_RQ_NONE;
	}
}
