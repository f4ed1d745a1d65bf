// SPDX-License-Identifier: GPL-2.0-only
/* The twin run queues beside the kernel's: whom they would have run, and that they come and go without a trace. */
#include <sys/utsname.h>
#include <sys/wait.h>

#include "switches.h"

#define ALL	(KTWIN_SWITCHES_TASKS | KTWIN_SWITCHES_WAITS | KTWIN_SWITCHES_TWIN)

/* How often, and for how long at most: under emulation each takes a grace period of tenths of a second. */
#define TOGGLES		1000
#define TOGGLES_MS	40000

/* The generation that the running kernel's fair scheduler is of. */
static int own_generation(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor >= 6) ? KTWIN_GENERATION_EEVDF : KTWIN_GENERATION_CFS;
}

/* Complete from the first time the CPU has nothing to do. */
static bool wait_complete(int fd, int cpu, struct ktwin_rq_twin *twin)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (!kt_rq_twin(fd, cpu, twin) && !twin->why)
			return true;
		kt_sleep_ms(20);
	} while (kt_now_ms() < end);
	return false;
}

/*
 * The twins know of no task groups. Without autogroups the tasks of a session stand in the queue beside the kernel's own
 * threads. Only tasks made from now on are concerned. What it was.
 */
static char autogroups(char on)
{
	int fd = open("/proc/sys/kernel/sched_autogroup_enabled", O_RDWR);
	char was = on;

	if (fd >= 0 && (pread(fd, &was, 1, 0) != 1 || pwrite(fd, &on, 1, 0) != 1))
		was = on;
	close(fd);
	return was;
}

FIXTURE(twin) {
	int device, fd, cpu;
	struct ktwin_rq_twin before, after;
	char autogroups;
};

FIXTURE_SETUP(twin)
{
	KT_OPEN_LIVE(self->device);
	self->cpu = kt_quiet_cpu();
	self->fd = kt_switches(self->device, ALL);
	ASSERT_LE(0, self->fd);
	self->autogroups = autogroups('0');
	kt_pin(0);
	ASSERT_TRUE(wait_complete(self->fd, self->cpu, &self->before)) {
		TH_LOG("incomplete: why 0x%x, %llu doubts", self->before.why, self->before.doubts);
	}
}

FIXTURE_TEARDOWN(twin)
{
	autogroups(self->autogroups);
	EXPECT_EQ(0, close(self->fd));
}

static struct ktwin_rq_agreement grown(const struct ktwin_rq_twin *before, const struct ktwin_rq_twin *after,
				       int generation, int class)
{
	const struct ktwin_rq_agreement *a = &before->agreement[generation * KTWIN_SCHED_CLASSES + class];
	const struct ktwin_rq_agreement *b = &after->agreement[generation * KTWIN_SCHED_CLASSES + class];

	return (struct ktwin_rq_agreement) {
		.picks = b->picks - a->picks, .agreed = b->agreed - a->agreed,
		.unanswered = b->unanswered - a->unanswered,
	};
}

static void say(struct __test_metadata *_metadata, const struct ktwin_rq_twin *before,
		const struct ktwin_rq_twin *after, int class)
{
	static const char *const names[] = { "scan", "prio_array", "cfs", "eevdf" };
	int i;

	for (i = 0; i < KTWIN_GENERATIONS; i++) {
		struct ktwin_rq_agreement count = grown(before, after, i, class);

		TH_LOG("%-10s %llu picks, %llu agreed, %llu unanswered", names[i], count.picks, count.agreed,
		       count.unanswered);
	}
	TH_LOG("why 0x%x, %llu doubts since", after->why, after->doubts - before->doubts);
}

/* Tasks of one class that want a CPU all the time: the twin of the kernel's own generation knows whose turn it is. */
static void spin_together(struct __test_metadata *_metadata, FIXTURE_DATA(twin) *self, int policy, int tasks,
			  struct ktwin_rq_agreement *count)
{
	const struct sched_param param = { .sched_priority = policy == SCHED_OTHER ? 0 : 1 };
	const int class = policy == SCHED_OTHER ? KTWIN_SCHED_FAIR : KTWIN_SCHED_RT;
	pid_t spinners[8];
	int i;

