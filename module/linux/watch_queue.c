// SPDX-License-Identifier: GPL-2.0-only
/*
 * A wait queue of the kernel's, watched from within: three entries of our own on it, none of which takes a wake.
 *
 * A wake call walks the queue under its lock and calls the function of each entry, until enough exclusive ones were woken.
 * So entries are called at the right place and time, and hold the lock that makes everybody else on the queue stay:
 *
 *   opener    stays first, so it is called at the beginning of each wake call
 *   marker    goes along: whoever of ours is called puts it behind the next sleeper. Called again, it sees what became
 *             of that one; not called again, it knows that the walk ended there, and that is because this exclusive
 *             sleeper was woken.
 *   line      is called once and puts itself in front again, as a newcomer. Behind it are those who have been on the
 *             queue since the last call, in front of it those who came after.
 *
 * (A probe on sched_waking would see those who are woken too, but not for which queue, and not when the walk is over;
 * and every wake-up of the system would pay for it. A walk over all sleepers at each call would make a wake of one cost
 * as much as a wake of all. The marker costs a constant for each sleeper that the call itself visits.)
 *
 * Why it may move entries while it is walked: list_for_each_entry_safe() has the entry behind the one that is called in
 * hand, and nothing else. The marker is moved only when it is not that one (look_ahead()), or is the one called; the line
 * only when it is. Each sleeper is passed by the marker once, so the walk ends. Until 6.6 a walk pauses after 64 entries
 * without the lock; then it has only its own mark on the queue in hand, and another call may come between: what became of
 * the sleeper at which it paused may then not be counted, and that of the rest counts for the other call.
 *
 * Who was woken? An entry that is gone was: autoremove_wake_function() takes it off when it has woken its task, and only
 * its owner could otherwise, under the lock that we hold. One that stays was if its task was asleep before and is not
 * now, or slept again since; that something else woke it in this very moment cannot be told.
 *
 * What may be touched? An entry, its task and what is on its task's stack, while it is on the queue. After that, a task
 * only with a reference; and none is given up here that could be the last, since freeing a task takes locks of which
 * nobody says that they go inside that of any wait queue (put_task_struct() is called for one that is on the queue, or
 * that the ledger holds another reference on; whatever else is owed is left to the next who reads the counters).
 *
 * Nothing here sleeps, allocates or takes a lock, so a wake from a hard interrupt will do. On PREEMPT_RT the lock is one
 * that sleeps, and all this runs in task context with interrupts on.
 */
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "compat/syscall.h"
#include "compat/wait.h"
#include "inspect_wait.h"

/* The sleeper in front of the marker, as it was when it was about to be called. */
struct visited {
	struct wait_queue_entry *entry;	/* NULL: none; only compared, until it is known to be on the queue */
	struct ktwin_behind behind;	/* its task, too, unless referenced */
	struct kt_woken before;
	unsigned long switches;
	const void *epoll_waiter;
	unsigned int mode;
	bool exclusive;
	bool sleeps;			/* its task is known, and would be woken */
	bool referenced;
};

/* All but the memory itself under the lock of the head. */
struct ktwin_watched {
	struct wait_queue_head *head;
	struct kt_ledger *ledger;
	struct wait_queue_entry opener;
	struct wait_queue_entry marker;
	struct wait_queue_entry line;
	struct visited visited;
	bool whole_reads;
	bool past_line;
	struct task_struct *owed;	/* a reference to be given up */
	/* Of one who reads the counters: referenced no more, but not under the lock. */
	struct task_struct *gone[KT_LEDGER_TASKS];
};

/*
 * The entry is on the queue. When it is on the stack of its task, that task is in the call which put it there, and both
 * call and stack stay until it is off the queue.
 */
static bool is_reading(const struct wait_queue_entry *entry, struct task_struct *task)
{
	unsigned long stack = (unsigned long)READ_ONCE(task->stack);

	return stack && (unsigned long)entry - stack < THREAD_SIZE && kt_is_reading(task);
}

