// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two kernel threads. "ktwin" keeps the twin supplied: pools, grace periods, resynchronisation; it runs when a hook
 * asks for it, and once a second. "ktwin_audit" compares twin and kernel without pause, at the rate that is set.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/wait.h>

#include "ktwin.h"

#define INTERVAL_MIN_MS	10
#define INTERVAL_MAX_MS	3600000
#define BATCH_MIN	64
#define BATCH_MAX	1048576

static uint audit_interval_ms = 1000;
module_param(audit_interval_ms, uint, 0444);
MODULE_PARM_DESC(audit_interval_ms, "pause between background audit passes, 0: none, 10 to 3600000 (default 1000)");

static uint audit_batch = 4096;
module_param(audit_batch, uint, 0444);
MODULE_PARM_DESC(audit_batch, "numbers compared before the CPU is given away, 64 to 1048576 (default 4096)");

static uint audit_cpu_percent = 10;
module_param(audit_cpu_percent, uint, 0444);
MODULE_PARM_DESC(audit_cpu_percent, "share of one CPU a background pass may use, 1 to 100 (default 10)");

static struct task_struct *maintainer;
static struct task_struct *auditor;
static DECLARE_WAIT_QUEUE_HEAD(maintainer_wait);
static DECLARE_WAIT_QUEUE_HEAD(auditor_wait);
static atomic_t kicked = ATOMIC_INIT(0);

/* Guards the rate: written by an ioctl, read by the thread. Innermost, held for three words. */
static DEFINE_MUTEX(rate_lock);
static struct ktwin_audit_rate rate;
static bool rate_changed;

/* From irq_work, because hooks hold a raw lock, and a wait queue's is one that sleeps on PREEMPT_RT. */
static void wake_maintainer(struct irq_work *work)
{
	wake_up(&maintainer_wait);
}

static DEFINE_IRQ_WORK(kick_work, wake_maintainer);

void kt_host_kick(void)
{
	atomic_set(&kicked, 1);
	irq_work_queue(&kick_work);
}

static int maintain(void *unused)
{
	/* Here and not in insmod's context: what is mounted belongs to the PID namespace of who mounts it. */
	ktwin_pid_max_open();
	while (!kthread_should_stop()) {
		ktwin_pid_max_refresh();
		kt_core_maintain();
		ktwin_switches_refill();
		wait_event_interruptible_timeout(maintainer_wait,
						 atomic_read(&kicked) || kthread_should_stop(), HZ);
		atomic_set(&kicked, 0);
	}
	ktwin_pid_max_close();
	return 0;
}

void ktwin_audit_rate_get(struct ktwin_audit_rate *to)
{
	mutex_lock(&rate_lock);
	to->interval_ms = rate.interval_ms;
	to->batch = rate.batch;
	to->cpu_percent = rate.cpu_percent;
	mutex_unlock(&rate_lock);
}

/* The name of the field that is out of range, or NULL. */
static const char *rate_fault(const struct ktwin_audit_rate *wanted)
{
	if (wanted->interval_ms && (wanted->interval_ms < INTERVAL_MIN_MS || wanted->interval_ms > INTERVAL_MAX_MS))
		return "audit_interval_ms: 0, or 10 to 3600000";
	if (wanted->batch < BATCH_MIN || wanted->batch > BATCH_MAX)
		return "audit_batch: 64 to 1048576";
	if (wanted->cpu_percent < 1 || wanted->cpu_percent > 100)
		return "audit_cpu_percent: 1 to 100";
	return NULL;
}

int ktwin_audit_rate_set(const struct ktwin_audit_rate *wanted)
{
	if (rate_fault(wanted))
		return -ERANGE;
	mutex_lock(&rate_lock);
	rate = *wanted;
	WRITE_ONCE(rate_changed, true);
	mutex_unlock(&rate_lock);
	wake_up(&auditor_wait);
	return 0;
}

static int audit(void *unused)
{
	while (!kthread_should_stop()) {
		struct ktwin_audit_rate now = {};
		struct kt_audit_budget budget;
		long pause;

		WRITE_ONCE(rate_changed, false);
		ktwin_audit_rate_get(&now);
		budget.batch = now.batch;
		budget.cpu_percent = now.cpu_percent;
		if (now.interval_ms)
			kt_core_audit_background(&budget);
		pause = now.interval_ms ? msecs_to_jiffies(now.interval_ms) : MAX_SCHEDULE_TIMEOUT;
		wait_event_interruptible_timeout(auditor_wait, READ_ONCE(rate_changed) || kthread_should_stop(), pause);
	}
	return 0;
}

int ktwin_threads_start(void)
{
	const struct ktwin_audit_rate wanted = {
		.interval_ms = audit_interval_ms,
		.batch = audit_batch,
		.cpu_percent = audit_cpu_percent,
	};
	const char *fault = rate_fault(&wanted);

	if (fault) {
		pr_err("parameter out of range: %s\n", fault);
		return -EINVAL;
	}
	rate = wanted;
	maintainer = kthread_run(maintain, NULL, "ktwin");
	if (IS_ERR(maintainer)) {
		pr_err("no thread for maintenance (%ld)\n", PTR_ERR(maintainer));
		return PTR_ERR(maintainer);
	}
	auditor = kthread_run(audit, NULL, "ktwin_audit");
	if (IS_ERR(auditor)) {
		pr_err("no thread for the audit (%ld)\n", PTR_ERR(auditor));
		kthread_stop(maintainer);
		irq_work_sync(&kick_work);
		return PTR_ERR(auditor);
	}
	return 0;
}

void ktwin_threads_stop(void)
{
	kthread_stop(auditor);
	kthread_stop(maintainer);
	/* The probes are gone, so nobody kicks any more; the last kick may still be on its way. */
	irq_work_sync(&kick_work);
}
