/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel side may call. Defined in core_api.cc, the only extern "C" definitions of the core.
 * Contexts as in host_api.h; [hook]: preemption off, irqs off too except on PREEMPT_RT, under the kernel's pidmap_lock, so
 * never two at once.
 * Results are 0 or a count, or -errno with the errors that include/uapi/ktwin.h names.
 * viewer is the key of the caller's PID namespace, which is alive because the caller is in it.
 */
#ifndef KTWIN_BOUNDARY_CORE_API_H
#define KTWIN_BOUNDARY_CORE_API_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
/* The core is compiled with hidden visibility; these alone leave its link. */
#pragma GCC visibility push(default)
#endif

struct kt_core_config {
	__u32 pool_limit;	/* struct pids the twin may hold, all states */
	bool lab;
};

/* [sleep] Once each. After create nothing is mirrored yet. destroy: probes off, no fd open, no call under way. */
int kt_core_create(const struct kt_core_config *config);
void kt_core_destroy(void);

/* --- mirror --- */
/* [hook] pid is complete and about to be visible at level 0; at the deeper levels it is already. */
void kt_core_pid_published(const struct kt_pid *pid);
/* [hook] number nr of the initial namespace is about to be removed; the deeper ones follow under the same lock. */
void kt_core_pid_removed(int nr);
/* [sleep] enum ktwin_mirror_op. 0, -EALREADY, -ENOMEM, or what kt_host_probes_on() said. */
int kt_core_mirror(__u32 op);
/* [sleep] Refills pools, frees what a grace period has passed for, resynchronises when the twin is in doubt. */
void kt_core_maintain(void);

/* --- lockstep: see core/lockstep.h --- */
bool kt_core_lockstep_is_on(void);	/* [any] */
/* [any, preemption off] Whether the namespace is followed. Asked for every idr of the kernel. */
bool kt_core_lockstep_follows(kt_key ns);
/* [any, preemption off] The same, and that it is the one with this inode number, not one before it in the same memory. */
bool kt_core_lockstep_follows_inode(kt_key ns, __u32 inode);
/* [any] A fork into it, or below it, begins. Whether it is followed from now on. */
bool kt_core_lockstep_meet(kt_key ns, __u32 inode);
/* [any] Its idr is destroyed. */
void kt_core_lockstep_gone(kt_key ns);
/* [any] A write to ns_last_pid. stored: it was not refused. */
void kt_core_lockstep_cursor_write_begins(kt_key ns);
void kt_core_lockstep_cursor_write_ends(kt_key ns, bool stored);
/* [hook] At the entry of the call; false: not followed, and its return must not be told. */
bool kt_core_lockstep_request(struct kt_alloc_call *call);
/* [hook] At its return. */
void kt_core_lockstep_result(const struct kt_alloc_call *call, int result);
/* [hook] nr is about to be removed. first_failed: no fork into ns has succeeded yet, so its cursor goes back to 0. */
void kt_core_lockstep_removed(kt_key ns, int nr, bool first_failed);

/* --- audit --- */
struct kt_audit_budget {
	__u32 batch;		/* numbers between two breaths */
	__u32 cpu_percent;	/* of the time between them */
};
/* [sleep] One pass over what viewer sees. 0 and *report filled, or -EINTR. */
int kt_core_audit(kt_key viewer, const struct kt_audit_budget *budget, struct ktwin_audit *report);
/* [sleep] The last pass run with background = true by the audit thread; -ENODATA none yet. */
int kt_core_audit_last(kt_key viewer, struct ktwin_audit *report);
/* [sleep] As kt_core_audit over everything, and remembered for kt_core_audit_last. */
int kt_core_audit_background(const struct kt_audit_budget *budget);

/* --- snapshots, all [sleep] though they do not; no lock is taken --- */
int kt_core_status(kt_key viewer, struct ktwin_status *status);
/*
 * The readers fill at most room records from *cursor on, advance it and say through *more whether there may be more.
 * ns: inode, 0 the viewer's. Result: records filled, or -errno.
 */
