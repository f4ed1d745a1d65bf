// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTWIN_IOC_BENCH_IDS, each allocator and each work small: figures that can be, the same ids from those that promise the
 * same, an end by a signal, and nothing left behind. How fast who is, is for "make bench" to say.
 */
#include <sys/wait.h>

#include "world.h"

#define PIDS		32768
#define DISTURBED	2

static int bench(int fd, struct ktwin_bench_ids *bench)
{
	bench->size = sizeof(*bench);
	return kt_call(fd, KTWIN_IOC_BENCH_IDS, bench);
}

/* Kernel threads of two CPUs at work that are still there. */
static int threads_left(void)
{
	static const char * const names[] = { "ktwin_pair" };

	return kt_processes_left(names, ARRAY_SIZE(names));
}

FIXTURE(work) {
	int fd;
};

FIXTURE_VARIANT(work) {
	__u32 work, live, spread;
};

FIXTURE_VARIANT_ADD(work, ping_pong) { .work = KTWIN_IDS_PING_PONG };
FIXTURE_VARIANT_ADD(work, fifo) { .work = KTWIN_IDS_FIFO, .live = 1000 };
FIXTURE_VARIANT_ADD(work, churn) { .work = KTWIN_IDS_CHURN, .live = 3000 };
FIXTURE_VARIANT_ADD(work, churn_nearly_full) { .work = KTWIN_IDS_CHURN, .live = PIDS - 33 };
FIXTURE_VARIANT_ADD(work, fill) { .work = KTWIN_IDS_FILL };
FIXTURE_VARIANT_ADD(work, find) { .work = KTWIN_IDS_FIND, .live = 1000 };
FIXTURE_VARIANT_ADD(work, find_chain) { .work = KTWIN_IDS_FIND_CHAIN, .live = 1000 };
FIXTURE_VARIANT_ADD(work, iterate) { .work = KTWIN_IDS_ITERATE, .live = 1000 };
FIXTURE_VARIANT_ADD(work, iterate_spread) { .work = KTWIN_IDS_ITERATE, .live = 1000, .spread = 32 };
FIXTURE_VARIANT_ADD(work, two) { .work = KTWIN_IDS_TWO, .live = 100 };
FIXTURE_VARIANT_ADD(work, writer) { .work = KTWIN_IDS_WRITER, .live = 100 };
FIXTURE_VARIANT_ADD(work, reader) { .work = KTWIN_IDS_READER, .live = 100 };

FIXTURE_SETUP(work)
{
	KT_OPEN_LIVE(self->fd);
	KT_NEED_LAB(self->fd);
}

FIXTURE_TEARDOWN(work)
{
	EXPECT_EQ(0, threads_left());
	close(self->fd);
}

static bool can(__u32 who, __u32 work, __u32 spread, bool lowest)
{
	bool pointers = who != KTWIN_IDS_IDA && who != KTWIN_IDS_SBITMAP;
	bool looks = work == KTWIN_IDS_FIND || work == KTWIN_IDS_FIND_CHAIN || work == KTWIN_IDS_ITERATE ||
		     work == KTWIN_IDS_WRITER || work == KTWIN_IDS_READER;

	if (looks && !pointers)
		return false;
	if (spread > 1 && who == KTWIN_IDS_SBITMAP)
		return false;
	return lowest ? who != KTWIN_IDS_SBITMAP && who != KTWIN_IDS_BLOCKS : who != KTWIN_IDS_IDA;
}

static bool is_ordered(__u32 who)
{
	return who != KTWIN_IDS_BLOCKS && who != KTWIN_IDS_SBITMAP;
}

#define TRIES	4

/*
 * What the call said, when that is a matter of the machine: -ENODEV there is one CPU, where there is; -ETIMEDOUT two never
 * ran undisturbed at once, a few times over, as on a busy host.
 */
static int measure(struct __test_metadata *_metadata, int fd, struct ktwin_bench_ids *request)
{
	bool pair = request->work >= KTWIN_IDS_TWO;
	int result, tries = 0, i;

	do {
		result = bench(fd, request);
	} while (pair && result == -ETIMEDOUT && ++tries < TRIES);
	if (pair && result == -ENODEV && sysconf(_SC_NPROCESSORS_ONLN) == 1)
		return result;
	if (pair && result == -ETIMEDOUT)
		return result;
	EXPECT_EQ(0, result) {
		TH_LOG("who %u, work %u, flags %u", request->who[1], request->work, request->flags);
	}
	for (i = 0; i < 3; i++) {
		EXPECT_LE(request->sides[i].min, request->sides[i].median);
		EXPECT_LE(request->sides[i].median, request->sides[i].max);
		EXPECT_GT(10000000000ULL, request->sides[i].max);
	}
	EXPECT_LT(0, request->sides[0].median);
	EXPECT_LT(0, request->sides[1].median);
	EXPECT_LT(request->live * 4, request->sides[0].bytes);
	if (is_ordered(request->who[0]) && is_ordered(request->who[1])) {
		EXPECT_EQ(request->sides[0].sum, request->sides[1].sum) {
			TH_LOG("who %u, work %u, flags %u", request->who[1], request->work, request->flags);
		}
	}
	return 0;
}

