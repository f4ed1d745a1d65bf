/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * ktwin: the wire format, the only thing kernel and user space share.
 *
 * Rules that hold for everything below
 *
 * - Every argument struct starts with its own size, set by the caller. A kernel that knows fewer fields accepts
 *   a larger struct whose unknown tail is zero (else -E2BIG); one that knows more fills in zeros. A size below
 *   the first published one is -EINVAL. (The convention of clone3(2) and openat2(2).)
 * - Unknown flags are -EINVAL, unknown commands -ENOTTY, fields that must be zero and are not -EINVAL.
 * - All fields have fixed width, structs have no holes, pointers travel as __u64: 32-bit callers need no
 *   translation.
 * - Times are CLOCK_MONOTONIC nanoseconds.
 * - A namespace is named by the inode number that "ls -l /proc/PID/ns/pid" shows; 0 means the caller's own.
 * - Who sees what: a caller sees its own PID namespace and those below it. Levels are counted from the caller's
 *   (its own is 0), numbers are given in visible namespaces only. No kernel address leaves the kernel: where an
 *   object must be told from another, a keyed hash or a serial number stands for it.
 *
 * Access: the device is 0600. Commands marked CONTROL need CAP_SYS_ADMIN in the initial user namespace (-EPERM);
 * those marked LAB need the module loaded with kt_lab=1 as well (-EOPNOTSUPP).
 */
#ifndef _UAPI_KTWIN_H
#define _UAPI_KTWIN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KTWIN_DEVICE		"/dev/ktwin"

/* Levels a struct pid can have: 0 (the initial namespace) to 32 (MAX_PID_NS_LEVEL). */
#define KTWIN_LEVELS		33

#define KTWIN_IOC_MAGIC		0xb6

/* The size of an argument is in the argument, so it is not in the command number. */
#define KTWIN_IOC_STATUS	_IO(KTWIN_IOC_MAGIC, 0x00) /* struct ktwin_status */
#define KTWIN_IOC_MIRROR	_IO(KTWIN_IOC_MAGIC, 0x01) /* struct ktwin_mirror, CONTROL */
#define KTWIN_IOC_AUDIT		_IO(KTWIN_IOC_MAGIC, 0x02) /* struct ktwin_audit */
#define KTWIN_IOC_AUDIT_RATE	_IO(KTWIN_IOC_MAGIC, 0x03) /* struct ktwin_audit_rate, CONTROL */
#define KTWIN_IOC_NAMESPACES	_IO(KTWIN_IOC_MAGIC, 0x04) /* struct ktwin_read of struct ktwin_ns */
#define KTWIN_IOC_PIDS		_IO(KTWIN_IOC_MAGIC, 0x05) /* struct ktwin_read of struct ktwin_pid */
#define KTWIN_IOC_DIVERGENCES	_IO(KTWIN_IOC_MAGIC, 0x06) /* struct ktwin_read of struct ktwin_divergence */
#define KTWIN_IOC_EXPLAIN	_IO(KTWIN_IOC_MAGIC, 0x07) /* struct ktwin_explain */
#define KTWIN_IOC_STREAM	_IO(KTWIN_IOC_MAGIC, 0x08) /* struct ktwin_stream; returns a stream fd */
#define KTWIN_IOC_QUEUE		_IO(KTWIN_IOC_MAGIC, 0x09) /* struct ktwin_queue; returns a queue fd */
#define KTWIN_IOC_WAITERS	_IO(KTWIN_IOC_MAGIC, 0x0a) /* struct ktwin_waiters */
#define KTWIN_IOC_SLEEP		_IO(KTWIN_IOC_MAGIC, 0x0b) /* struct ktwin_sleep */
#define KTWIN_IOC_WATCH		_IO(KTWIN_IOC_MAGIC, 0x0c) /* struct ktwin_watch; returns a watch fd */
#define KTWIN_IOC_RQ		_IO(KTWIN_IOC_MAGIC, 0x0d) /* struct ktwin_rq */
#define KTWIN_IOC_SWITCHES	_IO(KTWIN_IOC_MAGIC, 0x0e) /* struct ktwin_switches, CONTROL; returns a switches fd */
#define KTWIN_IOC_LAYOUT	_IO(KTWIN_IOC_MAGIC, 0x0f) /* struct ktwin_read of struct ktwin_layout */
#define KTWIN_IOC_LAB		_IO(KTWIN_IOC_MAGIC, 0x10) /* struct ktwin_lab; returns a lab fd */
#define KTWIN_IOC_INJECT	_IO(KTWIN_IOC_MAGIC, 0x40) /* struct ktwin_inject, CONTROL, LAB */
#define KTWIN_IOC_COMPARE	_IO(KTWIN_IOC_MAGIC, 0x41) /* struct ktwin_compare, CONTROL, LAB */
#define KTWIN_IOC_BENCH		_IO(KTWIN_IOC_MAGIC, 0x42) /* struct ktwin_bench, CONTROL, LAB */
#define KTWIN_IOC_BENCH_IDS	_IO(KTWIN_IOC_MAGIC, 0x43) /* struct ktwin_bench_ids, CONTROL, LAB */

/* On a stream fd only. */
#define KTWIN_IOC_STREAM_ACK	_IO(KTWIN_IOC_MAGIC, 0x80) /* struct ktwin_stream_ack */

/* On a queue fd only, and KTWIN_IOC_WAITERS; on a watch fd KTWIN_IOC_QUEUE_STATS. */
#define KTWIN_IOC_QUEUE_WAIT	_IO(KTWIN_IOC_MAGIC, 0x90) /* struct ktwin_wait */
#define KTWIN_IOC_QUEUE_WAKE	_IO(KTWIN_IOC_MAGIC, 0x91) /* struct ktwin_wake */
#define KTWIN_IOC_QUEUE_STATS	_IO(KTWIN_IOC_MAGIC, 0x92) /* struct ktwin_wait_stats */

/* On a switches fd only. */
#define KTWIN_IOC_SWITCHES_CPUS		_IO(KTWIN_IOC_MAGIC, 0xa0) /* struct ktwin_read of struct ktwin_switch_cpu */
#define KTWIN_IOC_SWITCHES_TASKS	_IO(KTWIN_IOC_MAGIC, 0xa1) /* struct ktwin_read of struct ktwin_switch_task */
#define KTWIN_IOC_SWITCHES_WAITS	_IO(KTWIN_IOC_MAGIC, 0xa2) /* struct ktwin_read of struct ktwin_switch_waits */
#define KTWIN_IOC_SWITCHES_TWINS	_IO(KTWIN_IOC_MAGIC, 0xa3) /* struct ktwin_read of struct ktwin_rq_twin */
#define KTWIN_IOC_SWITCHES_NS_WAITS	_IO(KTWIN_IOC_MAGIC, 0xa4) /* struct ktwin_read of struct ktwin_ns_waits */
#define KTWIN_IOC_SWITCHES_AUDIT	_IO(KTWIN_IOC_MAGIC, 0xa5) /* struct ktwin_read of struct ktwin_rq_audit */
#define KTWIN_IOC_SWITCHES_INJECT	_IO(KTWIN_IOC_MAGIC, 0xa6) /* struct ktwin_inject, CONTROL, LAB */
#define KTWIN_IOC_SWITCHES_EVENTS	_IO(KTWIN_IOC_MAGIC, 0xa7) /* struct ktwin_read of struct ktwin_sched_event */

/* On a lab fd only. */
#define KTWIN_IOC_LAB_NS_CREATE	_IO(KTWIN_IOC_MAGIC, 0xb0) /* struct ktwin_lab_create */
#define KTWIN_IOC_LAB_PID_MAX	_IO(KTWIN_IOC_MAGIC, 0xb1) /* struct ktwin_lab_pid_max */
#define KTWIN_IOC_LAB_ALLOC	_IO(KTWIN_IOC_MAGIC, 0xb2) /* struct ktwin_lab_alloc */
#define KTWIN_IOC_LAB_FREE	_IO(KTWIN_IOC_MAGIC, 0xb3) /* struct ktwin_lab_free */
#define KTWIN_IOC_LAB_FIND	_IO(KTWIN_IOC_MAGIC, 0xb4) /* struct ktwin_lab_find */
#define KTWIN_IOC_LAB_ROLE	_IO(KTWIN_IOC_MAGIC, 0xb5) /* struct ktwin_lab_role */
#define KTWIN_IOC_LAB_KILL	_IO(KTWIN_IOC_MAGIC, 0xb6) /* struct ktwin_lab_kill */
#define KTWIN_IOC_LAB_STATS	_IO(KTWIN_IOC_MAGIC, 0xb7) /* struct ktwin_lab_stats */
#define KTWIN_IOC_LAB_NAMESPACES	_IO(KTWIN_IOC_MAGIC, 0xb8) /* struct ktwin_read of struct ktwin_lab_ns */
#define KTWIN_IOC_LAB_PIDS	_IO(KTWIN_IOC_MAGIC, 0xb9) /* struct ktwin_read of struct ktwin_lab_pid */
#define KTWIN_IOC_LAB_TASKS	_IO(KTWIN_IOC_MAGIC, 0xba) /* struct ktwin_read of struct ktwin_lab_task */
#define KTWIN_IOC_LAB_LEAVES	_IO(KTWIN_IOC_MAGIC, 0xbb) /* struct ktwin_read of struct ktwin_lab_leaf */

/* --- status ------------------------------------------------------------------------------------------------ */

enum ktwin_state {
	KTWIN_OFF		= 0,	/* not mirroring; the twin is empty */
	KTWIN_POPULATING	= 1,	/* events are taken, what was there before is still being read */
	KTWIN_LIVE		= 2,	/* every event since the population was taken */
	KTWIN_INCOMPLETE	= 3,	/* something was lost (see why); a resynchronisation is due */
};

/* Why the twin, or an audit pass, does not vouch for everything. A bit mask; 0: it does. */
#define KTWIN_WHY_OFF			(1U << 0)	/* the mirror is off */
#define KTWIN_WHY_POPULATING		(1U << 1)	/* the population is not done */
#define KTWIN_WHY_PROBE_MISSED		(1U << 2)	/* the kernel skipped a probe hit */
#define KTWIN_WHY_PROBE_DISARMED	(1U << 3)	/* probes are registered but do not fire */
#define KTWIN_WHY_NO_MEMORY		(1U << 4)	/* the twin could not store an event */
#define KTWIN_WHY_CONFLICT		(1U << 5)	/* an event contradicted the twin */
#define KTWIN_WHY_INTERRUPTED		(1U << 6)	/* the audit pass was stopped before its end */
#define KTWIN_WHY_CHANGED		(1U << 7)	/* the mirror was switched or resynchronised during the pass */
#define KTWIN_WHY_UNSETTLED		(1U << 8)	/* candidates kept moving; they were neither confirmed nor cleared */

