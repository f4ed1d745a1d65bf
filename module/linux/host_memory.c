// SPDX-License-Identifier: GPL-2.0-only
/* host_api.h: memory. */
#include <linux/kconfig.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "ktwin.h"

/* kmalloc() would take 1024 bytes for a leaf. What comes from here is freed as everything else is. */
static struct kmem_cache *leaves;

int ktwin_memory_init(void)
{
	leaves = kmem_cache_create("ktwin_id_leaf", KT_LEAF_BYTES, 0, 0, NULL);
	return leaves ? 0 : -ENOMEM;
}

/* All leaves are freed. */
void ktwin_memory_exit(void)
{
	kmem_cache_destroy(leaves);
}

static void *alloc_zeroed(unsigned long size, gfp_t flags)
{
	return size == KT_LEAF_BYTES ? kmem_cache_zalloc(leaves, flags) : kvzalloc(size, flags);
}

void *kt_host_alloc(unsigned long size)
{
	return alloc_zeroed(size, GFP_KERNEL | __GFP_NOWARN);
}

void *kt_host_alloc_charged(unsigned long size)
{
	/* Who asks for more than the control group has is told so: nobody is killed for it. */
	return alloc_zeroed(size, GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
}

void *kt_host_alloc_atomic(unsigned long size)
{
	/*
	 * On PREEMPT_RT the allocator takes locks that sleep, and the callers hold a raw one. A debug kernel whose
	 * lockdep holds everybody to that order is served the same way.
	 */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING))
		return NULL;
	return size == KT_LEAF_BYTES ? kmem_cache_zalloc(leaves, GFP_ATOMIC | __GFP_NOWARN) :
				       kzalloc(size, GFP_ATOMIC | __GFP_NOWARN);
}

void kt_host_free(void *memory)
{
	kvfree(memory);
}

/* The core never calls a pure virtual function; if it does all the same, nothing after that can be trusted. */
void __cxa_pure_virtual(void);
void __cxa_pure_virtual(void)
{
	BUG();
}
