// SPDX-License-Identifier: GPL-2.0-only
/* What hangs on a queue through epolls, who may ask, and what is asked amiss. */
#include <pthread.h>
#include <sys/signalfd.h>

#include "actors.h"

static void watch(struct __test_metadata *_metadata, int epoll, int fd, __u32 events)
{
	struct epoll_event event = { .events = EPOLLIN | events };

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

/* The only waiter on a head, and that there is no other. */
static const struct ktwin_waiter *only(struct __test_metadata *_metadata, const struct kt_listed *listed, __u32 head,
				       __u32 kind)
{
	const struct ktwin_waiter *found = NULL;
	__u32 i;

	for (i = 0; i < listed->head.waiters_filled; i++) {
		if (listed->waiters[i].head != head)
			continue;
		EXPECT_EQ(NULL, found);
		found = &listed->waiters[i];
	}
	EXPECT_EQ(1, listed->heads[head].waiters);
	ASSERT_NE(NULL, found);
	EXPECT_EQ(kind, found->kind);
	return found;
}

static void expect_head(struct __test_metadata *_metadata, const struct ktwin_wait_head *head, __u32 depth, __u64 parent)
{
	EXPECT_NE(0, head->hash);
	EXPECT_EQ(depth, head->depth);
	EXPECT_EQ(parent, head->parent);
	EXPECT_EQ(!depth, head->fd >= 0);
	EXPECT_EQ(0, head->flags);
}

/* A pipe, an epoll that watches it, one that watches that: each level's waiters under the head they wait on. */
TEST(nested_epolls)
{
	int device, fds[2], inner = epoll_create1(0), outer = epoll_create1(0);
	const struct ktwin_waiter *link;
	struct kt_listed listed;
	pid_t on_inner, on_outer, polls_outer;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	watch(_metadata, inner, fds[0], 0);
	watch(_metadata, outer, inner, 0);
	on_inner = kt_act(act_epoll, inner);
	on_outer = kt_act(act_epoll, outer);
	polls_outer = kt_act(act_poll, outer);
	if (kt_waiters(device, getpid(), inner, &listed) == -ENODATA)
		SKIP(goto end, "the layout of epoll is not known here");
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], on_inner, &listed));
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], on_outer, &listed));
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], polls_outer, &listed));
	ASSERT_EQ(5, listed.head.heads_filled);
	EXPECT_EQ(KTWIN_WAITERS_EVENTS, listed.head.flags);
	expect_head(_metadata, &listed.heads[0], 0, 0);
	expect_head(_metadata, &listed.heads[1], 1, listed.heads[0].hash);
	expect_head(_metadata, &listed.heads[2], 1, listed.heads[0].hash);
	expect_head(_metadata, &listed.heads[3], 2, listed.heads[2].hash);
	expect_head(_metadata, &listed.heads[4], 2, listed.heads[2].hash);
	link = only(_metadata, &listed, 0, KTWIN_KIND_EPOLL);
	EXPECT_EQ(listed.heads[1].hash, link->link);
	EXPECT_EQ(on_inner, only(_metadata, &listed, 1, KTWIN_KIND_EPOLL_WAIT)->tid);
	link = only(_metadata, &listed, 2, KTWIN_KIND_EPOLL);
	EXPECT_EQ(listed.heads[3].hash, link->link);
	EXPECT_EQ(on_outer, only(_metadata, &listed, 3, KTWIN_KIND_EPOLL_WAIT)->tid);
	EXPECT_EQ(polls_outer, only(_metadata, &listed, 4, KTWIN_KIND_POLL)->tid);
end:
	kt_end(on_inner);
	kt_end(on_outer);
	kt_end(polls_outer);
}

