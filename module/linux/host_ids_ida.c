// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's ida: numbers without pointers. Whether one is used it does not say, and freeing one that is not warns. */
#include <linux/idr.h>
#include <linux/slab.h>

#include "host_ids.h"

struct ids {
	struct host_ids base;
	struct ida ida;
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
	ida_init(&own->ida);
	return &own->base;
}

static void destroy(struct host_ids *ids)
{
	ida_destroy(&ids_of(ids)->ida);
	kfree(ids_of(ids));
}

static int alloc_lowest(struct host_ids *ids, u32 min, u32 max, void *pointer)
{
	return ida_alloc_range(&ids_of(ids)->ida, min, max - 1, HOST_IDS_GFP);
}

static bool erase(struct host_ids *ids, u32 id)
{
	ida_free(&ids_of(ids)->ida, id);
	return true;
}

const struct host_ids_ops host_ids_ida = {
	.create = create,
	.destroy = destroy,
	.alloc_lowest = alloc_lowest,
	.erase = erase,
};
