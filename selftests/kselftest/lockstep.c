// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lockstep: the twin makes every allocation of a pid that the kernel makes, and comes to the same number or error. What
 * it cannot foresee is counted under its name, as often as it was brought about here and no more often.
 */
#include "world.h"

#define PID_MAX		"/proc/sys/kernel/pid_max"
#define LAST_PID	"/proc/sys/kernel/ns_last_pid"
/* Numbers from 300 on are used again and again: with this limit a few hundred forks go round once. */
#define SMALL_MAX	700
#define DEFAULT_MAX	32768
#define LEVELS		4

/* Forks of the long test, all forkers together. */
static long fork_count(void)
{
	const char *wanted = getenv("KTWIN_FORKS");

	return wanted ? atol(wanted) : 20000;
}

static int write_number(const char *path, long number)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), result = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%ld", number) < 0)
		result = -errno;
	close(fd);
	return result;
}

FIXTURE(lockstep) {
	int fd;
	long pid_max;
	struct kt_line line;
	__u64 cursor_set;	/* how often it must have been */
	__u64 mispredicted;
};

FIXTURE_SETUP(lockstep)
{
	KT_OPEN_LIVE(self->fd);
	self->pid_max = kt_file_number(PID_MAX);
	/* Not what a test left that was ended in the middle. */
	if (self->pid_max < DEFAULT_MAX)
		self->pid_max = DEFAULT_MAX;
	ASSERT_EQ(0, write_number(PID_MAX, self->pid_max));
	ASSERT_EQ(0, kt_line_open(&self->line));
	/* Somebody may have it on, or a test before was ended in the middle. */
	kt_mirror(self->fd, KTWIN_LOCKSTEP_OFF);
	ASSERT_EQ(0, kt_mirror(self->fd, KTWIN_LOCKSTEP_ON));
}

/* What holds of the numbers at any time. */
static void expect_sound(struct __test_metadata *_metadata, const struct ktwin_audit *audit, __u64 mispredicted)
{
	EXPECT_EQ(1, audit->lockstep);
	EXPECT_EQ(mispredicted, audit->mispredicted);
	EXPECT_EQ(0, audit->contradicted);
	EXPECT_EQ(0, audit->unfollowed);
	EXPECT_EQ(audit->allocations, audit->predicted + audit->mispredicted + audit->adopting + audit->cursor_set +
		  audit->kernel_no_memory + audit->twin_no_memory + audit->missed);
	EXPECT_EQ(0, audit->adopting);
	EXPECT_EQ(0, audit->kernel_no_memory);
	EXPECT_EQ(0, audit->twin_no_memory);
	EXPECT_EQ(0, audit->missed);
	/* The kernel's own right; what it skipped was read anew, or stands above. */
	if (audit->skipped)
		TH_LOG("%llu probe hits skipped", audit->skipped);
}

FIXTURE_TEARDOWN(lockstep)
{
	struct ktwin_audit audit;

	EXPECT_EQ(0, write_number(PID_MAX, self->pid_max));
	EXPECT_EQ(0, kt_audit(self->fd, &audit));
	expect_sound(_metadata, &audit, self->mispredicted);
	/* After a hit that was skipped the cursor is read with all else. */
	EXPECT_GE(self->cursor_set, audit.cursor_set);
	EXPECT_LE(self->cursor_set, audit.cursor_set + audit.skipped);
	EXPECT_EQ(1, audit.complete);
	EXPECT_EQ(0, audit.differences);
	TH_LOG("predicted %llu of %llu", audit.predicted, audit.allocations);
	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_LOCKSTEP_OFF));
	close(self->fd);
}

/* Forks that end at once and were waited for. */
static bool fork_often(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		pid_t child = vfork();

		if (child == 0)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return false;
	}
	return true;
}

/*
 * The cheapest way to a number and back: a thread on its maker's stack, which the kernel stops until the thread ends. The
 * thread touches no memory.
 */
