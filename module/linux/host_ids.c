// SPDX-License-Identifier: GPL-2.0-only
/* host_api.h: the kernel's own id allocators as backends of the laboratory. Which call of which: host_ids_*.c. */
#include <linux/errno.h>

#include "host_ids.h"
#include "ktwin.h"

static const struct host_ids_ops * const kinds[KT_IDS_KINDS] = {
	[KT_IDS_IDR] = &host_ids_idr,
	[KT_IDS_XARRAY] = &host_ids_xarray,
	[KT_IDS_IDA] = &host_ids_ida,
	[KT_IDS_SBITMAP] = &host_ids_sbitmap,
};

static const struct host_ids_ops *ops_of(void *ids)
{
	return ((struct host_ids *)ids)->ops;
}

void *kt_host_ids_create(enum kt_ids_kind kind, __u32 limit)
{
	struct host_ids *ids = kinds[kind]->create(limit);

	if (ids)
		ids->ops = kinds[kind];
	return ids;
}

void kt_host_ids_destroy(void *ids)
{
	if (ids)
		ops_of(ids)->destroy(ids);
}

int kt_host_ids_alloc_lowest(void *ids, __u32 min, __u32 max, void *pointer)
{
	return ops_of(ids)->alloc_lowest ? ops_of(ids)->alloc_lowest(ids, min, max, pointer) : -EOPNOTSUPP;
}

int kt_host_ids_alloc_cyclic(void *ids, __u32 min, __u32 max, void *pointer)
{
	return ops_of(ids)->alloc_cyclic ? ops_of(ids)->alloc_cyclic(ids, min, max, pointer) : -EOPNOTSUPP;
}

int kt_host_ids_alloc_any(void *ids)
{
	return ops_of(ids)->alloc_any ? ops_of(ids)->alloc_any(ids) : -EOPNOTSUPP;
}

int kt_host_ids_alloc_at(void *ids, __u32 id, void *pointer)
{
	int nr = kt_host_ids_alloc_lowest(ids, id, id + 1, pointer);

	return nr == -ENOSPC ? -EEXIST : nr;
}

void kt_host_ids_publish(void *ids, __u32 id, void *pointer)
{
	if (ops_of(ids)->publish)
		ops_of(ids)->publish(ids, id, pointer);
}

bool kt_host_ids_erase(void *ids, __u32 id)
{
	return ops_of(ids)->erase(ids, id);
}

void *kt_host_ids_find(void *ids, __u32 id)
{
	return ops_of(ids)->find ? ops_of(ids)->find(ids, id) : NULL;
}

void *kt_host_ids_next(void *ids, __u32 *id)
{
	return ops_of(ids)->next ? ops_of(ids)->next(ids, id) : NULL;
}

__u32 kt_host_ids_count(void *ids)
{
	return ops_of(ids)->count ? ops_of(ids)->count(ids) : 0;
}

__u32 kt_host_ids_cursor(void *ids)
{
	return ops_of(ids)->cursor ? ops_of(ids)->cursor(ids) : 0;
}

void kt_host_ids_set_cursor(void *ids, __u32 cursor)
{
	if (ops_of(ids)->set_cursor)
		ops_of(ids)->set_cursor(ids, cursor);
}