int kt_core_read_namespaces(kt_key viewer, __u32 ns, __u64 *cursor, struct ktwin_ns *to, __u32 room, bool *more);
int kt_core_read_pids(kt_key viewer, __u32 ns, __u64 *cursor, struct ktwin_pid *to, __u32 room, bool *more);
int kt_core_read_divergences(kt_key viewer, __u64 *cursor, struct ktwin_divergence *to, __u32 room, bool *more);
__u64 kt_core_epoch(void);

/* What the inspectors need to reach the kernel's object behind a number that the viewer named. */
#define KT_ANCHORS	8

struct kt_resolved {
	kt_key key;		/* struct pid the twin has, 0: none */
	int root_nr;		/* its number in the initial namespace */
	/* Pids that may keep the namespace named alive; none when it is the viewer's own, which is alive anyway. */
	struct kt_ns_anchor anchors[KT_ANCHORS];
	__u32 anchor_count;
	kt_key ns;
	__u32 ns_level;
	struct ktwin_pid pid;	/* as the viewer sees it; depth 0 when the twin has none */
};
int kt_core_resolve(kt_key viewer, __u32 ns, int nr, struct kt_resolved *resolved);

/* --- streams --- */
struct kt_stream;
/*
 * [sleep] ring: zeroed memory of one page and capacity records, shared with user space, page aligned, alive until
 * after close returned. NULL: -ENOMEM; *error says otherwise.
 */
struct kt_stream *kt_core_stream_open(kt_key viewer, void *owner, struct ktwin_ring *ring, __u32 capacity, int *error);
void kt_core_stream_close(struct kt_stream *stream);	/* [sleep] */
int kt_core_stream_ack(struct kt_stream *stream, __u64 tail);	/* [sleep] 0 or -ERANGE */
bool kt_core_stream_readable(struct kt_stream *stream);	/* [any] */

/* --- where the fields of the kernel's private structs are --- */
/*
 * [sleep] Once, before the first of the questions below; without it nothing is known. btf: size bytes, needed during the
 * call only. known: what the compiler says; one difference, and no field of any group is known. 0: the BTF was read,
 * though a group may lack a field. -EINVAL malformed, -EOPNOTSUPP of a version this module does not know, -ENOMEM,
 * -ENODEV it differs from what the compiler says.
 */
int kt_core_layout_load(const void *btf, unsigned long size, const struct kt_layout_known *known, __u32 count);
/* [any] Offset in bytes; -1 when the field's group is not completely known. */
int kt_core_layout(enum kt_layout_field field);
/* [any] Name of the first thing that the group lacks, NULL: it is known. */
const char *kt_core_layout_missing(enum kt_layout_group group);
/* [any] The field with all that is known of it; false: there is no such field. */
bool kt_core_layout_entry(__u32 field, struct kt_layout_entry *entry);

/* --- laboratory wait queues --- */
struct kt_queue;
/* [sleep] enum ktwin_backend. NULL: *error says why. */
struct kt_queue *kt_core_queue_open(__u32 backend, int *error);
void kt_core_queue_close(struct kt_queue *queue);	/* [sleep] no call under way */
/* [sleep] table: what the sleepers came through, as they said; 0: all of them, and the queue is closed for good. */
void kt_core_queue_shut_down(struct kt_queue *queue, kt_key table);
/* [sleep] Checked by the caller: flags and mode are known. 0, -ETIMEDOUT, -EINTR, -EIDRM. */
int kt_core_queue_wait(struct kt_queue *queue, kt_key table, struct ktwin_wait *wait);
int kt_core_queue_wake(struct kt_queue *queue, struct ktwin_wake *wake);	/* [sleep] 0, -EIDRM, -EOVERFLOW */
void kt_core_queue_stats(struct kt_queue *queue, struct ktwin_wait_stats *stats);	/* [sleep] */
/* [any, not under a raw lock] In wake order, at most room; how many there are. */
__u32 kt_core_queue_list(struct kt_queue *queue, struct kt_waiter *to, __u32 room);
/* [any] Tokens to take; closed. */
void kt_core_queue_poll(struct kt_queue *queue, bool *tokens, bool *closed);
__u32 kt_core_queue_serial(const struct kt_queue *queue);	/* [any] */

