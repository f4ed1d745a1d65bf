// SPDX-License-Identifier: GPL-2.0-only
/*
 * alloc_pid() and free_pid() of kernel/pid.c, 6.1 to 6.12, in a chain of namespaces, as far as they are about numbers: an
 * object, for each level a section with preload and idr_alloc_cyclic(), one section with idr_replace() for all, and
 * one with idr_remove() for all; the object goes by call_rcu(). What is put is what was taken last.
 */
#include <linux/idr.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "bench_ids.h"

#define RESERVED_PIDS	300

struct pid_of_many {
	struct rcu_head rcu;
	u32 levels;
	struct {
		int nr;
		struct idr *idr;
	} numbers[];
};

struct ids {
	u32 levels;
	int limit;
	struct pid_of_many *last;
	spinlock_t lock ____cacheline_aligned_in_smp;	/* pidmap_lock is one for all */
	struct idr idrs[];
};

static void free_now(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct pid_of_many, rcu));
}

static void put_numbers(struct ids *ids, struct pid_of_many *pid, u32 from)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&ids->lock, flags);
	for (i = from; i < pid->levels; i++)
		idr_remove(pid->numbers[i].idr, pid->numbers[i].nr);
	spin_unlock_irqrestore(&ids->lock, flags);
	call_rcu(&pid->rcu, free_now);
}

static int reserve(struct ids *ids, struct idr *idr)
{
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&ids->lock);
	nr = idr_alloc_cyclic(idr, NULL, idr_get_cursor(idr) > RESERVED_PIDS ? RESERVED_PIDS : 1, ids->limit,
			      GFP_ATOMIC);
	spin_unlock_irq(&ids->lock);
	idr_preload_end();
	return nr;
}

static int cyclic(void *self, void *object)
{
	struct ids *ids = self;
	struct pid_of_many *pid = kmalloc(struct_size(pid, numbers, ids->levels), GFP_KERNEL);
	u32 i;

	if (!pid)
		return -ENOMEM;
	pid->levels = ids->levels;
	for (i = ids->levels; i--;) {
		int nr = reserve(ids, &ids->idrs[i]);

		if (nr < 0) {
			put_numbers(ids, pid, i + 1);
			return nr;
		}
		pid->numbers[i].nr = nr;
		pid->numbers[i].idr = &ids->idrs[i];
	}
	spin_lock_irq(&ids->lock);
	for (i = ids->levels; i--;)
		idr_replace(pid->numbers[i].idr, pid, pid->numbers[i].nr);
	spin_unlock_irq(&ids->lock);
	ids->last = pid;
	return pid->numbers[ids->levels - 1].nr;
}

static void put(void *self, u32 nr)
{
	struct ids *ids = self;

	put_numbers(ids, ids->last, 0);
}

static void destroy(void *self)
{
	struct ids *ids = self;
	u32 i;

	for (i = 0; i < ids->levels; i++)
		idr_destroy(&ids->idrs[i]);
	/* free_now() is this module's. */
	rcu_barrier();
	kfree(ids);
}

/* Number 1 is in use in each, as that of an init: no idr is ever empty. */
static void *create(const struct kt_rival_config *config)
{
	struct ids *ids = kmalloc(struct_size(ids, idrs, config->levels), GFP_KERNEL);
	int nr = 0;
	u32 i;

	if (!ids)
		return NULL;
	ids->levels = config->levels;
	ids->limit = config->limit;
	spin_lock_init(&ids->lock);
	for (i = 0; i < ids->levels; i++)
		idr_init(&ids->idrs[i]);
	for (i = 0; i < ids->levels && nr >= 0; i++)
		nr = idr_alloc_cyclic(&ids->idrs[i], ids, 1, ids->limit, GFP_KERNEL);
	if (nr < 0) {
		destroy(ids);
		return NULL;
	}
	return ids;
}

const struct kt_rival bench_ids_pids = {
	.create = create,
	.destroy = destroy,
	.cyclic = cyclic,
	.put = put,
	.rest = bench_ids_rest,
};