/* ktwin_status.flags, out */
#define KTWIN_STATUS_LAB	(1U << 0)	/* loaded with kt_lab=1 */
#define KTWIN_STATUS_SCOPED	(1U << 1)	/* caller is in a child namespace: system-wide counters are 0 */

/* A pool of pre-allocated objects: what is ready, what exists, how far it may grow, how often it was empty. */
struct ktwin_pool {
	__u32 ready;
	__u32 total;		/* ready + in the twin + waiting for a grace period */
	__u32 limit;
	__u32 low;		/* lowest "ready" since load */
	__u64 empty;		/* requests that found none ready */
	__u64 failed;		/* requests that could not be met at all */
};

struct ktwin_status {
	__u32 size;
	__u32 flags;		/* in: 0. out: KTWIN_STATUS_* */
	__u32 state;		/* enum ktwin_state */
	__u32 why;		/* KTWIN_WHY_* */
	__u32 own_ns;		/* inode of the caller's namespace */
	__u32 pid_max;		/* the kernel's limit in force; 0 when it could not be read */
	__u64 pids;		/* struct pids visible to the caller */
	__u64 namespaces;	/* namespaces visible to the caller, its own included */
	/* From here on system-wide; 0 for a scoped caller. */
	__u64 epoch;		/* populations so far; changes with each resynchronisation */
	__u64 populate_ns;	/* how long the last population took */
	__u64 allocs;		/* struct pids published since load */
	__u64 frees;		/* struct pids taken away since load */
	__u64 unknown_frees;	/* removals of numbers never published: forks that failed */
	__u64 probe_missed;	/* probe hits the kernel skipped */
	__u64 doubts;		/* times the twin became incomplete */
	__u64 streams;		/* open stream fds */
	__u64 events;		/* records appended to streams */
	__u64 events_lost;	/* records streams had no room for */
	__u64 memory;		/* bytes held by the twin */
	struct ktwin_pool pid_pool;	/* struct pids, all levels together */
	struct ktwin_pool node_pool;	/* id tree leaves and directories */
	struct ktwin_pool ns_pool;	/* namespaces */
};

enum ktwin_mirror_op {
	KTWIN_MIRROR_OFF	= 0,
	KTWIN_MIRROR_ON		= 1,
	KTWIN_MIRROR_RESYNC	= 2,	/* forget the twin and populate it anew */
	KTWIN_LOCKSTEP_OFF	= 3,	/* lockstep, see struct ktwin_audit; it does not need the mirror */
	KTWIN_LOCKSTEP_ON	= 4,	/* begins to count anew */
};

/*
 * Errors: -EALREADY already so; -ENODATA RESYNC while it is off; -ENOMEM; -ENODEV or what register_kprobe() said: the
 * probes could not be placed (dmesg says why).
 */
struct ktwin_mirror {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 op;		/* enum ktwin_mirror_op */
	__u32 zero;
};

/* --- audit ------------------------------------------------------------------------------------------------- */

#define KTWIN_AUDIT_RUN		(1U << 0)	/* run a pass now; without it: the last background pass */

/*
 * What a pass proves: each number of each visible namespace was looked up in the twin and in the kernel, both ways,
 * and held the same struct pid, or differed only for the length of a kernel critical section (transient).
 * A difference is counted only after it stood unchanged over two RCU grace periods. complete is 1 only when the
 * twin was LIVE from the first comparison to the last, no probe hit was skipped meanwhile and both probes were seen
 * to fire before and after.
 * Errors: -EINTR a signal came (nothing is reported); -ENODATA no background pass has run yet.
 */
struct ktwin_audit {
	__u32 size;
	__u32 flags;		/* in: KTWIN_AUDIT_RUN or 0 */
	__u32 complete;		/* 1: everything was checked */
	__u32 why;		/* if not, KTWIN_WHY_* */
	__u64 checked;		/* (namespace, number) pairs compared */
	__u64 pids;		/* struct pids among them */
	__u64 namespaces;
	__u64 differences;	/* confirmed in this pass */
	__u64 transients;	/* seen, and gone when looked at again */
	__u64 started_ns;
	__u64 duration_ns;
	__u64 epoch;
	__u64 passes;		/* passes since load, background and on demand; 0 for a scoped caller */
	__u64 passes_complete;
	__u64 checked_total;	/* since load; 0 for a scoped caller */
	__u64 differences_total; /* distinct differences recorded since load that the caller may see */
	/*
	 * Lockstep, since it was switched on; 0 for a scoped caller. Each request that alloc_pid() makes of a PID namespace
	 * is made of the twin's allocator too, under the kernel's own lock, and what both gave is compared: a fork into a
	 * namespace of level n makes n + 1, and one that fails because there is no number, or it is in use, counts as well.
	 * allocations = predicted + mispredicted + the five between adopting and missed: no prediction was possible.
	 */
	__u32 lockstep;		/* 1: it is on */
	__u32 lockstep_namespaces; /* followed now */
	__u64 allocations;	/* requests compared */
	__u64 predicted;	/* the same number, or the same error */
	__u64 mispredicted;	/* another; each new one is a divergence (KTWIN_MISPREDICTED) */
	__u64 adopting;		/* the namespace was still being read: once, when lockstep first meets a large one */
	__u64 cursor_set;	/* ns_last_pid was written since the allocation before, or while this one ran */
	__u64 kernel_no_memory;	/* the kernel had no memory for the number */
	__u64 twin_no_memory;	/* the twin had none */
	__u64 missed;		/* the kernel skipped a probe hit meanwhile; all namespaces are read anew */
	/* An event was lost: a number removed that the twin had free, or given that it had in use; not among allocations */
	__u64 contradicted;
	__u64 unfollowed;	/* forks into a namespace that the twin had no memory to follow; not among allocations */
	__u64 skipped;		/* probe hits that the kernel skipped, of any idr; not among allocations */
	__u64 lockstep_since_ns; /* CLOCK_MONOTONIC; when it was switched on last, 0: never */
};

/* The background audit. interval 0 switches it off. Errors: -ERANGE. */
struct ktwin_audit_rate {
	__u32 size;
	__u32 flags;		/* in: KTWIN_AUDIT_RATE_SET or 0 (read only) */
	__u32 interval_ms;	/* pause between passes, 0 or 10 to 3600000 */
	__u32 batch;		/* numbers compared between two points where the CPU is given away, 64 to 1048576 */
	__u32 cpu_percent;	/* share of one CPU a pass may use, 1 to 100 */
	__u32 zero;
};
#define KTWIN_AUDIT_RATE_SET	(1U << 0)

/* --- bulk reading ------------------------------------------------------------------------------------------ */

/*
 * Reads records in ascending order of their key. Start with cursor 0, call again while more is 1, touching nothing.
 *
 * Consistency: a record is true at one instant. Between records the system moves on: what exists for the whole of
 * the reading is returned exactly once; what comes or goes meanwhile is returned at most once per number it had.
 * epoch changes when the twin was populated anew in between; start over then if that matters.
 *
 * Keys: namespaces in the order they were first seen (parents before children), pids by their number in the
 * namespace read, divergences by the order of discovery.
 *
 * Errors: -ENODATA the mirror is off; -EAGAIN the twin is being populated (part of a second): call again;
 * -ESRCH no such namespace, or not visible to the caller;
 * -EINVAL record_size below the first published size.
 */
struct ktwin_read {
	__u32 size;
	__u32 flags;		/* 0 */
	__u64 cursor;		/* in: 0, or what the last call returned */
	__u64 buffer;		/* pointer to room records of record_size bytes */
	__u32 record_size;	/* sizeof the record as the caller knows it; a larger one is zero-filled */
	__u32 room;		/* records; at most 65536 are filled by one call; 0 is -EINVAL */
	__u32 ns;		/* namespace whose content is read; 0: the caller's */
	__u32 filled;		/* out */
	__u32 more;		/* out: 1 while there may be more */
	__u32 zero;
	__u64 epoch;		/* out */
};

#define KTWIN_NS_DYING		(1U << 0)	/* its init is gone: no new number can be had in it */
#define KTWIN_NS_KERNEL		(1U << 1)	/* kernel_count and cursor were read; without it they are 0 */

struct ktwin_ns {
	__u64 first_seen_ns;	/* 0: older than the mirror */
	__u32 inode;
	__u32 parent;		/* inode; 0 for the caller's own namespace */
	__u32 level;		/* counted from the caller's namespace */
	__u32 flags;		/* KTWIN_NS_* */
	__u32 count;		/* struct pids in it, as the twin has them */
	__u32 kernel_count;	/* as the kernel counts them (pid_allocated) */
	__u32 cursor;		/* where the kernel's next cyclic search starts */
	__u32 pid_max;		/* numbers below it can be had; 0 when it could not be read */
	__u32 headroom;		/* numbers from 1 to pid_max - 1 that are free */
	__u32 hole_start;	/* first number of the largest run of free numbers */
	__u32 hole_length;
	__u32 children;		/* namespaces right below it */
	__s32 reaper;		/* number, in the caller's namespace, of the one that is 1 in this; 0: none */
	__u32 zero;
};

struct ktwin_upid {
	__u32 ns;		/* inode */
	__s32 nr;
};

struct ktwin_pid {
	__u64 serial;		/* order of arrival in the twin, never reused while the module is loaded; hashed in a child */
	__u64 born_ns;		/* 0: older than the mirror */
	__u32 depth;		/* entries of upids that are set, the caller's namespace first */
	__u32 flags;		/* 0 */
	struct ktwin_upid upids[KTWIN_LEVELS];
};

enum ktwin_divergence_kind {
	KTWIN_ONLY_KERNEL	= 1,	/* the kernel has the number, the twin does not */
	KTWIN_ONLY_TWIN		= 2,	/* the twin has it, the kernel does not */
	KTWIN_OTHER_PID		= 3,	/* both have it, for different struct pids */
	KTWIN_TWIN_BROKEN	= 4,	/* the twin contradicts itself at this number */
	KTWIN_MISPREDICTED	= 5,	/* lockstep: for the same request the twin's allocator gave another result */
};

