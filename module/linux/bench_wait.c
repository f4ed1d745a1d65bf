// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTWIN_IOC_BENCH: the core's wait queue beside the kernel's, with the same sleepers and the same calls.
 *
 * Three kinds of threads: the sleepers, on one CPU; the conductor, on the same CPU and before all of them (SCHED_FIFO),
 * which makes the calls and times them; the caller, who made all of these, waits, and ends them. A signal makes the
 * conductor end at the next round, or while it waits. When the ioctl returns no thread is left, and the caller holds a
 * file of the module until then.
 */
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "bench_wait.h"

#define WAITERS_MAX	16384
#define ROUNDS_MAX	1000
#define TRIES		20	/* of one round */
#define WORK_MAX	4194304	/* without a breath: calls times entries each may step over */

#define BENCH_FLAGS	(KTWIN_BENCH_EXCLUSIVE | KTWIN_BENCH_STAY)

/* One at a time. */
static DEFINE_MUTEX(bench_lock);

/* What lies between two readings when nothing does. */
static u64 clock_cost(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		u64 start = bench_clock();

		least = min(least, bench_clock() - start);
	}
	return least;
}

/* Those who sleep on the other queue come over; whoever was just woken does so anyway. */
static void move_to(struct bench *bench, struct bench_queue *queue)
{
	struct bench_queue *former = bench->current_queue;

	if (former == queue)
		return;
	WRITE_ONCE(bench->current_queue, queue);
	bench_queue_wake(former, 0);
}

struct span {
	u64 start;
	u64 end;
};

/* The woken are counted before they can run: they are on this CPU, behind the conductor. */
static struct span timed_calls(struct bench *bench, u32 backend)
{
	struct bench_queue *queue = &bench->queues[backend];
	u32 calls = bench->request->calls, nr = bench->request->nr, i;
	struct span span;

	span.start = bench_clock();
	for (i = 0; i < calls; i++)
		bench_queue_wake(queue, nr);
	span.end = bench_clock();
	if (bench->others)
		bench_others_over(bench);
	bench->request->times[backend].woken += bench_sleepers_runnable(bench);
	return span;
}

static u64 without_clock(const struct bench *bench, u64 took)
{
	return took - min(took, bench->clock_cost);
}

static int measure_calls(struct bench *bench, u32 backend, u64 *result)
{
	struct span span = timed_calls(bench, backend);

	*result = without_clock(bench, span.end - span.start);
	bench->taken[backend]++;
	return 0;
}

static int measure_hold(struct bench *bench, u32 backend, u64 *result)
{
	bench_hold_begin(&bench->queues[backend]);
	timed_calls(bench, backend);
	if (!bench_hold_end(result))
		return -ENODEV;
	*result = without_clock(bench, *result);
	bench->taken[backend]++;
	return 0;
}

/* -EAGAIN: the other CPU stood still meanwhile, as that of a virtual machine may, and the round does not count. */
static int measure_others(struct bench *bench, u32 backend, u64 *result)
{
	u64 woken = bench->request->times[backend].woken;
	u32 taken = bench->taken[backend];
	struct span span;
	int err = bench_others_begin(bench);

	if (err)
		return err;
	bench_others_note(bench);
	span = timed_calls(bench, backend);
	*result = without_clock(bench, bench_others_end(bench, span.start, span.end, &bench->taken[backend]));
	if (bench->taken[backend] != taken)
		return 0;
	bench->request->times[backend].woken = woken;
	return -EAGAIN;
}

static int (*const measures[])(struct bench *bench, u32 backend, u64 *result) = {
	[KTWIN_BENCH_CALLS] = measure_calls,
	[KTWIN_BENCH_HOLD] = measure_hold,
	[KTWIN_BENCH_OTHERS] = measure_others,
};

static int one_round(struct bench *bench, u32 backend, u32 round)
{
	int err, tries;

	move_to(bench, &bench->queues[backend]);
	for (tries = 0; tries < TRIES; tries++) {
		err = bench_sleepers_settle(bench);
		if (!err)
			err = measures[bench->request->measure](bench, backend, &bench->samples[backend][round]);
		if (err != -EAGAIN)
			return err;
	}
	return -ETIMEDOUT;
}

static int all_rounds(struct bench *bench)
{
	u32 round, backend;
	int err;

	bench->clock_cost = clock_cost();
	for (round = 0; round < bench->request->rounds; round++) {
		for (backend = 0; backend < BENCH_BACKENDS; backend++) {
			if (READ_ONCE(bench->stop))
				return -EINTR;
			err = one_round(bench, backend, round);
			if (err)
				return err;
		}
		cond_resched();
	}
	return 0;
}