static long thread_once(void)
{
	const unsigned long flags = CLONE_VM | CLONE_VFORK | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM |
				    CLONE_THREAD;
	long result;

	asm volatile("xorl %%edx, %%edx\n\t"
		     "xorl %%r10d, %%r10d\n\t"
		     "xorl %%r8d, %%r8d\n\t"
		     "syscall\n\t"
		     "testq %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "movl %[exit], %%eax\n\t"
		     "xorl %%edi, %%edi\n\t"
		     "syscall\n\t"
		     "1:"
		     : "=a" (result)
		     : "0" ((long)SYS_clone), "D" (flags), "S" (0L), [exit] "i" (SYS_exit)
		     : "rcx", "r11", "rdx", "r10", "r8", "memory", "cc");
	return result;
}

/* Processes and threads. */
static bool clone_often(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		if (i % 16 == 0 ? !fork_often(1) : thread_once() <= 0)
			return false;
	}
	return true;
}

/* In a new namespace below this one, or at last in levels of them: work(argument), whose truth is the status 0. */
static pid_t in_namespace(int levels, bool (*work)(long), long argument)
{
	pid_t child = kt_clone(levels ? CLONE_NEWPID : 0);
	int status;

	if (child)
		return child;
	kt_leash();
	if (levels > 1) {
		child = in_namespace(levels - 1, work, argument);
		_exit(child > 0 && waitpid(child, &status, 0) == child && !status ? 0 : 1);
	}
	_exit(work(argument) ? 0 : 1);
}

