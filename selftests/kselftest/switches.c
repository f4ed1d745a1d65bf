// SPDX-License-Identifier: GPL-2.0-only
/* Context switches: each counted once, as what it was, and as the kernel's own counters have them. */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "switches.h"

#define ROUNDS		400
#define SLEEPS		100
#define YIELDED		20

/* --- who switches ----------------------------------------------------------------------------------------------- */

struct side {
	int in;
	int out;
	bool first;
};

static int play(void *argument)
{
	struct side *side = argument;
	char byte = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (side->first && write(side->out, &byte, 1) != 1)
			_exit(97);
		if (read(side->in, &byte, 1) != 1)
			_exit(97);
		if (!side->first && write(side->out, &byte, 1) != 1)
			_exit(97);
	}
	return 0;
}

static void *play_thread(void *argument)
{
	play(argument);
	return NULL;
}

static void make_sides(struct side *a, struct side *b)
{
	int there[2], back[2];

	if (pipe(there) || pipe(back))
		_exit(96);
	*a = (struct side) { .in = back[0], .out = there[1], .first = true };
	*b = (struct side) { .in = there[0], .out = back[1] };
}

static void two_processes(void)
{
	struct side a, b;
	pid_t other;

	make_sides(&a, &b);
	other = fork();
	if (other == 0) {
		kt_leash();
		_exit(play(&b));
	}
	play(&a);
	_exit(kt_ended(other));
}

static void two_threads(void)
{
	pthread_t other;
	struct side a, b;

	make_sides(&a, &b);
	if (pthread_create(&other, NULL, play_thread, &b))
		_exit(95);
	play(&a);
	pthread_join(other, NULL);
}

static void two_in_one_vm(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct side a, b;
	pid_t other;

	make_sides(&a, &b);
	other = clone(play, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, &b);
	if (other < 0)
		_exit(95);
	play(&a);
	_exit(kt_ended(other));
}

static void sleep_often(void)
{
	int i;

	for (i = 0; i < SLEEPS; i++)
		kt_sleep_ms(2);
}

/* Two that wake by turns and find the CPU idle: each returns from the other's address space. */
static void sleep_by_turns(void)
{
	struct timespec at;
	pid_t other;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &at);
	other = fork();
	for (i = 0; i < SLEEPS; i++) {
		at.tv_nsec += i || other ? 20000000 : 30000000;
		if (at.tv_nsec >= 1000000000) {
			at.tv_sec++;
			at.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
	_exit(other ? kt_ended(other) : 0);
}

/*
 * Until it left the CPU so often. Neither scheduler lets go of a task that is behind the others: EEVDF goes on until it
 * has caught up, a slice of 1.4 ms for each call, CFS as long as the others are a granularity ahead; and these run for a
 * tick, or some where ticks are late.
 */
static void yield_often(void)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	struct rusage usage = {};
	long enough;

	getrusage(RUSAGE_SELF, &usage);
	for (enough = usage.ru_nivcsw + YIELDED; usage.ru_nivcsw < enough && kt_now_ms() < end;) {
		sched_yield();
		getrusage(RUSAGE_SELF, &usage);
	}
}

/* --- tests ------------------------------------------------------------------------------------------------------ */

FIXTURE(counting) {
	int device, fd, cpu;
	struct ktwin_switch_cpu before, after;
};

FIXTURE_SETUP(counting)
{
	KT_OPEN_LIVE(self->device);
	self->cpu = kt_quiet_cpu();
	self->fd = kt_switches(self->device, KTWIN_SWITCHES_TASKS | KTWIN_SWITCHES_WAITS);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(counting)
{
	EXPECT_EQ(0, close(self->fd));
}

/* What the CPU's counts grew by while this ran on it. */
#define GROWTH(work)									\
	do {										\
		ASSERT_EQ(0, kt_switch_counts(self->fd, self->cpu, &self->before));	\
		ASSERT_EQ(0, kt_ended(kt_run_on(self->cpu, work)));			\
		ASSERT_EQ(0, kt_switch_counts(self->fd, self->cpu, &self->after));	\
	} while (0)
#define OF_CLASS(class)	(self->after.classes[class] - self->before.classes[class])
#define LEFT(leave)	(self->after.leaves[leave] - self->before.leaves[leave])

/* Nearly all, as others run on the CPU, too. */
#define MOST(count)	((count) * 9 / 10)

TEST_F(counting, process)
{
	GROWTH(two_processes);
	EXPECT_LE(MOST(2 * ROUNDS), OF_CLASS(KTWIN_SWITCH_PROCESS));
	/* A write may wake one that runs at once: then the writer leaves without having to sleep. */
	EXPECT_LE(ROUNDS / 2, LEFT(KTWIN_LEAVE_BLOCKED));
}

TEST_F(counting, thread)
{
	GROWTH(two_threads);
	EXPECT_LE(MOST(2 * ROUNDS), OF_CLASS(KTWIN_SWITCH_THREAD));
}

TEST_F(counting, shared_vm)
{
	GROWTH(two_in_one_vm);
	EXPECT_LE(MOST(2 * ROUNDS), OF_CLASS(KTWIN_SWITCH_SHARED_VM));
}

TEST_F(counting, lazy)
{
	GROWTH(sleep_often);
	/* Where the machine is late a nap may be over before it began, and another process may have come between. */
	EXPECT_LE(SLEEPS / 4, OF_CLASS(KTWIN_SWITCH_LAZY_ENTRY));
	EXPECT_LE(SLEEPS / 4, OF_CLASS(KTWIN_SWITCH_LAZY_HIT));
}

TEST_F(counting, mm_switch)
{
	GROWTH(sleep_by_turns);
	/* Where the machine is late both wake at once, and one switches to the other. */
	EXPECT_LE(SLEEPS / 4, OF_CLASS(KTWIN_SWITCH_MM));
}

/* From idle to kernel threads, and back: there is always some. */
TEST_F(counting, kernel)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	ASSERT_EQ(0, kt_switch_counts(self->fd, -1, &self->before));
	do {
		kt_sleep_ms(50);
		ASSERT_EQ(0, kt_switch_counts(self->fd, -1, &self->after));
	} while (OF_CLASS(KTWIN_SWITCH_KERNEL) < 10 && kt_now_ms() < end);
	EXPECT_LE(10, OF_CLASS(KTWIN_SWITCH_KERNEL));
	EXPECT_LT(0, self->after.idle);
}

