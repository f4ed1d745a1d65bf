// SPDX-License-Identifier: GPL-2.0-only
/* What a task sleeps on, asked from outside. */
#include <linux/futex.h>

#include "actors.h"

static void act_wait(int fd)
{
	wait(NULL);
}

static void act_wait_for_child(int fd)
{
	if (kt_act(act_pause, 0) < 0)
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
	self->pid = kt_act(variant->act, 0);
	ASSERT_LT(0, self->pid);
}

FIXTURE_TEARDOWN(asleep)
{
	kt_end(self->pid);
}

/*
 * Since when it sleeps is not known (0) of one that 6.12 has moved to another CPU's queue, on which a sleeper of the fair
 * class may stay for a while: then another has to sleep.
 */
#define SLEEPERS	4

TEST_F(asleep, told)
{
	bool sleeps = variant->state == 'S' || variant->state == 'T';
	struct ktwin_sleep sleep;
	int i;

	for (i = 0; i < SLEEPERS; i++) {
		if (i) {
			kt_end(self->pid);
			self->pid = kt_act(variant->act, 0);
			ASSERT_LT(0, self->pid);
		}
		ASSERT_TRUE(kt_wait_told(self->device, self->pid, variant->kind, variant->state, &sleep)) {
			TH_LOG("kind %u state %c where %s file %s", sleep.kind, sleep.state, sleep.where, sleep.file);
		}
		if (!sleeps || sleep.asleep_ns)
			break;
	}
	EXPECT_EQ(self->pid, sleep.tgid);
	EXPECT_EQ(0, sleep.flags);
	EXPECT_EQ(0, sleep.fds_filled);
	EXPECT_EQ(sleeps, sleep.asleep_ns > 0);
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
	ASSERT_TRUE(kt_wait_told(device, pid, KTWIN_SLEEP_FD, 'S', &sleep));
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
	pid = kt_act(act_poll_many, 3);
	ASSERT_TRUE(kt_wait_told(device, pid, KTWIN_SLEEP_FD, 'S', &sleep));
	EXPECT_EQ(3, sleep.fds_filled);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(many_pipes[i][0], sleep.fds[i]);
	}
	EXPECT_EQ(0, sleep.flags);
	kt_end(pid);
	pid = kt_act(act_poll_many, 40);
	ASSERT_TRUE(kt_wait_told(device, pid, KTWIN_SLEEP_FD, 'S', &sleep));
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
	ASSERT_TRUE(kt_wait_told(device, 2, KTWIN_SLEEP_OTHER, 'S', &sleep));
	EXPECT_STREQ("kthreadd", sleep.where);
	EXPECT_STREQ("kthreadd", sleep.comm);
	/* the one that asks */
	ASSERT_EQ(0, kt_asleep_on(device, getpid(), &sleep));
	EXPECT_EQ(KTWIN_SLEEP_AWAKE, sleep.kind);
	EXPECT_EQ('R', sleep.state);
}

TEST_HARNESS_MAIN
