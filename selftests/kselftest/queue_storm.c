// SPDX-License-Identifier: GPL-2.0-only
/*
 * A minute of sleepers that come, time out, are interrupted and go, against wakers of every kind, on all CPUs, on ktwin's
 * queue and on the kernel's at once. Every wake-up is accounted for: none lost, none counted twice.
 */
#include "queue.h"

#define STORM_MS	60000
#define SLEEPERS	4
#define WAKERS		2

/* One queue in the storm. */
struct storm {
	int fd;
	__u32 take;		/* KTWIN_WAIT_TAKE: sleepers want tokens; 0: any wake */
	uint64_t end_ms;
	uint64_t woken;		/* as the wakers were told */
	uint64_t wakes;		/* as the sleepers were told */
	uint64_t posted;
	uint64_t taken;
	uint64_t ended[3];	/* waits that ended well, by time, by a signal */
	int bad;		/* an answer that should not be */
	unsigned int seed;
	pthread_t sleepers[SLEEPERS];
};

static void add(uint64_t *to, uint64_t amount)
{
	__atomic_add_fetch(to, amount, __ATOMIC_RELAXED);
}

static unsigned int below(unsigned int *seed, unsigned int bound)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 16) % bound;
}

static void *sleeper(void *argument)
{
	static const __u32 kinds[] = { 0, KTWIN_WAIT_EXCLUSIVE, KTWIN_WAIT_EXCLUSIVE, KTWIN_WAIT_PRIORITY };
	struct storm *storm = argument;
	unsigned int seed = __atomic_add_fetch(&storm->seed, 7919, __ATOMIC_RELAXED);

	while (kt_now_ms() < storm->end_ms) {
		struct ktwin_wait wait = {
			.flags = kinds[below(&seed, 4)] | storm->take,
			.mode = below(&seed, 3), .timeout_ns = 1 + below(&seed, 5000) * 1000,
		};
		int result = kt_wait(storm->fd, &wait);

		if (!result) {
			add(&storm->ended[0], 1);
			add(&storm->wakes, wait.wakes);
			add(&storm->taken, 1);
		} else if (result == -ETIMEDOUT) {
			add(&storm->ended[1], 1);
		} else if (result == -EINTR) {
			add(&storm->ended[2], 1);
		} else {
			__atomic_store_n(&storm->bad, result, __ATOMIC_RELAXED);
			break;
		}
	}
	return NULL;
}

static void *waker(void *argument)
{
	static const __u32 nrs[] = { 0, 1, 1, 2, 33 };
	struct storm *storm = argument;
	unsigned int seed = __atomic_add_fetch(&storm->seed, 104729, __ATOMIC_RELAXED), round;

	for (round = 0; kt_now_ms() < storm->end_ms; round++) {
		__u32 nr = nrs[below(&seed, 5)], flags = below(&seed, 4);
		__u32 post = storm->take ? below(&seed, 3) : 0;
		int woken;

		if (nr != 1)
			flags &= ~KTWIN_WAKE_SYNC;
		woken = kt_wake_post(storm->fd, nr, post, flags);
		if (woken < 0) {
			__atomic_store_n(&storm->bad, woken, __ATOMIC_RELAXED);
			break;
		}
		add(&storm->woken, woken);
		add(&storm->posted, post);
		if (round % 16 == 0)
			kt_sleep_ms(1);
	}
	return NULL;
}

struct onlookers {
	struct storm *storms;
	int count;
};

/* Lists the queues, and sends signals to those who sleep there. */
static void *onlooker(void *argument)
{
	struct onlookers *onlookers = argument;
	struct ktwin_waiter waiters[2 * SLEEPERS];
	int i, j, count;

	for (i = 0; kt_now_ms() < onlookers->storms[0].end_ms; i = (i + 1) % onlookers->count) {
		struct storm *storm = &onlookers->storms[i];

		count = kt_queue_list(storm->fd, waiters, 2 * SLEEPERS);
		if (count < 0 || count > SLEEPERS)
			__atomic_store_n(&storm->bad, count ? count : -1, __ATOMIC_RELAXED);
		for (j = 0; j < count && j < SLEEPERS; j++) {
			if (waiters[j].tgid != getpid() || !(waiters[j].flags & KTWIN_WAITER_TASK))
				__atomic_store_n(&storm->bad, waiters[j].tgid, __ATOMIC_RELAXED);
		}
		pthread_kill(storm->sleepers[i % SLEEPERS], SIGUSR1);
		kt_sleep_ms(3);
	}
	return NULL;
}

