// SPDX-License-Identifier: GPL-2.0-only
/* The calls of kernel_shim.h: locks, memory, RCU. */
#include "kernel_shim.h"

__thread unsigned int shim_cpu;

noinline void shim_lock(spinlock_t *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		while (READ_ONCE(lock->held))
			__builtin_ia32_pause();
}

noinline void shim_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

/* One cache, radix_tree_node: a list of free objects for each thread, linked through their first word. */
struct kmem_cache {
	unsigned int size;
	void (*ctor)(void *object);
};

static __thread void **ready;
__thread unsigned long shim_nodes;

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, unsigned int flags,
				     void (*ctor)(void *object))
{
	struct kmem_cache *cache = malloc(sizeof(*cache));

	*cache = (struct kmem_cache){ size, ctor };
	return cache;
}

/* A constructed object stays so while it is free, so the link may not be inside: it is one word in front of it. */
noinline void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void **object = ready;

	shim_nodes++;
	if (likely(object)) {
		ready = object[0];
		return object + 8;
	}
	object = aligned_zalloc(cache->size + 64);
	if (object)
		cache->ctor(object + 8);
	return object ? object + 8 : NULL;
}

noinline void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	void **link = (void **)object - 8;

	shim_nodes--;
	link[0] = ready;
	ready = link;
}

/* A grace period ends every 64 calls: nobody reads outside the loops that are measured. */
#define BATCH 64
static __thread struct rcu_head *waiting;
static __thread unsigned int waiting_nr;

noinline void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = waiting;
	waiting = head;
	if (++waiting_nr >= BATCH)
		rcu_barrier();
}

/* Of this thread. */
noinline void rcu_barrier(void)
{
	struct rcu_head *head;

	while (waiting) {
		head = waiting;
		waiting = head->next;
		head->func(head);
	}
	waiting_nr = 0;
}
