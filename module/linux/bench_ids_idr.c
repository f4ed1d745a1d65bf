// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's idr under a spinlock that is not on its line, as kernel/pid.c has it; and kpid, the way alloc_pid() takes a
 * number: reserved with NULL in one section, filled by idr_replace() in a second.
 */
#include <linux/idr.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "bench_ids.h"

struct ids {
	struct idr idr;
	int limit;
	spinlock_t lock ____cacheline_aligned_in_smp;
};

static void *create(const struct kt_rival_config *config)
{
	struct ids *ids = kmalloc(sizeof(*ids), GFP_KERNEL);

	if (!ids)
		return NULL;
	idr_init(&ids->idr);
	ids->limit = config->limit;
	spin_lock_init(&ids->lock);
	return ids;
}

static void destroy(void *self)
{
	struct ids *ids = self;

	idr_destroy(&ids->idr);
	kfree(ids);
}

static __always_inline int reserve_cyclic(struct ids *ids, void *object)
{
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&ids->lock);
	nr = idr_alloc_cyclic(&ids->idr, object, 1, ids->limit, GFP_ATOMIC);
	spin_unlock_irq(&ids->lock);
	idr_preload_end();
	return nr;
}

static __always_inline int reserve(struct ids *ids, void *object, int min, int max)
{
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&ids->lock);
	nr = idr_alloc(&ids->idr, object, min, max, GFP_ATOMIC);
	spin_unlock_irq(&ids->lock);
	idr_preload_end();
	return nr;
}

static __always_inline int publish(struct ids *ids, int nr, void *object)
{
	if (nr < 0)
		return nr;
	spin_lock_irq(&ids->lock);
	idr_replace(&ids->idr, object, nr);
	spin_unlock_irq(&ids->lock);
	return nr;
}

static int cyclic(void *self, void *object)
{
	return reserve_cyclic(self, object);
}

static int lowest(void *self, void *object)
{
	struct ids *ids = self;

	return reserve(ids, object, 1, ids->limit);
}

static int kpid_cyclic(void *self, void *object)
{
	return publish(self, reserve_cyclic(self, NULL), object);
}

static int kpid_lowest(void *self, void *object)
{
	struct ids *ids = self;

	return publish(ids, reserve(ids, NULL, 1, ids->limit), object);
}

static int at(void *self, u32 nr, void *object)
{
	int got = reserve(self, object, nr, nr + 1);

	return got < 0 ? got : 0;
}

static void put(void *self, u32 nr)
{
	struct ids *ids = self;
	unsigned long flags;

	spin_lock_irqsave(&ids->lock, flags);
	idr_remove(&ids->idr, nr);
	spin_unlock_irqrestore(&ids->lock, flags);
}

static void *find(void *self, u32 nr)
{
	return idr_find(&((struct ids *)self)->idr, nr);
}

static void *next(void *self, u32 *nr)
{
	return idr_get_next(&((struct ids *)self)->idr, (int *)nr);
}

static void bytes(void *self, struct kt_rival_bytes *bytes)
{
	struct ids *ids = self;

	bytes->used = sizeof(*ids) + bench_ids_nodes(&ids->idr.idr_rt) * sizeof(struct radix_tree_node);
}

const struct kt_rival bench_ids_idr = {
	.create = create,
	.destroy = destroy,
	.cyclic = cyclic,
	.lowest = lowest,
	.at = at,
	.put = put,
	.find = find,
	.next = next,
	.bytes = bytes,
	.rest = bench_ids_rest,
};

const struct kt_rival bench_ids_kpid = {
	.create = create,
	.destroy = destroy,
	.cyclic = kpid_cyclic,
	.lowest = kpid_lowest,
	.at = at,
	.put = put,
	.find = find,
	.next = next,
	.bytes = bytes,
	.rest = bench_ids_rest,
};
