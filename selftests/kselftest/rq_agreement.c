// SPDX-License-Identifier: GPL-2.0-only
/* The twin run queues beside the kernel's: whom they would have run. */
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "switches.h"

#define GATHER_MS	20000

#define ALL	(KTWIN_SWITCHES_TASKS | KTWIN_SWITCHES_WAITS | KTWIN_SWITCHES_TWIN)

/* The generation that the running kernel's fair scheduler is of. */
static int own_generation(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor >= 6) ? KTWIN_GENERATION_EEVDF : KTWIN_GENERATION_CFS;
}

/*
 * The twins know of no task groups. Without autogroups the tasks of a session stand in the queue beside the kernel's own
 * threads. Only tasks made from now on are concerned. What it was.
 */
static char autogroups(char on)
{
	return kt_swap_flag("/proc/sys/kernel/sched_autogroup_enabled", on);
}

/*
 * Before the harness forks for a test: what a task brings along from the CPU where it was forked, to where it is looked
 * at, would else have been measured beside a test that is in a group.
 */
static char autogroups_before = '1';

static void __attribute__((constructor)) leave_groups(void)
{
	autogroups_before = autogroups('0');
}

static void __attribute__((destructor)) rejoin_groups(void)
{
	autogroups(autogroups_before);
}

FIXTURE(twin) {
	int device, fd, cpu;
	struct ktwin_rq_twin before, after;
};

FIXTURE_SETUP(twin)
{
	KT_OPEN_LIVE(self->device);
	self->cpu = kt_quiet_cpu();
	self->fd = kt_switches(self->device, ALL);
	ASSERT_LE(0, self->fd);
	kt_pin(0);
	ASSERT_TRUE(kt_wait_complete(self->fd, 0, &self->before));
	ASSERT_TRUE(kt_wait_complete(self->fd, self->cpu, &self->before)) {
		TH_LOG("incomplete: why 0x%x, %llu doubts", self->before.why, self->before.doubts);
	}
}

FIXTURE_TEARDOWN(twin)
{
	EXPECT_EQ(0, close(self->fd));
}

static struct ktwin_rq_agreement grown(const struct ktwin_rq_twin *before, const struct ktwin_rq_twin *after,
				       int generation, int class)
{
	const struct ktwin_rq_agreement *a = &before->agreement[generation * KTWIN_SCHED_CLASSES + class];
	const struct ktwin_rq_agreement *b = &after->agreement[generation * KTWIN_SCHED_CLASSES + class];

	return (struct ktwin_rq_agreement) {
		.picks = b->picks - a->picks, .agreed = b->agreed - a->agreed,
		.unanswered = b->unanswered - a->unanswered, .grouped = b->grouped - a->grouped,
	};
}

static void say(struct __test_metadata *_metadata, const struct ktwin_rq_twin *before,
		const struct ktwin_rq_twin *after, int class)
{
	static const char *const names[] = { "scan", "prio_array", "cfs", "eevdf" };
	int i;

	for (i = 0; i < KTWIN_GENERATIONS; i++) {
		struct ktwin_rq_agreement count = grown(before, after, i, class);

		TH_LOG("%-10s %llu picks, %llu agreed, %llu unanswered, %llu grouped", names[i], count.picks,
		       count.agreed, count.unanswered, count.grouped);
	}
	TH_LOG("why 0x%x, %llu doubts since", after->why, after->doubts - before->doubts);
}

/* Until the kernel's own generation was asked so often for a task of this class, or for as long as patience lasts. */
static struct ktwin_rq_agreement gather(struct __test_metadata *_metadata, FIXTURE_DATA(twin) *self, int class,
					__u64 picks)
{
	uint64_t end = kt_now_ms() + GATHER_MS;
	struct ktwin_rq_agreement count;

	kt_sleep_ms(300);
	EXPECT_EQ(0, kt_rq_twin(self->fd, self->cpu, &self->before));
	do {
		kt_sleep_ms(100);
		EXPECT_EQ(0, kt_rq_twin(self->fd, self->cpu, &self->after));
		count = grown(&self->before, &self->after, own_generation(), class);
	} while (count.picks < picks && kt_now_ms() < end);
	say(_metadata, &self->before, &self->after, class);
	EXPECT_LE(picks, count.picks);
	EXPECT_GE(count.picks / 10, count.unanswered);
	return count;
}