TEST_F_TIMEOUT(work, with_all, 300)
{
	unsigned int measured = 0, disturbed = 0;
	__u32 flags, who;

	for (flags = 0; flags <= KTWIN_IDS_LOWEST; flags++) {
		for (who = KTWIN_IDS_BLOCKS; who <= KTWIN_IDS_SBITMAP; who++) {
			struct ktwin_bench_ids request = {
				.flags = flags, .work = variant->work, .who = { KTWIN_IDS_TWIN, who }, .limit = PIDS,
				.live = variant->live, .spread = variant->spread, .operations = 1500, .rounds = 2,
				.levels = 1,
			};

			if (!can(who, variant->work, variant->spread, flags)) {
				EXPECT_EQ(-EOPNOTSUPP, bench(self->fd, &request));
				continue;
			}
			/* Each that is disturbed takes its time; a few say as much as all of them. */
			if (measured && disturbed >= DISTURBED)
				continue;
			switch (measure(_metadata, self->fd, &request)) {
			case 0:
				measured++;
				break;
			case -ETIMEDOUT:
				disturbed++;
				break;
			default:
				SKIP(return, "there is one CPU");
			}
		}
	}
	/* A busy host spoils some, or all. */
	if (!measured && disturbed)
		SKIP(return, "two CPUs were never to be had at once");
	EXPECT_LT(0, measured);
	if (disturbed)
		TH_LOG("%u measured, %u not: two CPUs did not run undisturbed at once", measured, disturbed);
}

FIXTURE(levels) {
	int fd;
};

FIXTURE_VARIANT(levels) {
	__u32 levels;
};

FIXTURE_VARIANT_ADD(levels, one) { .levels = 1 };
FIXTURE_VARIANT_ADD(levels, eight) { .levels = 8 };
FIXTURE_VARIANT_ADD(levels, most) { .levels = 32 };

FIXTURE_SETUP(levels)
{
	KT_OPEN_LIVE(self->fd);
	KT_NEED_LAB(self->fd);
}

FIXTURE_TEARDOWN(levels)
{
	close(self->fd);
}

TEST_F_TIMEOUT(levels, pids, 120)
{
	struct ktwin_bench_ids request = {
		.work = KTWIN_IDS_PING_PONG, .who = { KTWIN_IDS_TWIN_PIDS, KTWIN_IDS_KERNEL_PIDS }, .limit = PIDS,
		.operations = 500, .rounds = 3, .levels = variant->levels,
	};

	ASSERT_EQ(0, bench(self->fd, &request));
	EXPECT_LT(0, request.sides[0].min);
	EXPECT_LT(0, request.sides[1].min);
}

TEST(values)
{
	const struct ktwin_bench_ids good = {
		.work = KTWIN_IDS_CHURN, .who = { KTWIN_IDS_TWIN, KTWIN_IDS_IDR }, .limit = PIDS, .live = 10,
		.operations = 1, .rounds = 1, .levels = 1,
	};
	struct ktwin_bench_ids request = good;
	int fd;

	KT_OPEN_LIVE(fd);
	KT_NEED_LAB(fd);
	EXPECT_EQ(0, bench(fd, &request));
#define EXPECT_REFUSED(error, member, value)			\
	do {							\
		request = good;					\
		request.member = value;				\
		EXPECT_EQ(error, bench(fd, &request));		\
	} while (0)
	EXPECT_REFUSED(-EINVAL, flags, 2);
	EXPECT_REFUSED(-EINVAL, work, KTWIN_IDS_READER + 1);
	EXPECT_REFUSED(-EINVAL, zero, 1);
	EXPECT_REFUSED(-EINVAL, who[0], KTWIN_IDS_NONE);
	EXPECT_REFUSED(-EINVAL, who[1], KTWIN_IDS_KERNEL_PIDS + 1);
	EXPECT_REFUSED(-EINVAL, who[1], UINT32_MAX);
	EXPECT_REFUSED(-ERANGE, limit, 0);
	EXPECT_REFUSED(-ERANGE, limit, 63);
	EXPECT_REFUSED(-ERANGE, limit, 4194305);
	EXPECT_REFUSED(-ERANGE, live, 0);
	EXPECT_REFUSED(-ERANGE, live, PIDS - 32);
	EXPECT_REFUSED(-ERANGE, live, UINT32_MAX);
	EXPECT_REFUSED(-ERANGE, spread, UINT32_MAX);
	EXPECT_REFUSED(-ERANGE, operations, 0);
	EXPECT_REFUSED(-ERANGE, operations, 1048577);
	EXPECT_REFUSED(-ERANGE, rounds, 0);
	EXPECT_REFUSED(-ERANGE, rounds, 102);
	EXPECT_REFUSED(-ERANGE, levels, 0);
	EXPECT_REFUSED(-ERANGE, levels, 33);
	EXPECT_REFUSED(-EOPNOTSUPP, levels, 2);
	EXPECT_REFUSED(-EOPNOTSUPP, who[1], KTWIN_IDS_IDA);
	EXPECT_REFUSED(-EOPNOTSUPP, who[1], KTWIN_IDS_KERNEL_PIDS);
	/* A block a CPU of so few would leave nothing to others. */
	request = good;
	request.who[1] = KTWIN_IDS_BLOCKS;
	request.limit = 512;
	EXPECT_EQ(-ERANGE, bench(fd, &request));
}

