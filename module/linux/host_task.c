// SPDX-License-Identifier: GPL-2.0-only
/* host_api.h: the running task, sleeping and waking. */
#include <linux/build_bug.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/wait.h>

#include "ktwin.h"
#include "wake_flags.h"

kt_key kt_host_current(void)
{
	return ktwin_key(current);
}

void kt_host_set_state(__u32 state)
{
	BUILD_BUG_ON(KT_TASK_RUNNING != TASK_RUNNING || KT_TASK_INTERRUPTIBLE != TASK_INTERRUPTIBLE);
	BUILD_BUG_ON(KT_TASK_UNINTERRUPTIBLE != TASK_UNINTERRUPTIBLE || KT_TASK_KILLABLE != TASK_KILLABLE);
	BUILD_BUG_ON(KT_TASK_NORMAL != TASK_NORMAL);
	set_current_state(state);
}

bool kt_host_signal_pending(__u32 state)
{
	return signal_pending_state(state, current);
}

bool kt_host_schedule(__u64 deadline_ns)
{
	ktime_t deadline = ns_to_ktime(min_t(u64, deadline_ns, KTIME_MAX));

	if (deadline_ns)
		return schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS) != 0;
	schedule();
	return true;
}

/*
 * try_to_wake_up() is not exported; default_wake_function() is, and hands it the entry's private pointer and nothing
 * else: what it does not read is not cleared, for this is most of what a wake-up costs beside the scheduler's part. The
 * task is alive: it is the sleeper of an entry that the caller has claimed, and leaves only after that.
 */
bool kt_host_wake_task(kt_key task, __u32 mode, __u32 flags)
{
	struct wait_queue_entry entry __attribute__((__uninitialized__));

	entry.private = (void *)(unsigned long)task;
	return default_wake_function(&entry, mode, flags & KT_WAKE_SYNC ? ktwin_wake_sync_flags() : 0, NULL) > 0;
}