/* --- private PID worlds --- */
struct kt_lab;
/* [sleep] All of them. cpus: CPU numbers there may be. NULL: *error says why. */
struct kt_lab *kt_core_lab_open(const struct ktwin_lab *wanted, __u32 cpus, int *error);
/* [any] The most bytes that one opened so would hold; 0: it cannot be. */
__u64 kt_core_lab_bytes(const struct ktwin_lab *wanted, __u32 cpus);
void kt_core_lab_close(struct kt_lab *lab);	/* no call under way */
int kt_core_lab_create(struct kt_lab *lab, struct ktwin_lab_create *request);
int kt_core_lab_pid_max(struct kt_lab *lab, struct ktwin_lab_pid_max *request);
/* may_choose: the caller may ask for numbers. */
int kt_core_lab_alloc(struct kt_lab *lab, struct ktwin_lab_alloc *request, bool may_choose);
int kt_core_lab_free(struct kt_lab *lab, __u32 ns, __s32 nr);
int kt_core_lab_find(struct kt_lab *lab, struct ktwin_lab_find *request);
int kt_core_lab_role(struct kt_lab *lab, struct ktwin_lab_role *request);
int kt_core_lab_kill(struct kt_lab *lab, struct ktwin_lab_kill *request);
int kt_core_lab_stats(struct kt_lab *lab, struct ktwin_lab_stats *stats);
/* Readers as those of snapshots. */
int kt_core_read_lab_namespaces(struct kt_lab *lab, __u64 *cursor, struct ktwin_lab_ns *to, __u32 room, bool *more);
int kt_core_read_lab_pids(struct kt_lab *lab, __u32 ns, __u64 *cursor, struct ktwin_lab_pid *to, __u32 room, bool *more);
int kt_core_read_lab_tasks(struct kt_lab *lab, __u64 *cursor, struct ktwin_lab_task *to, __u32 room, bool *more);
int kt_core_read_lab_leaves(struct kt_lab *lab, __u32 ns, __u64 *cursor, struct ktwin_lab_leaf *to, __u32 room,
			    bool *more);
/* Objects that are ready and not needed, at most so many; how many were given back. */
__u32 kt_core_lab_shrink(struct kt_lab *lab, __u32 most);
__u32 kt_core_lab_ready(struct kt_lab *lab);	/* [any] how many those are, about */

/*
 * --- what became of those that the wake calls on a real queue woke. All but open and close [any], under the lock of that
 * queue. A task that is remembered is the caller's to keep alive; when a function returns true it is forgotten.
 */
struct kt_ledger;

struct kt_ledger *kt_core_ledger_open(void);		/* [sleep] NULL: no memory */
void kt_core_ledger_close(struct kt_ledger *ledger);	/* [sleep] */
void kt_core_ledger_begin(struct kt_ledger *ledger);	/* a wake call; the one before is over */
void kt_core_ledger_end(struct kt_ledger *ledger);	/* it is over */
void kt_core_ledger_met(struct kt_ledger *ledger);	/* the call met somebody on the queue */
/* Whether woken() would remember the task, be it that it does so already; holds until woken() or begin(). */
bool kt_core_ledger_has_room(struct kt_ledger *ledger, kt_key task);
/* The call woke it. Returns whether it is remembered from now on, and was not before. */
bool kt_core_ledger_woken(struct kt_ledger *ledger, const struct kt_woken *woken);
/* On the queue. stayed: it was there before the wake before this one. */
bool kt_core_ledger_seen(struct kt_ledger *ledger, const struct kt_woken *now, bool stayed, bool asleep);
/* Whether this one is remembered, and was not seen since the last look began; below KT_LEDGER_TASKS. */
bool kt_core_ledger_absent(const struct kt_ledger *ledger, __u32 index, struct kt_woken *woken);
/* It is, and returned from its call. */
void kt_core_ledger_left(struct kt_ledger *ledger, __u32 index);
void kt_core_ledger_look(struct kt_ledger *ledger);	/* a look at the whole queue begins */
void kt_core_ledger_add(const struct kt_ledger *ledger, struct ktwin_wait_stats *stats);

