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

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
