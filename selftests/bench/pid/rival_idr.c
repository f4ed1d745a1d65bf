// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's idr. "idr": one lock section for each call. "kpid": as alloc_pid() and free_pid() of kernel/pid.c have it,
 * the number reserved in one section and published in a second.
 */
#include "kernel_shim.h"
#include <linux/idr.h>

#include "rival.h"

/* As the kernel has it: the lock is not on the idr's line (pidmap_lock is on its own). */
struct locked {
	struct idr idr;
	unsigned int limit;
	spinlock_t lock ____cacheline_aligned_in_smp;
};

void radix_tree_init(void);

static void *create(unsigned int limit)
{
	struct locked *own = aligned_zalloc(sizeof(*own));

	radix_tree_init();
	idr_init(&own->idr);
	own->limit = limit;
	return own;
}

static void destroy(void *self)
{
	struct locked *own = self;

	idr_destroy(&own->idr);
	free(own);
}

static int cyclic(void *self, void *object)
{
	struct locked *own = self;
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&own->lock);
	nr = idr_alloc_cyclic(&own->idr, object, 1, own->limit, GFP_ATOMIC);
	spin_unlock_irq(&own->lock);
	idr_preload_end();
	return nr;
}

static int kpid_cyclic(void *self, void *object)
{
	struct locked *own = self;
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&own->lock);
	nr = idr_alloc_cyclic(&own->idr, NULL, idr_get_cursor(&own->idr) > 300 ? 300 : 1, own->limit, GFP_ATOMIC);
	spin_unlock_irq(&own->lock);
	idr_preload_end();
	if (nr < 0)
		return nr;
	spin_lock_irq(&own->lock);
	idr_replace(&own->idr, object, nr);
	spin_unlock_irq(&own->lock);
	return nr;
}

static int lowest(void *self, void *object)
{
	struct locked *own = self;
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&own->lock);
	nr = idr_alloc(&own->idr, object, 1, own->limit, GFP_ATOMIC);
	spin_unlock_irq(&own->lock);
	idr_preload_end();
	return nr;
}

static void put(void *self, int nr)
{
	struct locked *own = self;

	spin_lock_irq(&own->lock);
	idr_remove(&own->idr, nr);
	spin_unlock_irq(&own->lock);
}

static void *find(void *self, int nr)
{
	return idr_find(&((struct locked *)self)->idr, nr);
}

static void *next(void *self, int *nr)
{
	return idr_get_next(&((struct locked *)self)->idr, nr);
}

/* As SLUB packs radix_tree_node: 28 of 576 bytes in four pages. */
static unsigned long bytes(void *self)
{
	return sizeof(struct idr) + shim_nodes * 16384 / 28;
}

const struct rival rival_idr = {
	.name = "idr", .create = create, .destroy = destroy, .cyclic = cyclic, .lowest = lowest, .put = put,
	.find = find, .next = next, .bytes = bytes,
};
const struct rival rival_kpid = {
	.name = "kpid", .create = create, .destroy = destroy, .cyclic = kpid_cyclic, .put = put,
	.find = find, .next = next,
};
