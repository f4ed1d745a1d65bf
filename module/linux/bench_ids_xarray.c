// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's xarray as an allocator, under its own lock. */
#include <linux/slab.h>
#include <linux/xarray.h>

#include "bench_ids.h"

struct ids {
	struct xarray xa;
	u32 next;
	u32 limit;
};

static void *create(const struct kt_rival_config *config)
{
	struct ids *ids = kzalloc(sizeof(*ids), GFP_KERNEL);

	if (!ids)
		return NULL;
	xa_init_flags(&ids->xa, XA_FLAGS_ALLOC);
	ids->limit = config->limit;
	return ids;
}

static void destroy(void *self)
{
	struct ids *ids = self;

	xa_destroy(&ids->xa);
	kfree(ids);
}

/* Where the others say ENOSPC this one is busy. */
static int number(int error, u32 nr)
{
	if (error < 0)
		return error == -EBUSY ? -ENOSPC : error;
	return nr;
}

static int cyclic(void *self, void *object)
{
	struct ids *ids = self;
	u32 nr;
	int error = xa_alloc_cyclic(&ids->xa, &nr, object, XA_LIMIT(1, ids->limit - 1), &ids->next, GFP_KERNEL);

	return number(error, nr);
}

static int lowest(void *self, void *object)
{
	struct ids *ids = self;
	u32 nr;
	int error = xa_alloc(&ids->xa, &nr, object, XA_LIMIT(1, ids->limit - 1), GFP_KERNEL);

	return number(error, nr);
}

static int at(void *self, u32 nr, void *object)
{
	return xa_insert(&((struct ids *)self)->xa, nr, object, GFP_KERNEL);
}

static void put(void *self, u32 nr)
{
	xa_erase(&((struct ids *)self)->xa, nr);
}

static void *find(void *self, u32 nr)
{
	return xa_load(&((struct ids *)self)->xa, nr);
}

static void *next(void *self, u32 *nr)
{
	unsigned long at = *nr;
	void *found = xa_find(&((struct ids *)self)->xa, &at, ULONG_MAX, XA_PRESENT);

	*nr = at;
	return found;
}

static void bytes(void *self, struct kt_rival_bytes *bytes)
{
	struct ids *ids = self;

	bytes->used = sizeof(*ids) + bench_ids_nodes(&ids->xa) * sizeof(struct xa_node);
}

const struct kt_rival bench_ids_xarray = {
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
