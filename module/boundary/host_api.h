/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core may ask for. In the kernel: module/linux/host_*.c and the inspectors, each entry one kernel call or the
 * smallest safe sequence of them. On the host: selftests/host/fake_host.*.
 *
 * Contexts, as each entry names them:
 *   [any]    process context, or irqs off under a kernel spinlock that may be a raw one; never sleeps, takes no
 *            lock that sleeps on PREEMPT_RT
 *   [sleep]  process context, may sleep
 */
#ifndef KTWIN_BOUNDARY_HOST_API_H
#define KTWIN_BOUNDARY_HOST_API_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- memory. Every allocation can return NULL; none is retried here. ---------------------------------------- */

/* [sleep] Zeroed, at least 8-aligned; large sizes may come from vmalloc. */
void *kt_host_alloc(unsigned long size);
/* [sleep] The same, charged to the caller's control group. */
void *kt_host_alloc_charged(unsigned long size);
/* [any] Zeroed. NULL always where the kernel's allocator may not be used with preemption off (PREEMPT_RT). */
void *kt_host_alloc_atomic(unsigned long size);
/* [sleep] Of both kinds; NULL is ignored. */
void kt_host_free(void *memory);

/* --- locks --------------------------------------------------------------------------------------------------- */

/* A raw spinlock with lockdep's bookkeeping, or a mutex with it, fits. */
struct kt_host_lock { unsigned long opaque[32]; };

/* Lock classes, one a lock site, in the order in which they may be taken (outer first). */
enum kt_lock_class {
	KT_LOCK_CONTROL,	/* mutex: mirror on/off/resync, maintenance */
	KT_LOCK_AUDIT,		/* mutex: one audit pass at a time */
	KT_LOCK_LAB_WRITERS,	/* mutex: the writers of a laboratory, where its numbers are not the twin's; its upkeep */
	KT_LOCK_TWIN,		/* raw spinlock, irqs off: the twin's writers, the pools, the stream list */
	KT_LOCK_LOCKSTEP,	/* raw spinlock, irqs off: all that lockstep knows; nothing is taken inside */
	KT_LOCK_DIVERGENCES,	/* raw spinlock, irqs off: the record of differences */
	KT_LOCK_TOTALS,		/* raw spinlock, irqs off: what the audit's passes add up to */
	KT_LOCK_LAB,		/* raw spinlock, irqs off: a private twin, never together with KT_LOCK_TWIN */
	KT_LOCK_QUEUE,		/* raw spinlock, irqs off: a wait queue; wake_up_locked() takes the scheduler's inside */
	KT_LOCK_RUN_QUEUES,	/* raw spinlock, irqs off: twin run queues; taken inside the scheduler's, nothing inside */
	KT_LOCK_CLASSES
};

/* [sleep] */
void kt_host_lock_init(struct kt_host_lock *lock, enum kt_lock_class lock_class);
/* [any] Raw spinlock; the result goes back to kt_host_unlock. */
unsigned long kt_host_lock(struct kt_host_lock *lock);
void kt_host_unlock(struct kt_host_lock *lock, unsigned long flags);
/*
 * [process context] The same raw spinlock with preemption off alone: half the work. Only for a lock that nothing takes in
 * an interrupt or in a hook; others may take it with irqs off.
 */
void kt_host_task_lock(struct kt_host_lock *lock);
void kt_host_task_unlock(struct kt_host_lock *lock);
/* [sleep] For the mutex classes, after kt_host_lock_init. */
void kt_host_mutex_lock(struct kt_host_lock *lock);
/* False: a signal came first, and the lock is not held. */
bool kt_host_mutex_lock_interruptible(struct kt_host_lock *lock);
void kt_host_mutex_unlock(struct kt_host_lock *lock);

/* --- RCU ----------------------------------------------------------------------------------------------------- */

void kt_host_rcu_read_lock(void);	/* [any] */
void kt_host_rcu_read_unlock(void);
/* [sleep] Every RCU reader, every section with irqs or preemption off and every spinlock section is over. */
void kt_host_synchronize(void);
/*
 * [any] A grace period without waiting: what begin answered is asked for by over, which is true once one has passed since. It
 * is not made to come.
 */