/* Two that yield to each other. */
TEST_F(counting, voluntary)
{
	pid_t spinner = kt_run_on(self->cpu, kt_spin);

	GROWTH(yield_often);
	/* Where the kernel may be preempted, the tick may come before the call. */
	EXPECT_LE(YIELDED, LEFT(KTWIN_LEAVE_VOLUNTARY) + LEFT(KTWIN_LEAVE_PREEMPTED));
	EXPECT_LT(0, LEFT(KTWIN_LEAVE_VOLUNTARY));
	kt_end(spinner);
}

/* Between two readings of either there are as many switches as the kernel itself counts. */
TEST_F(counting, total)
{
	unsigned long long early[2], late[2], counted;
	int i;

	for (i = 0; i < 2; i++) {
		struct ktwin_switch_cpu *now = i ? &self->after : &self->before;

		early[i] = kt_line_number("/proc/stat", "ctxt ");
		ASSERT_EQ(0, kt_switch_counts(self->fd, -1, now));
		late[i] = kt_line_number("/proc/stat", "ctxt ");
		if (!i)
			ASSERT_EQ(0, kt_ended(kt_run_on(self->cpu, two_processes)));
	}
	counted = kt_leaves(self->after.leaves) - kt_leaves(self->before.leaves);
	EXPECT_LE(early[1] - late[0], counted);
	EXPECT_GE(late[1] - early[0], counted);
	EXPECT_LT(2 * ROUNDS, counted);
}

/* A task that says when it has done its part, and waits. */
static void do_parts(struct kt_line *line)
{
	kt_say(line, 1);
	kt_await(line);
	sleep_often();
	yield_often();
	kt_say(line, 1);
	kt_await(line);
	_exit(0);
}

struct own_counts {
	unsigned long long voluntary, nonvoluntary;
	struct ktwin_switch_task ours;
};

/* Of a task that sleeps. */
static int own_counts(int fd, pid_t pid, struct own_counts *to)
{
	char path[64];

	if (!kt_wait_letter(pid, 'S'))
		return -ETIMEDOUT;
	/* It is about to leave the CPU, if it has not yet. */
	kt_sleep_ms(100);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	to->voluntary = kt_line_number(path, "voluntary_ctxt_switches:");
	to->nonvoluntary = kt_line_number(path, "nonvoluntary_ctxt_switches:");
	return kt_task_switches(fd, pid, &to->ours);
}

TEST_F(counting, as_the_task_itself)
{
	pid_t pid, spinner = kt_run_on(self->cpu, kt_spin);
	struct own_counts before, after;
	struct kt_line line;

	ASSERT_EQ(0, kt_line_open(&line));
	pid = fork();
	if (pid == 0) {
		kt_leash();
		kt_pin(self->cpu);
		do_parts(&line);
	}
	ASSERT_EQ(1, kt_hear(&line));
	ASSERT_EQ(0, own_counts(self->fd, pid, &before));
	kt_tell(&line, 1);
	ASSERT_EQ(1, kt_hear(&line));
	ASSERT_EQ(0, own_counts(self->fd, pid, &after));
	EXPECT_EQ(after.voluntary - before.voluntary,
		  after.ours.leaves[KTWIN_LEAVE_BLOCKED] - before.ours.leaves[KTWIN_LEAVE_BLOCKED]);
	EXPECT_EQ(after.nonvoluntary - before.nonvoluntary,
		  after.ours.leaves[KTWIN_LEAVE_VOLUNTARY] - before.ours.leaves[KTWIN_LEAVE_VOLUNTARY] +
		  after.ours.leaves[KTWIN_LEAVE_PREEMPTED] - before.ours.leaves[KTWIN_LEAVE_PREEMPTED]);
	/* A sleep may be over before it has begun. */
	EXPECT_LE(MOST(SLEEPS), after.voluntary - before.voluntary);
	EXPECT_EQ(kt_leaves(after.ours.leaves), kt_classes(after.ours.classes));
	EXPECT_EQ(pid, after.ours.tgid);
	EXPECT_STREQ("switches", after.ours.comm);
	kt_tell(&line, 1);
	EXPECT_EQ(0, kt_ended(pid));
	EXPECT_EQ(-ESRCH, kt_task_switches(self->fd, pid, &after.ours));
	kt_end(spinner);
}

