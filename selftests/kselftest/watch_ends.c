// SPDX-License-Identifier: GPL-2.0-only
/* How a watch ends, that nothing is left of it, and what may not be watched. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "watch.h"

static bool wait_ended(int watch)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	struct ktwin_wait_stats stats;
	int answer;

	while ((answer = kt_watched(watch, &stats)) == 0 && kt_now_ms() < end)
		kt_sleep_ms(2);
	return answer == -EIDRM;
}

static __u32 entries(struct __test_metadata *_metadata, int device, int fd)
{
	struct kt_listed listed;

	EXPECT_EQ(0, kt_waiters(device, getpid(), fd, &listed));
	return listed.head.waiters_filled;
}

TEST(nothing_left)
{
	struct ktwin_wait_stats stats;
	int device, fds[2], first, second;
	pid_t reader;

	KT_NEED_READS();
	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	kt_make_all(_metadata, device, kt_act_read, fds[0], &reader, 1);
	EXPECT_EQ(1, entries(_metadata, device, fds[0]));
	first = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, first);
	EXPECT_EQ(4, entries(_metadata, device, fds[0]));
	second = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, second);
	EXPECT_EQ(7, entries(_metadata, device, fds[0]));
	ASSERT_EQ(1, write(fds[1], "x", 1));
	/* Both see the same. */
	ASSERT_TRUE(kt_wait_settled(first, 1, &stats));
	EXPECT_EQ(1, stats.woken);
	ASSERT_TRUE(kt_wait_settled(second, 1, &stats));
	EXPECT_EQ(1, stats.woken);
	EXPECT_EQ(1, stats.wakes);
	close(first);
	EXPECT_EQ(3, entries(_metadata, device, fds[0]));
	ASSERT_EQ(1, write(fds[1], "x", 1));
	ASSERT_EQ(0, kt_watched(second, &stats));
	EXPECT_EQ(2, stats.wakes);
	EXPECT_EQ(1, stats.wakes_empty);
	close(second);
	EXPECT_EQ(0, entries(_metadata, device, fds[0]));
	kt_end(reader);
}

/* Nobody has the watched end any more: the other end hears of it, watch or not. */
TEST(target_dies)
{
	int device, fds[2], on[2], i;
	struct pollfd poller;
	pid_t writer;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	writer = kt_act((void (*)(int))kt_sleep_ms, 3600000);
	for (i = 0; i < 2; i++) {
		on[i] = kt_watch(device, writer, fds[1]);
		ASSERT_LE(0, on[i]);
	}
	close(fds[1]);
	kt_end(writer);
	poller = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	EXPECT_EQ(1, poll(&poller, 1, KT_PATIENCE_MS));
	EXPECT_EQ(POLLHUP, poller.revents);
	EXPECT_TRUE(wait_ended(on[0]));
	EXPECT_TRUE(wait_ended(on[1]));
}

/* The one who opened it closes it: it is over for those who have a copy, too. */
TEST(owner_closes)
{
	struct ktwin_wait_stats stats;
	struct kt_line line;
	int device, fds[2], on;
	pid_t child;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, kt_line_open(&line));
	on = kt_watch(device, getpid(), fds[0]);
	ASSERT_LE(0, on);
	child = fork();
	if (!child) {
		kt_leash();
		kt_say(&line, kt_watched(on, &stats));
		kt_await(&line);
		_exit(kt_watched(on, &stats) != -EIDRM);
	}
	EXPECT_EQ(0, kt_hear(&line));
	close(on);
	EXPECT_EQ(0, entries(_metadata, device, fds[0]));
	kt_end(child);
}

/* --- a storm: watches come and go on a pipe through which others play */

struct storm {
	int device;
	int there[2], back[2];
	atomic_bool over;
	atomic_long rounds, watches;
};

static void *play(void *argument)
{
	struct storm *storm = argument;
	char byte;

	while (read(storm->there[0], &byte, 1) == 1 && byte == 'x') {
		if (write(storm->back[1], &byte, 1) != 1)
			break;
	}
	return NULL;
}

static void *serve(void *argument)
{
	struct storm *storm = argument;
	char byte = 'x';

	while (!atomic_load(&storm->over)) {
		if (write(storm->there[1], &byte, 1) != 1 || read(storm->back[0], &byte, 1) != 1)
			break;
		atomic_fetch_add(&storm->rounds, 1);
	}
	return NULL;
}

static void *look(void *argument)
{
	struct storm *storm = argument;
	struct pollfd poller = { .fd = storm->there[0], .events = POLLIN };

	while (!atomic_load(&storm->over))
		poll(&poller, 1, 10);
	return NULL;
}

static void *come_and_go(void *argument)
{
	struct storm *storm = argument;
	struct ktwin_wait_stats stats;

	while (!atomic_load(&storm->over)) {
		int on = kt_watch(storm->device, getpid(), storm->there[0]);

		if (on < 0 || kt_watched(on, &stats) || stats.futile + stats.unknown > stats.woken)
			return (void *)1;
		sched_yield();
		if (kt_watched(on, &stats) || stats.futile + stats.unknown > stats.woken)
			return (void *)1;
		close(on);
		atomic_fetch_add(&storm->watches, 1);
	}
	return NULL;
}