struct conductor {
	struct bench *bench;
	struct completion done;
};

static int conduct(void *argument)
{
	struct conductor *conductor = argument;
	int err = all_rounds(conductor->bench);

	complete(&conductor->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return err;
}

static int run_conductor(struct bench *bench, int cpu)
{
	struct conductor conductor = { .bench = bench };
	struct task_struct *task;

	init_completion(&conductor.done);
	task = kthread_create(conduct, &conductor, "ktwin_bench");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	sched_set_fifo(task);
	wake_up_process(task);
	if (wait_for_completion_interruptible(&conductor.done)) {
		WRITE_ONCE(bench->stop, true);
		wait_for_completion(&conductor.done);
	}
	return kthread_stop(task);
}

static int with_probes(struct bench *bench, int cpu)
{
	u32 what = bench->request->measure;
	unsigned int other;
	int err;

	if (what == KTWIN_BENCH_CALLS)
		return run_conductor(bench, cpu);
	if (what == KTWIN_BENCH_HOLD) {
		err = bench_hold_open();
		if (err)
			return err;
		err = run_conductor(bench, cpu);
		bench_hold_close();
		return err;
	}
	other = cpumask_next(cpu, cpu_online_mask);
	if (other >= nr_cpu_ids)
		return -ENODEV;
	err = bench_others_open(bench, other);
	if (!err)
		err = run_conductor(bench, cpu);
	bench_others_close(bench);
	return err;
}

static int compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

static void summarise(struct bench *bench)
{
	u32 rounds = bench->request->rounds, i;

	for (i = 0; i < BENCH_BACKENDS; i++) {
		struct ktwin_bench_times *times = &bench->request->times[i];
		u64 *samples = bench->samples[i];

		sort(samples, rounds, sizeof(*samples), compare, NULL);
		times->min = samples[0];
		times->median = samples[rounds / 2];
		times->max = samples[rounds - 1];
		times->samples = bench->taken[i];
	}
}

static int set_up(struct bench *bench)
{
	int err = 0;
	u32 i;

	for (i = 0; i < BENCH_BACKENDS && !err; i++) {
		err = bench_queue_init(&bench->queues[i], i);
		bench->samples[i] = kvcalloc(bench->request->rounds, sizeof(u64), GFP_KERNEL);
		if (!bench->samples[i])
			err = -ENOMEM;
	}
	bench->current_queue = &bench->queues[0];
	return err;
}

static int bench_run(struct ktwin_bench *request)
{
	struct bench *bench = kzalloc(sizeof(*bench), GFP_KERNEL);
	int cpu = cpumask_first(cpu_online_mask), err;
	u32 i;

	if (!bench)
		return -ENOMEM;
	bench->request = request;
	err = set_up(bench);
	if (!err)
		err = bench_sleepers_start(bench, cpu);
	if (!err)
		err = with_probes(bench, cpu);
	bench_sleepers_stop(bench);
	if (!err)
		summarise(bench);
	for (i = 0; i < BENCH_BACKENDS; i++) {
		bench_queue_destroy(&bench->queues[i]);
		kvfree(bench->samples[i]);
	}
	kfree(bench);
	return err;
}

static bool is_in_range(const struct ktwin_bench *request)
{
	return request->waiters <= WAITERS_MAX && request->nr <= WAITERS_MAX && request->calls &&
	       request->rounds && request->rounds <= ROUNDS_MAX &&
	       (u64)request->calls * max(request->waiters, 1U) <= WORK_MAX;
}

long ktwin_ioctl_bench(struct file *file, void *arg)
{
	struct ktwin_bench *request = arg;
	int err;

	if (request->flags & ~BENCH_FLAGS || request->zero || request->measure > KTWIN_BENCH_OTHERS)
		return -EINVAL;
	if (!is_in_range(request))
		return -ERANGE;
	/*
	 * The waker is a real-time thread, and so is who adds and removes: on PREEMPT_RT they come before the kernel's own
	 * threads for timers and RCU, and on an emulated machine short of CPU one such kernel never got up again.
	 */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return -ENODEV;
	if (!mutex_trylock(&bench_lock))
		return -EBUSY;
	memset(request->times, 0, sizeof(request->times));
	err = bench_run(request);
	mutex_unlock(&bench_lock);
	return err;
}
