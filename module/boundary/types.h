/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plain structs both directions of the boundary speak in. C and C++, no kernel headers, no libc headers.
 */
#ifndef KTWIN_BOUNDARY_TYPES_H
#define KTWIN_BOUNDARY_TYPES_H

#include "../../include/uapi/ktwin.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The address of a kernel object used as a name. The core compares keys and stores them; it never follows one,
 * and never lets one out. 0 is no object.
 */
typedef __u64 kt_key;

/* Of a leaf of the id tree, of which there are many: between two of the sizes that a general allocator has. */
#define KT_LEAF_BYTES	528

struct kt_upid {
	kt_key ns;
	int nr;
	__u32 inode;		/* of ns */
};

/* A struct pid as the kernel has it at one instant: numbers[0] in the initial namespace, numbers[level] deepest. */
struct kt_pid {
	kt_key key;
	__u32 level;
	struct kt_upid numbers[KTWIN_LEVELS];
};

/* What only the kernel's struct pid_namespace knows. */
struct kt_ns_view {
	__u32 allocated;	/* pid_allocated without the flag */
	__u32 cursor;		/* idr_next */
	__u32 pid_max;		/* 0: could not be read */
	bool dying;		/* PIDNS_ADDING is off */
};

/* Names a namespace together with a pid that keeps it alive: see kt_host_ns_view(). */
struct kt_ns_anchor {
	kt_key ns;
	__u32 level;
	int root_nr;		/* number in the initial namespace of some pid in ns */
};

/* Task states, with the kernel's values: module/linux/host_task.c compares them. */
#define KT_TASK_RUNNING		0x000u
#define KT_TASK_INTERRUPTIBLE	0x001u
#define KT_TASK_UNINTERRUPTIBLE	0x002u
#define KT_TASK_KILLABLE	0x102u
#define KT_TASK_NORMAL		0x003u

/* The waker is about to sleep: the woken task need not be moved to another CPU. */
#define KT_WAKE_SYNC		(1u << 0)

/* How an entry is queued: enum WaitKind of the core. */
#define KT_WAIT_PRIORITY	0u
#define KT_WAIT_SHARED		1u
#define KT_WAIT_EXCLUSIVE	2u

/* A sleeper on a laboratory queue, as an inspector meets it. */
struct kt_waiter {
	kt_key task;		/* alive as long as it is on the queue, and its memory until RCU says so */
	__u64 since_ns;
	__u32 flags;		/* KTWIN_WAITER_EXCLUSIVE, PRIORITY, CLAIMED, WOKEN */
	__u32 zero;
};

/* What one wake call does to the sleepers of a laboratory queue, whichever backend it has. */
struct kt_wake_call {
	__u32 mode;		/* KT_TASK_* */
	__u32 flags;		/* KT_WAKE_SYNC */
	__u32 nr;		/* exclusive sleepers, 0 all */
	__u32 locked;		/* 1: under the queue's lock from first to last */
	/* Of the call, told to those it selects. 0: no call, but the end of those whose kt_selected.leave is set. */
	__u64 sequence;
	__u64 *order;		/* counts those woken; by atomic additions */
	__u32 exclusive_only;	/* 1: passes over the others */
	__u32 zero;
};

/* Between one sleeper and those who wake it; a waker writes before it lets the entry go. */
struct kt_selected {
	__u64 sequence;		/* of the call that selected it; 0: none */
	__u64 order;		/* it was the queue's order-th to be woken */
	__u32 leave;		/* it is to leave without being woken for its condition */
	__u32 mode;		/* of the call that selected it */
};

/* How a switch came, told with it. */
#define KT_SWITCH_PREEMPTED	(1U << 0)	/* in the kernel; the previous one did not call for it */
#define KT_SWITCH_SLEEPS	(1U << 1)	/* the previous one's state is not TASK_RUNNING */
#define KT_SWITCH_ONE_PROCESS	(1U << 2)	/* both are of one process, and neither is a kernel thread */

/* What a switch was, in one number: enum ktwin_switch_class, and enum ktwin_leave above it. */
#define KT_SWITCH_CLASS(what)	((what) & 7u)
#define KT_SWITCH_LEAVE(what)	((what) >> 3)
#define KT_SWITCH_KINDS		(KTWIN_LEAVES << 3)

/* What the kernel's own fair class has of a task that sleeps, which is of use to one generation of the twins each. */
enum kt_fair_place {
	KT_PLACE_UNKNOWN,
	KT_PLACE_LAG,		/* EEVDF: vlag */
	KT_PLACE_OFFSET,	/* CFS: vruntime from min_vruntime */
};

/* A task as the scheduler's events show it to the twin run queues. */
struct kt_sched_task {
	kt_key key;		/* 0: the idle task */
	kt_key mm;		/* 0: a kernel thread */
	__u64 deadline;		/* absolute, in ns, for the deadline class */
	__u64 slice_ns;		/* asked for by sched_setattr(); 0: the usual one */
	__s64 place;		/* of the one that wakes, or went to sleep */
	__u32 sched_class;	/* enum ktwin_sched_class: the one it is in now, boosted or not */
	__u32 policy;		/* SCHED_* */
	int nr;			/* in the initial namespace */
	int nice;
	__u32 rt_priority;	/* 1 to 99, higher first, for the rt class */
	__u32 rr_ticks;		/* left of its slice, if it is of SCHED_RR */
	__u32 place_kind;	/* enum kt_fair_place */
	bool grouped;		/* of the fair class, in a task group below the root */
};

