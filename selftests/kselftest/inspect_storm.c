// SPDX-License-Identifier: GPL-2.0-only
/* Everybody's queues are asked for while tasks, files and epolls come and go. */
#include "actors.h"

/* One round of a life with queues: two pipes, an epoll that watches one, a child that waits, wakes, an end. */
static void live_once(unsigned int *seed)
{
	int fds[2], epoll = epoll_create1(0), outer = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN | (rand_r(seed) & 1 ? EPOLLEXCLUSIVE : 0) };
	pid_t pids[3];
	int i;

	if (pipe(fds) || epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event))
		_exit(97);
	event.events = EPOLLIN;
	if (rand_r(seed) & 1 && epoll_ctl(outer, EPOLL_CTL_ADD, epoll, &event))
		_exit(97);
	pids[0] = kt_act(act_epoll, epoll);
	pids[1] = kt_act(act_read, fds[0]);
	pids[2] = kt_act(act_poll, rand_r(seed) & 1 ? outer : fds[0]);
	if (rand_r(seed) & 1)
		kt_sleep_ms(rand_r(seed) % 4);
	if (write(fds[1], "xx", 2) != 2)
		_exit(97);
	if (rand_r(seed) & 1)
		epoll_ctl(epoll, EPOLL_CTL_DEL, fds[0], &event);
	close(epoll);
	close(outer);
	for (i = 0; i < 3; i++)
		kt_end(pids[i]);
	close(fds[0]);
	close(fds[1]);
}

static void live(int seed_)
{
	unsigned int seed = seed_;

	for (;;)
		live_once(&seed);
}

#define STORM_MS	4000
#define LIVES		4

static bool is_expected(int result)
{
	return !result || result == -ESRCH || result == -EBADF || result == -ENODATA;
}

TEST(storm)
{
	uint64_t end;
	struct kt_listed listed;
	struct ktwin_sleep sleep;
	long asked = 0, waiters = 0, asleep = 0, count, i;
	struct ktwin_pid *pids;
	pid_t lives[LIVES];
	int device, fd, result;

	KT_OPEN_LIVE(device);
	for (i = 0; i < LIVES; i++)
		lives[i] = kt_act(live, i + 1);
	end = kt_now_ms() + STORM_MS;
	while (kt_now_ms() < end) {
		count = kt_pids(device, 0, &pids);
		ASSERT_LT(0, count);
		for (i = 0; i < count; i++) {
			/* Those of the storm are the youngest. */
			if (pids[i].upids[0].nr < getpid())
				continue;
			for (fd = 0; fd < 12; fd++, asked++) {
				result = kt_waiters(device, pids[i].upids[0].nr, fd, &listed);
				EXPECT_TRUE(is_expected(result)) {
					TH_LOG("waiters: %d", result);
				}
				waiters += listed.head.waiters_filled;
			}
			result = kt_asleep_on(device, pids[i].upids[0].nr, &sleep);
			EXPECT_TRUE(is_expected(result)) {
				TH_LOG("sleep: %d", result);
			}
			asleep += !result && sleep.kind != KTWIN_SLEEP_AWAKE;
		}
		free(pids);
	}
	for (i = 0; i < LIVES; i++)
		kt_end(lives[i]);
	TH_LOG("%ld questions, %ld waiters, %ld sleeps", asked, waiters, asleep);
	EXPECT_LT(100, asked);
	EXPECT_LT(0, waiters);
	EXPECT_LT(0, asleep);
	kt_expect_audit_clean(_metadata, device);
}

TEST_HARNESS_MAIN
