// SPDX-License-Identifier: GPL-2.0-only
/* The host that the core's allocators run on here, as far as its calls disappear in the core's link: as in the module. */
#include <stdbool.h>

#include "boundary/host_api.h"

extern __thread unsigned int shim_cpu;

/* A thread of these rows does not move. */
void kt_host_preempt_disable(void)
{
	__asm__ volatile("" ::: "memory");
}

void kt_host_preempt_enable(void)
{
	__asm__ volatile("" ::: "memory");
}

__u32 kt_host_cpu(void)
{
	return shim_cpu;
}

__u32 kt_host_get_cpu(void)
{
	kt_host_preempt_disable();
	return shim_cpu;
}

void kt_host_rcu_read_lock(void)
{
}

void kt_host_rcu_read_unlock(void)
{
}
