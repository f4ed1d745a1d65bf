// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's idr as kernel/pid.c holds it: preloaded, under a spinlock that is not on its line. */
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "host_ids.h"

struct ids {
	struct host_ids base;
	struct idr idr;
	spinlock_t lock ____cacheline_aligned_in_smp;
};

static struct ids *ids_of(struct host_ids *ids)
{
	return container_of(ids, struct ids, base);
}

static struct host_ids *create(u32 limit)
{
	struct ids *own = kmalloc(sizeof(*own), HOST_IDS_GFP);

	if (!own)
		return NULL;
	idr_init(&own->idr);
	spin_lock_init(&own->lock);
	return &own->base;
}

static void destroy(struct host_ids *ids)
{
	idr_destroy(&ids_of(ids)->idr);
	kfree(ids_of(ids));
}

static int alloc_lowest(struct host_ids *ids, u32 min, u32 max, void *pointer)
{
	struct ids *own = ids_of(ids);
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&own->lock);
	nr = idr_alloc(&own->idr, pointer, min, max, GFP_ATOMIC | __GFP_ACCOUNT);
	spin_unlock_irq(&own->lock);
	idr_preload_end();
	return nr;
}

static int alloc_cyclic(struct host_ids *ids, u32 min, u32 max, void *pointer)
{
	struct ids *own = ids_of(ids);
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(&own->lock);
	nr = idr_alloc_cyclic(&own->idr, pointer, min, max, GFP_ATOMIC | __GFP_ACCOUNT);
	spin_unlock_irq(&own->lock);
	idr_preload_end();
	return nr;
}

static void publish(struct host_ids *ids, u32 id, void *pointer)
{
	struct ids *own = ids_of(ids);
	unsigned long flags;

	spin_lock_irqsave(&own->lock, flags);
	idr_replace(&own->idr, pointer, id);
	spin_unlock_irqrestore(&own->lock, flags);
}

/* idr_remove() answers NULL also for a number that is only reserved; idr_replace() says that it is there. */
static bool erase(struct host_ids *ids, u32 id)
{
	struct ids *own = ids_of(ids);
	unsigned long flags;
	bool used;

	spin_lock_irqsave(&own->lock, flags);
	used = !IS_ERR(idr_replace(&own->idr, NULL, id));
	idr_remove(&own->idr, id);
	spin_unlock_irqrestore(&own->lock, flags);
	return used;
}

static void *find(struct host_ids *ids, u32 id)
{
	return idr_find(&ids_of(ids)->idr, id);
}

static void *next(struct host_ids *ids, u32 *id)
{
	int at = *id;
	void *found = idr_get_next(&ids_of(ids)->idr, &at);

	*id = at;
	return found;
}

static u32 cursor(struct host_ids *ids)
{
	return idr_get_cursor(&ids_of(ids)->idr);
}

static void set_cursor(struct host_ids *ids, u32 cursor)
{
	struct ids *own = ids_of(ids);
	unsigned long flags;

	spin_lock_irqsave(&own->lock, flags);
	idr_set_cursor(&own->idr, cursor);
	spin_unlock_irqrestore(&own->lock, flags);
}

const struct host_ids_ops host_ids_idr = {
	.create = create,
	.destroy = destroy,
	.alloc_lowest = alloc_lowest,
	.alloc_cyclic = alloc_cyclic,
	.publish = publish,
	.erase = erase,
	.find = find,
	.next = next,
	.cursor = cursor,
	.set_cursor = set_cursor,
};
