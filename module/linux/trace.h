/* SPDX-License-Identifier: GPL-2.0-only */
/* ktwin:* tracepoints. Numbers are those of the initial namespace unless a field says otherwise; ns are inodes. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ktwin

#if !defined(KTWIN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KTWIN_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(ktwin_pid,
	TP_PROTO(u64 serial, int nr, u32 level, u32 ns, int ns_nr),
	TP_ARGS(serial, nr, level, ns, ns_nr),
	TP_STRUCT__entry(
		__field(u64, serial)
		__field(int, nr)
		__field(u32, level)
		__field(u32, ns)
		__field(int, ns_nr)
	),
	TP_fast_assign(
		__entry->serial = serial;
		__entry->nr = nr;
		__entry->level = level;
		__entry->ns = ns;
		__entry->ns_nr = ns_nr;
	),
	TP_printk("nr=%d level=%u ns=%u ns_nr=%d serial=%llu", __entry->nr, __entry->level, __entry->ns,
		  __entry->ns_nr, __entry->serial)
);

DEFINE_EVENT(ktwin_pid, ktwin_pid_alloc,
	TP_PROTO(u64 serial, int nr, u32 level, u32 ns, int ns_nr),
	TP_ARGS(serial, nr, level, ns, ns_nr)
);

DEFINE_EVENT(ktwin_pid, ktwin_pid_free,
	TP_PROTO(u64 serial, int nr, u32 level, u32 ns, int ns_nr),
	TP_ARGS(serial, nr, level, ns, ns_nr)
);

DECLARE_EVENT_CLASS(ktwin_pidns,
	TP_PROTO(u32 ns, u32 level, u32 parent),
	TP_ARGS(ns, level, parent),
	TP_STRUCT__entry(
		__field(u32, ns)
		__field(u32, level)
		__field(u32, parent)
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->level = level;
		__entry->parent = parent;
	),
	TP_printk("ns=%u level=%u parent=%u", __entry->ns, __entry->level, __entry->parent)
);

DEFINE_EVENT(ktwin_pidns, ktwin_pidns_new,
	TP_PROTO(u32 ns, u32 level, u32 parent),
	TP_ARGS(ns, level, parent)
);

DEFINE_EVENT(ktwin_pidns, ktwin_pidns_gone,
	TP_PROTO(u32 ns, u32 level, u32 parent),
	TP_ARGS(ns, level, parent)
);

/* kind is enum ktwin_divergence_kind. */
TRACE_EVENT(ktwin_audit_mismatch,
	TP_PROTO(u32 ns, int nr, u32 kind),
	TP_ARGS(ns, nr, kind),
	TP_STRUCT__entry(
		__field(u32, ns)
		__field(int, nr)
		__field(u32, kind)
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->nr = nr;
		__entry->kind = kind;
	),
	TP_printk("ns=%u nr=%d kind=%u", __entry->ns, __entry->nr, __entry->kind)
);

/* Laboratory queues by their serial number. flags: KTWIN_WAIT_*, mode: enum ktwin_wait_mode. */
TRACE_EVENT(ktwin_wait_enter,
	TP_PROTO(u32 queue, u32 flags, u32 mode),
	TP_ARGS(queue, flags, mode),
	TP_STRUCT__entry(
		__field(u32, queue)
		__field(u32, flags)
		__field(u32, mode)
	),
	TP_fast_assign(
		__entry->queue = queue;
		__entry->flags = flags;
		__entry->mode = mode;
	),
	TP_printk("queue=%u flags=0x%x mode=%u", __entry->queue, __entry->flags, __entry->mode)
);

/* result: 0 or -errno; wakes: how often it was woken for that. */
TRACE_EVENT(ktwin_wait_exit,
	TP_PROTO(u32 queue, int result, u64 slept_ns, u64 wakes),
	TP_ARGS(queue, result, slept_ns, wakes),
	TP_STRUCT__entry(
		__field(u64, slept_ns)
		__field(u64, wakes)
		__field(u32, queue)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->slept_ns = slept_ns;
		__entry->wakes = wakes;
		__entry->queue = queue;
		__entry->result = result;
	),
	TP_printk("queue=%u result=%d slept_ns=%llu wakes=%llu", __entry->queue, __entry->result,
		  __entry->slept_ns, __entry->wakes)
);

DECLARE_EVENT_CLASS(ktwin_waking,
	TP_PROTO(u32 queue, u32 woken, u32 other, u64 sequence),
	TP_ARGS(queue, woken, other, sequence),
	TP_STRUCT__entry(
		__field(u64, sequence)
		__field(u32, queue)
		__field(u32, woken)
		__field(u32, other)
	),
	TP_fast_assign(
		__entry->sequence = sequence;
		__entry->queue = queue;
		__entry->woken = woken;
		__entry->other = other;
	),
	TP_printk("queue=%u sequence=%llu woken=%u other=%u", __entry->queue, __entry->sequence, __entry->woken,
		  __entry->other)
);

/*
 * Of laboratory queues, and of watched ones when what they say is known: see struct ktwin_watch.
 * other: how many exclusive sleepers were asked for, 0 all, 4294967295 not known.
 */
DEFINE_EVENT(ktwin_waking, ktwin_wake,
	TP_PROTO(u32 queue, u32 woken, u32 other, u64 sequence),
	TP_ARGS(queue, woken, other, sequence)
);

/* other: how many of the woken slept again without progress. */
DEFINE_EVENT(ktwin_waking, ktwin_herd,
	TP_PROTO(u32 queue, u32 woken, u32 other, u64 sequence),
	TP_ARGS(queue, woken, other, sequence)
);

/* what: enum ktwin_switch_class; leave: enum ktwin_leave. Only while somebody counts switches: see switches.c. */
TRACE_EVENT(ktwin_switch_class,
	TP_PROTO(u32 what, u32 leave, int prev, int next),
	TP_ARGS(what, leave, prev, next),
	TP_STRUCT__entry(
		__field(u32, what)
		__field(u32, leave)
		__field(int, prev)
		__field(int, next)
	),
	TP_fast_assign(
		__entry->what = what;
		__entry->leave = leave;
		__entry->prev = prev;
		__entry->next = next;
	),
	TP_printk("what=%u leave=%u prev=%d next=%d", __entry->what, __entry->leave, __entry->prev, __entry->next)
);

/*
 * A twin run queue and the kernel's differ, confirmed: see struct ktwin_rq_audit. kind: enum ktwin_rq_difference; pid of the
 * task in the initial namespace.
 */
TRACE_EVENT(ktwin_rq_audit,
	TP_PROTO(u32 cpu, u32 kind, int pid),
	TP_ARGS(cpu, kind, pid),
	TP_STRUCT__entry(
		__field(u32, cpu)
		__field(u32, kind)
		__field(int, pid)
	),
	TP_fast_assign(
		__entry->cpu = cpu;
		__entry->kind = kind;
		__entry->pid = pid;
	),
	TP_printk("cpu=%u kind=%u pid=%d", __entry->cpu, __entry->kind, __entry->pid)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
