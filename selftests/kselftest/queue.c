// SPDX-License-Identifier: GPL-2.0-only
/*
 * Laboratory wait queues with tasks that really sleep, on ktwin's own queue and on the kernel's: who is woken and in
 * which order, what signals, timeouts and a close do, what an onlooker sees.
 */
#include <poll.h>

#include "queue.h"

#define SLEEPERS	7
#define HERD		100

FIXTURE(queue)
{
	int device;
	int fd;
	struct kt_sleeper sleepers[HERD];
};

FIXTURE_VARIANT(queue)
{
	__u32 backend;
};

FIXTURE_VARIANT_ADD(queue, twin)
{
	.backend = KTWIN_BACKEND_TWIN,
};

FIXTURE_VARIANT_ADD(queue, kernel)
{
	.backend = KTWIN_BACKEND_KERNEL,
};

FIXTURE_SETUP(queue)
{
	KT_OPEN_LIVE(self->device);
	self->fd = kt_queue(self->device, variant->backend);
	ASSERT_LE(0, self->fd);
	memset(self->sleepers, 0, sizeof(self->sleepers));
}

FIXTURE_TEARDOWN(queue)
{
	close(self->fd);
	close(self->device);
}

/* The order in which they came to sleep: e exclusive, s shared, p priority. */
static const char came[] = "esepees";

static __u32 flags_of(char kind)
{
	return kind == 'e' ? KTWIN_WAIT_EXCLUSIVE : kind == 'p' ? KTWIN_WAIT_PRIORITY : 0;
}

static void start_all(struct __test_metadata *_metadata, struct kt_sleeper *sleepers, int fd)
{
	int i;

	for (i = 0; i < SLEEPERS; i++)
		ASSERT_TRUE(kt_sleeper_queue(&sleepers[i], fd, flags_of(came[i]), i + 1));
}

/* Listed in an order; then woken one after the other, and it was that order. */
TEST_F(queue, listed_as_woken)
{
	struct ktwin_waiter waiters[SLEEPERS + 1];
	int i, j, by_order[SLEEPERS + 1] = {};

	start_all(_metadata, self->sleepers, self->fd);
	ASSERT_EQ(SLEEPERS, kt_queue_list(self->fd, waiters, SLEEPERS + 1));
	EXPECT_EQ(1, kt_wake(self->fd, 1));	/* the priority one alone */
	EXPECT_EQ(3, kt_wake(self->fd, 1));	/* both shared, one exclusive */
	EXPECT_EQ(3, kt_wake(self->fd, 0));
	EXPECT_EQ(0, kt_wake(self->fd, 0));
	for (i = 0; i < SLEEPERS; i++) {
		EXPECT_EQ(0, kt_sleeper_join(&self->sleepers[i]));
		ASSERT_LT(0, self->sleepers[i].wait.order);
		ASSERT_GE(SLEEPERS, self->sleepers[i].wait.order);
		by_order[self->sleepers[i].wait.order] = self->sleepers[i].tid;
		EXPECT_EQ(1, self->sleepers[i].wait.wakes);
	}
	for (i = 0; i < SLEEPERS; i++) {
		EXPECT_EQ(by_order[i + 1], waiters[i].tid);
		EXPECT_EQ(getpid(), waiters[i].tgid);
		EXPECT_EQ(i, waiters[i].position);
		EXPECT_EQ('S', waiters[i].state);
		EXPECT_EQ(KTWIN_KIND_LAB, waiters[i].kind);
		EXPECT_EQ(i == 0, !!(waiters[i].flags & KTWIN_WAITER_NEXT));
		for (j = 0; j < SLEEPERS; j++) {
			if (self->sleepers[j].tid != waiters[i].tid)
				continue;
			EXPECT_EQ(came[j] != 's', !!(waiters[i].flags & KTWIN_WAITER_EXCLUSIVE));
			EXPECT_EQ(came[j] == 'p', !!(waiters[i].flags & KTWIN_WAITER_PRIORITY));
		}
	}
	EXPECT_EQ(SLEEPERS, kt_queue_stats(self->fd).woken);
	EXPECT_EQ(1, kt_queue_stats(self->fd).wakes_empty);
}

