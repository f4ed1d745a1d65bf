// SPDX-License-Identifier: GPL-2.0-only
/*
 * alloc_pid() and free_pid() of kernel/pid.c (6.1 to 6.12) as they use the idr, through 8 or 32 levels of namespace
 * below the first: one lock section a level, one for all of the idr_replace() calls, one for all of the idr_remove()
 * calls. What struct pid has besides its numbers is initialised as there.
 */
#include "kernel_shim.h"
#include <linux/idr.h>

#include "rival.h"

#define MOST 33
#define RESERVED_PIDS 300

struct ns {
	struct idr idr;
	unsigned int pid_allocated;
	struct ns *parent;
	unsigned int level;
};

struct pid {
	int count;
	unsigned int level;
	spinlock_t lock;
	void *tasks[4];
	void *inodes;
	struct list_head wait_pidfd;
	struct rcu_head rcu;
	struct pid *next;	/* of the list that stands for its kmem_cache */
	struct { int nr; struct ns *ns; } numbers[];
};

static spinlock_t pidmap_lock ____cacheline_aligned_in_smp;
static struct pid *ready;

struct own {
	struct ns ns[MOST];
	unsigned int level, limit;
	struct pid *pid;
};

void radix_tree_init(void);

static noinline struct pid *new_pid(void)
{
	struct pid *pid = ready;

	if (pid) {
		ready = pid->next;
		return pid;
	}
	return calloc(1, sizeof(*pid) + MOST * sizeof(pid->numbers[0]));
}

static void delayed_put_pid(struct rcu_head *rcu)
{
	struct pid *pid = container_of(rcu, struct pid, rcu);

	if (!__atomic_sub_fetch(&pid->count, 1, __ATOMIC_ACQ_REL)) {
		pid->next = ready;
		ready = pid;
	}
}

static struct pid *alloc_pid(struct own *own, struct ns *ns)
{
	struct pid *pid = new_pid();
	struct ns *tmp = ns;
	int i, nr;

	pid->level = ns->level;
	for (i = ns->level; i >= 0; i--) {
		idr_preload(GFP_KERNEL);
		spin_lock_irq(&pidmap_lock);
		nr = idr_alloc_cyclic(&tmp->idr, NULL, idr_get_cursor(&tmp->idr) > RESERVED_PIDS ? RESERVED_PIDS : 1,
				      own->limit, GFP_ATOMIC);
		spin_unlock_irq(&pidmap_lock);
		idr_preload_end();
		if (nr < 0)
			abort();
		pid->numbers[i].nr = nr;
		pid->numbers[i].ns = tmp;
		tmp = tmp->parent;
	}
	pid->count = 1;
	pid->lock.held = 0;
	for (i = 0; i < 4; i++)
		pid->tasks[i] = NULL;
	INIT_LIST_HEAD(&pid->wait_pidfd);
	pid->inodes = NULL;

	spin_lock_irq(&pidmap_lock);
	for (i = ns->level; i >= 0; i--) {
		idr_replace(&pid->numbers[i].ns->idr, pid, pid->numbers[i].nr);
		pid->numbers[i].ns->pid_allocated++;
	}
	spin_unlock_irq(&pidmap_lock);
	return pid;
}

static void free_pid(struct pid *pid)
{
	unsigned int i;

	spin_lock_irq(&pidmap_lock);
	for (i = 0; i <= pid->level; i++) {
		struct ns *ns = pid->numbers[i].ns;

		if (--ns->pid_allocated == 0)
			abort();	/* its init stays in these rows */
		idr_remove(&ns->idr, pid->numbers[i].nr);
	}
	spin_unlock_irq(&pidmap_lock);
	call_rcu(&pid->rcu, delayed_put_pid);
}

static void *create(unsigned int levels, unsigned int limit)
{
	struct own *own = aligned_zalloc(sizeof(*own));
	unsigned int i;

	radix_tree_init();
	own->level = levels;
	own->limit = limit;
	for (i = 0; i <= levels; i++) {
		idr_init(&own->ns[i].idr);
		own->ns[i].level = i;
		own->ns[i].parent = i ? &own->ns[i - 1] : NULL;
		alloc_pid(own, &own->ns[i]);
	}
	return own;
}

static void *create_8(unsigned int limit)
{
	return create(8, limit);
}

static void *create_32(unsigned int limit)
{
	return create(32, limit);
}

/* The process ends soon: nothing is given back. */
static void destroy(void *self)
{
}

static int one(void *self, void *object)
{
	struct own *own = self;

	own->pid = alloc_pid(own, &own->ns[own->level]);
	return own->pid->numbers[0].nr;
}

static void put(void *self, int nr)
{
	free_pid(((struct own *)self)->pid);
}

const struct rival rival_kpid_8 = {
	.name = "kpid", .create = create_8, .destroy = destroy, .cyclic = one, .put = put,
};
const struct rival rival_kpid_32 = {
	.name = "kpid", .create = create_32, .destroy = destroy, .cyclic = one, .put = put,
};