/* Tasks of one class that want a CPU all the time: the twin of the kernel's own generation knows whose turn it is. */
static struct ktwin_rq_agreement spin_together(struct __test_metadata *_metadata, FIXTURE_DATA(twin) *self,
					       void (*work)(void), int tasks, __u64 picks)
{
	struct ktwin_rq_agreement count;
	pid_t spinners[8];
	int i;

	for (i = 0; i < tasks; i++)
		spinners[i] = kt_run_on(self->cpu, work);
	count = gather(_metadata, self, work == kt_spin ? KTWIN_SCHED_FAIR : KTWIN_SCHED_RT, picks);
	EXPECT_LE(tasks, self->after.queued);
	for (i = 0; i < tasks; i++)
		kt_end(spinners[i]);
	return count;
}

/* The twin knows all that the kernel goes by: of 20 picks it has 19, and those it has not are few. */
static bool nearly_all(const struct ktwin_rq_agreement *count)
{
	return count->agreed >= (count->picks - count->unanswered) * 19 / 20;
}

/*
 * The kernel says that it charges a task, not on what account. Where a CPU stood still, several accounts come in one
 * interrupt, and what the twin takes wrong keeps two tasks in the other order, round after round: then others are tried.
 */
#define ATTEMPTS	3

static bool agrees(struct __test_metadata *_metadata, FIXTURE_DATA(twin) *self, void (*work)(void), int tasks,
		   __u64 picks)
{
	int i;

	for (i = 0; i < ATTEMPTS; i++) {
		struct ktwin_rq_agreement count = spin_together(_metadata, self, work, tasks, picks);

		if (nearly_all(&count))
			return true;
	}
	return false;
}

TEST_F(twin, two_fair)
{
	EXPECT_TRUE(agrees(_metadata, self, kt_spin, 2, 100));
}

TEST_F(twin, five_fair)
{
	EXPECT_TRUE(agrees(_metadata, self, kt_spin, 5, 200));
}

static void nap(void)
{
	for (;;)
		usleep(3000);
}

static void spin_nicely(void)
{
	if (setpriority(PRIO_PROCESS, 0, getpid() % 8 - 2))
		_exit(95);
	kt_spin();
}

/* Of any weight, and others who come and go. */
static struct ktwin_rq_agreement mix(struct __test_metadata *_metadata, FIXTURE_DATA(twin) *self)
{
	static void (*const works[])(void) = {
		spin_nicely, nap, spin_nicely, kt_spin, kt_nap_often, spin_nicely, nap
	};
	struct ktwin_rq_agreement count;
	pid_t pids[7];
	int i;

	for (i = 0; i < 7; i++)
		pids[i] = kt_run_on(self->cpu, works[i]);
	count = gather(_metadata, self, KTWIN_SCHED_FAIR, 300);
	for (i = 0; i < 7; i++)
		kt_end(pids[i]);
	EXPECT_EQ(0, count.grouped);
	return count;
}

/* Under EEVDF one wrong turn leads to others until the queue is empty, for who is put there is placed by those there. */
TEST_F(twin, mixed)
{
	bool eevdf = own_generation() == KTWIN_GENERATION_EEVDF;
	struct ktwin_rq_agreement count;
	int i;

	for (i = 0; i < ATTEMPTS; i++) {
		count = mix(_metadata, self);
		if (nearly_all(&count) || (eevdf && count.agreed >= (count.picks - count.unanswered) * 3 / 4))
			return;
	}
	ASSERT_FALSE(true);
}

/* In sessions, in groups: what differs then is counted as what it is. */
TEST_F(twin, grouped)
{
	struct ktwin_rq_agreement count;
	pid_t pids[4];
	int i;

	autogroups('1');
	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			kt_leash();
			kt_pin(self->cpu);
			setsid();
			if (i % 2 && fork() == 0)
				kt_leash();
			kt_spin();
		}
	}
	count = gather(_metadata, self, KTWIN_SCHED_FAIR, 100);
	for (i = 0; i < 4; i++)
		kt_end(pids[i]);
	autogroups('0');
	count.agreed += count.grouped;
	EXPECT_TRUE(nearly_all(&count));
}