struct ktwin_divergence {
	__u64 index;		/* order of discovery, from 1; gaps: recorded for others, or no longer kept */
	__u64 time_ns;		/* when first confirmed */
	__u64 last_ns;		/* when last confirmed */
	__u64 passes;		/* passes that confirmed it */
	__u64 epoch;
	__u64 kernel_hash;	/* keyed hash of the kernel's struct pid; 0: none there */
	__u64 twin_hash;	/* the same of the struct pid the twin believes in */
	__u64 twin_serial;
	__u32 ns;
	__s32 nr;
	__u32 kind;		/* enum ktwin_divergence_kind */
	__u32 zero;
	/* KTWIN_MISPREDICTED, else 0: what each side gave, a number or -errno; nr is the kernel's, if it gave one */
	__s32 kernel_nr;
	__s32 twin_nr;
};

/* --- one pid, explained ------------------------------------------------------------------------------------ */

enum ktwin_role_type {		/* values of the kernel's enum pid_type */
	KTWIN_ROLE_PID	= 0,
	KTWIN_ROLE_TGID	= 1,
	KTWIN_ROLE_PGID	= 2,
	KTWIN_ROLE_SID	= 3,
	KTWIN_ROLES	= 4,
};

#define KTWIN_TASK_LEADER	(1U << 0)	/* thread-group leader */
#define KTWIN_TASK_EXITING	(1U << 1)	/* past the beginning of do_exit */
#define KTWIN_TASK_KTHREAD	(1U << 2)
#define KTWIN_TASK_REAPER	(1U << 3)	/* init of its namespace */
#define KTWIN_TASK_HIDDEN	(1U << 4)	/* another user's, and the caller lacks CAP_SYS_PTRACE: no comm, no state */
#define KTWIN_TASK_THREADS	(1U << 5)	/* other threads of its group have not ended */

/* One task that uses the number in one role. Numbers in the caller's namespace, 0 when not visible there. */
struct ktwin_role {
	__u32 type;		/* enum ktwin_role_type */
	__u32 flags;		/* KTWIN_TASK_* */
	__s32 tid;
	__s32 tgid;
	__s32 ppid;
	__u32 state;		/* the letter ps shows: R S D T t X Z I; 0 when hidden */
	char  comm[16];
};

#define KTWIN_EXPLAIN_KERNEL	(1U << 0)	/* out: the kernel has this number */
#define KTWIN_EXPLAIN_TWIN	(1U << 1)	/* out: the twin has it */
#define KTWIN_EXPLAIN_SAME	(1U << 2)	/* out: and it is the same struct pid */

/*
 * pid gets what the twin has; when it has nothing (a difference), what the kernel has, with serial and born_ns 0.
 * Errors: -ESRCH no such number or namespace (or not visible); -ENODATA the mirror is off; -EAGAIN the twin is being
 * populated.
 * pid and roles may be 0: not wanted. A short roles buffer is not an error: role_count has the totals.
 * role_count counts at most 65536 tasks a role.
 */
struct ktwin_explain {
	__u32 size;
	__u32 flags;		/* in: 0. out: KTWIN_EXPLAIN_* */
	__s32 nr;		/* in: the number */
	__u32 ns;		/* in: in this namespace; 0: the caller's */
	__u64 pid;		/* in: pointer to one struct ktwin_pid */
	__u64 roles;		/* in: pointer to roles_room struct ktwin_role */
	__u32 pid_size;		/* in: sizeof struct ktwin_pid */
	__u32 role_size;	/* in: sizeof struct ktwin_role */
	__u32 roles_room;	/* in; at most 4096 are filled */
	__u32 roles_filled;	/* out */
	__u32 role_count[4];	/* out: tasks per role */
	__u32 references;	/* out: the kernel's reference count on the struct pid; 0 for a scoped caller */
	__u32 zero;
};

/* --- events ------------------------------------------------------------------------------------------------ */

enum ktwin_event_type {
	KTWIN_EV_PID_ALLOC	= 1,
	KTWIN_EV_PID_FREE	= 2,
	KTWIN_EV_NS_NEW		= 3,
	KTWIN_EV_NS_GONE	= 4,
	KTWIN_EV_DIVERGENCE	= 5,
	KTWIN_EV_POPULATED	= 6,	/* the twin was populated (anew): arg is the epoch */
	KTWIN_EV_INCOMPLETE	= 7,	/* arg is KTWIN_WHY_* */
};

struct ktwin_event {
	__u64 index;		/* this stream's, from 0; a gap is never made: lost ones are counted instead */
	__u64 time_ns;
	__u64 serial;		/* as in struct ktwin_pid; 0 for others */
	__u64 arg;		/* by type */
	__u32 type;		/* enum ktwin_event_type */
	__u32 cpu;
	__u32 ns;		/* inode of the deepest namespace the pid is in, or of the namespace itself */
	__u32 level;		/* of that, from the stream's namespace */
	__s32 nr;		/* number in the stream's namespace */
	__s32 ns_nr;		/* number in ns */
	__u32 parent;		/* NS_NEW, NS_GONE: inode of the parent; 0 if not visible */
	__u32 zero;
};

/*
 * Opens a stream of events visible from the caller's namespace and returns its fd (close-on-exec).
 * mmap it read-only and shared from offset 0, ktwin_ring.bytes long: one page of struct ktwin_ring, then
 * capacity records. Record n stands at index n % capacity. poll says POLLIN while head is beyond the acknowledged
 * tail. The kernel never overwrites what was not acknowledged: it drops the new event and counts it in lost.
 * Errors: -EINVAL capacity; -EPERM more than 8192 records without CAP_SYS_ADMIN; -ENOMEM; -EMFILE; -EBUSY too many
 * streams (64).
 */
struct ktwin_stream {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 capacity;		/* records, a power of two, 64 to 1048576; 0: 8192 */
	__u32 zero;
};

/* The first page of the mapping. Read head with acquire semantics; records below it are complete. */
struct ktwin_ring {
	__u64 head;		/* records ever appended */
	__u64 tail;		/* records acknowledged */
	__u64 lost;		/* events that found no room */
	__u64 bytes;		/* length of the whole mapping */
	__u32 capacity;
	__u32 record_size;	/* sizeof struct ktwin_event as the kernel writes it */
	__u32 offset;		/* of record 0 from the start of the mapping */
	__u32 zero;
};

/* Acknowledges records below tail. Errors: -ERANGE tail is behind the last one or beyond head. */
struct ktwin_stream_ack {
	__u32 size;
	__u32 flags;		/* 0 */
	__u64 tail;
};

/* --- wait queues: the laboratory's own ---------------------------------------------------------------------- */

enum ktwin_backend {
	KTWIN_BACKEND_TWIN	= 0,	/* ktwin's own wait queue */
	KTWIN_BACKEND_KERNEL	= 1,	/* the kernel's wait_queue_head, for the same work side by side */
};

/*
 * Opens a wait queue and returns its fd (close-on-exec). The process that opened it owns it: when it closes an fd of
 * the queue, or ends, the queue is closed and every sleeper, of whatever process, returns with -EIDRM, as does every
 * later wait and wake. Another process that closes a copy of its own takes only its own sleepers along.
 * poll says POLLIN when the queue has tokens, POLLHUP when it is closed.
 * Errors: -EINVAL backend; -ENOMEM; -EMFILE.
 */
struct ktwin_queue {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 backend;		/* enum ktwin_backend */
	__u32 zero;
};

enum ktwin_wait_mode {
	KTWIN_WAIT_INTERRUPTIBLE	= 0,	/* any signal that is not ignored ends the wait */
	KTWIN_WAIT_KILLABLE		= 1,	/* a fatal signal does */
	KTWIN_WAIT_UNINTERRUPTIBLE	= 2,	/* no signal does; needs CAP_SYS_ADMIN */
};

/* ktwin_wait.flags */
#define KTWIN_WAIT_EXCLUSIVE	(1U << 0)	/* woken one by one, after the non-exclusive ones */
#define KTWIN_WAIT_PRIORITY	(1U << 1)	/* before all others; counts as exclusive */
#define KTWIN_WAIT_SEQUENCE	(1U << 2)	/* does not sleep unless the queue's sequence is the one given */
#define KTWIN_WAIT_TAKE		(1U << 3)	/* waits for a token and takes it; woken without one, sleeps again */
#define KTWIN_WAIT_RACY		(1U << 4)	/* the textbook's sleep_on: looks at the sequence before it queues */

/*
 * Sleeps until a wake selects the caller; with SEQUENCE at once when the sequence moved on since it was read, so that
 * no wake is lost between a check and the sleep; with TAKE until there is a token. RACY, with SEQUENCE only, shows
 * what happens without that care: after its check it waits race_ns before it queues, deaf to wakes.
 * Only timeout_ns counts the time asleep, rounded up to the timer's resolution.
 * Errors: -ETIMEDOUT; -EINTR, or a restart of the call when there is no timeout; -EIDRM the queue was closed;
 * -EINVAL; -EPERM UNINTERRUPTIBLE; -ENOMEM.
 */
struct ktwin_wait {
	__u32 size;
	__u32 flags;		/* KTWIN_WAIT_* */
	__u32 mode;		/* enum ktwin_wait_mode */
	__u32 zero;
	__u64 timeout_ns;	/* 0: for ever */
	__u64 sequence;		/* in, with SEQUENCE: what was read last. out: the queue's now */
	__u64 race_ns;		/* with RACY: how wide the window is, at most 10 s; else 0 */
	__u64 slept_ns;		/* out: from the first sleep to the return */
	__u64 wakes;		/* out: how often a wake selected the caller; with TAKE all but one in vain */
	__u64 order;		/* out: it was the queue's order-th sleeper to be woken, from 1; 0: not woken */
};

/* ktwin_wake.flags */
#define KTWIN_WAKE_SYNC		(1U << 0)	/* wake_up_sync: the waker is about to sleep itself; with nr 1 only */
#define KTWIN_WAKE_LOCKED	(1U << 1)	/* wake_up_locked: under the queue's lock from first to last */

enum ktwin_wake_mode {
	KTWIN_WAKE_NORMAL		= 0,	/* TASK_NORMAL: interruptible and uninterruptible sleepers */
	KTWIN_WAKE_INTERRUPTIBLE	= 1,	/* TASK_INTERRUPTIBLE sleepers only */
};

