// SPDX-License-Identifier: GPL-2.0-only
/* host_api.h: the kernel's own idr, called as kernel/pid.c calls it, for the differential run. One owner, no lock. */
#include <linux/idr.h>
#include <linux/slab.h>

#include "ktwin.h"

/* What every number points to. Aligned: an idr takes the low bits of what it stores for its own marks. */
static unsigned long used;

void *kt_host_idr_create(void)
{
	struct idr *idr = kmalloc(sizeof(*idr), GFP_KERNEL);

	if (idr)
		idr_init(idr);
	return idr;
}

void kt_host_idr_destroy(void *idr)
{
	if (!idr)
		return;
	idr_destroy(idr);
	kfree(idr);
}

int kt_host_idr_alloc_cyclic(void *idr, int min, int max)
{
	return idr_alloc_cyclic(idr, &used, min, max, GFP_KERNEL);
}

int kt_host_idr_alloc_at(void *idr, int nr)
{
	return idr_alloc(idr, &used, nr, nr + 1, GFP_KERNEL);
}

bool kt_host_idr_remove(void *idr, int nr)
{
	return idr_remove(idr, nr) != NULL;
}

bool kt_host_idr_find(void *idr, int nr)
{
	bool found;

	rcu_read_lock();
	found = idr_find(idr, nr) != NULL;
	rcu_read_unlock();
	return found;
}

int kt_host_idr_next(void *idr, int nr)
{
	void *found;

	rcu_read_lock();
	found = idr_get_next(idr, &nr);
	rcu_read_unlock();
	return found ? nr : -1;
}

__u32 kt_host_idr_cursor(void *idr)
{
	return idr_get_cursor(idr);
}