static void nothing(int signal)
{
}

static uint64_t left_over(int fd)
{
	struct ktwin_wait take = { .flags = KTWIN_WAIT_TAKE, .timeout_ns = 1 };
	uint64_t tokens = 0;

	while (!kt_wait(fd, &take))
		tokens++;
	return tokens;
}

static void expect_accounted(struct __test_metadata *_metadata, struct storm *storm, const char *name)
{
	struct ktwin_wait_stats stats = kt_queue_stats(storm->fd);

	TH_LOG("%s: %llu wakes woke %llu; %llu waits well, %llu by time, %llu by a signal", name, stats.wakes,
	       stats.woken, (unsigned long long)storm->ended[0], (unsigned long long)storm->ended[1],
	       (unsigned long long)storm->ended[2]);
	EXPECT_EQ(0, storm->bad);
	EXPECT_EQ(0, stats.waiters);
	EXPECT_EQ(stats.waits, storm->ended[0] + storm->ended[1] + storm->ended[2]);
	EXPECT_EQ(stats.timeouts, storm->ended[1]);
	EXPECT_EQ(stats.signals, storm->ended[2]);
	EXPECT_LT(100, stats.woken);
	if (storm->take) {
		EXPECT_EQ(storm->posted, storm->taken + left_over(storm->fd));
		EXPECT_LT(0, stats.futile);
	} else {
		EXPECT_EQ(storm->woken, stats.woken);
		EXPECT_EQ(storm->woken, storm->wakes);
		EXPECT_EQ(storm->woken, storm->ended[0]);
	}
}

FIXTURE(storm)
{
};

FIXTURE_SETUP(storm)
{
}

FIXTURE_TEARDOWN(storm)
{
}

TEST_F_TIMEOUT(storm, every_wake_accounted, 240)
{
	static const char *const names[] = { "twin", "kernel", "twin, tokens", "kernel, tokens" };
	struct sigaction action = { .sa_handler = nothing };
	pthread_t wakers[4][WAKERS], looks;
	struct storm storms[4] = {};
	struct onlookers onlookers = { .storms = storms, .count = 4 };
	uint64_t end = kt_now_ms() + STORM_MS;
	int device, i, j;

	KT_OPEN_LIVE(device);
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < 4; i++) {
		storms[i].take = i < 2 ? 0 : KTWIN_WAIT_TAKE;
		storms[i].seed = i;
		storms[i].end_ms = end;
		storms[i].fd = kt_queue(device, i % 2 ? KTWIN_BACKEND_KERNEL : KTWIN_BACKEND_TWIN);
		ASSERT_LE(0, storms[i].fd);
	}
	for (i = 0; i < 4; i++) {
		for (j = 0; j < SLEEPERS; j++)
			ASSERT_EQ(0, pthread_create(&storms[i].sleepers[j], NULL, sleeper, &storms[i]));
		for (j = 0; j < WAKERS; j++)
			ASSERT_EQ(0, pthread_create(&wakers[i][j], NULL, waker, &storms[i]));
	}
	ASSERT_EQ(0, pthread_create(&looks, NULL, onlooker, &onlookers));
	pthread_join(looks, NULL);
	for (i = 0; i < 4; i++) {
		for (j = 0; j < WAKERS; j++)
			pthread_join(wakers[i][j], NULL);
		for (j = 0; j < SLEEPERS; j++)
			pthread_join(storms[i].sleepers[j], NULL);
	}
	for (i = 0; i < 4; i++)
		expect_accounted(_metadata, &storms[i], names[i]);
}

TEST_HARNESS_MAIN