/*
 * Adds post tokens and 1 to the sequence, then wakes: all non-exclusive sleepers, and nr exclusive ones, counting
 * only those that really were asleep. Errors: -EIDRM; -EINVAL; -EOVERFLOW more than 2^32-1 tokens.
 */
struct ktwin_wake {
	__u32 size;
	__u32 flags;		/* KTWIN_WAKE_* */
	__u32 mode;		/* enum ktwin_wake_mode */
	__u32 nr;		/* exclusive sleepers; 0: all */
	__u32 post;		/* tokens */
	__u32 woken;		/* out: sleepers that really were woken */
	__u64 sequence;		/* out */
};

/* What a queue has seen, since it was opened or, for a real one, since it is watched. */
struct ktwin_wait_stats {
	__u32 size;
	__u32 flags;		/* 0 */
	__u64 sequence;
	__u64 waiters;		/* queued now */
	__u64 waits;		/* sleepers that queued */
	__u64 wakes;		/* wake calls */
	__u64 wakes_empty;	/* of those, with nobody queued */
	__u64 woken;		/* sleepers woken by them */
	__u64 futile;		/* of those, went back to sleep on the queue without progress */
	__u64 timeouts;
	__u64 signals;
	__u64 herds;		/* wake calls that woke many for one: see KTWIN_HERD_MIN */
	__u64 herd_most;	/* most sleepers woken by one call */
	__u64 unknown;		/* watch: of the woken, what became of them is not known, or not yet; else 0 */
	__u32 queue;		/* its serial number, as the tracepoints ktwin_wake and ktwin_herd have it */
	__u32 zero;
};

/* A wake call is a herd when it woke at least this many and at most one in two of them made progress. */
#define KTWIN_HERD_MIN	4

/* --- wait queues: who sleeps, in the laboratory and in the kernel --------------------------------------------- */

enum ktwin_wait_kind {
	KTWIN_KIND_UNKNOWN	= 0,	/* a wake function ktwin does not know; its private data is not looked into */
	KTWIN_KIND_BLOCKED	= 1,	/* sleeps in a call on the file: read, write, accept, connect... */
	KTWIN_KIND_POLL		= 2,	/* poll, ppoll, select */
	KTWIN_KIND_EPOLL	= 3,	/* an epoll instance watches; its own waiters are the head named by link */
	KTWIN_KIND_EPOLL_WAIT	= 4,	/* epoll_wait on the epoll instance itself */
	KTWIN_KIND_CHILD	= 5,	/* wait4, waitid */
	KTWIN_KIND_LAB		= 6,	/* on a queue of ktwin's own */
	KTWIN_KIND_KERNEL	= 7,	/* no task: kernel code that is called on each wake */
};

/* ktwin_waiter.flags */
#define KTWIN_WAITER_EXCLUSIVE	(1U << 0)
#define KTWIN_WAITER_PRIORITY	(1U << 1)
#define KTWIN_WAITER_TASK	(1U << 2)	/* the task is known, though it may not be visible */
#define KTWIN_WAITER_NEXT	(1U << 3)	/* the next wake_up() would run it */
#define KTWIN_WAITER_HIDDEN	(1U << 4)	/* another user's, and the caller lacks CAP_SYS_PTRACE */
#define KTWIN_WAITER_CLAIMED	(1U << 5)	/* twin: a waker is just waking it */
#define KTWIN_WAITER_WOKEN	(1U << 6)	/* woken, and not yet off the queue */
#define KTWIN_WAITER_AWAKE	(1U << 7)	/* its task is not asleep: a wake would not count */

/* One entry of a wait queue. Numbers in the caller's namespace, 0 when not visible there. */
struct ktwin_waiter {
	__u64 asleep_ns;	/* how long; 0: not known */
	__u64 link;		/* EPOLL: hash of the epoll's own head */
	__u32 head;		/* index into the heads of the same answer */
	__u32 position;		/* in the head's wake order, from 0 */
	__u32 kind;		/* enum ktwin_wait_kind */
	__u32 flags;		/* KTWIN_WAITER_* */
	__s32 tid;
	__s32 tgid;
	__u32 state;		/* the letter ps shows; 0 when hidden or no task */
	__u32 zero;
	char  comm[16];
};

/* ktwin_wait_head.flags */
#define KTWIN_HEAD_TRUNCATED	(1U << 0)	/* it has more waiters than are listed */

/* A wait-queue head behind a file. */
struct ktwin_wait_head {
	__u64 hash;		/* keyed hash of the head: the same for every file and caller until the module is reloaded */
	__u64 parent;		/* hash of the head that an epoll waiter led from; 0: the file's own */
	__s32 fd;		/* through which it was found; -1: not through an fd */
	__u32 flags;		/* KTWIN_HEAD_* */
	__u32 waiters;		/* entries at the instant it was listed */
	__u32 depth;		/* 0: the file's own; 1: of an epoll that watches it; ... */
};

/* ktwin_waiters.flags */
#define KTWIN_WAITERS_MORE_HEADS	(1U << 0)	/* out: there are more heads than were listed */
#define KTWIN_WAITERS_MORE		(1U << 1)	/* out: there are more waiters than were listed */
#define KTWIN_WAITERS_REFUSED		(1U << 2)	/* out: not looked into: polling it does more than look, or it has no poll */
#define KTWIN_WAITERS_EVENTS		(1U << 3)	/* out: events are known */

/*
 * On /dev/ktwin: the wait queues behind one open file, found as poll(2) finds them, each listed at one instant under
 * its own lock, first waiter first woken. Needs the right to look into the process: the same user as all of its
 * threads and dumpable, or CAP_SYS_PTRACE. A file whose poll does more than look is not polled: either its queues are
 * known without (pipes, sockets, epolls, signalfds, ttys), or it is refused: the call succeeds, with REFUSED and the
 * file's name.
 * On a queue fd: that queue; pid, fd and ns must be 0.
 * Errors: -ESRCH no such process or namespace, or not visible; -EACCES; -EBADF no such fd; -ENODATA a layout this needs
 * is not known on this kernel, or ns is not the caller's and the mirror is off; -EAGAIN that, and the twin is being
 * populated; -ENOMEM; -EINVAL; -EINTR.
 */
struct ktwin_waiters {
	__u32 size;
	__u32 flags;		/* in: 0. out: KTWIN_WAITERS_* */
	__s32 pid;
	__s32 fd;
	__u32 ns;		/* namespace of pid; 0: the caller's */
	__u32 head_size;	/* sizeof struct ktwin_wait_head */
	__u64 heads;		/* pointer to heads_room of them */
	__u64 waiters;		/* pointer to waiters_room struct ktwin_waiter */
	__u32 waiter_size;
	__u32 heads_room;	/* at most 64 are filled */
	__u32 waiters_room;	/* at most 65536 are filled */
	__u32 heads_filled;	/* out */
	__u32 waiters_filled;	/* out */
	__u32 events;		/* out, with EVENTS: what poll(2) would say now, POLL* */
	char  file[32];		/* out: what the file is: "pipe", "socket:unix", "eventfd", "timerfd"... */
};

enum ktwin_sleep_kind {
	KTWIN_SLEEP_AWAKE	= 0,	/* it runs, or would */
	KTWIN_SLEEP_FD		= 1,	/* on the wait queue of an open file of its own: fds */
	KTWIN_SLEEP_CHILD	= 2,	/* wait4, waitid */
	KTWIN_SLEEP_FUTEX	= 3,
	KTWIN_SLEEP_TIME	= 4,	/* nanosleep, a timeout without anything else */
	KTWIN_SLEEP_OTHER	= 5,	/* where says in which function of the kernel */
};

/* ktwin_sleep.flags */
#define KTWIN_SLEEP_HIDDEN	(1U << 0)	/* out: another user's, and the caller lacks CAP_SYS_PTRACE */
#define KTWIN_SLEEP_MORE_FDS	(1U << 1)	/* out: it sleeps on more fds than were listed */

/*
 * What one task sleeps on, found from outside, whenever it fell asleep. Rights as for KTWIN_IOC_WAITERS.
 * Errors: -ESRCH; -EACCES; -EINVAL; -ENOMEM.
 */
struct ktwin_sleep {
	__u32 size;
	__u32 flags;		/* in: 0. out: KTWIN_SLEEP_* */
	__s32 tid;		/* in */
	__u32 ns;		/* in: namespace of tid; 0: the caller's */
	__u32 kind;		/* out: enum ktwin_sleep_kind */
	__u32 state;		/* out: the letter ps shows */
	__u64 asleep_ns;	/* out: how long; 0 not known */
	__s32 tgid;		/* out: in the caller's namespace */
	__u32 fds_filled;	/* out */
	__s32 fds[16];		/* out: the fds on whose queues it sleeps */
	char  file[32];		/* out: what the first one is, as in struct ktwin_waiters */
	char  where[64];	/* out: the kernel function it sleeps in, the scheduler's own left out */
	char  comm[16];		/* out */
};

/* --- wait queues: a real one watched --------------------------------------------------------------------------- */

#define KTWIN_WATCHES_MAX	64

/*
 * Counts the wakes of the queues behind an open file from here on and returns an fd (close-on-exec) that
 * KTWIN_IOC_QUEUE_STATS reads: sequence is wakes, all queues of the file are added up, and waits, timeouts and signals
 * are 0. What is counted:
 *
 *   woken    tasks that a wake call made ready, one behind an epoll included
 *   futile   of those, found asleep again in the very call that they were woken in: a poll(2) or select(2), or a read(2)
 *            of a file that is no socket (whose readers may take what they want in parts)
 *   unknown  the others that have not been seen to return: those woken out of other calls; those that still run; those
 *            for which there was no room (1024 tasks a queue are remembered)
 *
 * A wake call, its tracepoint and what became of those it woke are judged at the next one, or when the counters are read:
 * only then is it known. A task that something else wakes in the same instant may be counted as woken by the call.
 *
 * While it lasts, three entries of ktwin's own are on each queue, of KTWIN_KIND_KERNEL; none of them takes a wake. A wake of
 * the file costs more meanwhile: some 400 instructions, and 900 for each sleeper that it passes (scripts/test/watchcost,
 * 6.12). Nothing else in the system does, and once it is over nothing is left.
 * The watch holds the file. It ends (-EIDRM from then on) when the process that opened it closes an fd of it or ends, and
 * within some 20 ms when nobody but watches has the file open any more: for so long may the other end of a pipe or socket
 * wait for the news.
 *
 * Watched are pipes, eventfds, timerfds, inotify, fanotify, pidfds and unix, TCP and UDP sockets; -EOPNOTSUPP any other
 * file, whose queues are no place for a guest. Other rights and errors as for KTWIN_IOC_WAITERS; -EBUSY too many watches;
 * -EMFILE.
 */
