// SPDX-License-Identifier: GPL-2.0-only
/*
 * host_api.h: the kernel's own wait queue as a backend of the laboratory, called as its users call it.
 *
 * An entry is on the sleeper's stack, from its first prepare to its finish; finish_wait() takes the queue's lock
 * whenever the entry may still be on the list, so no waker touches it after that.
 */
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "ktwin.h"

/* What a wake call and the entries' wake function say to each other. */
struct lab_key {
	const struct kt_wake_call *call;
	u32 woken;
};

struct lab_waitq {
	wait_queue_head_t head;
	/* Of a call that has no way to pass it, under the head's lock from first to last. */
	struct lab_key *locked_key;
};

struct lab_entry {
	wait_queue_entry_t entry;
	u64 since_ns;
	struct kt_selected *selected;
	struct lab_waitq *queue;
};

static struct lab_entry *lab_entry(struct kt_host_waitq_entry *entry)
{
	BUILD_BUG_ON(sizeof(struct lab_entry) > sizeof(*entry));
	return (struct lab_entry *)entry->opaque;
}

/* Under the head's lock: one wake call at a time. */
static int lab_wake(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	struct lab_entry *lab = container_of(entry, struct lab_entry, entry);
	struct lab_key *wake = key ? key : lab->queue->locked_key;
	int woken;

	if (!wake->call->sequence && !READ_ONCE(lab->selected->leave))
		return 0;
	if (wake->call->exclusive_only && !(entry->flags & WQ_FLAG_EXCLUSIVE))
		return 0;
	woken = default_wake_function(entry, mode, flags, NULL);
	if (woken <= 0)
		return woken;
	if (wake->call->sequence) {
		lab->selected->sequence = wake->call->sequence;
		lab->selected->mode = wake->call->mode;
		lab->selected->order = ++*wake->call->order;
		wake->woken++;
	}
	/* Last, as autoremove_wake_function() does it: finish_wait() lets the entry go when it finds it off the list. */
	list_del_init_careful(&entry->entry);
	return woken;
}

void *kt_host_waitq_create(void)
{
	struct lab_waitq *queue = kzalloc(sizeof(*queue), GFP_KERNEL);

	if (queue)
		init_waitqueue_head(&queue->head);
	return queue;
}

void kt_host_waitq_destroy(void *queue)
{
	kfree(queue);
}

void kt_host_waitq_entry_init(struct kt_host_waitq_entry *entry, __u64 since_ns, struct kt_selected *selected)
{
	struct lab_entry *lab = lab_entry(entry);

	init_wait_entry(&lab->entry, 0);
	lab->entry.func = lab_wake;
	lab->since_ns = since_ns;
	lab->selected = selected;
}

void kt_host_waitq_prepare(void *queue, struct kt_host_waitq_entry *entry, __u32 kind, __u32 state)
{
	struct lab_waitq *waitq = queue;
	struct lab_entry *lab = lab_entry(entry);

	lab->queue = waitq;
	if (kind == KT_WAIT_EXCLUSIVE) {
		prepare_to_wait_exclusive(&waitq->head, &lab->entry, state);
	} else if (kind == KT_WAIT_SHARED) {
		prepare_to_wait(&waitq->head, &lab->entry, state);
	} else {
		/* The kernel has no prepare for it. A waker that takes it off meanwhile has set the state. */
		if (list_empty_careful(&lab->entry.entry))
			add_wait_queue_priority(&waitq->head, &lab->entry);
		set_current_state(state);
	}
}

void kt_host_waitq_finish(void *queue, struct kt_host_waitq_entry *entry)
{
	struct lab_waitq *waitq = queue;

	finish_wait(&waitq->head, &lab_entry(entry)->entry);
}

__u32 kt_host_waitq_wake(void *queue, const struct kt_wake_call *call)
{
	struct lab_waitq *waitq = queue;
	struct lab_key key = { .call = call };
	unsigned long flags;

	if (call->locked) {
		spin_lock_irqsave(&waitq->head.lock, flags);
		waitq->locked_key = &key;
		if (call->flags & KT_WAKE_SYNC)
			__wake_up_locked_sync_key(&waitq->head, call->mode, &key);
		else
			__wake_up_locked(&waitq->head, call->mode, call->nr);
		waitq->locked_key = NULL;
		spin_unlock_irqrestore(&waitq->head.lock, flags);
	} else if (call->flags & KT_WAKE_SYNC) {
		__wake_up_sync_key(&waitq->head, call->mode, &key);
	} else {
		__wake_up(&waitq->head, call->mode, call->nr, &key);
	}
	return key.woken;
}

bool kt_host_waitq_active(void *queue)
{
	struct lab_waitq *waitq = queue;

	return wq_has_sleeper(&waitq->head);
}

__u32 kt_host_waitq_list(void *queue, struct kt_waiter *to, __u32 room)
{
	struct lab_waitq *waitq = queue;
	wait_queue_entry_t *entry;
	unsigned long flags;
	u32 count = 0;

	spin_lock_irqsave(&waitq->head.lock, flags);
	list_for_each_entry(entry, &waitq->head.head, entry) {
		/* 6.1 marks its place in a long wake with an entry that has no function. */
		if (entry->func != lab_wake)
			continue;
		if (count < room) {
			to[count] = (struct kt_waiter){
				.task = ktwin_key(entry->private),
				.since_ns = container_of(entry, struct lab_entry, entry)->since_ns,
			};
			if (entry->flags & WQ_FLAG_EXCLUSIVE)
				to[count].flags |= KTWIN_WAITER_EXCLUSIVE;
			if (entry->flags & WQ_FLAG_PRIORITY)
				to[count].flags |= KTWIN_WAITER_PRIORITY;
		}
		count++;
	}
	spin_unlock_irqrestore(&waitq->head.lock, flags);
	return count;
}