struct kt_sched_switch {
	struct kt_sched_task prev;
	struct kt_sched_task next;
	bool prev_queued;	/* it did not go to sleep */
	bool prev_special;	/* its state suffers no wakeup too many */
	bool prev_dead;		/* it will not be heard of again */
};

/* A task of the kernel's own run queue. */
enum kt_rq_presence {
	KT_RQ_QUEUED,		/* it waits for the CPU, or has it */
	KT_RQ_THROTTLED,	/* on_rq is set and no class would pick it: rt throttled, a group without runtime */
	KT_RQ_DELAYED,		/* it sleeps and is still in the fair class's tree (sched_delayed, since 6.12) */
};

struct kt_rq_real {
	kt_key key;
	int nr;			/* in the initial namespace */
	__u32 presence;		/* enum kt_rq_presence */
};

/* What is on the one queue and not on the other. */
struct kt_rq_candidate {
	kt_key key;
	int nr;
	bool missing;		/* from the twin; else from the kernel's queue */
};

/*
 * One request of alloc_pid() to the idr of a PID namespace, from the entry of the call to its return. One pidmap_lock
 * section holds both.
 */
struct kt_alloc_call {
	kt_key ns;
	int start;
	int end;
	bool cyclic;		/* idr_alloc_cyclic(), else idr_alloc() */
	/* The core's, for the return: */
	int predicted;		/* a number, or -errno */
	__u32 outcome;		/* enum LockstepOutcome of the core: why there is no prediction, or not one by itself */
	__u32 cursor_before;	/* the twin's */
};

/* One row of a differential run: what an allocator was asked to do. */
enum kt_alloc_op { KT_ALLOC_CYCLIC, KT_ALLOC_AT, KT_REMOVE, KT_FIND, KT_NEXT };

/* What an allocator that is to be measured is made for. */
struct kt_rival_config {
	__u32 limit;		/* numbers are below */
	__u32 levels;
	__u32 cpus;		/* there can be */
	__u32 operations;	/* between two rests */
};

struct kt_rival_bytes {
	__u64 used;		/* of nodes in use, and what is there from the start */
	__u64 ready;		/* of nodes kept at hand */
};

/*
 * An allocator of ids as the bench calls it, the core's and the kernel's alike: each call is one indirect call away,
 * does what its users do, and nothing around it. NULL: it has no such call. object is not NULL and 8-aligned.
 */
struct kt_rival {
	void *(*create)(const struct kt_rival_config *config);	/* [sleep] NULL: no memory, or it cannot be so */
	void (*destroy)(void *self);				/* [sleep] with whatever is in use */
	/* [sleep] A number from 1 on (sbitmap: 0), or -errno. */
	int (*cyclic)(void *self, void *object);
	int (*lowest)(void *self, void *object);
	int (*at)(void *self, __u32 nr, void *object);		/* [sleep] 0 or -errno */
	void (*put)(void *self, __u32 nr);			/* [any but irqs off] */
	void *(*find)(void *self, __u32 nr);			/* [any, inside RCU] */
	void *(*next)(void *self, __u32 *nr);			/* [any, inside RCU] the lowest >= *nr; NULL: none */
	void (*bytes)(void *self, struct kt_rival_bytes *bytes);	/* [sleep] nobody is at it */
	void (*rest)(void *self);				/* [sleep] what was put off is done now, unmeasured */
};

/*
 * Fields of kernel structs whose place the kernel's own BTF tells; the table behind them is core/kernel_layout.cc. Each
 * belongs to a group, which is known as a whole or not at all.
 */
enum kt_layout_group {
	KT_GROUP_WAIT,		/* wait-queue heads and entries, poll's sleepers */
	KT_GROUP_TASK,
	KT_GROUP_EPOLL,
	KT_GROUP_RUN_QUEUE,
	KT_GROUPS
};

enum kt_layout_field {
	KT_FIELD_WAIT_QUEUE_HEAD_LOCK,
	KT_FIELD_WAIT_QUEUE_HEAD_HEAD,
	KT_FIELD_WAIT_QUEUE_ENTRY_FLAGS,
	KT_FIELD_WAIT_QUEUE_ENTRY_PRIVATE,
	KT_FIELD_WAIT_QUEUE_ENTRY_FUNC,
	KT_FIELD_WAIT_QUEUE_ENTRY_ENTRY,
	KT_FIELD_POLL_WQUEUES_POLLING_TASK,
	KT_FIELD_POLL_TABLE_ENTRY_WAIT,

	KT_FIELD_TASK_STRUCT_STACK,
	KT_FIELD_TASK_STRUCT_STATE,
	KT_FIELD_TASK_STRUCT_SIGNAL,
	KT_FIELD_SIGNAL_STRUCT_WAIT_CHLDEXIT,

