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

/* One row of a differential run: what an allocator was asked to do. */
enum kt_alloc_op { KT_ALLOC_CYCLIC, KT_ALLOC_AT, KT_REMOVE, KT_FIND, KT_NEXT };

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
	KT_FIELD_RQ_LOCK,
	KT_FIELD_RQ_NR_RUNNING,
	KT_FIELD_RQ_CLOCK,
	KT_FIELD_RQ_CURR,
	KT_FIELD_RQ_CFS,
	KT_FIELD_CFS_RQ_H_NR_QUEUED,
	KT_FIELD_CFS_RQ_TASKS_TIMELINE,
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
	int offset;		/* in bytes, -1: not known */
	__u32 size;		/* in bytes */
};

#ifdef __cplusplus
}
#endif

#endif