__u64 kt_host_grace_begin(void);
bool kt_host_grace_over(__u64 since);
/* [sleep] As kt_host_synchronize(), and every probe handler that was entered, or whose jump was taken, has returned. */
void kt_host_synchronize_hooks(void);

/* --- time, CPU, waking --------------------------------------------------------------------------------------- */

__u64 kt_host_time_ns(void);	/* [any] CLOCK_MONOTONIC */
__u32 kt_host_cpu(void);	/* [any] */
/* [any] It may have changed since. cpu: less than the number of CPUs there may be. */
bool kt_host_cpu_online(__u32 cpu);
/* [sleep] Gives the CPU away, for at least ns if not 0. False when the caller should stop (signal, kthread_stop). */
bool kt_host_breathe(__u64 ns);
/* [any] Has kt_core_maintain() run soon in process context. */
void kt_host_kick(void);
/* [any] Wakes the pollers of a stream; owner is what kt_core_stream_open() was given. */
void kt_host_stream_wake(void *owner);
/* [any] Not for secrets: tells objects apart without showing where they are. Never 0 for a key that is not 0. */
__u64 kt_host_hash_key(kt_key key);
/* [sleep] One line to the kernel log, rate-limited. Not from a hook: a console may be written to at once. */
void kt_host_warn(const char *what, __u64 a, __u64 b);

/* --- sleeping and waking: what kernel/sched/wait.c stands on -------------------------------------------------- */

kt_key kt_host_current(void);		/* [any] The task that runs; alive while it sleeps in the core. */
/* [any] set_current_state(KT_TASK_*): a full barrier after the store. */
void kt_host_set_state(__u32 state);
/* [any] signal_pending_state(): a signal that ends this kind of sleep is pending. */
bool kt_host_signal_pending(__u32 state);
/*
 * [sleep] schedule() in the state that was set, until woken or until CLOCK_MONOTONIC reaches deadline_ns, 0 never.
 * False: it was reached. The state is KT_TASK_RUNNING after.
 */
bool kt_host_schedule(__u64 deadline_ns);
/* [any] try_to_wake_up(): whether the task slept in one of the states of mode. flags: KT_WAKE_SYNC. */
bool kt_host_wake_task(kt_key task, __u32 mode, __u32 flags);
void kt_host_preempt_disable(void);	/* [any] */
void kt_host_preempt_enable(void);
__u32 kt_host_get_cpu(void);		/* [any] This CPU; kt_host_preempt_enable() is due */

/* --- the kernel's own wait queue, beside the core's, for the laboratory ----------------------------------------- */

/* A struct wait_queue_entry and what goes with it fit. */
struct kt_host_waitq_entry { unsigned long opaque[12]; };

void *kt_host_waitq_create(void);			/* [sleep] NULL: no memory */
void kt_host_waitq_destroy(void *queue);		/* [sleep] nobody is on it; NULL is ignored */
/* [sleep] For the current task. since_ns as for kt_waiter; selected stays where it is until kt_host_waitq_finish. */
void kt_host_waitq_entry_init(struct kt_host_waitq_entry *entry, __u64 since_ns, struct kt_selected *selected);
/* [sleep] prepare_to_wait(), prepare_to_wait_exclusive(), or the same with add_wait_queue_priority(). */
void kt_host_waitq_prepare(void *queue, struct kt_host_waitq_entry *entry, __u32 kind, __u32 state);
void kt_host_waitq_finish(void *queue, struct kt_host_waitq_entry *entry);	/* [sleep] finish_wait() */
/* [sleep] __wake_up() and its relatives; how many sleepers really were woken. */
__u32 kt_host_waitq_wake(void *queue, const struct kt_wake_call *call);
bool kt_host_waitq_active(void *queue);			/* [any] wq_has_sleeper() */
/* [any, not under a raw lock] In wake order, at most room; how many there are. */
__u32 kt_host_waitq_list(void *queue, struct kt_waiter *to, __u32 room);

