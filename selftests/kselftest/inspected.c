// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hangs on a queue through epolls, what a task sleeps on, who may ask, and what is asked amiss.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "waiters.h"

static void watch(struct __test_metadata *_metadata, int epoll, int fd, __u32 events)
{
	struct epoll_event event = { .events = EPOLLIN | events };

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

/* A process that does this and then ends with 0. */
static pid_t make(void (*act)(int fd), int fd)
{
	pid_t maker = getpid(), pid = fork();

	if (pid == 0) {
		kt_leash();
		/* A maker that ended before that pulls no leash. */
		if (getppid() != maker)
			_exit(96);
		act(fd);
		_exit(0);
	}
	return pid;
}

static void act_epoll(int fd)
{
	struct epoll_event event;

	epoll_wait(fd, &event, 1, -1);
}

static void act_poll(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	poll(&poller, 1, -1);
}

static void act_read(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(97);
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
	on_inner = make(act_epoll, inner);
	on_outer = make(act_epoll, outer);
	polls_outer = make(act_poll, outer);
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
	third = make(act_epoll, epolls[2]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), epolls[2], third, &listed));
	second = make(act_epoll, epolls[1]);
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

/* --- what a task sleeps on */

static void act_pause(int fd)
{
	pause();
}

static void act_wait(int fd)
{
	wait(NULL);
}

static void act_wait_for_child(int fd)
{
	if (make(act_pause, 0) < 0)
		_exit(97);
	act_wait(fd);
}

static void act_futex(int fd)
{
	int word = 1;

	syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL, NULL, 0);
}

static void act_nanosleep(int fd)
{
	kt_sleep_ms(3600000);
}

static void act_spin(int fd)
{
	for (;;)
		;
}

static void act_stop(int fd)
{
	raise(SIGSTOP);
}

static void act_end(int fd)
{
}

/* Until the answer is of this kind, with this state. */
static bool wait_asleep(int device, pid_t tid, __u32 kind, char state, struct ktwin_sleep *sleep)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (kt_asleep_on(device, tid, sleep))
			return false;
		if (sleep->kind == kind && sleep->state == (__u32)state)
			return true;
		kt_sleep_ms(5);
	} while (kt_now_ms() < end);
	return false;
}

FIXTURE(asleep) {
	int device;
	pid_t pid;
};

FIXTURE_VARIANT(asleep) {
	void (*act)(int fd);
	__u32 kind;
	char state;
	const char *where;	/* how the function's name begins; NULL: any */
};

#define ASLEEP_IN(name, act_, kind_, state_, where_)						\
	FIXTURE_VARIANT_ADD(asleep, name) {							\
		.act = act_, .kind = KTWIN_SLEEP_ ## kind_, .state = state_, .where = where_	\
	}

ASLEEP_IN(wait, act_wait_for_child, CHILD, 'S', "do_wait");
ASLEEP_IN(futex, act_futex, FUTEX, 'S', "futex_");
ASLEEP_IN(nanosleep, act_nanosleep, TIME, 'S', "do_nanosleep");
ASLEEP_IN(pause, act_pause, OTHER, 'S', NULL);
ASLEEP_IN(stop, act_stop, OTHER, 'T', "do_signal_stop");
ASLEEP_IN(spin, act_spin, AWAKE, 'R', "");
ASLEEP_IN(zombie, act_end, OTHER, 'Z', "");

FIXTURE_SETUP(asleep)
{
	KT_OPEN_LIVE(self->device);
	self->pid = make(variant->act, 0);
	ASSERT_LT(0, self->pid);
}

FIXTURE_TEARDOWN(asleep)
{
	kt_end(self->pid);
}

TEST_F(asleep, told)
{
	struct ktwin_sleep sleep;

	ASSERT_TRUE(wait_asleep(self->device, self->pid, variant->kind, variant->state, &sleep)) {
		TH_LOG("kind %u state %c where %s file %s", sleep.kind, sleep.state, sleep.where, sleep.file);
	}
	EXPECT_EQ(self->pid, sleep.tgid);
	EXPECT_EQ(0, sleep.flags);
	EXPECT_EQ(0, sleep.fds_filled);
	EXPECT_EQ(variant->state == 'S' || variant->state == 'T', sleep.asleep_ns > 0);
	if (!variant->where) {
		EXPECT_NE(0, sleep.where[0]);
	} else if (!variant->where[0]) {
		EXPECT_STREQ("", sleep.where);
	} else {
		EXPECT_EQ(0, strncmp(variant->where, sleep.where, strlen(variant->where))) {
			TH_LOG("it sleeps in %s", sleep.where);
		}
	}
}

