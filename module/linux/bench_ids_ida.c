// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's ida, which has the lowest only and keeps no pointers, under its own lock. */
#include <linux/idr.h>
#include <linux/slab.h>

#include "bench_ids.h"

struct ids {
	struct ida ida;
	u32 limit;
};

static void *create(const struct kt_rival_config *config)
{
	struct ids *ids = kmalloc(sizeof(*ids), GFP_KERNEL);

	if (!ids)
		return NULL;
	ida_init(&ids->ida);
	ids->limit = config->limit;
	return ids;
}

static void destroy(void *self)
{
	struct ids *ids = self;

	ida_destroy(&ids->ida);
	kfree(ids);
}

static int lowest(void *self, void *object)
{
	struct ids *ids = self;

	return ida_alloc_range(&ids->ida, 1, ids->limit - 1, GFP_KERNEL);
}

static int at(void *self, u32 nr, void *object)
{
	int got = ida_alloc_range(&((struct ids *)self)->ida, nr, nr, GFP_KERNEL);

	return got < 0 ? got : 0;
}

static void put(void *self, u32 nr)
{
	ida_free(&((struct ids *)self)->ida, nr);
}

const struct kt_rival bench_ids_ida = {
	.create = create,
	.destroy = destroy,
	.lowest = lowest,
	.at = at,
	.put = put,
	.rest = bench_ids_rest,
};