TEST_F(queue, exactly_as_many_exclusive_as_asked)
{
	static const int asked[] = { 1, 2, 5, 31, 32, 33 };
	int i, left = HERD, n;

	for (i = 0; i < HERD; i++)
		ASSERT_TRUE(kt_sleeper_queue(&self->sleepers[i], self->fd, KTWIN_WAIT_EXCLUSIVE, i + 1));
	for (i = 0; left; i = (i + 1) % 6) {
		n = asked[i] < left ? asked[i] : left;
		ASSERT_EQ(n, kt_wake_post(self->fd, asked[i], 0, i % 2 ? KTWIN_WAKE_LOCKED : 0));
		left -= n;
		ASSERT_TRUE(kt_await_queued(self->fd, left));
	}
	for (i = 0; i < HERD; i++) {
		EXPECT_EQ(0, kt_sleeper_join(&self->sleepers[i]));
		EXPECT_EQ(i + 1, self->sleepers[i].wait.order);
	}
}

TEST_F(queue, sync_and_interruptible_wakes)
{
	struct ktwin_wake wake = { .size = sizeof(wake), .mode = KTWIN_WAKE_INTERRUPTIBLE, .nr = 1 };

	self->sleepers[0].wait.mode = KTWIN_WAIT_KILLABLE;
	ASSERT_TRUE(kt_sleeper_queue(&self->sleepers[0], self->fd, KTWIN_WAIT_EXCLUSIVE, 1));
	ASSERT_TRUE(kt_sleeper_queue(&self->sleepers[1], self->fd, KTWIN_WAIT_EXCLUSIVE, 2));
	/* Passes over the one that is not to be woken so, and does not count it. */
	EXPECT_EQ(0, kt_call(self->fd, KTWIN_IOC_QUEUE_WAKE, &wake));
	EXPECT_EQ(1, wake.woken);
	EXPECT_EQ(0, kt_sleeper_join(&self->sleepers[1]));
	EXPECT_EQ(-EINVAL, kt_wake_post(self->fd, 0, 0, KTWIN_WAKE_SYNC));
	EXPECT_EQ(1, kt_wake_post(self->fd, 1, 0, KTWIN_WAKE_SYNC));
	EXPECT_EQ(0, kt_sleeper_join(&self->sleepers[0]));
}

TEST_F(queue, no_wake_is_lost_between_check_and_sleep)
{
	struct ktwin_wait wait = { .flags = KTWIN_WAIT_SEQUENCE, .timeout_ns = 10000000000 };

	wait.sequence = kt_queue_stats(self->fd).sequence;
	EXPECT_EQ(0, kt_wake(self->fd, 0));
	EXPECT_EQ(0, kt_wait(self->fd, &wait));
	EXPECT_EQ(0, wait.wakes);
}

/* The window of sleep_on() held open: who wakes in it wakes nobody, and the sleeper sleeps on until its time is up. */
TEST_F(queue, sleep_on_loses_it)
{
	struct kt_sleeper *sleeper = &self->sleepers[0];

	sleeper->wait = (struct ktwin_wait){
		.flags = KTWIN_WAIT_SEQUENCE | KTWIN_WAIT_RACY,
		.race_ns = 1000000000, .timeout_ns = 300000000,
	};
	sleeper->wait.sequence = kt_queue_stats(self->fd).sequence;
	ASSERT_EQ(0, kt_sleeper_start(sleeper, self->fd));
	while (!kt_queue_stats(self->fd).waits)
		kt_sleep_ms(1);
	EXPECT_EQ(0, kt_wake(self->fd, 0));
	EXPECT_EQ(1, kt_queue_stats(self->fd).wakes_empty);
	EXPECT_EQ(-ETIMEDOUT, kt_sleeper_join(sleeper));
}

TEST_F(queue, timeout)
{
	struct ktwin_wait wait = { .timeout_ns = 30000000 };
	uint64_t before = kt_now_ms();

	EXPECT_EQ(-ETIMEDOUT, kt_wait(self->fd, &wait));
	EXPECT_LE(29, kt_now_ms() - before);
	EXPECT_EQ(1, kt_queue_stats(self->fd).timeouts);
	EXPECT_EQ(0, kt_queue_stats(self->fd).waiters);
}