static void nothing(int signal)
{
}

/* Whether a measurement is under way: another one is refused. */
static bool is_under_way(int fd)
{
	struct ktwin_bench_ids small = {
		.work = KTWIN_IDS_PING_PONG, .who = { KTWIN_IDS_TWIN, KTWIN_IDS_IDR }, .limit = PIDS, .operations = 1,
		.rounds = 1, .levels = 1,
	};

	return bench(fd, &small) == -EBUSY;
}

FIXTURE(signalled) {
	int fd;
};

FIXTURE_SETUP(signalled)
{
	KT_OPEN_LIVE(self->fd);
	KT_NEED_LAB(self->fd);
}

FIXTURE_TEARDOWN(signalled)
{
	close(self->fd);
}

/* A measurement as long as possible, and signal amid it: how who asked for it ended, as waitpid() has it. */
static int interrupt(int fd, __u32 work, int signal)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	int status = 0;
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (!child) {
		struct ktwin_bench_ids request = {
			.work = work, .who = { KTWIN_IDS_TWIN, KTWIN_IDS_IDR }, .limit = 4194304,
			.live = work == KTWIN_IDS_CHURN ? 2000000 : 1000, .operations = 1048576, .rounds = 101, .levels = 1,
		};
		int result;

		/* Who looks whether it is under way has the door for a moment. */
		do {
			result = bench(fd, &request);
		} while (result == -EBUSY);
		_exit(-result);
	}
	while (!is_under_way(fd) && kt_now_ms() < end)
		kt_sleep_ms(5);
	kt_sleep_ms(50);
	kill(child, signal);
	return waitpid(child, &status, 0) == child ? status : -1;
}

/*
 * While it still takes ids of four million, and while it measures; and what it took is free again, or some rounds of this
 * would be more than the guest has.
 */
TEST_F_TIMEOUT(signalled, one_at_a_time, 240)
{
	const __u32 works[] = { KTWIN_IDS_CHURN, KTWIN_IDS_PING_PONG, KTWIN_IDS_ITERATE, KTWIN_IDS_TWO };
	struct sigaction action = { .sa_handler = nothing };
	const int signals[] = { SIGUSR1, SIGKILL };
	int fd = self->fd;
	size_t i, k;

	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < ARRAY_SIZE(works); i++) {
		for (k = 0; k < ARRAY_SIZE(signals); k++) {
			int status, tries = 0;

			if (works[i] == KTWIN_IDS_TWO && sysconf(_SC_NPROCESSORS_ONLN) == 1)
				break;
			/* Two CPUs that are not to be had at once may have ended it before the signal. */
			do {
				status = interrupt(fd, works[i], signals[k]);
			} while (works[i] == KTWIN_IDS_TWO && WIFEXITED(status) && WEXITSTATUS(status) == ETIMEDOUT &&
				 ++tries < TRIES);
			ASSERT_NE(-1, status);
			if (signals[k] == SIGKILL) {
				EXPECT_TRUE(WIFSIGNALED(status)) {
					TH_LOG("work %u ended with %d", works[i], WEXITSTATUS(status));
				}
			} else {
				EXPECT_EQ(EINTR, WEXITSTATUS(status)) {
					TH_LOG("work %u", works[i]);
				}
			}
			EXPECT_EQ(0, threads_left());
			EXPECT_FALSE(is_under_way(fd));
		}
	}
}

TEST_HARNESS_MAIN
