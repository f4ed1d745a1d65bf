// SPDX-License-Identifier: GPL-2.0-only
/* A real queue watched: how many a wake wakes, and how many of them for nothing. */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "watch.h"

#define SLEEPERS	8
#define MANY		100

static void act_recv(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) != 1)
		_exit(97);
}

static void act_read_first(int fd)
{
	kt_realtime(20);
	kt_act_read(fd);
	kt_sleep_ms(3600000);
}

static void act_poll_last(int fd)
{
	kt_realtime(10);
	act_poll(fd);
}

static void act_own_epoll(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) || epoll_wait(epoll, &event, 1, -1) != 1)
		_exit(97);
}

/* Readers of an eventfd are not exclusive: all are woken for what one takes. */
TEST(herd_of_readers)
{
	const __u64 one = 1;
	struct ktwin_wait_stats stats;
	pid_t pids[SLEEPERS];
	int device, fd = eventfd(0, 0), on;

	KT_NEED_READS();
	KT_OPEN_LIVE(device);
	kt_make_all(_metadata, device, kt_act_read, fd, pids, SLEEPERS);
	on = kt_watch(device, getpid(), fd);
	ASSERT_LE(0, on);
	ASSERT_EQ(0, kt_watched(on, &stats));
	EXPECT_EQ(SLEEPERS, stats.waiters);
	EXPECT_EQ(0, stats.wakes);
	EXPECT_NE(0, stats.queue);
	ASSERT_EQ(8, write(fd, &one, 8));
	ASSERT_TRUE(kt_wait_settled(on, SLEEPERS, &stats)) {
		TH_LOG("woken %llu futile %llu unknown %llu", stats.woken, stats.futile, stats.unknown);
	}
	EXPECT_EQ(SLEEPERS, stats.herd_most);
	EXPECT_LE(SLEEPERS - 1, (int)stats.futile);
	EXPECT_EQ(stats.woken - 1, stats.futile);
	EXPECT_LE(1, (int)stats.herds);
	EXPECT_EQ(SLEEPERS - 1, stats.waiters);
	EXPECT_EQ(stats.wakes, stats.sequence);
	kt_end_all(pids, SLEEPERS);
}

/* Those of a pipe are: one for one. */
TEST(one_for_one)
{
	struct ktwin_wait_stats stats;
	pid_t pids[SLEEPERS];
	int device, fds[2], on;

	KT_NEED_READS();
	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	kt_make_all(_metadata, device, kt_act_read, fds[0], pids, SLEEPERS);
	on = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, on);
	ASSERT_EQ(1, write(fds[1], "x", 1));
	ASSERT_TRUE(kt_wait_settled(on, 1, &stats));
	EXPECT_EQ(1, stats.wakes);
	EXPECT_EQ(0, stats.wakes_empty);
	EXPECT_EQ(1, stats.woken);
	EXPECT_EQ(0, stats.futile);
	EXPECT_EQ(0, stats.herds);
	EXPECT_EQ(1, stats.herd_most);
	EXPECT_EQ(SLEEPERS - 1, stats.waiters);
	kt_end_all(pids, SLEEPERS);
}

/* All poll(2)s return, with something to return. */
TEST(pollers_return)
{
	struct ktwin_wait_stats stats;
	pid_t pids[SLEEPERS];
	int device, fds[2], on;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	kt_make_all(_metadata, device, act_poll, fds[0], pids, SLEEPERS);
	on = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, on);
	ASSERT_EQ(1, write(fds[1], "x", 1));
	ASSERT_TRUE(kt_wait_settled(on, SLEEPERS, &stats));
	EXPECT_EQ(1, stats.wakes);
	EXPECT_EQ(SLEEPERS, stats.woken);
	EXPECT_EQ(SLEEPERS, stats.herd_most);
	EXPECT_EQ(0, stats.futile);
	EXPECT_EQ(0, stats.herds);
	EXPECT_EQ(0, stats.waiters);
	kt_end_all(pids, SLEEPERS);
}

static void *poll_once(void *fd)
{
	act_poll((int)(intptr_t)fd);
	return NULL;
}

