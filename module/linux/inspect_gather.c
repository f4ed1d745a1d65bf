// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that hangs on the queues of a file: its own heads, then those of each epoll met on them, and so on. Each head is
 * listed at one instant; between two of them the system moves on.
 *
 * It ends: a head is listed once (an epoll that is met again only gets its link), epolls nest no deeper than DEPTH_MAX
 * (the kernel allows five), and the caller's room bounds the heads.
 */
#include <linux/file.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "inspect_wait.h"

#define DEPTH_MAX	5
#define CAPACITY_MIN	64U
/* A queue that grows faster than room can be made is shown in part. */
#define TRIES		4

static int grow(struct ktwin_gathered *gathered, u32 wanted)
{
	u32 capacity = min(max(wanted, CAPACITY_MIN), gathered->sleepers_room);
	struct ktwin_sleeper *larger;

	if (capacity <= gathered->capacity)
		return 0;
	larger = kvmalloc_array(capacity, sizeof(*larger), GFP_KERNEL);
	if (!larger)
		return -ENOMEM;
	memcpy(larger, gathered->sleepers, gathered->count * sizeof(*larger));
	kvfree(gathered->sleepers);
	gathered->sleepers = larger;
	gathered->capacity = capacity;
	return 0;
}

static bool is_listed(const struct ktwin_gathered *gathered, u64 hash)
{
	u32 i;

	for (i = 0; i < gathered->heads_count; i++) {
		if (gathered->heads[i].hash == hash)
			return true;
	}
	return false;
}

/* Lists the queue behind what is there; returns how many waiters it had and, through listed, how many are. */
static int list(struct ktwin_gathered *gathered, const struct ktwin_wait_queue *queue, u32 *total, u32 *listed)
{
	int try, err;

	for (try = 0; try < TRIES; try++) {
		u32 room = gathered->capacity - gathered->count;

		*total = ktwin_queue_list(queue, gathered->sleepers + gathered->count, room);
		*listed = min(*total, room);
		if (*total <= room || gathered->capacity == gathered->sleepers_room || try == TRIES - 1)
			break;
		ktwin_sleepers_put(gathered->sleepers + gathered->count, *listed);
		err = grow(gathered, gathered->count + *total + *total / 4);
		if (err)
			return err;
	}
	return 0;
}

static int add_queue(struct ktwin_gathered *gathered, const struct ktwin_wait_queue *queue, u64 parent, u32 depth)
{
	u64 hash = kt_host_hash_key(ktwin_key(queue->head));
	struct ktwin_wait_head *head;
	u32 total, listed, i;
	int err;

	if (is_listed(gathered, hash))
		return 0;
	if (gathered->heads_count == gathered->heads_room) {
		gathered->flags |= KTWIN_WAITERS_MORE_HEADS;
		return 0;
	}
	err = list(gathered, queue, &total, &listed);
	if (err)
		return err;
	head = &gathered->heads[gathered->heads_count];
	*head = (struct ktwin_wait_head){
		.hash = hash, .parent = parent, .fd = depth ? -1 : gathered->fd, .waiters = total, .depth = depth,
	};
	if (listed < total) {
		head->flags |= KTWIN_HEAD_TRUNCATED;
		gathered->flags |= KTWIN_WAITERS_MORE;
	}
	for (i = 0; i < listed; i++)
		gathered->sleepers[gathered->count++].head = gathered->heads_count;
	gathered->heads_count++;
	return 0;
}

/* The queues of the epoll that this sleeper is. */
static int add_epoll(struct ktwin_gathered *gathered, const struct ktwin_sleeper *sleeper)
{
	const struct ktwin_wait_head *head = &gathered->heads[sleeper->head];
	struct ktwin_wait_queue queues[KTWIN_EPOLL_QUEUES];
	u64 parent = head->hash;
	u32 depth = head->depth + 1;
	int i, err;

	if (depth > DEPTH_MAX) {
		gathered->flags |= KTWIN_WAITERS_MORE_HEADS;
		return 0;
	}
	err = ktwin_epoll_queues(sleeper->epoll, queues);
	if (err)
		return 0;
	for (i = 0; i < KTWIN_EPOLL_QUEUES && !err; i++)
		err = add_queue(gathered, &queues[i], parent, depth);
	return err;
}

int ktwin_gather(struct ktwin_gathered *gathered, const struct ktwin_file_queues *from)
{
	int err;
	u32 i;

	err = grow(gathered, CAPACITY_MIN);
	for (i = 0; i < from->count && !err; i++)
		err = add_queue(gathered, &from->queues[i], 0, 0);
	/* What is added meanwhile stands behind and gets its turn. */
	for (i = 0; i < gathered->count && !err; i++) {
		if (!gathered->sleepers[i].epoll)
			continue;
		err = add_epoll(gathered, &gathered->sleepers[i]);
		cond_resched();
		if (fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

void ktwin_gathered_free(struct ktwin_gathered *gathered)
{
	ktwin_sleepers_put(gathered->sleepers, gathered->count);
	kvfree(gathered->sleepers);
	kvfree(gathered->heads);
}