struct ktwin_watch {
	__u32 size;
	__u32 flags;		/* 0 */
	__s32 pid;
	__s32 fd;
	__u32 ns;		/* namespace of pid; 0: the caller's */
	__u32 zero;
};

/* --- run queues ----------------------------------------------------------------------------------------------- */

/* In the order in which the scheduler asks them for a task. */
enum ktwin_sched_class {
	KTWIN_SCHED_STOP	= 0,
	KTWIN_SCHED_DEADLINE	= 1,
	KTWIN_SCHED_RT		= 2,
	KTWIN_SCHED_FAIR	= 3,
	KTWIN_SCHED_IDLE	= 4,
	KTWIN_SCHED_CLASSES	= 5,
};

/* ktwin_rq_task.flags */
#define KTWIN_RQ_TASK_RUNNING	(1U << 0)	/* has the CPU */
#define KTWIN_RQ_TASK_HIDDEN	(1U << 1)	/* another user's, and the caller lacks CAP_SYS_PTRACE: no figures */
#define KTWIN_RQ_TASK_ELIGIBLE	(1U << 2)	/* fair: not beyond the average vruntime of its queue */
#define KTWIN_RQ_TASK_DELAYED	(1U << 3)	/* asleep, and left on the queue until its lag is gone */
#define KTWIN_RQ_TASK_THROTTLED	(1U << 4)	/* its group, or real time as such, has used up its time: not picked */
#define KTWIN_RQ_TASK_BOOSTED	(1U << 5)	/* inherits its priority from a waiter */
#define KTWIN_RQ_TASK_BUDDY	(1U << 6)	/* fair: the queue was asked to prefer it */

/*
 * A task on a run queue, as it was at one instant. position is that in which its class would pick it, from 0: 0 now, 1
 * if the first were gone, and so on, as if no time passed; what is in a group comes where the group would be picked.
 * Throttled tasks come last, in no order. A position that is left out belongs to a task without a number here.
 * Times of the scheduler (last_arrival_ns, deadline of a SCHED_DEADLINE task) are in the clock of the CPU's queue:
 * ktwin_rq_cpu.clock_ns, which stands still between two ticks. What does not apply is 0.
 */
struct ktwin_rq_task {
	__s32 tid;
	__s32 tgid;
	__u32 cpu;
	__u32 sched_class;	/* enum ktwin_sched_class */
	__u32 position;
	__u32 flags;		/* KTWIN_RQ_TASK_* */
	__u32 policy;		/* SCHED_* */
	__u32 depth;		/* groups that it is in */
	__s32 prio;		/* dynamic: -1 deadline, 0 to 99 real time, 100 to 139 fair; the kernel's, 0 is best */
	__s32 static_prio;
	__s32 normal_prio;
	__s32 nice;
	__u64 group;		/* keyed hash of its group's queue here; 0: the CPU's own */
	__u64 vruntime;		/* fair */
	__s64 lag;		/* fair: the average of its queue less its vruntime */
	__u64 slice_ns;		/* EEVDF: asked for; round robin, deadline: left */
	__u64 deadline;		/* EEVDF: in vruntime; deadline: in the queue's clock */
	__u64 run_delay_ns;	/* waited for a CPU so far */
	__u64 pcount;		/* times it got one */
	__u64 last_arrival_ns;	/* when it did last */
	__u64 queued_ns;	/* waits since; 0: it runs, or does not wait */
	char  comm[16];
};

/* Numbers are 0 where the task has none here; of the idle task always. */
struct ktwin_rq_name {
	__s32 tid;
	__s32 tgid;
	char  comm[16];		/* empty: not visible */
};

/* ktwin_rq_cpu.flags */
#define KTWIN_RQ_ONLINE		(1U << 0)
#define KTWIN_RQ_IDLE		(1U << 1)	/* runs its idle task */
#define KTWIN_RQ_EEVDF		(1U << 2)	/* fair tasks have deadline and slice, and are picked by them */
#define KTWIN_RQ_SERVER		(1U << 3)	/* a deadline server for the fair class is queued; in nr_deadline, not listed */
#define KTWIN_RQ_RT_THROTTLED	(1U << 4)	/* real time has used up its share */
#define KTWIN_RQ_TRUNCATED	(1U << 5)	/* more is queued than is looked at under one hold of the lock */

/* A run queue at one instant, taken under its own lock. */
struct ktwin_rq_cpu {
	__u32 cpu;
	__u32 flags;		/* KTWIN_RQ_* */
	__u32 nr_running;	/* the kernel's counts, of all namespaces */
	__u32 nr_deadline;
	__u32 nr_rt;
	__u32 nr_fair;
	__u32 first;		/* index of its first task in the same answer */
	__u32 listed;		/* how many there are */
	__u32 unlisted;		/* visible or not, for want of room, or TRUNCATED */
	__u32 elsewhere;	/* without a number in the caller's namespace, or gone when they were to be told */
	__u64 nr_switches;
	__u64 clock_ns;		/* of the queue */
	__u64 hold_ns;		/* how long its lock was held for this */
	struct ktwin_rq_name curr;
	struct ktwin_rq_name idle;
	struct ktwin_rq_name stop;
};

/* ktwin_rq.flags */
#define KTWIN_RQ_MORE_CPUS	(1U << 0)	/* out: there are more CPUs than were listed */
#define KTWIN_RQ_MORE		(1U << 1)	/* out: there are more tasks than room */

/*
 * What is queued on one CPU, or on each that is online: the CPUs at one instant each, their tasks by class and in the
 * order they would be picked. Tasks of other users are listed without figures unless the caller has CAP_SYS_PTRACE;
 * those without a number in the caller's namespace are counted only.
 * Errors: -ESRCH no such CPU; -ENODATA the layout of run queues is not known on this kernel: KTWIN_IOC_LAYOUT says
 * which field; -EUCLEAN a queue that cannot be as it was found, nothing is told; -ENOMEM; -EINVAL; -EINTR.
 */
struct ktwin_rq {
	__u32 size;
	__u32 flags;		/* in: 0. out: KTWIN_RQ_MORE* */
	__s32 cpu;		/* -1: each that is online */
	__u32 cpu_size;		/* sizeof struct ktwin_rq_cpu */
	__u64 cpus;		/* pointer to cpus_room of them */
	__u64 tasks;		/* pointer to tasks_room struct ktwin_rq_task */
	__u32 task_size;
	__u32 cpus_room;	/* at most 8192 are filled */
	__u32 tasks_room;	/* at most 1048576 are filled */
	__u32 cpus_filled;	/* out */
	__u32 tasks_filled;	/* out */
	__u32 zero;
	__u64 longest_ns;	/* out: the longest that a queue's lock was held since load */
};

/* --- where the kernel's fields are ----------------------------------------------------------------------------- */

enum ktwin_layout_group {
	KTWIN_LAYOUT_WAIT	= 0,	/* wait queues, poll */
	KTWIN_LAYOUT_TASK	= 1,
	KTWIN_LAYOUT_EPOLL	= 2,
	KTWIN_LAYOUT_RUN_QUEUE	= 3,
};

/* ktwin_layout.flags */
#define KTWIN_LAYOUT_KNOWN	(1U << 0)	/* found in the kernel's BTF */
#define KTWIN_LAYOUT_COMPARED	(1U << 1)	/* and the headers that ktwin was built with say the same */
#define KTWIN_LAYOUT_REFUSED	(1U << 2)	/* its group is not known, for want of missing; nothing of it is used */

/* A field that ktwin uses. Neither KNOWN nor REFUSED: this kernel has none, which ktwin can do without. */
struct ktwin_layout {
	__u32 group;		/* enum ktwin_layout_group */
	__u32 flags;		/* KTWIN_LAYOUT_* */
	__s32 offset;		/* in bytes; -1: not KNOWN */
	__u32 length;		/* in bytes */
	char  name[48];		/* struct.member, or percpu.variable, as this kernel spells it */
	char  missing[48];	/* with REFUSED: the first field that is not as expected */
	char  why[64];		/* and what is wrong with it */
};

/* --- context switches, and the twin run queues -------------------------------------------------------------- */

/* What happened to the address space. */
enum ktwin_switch_class {
	KTWIN_SWITCH_PROCESS	= 0,	/* user to user, another address space */
	KTWIN_SWITCH_THREAD	= 1,	/* user to user, the same process */
	KTWIN_SWITCH_SHARED_VM	= 2,	/* user to user, another process in the same address space: vfork, CLONE_VM */
	KTWIN_SWITCH_KERNEL	= 3,	/* neither has an address space: kernel threads, idle, the exiting */
	KTWIN_SWITCH_LAZY_ENTRY	= 4,	/* user to kernel: it borrows the address space, the page tables stay */
	KTWIN_SWITCH_LAZY_HIT	= 5,	/* kernel to user, and what was borrowed is what is wanted */
	KTWIN_SWITCH_MM		= 6,	/* kernel to user, another address space than was borrowed */
	KTWIN_SWITCH_CLASSES	= 7,
};

/* How the previous task left the CPU. */
enum ktwin_leave {
	KTWIN_LEAVE_BLOCKED	= 0,	/* to sleep: voluntary_ctxt_switches of /proc/PID/status */
	KTWIN_LEAVE_VOLUNTARY	= 1,	/* called the scheduler while runnable: sched_yield, the way back to user mode */
	KTWIN_LEAVE_PREEMPTED	= 2,	/* in the kernel; with the above nonvoluntary_ctxt_switches */
	KTWIN_LEAVES		= 3,
};

/* Schedulers of the kernel's history, as the twin run queues have them. */
enum ktwin_rq_generation {
	KTWIN_GENERATION_SCAN		= 0,	/* 2.4: one list, scanned for the best goodness */
	KTWIN_GENERATION_PRIO_ARRAY	= 1,	/* 2.6: O(1), active and expired */
	KTWIN_GENERATION_CFS		= 2,	/* 2.6.23: by vruntime */
	KTWIN_GENERATION_EEVDF		= 3,	/* 6.6: by eligibility and virtual deadline */
	KTWIN_GENERATIONS		= 4,
};

