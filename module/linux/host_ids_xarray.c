// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's xarray as an allocator. */
#include <linux/slab.h>
#include <linux/xarray.h>

#include "host_ids.h"

struct ids {
	struct host_ids base;
	struct xarray xa;
	u32 next;
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
	/* It asks for a node with GFP_NOWAIT first, whatever the call said, and charges that by its own flag alone. */
	xa_init_flags(&own->xa, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	return &own->base;
}

static void destroy(struct host_ids *ids)
{
	xa_destroy(&ids_of(ids)->xa);
	kfree(ids_of(ids));
}

/* xa_alloc() says EBUSY where the others say ENOSPC. */
static int number(int error, u32 id)
{
	return error == -EBUSY ? -ENOSPC : error < 0 ? error : (int)id;
}

static int alloc_lowest(struct host_ids *ids, u32 min, u32 max, void *pointer)
{
	u32 id;
	int error = xa_alloc(&ids_of(ids)->xa, &id, pointer, XA_LIMIT(min, max - 1), HOST_IDS_GFP);

	return number(error, id);
}

/* xa_alloc_cyclic() begins anew after any error, -ENOMEM too; idr_alloc_cyclic() where there is no number left alone. */
static int alloc_cyclic(struct host_ids *ids, u32 min, u32 max, void *pointer)
{
	struct ids *own = ids_of(ids);
	u32 from = own->next > min ? own->next : min;
	int nr = from < max ? alloc_lowest(ids, from, max, pointer) : -ENOSPC;

	if (nr == -ENOSPC && from > min)
		nr = alloc_lowest(ids, min, max, pointer);
	if (nr >= 0)
		own->next = nr + 1;
	return nr;
}

/* The entry is there: nothing is allocated. */
static void publish(struct host_ids *ids, u32 id, void *pointer)
{
	xa_store(&ids_of(ids)->xa, id, pointer, GFP_NOWAIT);
}

/* xa_erase() answers NULL also for a number that is only reserved; the entry itself is there. */
static bool erase(struct host_ids *ids, u32 id)
{
	struct ids *own = ids_of(ids);
	XA_STATE(xas, &own->xa, id);
	bool used;

	xa_lock(&own->xa);
	used = xas_load(&xas);
	__xa_erase(&own->xa, id);
	xa_unlock(&own->xa);
	return used;
}

static void *find(struct host_ids *ids, u32 id)
{
	return xa_load(&ids_of(ids)->xa, id);
}

static void *next(struct host_ids *ids, u32 *id)
{
	unsigned long at = *id;
	void *found = xa_find(&ids_of(ids)->xa, &at, ULONG_MAX, XA_PRESENT);

	*id = at;
	return found;
}

static u32 cursor(struct host_ids *ids)
{
	return ids_of(ids)->next;
}

static void set_cursor(struct host_ids *ids, u32 cursor)
{
	ids_of(ids)->next = cursor;
}

const struct host_ids_ops host_ids_xarray = {
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
