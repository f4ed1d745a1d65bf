// SPDX-License-Identifier: GPL-2.0-only
/* Inspecting while CPUs go and come, while everything forks, and how long a queue's lock is held for it. */
#include "rq.h"

#define CPU_SWITCH	"/sys/devices/system/cpu/cpu1/online"
#define STORM_MS	60000
#define FORKERS		4

FIXTURE(storm) {
	int fd;
	struct kt_stage *stage;
	struct kt_queues *queues;
};

FIXTURE_SETUP(storm)
{
	self->fd = kt_open();
	ASSERT_LE(0, self->fd);
	if (!kt_has_cpu())
		SKIP(return, "needs two CPUs");
	self->stage = kt_stage_open();
	ASSERT_TRUE((void *)self->stage != MAP_FAILED);
	self->queues = calloc(1, sizeof(*self->queues));
	ASSERT_TRUE(!!self->queues);
}

FIXTURE_TEARDOWN(storm)
{
	if (self->stage)
		kt_clear_stage(self->stage);
	free(self->queues);
	close(self->fd);
}

/* What can be said of any answer. Returns what is wrong with it. */
static const char *judge(const struct kt_queues *queues)
{
	__u32 i, k, next = 0;

	for (i = 0; i < queues->head.cpus_filled; i++) {
		const struct ktwin_rq_cpu *cpu = &queues->cpus[i];

		if (cpu->first != next)
			return "tasks are not by CPU";
		next += cpu->listed;
		for (k = cpu->first; k < next; k++) {
			const struct ktwin_rq_task *task = &queues->tasks[k];

			if (task->cpu != cpu->cpu)
				return "a task of another CPU";
			if (k > cpu->first && task->sched_class < task[-1].sched_class)
				return "classes are not in order";
			if (k > cpu->first && task->sched_class == task[-1].sched_class &&
			    task->position <= task[-1].position)
				return "positions do not grow";
		}
	}
	return next == queues->head.tasks_filled ? NULL : "tasks of no CPU";
}

/* Inspects all queues until then. */
static long inspect_until(struct __test_metadata *_metadata, FIXTURE_DATA(storm) *self, uint64_t end)
{
	const char *wrong = NULL;
	long times = 0;

	while (!wrong && kt_now_ms() < end) {
		ASSERT_EQ(0, kt_rq(self->fd, times % 3 ? -1 : KT_RQ_CPU, self->queues));
		wrong = judge(self->queues);
		times++;
	}
	ASSERT_TRUE(!wrong) {
		TH_LOG("%s", wrong);
	}
	return times;
}

TEST_F_TIMEOUT(storm, cpus_go_and_come, 180)
{
	pid_t switcher;
	long times = 0;
	int status;

	if (access(CPU_SWITCH, W_OK))
		SKIP(return, "CPU 1 cannot be switched off");
	kt_await_deadlines();
	if (kt_write_patiently(CPU_SWITCH, "0") == -EBUSY)
		SKIP(return, "deadline tasks that have ended still have their share of CPU 1");
	ASSERT_EQ(0, kt_write_patiently(CPU_SWITCH, "1"));
	switcher = fork();
	if (!switcher) {
		int i;

		kt_leash();
		for (i = 0; i < 5; i++) {
			if (kt_write_patiently(CPU_SWITCH, "0") || kt_write_patiently(CPU_SWITCH, "1"))
				_exit(1);
		}
		_exit(0);
	}
	while (waitpid(switcher, &status, WNOHANG) == 0)
		times += inspect_until(_metadata, self, kt_now_ms() + 50);
	EXPECT_EQ(0, status);
	TH_LOG("inspected %ld times while CPU 1 went and came 5 times", times);
	/* Off, and asked for by its number. */
	ASSERT_EQ(0, kt_write_patiently(CPU_SWITCH, "0"));
	EXPECT_EQ(0, kt_rq(self->fd, KT_RQ_CPU, self->queues));
	EXPECT_FALSE(self->queues->cpus[0].flags & KTWIN_RQ_ONLINE);
	EXPECT_EQ(0, self->queues->cpus[0].nr_fair);
	EXPECT_EQ(0, kt_rq(self->fd, -1, self->queues));
	EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), self->queues->head.cpus_filled);
	ASSERT_EQ(0, kt_write_patiently(CPU_SWITCH, "1"));
}

static void fork_for_ever(void)
{
	kt_leash();
	for (;;) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
	}
}

TEST_F_TIMEOUT(storm, everything_forks, 180)
{
	pid_t forkers[FORKERS];
	long times;
	int i;

	for (i = 0; i < FORKERS; i++) {
		forkers[i] = fork();
		ASSERT_LE(0, forkers[i]);
		if (!forkers[i])
			fork_for_ever();
	}
	times = inspect_until(_metadata, self, kt_now_ms() + STORM_MS);
	for (i = 0; i < FORKERS; i++)
		kt_end(forkers[i]);
	TH_LOG("inspected %ld times; longest hold since load %llu ns", times,
	       (unsigned long long)self->queues->head.longest_ns);
	EXPECT_LT(10, times);
}

/*
 * Until so many are queued; the answer is in queues. On PREEMPT_RT a burner's first page faults may wait for a lock that
 * another one, preempted, holds: it is on no queue then.
 */
static bool wait_listed(int device, struct kt_queues *queues, __u32 count)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (kt_rq(device, KT_RQ_CPU, queues))
			return false;
		if (queues->cpus[0].listed >= count)
			return true;
		kt_sleep_ms(20);
	} while (kt_now_ms() < end);
	return false;
}

/* Without a holder: a CPU that is kept from its kernel threads for as long as a thousand forks take is in trouble. */
TEST_F_TIMEOUT(storm, how_long_the_lock_is_held, 180)
{
	static const int sizes[] = { 10, 100, 1000 };
	size_t i;
	int n;

	ASSERT_EQ(0, kt_take_the_stage());
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct kt_burn burn = { .policy = SCHED_OTHER };
		__u64 least = ~0ULL, most = 0;

		while (self->stage->burning < sizes[i])
			ASSERT_LT(0, kt_add_burner(self->stage, &burn));
		for (n = 0; n < 20; n++) {
			ASSERT_TRUE(wait_listed(self->fd, self->queues, sizes[i])) {
				TH_LOG("%u of %d are listed, %u are not", self->queues->cpus[0].listed, sizes[i],
				       self->queues->cpus[0].unlisted);
			}
			least = self->queues->cpus[0].hold_ns < least ? self->queues->cpus[0].hold_ns : least;
			most = self->queues->cpus[0].hold_ns > most ? self->queues->cpus[0].hold_ns : most;
		}
		TH_LOG("%d tasks queued: lock held %llu to %llu ns", sizes[i], (unsigned long long)least,
		       (unsigned long long)most);
	}
	EXPECT_TRUE(!judge(self->queues));
}

TEST_HARNESS_MAIN
