// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host that the core's own allocators run on here: the same locks as kernel_shim.c gives the kernel's, out of line
 * as well, in an object of their own as the module's C is.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "boundary/host_api.h"

void *kt_host_alloc(unsigned long size)
{
	void *memory = aligned_alloc(64, (size + 63) & ~63UL);

	return memory ? memset(memory, 0, size) : NULL;
}

void *kt_host_alloc_charged(unsigned long size)
{
	return kt_host_alloc(size);
}

void *kt_host_alloc_atomic(unsigned long size)
{
	return kt_host_alloc(size);
}

void kt_host_free(void *memory)
{
	free(memory);
}

void kt_host_lock_init(struct kt_host_lock *lock, enum kt_lock_class lock_class)
{
	lock->opaque[0] = 0;
}

void kt_host_task_lock(struct kt_host_lock *lock)
{
	int *held = (int *)lock->opaque;

	while (__atomic_exchange_n(held, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(held, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

void kt_host_task_unlock(struct kt_host_lock *lock)
{
	__atomic_store_n((int *)lock->opaque, 0, __ATOMIC_RELEASE);
}

unsigned long kt_host_lock(struct kt_host_lock *lock)
{
	kt_host_task_lock(lock);
	return 0;
}

void kt_host_unlock(struct kt_host_lock *lock, unsigned long flags)
{
	kt_host_task_unlock(lock);
}

/* Nobody reads while a grace period is waited for: the rows call rest() when they do not measure. */
void kt_host_synchronize(void)
{
}

/* No other work waits for this CPU. */
bool kt_host_breathe(__u64 ns)
{
	return true;
}

void kt_host_kick(void)
{
}