	KT_FIELD_EVENTPOLL_WQ,
	KT_FIELD_EVENTPOLL_POLL_WAIT,
	KT_FIELD_EVENTPOLL_LOCK,
	KT_FIELD_EVENTPOLL_FILE,
	KT_FIELD_EVENTPOLL_REFS,
	KT_FIELD_EPITEM_EP,
	KT_FIELD_EPITEM_FFD,
	KT_FIELD_EPPOLL_ENTRY_BASE,
	KT_FIELD_EPPOLL_ENTRY_WAIT,
	KT_FIELD_EPPOLL_ENTRY_WHEAD,
	KT_FIELD_EPOLL_FILEFD_FILE,
	KT_FIELD_EPOLL_FILEFD_FD,

	KT_FIELD_PERCPU_RUNQUEUES,	/* in the per-CPU section */
	KT_FIELD_PERCPU_KSTAT,		/* likewise; exported, so its address tells where the section begins */
	KT_FIELD_RQ_CORE_ENABLED,	/* core scheduling: the lock that counts may be another CPU's */
	KT_FIELD_RQ_LOCK,
	KT_FIELD_RQ_CPU,
	KT_FIELD_RQ_NR_RUNNING,
	KT_FIELD_RQ_NR_SWITCHES,
	KT_FIELD_RQ_CLOCK,
	KT_FIELD_RQ_CURR,
	KT_FIELD_RQ_IDLE,
	KT_FIELD_RQ_STOP,
	KT_FIELD_RQ_DL,
	KT_FIELD_RQ_RT,
	KT_FIELD_RQ_CFS,
	KT_FIELD_RQ_CFS_TASKS,
	KT_FIELD_DL_RQ_ROOT,
	KT_FIELD_DL_RQ_DL_NR_RUNNING,
	KT_FIELD_RT_RQ_ACTIVE,
	KT_FIELD_RT_RQ_RT_NR_RUNNING,
	KT_FIELD_RT_RQ_RT_THROTTLED,	/* not on every kernel */
	KT_FIELD_RT_PRIO_ARRAY_BITMAP,
	KT_FIELD_RT_PRIO_ARRAY_QUEUE,
	KT_FIELD_CFS_RQ_H_NR_QUEUED,
	KT_FIELD_CFS_RQ_TASKS_TIMELINE,
	KT_FIELD_CFS_RQ_CURR,
	KT_FIELD_CFS_RQ_NEXT,
	KT_FIELD_CFS_RQ_ZERO_VRUNTIME,
	KT_FIELD_CFS_RQ_THROTTLE_COUNT,	/* not on every kernel */
	KT_FIELD_SCHED_ENTITY_LOAD,
	KT_FIELD_SCHED_ENTITY_RUN_NODE,
	KT_FIELD_SCHED_ENTITY_GROUP_NODE,
	KT_FIELD_SCHED_ENTITY_VRUNTIME,
	KT_FIELD_SCHED_ENTITY_DEADLINE,	/* EEVDF; so are the next three */
	KT_FIELD_SCHED_ENTITY_VLAG,
	KT_FIELD_SCHED_ENTITY_SLICE,
	KT_FIELD_SCHED_ENTITY_SCHED_DELAYED,
	KT_FIELD_SCHED_DL_ENTITY_RB_NODE,
	KT_FIELD_SCHED_DL_ENTITY_DEADLINE,
	KT_FIELD_SCHED_RT_ENTITY_RUN_LIST,
	KT_FIELD_TASK_STRUCT_SE,
	KT_FIELD_TASK_STRUCT_RT,
	KT_FIELD_TASK_STRUCT_DL,
	KT_FIELD_TASK_STRUCT_SCHED_INFO,
	KT_FIELD_TASK_STRUCT_PRIO,
	KT_FIELDS
};

/* What the compiler says of a field, where a header has the struct, for comparison with what the BTF says. */
struct kt_layout_known {
	enum kt_layout_field field;
	int offset;		/* -1: only the size is known */
	__u32 size;
};

struct kt_layout_entry {
	const char *name;	/* struct.member, as this kernel spells it; static */
	const char *missing;	/* of the group it belongs to, NULL: known; static */
	const char *why;	/* what is wrong with that; static */
	int offset;		/* in bytes, -1: not known, or this kernel has no such field */
	__u32 size;		/* in bytes */
	__u32 group;		/* enum kt_layout_group */
	bool compared;		/* the headers that ktwin was built with say the same */
};

/* What a task that was woken, or is seen on the queue again, is known to do. */
enum kt_manner {
	KT_MANNER_OTHER,	/* no more than that it sleeps there */
	KT_MANNER_POLL,		/* its entry stays on the queue for as long as its call lasts */
	KT_MANNER_READ,		/* a call that takes what it wants in one piece, and counts itself when it returns */
};

struct kt_woken {
	kt_key task;		/* 0: none that could be told again */
	__u64 calls;		/* KT_MANNER_READ: how many calls of that sort it has returned from */
	enum kt_manner manner;
};

/* Tasks that one ledger remembers. */
#define KT_LEDGER_TASKS	1024

#ifdef __cplusplus
}
#endif

#endif