/* --- the kernel's own bookkeeping, for population, audit and snapshots ---------------------------------------- */

/*
 * [any, inside kt_host_rcu_read_lock] The struct pid with the lowest number >= nr in the initial namespace. True and
 * *pid filled, or false: none. The namespaces named in it stay allocated until the RCU section ends.
 */
bool kt_host_pid_ge(int nr, struct kt_pid *pid);
/* [any, inside RCU] What the kernel's initial namespace has at nr now: its key, 0 none. */
kt_key kt_host_pid_at(int nr);
/*
 * [any, inside RCU] What namespace pid->numbers[level].ns has at pid->numbers[level].nr. pid must have been filled by
 * kt_host_pid_ge in this same RCU section: only that makes the namespace safe to look into.
 */
kt_key kt_host_pid_in_ns(const struct kt_pid *pid, __u32 level);
/*
 * [any, inside RCU] The lowest number >= nr in the anchor's namespace: 1 and *found_nr, *found_key, *found_root_nr
 * set; 0 none; -1 the anchor does not prove that the namespace is alive (its pid is gone, or is in other namespaces).
 */
int kt_host_ns_ge(const struct kt_ns_anchor *anchor, int nr, int *found_nr, kt_key *found_key, int *found_root_nr);
/* [any, inside RCU] Key at nr in the anchor's namespace through *key (0: none). False as -1 above. */
bool kt_host_ns_at(const struct kt_ns_anchor *anchor, int nr, kt_key *key);
/* [any, inside RCU] False as -1 above. */
bool kt_host_ns_view(const struct kt_ns_anchor *anchor, struct kt_ns_view *view);
/* [any] The key of the initial namespace. */
kt_key kt_host_init_ns(void);
__u32 kt_host_init_ns_inode(void);

/*
 * [sleep] Makes both probes fire on a private idr and says whether both handlers ran. *missed is the number of probe
 * hits that the kernel skipped since they were registered.
 */
bool kt_host_probes_alive(__u64 *missed);
/* [sleep] Places and removes the probes. 0 or -errno; said in the log. Removing waits for handlers in flight. */
int kt_host_probes_on(void);
void kt_host_probes_off(void);

/* --- lockstep ------------------------------------------------------------------------------------------------- */

/* [sleep] Places and removes its probes, as kt_host_probes_on(). */
int kt_host_lockstep_on(void);
void kt_host_lockstep_off(void);
/* [any] Probe hits that the kernel skipped since they were placed. */
__u64 kt_host_lockstep_missed(void);
/* [sleep] Makes them fire on a private idr and says whether all handlers ran. */
bool kt_host_lockstep_alive(void);
/*
 * [hook] Of a namespace in whose event the caller is: the first 64 numbers, from a multiple of 64 that is at least *first
 * on, of which any is in use. *first is set to theirs, and a bit for each that is used is returned; 0: there are none.
 */
__u64 kt_host_ns_used(kt_key ns, __u32 *first);
/* [hook] Likewise, where its cursor stands now. */
__u32 kt_host_ns_cursor(kt_key ns);

/* --- tracepoints, [any] -------------------------------------------------------------------------------------- */

void kt_host_trace_pid_alloc(__u64 serial, const struct kt_pid *pid);
void kt_host_trace_pid_free(__u64 serial, int nr, __u32 level, __u32 inode, int ns_nr);
void kt_host_trace_pidns_new(__u32 inode, __u32 level, __u32 parent);
void kt_host_trace_pidns_gone(__u32 inode, __u32 level, __u32 parent);
void kt_host_trace_audit_mismatch(__u32 inode, int nr, __u32 kind);
/* queue: its serial number. */
void kt_host_trace_wait_enter(__u32 queue, __u32 flags, __u32 mode);
void kt_host_trace_wait_exit(__u32 queue, int result, __u64 slept_ns, __u64 wakes);
void kt_host_trace_wake(__u32 queue, __u32 nr, __u32 woken, __u64 sequence);
void kt_host_trace_herd(__u32 queue, __u32 woken, __u32 futile, __u64 sequence);