/* An epoll that watches one file twice is on its queue twice, and is listed once. */
TEST(epoll_met_twice)
{
	int device, fds[2], epoll = epoll_create1(0);
	struct kt_listed listed;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	watch(_metadata, epoll, fds[0], 0);
	watch(_metadata, epoll, dup(fds[0]), 0);
	ASSERT_EQ(0, kt_waiters(device, getpid(), fds[0], &listed));
	ASSERT_EQ(2, listed.head.waiters_filled);
	EXPECT_EQ(listed.waiters[0].link, listed.waiters[1].link);
	if (!listed.waiters[0].link)
		SKIP(return, "the layout of epoll is not known here");
	EXPECT_EQ(3, listed.head.heads_filled);
	/* Its wait queue is not its poll queue, and neither is the file's. */
	EXPECT_EQ(listed.heads[1].hash, listed.waiters[0].link);
	EXPECT_NE(listed.heads[1].hash, listed.heads[2].hash);
	close(epoll);
	ASSERT_EQ(0, kt_waiters(device, getpid(), fds[0], &listed));
	EXPECT_EQ(0, listed.head.waiters_filled);
}

/* EPOLLEXCLUSIVE: the first epoll that somebody waits on gets the wake. */
TEST(epoll_exclusive)
{
	int device, fds[2], epolls[3], i, status;
	struct kt_listed listed;
	pid_t second, third;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < 3; i++) {
		epolls[i] = epoll_create1(0);
		watch(_metadata, epolls[i], fds[0], EPOLLEXCLUSIVE);
	}
	if (kt_waiters(device, getpid(), epolls[0], &listed) == -ENODATA)
		SKIP(return, "the layout of epoll is not known here");
	third = kt_act(act_epoll, epolls[2]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), epolls[2], third, &listed));
	second = kt_act(act_epoll, epolls[1]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), epolls[1], second, &listed));
	ASSERT_EQ(0, kt_waiters(device, getpid(), fds[0], &listed));
	ASSERT_EQ(3, listed.heads[0].waiters);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, listed.waiters[i].head);
		EXPECT_EQ(KTWIN_WAITER_EXCLUSIVE | (i == 1 ? KTWIN_WAITER_NEXT : 0), listed.waiters[i].flags);
	}
	ASSERT_EQ(1, write(fds[1], "x", 1));
	EXPECT_EQ(second, waitpid(second, &status, 0));
	ASSERT_EQ(0, kt_waiters(device, getpid(), epolls[2], &listed));
	EXPECT_LE(0, kt_find_waiter(&listed, third));
	kt_end(third);
}

/* --- signalfd: its readers are those of the process inspected, not of the one that asks */

static void *read_signals(void *fd)
{
	struct signalfd_siginfo info;

	return (void *)(read(*(int *)fd, &info, sizeof(info)));
}

static void act_signalfd(int fd)
{
	pthread_t threads[3];
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, read_signals, &fd);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

TEST(signalfd_readers)
{
	int device, fd, i;
	struct ktwin_sleep sleep;
	struct kt_listed listed;
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	sigset_t set;
	pid_t pid;

	KT_OPEN_LIVE(device);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	fd = signalfd(-1, &set, 0);
	pid = kt_act(act_signalfd, fd);
	do {
		ASSERT_EQ(0, kt_waiters(device, pid, fd, &listed));
		kt_sleep_ms(5);
	} while (listed.head.waiters_filled < 3 && kt_now_ms() < end);
	ASSERT_EQ(3, listed.head.waiters_filled);
	EXPECT_STREQ("signalfd", listed.head.file);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(KTWIN_KIND_BLOCKED, listed.waiters[i].kind);
		EXPECT_EQ(pid, listed.waiters[i].tgid);
		EXPECT_NE(pid, listed.waiters[i].tid);
		ASSERT_TRUE(kt_wait_told(device, listed.waiters[i].tid, KTWIN_SLEEP_FD, 'S', &sleep));
		EXPECT_EQ(fd, sleep.fds[0]);
	}
	ASSERT_EQ(0, kt_waiters(device, getpid(), fd, &listed));
	EXPECT_EQ(0, listed.head.waiters_filled);
	kt_end(pid);
}

/* --- what is not looked into */