static struct kt_woken manner_of(const struct ktwin_watched *watched, const struct wait_queue_entry *entry,
				 const struct ktwin_behind *behind)
{
	struct kt_woken now = { .task = ktwin_key(behind->task), .calls = kt_reads(behind->task) };

	if (behind->kind == KTWIN_KIND_POLL)
		now.manner = KT_MANNER_POLL;
	else if (behind->kind == KTWIN_KIND_BLOCKED && watched->whole_reads && is_reading(entry, behind->task))
		now.manner = KT_MANNER_READ;
	return now;
}

/* Asleep for what the queue is about: not for a lock on the way to look, which is another state. */
static bool sleeps_on(const struct task_struct *task)
{
	return (READ_ONCE(task->__state) & TASK_INTERRUPTIBLE) && ktwin_is_asleep(task);
}

/* A task that is on the queue: whatever is known of its last wake by now. */
static struct kt_woken see(struct ktwin_watched *watched, const struct wait_queue_entry *entry,
			   const struct ktwin_behind *behind)
{
	struct kt_woken now = manner_of(watched, entry, behind);

	/* Never the last reference: it is on the queue. */
	if (kt_core_ledger_seen(watched->ledger, &now, watched->past_line, sleeps_on(behind->task)))
		put_task_struct(behind->task);
	return now;
}

/* So that it can be told later what became of it, if there is room for that. Once it is woken nothing else keeps it. */
static void reference(struct ktwin_watched *watched)
{
	struct visited *visited = &watched->visited;

	if (visited->before.manner == KT_MANNER_OTHER)
		return;
	if (watched->owed || !kt_core_ledger_has_room(watched->ledger, visited->before.task)) {
		visited->before.manner = KT_MANNER_OTHER;
		return;
	}
	get_task_struct(visited->behind.task);
	visited->referenced = true;
}

/* The entry is the next to be called. */
static void visit(struct ktwin_watched *watched, struct wait_queue_entry *entry, unsigned int mode)
{
	struct visited *visited = &watched->visited;
	struct task_struct *task;

	*visited = (struct visited){
		.entry = entry, .behind = ktwin_entry_behind(entry), .mode = mode,
		.exclusive = entry->flags & WQ_FLAG_EXCLUSIVE,
	};
	kt_core_ledger_met(watched->ledger);
	if (visited->behind.kind == KTWIN_KIND_EPOLL)
		visited->epoll_waiter = ktwin_epoll_first_waiter(entry);
	task = visited->behind.task;
	if (!task)
		return;
	visited->before = see(watched, entry, &visited->behind);
	visited->switches = ktwin_switches(task);
	visited->sleeps = ktwin_would_wake(task, mode);
	if (visited->sleeps)
		reference(watched);
}

/* The last entry in front of the marker that is neither ours nor a walk's mark; or the head of the list. */
static const struct wait_queue_entry *before_marker(const struct ktwin_watched *watched, bool *paused)
{
	const struct wait_queue_entry *entry = &watched->marker;

	*paused = false;
	list_for_each_entry_continue_reverse(entry, &watched->head->head, entry) {
		if (kt_is_wait_bookmark(entry))
			*paused = true;
		else if (!ktwin_is_watch(entry))
			break;
	}
	return entry;
}

/* Whether the one visited is on the queue: not another at its address, come while a walk paused. */
static bool is_there(const struct ktwin_watched *watched)
{
	const struct visited *visited = &watched->visited;
	struct ktwin_behind behind;
	bool paused;

	/* The head of the list is no entry, and equal to none. */
	if (before_marker(watched, &paused) != visited->entry)
		return false;
	behind = ktwin_entry_behind(visited->entry);
	return behind.kind == visited->behind.kind && behind.task == visited->behind.task;
}