/* --- the kernel's idr as kernel/pid.c uses it, for the differential run -------------------------------------- */

void *kt_host_idr_create(void);			/* [sleep] NULL: no memory */
void kt_host_idr_destroy(void *idr);		/* [sleep] */
/* [sleep] idr_alloc_cyclic(idr, NULL -> value, min, max). Number or -errno. */
int kt_host_idr_alloc_cyclic(void *idr, int min, int max);
int kt_host_idr_alloc_at(void *idr, int nr);	/* [sleep] idr_alloc(idr, value, nr, nr + 1) */
bool kt_host_idr_remove(void *idr, int nr);	/* [sleep] whether there was something */
bool kt_host_idr_find(void *idr, int nr);	/* [any] */
int kt_host_idr_next(void *idr, int nr);	/* [any] lowest used >= nr, -1 none */
__u32 kt_host_idr_cursor(void *idr);		/* [any] */

/* --- the kernel's own id allocators, as backends of the laboratory ------------------------------------------------ */

enum kt_ids_kind {
	KT_IDS_IDR,	/* under a mutex, in the steps of kernel/pid.c */
	KT_IDS_XARRAY,	/* XA_FLAGS_ALLOC, under its own lock */
	KT_IDS_IDA,
	KT_IDS_SBITMAP,	/* sbitmap_queue, all of [0, limit) */
	KT_IDS_KINDS
};

/* [sleep] NULL: no memory. Numbers asked for are below limit, and there is at least one in [min, max). */
void *kt_host_ids_create(enum kt_ids_kind kind, __u32 limit);
void kt_host_ids_destroy(void *ids);			/* [sleep] NULL is ignored */
/*
 * [sleep] The number, or -ENOSPC, -ENOMEM, -EEXIST (at a number), -EOPNOTSUPP where the kind has no such call. A NULL
 * pointer reserves the number.
 */
int kt_host_ids_alloc_lowest(void *ids, __u32 min, __u32 max, void *pointer);
int kt_host_ids_alloc_cyclic(void *ids, __u32 min, __u32 max, void *pointer);
int kt_host_ids_alloc_any(void *ids);
int kt_host_ids_alloc_at(void *ids, __u32 id, void *pointer);
void kt_host_ids_publish(void *ids, __u32 id, void *pointer);	/* [sleep] idr_replace(), xa_store() */
/* [sleep] False: it was not used; a kind that cannot tell must not be asked then. */
bool kt_host_ids_erase(void *ids, __u32 id);
void *kt_host_ids_find(void *ids, __u32 id);		/* [any, inside RCU] */
void *kt_host_ids_next(void *ids, __u32 *id);		/* [any, inside RCU] the lowest >= *id; NULL: none */
__u32 kt_host_ids_count(void *ids);			/* [any] */
__u32 kt_host_ids_cursor(void *ids);			/* [any] */
void kt_host_ids_set_cursor(void *ids, __u32 cursor);	/* [sleep] */

/* --- measuring --------------------------------------------------------------------------------------------------- */

/*
 * [any] For differences only, and only between two readings on one CPU: each has its own. Cheap, and without a device to
 * ask.
 */
__u64 kt_host_clock_ns(void);
/* [sleep, once] The caller's CPU stays the same until it no longer stays; it may sleep meanwhile. */
void kt_host_stay(bool stay);
/* [any] enum ktwin_ids; NULL: not one of the kernel's. */
const struct kt_rival *kt_host_rival(__u32 who);
/*
 * [sleep] work(arg, 0) and work(arg, 1) at once, in a kernel thread each, on a CPU each; both are over when this returns.
 * 0, -ENODEV: there is one CPU; -ENOMEM, -EINTR: no threads, and nothing was called.
 */
int kt_host_run_pair(void (*work)(void *arg, __u32 which), void *arg);

#ifdef __cplusplus
}
#endif

#endif
