// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's idr, in the steps of kernel/pid.c, but under a mutex. What is allocated under a spinlock is charged beyond
 * memory.max (GFP_ATOMIC) or to nobody (idr_preload()). bench_ids_idr.c measures it as kernel/pid.c holds it.
 */
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "host_ids.h"

struct ids {
	struct host_ids base;
	struct idr idr;
	struct mutex lock;
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
	mutex_init(&own->lock);
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

	mutex_lock(&own->lock);
	nr = idr_alloc(&own->idr, pointer, min, max, HOST_IDS_GFP);
	mutex_unlock(&own->lock);
	return nr;
}

static int alloc_cyclic(struct host_ids *ids, u32 min, u32 max, void *pointer)
{
	struct ids *own = ids_of(ids);
	int nr;

	mutex_lock(&own->lock);
	nr = idr_alloc_cyclic(&own->idr, pointer, min, max, HOST_IDS_GFP);
	mutex_unlock(&own->lock);
	return nr;
}

static void publish(struct host_ids *ids, u32 id, void *pointer)
{
	struct ids *own = ids_of(ids);

	mutex_lock(&own->lock);
	idr_replace(&own->idr, pointer, id);
	mutex_unlock(&own->lock);
}

/* idr_remove() answers NULL also for a number that is only reserved; idr_replace() says that it is there. */
static bool erase(struct host_ids *ids, u32 id)
{
	struct ids *own = ids_of(ids);
	bool used;

	mutex_lock(&own->lock);
	used = !IS_ERR(idr_replace(&own->idr, NULL, id));
	idr_remove(&own->idr, id);
	mutex_unlock(&own->lock);
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

	mutex_lock(&own->lock);
	idr_set_cursor(&own->idr, cursor);
	mutex_unlock(&own->lock);
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