TEST(refused)
{
	static const struct {
		const char *path;
		const char *file;
	} others[] = {
		{ "/proc/self/exe", "file" }, { "/", "directory" }, { "/dev/null", "char:1:3" },
		{ "/proc/self/mounts", "file" }, { "/proc/sys/kernel/hostname", "file" }, { "/dev/kmsg", "char:1:11" },
	};
	struct kt_listed listed;
	int device, fd;
	size_t i;

	KT_OPEN_LIVE(device);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		fd = open(others[i].path, O_RDONLY);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, kt_waiters(device, getpid(), fd, &listed));
		EXPECT_EQ(KTWIN_WAITERS_REFUSED, listed.head.flags);
		EXPECT_STREQ(others[i].file, listed.head.file);
		EXPECT_EQ(0, listed.head.heads_filled);
		close(fd);
	}
	/* O_PATH opens nothing that could be polled. */
	fd = open("/dev/ptmx", O_PATH);
	ASSERT_EQ(0, kt_waiters(device, getpid(), fd, &listed));
	EXPECT_EQ(KTWIN_WAITERS_REFUSED, listed.head.flags);
	close(fd);
	fd = syscall(SYS_userfaultfd, 0);
	if (fd >= 0) {
		ASSERT_EQ(0, kt_waiters(device, getpid(), fd, &listed));
		EXPECT_EQ(KTWIN_WAITERS_REFUSED, listed.head.flags);
		EXPECT_STREQ("userfaultfd", listed.head.file);
	}
}

/* ktwin's own fds are looked into like any other. */
TEST(own_stream)
{
	struct ktwin_stream stream = { .size = sizeof(stream), .capacity = 64 };
	struct kt_listed listed;
	int device, fd;

	KT_OPEN_LIVE(device);
	fd = kt_call(device, KTWIN_IOC_STREAM, &stream);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kt_waiters(device, getpid(), fd, &listed));
	EXPECT_EQ(KTWIN_WAITERS_EVENTS, listed.head.flags);
	EXPECT_EQ(1, listed.head.heads_filled);
	close(fd);
}

TEST(nobody_there)
{
	const __s32 fds[] = { -1, INT32_MIN, 1000, 1 << 20, INT32_MAX }, pids[] = { 0, -1, INT32_MIN, INT32_MAX, 4194303 };
	struct kt_listed listed;
	struct ktwin_sleep sleep;
	int device, ends[2];
	pid_t zombie;
	size_t i;

	KT_OPEN_LIVE(device);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_EQ(-EBADF, kt_waiters(device, getpid(), fds[i], &listed));
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		EXPECT_EQ(-ESRCH, kt_waiters(device, pids[i], 0, &listed));
		EXPECT_EQ(-ESRCH, kt_asleep_on(device, pids[i], &sleep));
	}
	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(0, kt_waiters(device, getpid(), ends[0], &listed));
	close(ends[0]);
	EXPECT_EQ(-EBADF, kt_waiters(device, getpid(), ends[0], &listed));
	EXPECT_EQ(-EBADF, kt_waiters(device, 2, 0, &listed));
	zombie = kt_act(act_end, 0);
	ASSERT_TRUE(kt_wait_letter(zombie, 'Z'));
	EXPECT_EQ(-EBADF, kt_waiters(device, zombie, 0, &listed));
	kt_end(zombie);
	EXPECT_EQ(-ESRCH, kt_waiters(device, zombie, 0, &listed));
	kt_ask(&listed, 1, 0);
	listed.head.ns = 1;
	EXPECT_EQ(-ESRCH, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	listed.head.ns = kt_ns_inode(getpid(), "pid");
	listed.head.pid = getpid();
	EXPECT_EQ(0, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
}

/* --- who may */

TEST(other_user)
{
	int device, fds[2], status;
	struct kt_listed listed;
	struct ktwin_sleep sleep;
	pid_t reader, caller, sibling, shy;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	reader = kt_act(act_read, fds[0]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], reader, &listed));
	sibling = fork();
	if (!sibling) {
		kt_leash();
		_exit(kt_become_nobody() || pause());
	}
	shy = fork();
	if (!shy) {
		kt_leash();
		_exit(kt_become_nobody() || prctl(PR_SET_DUMPABLE, 0) || pause());
	}
	ASSERT_TRUE(kt_wait_told(device, sibling, KTWIN_SLEEP_OTHER, 'S', &sleep));
	ASSERT_TRUE(kt_wait_told(device, shy, KTWIN_SLEEP_OTHER, 'S', &sleep));
	caller = fork();
	if (!caller) {
		ASSERT_EQ(0, kt_become_nobody());
		EXPECT_EQ(-EACCES, kt_waiters(device, reader, fds[0], &listed));
		EXPECT_EQ(-EACCES, kt_asleep_on(device, reader, &sleep));
		EXPECT_EQ(-EACCES, kt_waiters(device, 1, 0, &listed));
		EXPECT_EQ(-EACCES, kt_asleep_on(device, 2, &sleep));
		EXPECT_EQ(-EACCES, kt_waiters(device, shy, fds[0], &listed));
		EXPECT_EQ(-EACCES, kt_asleep_on(device, shy, &sleep));
		EXPECT_EQ(0, kt_asleep_on(device, sibling, &sleep));
		/* The pipe is its own, too; who else sleeps on it is not. */
		EXPECT_EQ(0, kt_waiters(device, sibling, fds[0], &listed));
		EXPECT_EQ(0, kt_waiters(device, getpid(), fds[0], &listed));
		EXPECT_EQ(1, listed.head.waiters_filled);
		EXPECT_EQ(reader, listed.waiters[0].tid);
		EXPECT_EQ(KTWIN_WAITER_HIDDEN | KTWIN_WAITER_TASK,
			  listed.waiters[0].flags & (KTWIN_WAITER_HIDDEN | KTWIN_WAITER_TASK));
		EXPECT_STREQ("", listed.waiters[0].comm);
		EXPECT_EQ(0, listed.waiters[0].state);
		EXPECT_EQ(0, listed.waiters[0].asleep_ns);
		_exit(_metadata->exit_code);
	}
	waitpid(caller, &status, 0);
	EXPECT_EQ(0, status);
	kt_end(reader);
	kt_end(sibling);
	kt_end(shy);
}

