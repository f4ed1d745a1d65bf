// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's xarray as an allocator, and its ida. */
#include "kernel_shim.h"
#include <linux/idr.h>
#include <linux/xarray.h>

#include "rival.h"

struct own {
	struct xarray xa;
	struct ida ida;
	u32 next;
	u32 limit;
};

void radix_tree_init(void);

static void *create(unsigned int limit)
{
	struct own *own = aligned_zalloc(sizeof(*own));

	radix_tree_init();
	xa_init_flags(&own->xa, XA_FLAGS_ALLOC);
	ida_init(&own->ida);
	own->limit = limit;
	return own;
}

static void destroy(void *self)
{
	struct own *own = self;

	xa_destroy(&own->xa);
	ida_destroy(&own->ida);
	free(own);
}

static int cyclic(void *self, void *object)
{
	struct own *own = self;
	u32 nr;
	int error = xa_alloc_cyclic(&own->xa, &nr, object, XA_LIMIT(1, own->limit - 1), &own->next, GFP_KERNEL);

	return error < 0 ? error : (int)nr;
}

static int lowest(void *self, void *object)
{
	struct own *own = self;
	u32 nr;
	int error = xa_alloc(&own->xa, &nr, object, XA_LIMIT(1, own->limit - 1), GFP_KERNEL);

	return error < 0 ? error : (int)nr;
}

static void put(void *self, int nr)
{
	xa_erase(&((struct own *)self)->xa, nr);
}

static void *find(void *self, int nr)
{
	return xa_load(&((struct own *)self)->xa, nr);
}

static void *next(void *self, int *nr)
{
	unsigned long at = *nr;
	void *found = xa_find(&((struct own *)self)->xa, &at, ULONG_MAX, XA_PRESENT);

	*nr = at;
	return found;
}

static int ida_lowest(void *self, void *object)
{
	struct own *own = self;

	return ida_alloc_range(&own->ida, 1, own->limit - 1, GFP_KERNEL);
}

static void ida_put(void *self, int nr)
{
	ida_free(&((struct own *)self)->ida, nr);
}

const struct rival rival_xarray = {
	.name = "xarray", .create = create, .destroy = destroy, .cyclic = cyclic, .lowest = lowest, .put = put,
	.find = find, .next = next,
};
const struct rival rival_ida = {
	.name = "ida", .create = create, .destroy = destroy, .lowest = ida_lowest, .put = ida_put,
};