static void nothing(int signal)
{
}

/* A child that sleeps once in the given mode, and says what its wait returned. */
static pid_t start_child(int fd, __u32 mode, __u64 timeout_ns, int action_flags)
{
	struct ktwin_wait wait = { .mode = mode, .timeout_ns = timeout_ns };
	struct sigaction action = { .sa_handler = nothing, .sa_flags = action_flags };
	pid_t child = fork();

	if (child)
		return child;
	kt_leash();
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGUSR2, SIG_IGN);
	_exit(-kt_wait(fd, &wait) & 0x7f);
}

static int end_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

TEST_F(queue, signals_in_interruptible)
{
	pid_t timed = start_child(self->fd, KTWIN_WAIT_INTERRUPTIBLE, 100000000000, SA_RESTART), restarted;

	ASSERT_TRUE(kt_await_queued(self->fd, 1));
	kill(timed, SIGUSR2);	/* ignored: nothing happens */
	kt_sleep_ms(20);
	ASSERT_EQ(1, kt_queue_stats(self->fd).waiters);
	kill(timed, SIGUSR1);
	EXPECT_EQ(W_EXITCODE(EINTR, 0), end_of(timed));
	/* Without a timeout the call begins anew where the handler allows it. */
	restarted = start_child(self->fd, KTWIN_WAIT_INTERRUPTIBLE, 0, SA_RESTART);
	ASSERT_TRUE(kt_await_queued(self->fd, 1));
	kill(restarted, SIGUSR1);
	while (kt_queue_stats(self->fd).waits < 3)
		kt_sleep_ms(1);
	ASSERT_TRUE(kt_await_queued(self->fd, 1));
	EXPECT_EQ(1, kt_wake(self->fd, 0));
	EXPECT_EQ(0, end_of(restarted));
	restarted = start_child(self->fd, KTWIN_WAIT_INTERRUPTIBLE, 0, 0);
	ASSERT_TRUE(kt_await_queued(self->fd, 1));
	kill(restarted, SIGUSR1);
	EXPECT_EQ(W_EXITCODE(EINTR, 0), end_of(restarted));
}

TEST_F(queue, signals_in_killable)
{
	pid_t child = start_child(self->fd, KTWIN_WAIT_KILLABLE, 0, 0);

	ASSERT_TRUE(kt_await_queued(self->fd, 1));
	EXPECT_TRUE(kt_wait_letter(child, 'D'));
	kill(child, SIGUSR1);
	kt_sleep_ms(20);
	EXPECT_EQ(1, kt_queue_stats(self->fd).waiters);
	kill(child, SIGKILL);
	EXPECT_EQ(SIGKILL, end_of(child));
	EXPECT_EQ(0, kt_queue_stats(self->fd).waiters);
	EXPECT_EQ(1, kt_queue_stats(self->fd).signals);
}

TEST_F(queue, signals_in_uninterruptible)
{
	pid_t child = start_child(self->fd, KTWIN_WAIT_UNINTERRUPTIBLE, 0, 0);

	ASSERT_TRUE(kt_await_queued(self->fd, 1));
	kill(child, SIGKILL);
	kt_sleep_ms(20);
	EXPECT_EQ(1, kt_queue_stats(self->fd).waiters);
	EXPECT_EQ(1, kt_wake(self->fd, 0));
	EXPECT_EQ(SIGKILL, end_of(child));
}