/* --- the core's wait queue by itself, to be measured beside the kernel's --- */
struct kt_waitq;
/* On the sleeper's stack, for the current task. */
struct kt_waitq_entry { unsigned long opaque[8]; };
struct kt_waitq *kt_core_waitq_create(void);			/* [sleep] NULL: no memory */
void kt_core_waitq_destroy(struct kt_waitq *queue);		/* [sleep] nobody is on it; NULL is ignored */
/* [any] As kt_host_lock() is given it. */
const struct kt_host_lock *kt_core_waitq_lock(const struct kt_waitq *queue);
/* [sleep] autoremove: leaves the queue when it is woken. */
void kt_core_waitq_entry_init(struct kt_waitq_entry *entry, bool autoremove);
/* [sleep] kind: KT_WAIT_*; state: KT_TASK_*. The calls of core/wait_queue.h by their names. */
void kt_core_waitq_add(struct kt_waitq *queue, struct kt_waitq_entry *entry, __u32 kind);
void kt_core_waitq_prepare(struct kt_waitq *queue, struct kt_waitq_entry *entry, __u32 kind, __u32 state);
void kt_core_waitq_set_current_state(struct kt_waitq_entry *entry, __u32 state);
void kt_core_waitq_remove(struct kt_waitq *queue, struct kt_waitq_entry *entry);
void kt_core_waitq_finish(struct kt_waitq *queue, struct kt_waitq_entry *entry);
/* [any] wake_up_nr(), nr 0: wake_up_all(). How many really were asleep. */
__u32 kt_core_waitq_wake(struct kt_waitq *queue, __u32 nr);

/* --- context switches and the twin run queues --- */
/*
 * [rq]: irqs off, under the lock of a run queue or a task's pi_lock: no lock but raw ones, no allocation, no wake-up.
 * One kt_switches for each open fd; each part that was not asked for is absent, and its events must not come.
 */
struct kt_switches;
/* [sleep] KTWIN_SWITCHES_*; cpus: numbers of CPUs there may be; online: how many there are. NULL: *error says why. */
struct kt_switches *kt_core_switches_open(__u32 flags, __u32 cpus, __u32 online, int *error);
void kt_core_switches_close(struct kt_switches *switches);	/* [sleep] no event comes any more, nobody reads */
/* [sleep] Once a second: memory for events to come. */
void kt_core_switches_refill(struct kt_switches *switches);
/*
 * [rq] Of this CPU: the address spaces of both, 0 for none of its own, and what the previous one ran with, before the
 * switch has changed it. An exiting task that has given its own up has none, as a kernel thread. how: KT_SWITCH_*.
 * What it was: see KT_SWITCH_CLASS(). By value and without a check of cpu, for each switch of the system comes through here.
 */
__u32 kt_core_switch(struct kt_switches *switches, unsigned long cpu, kt_key prev_mm, kt_key next_mm, kt_key prev_active_mm,
		     __u32 how);
/* [rq] The same for the task that leaves the CPU. key: 0 the idle task; nr: in the initial namespace; ended: for good. */
void kt_core_switch_task(struct kt_switches *switches, __u32 cpu, __u32 what, kt_key key, int nr, bool ended);
/* [rq] The next task got this CPU after it waited so long. sched_class: enum ktwin_sched_class. */
void kt_core_switch_wait(struct kt_switches *switches, __u32 cpu, __u32 sched_class, __u32 ns_inode, __u64 ns);
/* [rq] What the twin run queues are fed with; now: ns by the clock of that CPU's run queue. See core/run_queue_twin.h. */
void kt_core_rq_switched(struct kt_switches *switches, __u32 cpu, const struct kt_sched_switch *event, __u64 now);
void kt_core_rq_woken(struct kt_switches *switches, __u32 cpu, const struct kt_sched_task *task, __u64 now);
void kt_core_rq_created(struct kt_switches *switches, __u32 cpu, const struct kt_sched_task *task, kt_key parent,
			__u64 now);
/* [rq] Who has the CPU was charged until now. */
void kt_core_rq_ran(struct kt_switches *switches, __u32 cpu, const struct kt_sched_task *task, __u64 now);
void kt_core_rq_moved(struct kt_switches *switches, kt_key task, __u32 cpu, __u64 now);
/* [any, but not rq] Readers as those of snapshots; tasks have key and nr, and are the caller's to find. */
struct kt_task_switches {
	kt_key key;
	int nr;
	__u32 zero;
	struct ktwin_switch_task counts;
};
int kt_core_read_switch_cpus(struct kt_switches *switches, __u64 *cursor, struct ktwin_switch_cpu *to, __u32 room,
			     bool *more);
