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

#ifdef __cplusplus
}
#endif

#endif