/* One resource for all: without exclusive sleepers all wake for one, with them one does. */
static void herd(struct __test_metadata *_metadata, FIXTURE_DATA(queue) *self, __u32 flags, int woken)
{
	struct ktwin_wait_stats stats;
	int i;

	for (i = 0; i < HERD; i++)
		ASSERT_TRUE(kt_sleeper_queue(&self->sleepers[i], self->fd, KTWIN_WAIT_TAKE | flags, i + 1));
	EXPECT_EQ(woken, kt_wake_post(self->fd, 1, 1, 0));
	ASSERT_TRUE(kt_await_queued(self->fd, HERD - 1));
	while (kt_queue_stats(self->fd).futile < woken - 1)
		kt_sleep_ms(1);
	stats = kt_queue_stats(self->fd);
	EXPECT_EQ(woken, stats.woken);
	EXPECT_EQ(woken - 1, stats.futile);
	EXPECT_EQ(woken > 1, stats.herds);
	EXPECT_EQ(woken, stats.herd_most);
	TH_LOG("%llu woken for one resource, %llu in vain", stats.woken, stats.futile);
	ASSERT_LE(0, kt_wake_post(self->fd, 0, HERD - 1, 0));
	for (i = 0; i < HERD; i++) {
		EXPECT_EQ(0, kt_sleeper_join(&self->sleepers[i]));
	}
}

TEST_F(queue, herd)
{
	herd(_metadata, self, 0, HERD);
}

TEST_F(queue, no_herd_when_exclusive)
{
	herd(_metadata, self, KTWIN_WAIT_EXCLUSIVE, 1);
}

TEST_F(queue, poll)
{
	struct pollfd poller = { .fd = self->fd, .events = POLLIN };
	struct ktwin_wait take = { .flags = KTWIN_WAIT_TAKE };

	EXPECT_EQ(0, poll(&poller, 1, 0));
	EXPECT_EQ(0, kt_wake_post(self->fd, 1, 2, 0));
	EXPECT_EQ(1, poll(&poller, 1, KT_PATIENCE_MS));
	EXPECT_EQ(POLLIN, poller.revents);
	EXPECT_EQ(0, kt_wait(self->fd, &take));
	EXPECT_EQ(0, kt_wait(self->fd, &take));
	EXPECT_EQ(0, poll(&poller, 1, 0));
}

TEST_F(queue, owner_closes)
{
	pid_t child = start_child(self->fd, KTWIN_WAIT_UNINTERRUPTIBLE, 0, 0);
	int i;

	ASSERT_TRUE(kt_await_queued(self->fd, 1));
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(kt_sleeper_queue(&self->sleepers[i], self->fd, flags_of(came[i]), i + 2));
	close(self->fd);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-EIDRM, kt_sleeper_join(&self->sleepers[i]));
	}
	EXPECT_EQ(W_EXITCODE(EIDRM, 0), end_of(child));
}

/* Another process's close ends its own sleepers and no other; the owner's end, all. */
TEST_F(queue, others_close)
{
	struct kt_line line;
	pid_t owner, other;
	int status = -1;

	ASSERT_EQ(0, kt_line_open(&line));
	owner = fork();
	if (!owner) {
		int fd = kt_queue(self->device, variant->backend);
		struct kt_sleeper sleeper = {};

		kt_sleeper_queue(&sleeper, fd, 0, 1);
		other = fork();
		if (!other) {
			kt_sleeper_start(&sleeper, fd);
			kt_await(&line);
			close(fd);
			_exit(-kt_sleeper_join(&sleeper) & 0x7f);
		}
		kt_say(&line, kt_await_queued(fd, 2));
		kt_tell(&line, 0);
		kt_say(&line, end_of(other));
		kt_say(&line, kt_await_queued(fd, 1));
		other = start_child(fd, KTWIN_WAIT_UNINTERRUPTIBLE, 0, 0);
		kt_say(&line, kt_await_queued(fd, 2));
		_exit(0);
	}
	EXPECT_EQ(1, kt_hear(&line));
	status = kt_hear(&line);
	EXPECT_EQ(W_EXITCODE(EIDRM, 0), status);
	EXPECT_EQ(1, kt_hear(&line));
	EXPECT_EQ(1, kt_hear(&line));
	EXPECT_EQ(0, end_of(owner));
}

TEST_F(queue, owner_dies)
{
	struct kt_line line;
	pid_t owner;

	ASSERT_EQ(0, kt_line_open(&line));
	owner = fork();
	if (!owner) {
		int fd = kt_queue(self->device, variant->backend);
		struct ktwin_wait wait = { .mode = KTWIN_WAIT_UNINTERRUPTIBLE };

		if (!fork()) {
			kt_say(&line, kt_wait(fd, &wait));
			_exit(0);
		}
		kt_await_queued(fd, 1);
		_exit(0);
	}
	EXPECT_EQ(0, end_of(owner));
	EXPECT_EQ(-EIDRM, kt_hear(&line));
}