/* Inside a namespace: own numbers for those that are visible, none for the others. */
TEST(child_namespace)
{
	int device, fds[2], numbers[KTWIN_LEVELS];
	struct kt_listed listed, outside;
	struct ktwin_sleep sleep;
	struct kt_line line;
	pid_t init, reader;
	__u32 inode;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, kt_line_open(&line));
	reader = kt_act(act_read, fds[0]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], reader, &outside));
	init = kt_clone(CLONE_NEWPID);
	if (!init) {
		pid_t inner;

		kt_leash();
		inner = kt_act(act_read, fds[0]);
		kt_say(&line, kt_wait_listed(device, 1, fds[0], inner, &listed));
		kt_say(&line, listed.head.waiters_filled);
		kt_say(&line, listed.waiters[0].tid);
		kt_say(&line, listed.waiters[0].flags & KTWIN_WAITER_HIDDEN);
		kt_say(&line, listed.waiters[1].tid == inner && !strcmp(listed.waiters[1].comm, "inspected"));
		/* Outside, and not to be seen from here. */
		kt_say(&line, kt_waiters(device, reader, fds[0], &listed));
		kt_await(&line);
		_exit(0);
	}
	EXPECT_EQ(1, kt_hear(&line));
	EXPECT_EQ(2, kt_hear(&line));
	EXPECT_EQ(0, kt_hear(&line));
	EXPECT_EQ((int)KTWIN_WAITER_HIDDEN, kt_hear(&line));
	EXPECT_EQ(1, kt_hear(&line));
	EXPECT_EQ(-ESRCH, kt_hear(&line));
	/* From outside, its init by the number it has there. */
	inode = kt_ns_inode(init, "pid");
	kt_ask(&listed, 1, fds[0]);
	listed.head.ns = inode;
	ASSERT_EQ(0, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	ASSERT_EQ(2, listed.head.waiters_filled);
	EXPECT_EQ(reader, listed.waiters[0].tid);
	EXPECT_EQ(2, kt_proc_numbers(listed.waiters[1].tid, "NSpid:", numbers));
	EXPECT_EQ(2, numbers[1]);
	memset(&sleep, 0, sizeof(sleep));
	sleep = (struct ktwin_sleep){ .size = sizeof(sleep), .tid = 2, .ns = inode };
	ASSERT_EQ(0, kt_call(device, KTWIN_IOC_SLEEP, &sleep));
	EXPECT_EQ(listed.waiters[1].tid, sleep.tgid);
	kt_end(init);
	kt_end(reader);
}