int kt_core_read_switch_tasks(struct kt_switches *switches, __u64 *cursor, struct kt_task_switches *to, __u32 room,
			      bool *more);
int kt_core_read_switch_waits(struct kt_switches *switches, __u64 *cursor, struct ktwin_switch_waits *to, __u32 room,
			      bool *more);
int kt_core_read_rq_twins(struct kt_switches *switches, __u64 *cursor, struct ktwin_rq_twin *to, __u32 room, bool *more);
int kt_core_read_ns_waits(struct kt_switches *switches, __u64 *cursor, struct ktwin_ns_waits *to, __u32 room, bool *more);
/*
 * The audit of a CPU's twin: see core/rq_audit.h. One pass at a time; whoever reads keeps passes away. Each -ENODATA or 0
 * when there is no such CPU, or there are no twins.
 */
#define KT_RQ_LOOKS	3
int kt_core_rq_auditable(struct kt_switches *switches, __u32 cpu);			/* [any] 0: all below may be called */
/* [rq] Under the lock of that queue. whole: real has all that is queued. */
void kt_core_rq_look(struct kt_switches *switches, __u32 cpu, const struct kt_rq_real *real, __u32 count, bool whole);
__u32 kt_core_rq_settle(struct kt_switches *switches);					/* [any] candidates that stand */
void kt_core_rq_candidate(struct kt_switches *switches, __u32 index, struct kt_rq_candidate *to);	/* [any] */
/* [any] The kernel means it so; the last candidate takes its place. */
void kt_core_rq_explain(struct kt_switches *switches, __u32 cpu, __u32 index);
/* [any] How many are confirmed; they may still be read. audit: last_tid in the initial namespace. */
__u32 kt_core_rq_finish(struct kt_switches *switches, __u32 cpu, __u64 now);
void kt_core_rq_abandon(struct kt_switches *switches, __u32 cpu);	/* [any] Instead: the pass could not be made. */
void kt_core_rq_audit(struct kt_switches *switches, __u32 cpu, struct ktwin_rq_audit *audit);	/* [any] */
/* [any] The laboratory: the twin alone has the task queued, or not. -ENODATA no twins, -ESRCH, -EALREADY, -EOPNOTSUPP. */
int kt_core_rq_inject(struct kt_switches *switches, kt_key task, bool add);

/* --- what the scheduler did, event by event --- */
struct kt_sched_events;
/* [sleep] A ring of so many events for each CPU that is online; cpus: numbers of CPUs there may be. NULL: *error says why. */
struct kt_sched_events *kt_core_sched_events_open(__u32 cpus, __u32 capacity, int *error);
void kt_core_sched_events_close(struct kt_sched_events *events);	/* [sleep] no event comes any more, nobody reads */
/* [sleep] Once a second, one at a time: rings for CPUs that came online. */
void kt_core_sched_events_refill(struct kt_sched_events *events);
/* [rq] Irqs off, on that CPU; all of the event is set but lost. */
void kt_core_sched_event(struct kt_sched_events *events, __u32 cpu, const struct ktwin_sched_event *event);
/* [any, but not rq; one at a time] Takes them out. */
int kt_core_read_sched_events(struct kt_sched_events *events, __u64 *cursor, struct ktwin_sched_event *to, __u32 room,
			      bool *more);
/* [any] Of that CPU, since it was opened. */
void kt_core_sched_event_count(const struct kt_sched_events *events, __u32 cpu, __u64 *stored, __u64 *lost);

/* --- the laboratory --- */
int kt_core_inject(kt_key viewer, const struct ktwin_inject *inject);	/* [sleep] */
int kt_core_compare(struct ktwin_compare *compare);			/* [sleep] */
/* [sleep] One at a time. cpus: as many there can be. */
int kt_core_bench_ids(struct ktwin_bench_ids *request, __u32 cpus);

#ifdef __cplusplus
#pragma GCC visibility pop
}
#endif

#endif
