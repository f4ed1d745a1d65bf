// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of the kernel's wait queues, read at one instant under its own lock.
 *
 * Under the lock nothing sleeps, allocates or prints: entries are copied to memory that is there already, and what they
 * point to gets a reference, so that it can be described afterwards. The lock is held for as long as a wake of all
 * would hold it or less, since waking an entry costs more than copying it.
 *
 * On PREEMPT_RT the lock is one that sleeps, so no caller may be in atomic context; RCU sections and the signal lock
 * (another of that kind) around it are allowed.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "compat/wait.h"
#include "inspect_wait.h"

/*
 * se.exec_start is when the task was last accounted, in its run queue's clock: for one that sleeps, when it left the CPU,
 * whatever its class. That clock is sched_clock() only where neither interrupts nor a hypervisor's steal are taken out
 * of it; where they are, nothing is known. (The fields that would say it plainly need schedstats.) The clock of another
 * CPU may be a little ahead of ours: one that seems to fall asleep later than now just did.
 */
u64 ktwin_asleep_ns(const struct task_struct *task)
{
#if defined(CONFIG_IRQ_TIME_ACCOUNTING) || defined(CONFIG_PARAVIRT_TIME_ACCOUNTING)
	return 0;
#else
	u64 since = READ_ONCE(task->se.exec_start);
	u64 now = local_clock();

	if (!since)
		return 0;
	return since < now ? now - since : 1;
#endif
}

bool ktwin_would_wake(const struct task_struct *task, unsigned int mode)
{
	unsigned int state = READ_ONCE(task->__state);

#ifdef CONFIG_PREEMPT_RT
	/* One that waits for a lock meanwhile keeps here what it is to wait for after that. */
	state |= READ_ONCE(task->saved_state);
#endif
	return state & mode;
}

/* The flags of an entry; and whether wake_up(), which stops after one exclusive, stops here. */
static u32 entry_flags(const struct wait_queue_entry *entry, const struct ktwin_behind *wake, bool *stops)
{
	bool runs = true;
	u32 flags = 0;

	if (wake->task)
		flags |= KTWIN_WAITER_TASK;
	if (entry->flags & WQ_FLAG_PRIORITY)
		flags |= KTWIN_WAITER_PRIORITY;
	if (entry->flags & WQ_FLAG_WOKEN)
		flags |= KTWIN_WAITER_WOKEN;
	if (wake->task && !ktwin_would_wake(wake->task, TASK_NORMAL)) {
		flags |= KTWIN_WAITER_AWAKE;
		runs = false;
	}
	/* An epoll that shares takes the wake only when somebody waits for it. */
	if (wake->kind == KTWIN_KIND_EPOLL && (entry->flags & WQ_FLAG_EXCLUSIVE))
		runs = ktwin_epoll_has_waiter(entry);
	if (!*stops && runs)
		flags |= KTWIN_WAITER_NEXT;
	if (entry->flags & WQ_FLAG_EXCLUSIVE) {
		flags |= KTWIN_WAITER_EXCLUSIVE;
		*stops = *stops || runs;
	}
	return flags;
}

static void take(const struct wait_queue_entry *entry, u32 position, bool *stops, struct ktwin_sleeper *to)
{
	struct ktwin_behind wake = ktwin_entry_behind(entry);

	*to = (struct ktwin_sleeper){
		.position = position,
		.kind = wake.kind,
		.flags = entry_flags(entry, &wake, stops),
	};
	if (wake.kind == KTWIN_KIND_EPOLL)
		to->epoll = ktwin_epoll_of(entry);
	if (!wake.task)
		return;
	to->task = get_task_struct(wake.task);
	to->state = task_state_to_char(wake.task);
	if (!(to->flags & KTWIN_WAITER_AWAKE))
		to->asleep_ns = ktwin_asleep_ns(wake.task);
}

/* Under the queue's lock. */
static u32 list_locked(const struct wait_queue_head *head, struct ktwin_sleeper *to, u32 room)
{
	const struct wait_queue_entry *entry;
	bool stops = false;
	u32 count = 0;

	list_for_each_entry(entry, &head->head, entry) {
		if (kt_is_wait_bookmark(entry))
			continue;
		/* Who hangs more on a queue is not waited for with interrupts off. */
		if (count == KTWIN_WAITERS_MAX)
			break;
		if (count < room)
			take(entry, count, &stops, &to[count]);
		count++;
	}
	return count;
}

/* Under the queue's lock. */
static bool has_locked(const struct wait_queue_head *head, const struct task_struct *task)
{
	const struct wait_queue_entry *entry;
	u32 count = 0;

	list_for_each_entry(entry, &head->head, entry) {
		if (count++ == KTWIN_WAITERS_MAX)
			break;
		if (!kt_is_wait_bookmark(entry) && ktwin_entry_behind(entry).task == task)
			return true;
	}
	return false;
}

/*
 * A signalfd's queue is part of its process's sighand, which nobody may take a reference on from here, but which cannot
 * go while its lock is held and the task still has it: lock_task_sighand(), which is not exported. The kernel wakes
 * this queue under that lock too (signalfd_notify), so the order of the two locks is its own.
 */
static struct sighand_struct *lock_signals(const struct ktwin_wait_queue *queue, unsigned long *flags)
{
	struct sighand_struct *sighand;

	rcu_read_lock();
	sighand = rcu_dereference(queue->signals->sighand);
	if (sighand) {
		spin_lock_irqsave(&sighand->siglock, *flags);
		if (sighand != rcu_access_pointer(queue->signals->sighand) || &sighand->signalfd_wqh != queue->head) {
			spin_unlock_irqrestore(&sighand->siglock, *flags);
			sighand = NULL;
		}
	}
	rcu_read_unlock();
	return sighand;
}

struct held {
	struct sighand_struct *sighand;		/* NULL: the queue is no signalfd's */
	unsigned long flags;
	unsigned long signal_flags;
};

/* False: the queue is gone, and nothing is held. */
static bool lock_queue(const struct ktwin_wait_queue *queue, struct held *held)
{
	held->sighand = NULL;
	if (queue->signals) {
		held->sighand = lock_signals(queue, &held->signal_flags);
		if (!held->sighand)
			return false;
	}
	spin_lock_irqsave(queue->lock, held->flags);
	return true;
}

static void unlock_queue(const struct ktwin_wait_queue *queue, struct held *held)
{
	spin_unlock_irqrestore(queue->lock, held->flags);
	if (held->sighand)
		spin_unlock_irqrestore(&held->sighand->siglock, held->signal_flags);
}

u32 ktwin_queue_list(const struct ktwin_wait_queue *queue, struct ktwin_sleeper *to, u32 room)
{
	struct held held;
	u32 count;

	if (!lock_queue(queue, &held))
		return 0;
	count = list_locked(queue->head, to, room);
	unlock_queue(queue, &held);
	return count;
}

bool ktwin_queue_has(const struct ktwin_wait_queue *queue, const struct task_struct *task)
{
	struct held held;
	bool has;

	if (!lock_queue(queue, &held))
		return false;
	has = has_locked(queue->head, task);
	unlock_queue(queue, &held);
	return has;
}

void ktwin_sleepers_put(struct ktwin_sleeper *sleepers, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (sleepers[i].task)
			put_task_struct(sleepers[i].task);
		if (sleepers[i].epoll)
			fput(sleepers[i].epoll);
	}
}