/* For how long: from the fall asleep to now, neither more nor much less. */
TEST(asleep_for)
{
	struct ktwin_sleep sleep, later;
	struct kt_line line;
	uint64_t born, asked;
	int device;
	pid_t pid;

	KT_OPEN_LIVE(device);
	ASSERT_EQ(0, kt_line_open(&line));
	born = kt_now_ms();
	pid = kt_make_waiting(&line, 0);
	kt_hear(&line);
	ASSERT_TRUE(wait_asleep(device, pid, KTWIN_SLEEP_FD, 'S', &sleep));
	kt_sleep_ms(300);
	asked = kt_now_ms();
	ASSERT_EQ(0, kt_asleep_on(device, pid, &later));
	EXPECT_LE(sleep.asleep_ns + 300000000ULL, later.asleep_ns);
	EXPECT_GE((kt_now_ms() - born + 1) * 1000000, later.asleep_ns);
	EXPECT_LE(300000000ULL, later.asleep_ns);
	EXPECT_GE(kt_now_ms(), asked);
	kt_end(pid);
}

static int many_pipes[40][2];

static void act_poll_many(int count)
{
	struct pollfd pollers[40];
	int i;

	for (i = 0; i < count; i++)
		pollers[i] = (struct pollfd){ .fd = many_pipes[i][0], .events = POLLIN };
	poll(pollers, count, -1);
}

TEST(asleep_on_many)
{
	struct ktwin_sleep sleep;
	int device, i;
	pid_t pid;

	KT_OPEN_LIVE(device);
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, pipe(many_pipes[i]));
	}
	pid = make(act_poll_many, 3);
	ASSERT_TRUE(wait_asleep(device, pid, KTWIN_SLEEP_FD, 'S', &sleep));
	EXPECT_EQ(3, sleep.fds_filled);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(many_pipes[i][0], sleep.fds[i]);
	}
	EXPECT_EQ(0, sleep.flags);
	kt_end(pid);
	pid = make(act_poll_many, 40);
	ASSERT_TRUE(wait_asleep(device, pid, KTWIN_SLEEP_FD, 'S', &sleep));
	EXPECT_EQ(16, sleep.fds_filled);
	EXPECT_EQ(KTWIN_SLEEP_MORE_FDS, sleep.flags);
	EXPECT_STREQ("pipe", sleep.file);
	kt_end(pid);
}

TEST(asleep_kernel_thread)
{
	struct ktwin_sleep sleep;
	int device;

	KT_OPEN_LIVE(device);
	/* kthreadd */
	ASSERT_TRUE(wait_asleep(device, 2, KTWIN_SLEEP_OTHER, 'S', &sleep));
	EXPECT_STREQ("kthreadd", sleep.where);
	EXPECT_STREQ("kthreadd", sleep.comm);
	/* the one that asks */
	ASSERT_EQ(0, kt_asleep_on(device, getpid(), &sleep));
	EXPECT_EQ(KTWIN_SLEEP_AWAKE, sleep.kind);
	EXPECT_EQ('R', sleep.state);
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
	pid = make(act_signalfd, fd);
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
		ASSERT_EQ(0, kt_asleep_on(device, listed.waiters[i].tid, &sleep));
		EXPECT_EQ(KTWIN_SLEEP_FD, sleep.kind);
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
	zombie = make(act_end, 0);
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
	reader = make(act_read, fds[0]);
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
	ASSERT_TRUE(wait_asleep(device, sibling, KTWIN_SLEEP_OTHER, 'S', &sleep));
	ASSERT_TRUE(wait_asleep(device, shy, KTWIN_SLEEP_OTHER, 'S', &sleep));
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
	reader = make(act_read, fds[0]);
	ASSERT_TRUE(kt_wait_listed(device, getpid(), fds[0], reader, &outside));
	init = kt_clone(CLONE_NEWPID);
	if (!init) {
		pid_t inner;

		kt_leash();
		inner = make(act_read, fds[0]);
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
		readers[i] = make(act_read, fds[0]);
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
	reader = make(act_read, fds[0]);
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

/* --- while all of it comes and goes */

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
	pids[0] = make(act_epoll, epoll);
	pids[1] = make(act_read, fds[0]);
	pids[2] = make(act_poll, rand_r(seed) & 1 ? outer : fds[0]);
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
		lives[i] = make(live, i + 1);
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