/* --- what is asked amiss; sizes and pointers of the struct itself are bad_input's */

TEST(rooms)
{
	int device, fds[2], i;
	struct kt_listed listed;
	pid_t readers[3];

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < 3; i++) {
		readers[i] = kt_act(act_read, fds[0]);
		ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], readers[i], &listed));
	}
	kt_ask(&listed, getpid(), fds[0]);
	listed.head.waiters_room = 2;
	ASSERT_EQ(0, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	EXPECT_EQ(KTWIN_WAITERS_MORE, listed.head.flags & ~KTWIN_WAITERS_EVENTS);
	EXPECT_EQ(KTWIN_HEAD_TRUNCATED, listed.heads[0].flags);
	EXPECT_EQ(3, listed.heads[0].waiters);
	EXPECT_EQ(2, listed.head.waiters_filled);
	EXPECT_EQ(readers[0], listed.waiters[0].tid);
	EXPECT_EQ(readers[1], listed.waiters[1].tid);
	EXPECT_EQ(0, listed.waiters[2].tid);
	kt_ask(&listed, getpid(), fds[0]);
	listed.head.waiters_room = 0;
	listed.head.waiter_size = 0;
	listed.head.waiters = 0;
	ASSERT_EQ(0, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	EXPECT_EQ(3, listed.heads[0].waiters);
	EXPECT_EQ(0, listed.head.waiters_filled);
	kt_ask(&listed, getpid(), fds[0]);
	listed.head.heads_room = 0;
	ASSERT_EQ(0, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	EXPECT_EQ(KTWIN_WAITERS_MORE_HEADS, listed.head.flags & ~KTWIN_WAITERS_EVENTS);
	EXPECT_EQ(0, listed.head.heads_filled + listed.head.waiters_filled);
	/* More than can ever be filled. */
	kt_ask(&listed, getpid(), fds[0]);
	listed.head.heads_room = UINT32_MAX;
	listed.head.waiters_room = UINT32_MAX;
	ASSERT_EQ(0, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	EXPECT_EQ(3, listed.head.waiters_filled);
	for (i = 0; i < 3; i++)
		kt_end(readers[i]);
}

TEST(arguments)
{
	const __u64 bad[] = { 0, 1, 0xffff888000000000ULL, -1ULL, -8ULL };
	const __u32 sizes[] = { 0, 1, 31, 4097, UINT32_MAX };
	struct kt_listed listed;
	struct ktwin_sleep sleep = { .size = sizeof(sleep), .flags = 1, .tid = getpid() };
	int device, fds[2];
	pid_t reader;
	size_t i;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, pipe(fds));
	reader = kt_act(act_read, fds[0]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], reader, &listed));
	for (i = 0; i < 32; i++) {
		kt_ask(&listed, getpid(), fds[0]);
		listed.head.flags = 1U << i;
		EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
		sleep.flags = 1U << i;
		EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_SLEEP, &sleep));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		kt_ask(&listed, getpid(), fds[0]);
		listed.head.heads = bad[i];
		EXPECT_EQ(-EFAULT, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
		kt_ask(&listed, getpid(), fds[0]);
		listed.head.waiters = bad[i];
		EXPECT_EQ(-EFAULT, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		kt_ask(&listed, getpid(), fds[0]);
		listed.head.head_size = sizes[i];
		EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
		kt_ask(&listed, getpid(), fds[0]);
		listed.head.waiter_size = sizes[i];
		EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_WAITERS, &listed.head));
	}
	kt_end(reader);
}

TEST_HARNESS_MAIN