/* The switches of all tasks that are listed. */
static __u64 listed_leaves(int fd)
{
	struct ktwin_switch_task *tasks;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_TASKS, 0, sizeof(*tasks), 7, (void **)&tasks);
	__u64 listed = 0;
	long i;

	for (i = 0; i < count; i++)
		listed += kt_leaves(tasks[i].leaves);
	free(tasks);
	return listed;
}

/* What is in no record of a task is accounted for. */
TEST_F(counting, tasks_are_all_there_is)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	__u64 listed, theirs;

	ASSERT_EQ(0, kt_ended(kt_run_on(self->cpu, two_processes)));
	/* Who was waited for has still to leave its CPU for good: until then it is not listed, and has not ended. */
	do {
		listed = listed_leaves(self->fd);
		ASSERT_EQ(0, kt_switch_counts(self->fd, -1, &self->after));
		theirs = kt_leaves(self->after.leaves) - self->after.idle - self->after.ended - self->after.unlisted;
	} while (listed + ROUNDS < theirs && kt_now_ms() < end);
	ASSERT_LT(0, listed);
	EXPECT_LE(2 * ROUNDS, self->after.ended);
	EXPECT_EQ(0, self->after.unlisted);
	/* Some switch between the two readings. */
	EXPECT_LE(listed, theirs + ROUNDS);
	EXPECT_GE(listed + ROUNDS, theirs);
}

/* Two that want the CPU all the time each wait half of it, and the kernel says so, too. */
TEST_F(counting, waits)
{
	unsigned long long delays[2][2], ours, theirs;
	struct ktwin_switch_waits before, after;
	pid_t spinners[2];
	char path[64];
	int i, j;

	for (i = 0; i < 2; i++)
		spinners[i] = kt_run_on(self->cpu, kt_spin);
	kt_sleep_ms(500);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kt_switch_waits(self->fd, self->cpu, KTWIN_SCHED_FAIR, i ? &after : &before));
		for (j = 0; j < 2; j++) {
			FILE *file;

			snprintf(path, sizeof(path), "/proc/%d/schedstat", spinners[j]);
			file = fopen(path, "r");
			ASSERT_NE(NULL, file);
			ASSERT_EQ(1, fscanf(file, "%*u %llu", &delays[i][j]));
			fclose(file);
		}
		if (!i)
			kt_sleep_ms(2000);
	}
	kt_end(spinners[0]);
	kt_end(spinners[1]);
	ours = after.sum_ns - before.sum_ns;
	theirs = delays[1][0] - delays[0][0] + delays[1][1] - delays[0][1];
	TH_LOG("waited %llu ns, by schedstat %llu", ours, theirs);
	/* Others wait there, too; and the last wait of each may be in one reading and not in the other. */
	EXPECT_LT(theirs * 8 / 10, ours);
	EXPECT_GT(theirs * 13 / 10, ours);
}

/* By namespace they add up to those by CPU and class; and those of a child namespace are in its own. */
TEST_F(counting, waits_by_namespace)
{
	struct ktwin_ns_waits before, after, all;
	pid_t pid, spinner = kt_run_on(self->cpu, kt_spin);
	__u64 by_cpu[2], by_ns;
	__u32 ns;
	int i;

	pid = kt_clone(CLONE_NEWPID);
	ASSERT_LE(0, pid);
	if (pid == 0) {
		kt_leash();
		kt_pin(self->cpu);
		kt_spin();
	}
	ns = kt_ns_inode(pid, "pid");
	ASSERT_NE(0, ns);
	/* The first of its waits may still be under way. */
	for (i = 0; i < 100 && kt_ns_waits(self->fd, ns, &before); i++)
		kt_sleep_ms(50);
	kt_sleep_ms(500);
	ASSERT_EQ(0, kt_ns_waits(self->fd, ns, &after));
	EXPECT_LT(kt_waits(before.buckets), kt_waits(after.buckets));
	EXPECT_LT(before.sum_ns, after.sum_ns);
	kt_end(pid);
	kt_end(spinner);
	/* Between two readings of the one, as some wait all the time. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kt_all_waits(self->fd, &by_cpu[i]));
		if (!i) {
			ASSERT_EQ(0, kt_ns_waits(self->fd, KT_ALL_NS, &all));
			by_ns = kt_waits(all.buckets);
		}
	}
	EXPECT_LE(by_cpu[0], by_ns);
	EXPECT_GE(by_cpu[1], by_ns);
}

TEST_HARNESS_MAIN