static bool ended_well(pid_t child)
{
	int status = -1;

	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

/* How many numbers one fork at each of these levels takes. */
static long numbers_of(int levels, long forks)
{
	return forks * (levels + 1);
}

/* The demonstration: forkers in namespaces of every depth, all going round and round the same few numbers. */
TEST_F_TIMEOUT(lockstep, nested, 1400)
{
	long each = fork_count() / LEVELS, numbers = 0;
	struct ktwin_audit before, after;
	pid_t forkers[LEVELS];
	uint64_t begin;
	int i;

	ASSERT_EQ(0, write_number(PID_MAX, SMALL_MAX));
	ASSERT_EQ(0, kt_audit(self->fd, &before));
	begin = kt_now_ms();
	for (i = 0; i < LEVELS; i++) {
		forkers[i] = in_namespace(i + 1, clone_often, each);
		numbers += numbers_of(i + 1, each);
	}
	for (i = 0; i < LEVELS; i++)
		EXPECT_TRUE(ended_well(forkers[i]));
	ASSERT_EQ(0, kt_audit(self->fd, &after));
	EXPECT_LE(numbers, after.allocations - before.allocations);
	TH_LOG("%ld forks in namespaces of level 1 to %d in %llu ms", each * LEVELS, LEVELS,
	       (unsigned long long)(kt_now_ms() - begin));
}

/* --- set_tid ---------------------------------------------------------------------------------------------------- */

static pid_t clone_at(__u64 flags, const pid_t *numbers, size_t count)
{
	struct clone_args arguments = {
		.flags = flags, .exit_signal = SIGCHLD, .set_tid = (uintptr_t)numbers, .set_tid_size = count,
	};
	pid_t child = kt_clone3(&arguments);

	if (child == 0)
		_exit(0);
	return child;
}

static bool ask_for_numbers(long rounds)
{
	pid_t wanted = 2;
	long i;

	for (i = 0; i < rounds; i++) {
		/* It is free, in use, and no number that can be had. */
		wanted = 2 + (i * 37) % 600;
		if (clone_at(0, &wanted, 1) != wanted || clone_at(0, &wanted, 1) != -EEXIST)
			return false;
		if (waitpid(wanted, NULL, 0) != wanted || !fork_often(1))
			return false;
		wanted = 1;
		if (clone_at(0, &wanted, 1) != -EEXIST)
			return false;
		wanted = SMALL_MAX;
		if (clone_at(0, &wanted, 1) != -EINVAL)
			return false;
	}
	return true;
}

TEST_F(lockstep, set_tid)
{
	ASSERT_EQ(0, write_number(PID_MAX, SMALL_MAX));
	EXPECT_TRUE(ended_well(in_namespace(1, ask_for_numbers, 150)));
	EXPECT_TRUE(ended_well(in_namespace(3, ask_for_numbers, 150)));
}

/* A number at each of two levels; the outer one is in use, so the inner one is given back. */
TEST_F(lockstep, set_tid_at_two_levels)
{
	pid_t numbers[2] = { 1, getpid() };
	int i;

	for (i = 0; i < 100; i++) {
		pid_t child;

		numbers[1] = getpid();
		EXPECT_EQ(-EEXIST, clone_at(CLONE_NEWPID, numbers, 2));
		numbers[1] = 30000 + i;
		child = clone_at(CLONE_NEWPID, numbers, 2);
		EXPECT_EQ(numbers[1], child);
		EXPECT_TRUE(ended_well(child));
	}
}

/* --- failures --------------------------------------------------------------------------------------------------- */

/* No number is left, and it is not known where: in the first namespace or in this one. */
static bool fill_up(long attempts)
{
	int lines[2], failed = 0, i;
	pid_t children[SMALL_MAX];
	int count = 0;

	if (pipe(lines) || !fork_often(320))
		return false;
	while (count < SMALL_MAX) {
		char byte;

		children[count] = kt_clone(0);
		if (children[count] == 0) {
			close(lines[1]);
			_exit(read(lines[0], &byte, 1));
		}
		if (children[count] < 0)
			break;
		count++;
	}
	for (i = 0; i < attempts; i++) {
		pid_t child = kt_clone(i % 2 ? CLONE_NEWPID : 0);

		if (child == 0)
			_exit(0);
		if (child == -EAGAIN)
			failed++;
		else if (child > 0)
			waitpid(child, NULL, 0);
	}
	close(lines[1]);
	for (i = 0; i < count; i++)
		waitpid(children[i], NULL, 0);
	return failed && fork_often(100);
}

TEST_F(lockstep, no_number_left)
{
	ASSERT_EQ(0, write_number(PID_MAX, 420));
	EXPECT_TRUE(ended_well(in_namespace(0, fill_up, 40)));
	EXPECT_TRUE(ended_well(in_namespace(2, fill_up, 40)));
}

/* Forks into a namespace whose init is gone get all their numbers, and then have to give them back. */
static bool fork_into_dead(long attempts)
{
	struct clone_args arguments = { .exit_signal = SIGCHLD };
	pid_t init;
	long i;

	if (unshare(CLONE_NEWPID))
		return false;
	init = kt_clone3(&arguments);
	if (init == 0)
		_exit(0);
	if (!ended_well(init))
		return false;
	for (i = 0; i < attempts; i++) {
		pid_t child = kt_clone(0);

		if (child == 0)
			_exit(0);
		if (child != -ENOMEM)
			return false;
	}
	return true;
}

TEST_F(lockstep, dead_namespace)
{
	struct ktwin_audit before, after;

	ASSERT_EQ(0, kt_audit(self->fd, &before));
	EXPECT_TRUE(ended_well(in_namespace(0, fork_into_dead, 200)));
	EXPECT_TRUE(ended_well(in_namespace(2, fork_into_dead, 200)));
	ASSERT_EQ(0, kt_audit(self->fd, &after));
	EXPECT_LE(numbers_of(1, 200) + numbers_of(3, 200), after.allocations - before.allocations);
}

/* The first fork into a namespace fails when it has its number there: the next begins with 1 again. */
static bool fail_first(long rounds)
{
	pid_t numbers[2] = { 1, getpid() };
	pid_t child, inner;
	long i;

	if (unshare(CLONE_NEWPID))
		return false;
	for (i = 0; i < rounds; i++) {
		if (clone_at(0, numbers, 2) != -EEXIST)
			return false;
	}
	child = kt_clone(0);
	if (child == 0) {
		inner = vfork();
		if (inner == 0)
			_exit(0);
		_exit(getpid() == 1 && inner == 2 ? 0 : 1);
	}
	return ended_well(child);
}

TEST_F(lockstep, first_fork_fails)
{
	EXPECT_TRUE(ended_well(in_namespace(0, fail_first, 20)));
	EXPECT_TRUE(ended_well(in_namespace(2, fail_first, 20)));
}

/* --- what changes meanwhile --------------------------------------------------------------------------------------- */

TEST_F_TIMEOUT(lockstep, limit_changes, 400)
{
	static const int limits[] = { 700, 2000, 500, 32768, 900 };
	pid_t forkers[2];
	int i;

	for (i = 0; i < 2; i++)
		forkers[i] = in_namespace(i + 1, clone_often, 3000);
	for (i = 0; waitpid(forkers[0], NULL, WNOHANG) == 0; i++) {
		EXPECT_EQ(0, write_number(PID_MAX, limits[i % 5]));
		kt_sleep_ms(20);
	}
	EXPECT_TRUE(ended_well(forkers[1]));
}

/* Of a namespace of its own; /proc shows the one it was mounted from, the sysctl is that of who writes. */
static bool move_cursor(long rounds)
{
	long i;

	for (i = 0; i < rounds; i++) {
		pid_t child;

		if (write_number(LAST_PID, 400 + i * 7))
			return false;
		/* Reading changes nothing. */
		if (kt_file_number(LAST_PID) != 400 + i * 7)
			return false;
		child = vfork();
		if (child == 0)
			_exit(0);
		if (child != 401 + i * 7 || waitpid(child, NULL, 0) != child || !fork_often(1))
			return false;
	}
	return true;
}

TEST_F(lockstep, cursor_written)
{
	EXPECT_TRUE(ended_well(in_namespace(1, move_cursor, 100)));
	EXPECT_TRUE(ended_well(in_namespace(3, move_cursor, 100)));
	self->cursor_set = 200;
}

/* Writers and forkers at once: which came first nobody can know, and nothing is called a misprediction for it. */
static bool race_cursor(long forks)
{
	pid_t writer = kt_clone(0);
	bool done;
	long i;

	if (writer == 0) {
		kt_leash();
		for (i = 0;; i++)
			write_number(LAST_PID, 300 + (i * 13) % 350);
	}
	done = fork_often(forks);
	kt_end(writer);
	return done;
}

TEST_F(lockstep, cursor_raced)
{
	struct ktwin_audit audit;

	ASSERT_EQ(0, write_number(PID_MAX, SMALL_MAX));
	EXPECT_TRUE(ended_well(in_namespace(1, race_cursor, 1500)));
	ASSERT_EQ(0, kt_audit(self->fd, &audit));
	EXPECT_LT(0, audit.cursor_set);
	/* At most one a fork, in the one namespace. */
	EXPECT_GE(1510, audit.cursor_set);
	self->cursor_set = audit.cursor_set;
}

/* Namespaces come and go, their memory is used again, and none is followed that is gone. */
static bool make_namespaces(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		if (!ended_well(in_namespace(1 + i % 3, fork_often, 2)))
			return false;
	}
	return true;
}

