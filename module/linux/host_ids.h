/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's id allocators behind one row of calls each; host_ids.c asks, host_ids_*.c answer. */
#ifndef KTWIN_HOST_IDS_H
#define KTWIN_HOST_IDS_H

#include <linux/gfp.h>
#include <linux/types.h>

/* Charged to the caller's control group; nobody is killed where it has no more. */
#define HOST_IDS_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* First member of what create() returns. A call that is NULL: the kind has none. */
struct host_ids {
	const struct host_ids_ops *ops;
};

struct host_ids_ops {
	struct host_ids *(*create)(u32 limit);
	void (*destroy)(struct host_ids *ids);
	/* A number, or -ENOSPC, -ENOMEM. */
	int (*alloc_lowest)(struct host_ids *ids, u32 min, u32 max, void *pointer);
	int (*alloc_cyclic)(struct host_ids *ids, u32 min, u32 max, void *pointer);
	int (*alloc_any)(struct host_ids *ids);
	void (*publish)(struct host_ids *ids, u32 id, void *pointer);
	bool (*erase)(struct host_ids *ids, u32 id);
	void *(*find)(struct host_ids *ids, u32 id);
	void *(*next)(struct host_ids *ids, u32 *id);
	u32 (*count)(struct host_ids *ids);
	u32 (*cursor)(struct host_ids *ids);
	void (*set_cursor)(struct host_ids *ids, u32 cursor);
};

extern const struct host_ids_ops host_ids_idr;
extern const struct host_ids_ops host_ids_xarray;
extern const struct host_ids_ops host_ids_ida;
extern const struct host_ids_ops host_ids_sbitmap;

#endif
