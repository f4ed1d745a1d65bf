// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's sbitmap_queue: numbers without pointers and in no order, of which it knows all from the start. */
#include <linux/sbitmap.h>
#include <linux/slab.h>

#include "host_ids.h"

struct ids {
	struct host_ids base;
	struct sbitmap_queue queue;
};

static struct ids *ids_of(struct host_ids *ids)
{
	return container_of(ids, struct ids, base);
}

static struct host_ids *create(u32 limit)
{
	struct ids *own = kzalloc(sizeof(*own), HOST_IDS_GFP);

	if (!own)
		return NULL;
	if (sbitmap_queue_init_node(&own->queue, limit, -1, false, HOST_IDS_GFP, NUMA_NO_NODE)) {
		kfree(own);
		return NULL;
	}
	return &own->base;
}

static void destroy(struct host_ids *ids)
{
	sbitmap_queue_free(&ids_of(ids)->queue);
	kfree(ids_of(ids));
}

static int alloc_any(struct host_ids *ids)
{
	unsigned int cpu;
	int nr = sbitmap_queue_get(&ids_of(ids)->queue, &cpu);

	return nr < 0 ? -ENOSPC : nr;
}

static bool erase(struct host_ids *ids, u32 id)
{
	sbitmap_queue_clear(&ids_of(ids)->queue, id, raw_smp_processor_id());
	return true;
}

static u32 count(struct host_ids *ids)
{
	return sbitmap_weight(&ids_of(ids)->queue.sb);
}

const struct host_ids_ops host_ids_sbitmap = {
	.create = create,
	.destroy = destroy,
	.alloc_any = alloc_any,
	.erase = erase,
	.count = count,
};