static void visit_over(struct ktwin_watched *watched, bool woken)
{
	struct visited *visited = &watched->visited;
	bool remembered = woken && kt_core_ledger_woken(watched->ledger, &visited->before);

	if (visited->referenced && !remembered) {
		/* Not the last: the ledger had one already, or the task is on the queue. */
		if (woken || is_there(watched))
			put_task_struct(visited->behind.task);
		else
			watched->owed = visited->behind.task;
	}
	visited->entry = NULL;
}

/* The marker is called, so the one in front of it was, too. */
static bool marker_sees_woken(const struct ktwin_watched *watched)
{
	const struct visited *visited = &watched->visited;
	const struct task_struct *task = visited->behind.task;

	if (!is_there(watched))
		return visited->sleeps;
	if (visited->epoll_waiter)
		return ktwin_epoll_first_waiter(visited->entry) != visited->epoll_waiter;
	return visited->sleeps &&
	       (!ktwin_would_wake(task, visited->mode) || ktwin_switches(task) != visited->switches);
}

/* Nobody walks the queue: the last walk ended at the one visited last, or a pause keeps that from being known. */
static void walk_over(struct ktwin_watched *watched)
{
	const struct visited *visited = &watched->visited;
	bool paused;

	if (!visited->entry)
		return;
	before_marker(watched, &paused);
	visit_over(watched, !paused && visited->exclusive && (visited->sleeps || visited->epoll_waiter));
}

/* From one of ours, which is called: the next sleeper gets the marker behind it, unless marker or line come first. */
static void look_ahead(struct ktwin_watched *watched, struct wait_queue_entry *called, unsigned int mode)
{
	struct wait_queue_entry *entry = called;

	list_for_each_entry_continue(entry, &watched->head->head, entry) {
		if (entry == &watched->marker || entry == &watched->line)
			return;
		if (ktwin_is_watch(entry) || kt_is_wait_bookmark(entry))
			continue;
		visit(watched, entry, mode);
		list_move(&watched->marker.entry, &entry->entry);
		return;
	}
}

static int open_walk(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct ktwin_watched *watched = entry->private;

	walk_over(watched);
	kt_core_ledger_begin(watched->ledger);
	watched->past_line = false;
	look_ahead(watched, entry, mode);
	return 0;
}

static int go_along(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct ktwin_watched *watched = entry->private;

	if (watched->visited.entry)
		visit_over(watched, marker_sees_woken(watched));
	look_ahead(watched, entry, mode);
	return 0;
}

static int cross_line(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct ktwin_watched *watched = entry->private;

	watched->past_line = true;
	look_ahead(watched, entry, mode);
	list_del(&entry->entry);
	__add_wait_queue(watched->head, entry);
	return 0;
}

bool ktwin_is_watch(const struct wait_queue_entry *entry)
{
	return entry->func == open_walk || entry->func == go_along || entry->func == cross_line;
}

static void init_entry(struct ktwin_watched *watched, struct wait_queue_entry *entry, wait_queue_func_t function)
{
	init_waitqueue_func_entry(entry, function);
	entry->private = watched;
}

struct ktwin_watched *ktwin_watched_open(const struct ktwin_wait_queue *queue, bool whole_reads)
{
	struct ktwin_watched *watched = kvzalloc(sizeof(*watched), GFP_KERNEL_ACCOUNT);
	unsigned long flags;

	if (!watched)
		return NULL;
	watched->ledger = kt_core_ledger_open();
	if (!watched->ledger) {
		kvfree(watched);
		return NULL;
	}
	watched->head = queue->head;
	watched->whole_reads = whole_reads;
	init_entry(watched, &watched->opener, open_walk);
	init_entry(watched, &watched->marker, go_along);
	init_entry(watched, &watched->line, cross_line);
	/* Newcomers stay behind it. */
	watched->opener.flags = WQ_FLAG_PRIORITY;
	spin_lock_irqsave(&watched->head->lock, flags);
	list_add(&watched->opener.entry, &watched->head->head);
	__add_wait_queue(watched->head, &watched->line);
	__add_wait_queue(watched->head, &watched->marker);
	spin_unlock_irqrestore(&watched->head->lock, flags);
	return watched;
}

