// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTWIN_IOC_BENCH, each measurement small: it wakes whom it says, its figures are possible ones, it ends by itself or by a
 * signal, and leaves no thread behind. How fast which queue is, is for "make bench" to say.
 */
#include <sys/wait.h>

#include "world.h"

#define NEED_MEASUREMENTS()							\
	do {									\
		if (kt_is_realtime())						\
			SKIP(return, "nothing is measured on PREEMPT_RT");	\
	} while (0)

static int bench(int fd, struct ktwin_bench *bench)
{
	bench->size = sizeof(*bench);
	return kt_call(fd, KTWIN_IOC_BENCH, bench);
}

/* Kernel threads of a measurement. */
static const char * const names[] = { "ktwin_sleeper", "ktwin_bench", "ktwin_others" };

static int threads(void)
{
	return kt_processes_named(names, ARRAY_SIZE(names));
}

static int threads_left(void)
{
	return kt_processes_left(names, ARRAY_SIZE(names));
}

FIXTURE(row) {
	int fd;
};

FIXTURE_VARIANT(row) {
	__u32 measure, flags, waiters, calls, nr;
	__u32 woken;	/* in a round */
};

FIXTURE_VARIANT_ADD(row, empty) {
	.calls = 100, .nr = 1,
};

FIXTURE_VARIANT_ADD(row, one) {
	.waiters = 1, .calls = 1, .nr = 1, .woken = 1,
};

FIXTURE_VARIANT_ADD(row, one_exclusive_of_many) {
	.flags = KTWIN_BENCH_EXCLUSIVE, .waiters = 100, .calls = 1, .nr = 1, .woken = 1,
};

FIXTURE_VARIANT_ADD(row, some_exclusive_of_many) {
	.flags = KTWIN_BENCH_EXCLUSIVE, .waiters = 100, .calls = 3, .nr = 7, .woken = 21,
};

FIXTURE_VARIANT_ADD(row, before_the_woken_run) {
	.flags = KTWIN_BENCH_EXCLUSIVE | KTWIN_BENCH_STAY, .waiters = 60, .calls = 50, .nr = 1, .woken = 50,
};

FIXTURE_VARIANT_ADD(row, all) {
	.waiters = 100, .calls = 1, .woken = 100,
};

FIXTURE_VARIANT_ADD(row, all_that_stay) {
	.flags = KTWIN_BENCH_STAY, .waiters = 100, .calls = 2, .woken = 100,
};

FIXTURE_VARIANT_ADD(row, hold) {
	.measure = KTWIN_BENCH_HOLD, .waiters = 200, .calls = 1, .woken = 200,
};

FIXTURE_VARIANT_ADD(row, others) {
	.measure = KTWIN_BENCH_OTHERS, .waiters = 200, .calls = 1, .woken = 200,
};

FIXTURE_SETUP(row)
{
	KT_OPEN_LIVE(self->fd);
	KT_NEED_LAB(self->fd);
	NEED_MEASUREMENTS();
}

FIXTURE_TEARDOWN(row)
{
	EXPECT_EQ(0, threads_left());
	close(self->fd);
}

#define ROUNDS	5

TEST_F_TIMEOUT(row, measured, 120)
{
	struct ktwin_bench request = {
		.measure = variant->measure, .flags = variant->flags, .waiters = variant->waiters,
		.calls = variant->calls, .nr = variant->nr, .rounds = ROUNDS,
	};
	int result = bench(self->fd, &request), i;

	if (result == -ENODEV && variant->measure == KTWIN_BENCH_OTHERS && sysconf(_SC_NPROCESSORS_ONLN) == 1)
		SKIP(return, "needs two CPUs");
	ASSERT_EQ(0, result);
	for (i = 0; i < 2; i++) {
		struct ktwin_bench_times *times = &request.times[i];

		TH_LOG("%s: %llu, %llu, %llu ns, %llu woken, %llu samples", i ? "kernel" : "twin", times->min,
		       times->median, times->max, times->woken, times->samples);
		EXPECT_EQ(ROUNDS * variant->woken, times->woken);
		EXPECT_LE(ROUNDS, times->samples);
		EXPECT_LT(0, times->max);
		EXPECT_LE(times->min, times->median);
		EXPECT_LE(times->median, times->max);
		/* One call of a queue is not a matter of seconds. */
		EXPECT_GT(10000000000ULL, times->max);
	}
	/* Claiming so many is not waking so many, on the busiest of hosts. */
	if (variant->measure == KTWIN_BENCH_HOLD) {
		EXPECT_LT(request.times[KTWIN_BACKEND_TWIN].min, request.times[KTWIN_BACKEND_KERNEL].min);
	}
}

