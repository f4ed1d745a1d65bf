// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is queued on a CPU, in the twin and in the kernel: the same at any time, but for what the kernel means so; and what
 * is put wrong is seen.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "rq.h"
#include "switches.h"

#define TRACING	"/sys/kernel/tracing/"
#define EVENT	TRACING "events/ktwin/ktwin_rq_audit/enable"

/* Passes of a storm, and how long it may take at most. */
#define PASSES		100
#define PASSES_MS	20000

FIXTURE(audited) {
	int device, fd;
	struct kt_stage *stage;
	struct ktwin_rq_audit before, after;
};

FIXTURE_SETUP(audited)
{
	struct ktwin_rq_twin twin;
	int err;

	KT_OPEN_LIVE(self->device);
	KT_TAKE_STAGE(self->stage);
	self->fd = kt_switches(self->device, KTWIN_SWITCHES_TWIN);
	ASSERT_LE(0, self->fd);
	err = kt_rq_audit(self->fd, KT_RQ_CPU, &self->before);
	if (err == -ENODATA)
		SKIP(return, "run queues cannot be read on this kernel");
	ASSERT_EQ(0, err);
	ASSERT_TRUE(kt_wait_complete(self->fd, KT_RQ_CPU, &twin));
	ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->before));
}

FIXTURE_TEARDOWN(audited)
{
	kt_clear_stage(self->stage);
	EXPECT_EQ(0, kt_no_limits(false));
	EXPECT_EQ(0, close(self->fd));
}

/*
 * What is held back stays queued. But real time is limited here, other than in the tests of rq: a pass that has to confirm
 * something waits for RCU, whose threads may be among those behind the holder.
 */
static int hold(struct kt_stage *stage)
{
	int err = kt_no_limits(false);

	return err ? err : kt_hold(stage, 50);
}

/* In one pass, as it may be that real time is throttled during another. */
TEST_F(audited, all_that_are_queued)
{
	const struct kt_burn fifo = { .policy = SCHED_FIFO, .priority = 5 }, nice = { .nice = 7 };
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	int i;

	ASSERT_EQ(0, hold(self->stage));
	for (i = 0; i < 3; i++) {
		ASSERT_LT(0, kt_add_burner(self->stage, &fifo));
		ASSERT_LT(0, kt_add_burner(self->stage, &nice));
	}
	do {
		ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->before));
		ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->after));
	} while (self->after.equal < self->before.equal + 7 && kt_now_ms() < end);
	EXPECT_EQ(0, self->after.why);
	EXPECT_LE(self->before.equal + 7, self->after.equal);
	EXPECT_EQ(0, self->after.missing + self->after.surplus);
	EXPECT_EQ(0, self->after.last_ns);
}

static int inject(int fd, __u32 kind, pid_t pid)
{
	struct ktwin_inject inject = { .size = sizeof(inject), .kind = kind, .nr = pid };

	return kt_call(fd, KTWIN_IOC_SWITCHES_INJECT, &inject);
}

/* Whether the trace has this line's end. */
static bool traced(const char *wanted)
{
	FILE *trace = fopen(TRACING "trace", "r");
	bool found = false;
	char line[512];

	while (trace && !found && fgets(line, sizeof(line), trace))
		found = strstr(line, wanted);
	if (trace)
		fclose(trace);
	return found;
}

static void spin_idly(void)
{
	const struct sched_param param = { .sched_priority = 0 };

	if (sched_setscheduler(0, SCHED_IDLE, &param))
		_exit(95);
	kt_spin();
}

static void spin_first(void)
{
	if (setpriority(PRIO_PROCESS, 0, -20))
		_exit(95);
	kt_spin();
}

/*
 * A task of the kernel's queue, that the twin is made to forget. It must not run meanwhile, which the twin would learn of:
 * of two that weigh 88761 and 3 this one has had a tick, and its turn comes after two minutes. (Not behind one of real
 * time: where that holds RCU's threads up, grace periods end when real time is throttled, and then this is throttled too.)
 */
TEST_F(audited, what_the_twin_lacks_is_seen)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	pid_t pid, first;
	char wanted[64];

	KT_NEED_LAB(self->device);
	pid = kt_run_on(KT_RQ_CPU, spin_idly);
	ASSERT_LT(0, pid);
	kt_sleep_ms(100);
	first = kt_run_on(KT_RQ_CPU, spin_first);
	ASSERT_LT(0, first);
	kt_sleep_ms(200);
	kt_write(EVENT, "1");
	ASSERT_EQ(0, inject(self->fd, KTWIN_INJECT_DROP, pid));
	EXPECT_EQ(-EALREADY, inject(self->fd, KTWIN_INJECT_DROP, pid));
	do {
		ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->after));
	} while (!self->after.missing && kt_now_ms() < end);
	kt_write(EVENT, "0");
	EXPECT_LE(1, self->after.missing);
	EXPECT_EQ(0, self->after.surplus);
	EXPECT_EQ(pid, self->after.last_tid);
	EXPECT_EQ(KTWIN_RQ_MISSING, self->after.last_kind);
	EXPECT_LT(0, self->after.last_ns);
	snprintf(wanted, sizeof(wanted), "ktwin_rq_audit: cpu=%d kind=%d pid=%d", KT_RQ_CPU, KTWIN_RQ_MISSING, pid);
	EXPECT_TRUE(access(EVENT, F_OK) || traced(wanted));
	ASSERT_EQ(0, inject(self->fd, KTWIN_INJECT_ADD, pid));
	self->before = self->after;
	ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->after));
	EXPECT_EQ(0, self->after.why);
	/* The background's pass may have been made before the twin was mended. */
	EXPECT_GE(self->before.missing + 1, self->after.missing);
	kt_end(first);
	kt_end(pid);
}