/* ktwin_switches.flags: what is kept besides the counts per CPU. Each is paid for by every switch while the fd is open. */
#define KTWIN_SWITCHES_TASKS	(1U << 0)	/* counts per task */
#define KTWIN_SWITCHES_WAITS	(1U << 1)	/* histograms of the time tasks waited for a CPU */
#define KTWIN_SWITCHES_TWIN	(1U << 2)	/* the twin run queues */
#define KTWIN_SWITCHES_EVENTS	(1U << 3)	/* the events themselves */

/*
 * Counts context switches as long as the fd it returns (close-on-exec) is open; nothing is hooked when none is. What is
 * read from the fd is since it was opened.
 * Errors: -ENODEV the kernel has no such tracepoints (dmesg says which); -EOPNOTSUPP WAITS: it keeps no time of
 * queueing; -EBUSY too many are open (8); -EINVAL capacity; -ENOMEM, also rings of more than 256 MiB; -EMFILE.
 */
struct ktwin_switches {
	__u32 size;
	__u32 flags;		/* KTWIN_SWITCHES_* */
	__u32 capacity;		/* with EVENTS: of each CPU's ring, a power of two from 64 to 1048576; 0: 16384 */
	__u32 zero;
};

/*
 * The readers of a switches fd: keys are CPUs, task ids of the initial namespace, or CPU and class. ns must be 0; epoch is
 * when counting began, in ns. Errors: -ENODATA the fd was opened without.
 */
struct ktwin_switch_cpu {
	__u32 cpu;
	__u32 zero;
	__u64 classes[KTWIN_SWITCH_CLASSES];
	__u64 leaves[KTWIN_LEAVES];	/* the sum is the number of switches, as /proc/stat counts them (ctxt) */
	/* With TASKS, whose switches are in no record of a task. */
	__u64 idle;			/* from the idle task */
	__u64 ended;			/* tasks that ended since */
	__u64 unlisted;			/* tasks for which there was no room */
	/* With EVENTS, of this CPU. */
	__u64 events;			/* stored, read since or not */
	__u64 events_lost;		/* found no room */
};

/* ktwin_switch_task.flags */
#define KTWIN_SWITCH_TASK_HIDDEN	(1U << 0)	/* another user's, and the caller lacks CAP_SYS_PTRACE: no comm */

/* A task that has left a CPU at least once, has not ended, and has a number in the caller's namespace. */
struct ktwin_switch_task {
	__u64 classes[KTWIN_SWITCH_CLASSES];	/* of the switches away from it */
	__u64 leaves[KTWIN_LEAVES];
	__s32 tid;
	__s32 tgid;
	__u32 flags;		/* KTWIN_SWITCH_TASK_* */
	__u32 zero;
	char  comm[16];
};

#define KTWIN_WAIT_BUCKETS	48

/*
 * How long the tasks of a class waited on a CPU's run queue before they got it, as the kernel itself accounts it
 * (run_delay of /proc/PID/schedstat). Bucket 0: no time at all; n: 2^(n-1) to 2^n - 1 ns; the last also all above.
 */
struct ktwin_switch_waits {
	__u32 cpu;
	__u32 sched_class;	/* enum ktwin_sched_class; the idle class has no record */
	__u64 sum_ns;
	__u64 buckets[KTWIN_WAIT_BUCKETS];
};

/*
 * The same by the PID namespace that the task is a member of, all CPUs and classes together. Those of namespaces for which
 * there was no room (64) are in the record of ns 0, which is the last. A caller below the initial namespace gets his own
 * one's alone.
 */
struct ktwin_ns_waits {
	__u32 ns;		/* inode */
	__u32 zero;
	__u64 sum_ns;
	__u64 buckets[KTWIN_WAIT_BUCKETS];
};

/* ktwin_rq_twin.why: why the twin of a CPU's run queue is incomplete; it is complete again when the CPU goes idle. */
#define KTWIN_RQ_STARTING	(1U << 0)	/* the CPU was not idle yet */
#define KTWIN_RQ_NO_MEMORY	(1U << 1)	/* a task could not be stored */
#define KTWIN_RQ_CONFLICT	(1U << 2)	/* an event contradicted it */
#define KTWIN_RQ_LOST_EVENTS	(1U << 3)

/* How often a generation's pick was the task that the kernel then ran. */
struct ktwin_rq_agreement {
	__u64 picks;
	__u64 agreed;
	__u64 unanswered;	/* the twin was incomplete */
	/* Differed while tasks of groups (cgroups, autogroups) were queued, whom the twins take for one flat queue. */
	__u64 grouped;		/* The rest of the picks differed, too. */
};

#define KTWIN_RQ_AGREEMENTS	20	/* KTWIN_GENERATIONS * KTWIN_SCHED_CLASSES */

struct ktwin_rq_twin {
	__u32 cpu;
	__u32 why;		/* KTWIN_RQ_*; 0: complete */
	__u32 queued;		/* tasks on its run queue, the running one included */
	__u32 tasks;		/* tasks the twin knows, on all CPUs, asleep or not */
	__u64 doubts;		/* times it became incomplete */
	__u64 idle_with_queued;	/* times the CPU went idle though the twin, complete, had tasks: throttled ones */
	__u64 no_memory;	/* events for which there was no memory, on all CPUs */
	/* That of a generation when the kernel ran a task of a class is at generation * KTWIN_SCHED_CLASSES + class. */
	struct ktwin_rq_agreement agreement[KTWIN_RQ_AGREEMENTS];
};

enum ktwin_rq_difference {
	KTWIN_RQ_MISSING	= 1,	/* the kernel has the task queued there, the twin not */
	KTWIN_RQ_SURPLUS	= 2,	/* the twin has it queued, the kernel not */
};

/*
 * Who is queued on a CPU, in the twin and in the kernel, compared task by task under the lock of the kernel's run queue,
 * between two of its events. Reading a record makes such a pass; one is made each second anyway. All counters are since
 * the fd was opened.
 *
 * A difference is counted when it stood in three looks with an RCU grace period between each, which a task that is on
 * its way from one queue to another, or from its queue to its last switch, does not do. Of what the kernel means so each
 * sighting is counted: tasks without runtime left, and those that sleep and still compete (EEVDF).
 * Errors: as the others; -ENODATA also: run queues cannot be read on this kernel; -EINTR. A pass that could not be made is
 * counted as skipped.
 */
struct ktwin_rq_audit {
	__u32 cpu;
	__u32 why;		/* KTWIN_RQ_*: of the twin now */
	__u64 passes;
	__u64 skipped;		/* of them: the twin was not complete, or more was queued than can be compared */
	__u64 equal;		/* tasks that were in both */
	__u64 missing;		/* differences by enum ktwin_rq_difference, confirmed */
	__u64 surplus;
	__u64 throttled;	/* sightings: the twin has it queued, the kernel has taken it off until there is runtime */
	__u64 delayed;		/* sightings: it sleeps, and is queued in the kernel alone */
	__u64 transients;	/* differences that were gone when looked at again */
	__u64 last_ns;		/* when the last one was confirmed; 0: none was */
	__s32 last_tid;		/* of it, in the caller's namespace; 0: not visible, or it has ended */
	__u32 last_kind;	/* enum ktwin_rq_difference */
};

enum ktwin_sched_event_kind {
	/* other leaves the CPU, task gets it. state is how other left. queue_cpu is cpu. */
	KTWIN_SCHED_EV_SWITCH	= 0,
	/* other wakes task, which last ran on queue_cpu. It may turn out not to be asleep yet. */
	KTWIN_SCHED_EV_WAKING	= 1,
	/* task was put on queue_cpu's run queue after that, or had not left it. */
	KTWIN_SCHED_EV_QUEUED	= 2,
	/* other made task, which was put on queue_cpu's run queue. */
	KTWIN_SCHED_EV_FORK	= 3,
	/* task goes from queue_cpu to to_cpu, queued or about to be. */
	KTWIN_SCHED_EV_MIGRATE	= 4,
};

/* ktwin_sched_event.flags */
#define KTWIN_SCHED_EV_PREEMPTED	(1U << 0)	/* SWITCH: other was in the kernel, and did not call for it */
#define KTWIN_SCHED_EV_INTERRUPT	(1U << 1)	/* WAKING: by an interrupt; other is whom it interrupted */

/* ktwin_sched_who.flags */
#define KTWIN_WHO_IDLE		(1U << 0)	/* a CPU's idle task, which has no number */
#define KTWIN_WHO_KERNEL	(1U << 1)	/* a kernel thread */
#define KTWIN_WHO_HIDDEN	(1U << 2)	/* no number here, or one of another user's: no comm */

/* ktwin_sched_event.depth: the layout of run queues is not known on this kernel, or nothing is queued by it. */
#define KTWIN_DEPTH_UNKNOWN	0xffffffffU

/*
 * A task in an event. Numbers are in the PID namespace of who opened the fd, 0: it has none there, or none any more. Names
 * are told as far as that one may know them (CAP_SYS_PTRACE for other users'), to whomever the fd was passed.
 */
struct ktwin_sched_who {
	__s32 tid;
	__s32 tgid;
	__u32 flags;		/* KTWIN_WHO_* */
	char  comm[16];
};

/*
 * What the scheduler did, in the order of each CPU; between CPUs time tells. Each CPU has a ring, and an event that finds
 * no room in it is counted instead. What is read is taken out of the ring, by whoever reads first; what could not be copied
 * to the reader's memory is gone. The cursor is opaque, but 0 begins a turn over all CPUs, in which each is asked for
 * what is there by then: begin anew when more is 0. Every event since epoch was told or counted as lost.
 */
struct ktwin_sched_event {
	__u64 time_ns;
	__u64 lost;		/* events of this CPU since the one before this */
	__u32 cpu;		/* where it happened */
	__u32 kind;		/* enum ktwin_sched_event_kind */
	__u32 queue_cpu;
	__u32 to_cpu;		/* MIGRATE only */
	__u32 depth;		/* tasks on queue_cpu's run queue, the running one included: nr_running; KTWIN_DEPTH_UNKNOWN */
	__u32 flags;		/* KTWIN_SCHED_EV_* */
	__u32 state;		/* SWITCH: R runnable, X ended, else the letter ps shows; 0 otherwise */
	__u32 zero;
	struct ktwin_sched_who task;
	struct ktwin_sched_who other;
};

