// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's sbitmap_queue: any free number from 0 on, and no pointers. All its memory is there from the start. */
#include <linux/cpumask.h>
#include <linux/sbitmap.h>
#include <linux/slab.h>

#include "bench_ids.h"

static void *create(const struct kt_rival_config *config)
{
	struct sbitmap_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);

	if (queue && sbitmap_queue_init_node(queue, config->limit, -1, false, GFP_KERNEL, NUMA_NO_NODE)) {
		kfree(queue);
		return NULL;
	}
	return queue;
}

static void destroy(void *self)
{
	sbitmap_queue_free(self);
	kfree(self);
}

static int any(void *self, void *object)
{
	unsigned int cpu;
	int nr = sbitmap_queue_get(self, &cpu);

	return nr < 0 ? -ENOSPC : nr;
}

static void put(void *self, u32 nr)
{
	sbitmap_queue_clear(self, nr, raw_smp_processor_id());
}

static void bytes(void *self, struct kt_rival_bytes *bytes)
{
	struct sbitmap_queue *queue = self;

	bytes->used = sizeof(*queue) + queue->sb.map_nr * sizeof(*queue->sb.map) +
		      num_possible_cpus() * sizeof(*queue->sb.alloc_hint);
}

const struct kt_rival bench_ids_sbitmap = {
	.create = create,
	.destroy = destroy,
	.cyclic = any,
	.put = put,
	.bytes = bytes,
	.rest = bench_ids_rest,
};