static void never_end(void)
{
	for (;;)
		pause();
}

/* One that sleeps, which the twin is made to believe runnable. */
TEST_F(audited, what_the_twin_has_too_much_is_seen)
{
	pid_t pid;

	KT_NEED_LAB(self->device);
	pid = kt_run_on(KT_RQ_CPU, never_end);
	ASSERT_TRUE(kt_wait_letter(pid, 'S'));
	/* 6.12's may compete for a moment longer. */
	kt_sleep_ms(200);
	ASSERT_EQ(0, inject(self->fd, KTWIN_INJECT_ADD, pid));
	ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->after));
	EXPECT_LE(1, self->after.surplus);
	EXPECT_EQ(0, self->after.missing);
	EXPECT_EQ(pid, self->after.last_tid);
	EXPECT_EQ(KTWIN_RQ_SURPLUS, self->after.last_kind);
	ASSERT_EQ(0, inject(self->fd, KTWIN_INJECT_DROP, pid));
	kt_end(pid);
}

/* A deadline task that has used up its runtime is on no queue until its next period, of which there is no event. */
TEST_F(audited, throttled_is_no_difference)
{
	const struct kt_burn deadline = { .policy = SCHED_DEADLINE, .dl_ms = 40 };
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	ASSERT_LT(0, kt_add_burner(self->stage, &deadline));
	do {
		ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->after));
		kt_sleep_ms(20);
	} while (self->after.throttled == self->before.throttled && kt_now_ms() < end);
	EXPECT_LT(self->before.throttled, self->after.throttled);
	EXPECT_EQ(0, self->after.missing + self->after.surplus);
}

/* From CPU to CPU, while it wants to run. */
static void hop(void)
{
	int i;

	for (i = 0;; i = !i) {
		kt_pin(i ? KT_RQ_CPU : 0);
		usleep(i ? 300 : 0);
	}
}

/* Ordinary children: the test itself is ahead of all, so that its passes are not starved. */
TEST_F(audited, storm)
{
	static void (*const works[])(void) = { kt_fork_often, kt_nap_often, hop, kt_nap_often, kt_fork_often, hop };
	uint64_t end = kt_now_ms() + PASSES_MS;
	struct ktwin_rq_audit other;
	pid_t storms[6];
	int i, done;

	for (i = 0; i < 6; i++)
		storms[i] = kt_run_on(i % 2, works[i]);
	for (done = 0; done < PASSES && kt_now_ms() < end; done++) {
		ASSERT_EQ(0, kt_rq_audit(self->fd, KT_RQ_CPU, &self->after));
		kt_sleep_ms(3);
	}
	for (i = 0; i < 6; i++)
		kt_end(storms[i]);
	ASSERT_EQ(0, kt_rq_audit(self->fd, 0, &other));
	TH_LOG("%llu passes, %llu skipped, %llu tasks in both, %llu delayed, %llu transients", self->after.passes,
	       self->after.skipped, self->after.equal, self->after.delayed, self->after.transients);
	EXPECT_EQ(0, self->after.missing + self->after.surplus) {
		TH_LOG("missing %llu, surplus %llu, the last one: task %d, kind %u", self->after.missing,
		       self->after.surplus, self->after.last_tid, self->after.last_kind);
	}
	EXPECT_EQ(0, other.missing + other.surplus);
	EXPECT_LT(self->before.equal, self->after.equal);
	EXPECT_GT(self->after.passes, 2 * self->after.skipped);
}

TEST_F(audited, asked_amiss)
{
	struct ktwin_inject drop = { .size = sizeof(drop), .kind = KTWIN_INJECT_DROP, .nr = getpid() };
	struct ktwin_rq_audit audit;
	int plain = kt_switches(self->device, 0);

	ASSERT_LE(0, plain);
	EXPECT_EQ(-ENODATA, kt_rq_audit(plain, KT_RQ_CPU, &audit));
	KT_NEED_LAB(self->device);
	EXPECT_EQ(-ENODATA, kt_call(plain, KTWIN_IOC_SWITCHES_INJECT, &drop));
	EXPECT_EQ(0, close(plain));
	EXPECT_EQ(-ESRCH, inject(self->fd, KTWIN_INJECT_DROP, 4194305));
	EXPECT_EQ(-EINVAL, inject(self->fd, KTWIN_INJECT_SWAP, getpid()));
	drop.ns = 1;
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_SWITCHES_INJECT, &drop));
}

TEST_HARNESS_MAIN