/* Returns how many wait, or the most that are waited for with interrupts off. */
static u32 see_all(struct ktwin_watched *watched)
{
	struct wait_queue_entry *entry;
	u32 waiters = 0;

	kt_core_ledger_look(watched->ledger);
	watched->past_line = false;
	list_for_each_entry(entry, &watched->head->head, entry) {
		struct ktwin_behind behind;

		if (entry == &watched->line)
			watched->past_line = true;
		if (ktwin_is_watch(entry) || kt_is_wait_bookmark(entry))
			continue;
		if (waiters == KTWIN_WAITERS_MAX)
			break;
		waiters++;
		behind = ktwin_entry_behind(entry);
		if (behind.task)
			see(watched, entry, &behind);
	}
	return waiters;
}

/* Those who are not on the queue. Returns how many are in gone. */
static u32 miss_all(struct ktwin_watched *watched)
{
	struct kt_woken woken;
	u32 i, count = 0;

	for (i = 0; i < KT_LEDGER_TASKS; i++) {
		struct task_struct *task;

		if (!kt_core_ledger_absent(watched->ledger, i, &woken))
			continue;
		task = (struct task_struct *)(unsigned long)woken.task;
		/* The entry of a read is off the queue while its sleeper looks around. */
		if (woken.manner == KT_MANNER_READ && kt_reads(task) == woken.calls && !READ_ONCE(task->exit_state))
			continue;
		kt_core_ledger_left(watched->ledger, i);
		watched->gone[count++] = task;
	}
	return count;
}

/* A walk that pauses is not over: its mark is on the queue. */
static bool is_walked(const struct ktwin_watched *watched)
{
	const struct wait_queue_entry *entry;
	u32 count = 0;

	list_for_each_entry(entry, &watched->head->head, entry) {
		if (kt_is_wait_bookmark(entry))
			return true;
		if (count++ == KTWIN_WAITERS_MAX)
			break;
	}
	return false;
}

void ktwin_watched_add(struct ktwin_watched *watched, struct ktwin_wait_stats *stats)
{
	struct task_struct *owed;
	unsigned long flags;
	u32 waiters, i, count = 0;

	spin_lock_irqsave(&watched->head->lock, flags);
	if (!is_walked(watched)) {
		walk_over(watched);
		kt_core_ledger_end(watched->ledger);
		waiters = see_all(watched);
		/* Who was not seen is not on the queue only if all were seen. */
		if (waiters < KTWIN_WAITERS_MAX)
			count = miss_all(watched);
		stats->waiters += waiters;
	}
	kt_core_ledger_add(watched->ledger, stats);
	owed = watched->owed;
	watched->owed = NULL;
	spin_unlock_irqrestore(&watched->head->lock, flags);
	if (owed)
		put_task_struct(owed);
	for (i = 0; i < count; i++)
		put_task_struct(watched->gone[i]);
}

static void forget_all(struct ktwin_watched *watched)
{
	struct kt_woken woken;
	u32 i;

	kt_core_ledger_look(watched->ledger);
	for (i = 0; i < KT_LEDGER_TASKS; i++) {
		if (kt_core_ledger_absent(watched->ledger, i, &woken))
			put_task_struct((struct task_struct *)(unsigned long)woken.task);
	}
}

void ktwin_watched_close(struct ktwin_watched *watched)
{
	unsigned long flags;

	spin_lock_irqsave(&watched->head->lock, flags);
	walk_over(watched);
	kt_core_ledger_end(watched->ledger);
	list_del(&watched->opener.entry);
	list_del(&watched->marker.entry);
	list_del(&watched->line.entry);
	spin_unlock_irqrestore(&watched->head->lock, flags);
	/* Our functions run under that lock only, so nobody is inside from here on. */
	if (watched->owed)
		put_task_struct(watched->owed);
	forget_all(watched);
	kt_core_ledger_close(watched->ledger);
	kvfree(watched);
}
