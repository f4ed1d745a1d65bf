// SPDX-License-Identifier: GPL-2.0-only
/* host_api.h: tracepoints. One call each; a tracepoint that nobody listens to costs a patched-out jump. */
#include <linux/module.h>

#include "ktwin.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

void kt_host_trace_pid_alloc(__u64 serial, const struct kt_pid *pid)
{
	const struct kt_upid *deepest = &pid->numbers[pid->level];

	trace_ktwin_pid_alloc(serial, pid->numbers[0].nr, pid->level, deepest->inode, deepest->nr);
}

void kt_host_trace_pid_free(__u64 serial, int nr, __u32 level, __u32 inode, int ns_nr)
{
	trace_ktwin_pid_free(serial, nr, level, inode, ns_nr);
}

void kt_host_trace_pidns_new(__u32 inode, __u32 level, __u32 parent)
{
	trace_ktwin_pidns_new(inode, level, parent);
}

void kt_host_trace_pidns_gone(__u32 inode, __u32 level, __u32 parent)
{
	trace_ktwin_pidns_gone(inode, level, parent);
}

void kt_host_trace_audit_mismatch(__u32 inode, int nr, __u32 kind)
{
	trace_ktwin_audit_mismatch(inode, nr, kind);
}

void kt_host_trace_wait_enter(__u32 queue, __u32 flags, __u32 mode)
{
	trace_ktwin_wait_enter(queue, flags, mode);
}

void kt_host_trace_wait_exit(__u32 queue, int result, __u64 slept_ns, __u64 wakes)
{
	trace_ktwin_wait_exit(queue, result, slept_ns, wakes);
}

void kt_host_trace_wake(__u32 queue, __u32 nr, __u32 woken, __u64 sequence)
{
	trace_ktwin_wake(queue, woken, nr, sequence);
}

void kt_host_trace_herd(__u32 queue, __u32 woken, __u32 futile, __u64 sequence)
{
	trace_ktwin_herd(queue, woken, futile, sequence);
}