	for (i = 0; i < tasks; i++) {
		spinners[i] = kt_run_on(self->cpu, kt_spin);
		ASSERT_EQ(0, sched_setscheduler(spinners[i], policy, &param));
	}
	kt_sleep_ms(300);
	ASSERT_EQ(0, kt_rq_twin(self->fd, self->cpu, &self->before));
	kt_sleep_ms(3000);
	ASSERT_EQ(0, kt_rq_twin(self->fd, self->cpu, &self->after));
	for (i = 0; i < tasks; i++)
		kt_end(spinners[i]);
	EXPECT_LE(tasks, self->after.queued);
	say(_metadata, &self->before, &self->after, class);
	*count = grown(&self->before, &self->after, own_generation(), class);
}

TEST_F(twin, two_fair)
{
	struct ktwin_rq_agreement count = {};

	spin_together(_metadata, self, SCHED_OTHER, 2, &count);
	EXPECT_LT(100, count.picks);
	EXPECT_GE(count.picks / 10, count.unanswered);
	EXPECT_LE((count.picks - count.unanswered) * 8 / 10, count.agreed);
}

TEST_F(twin, round_robin)
{
	struct ktwin_rq_agreement count = {};

	spin_together(_metadata, self, SCHED_RR, 3, &count);
	EXPECT_LT(5, count.picks);
	EXPECT_LE((count.picks - count.unanswered) * 8 / 10, count.agreed);
}

/* With nothing to run everybody agrees. */
TEST_F(twin, idle)
{
	struct ktwin_rq_agreement count;

	kt_sleep_ms(1500);
	ASSERT_EQ(0, kt_rq_twin(self->fd, self->cpu, &self->after));
	count = grown(&self->before, &self->after, own_generation(), KTWIN_SCHED_IDLE);
	TH_LOG("%llu picks, %llu agreed, %llu unanswered", count.picks, count.agreed, count.unanswered);
	EXPECT_LT(0, count.picks);
	EXPECT_LE((count.picks - count.unanswered) * 9 / 10, count.agreed);
}

static void fork_often(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static void nap_often(void)
{
	for (;;)
		usleep(200);
}

/* Tasks that end are forgotten, and what comes is known, at whatever rate. */
TEST_F(twin, fork_storm)
{
	pid_t storms[4];
	int i;

	for (i = 0; i < 4; i++)
		storms[i] = kt_run_on(i % 2 ? self->cpu : 0, i < 2 ? fork_often : nap_often);
	kt_sleep_ms(5000);
	for (i = 0; i < 4; i++)
		kt_end(storms[i]);
	ASSERT_TRUE(wait_complete(self->fd, self->cpu, &self->after));
	TH_LOG("%u tasks known, %llu doubts, %llu without memory", self->after.tasks, self->after.doubts,
	       self->after.no_memory);
	EXPECT_GT(1000, self->after.tasks);
	EXPECT_EQ(0, self->after.no_memory);
}

/* Hooks come and go under load. */
TEST(toggled)
{
	uint64_t end = kt_now_ms() + TOGGLES_MS;
	struct ktwin_switch_cpu sum;
	int device, i, done;
	pid_t storms[4];

	KT_OPEN_LIVE(device);
	for (i = 0; i < 4; i++)
		storms[i] = kt_run_on(i % 2 ? kt_quiet_cpu() : 0, i < 2 ? fork_often : nap_often);
	for (done = 0; done < TOGGLES && kt_now_ms() < end; done++) {
		int fd = kt_switches(device, done % 8);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, kt_switch_counts(fd, -1, &sum));
		ASSERT_EQ(0, close(fd));
	}
	TH_LOG("on and off %d times", done);
	EXPECT_LE(20, done);
	for (i = 0; i < 4; i++)
		kt_end(storms[i]);
	kt_expect_audit_clean(_metadata, device);
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
	struct ktwin_switches switches = { .size = sizeof(switches), .flags = 1U << 3 };
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
