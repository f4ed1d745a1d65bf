// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's sbitmap_queue: no pointers, no order. Compared with the cyclic row of the others. */
#include "kernel_shim.h"
#include <linux/sbitmap.h>

#include "rival.h"

static void *create(unsigned int limit)
{
	struct sbitmap_queue *queue = aligned_zalloc(sizeof(*queue));

	return sbitmap_queue_init_node(queue, limit, -1, false, GFP_KERNEL, NUMA_NO_NODE) ? NULL : queue;
}

static void destroy(void *self)
{
	sbitmap_queue_free(self);
	free(self);
}

static int get(void *self, void *object)
{
	return __sbitmap_queue_get(self);
}

static void put(void *self, int nr)
{
	sbitmap_queue_clear(self, nr, shim_cpu);
}

const struct rival rival_sbitmap = {
	.name = "sbitmap", .create = create, .destroy = destroy, .cyclic = get, .any = get, .put = put,
};