TEST_F(lockstep, namespaces_come_and_go)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	struct ktwin_audit before, after;
	__u64 left;

	EXPECT_TRUE(fork_often(1));
	ASSERT_EQ(0, kt_audit(self->fd, &before));
	EXPECT_LT(0, before.lockstep_namespaces);
	EXPECT_TRUE(ended_well(in_namespace(0, make_namespaces, 200)));
	/*
	 * The last struct pids are freed after grace periods. One whose end the kernel skipped is followed until another has
	 * its memory.
	 */
	do {
		ASSERT_EQ(0, kt_audit(self->fd, &after));
		left = before.lockstep_namespaces + after.skipped - before.skipped;
	} while (after.lockstep_namespaces > left && kt_now_ms() < end);
	EXPECT_GE(left, after.lockstep_namespaces);
	EXPECT_LE(2000, after.allocations - before.allocations);
}

/* --- on and off --------------------------------------------------------------------------------------------------- */

TEST_F(lockstep, switched)
{
	EXPECT_EQ(-EALREADY, kt_mirror(self->fd, KTWIN_LOCKSTEP_ON));
	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_LOCKSTEP_OFF));
	EXPECT_EQ(-EALREADY, kt_mirror(self->fd, KTWIN_LOCKSTEP_OFF));
	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_LOCKSTEP_ON));
	EXPECT_TRUE(ended_well(in_namespace(1, fork_often, 10)));
}