/* Numbers are those of the onlooker's namespace. */
TEST_F(queue, seen_from_a_child_namespace)
{
	struct kt_line line;
	pid_t child;

	ASSERT_EQ(0, kt_line_open(&line));
	ASSERT_TRUE(kt_sleeper_queue(&self->sleepers[0], self->fd, 0, 1));
	child = kt_clone(CLONE_NEWPID);
	if (!child) {
		struct ktwin_waiter waiter;

		kt_say(&line, kt_queue_list(self->fd, &waiter, 1));
		kt_say(&line, waiter.tid);
		kt_say(&line, !!(waiter.flags & KTWIN_WAITER_HIDDEN) && !waiter.comm[0]);
		_exit(0);
	}
	EXPECT_EQ(1, kt_hear(&line));
	EXPECT_EQ(0, kt_hear(&line));
	EXPECT_EQ(1, kt_hear(&line));
	end_of(child);
	EXPECT_EQ(1, kt_wake(self->fd, 0));
	kt_sleeper_join(&self->sleepers[0]);
}

TEST_F(queue, bad_input)
{
	static const struct {
		struct ktwin_wait wait;
		int result;
	} waits[] = {
		{ { .flags = 1U << 31 }, -EINVAL },
		{ { .mode = 3 }, -EINVAL },
		{ { .zero = 1 }, -EINVAL },
		{ { .race_ns = 1 }, -EINVAL },
		{ { .flags = KTWIN_WAIT_RACY }, -EINVAL },
		{ { .flags = KTWIN_WAIT_TAKE | KTWIN_WAIT_SEQUENCE }, -EINVAL },
		{ { .flags = KTWIN_WAIT_RACY | KTWIN_WAIT_SEQUENCE, .race_ns = 10000000001 }, -EINVAL },
	};
	struct ktwin_wake wake = { .size = sizeof(wake), .flags = 4 };
	struct ktwin_wait_stats stats = { .size = sizeof(stats), .flags = 1 };
	struct ktwin_queue queue = { .size = sizeof(queue), .backend = 2 };
	struct ktwin_wait wait;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		wait = waits[i].wait;
		EXPECT_EQ(waits[i].result, kt_wait(self->fd, &wait));
	}
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_QUEUE_WAKE, &wake));
	wake = (struct ktwin_wake){ .size = sizeof(wake), .mode = 2 };
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_QUEUE_WAKE, &wake));
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_QUEUE_STATS, &stats));
	EXPECT_EQ(-EINVAL, kt_call(self->device, KTWIN_IOC_QUEUE, &queue));
	queue = (struct ktwin_queue){ .size = sizeof(queue), .zero = 1 };
	EXPECT_EQ(-EINVAL, kt_call(self->device, KTWIN_IOC_QUEUE, &queue));
	EXPECT_EQ(-EFAULT, kt_call(self->fd, KTWIN_IOC_QUEUE_WAIT, (void *)8));
	/* Each on the other's kind of fd. */
	EXPECT_EQ(-ENOTTY, kt_wait(self->device, &wait));
	EXPECT_EQ(-ENOTTY, kt_queue(self->fd, 0));
	EXPECT_EQ(0, kt_wake_post(self->fd, 0, UINT32_MAX, 0));
	EXPECT_EQ(-EOVERFLOW, kt_wake_post(self->fd, 0, 1, 0));
}

TEST_F(queue, unprivileged)
{
	struct ktwin_wait wait = { .mode = KTWIN_WAIT_UNINTERRUPTIBLE, .timeout_ns = 1 };
	pid_t child = fork();

	if (!child) {
		int denied = kt_become_nobody() ? 0 : kt_wait(self->fd, &wait);

		wait.mode = KTWIN_WAIT_KILLABLE;
		_exit(denied == -EPERM && kt_wait(self->fd, &wait) == -ETIMEDOUT ? 0 : 1);
	}
	EXPECT_EQ(0, end_of(child));
}

TEST_HARNESS_MAIN
