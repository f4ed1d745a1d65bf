// SPDX-License-Identifier: GPL-2.0-only
/*
 * host_api.h: what every path of the core takes and leaves, in a few instructions. Kbuild compiles this file for the
 * core's link, where the calls disappear: as functions of the module they took more than the work between them.
 */
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/kconfig.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "host_lock.h"
#include "lock_watch.h"

/*
 * A probe that is not (yet) a jump is a breakpoint, and the kernel counts its exception as an NMI, which must wait for no
 * lock that it could have interrupted; so says lockdep. These probes stand at the head of idr_replace() and idr_remove(),
 * which nothing calls that holds one of our locks, nor any NMI: who holds this one is on another CPU, and goes on. Taken by
 * trying, lockdep does not ask.
 */
static void lock_in_breakpoint(raw_spinlock_t *lock)
{
	while (!raw_spin_trylock(lock))
		cpu_relax();
}

unsigned long kt_host_lock(struct kt_host_lock *lock)
{
	unsigned long flags;

	if (IS_ENABLED(CONFIG_LOCKDEP) && in_nmi()) {
		local_irq_save(flags);
		lock_in_breakpoint(ktwin_raw_lock(lock));
	} else {
		raw_spin_lock_irqsave(ktwin_raw_lock(lock), flags);
	}
	if (static_branch_unlikely(&ktwin_lock_watched))
		ktwin_lock_taken(lock);
	return flags;
}

void kt_host_unlock(struct kt_host_lock *lock, unsigned long flags)
{
	if (static_branch_unlikely(&ktwin_lock_watched))
		ktwin_lock_left(lock);
	raw_spin_unlock_irqrestore(ktwin_raw_lock(lock), flags);
}

void kt_host_task_lock(struct kt_host_lock *lock)
{
	raw_spin_lock(ktwin_raw_lock(lock));
}

void kt_host_task_unlock(struct kt_host_lock *lock)
{
	raw_spin_unlock(ktwin_raw_lock(lock));
}

void kt_host_rcu_read_lock(void)
{
	rcu_read_lock();
}

void kt_host_rcu_read_unlock(void)
{
	rcu_read_unlock();
}

__u32 kt_host_cpu(void)
{
	return raw_smp_processor_id();
}

void kt_host_preempt_disable(void)
{
	preempt_disable();
}

__u32 kt_host_get_cpu(void)
{
	return get_cpu();
}

void kt_host_preempt_enable(void)
{
	preempt_enable();
}