/* --- the allocator lab: private PID worlds ------------------------------------------------------------------ */

enum ktwin_lab_backend {
	KTWIN_LAB_TWIN		= 0,	/* ktwin's tree, one lock for all levels of an allocation */
	KTWIN_LAB_BLOCKS	= 1,	/* the same tree, with a block of numbers for each CPU; their order is not cyclic */
	KTWIN_LAB_PIDMAP	= 2,	/* the bitmap pages and pid_hash of Linux 3.9 */
	KTWIN_LAB_IDR		= 3,	/* the kernel's idr, with the calls of kernel/pid.c */
	KTWIN_LAB_XARRAY	= 4,	/* the kernel's xarray */
	KTWIN_LAB_IDA		= 5,	/* the kernel's ida */
	KTWIN_LAB_SBITMAP	= 6,	/* the kernel's sbitmap_queue */
};

/* What a backend has; what it has not is -EOPNOTSUPP. */
#define KTWIN_LAB_HAS_LOWEST	(1U << 0)
#define KTWIN_LAB_HAS_CYCLIC	(1U << 1)
#define KTWIN_LAB_HAS_ANY	(1U << 2)	/* some free number, of the backend's choice */
#define KTWIN_LAB_HAS_AT	(1U << 3)	/* numbers that are asked for */
#define KTWIN_LAB_HAS_PIDS	(1U << 4)	/* it keeps a pid for each number: namespaces, find, readers, roles */

/*
 * Opens a laboratory of PID namespaces of its own and returns its fd (close-on-exec). It has one namespace, 1, at
 * level 0, which is empty: the first pid there gets number 1, and is its init. Closing the last fd frees everything.
 * What is in it is seen by who has the fd, and by nobody else. Its memory is charged to the caller's control group, but
 * for what the kernel's ida allocates by itself: up to an eighth of limit in bytes.
 * Errors: -EINVAL; -ENOMEM, also when bytes of all open labs together would be more than the module's parameter lab_bytes;
 * -EMFILE.
 */
struct ktwin_lab {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 backend;		/* enum ktwin_lab_backend */
	__u32 pid_max;		/* of namespace 1: 2 to 4194304; 0: 32768 */
	__u32 limit;		/* no pid_max may be above; to 4194304; 0: pid_max. BLOCKS: at least 4096 a CPU */
	__u32 pids;		/* most pids at a time, 1 to 4194304; 0: 65536 */
	__u32 namespaces;	/* most namespaces at a time, 1 to 4096; 0: 256 */
	__u32 tasks;		/* most tasks at a time, 1 to 4194304; 0: as many as pids */
	__u64 bytes;		/* most memory, in bytes, 1 MiB to 1 GiB; 0: 64 MiB. Then -ENOMEM */
};

/*
 * A namespace below parent. Errors: -ESRCH no parent; -ENOMEM it is dying, or no memory, or the limit; -ENOSPC it would be
 * below level 32; -EINVAL pid_max; -EOPNOTSUPP.
 */
struct ktwin_lab_create {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 parent;
	__u32 pid_max;		/* 2 to the lab's limit; 0: the parent's */
	__u32 ns;		/* out: from 1 on, never used again */
	__u32 level;		/* out */
};

/* Numbers in use at or above it stay. Errors: -ESRCH; -EINVAL. */
struct ktwin_lab_pid_max {
	__u32 size;
	__u32 flags;		/* KTWIN_LAB_PID_MAX_SET or 0 (read only) */
	__u32 ns;
	__u32 pid_max;		/* in: 2 to the lab's limit. out: as it was before */
};
#define KTWIN_LAB_PID_MAX_SET	(1U << 0)

enum ktwin_lab_how {
	KTWIN_LAB_CYCLIC	= 0,	/* as alloc_pid(): behind the last one; wrapping, from 300 (RESERVED_PIDS) */
	KTWIN_LAB_LOWEST	= 1,
	KTWIN_LAB_ANY		= 2,	/* but for the first of a namespace, which is 1 */
};

/*
 * A pid with a number in ns and in each of its ancestors, as alloc_pid() of the kernel gives it.
 * Errors: -EAGAIN no number is left at one of the levels; -EINVAL more wanted numbers than levels, or one that cannot be
 * had: below 1, not below pid_max, not 1 in a namespace without an init; -EPERM numbers wanted, and the caller lacks
 * CAP_CHECKPOINT_RESTORE, whatever ns and the numbers are; -EEXIST a wanted number is in use; -ENOMEM ns is dying (its
 * init is gone), no memory, or a limit of the lab; -ESRCH no such namespace; -EOPNOTSUPP.
 */
struct ktwin_lab_alloc {
	__u32 size;
	__u32 flags;		/* KTWIN_LAB_WITH_TASK or 0 */
	__u32 ns;
	__u32 how;		/* enum ktwin_lab_how, at levels where no number is wanted */
	__u32 wanted;		/* entries of numbers that are set, for ns first, then its ancestors */
	__u32 depth;		/* out: entries of numbers that are set */
	__u32 task;		/* out: with KTWIN_LAB_WITH_TASK, which has the pid as PID and as TGID; else 0 */
	__u32 zero;
	__u64 serial;		/* out: of the pid in this lab */
	__s32 numbers[KTWIN_LEVELS];	/* in: wanted ones. out: for ns first, then its ancestors */
	__s32 zero2;
};
#define KTWIN_LAB_WITH_TASK	(1U << 0)

/* Frees the pid that has number nr in ns, at all levels. Errors: -ESRCH; -EBUSY a task uses it. */
struct ktwin_lab_free {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 ns;
	__s32 nr;
};

enum ktwin_lab_type {
	KTWIN_LAB_PID		= 0,
	KTWIN_LAB_TGID		= 1,
	KTWIN_LAB_PGID		= 2,
	KTWIN_LAB_SID		= 3,
};
#define KTWIN_LAB_TYPES		4

struct ktwin_lab_upid {
	__u32 ns;		/* of the lab */
	__s32 nr;
};

/* A pid of a lab, as KTWIN_IOC_LAB_PIDS reads them, in the order of their numbers in the namespace read. */
struct ktwin_lab_pid {
	__u64 serial;
	__u32 depth;		/* entries of upids that are set, level 0 first */
	__u32 zero;
	__u32 tasks[KTWIN_LAB_TYPES];	/* how many tasks use it so; counted up to 65535 */
	struct ktwin_lab_upid upids[KTWIN_LEVELS];
};

/* find_pid_ns(), or with NEXT find_ge_pid(). No lock is taken. Errors: -ESRCH no such namespace, or nobody has it. */
struct ktwin_lab_find {
	__u32 size;
	__u32 flags;		/* KTWIN_LAB_FIND_NEXT or 0 */
	__u32 ns;
	__s32 nr;		/* in; out with NEXT: the number found */
	struct ktwin_lab_pid pid;	/* out */
};
#define KTWIN_LAB_FIND_NEXT	(1U << 0)

enum ktwin_lab_role_op {
	KTWIN_LAB_ATTACH	= 0,	/* attach_pid(): task, or a new one for 0, gets the pid in a role it has none in */
	KTWIN_LAB_DETACH	= 1,	/* detach_pid(): a task that has no role left is gone, and so is a pid */
	KTWIN_LAB_CHANGE	= 2,	/* change_pid(): as setpgid() and setsid() do */
	KTWIN_LAB_TRANSFER	= 3,	/* transfer_pid(): from task to other */
	KTWIN_LAB_EXCHANGE	= 4,	/* exchange_tids(): task and other swap their PIDs; type is KTWIN_LAB_PID */
};

/*
 * Errors: -ESRCH no such task, namespace or number, or the task has no such role; -EBUSY it has one, or another task has
 * the number as its PID; -EINVAL TRANSFER of a PID, EXCHANGE of another type, a task with itself; -ENOMEM.
 */
struct ktwin_lab_role {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 op;		/* enum ktwin_lab_role_op */
	__u32 type;		/* enum ktwin_lab_type */
	__u32 task;		/* out too: the new one's, with ATTACH to 0 */
	__u32 other;		/* TRANSFER, EXCHANGE; else 0 */
	__u32 ns;		/* ATTACH, CHANGE: of nr; else 0 */
	__s32 nr;		/* ATTACH, CHANGE; else 0 */
};

/*
 * The init of ns ends, as in zap_pid_ns_processes(): every task in it and below it ends, its numbers go, it takes no more.
 * What stays are numbers that tasks of outside use as group or session. A namespace that takes no more is gone with its
 * last number and its last child. Errors: -ESRCH; -EINTR some are left, call again.
 */
struct ktwin_lab_kill {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 ns;
	__u32 tasks;		/* out: that ended */
	__u32 pids;		/* out: that went */
	__u32 left;		/* out: numbers in ns that stay */
};

/* As KTWIN_IOC_LAB_NAMESPACES reads them, parents before children. Errors: -EINTR in the search for a hole, call again. */
struct ktwin_lab_ns {
	__u32 ns;
	__u32 parent;		/* 0: none */
	__u32 level;
	__u32 flags;		/* KTWIN_LAB_NS_DYING */
	__u32 count;		/* numbers in use */
	__u32 pid_max;
	__u32 cursor;		/* where the next cyclic search begins; 0 where the backend has none */
	__u32 children;
	__u32 hole_start;	/* the largest run of free numbers below pid_max; 0: not known (ida, sbitmap), or all in use */
	__u32 hole_length;
};
#define KTWIN_LAB_NS_DYING	(1U << 0)

/* As KTWIN_IOC_LAB_TASKS reads them: numbers at level 0, 0 for none. ns of the ktwin_read must be 0. */
struct ktwin_lab_task {
	__u32 task;
	__s32 roles[KTWIN_LAB_TYPES];
	__u32 zero;
};

/* As KTWIN_IOC_LAB_LEAVES reads them, for ns: 64 numbers each, those of which one at least is in use. */
struct ktwin_lab_leaf {
	__u64 used;		/* bit i: number first + i is in use */
	__u32 first;
	__u32 zero;
};

/* What became of the pool of pids, when it is at its limit or refused somebody. */
enum ktwin_lab_verdict {
	KTWIN_LAB_ROOM		= 0,	/* it never refused */
	KTWIN_LAB_ESTIMATE	= 1,	/* tasks use most of what is out: the limit was estimated too low */
	KTWIN_LAB_LEAK		= 2,	/* no task uses most of what is out: somebody forgot to free */
};