/* By itself: of a change that another makes there is no event until the task runs. */
static void spin_in_turn(void)
{
	const struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_RR, &param))
		_exit(95);
	kt_spin();
}

TEST_F(twin, round_robin)
{
	EXPECT_TRUE(agrees(_metadata, self, spin_in_turn, 3, 10));
}

/* With nothing to run everybody agrees. */
TEST_F(twin, idle)
{
	struct ktwin_rq_agreement count = gather(_metadata, self, KTWIN_SCHED_IDLE, 20);

	EXPECT_TRUE(nearly_all(&count));
}

/* Tasks that end are forgotten, and what comes is known, at whatever rate. */
TEST_F(twin, fork_storm)
{
	pid_t storms[4];
	int i;

	for (i = 0; i < 4; i++)
		storms[i] = kt_run_on(i % 2 ? self->cpu : 0, i < 2 ? kt_fork_often : kt_nap_often);
	kt_sleep_ms(5000);
	for (i = 0; i < 4; i++)
		kt_end(storms[i]);
	ASSERT_TRUE(kt_wait_complete(self->fd, self->cpu, &self->after));
	TH_LOG("%u tasks known, %llu doubts, %llu without memory", self->after.tasks, self->after.doubts,
	       self->after.no_memory);
	EXPECT_GT(1000, self->after.tasks);
	EXPECT_EQ(0, self->after.no_memory);
}

/* Each counts for himself, as many as may. */
TEST(many)
{
	struct ktwin_switch_cpu sums[8];
	int device, fds[8], i;

	KT_OPEN_LIVE(device);
	for (i = 0; i < 8; i++) {
		fds[i] = kt_switches(device, ALL);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(-EBUSY, kt_switches(device, 0));
	kt_sleep_ms(200);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, kt_switch_counts(fds[i], -1, &sums[i]));
		EXPECT_LT(0, kt_leaves(sums[i].leaves));
		EXPECT_EQ(0, close(fds[i]));
	}
	fds[0] = kt_switches(device, 0);
	EXPECT_LE(0, fds[0]);
	ASSERT_EQ(0, kt_switch_counts(fds[0], -1, &sums[1]));
	EXPECT_GT(kt_leaves(sums[0].leaves), kt_leaves(sums[1].leaves));
	close(fds[0]);
}

TEST(asked_amiss)
{
	struct ktwin_switches switches = { .size = sizeof(switches), .flags = KTWIN_SWITCHES_EVENTS << 1 };
	struct ktwin_switch_cpu cpu;
	struct ktwin_read read = {
		.size = sizeof(read), .record_size = sizeof(cpu), .room = 1, .buffer = (uintptr_t)&cpu,
	};
	struct ktwin_rq_twin twin;
	int device, fd;

	KT_OPEN_LIVE(device);
	EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_SWITCHES, &switches));
	switches.flags = 0;
	switches.zero = 1;
	EXPECT_EQ(-EINVAL, kt_call(device, KTWIN_IOC_SWITCHES, &switches));
	fd = kt_switches(device, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_SWITCHES_CPUS, &read));
	EXPECT_EQ(1, read.filled);
	read.ns = 1;
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_SWITCHES_CPUS, &read));
	read.ns = 0;
	read.record_size = 8;
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_SWITCHES_CPUS, &read));
	read.record_size = sizeof(cpu);
	read.cursor = ~0ULL;
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_SWITCHES_CPUS, &read));
	EXPECT_EQ(0, read.filled);
	EXPECT_EQ(0, read.more);
	EXPECT_EQ(-ENODATA, kt_rq_twin(fd, 0, &twin));
	EXPECT_EQ(-ENOTTY, kt_call(device, KTWIN_IOC_SWITCHES_CPUS, &read));
	EXPECT_EQ(-ENOTTY, kt_call(fd, KTWIN_IOC_STATUS, &switches));
	close(fd);
}

TEST(not_everybodys)
{
	int device, fd = 0;
	pid_t pid;

	KT_OPEN_LIVE(device);
	pid = fork();
	if (pid == 0) {
		kt_become_nobody();
		fd = kt_switches(device, 0);
		_exit(fd == -EPERM ? 0 : 1);
	}
	EXPECT_EQ(0, kt_ended(pid));
}

TEST_HARNESS_MAIN