TEST(values)
{
	const struct ktwin_bench good = { .size = sizeof(good), .waiters = 2, .calls = 1, .nr = 1, .rounds = 1 };
	struct ktwin_bench request = good;
	int fd;

	KT_OPEN_LIVE(fd);
	KT_NEED_LAB(fd);
	NEED_MEASUREMENTS();
	EXPECT_EQ(0, bench(fd, &request));
#define EXPECT_REFUSED(error, member, value)			\
	do {							\
		request = good;					\
		request.member = value;				\
		EXPECT_EQ(error, bench(fd, &request));		\
	} while (0)
	EXPECT_REFUSED(-EINVAL, flags, 4);
	EXPECT_REFUSED(-EINVAL, measure, 3);
	EXPECT_REFUSED(-EINVAL, zero, 1);
	EXPECT_REFUSED(-ERANGE, waiters, 16385);
	EXPECT_REFUSED(-ERANGE, waiters, UINT32_MAX);
	EXPECT_REFUSED(-ERANGE, calls, 0);
	EXPECT_REFUSED(-ERANGE, calls, 2097153);
	EXPECT_REFUSED(-ERANGE, calls, UINT32_MAX);
	EXPECT_REFUSED(-ERANGE, nr, 16385);
	EXPECT_REFUSED(-ERANGE, rounds, 0);
	EXPECT_REFUSED(-ERANGE, rounds, 1001);
	EXPECT_EQ(0, threads_left());
}

/* A process that would be at it for long: whether it is, when this returns. */
static pid_t start_long(int fd, __u32 measure)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	pid_t child = fork();

	if (!child) {
		struct ktwin_bench request = { .measure = measure, .waiters = 300, .calls = 1, .rounds = 1000 };

		_exit(bench(fd, &request) == -EINTR ? 7 : 8);
	}
	/* The conductor is started after all sleepers. */
	while (child > 0 && threads() < 301 && kt_now_ms() < end)
		kt_sleep_ms(5);
	return child;
}

static void nothing(int signal)
{
}

FIXTURE(signalled) {
	int fd;
};

FIXTURE_SETUP(signalled)
{
	KT_OPEN_LIVE(self->fd);
	KT_NEED_LAB(self->fd);
	NEED_MEASUREMENTS();
}

FIXTURE_TEARDOWN(signalled)
{
	close(self->fd);
}

TEST_F_TIMEOUT(signalled, one_at_a_time, 120)
{
	struct ktwin_bench small = { .waiters = 1, .calls = 1, .rounds = 1 };
	struct sigaction action = { .sa_handler = nothing };
	const int signals[] = { SIGUSR1, SIGKILL };
	__u32 measure;
	int fd = self->fd;
	size_t i;

	sigaction(SIGUSR1, &action, NULL);
	for (measure = KTWIN_BENCH_HOLD; measure <= KTWIN_BENCH_OTHERS; measure++) {
		for (i = 0; i < ARRAY_SIZE(signals); i++) {
			int status;
			pid_t child;

			if (measure == KTWIN_BENCH_OTHERS && sysconf(_SC_NPROCESSORS_ONLN) == 1)
				break;
			child = start_long(fd, measure);
			ASSERT_LT(0, child);
			EXPECT_EQ(-EBUSY, bench(fd, &small));
			kill(child, signals[i]);
			ASSERT_EQ(child, waitpid(child, &status, 0));
			if (signals[i] == SIGKILL) {
				EXPECT_TRUE(WIFSIGNALED(status));
			} else {
				EXPECT_EQ(7, WEXITSTATUS(status));
			}
			EXPECT_EQ(0, threads_left());
			EXPECT_EQ(0, bench(fd, &small));
		}
	}
}

TEST_HARNESS_MAIN