/* More than the 64 after which a wake pauses until 6.6: each is counted, once. */
TEST(many)
{
	struct ktwin_wait_stats stats;
	pthread_t threads[MANY];
	struct kt_listed listed;
	int device, fds[2], on, i;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, poll_once, (void *)(intptr_t)fds[0]));
	ASSERT_TRUE(kt_wait_asleep(device, getpid(), fds[0], MANY, &listed));
	on = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, on);
	ASSERT_EQ(1, write(fds[1], "x", 1));
	for (i = 0; i < MANY; i++)
		pthread_join(threads[i], NULL);
	ASSERT_TRUE(kt_wait_settled(on, MANY, &stats));
	EXPECT_EQ(1, stats.wakes);
	EXPECT_EQ(MANY, stats.woken);
	EXPECT_EQ(MANY, stats.herd_most);
	EXPECT_EQ(0, stats.futile);
	EXPECT_EQ(0, stats.waiters);
}

/* A reader of higher priority takes the byte before the first of them looks. */
TEST(herd_of_pollers)
{
	struct ktwin_wait_stats stats;
	pid_t pids[SLEEPERS], reader;
	struct kt_listed listed;
	int device, fds[2], on;

	KT_NEED_READS();
	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	kt_realtime(30);
	kt_make_all(_metadata, device, act_poll_last, fds[0], pids, SLEEPERS);
	reader = kt_act(act_read_first, fds[0]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], reader, &listed));
	on = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, on);
	ASSERT_EQ(1, write(fds[1], "x", 1));
	ASSERT_TRUE(kt_wait_settled(on, SLEEPERS + 1, &stats)) {
		TH_LOG("woken %llu futile %llu unknown %llu", stats.woken, stats.futile, stats.unknown);
	}
	EXPECT_EQ(SLEEPERS + 1, stats.woken);
	EXPECT_EQ(SLEEPERS, stats.futile);
	EXPECT_EQ(1, stats.herds);
	/* And the next wake is theirs. */
	ASSERT_EQ(1, write(fds[1], "x", 1));
	ASSERT_TRUE(kt_wait_settled(on, 2 * SLEEPERS + 1, &stats));
	EXPECT_EQ(2 * SLEEPERS + 1, stats.woken);
	EXPECT_EQ(SLEEPERS, stats.futile);
	EXPECT_EQ(1, stats.herds);
	kt_end_all(pids, SLEEPERS);
	kt_end(reader);
}

/* Each has an epoll of its own: all are woken. What became of them the queue does not tell. */
TEST(behind_epolls)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	struct ktwin_wait_stats stats;
	pid_t pids[SLEEPERS];
	struct kt_listed listed;
	int device, fds[2], on, i;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < SLEEPERS; i++) {
		pids[i] = kt_act(act_own_epoll, fds[0]);
		do {
			ASSERT_EQ(0, kt_waiters(device, getpid(), fds[0], &listed));
			if (listed.head.waiters_filled && !listed.waiters[0].link)
				SKIP(return, "the layout of epoll is not known here");
		} while (kt_find_waiter(&listed, pids[i]) < 0 && kt_now_ms() < end);
	}
	on = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, on);
	ASSERT_EQ(1, write(fds[1], "x", 1));
	ASSERT_EQ(0, kt_watched(on, &stats));
	EXPECT_EQ(1, stats.wakes);
	EXPECT_EQ(SLEEPERS, stats.woken);
	EXPECT_EQ(SLEEPERS, stats.unknown);
	EXPECT_EQ(0, stats.herds);
	kt_end_all(pids, SLEEPERS);
}

/* recv(2) does not say that it returned. */
TEST(not_known)
{
	struct ktwin_wait_stats stats;
	pid_t pid;
	int device, fds[2], on;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
	kt_make_all(_metadata, device, act_recv, fds[0], &pid, 1);
	on = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, on);
	ASSERT_EQ(1, send(fds[1], "x", 1, 0));
	waitpid(pid, NULL, 0);
	ASSERT_EQ(0, kt_watched(on, &stats));
	EXPECT_EQ(1, stats.woken);
	EXPECT_EQ(1, stats.unknown);
	EXPECT_EQ(0, stats.futile);
}

TEST_HARNESS_MAIN
