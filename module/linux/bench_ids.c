// SPDX-License-Identifier: GPL-2.0-only
/* KTWIN_IOC_BENCH_IDS: the door, and which allocator of the kernel's is which. What is done is in core/bench_ids.cc. */
#include <linux/cpumask.h>
#include <linux/kconfig.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "bench_ids.h"
#include "ktwin.h"

/* One at a time: two would measure each other. */
static DEFINE_MUTEX(bench_lock);

static const struct kt_rival * const rivals[] = {
	[KTWIN_IDS_KPID] = &bench_ids_kpid,
	[KTWIN_IDS_IDR] = &bench_ids_idr,
	[KTWIN_IDS_XARRAY] = &bench_ids_xarray,
	[KTWIN_IDS_IDA] = &bench_ids_ida,
	[KTWIN_IDS_SBITMAP] = &bench_ids_sbitmap,
	[KTWIN_IDS_KERNEL_PIDS] = &bench_ids_pids,
};

const struct kt_rival *kt_host_rival(__u32 who)
{
	return who < ARRAY_SIZE(rivals) ? rivals[who] : NULL;
}

__u64 kt_host_clock_ns(void)
{
	return sched_clock();
}

void kt_host_stay(bool stay)
{
	if (stay)
		migrate_disable();
	else
		migrate_enable();
}

/* Five levels at the most: ids are below 2^22, a node has 64 slots, and the topmost is below the root. */
static u64 nodes_below(const struct xarray *xa, const void *entry)
{
	const struct xa_node *node;
	u64 count = 1;
	unsigned int i;

	if (!xa_is_node(entry))
		return 0;
	node = xa_to_node(entry);
	for (i = 0; node->shift && i < XA_CHUNK_SIZE; i++) {
		/* Nothing goes away; the accessors want to be sure. */
		rcu_read_lock();
		entry = xa_entry(xa, node, i);
		rcu_read_unlock();
		count += nodes_below(xa, entry);
	}
	cond_resched();
	return count;
}

u64 bench_ids_nodes(const struct xarray *xa)
{
	const void *head;

	rcu_read_lock();
	head = xa_head(xa);
	rcu_read_unlock();
	return nodes_below(xa, head);
}

void bench_ids_rest(void *self)
{
	rcu_barrier();
}

long ktwin_ioctl_bench_ids(struct file *file, void *arg)
{
	struct ktwin_bench_ids *request = arg;
	long result;

	memset(request->sides, 0, sizeof(request->sides));
	if (!mutex_trylock(&bench_lock))
		return -EBUSY;
	result = kt_core_bench_ids(request, nr_cpu_ids);
	mutex_unlock(&bench_lock);
	return result;
}