/*
 * What a lab has and did. The pools are the lab's own; what the kernel's backends hold is in bytes alone, and there the
 * most that so many numbers can need. verdict, unused, holder and held take a walk over all pids. Errors: -EINTR it was
 * not over.
 */
struct ktwin_lab_stats {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 backend;		/* out, as all below */
	__u32 has;		/* KTWIN_LAB_HAS_* */
	__u32 pids;
	__u32 namespaces;
	__u32 tasks;
	__u32 numbers;		/* of all pids at all levels */
	__u32 limit;		/* the four limits it was opened with */
	__u32 pids_limit;
	__u32 namespaces_limit;
	__u32 tasks_limit;
	__u64 bytes_limit;
	__u64 bytes;		/* held now, ready ones included */
	__u64 bytes_most;
	__u64 allocs;		/* that succeeded */
	__u64 frees;
	__u64 no_number;	/* -EAGAIN */
	__u64 no_memory;	/* -ENOMEM, limits included */
	__u64 taken;		/* -EEXIST */
	__u64 shrunk;		/* objects given back under the system's memory pressure */
	struct ktwin_pool pid_pool;
	struct ktwin_pool node_pool;
	struct ktwin_pool ns_pool;
	struct ktwin_pool task_pool;
	__u32 verdict;		/* enum ktwin_lab_verdict */
	__u32 unused;		/* pids that no task uses */
	__u32 holder;		/* the namespace in which most pids were made */
	__u32 held;		/* so many */
};

/* --- the laboratory: for tests, refused unless the module was loaded with kt_lab=1 ------------------------- */

enum ktwin_inject_kind {
	KTWIN_INJECT_DROP	= 1,	/* the twin forgets (ns, nr) */
	KTWIN_INJECT_ADD	= 2,	/* the twin invents (ns, nr); -EEXIST when it is in use */
	KTWIN_INJECT_SWAP	= 3,	/* the twin takes (ns, nr) for another struct pid */
	KTWIN_INJECT_SKIP	= 4,	/* the next nr pid events are skipped as if probes had missed them */
	KTWIN_INJECT_NO_MEMORY	= 5,	/* the next nr allocations for an event fail */
	KTWIN_INJECT_MISPREDICT	= 6,	/* lockstep: the twin's cursor is one too far at the next nr searches; needs no mirror */
};

/*
 * Undone by KTWIN_MIRROR_RESYNC. Errors: -ESRCH no such number or namespace; -EEXIST.
 * On a switches fd DROP and ADD, ns 0: the twin takes task nr off its run queue, or queues it where it was last (-ENODATA:
 * there are no twins; -ESRCH: there is no such task, or the twin does not know it; -EALREADY: it is so).
 */
struct ktwin_inject {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 kind;
	__s32 nr;
	__u32 ns;
	__u32 zero;
};

/*
 * The twin's allocator against the kernel's own idr, in the kernel: the same random calls (cyclic allocation,
 * allocation at a given number, removal, lookup, next), every number and error compared.
 * Errors: -ERANGE; -ENOMEM; -EINTR.
 */
struct ktwin_compare {
	__u32 size;
	__u32 flags;		/* 0 */
	__u64 seed;
	__u32 operations;	/* 1 to 10000000 */
	__u32 pid_max;		/* 2 to 4194304 */
	__u32 levels;		/* nested namespaces driven together, 1 to 33 */
	__u32 zero;
	__u64 compared;		/* out: results compared */
	__u64 differences;	/* out */
	__u64 exhausted;	/* out: times both said there was no number left */
	__u64 wraps;		/* out: times the cursor wrapped */
};

enum ktwin_bench_measure {
	KTWIN_BENCH_CALLS	= 0,	/* how long the wake calls of a round take, all together */
	KTWIN_BENCH_HOLD	= 1,	/* the longest time in which they hold the queue's lock */
	KTWIN_BENCH_OTHERS	= 2,	/* how long one waits who adds or removes on another CPU at any time meanwhile: p99 */
};

/* ktwin_bench.flags */
#define KTWIN_BENCH_EXCLUSIVE	(1U << 0)	/* the sleepers are */
#define KTWIN_BENCH_STAY	(1U << 1)	/* their entries stay queued until the woken have run and removed them */

/* Nanoseconds of one backend's rounds; the time of one reading of the clock is taken off. */
struct ktwin_bench_times {
	__u64 min;
	__u64 median;
	__u64 max;
	__u64 woken;		/* sleepers that were put on a run queue, all rounds together */
	__u64 samples;		/* readings behind the three: rounds; OTHERS: adds and removes */
};

/*
 * Wait queues measured: kernel threads sleep on ktwin's queue, wake calls are timed, then the same threads and the same
 * calls on the kernel's queue, by turns. Sleepers and waker are on one CPU, the waker before all of them, so that none
 * runs before the last call of a round has returned.
 * Errors: -ERANGE; -EBUSY another one is under way; -ENOMEM, -EAGAIN not so many threads; -EINTR; -ETIMEDOUT the
 * sleepers did not come to rest, or the other CPU did not run; -ENODEV cannot be measured here: OTHERS needs two CPUs,
 * HOLD a probe on the kernel's function, and nothing is on PREEMPT_RT.
 */
struct ktwin_bench {
	__u32 size;
	__u32 flags;		/* KTWIN_BENCH_* */
	__u32 measure;		/* enum ktwin_bench_measure */
	__u32 waiters;		/* 0 to 16384 */
	__u32 calls;		/* wake calls in a round; calls * waiters at most 4194304, calls too */
	__u32 nr;		/* exclusive sleepers that each is to wake, at most 16384; 0: all */
	__u32 rounds;		/* on each queue, 1 to 1000 */
	__u32 zero;
	struct ktwin_bench_times times[2];	/* out: by enum ktwin_backend */
};

/* Who hands out ids. */
enum ktwin_ids {
	KTWIN_IDS_NONE		= 0,	/* nobody: every call returns at once */
	KTWIN_IDS_TWIN		= 1,	/* the twin's id tree under one lock */
	KTWIN_IDS_BLOCKS	= 2,	/* the same with a block of ids a CPU: any free id, no lowest */
	KTWIN_IDS_PIDMAP	= 3,	/* bitmap and hash of kernel/pid.c of 3.9, rebuilt */
	KTWIN_IDS_KPID		= 4,	/* the kernel's idr as kernel/pid.c uses it: alloc NULL, idr_replace() in a second section */
	KTWIN_IDS_IDR		= 5,	/* the kernel's idr under one lock */
	KTWIN_IDS_XARRAY	= 6,	/* the kernel's xarray as an allocator */
	KTWIN_IDS_IDA		= 7,	/* the kernel's ida: lowest only, no pointers */
	KTWIN_IDS_SBITMAP	= 8,	/* the kernel's sbitmap_queue: any free id, no pointers */
	KTWIN_IDS_TWIN_PIDS	= 9,	/* the twin's alloc_pid() and free_pid() in so many levels of namespaces */
	KTWIN_IDS_KERNEL_PIDS	= 10,	/* the like of kernel/pid.c, on idrs of its own */
};

/* What is done with them. An operation is: */
enum ktwin_ids_work {
	KTWIN_IDS_PING_PONG	= 0,	/* one id taken and given back */
	KTWIN_IDS_FIFO		= 1,	/* the oldest of those in use given back, one taken */
	KTWIN_IDS_CHURN		= 2,	/* any of those in use given back, one taken */
	KTWIN_IDS_FILL		= 3,	/* one taken, from none in use on */
	KTWIN_IDS_FIND		= 4,	/* any of those in use looked up */
	KTWIN_IDS_FIND_CHAIN	= 5,	/* likewise, and which one is known only when the last was found */
	KTWIN_IDS_ITERATE	= 6,	/* the next in use, from the lowest to the highest and again */
	KTWIN_IDS_TWO		= 7,	/* ping-pong on two CPUs at once; the operations of both */
	KTWIN_IDS_WRITER	= 8,	/* ping-pong while another CPU looks up; the one's operations */
	KTWIN_IDS_READER	= 9,	/* the other's operations */
};

/* ktwin_bench_ids.flags */
#define KTWIN_IDS_LOWEST	(1U << 0)	/* the lowest free id is taken; else the next one from the last on */

/* Nanoseconds that the operations of a round took. */
struct ktwin_bench_ids_side {
	__u64 min;
	__u64 median;
	__u64 max;
	__u64 bytes;		/* of the nodes that live ids took, and what the allocator has beside them; 0: not known */
	__u64 ready;		/* bytes of nodes that it keeps at hand */
	__u64 sum;		/* of the ids in use at the end: the same for who hands out the same */
};

/*
 * Allocators of ids measured, two and nobody, by turns, on the same work; each call is one indirect call away. What
 * nobody takes is what the loop, the calls and the clock take. CHURN without LOWEST begins with live ids strewn over all
 * below limit; with spread, ids are 1, 1 + spread and so on; else they are those that come first.
 * Probes are in the kernel's way: the mirror's in that of KPID and KERNEL_PIDS, lockstep's (on idr_alloc() and others) in
 * that of every rival on an idr. For measuring load with mirror=0 and without lockstep=1, or switch both off.
 * Errors: -EOPNOTSUPP one of the two cannot do that; -ERANGE; -EBUSY another one is under way; -ENOMEM; -EINTR;
 * -ENODEV no second CPU; -ETIMEDOUT two CPUs never ran undisturbed at once.
 */
struct ktwin_bench_ids {
	__u32 size;
	__u32 flags;		/* KTWIN_IDS_LOWEST */
	__u32 work;		/* enum ktwin_ids_work */
	__u32 who[2];		/* enum ktwin_ids, not NONE */
	__u32 limit;		/* ids are below: 64 to 4194304 */
	__u32 live;		/* ids in use meanwhile, below limit - 32; FILL: 0 */
	__u32 spread;		/* live * spread below limit; 0 or 1: dense */
	__u32 operations;	/* in a round, 1 to 1048576; FILL: below limit - 32 */
	__u32 rounds;		/* of each, 1 to 101 */
	__u32 levels;		/* 1 to 32; above 1 TWIN_PIDS and KERNEL_PIDS only, which do PING_PONG only */
	__u32 zero;
	struct ktwin_bench_ids_side sides[3];	/* out: of who[0], who[1], nobody */
};

#endif /* _UAPI_KTWIN_H */