static bool mix(long ms)
{
	uint64_t end = kt_now_ms() + ms;
	pid_t wanted = 500;

	while (kt_now_ms() < end) {
		if (!fork_often(20) || !ended_well(in_namespace(1, fork_often, 3)))
			return false;
		if (clone_at(0, &wanted, 1) == wanted && waitpid(wanted, NULL, 0) != wanted)
			return false;
	}
	return true;
}

/* In the middle of everything: what was there is taken over as it is at that instant, reserved numbers included. */
TEST_F_TIMEOUT(lockstep, switched_under_storm, 400)
{
	struct ktwin_audit audit;
	__u64 allocations = 0;
	pid_t storms[3];
	int i;

	ASSERT_EQ(0, write_number(PID_MAX, SMALL_MAX));
	for (i = 0; i < 3; i++)
		storms[i] = in_namespace(i, mix, 300000);
	for (i = 0; i < 25; i++) {
		kt_sleep_ms(100);
		EXPECT_EQ(0, kt_audit(self->fd, &audit));
		expect_sound(_metadata, &audit, 0);
		EXPECT_EQ(0, audit.differences);
		allocations += audit.allocations;
		EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_LOCKSTEP_OFF));
		EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_LOCKSTEP_ON));
	}
	for (i = 0; i < 3; i++) {
		kill(storms[i], SIGKILL);
		waitpid(storms[i], NULL, 0);
	}
	TH_LOG("predicted all of %llu, switched off and on under them 25 times", allocations);
}

/* The mirror comes and goes beside it. */
TEST_F(lockstep, without_mirror)
{
	pid_t forker = in_namespace(2, clone_often, 3000);
	struct ktwin_audit audit;

	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_MIRROR_OFF));
	kt_sleep_ms(200);
	EXPECT_EQ(0, kt_audit(self->fd, &audit));
	expect_sound(_metadata, &audit, 0);
	EXPECT_EQ(0, audit.complete);
	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_MIRROR_ON));
	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_MIRROR_RESYNC));
	EXPECT_TRUE(ended_well(forker));
	kt_assert_live(_metadata, self->fd);
}

/* --- it would be seen ---------------------------------------------------------------------------------------------- */

TEST_F(lockstep, wrong_prediction_is_seen)
{
	struct ktwin_divergence *all;
	struct ktwin_audit before, after;
	long count, i;
	bool found = false;

	KT_NEED_LAB(self->fd);
	EXPECT_TRUE(fork_often(1));
	ASSERT_EQ(0, kt_audit(self->fd, &before));
	EXPECT_EQ(-EINVAL, kt_inject(self->fd, KTWIN_INJECT_MISPREDICT, 0, -1));
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_MISPREDICT, 0, 1));
	EXPECT_TRUE(fork_often(5));
	self->mispredicted = 1;
	ASSERT_EQ(0, kt_audit(self->fd, &after));
	EXPECT_EQ(1, after.mispredicted);
	EXPECT_EQ(before.differences_total + 1, after.differences_total);
	count = kt_divergences(self->fd, &all);
	for (i = 0; i < count; i++) {
		if (all[i].kind != KTWIN_MISPREDICTED || all[i].time_ns < before.started_ns)
			continue;
		found = true;
		EXPECT_EQ(kt_ns_inode(getpid(), "pid"), all[i].ns);
		EXPECT_LT(0, all[i].kernel_nr);
		EXPECT_EQ(all[i].kernel_nr, all[i].nr);
		EXPECT_LT(all[i].kernel_nr, all[i].twin_nr);
		EXPECT_EQ(1, all[i].passes);
	}
	EXPECT_TRUE(found);
	free(all);
}

TEST_HARNESS_MAIN