TEST(storm)
{
	struct storm storm = {};
	pthread_t players[3], server, lookers[3], watchers[2];
	int i;
	void *failed;

	KT_OPEN_LIVE(storm.device);
	ASSERT_EQ(0, pipe(storm.there));
	ASSERT_EQ(0, pipe(storm.back));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_create(&players[i], NULL, play, &storm));
		ASSERT_EQ(0, pthread_create(&lookers[i], NULL, look, &storm));
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&watchers[i], NULL, come_and_go, &storm));
	ASSERT_EQ(0, pthread_create(&server, NULL, serve, &storm));
	kt_sleep_ms(4000);
	atomic_store(&storm.over, true);
	pthread_join(server, NULL);
	for (i = 0; i < 2; i++) {
		pthread_join(watchers[i], &failed);
		EXPECT_EQ(NULL, failed);
	}
	ASSERT_EQ(3, write(storm.there[1], "eee", 3));
	for (i = 0; i < 3; i++) {
		pthread_join(players[i], NULL);
		pthread_join(lookers[i], NULL);
	}
	TH_LOG("%ld rounds, %ld watches", atomic_load(&storm.rounds), atomic_load(&storm.watches));
	EXPECT_LT(10, atomic_load(&storm.rounds));
	EXPECT_LT(10, atomic_load(&storm.watches));
	EXPECT_EQ(0, entries(_metadata, storm.device, storm.there[0]));
}

/* --- what is asked amiss */

/* Files whose queues are no place for a guest. */
TEST(refused)
{
	struct epoll_event event = { .events = EPOLLIN };
	int device, fds[2], pty, epoll = epoll_create1(0);
	sigset_t set;

	KT_OPEN_LIVE(device);
	sigemptyset(&set);
	EXPECT_EQ(-EOPNOTSUPP, kt_watch(device, getpid(), open("/proc/self/exe", O_RDONLY)));
	EXPECT_EQ(-EOPNOTSUPP, kt_watch(device, getpid(), open("/dev/null", O_RDONLY)));
	EXPECT_EQ(-EOPNOTSUPP, kt_watch(device, getpid(), signalfd(-1, &set, 0)));
	EXPECT_EQ(-EOPNOTSUPP, kt_watch(device, getpid(), socket(AF_NETLINK, SOCK_RAW, 0)));
	EXPECT_EQ(-EOPNOTSUPP, kt_watch(device, getpid(), epoll));
	/* One that is watched by an epoll is none itself. */
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
	EXPECT_LE(0, kt_watch(device, getpid(), fds[0]));
	pty = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (pty >= 0)
		EXPECT_EQ(-EOPNOTSUPP, kt_watch(device, getpid(), pty));
}

TEST(arguments)
{
	struct ktwin_watch wanted = { .size = sizeof(wanted), .pid = getpid() };
	struct ktwin_wait_stats stats = { .size = sizeof(stats), .flags = 1 };
	int device, fds[2], on[KTWIN_WATCHES_MAX], i;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-EBADF, kt_watch(device, getpid(), -1));
	EXPECT_EQ(-EBADF, kt_watch(device, getpid(), 1000));
	EXPECT_EQ(-ESRCH, kt_watch(device, 0, fds[0]));
	EXPECT_EQ(-ESRCH, kt_watch(device, 4194303, fds[0]));
	wanted.fd = fds[0];
	wanted.flags = 1;
	EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_WATCH, &wanted));
	wanted.flags = 0;
	wanted.zero = 1;
	EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_WATCH, &wanted));
	wanted.zero = 0;
	wanted.size--;
	EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_WATCH, &wanted));
	for (i = 0; i < KTWIN_WATCHES_MAX; i++) {
		on[i] = kt_watch(device, getpid(), fds[0]);
		ASSERT_LE(0, on[i]);
	}
	EXPECT_EQ(-EBUSY, kt_watch(device, getpid(), fds[0]));
	/* A wake through all of them. */
	ASSERT_EQ(1, write(fds[1], "x", 1));
	EXPECT_EQ(-EINVAL, kt_call(on[0], KTWIN_IOC_QUEUE_STATS, &stats));
	EXPECT_EQ(0, kt_watched(on[0], &stats));
	EXPECT_EQ(1, stats.wakes);
	EXPECT_EQ(0, stats.waiters);
	EXPECT_EQ(-ENOTTY, kt_call(on[0], KTWIN_IOC_QUEUE_WAKE, &stats));
	EXPECT_EQ(-EOPNOTSUPP, kt_watch(device, getpid(), on[0]));
	for (i = 0; i < KTWIN_WATCHES_MAX; i++)
		close(on[i]);
	EXPECT_EQ(0, entries(_metadata, device, fds[0]));
}

TEST(other_user)
{
	int device, fds[2], status;
	pid_t caller;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	caller = fork();
	if (!caller) {
		ASSERT_EQ(0, kt_become_nobody());
		EXPECT_EQ(-EACCES, kt_watch(device, 1, 0));
		EXPECT_EQ(-EACCES, kt_watch(device, getppid(), fds[0]));
		EXPECT_LE(0, kt_watch(device, getpid(), fds[0]));
		_exit(_metadata->exit_code);
	}
	waitpid(caller, &status, 0);
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
