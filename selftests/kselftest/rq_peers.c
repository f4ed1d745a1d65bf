// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same queue as others tell of it: /sys/kernel/debug/sched/debug, task groups of a cgroup, and what a caller with
 * less rights, or in a namespace below, is told.
 */
#include <sys/mount.h>

#include "rq.h"

#define DEBUG_FILE	"/sys/kernel/debug/sched/debug"
#define TRIES		200

FIXTURE(peers) {
	int fd;
	struct kt_stage *stage;
	struct kt_queues *queues;
};

FIXTURE_SETUP(peers)
{
	self->fd = kt_open();
	ASSERT_LE(0, self->fd);
	KT_TAKE_STAGE(self->stage);
	self->queues = calloc(1, sizeof(*self->queues));
	ASSERT_TRUE(!!self->queues);
}

FIXTURE_TEARDOWN(peers)
{
	if (self->stage)
		kt_clear_stage(self->stage);
	kt_no_limits(false);
	free(self->queues);
	close(self->fd);
}

static pid_t add(struct __test_metadata *_metadata, FIXTURE_DATA(peers) *self, struct kt_burn burn)
{
	pid_t pid = kt_add_burner(self->stage, &burn);

	ASSERT_LT(0, pid);
	return pid;
}

/* --- sched/debug ------------------------------------------------------------------------------------------------ */

/* What it says of one CPU. */
struct told {
	long long running, switches, rt, deadline;
	int curr;
	int count;
	struct {
		int tid;
		long long vruntime;
	} tasks[256];
};

/* A line as " R  name  1234  12345.678901 ..." of a task that is to run; its times are ms with six digits. */
static bool parse_task(const char *line, struct told *told)
{
	long long ms, rest;
	char state, name[64];
	int tid;

	if (line[0] != ' ' && line[0] != '>')
		return false;
	if (sscanf(line + 1, "%c %63s %d %lld.%lld", &state, name, &tid, &ms, &rest) != 5 || state != 'R')
		return false;
	if (told->count < 256) {
		told->tasks[told->count].tid = tid;
		told->tasks[told->count++].vruntime = ms * 1000000 + (ms < 0 ? -rest : rest);
	}
	return true;
}

static void parse_number(const char *line, const char *name, long long *to)
{
	const char *at = strstr(line, name), *colon = strchr(line, ':');

	if (at && colon)
		*to = atoll(colon + 1);
}

/* false: it is not there. */
static bool read_told(int cpu, struct told *told)
{
	FILE *file = fopen(DEBUG_FILE, "r");
	char line[512], head[32];
	bool ours = false, groups = false;
	long long curr = -1;

	memset(told, 0, sizeof(*told));
	if (!file)
		return false;
	snprintf(head, sizeof(head), "cpu#%d,", cpu);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "cpu#", 4)) {
			ours = !strncmp(line, head, strlen(head));
			groups = false;
		}
		if (!ours || parse_task(line, told))
			continue;
		groups |= !strncmp(line, "cfs_rq[", 7);
		if (!groups) {
			parse_number(line, ".nr_running ", &told->running);
			parse_number(line, ".nr_switches ", &told->switches);
			parse_number(line, ".curr->pid ", &curr);
		}
		parse_number(line, ".rt_nr_running ", &told->rt);
		parse_number(line, ".dl_nr_running ", &told->deadline);
	}
	told->curr = curr;
	fclose(file);
	return told->switches > 0;
}

/* Between two inspections with neither a switch nor a wake-up in between. */
static bool read_quietly(struct __test_metadata *_metadata, FIXTURE_DATA(peers) *self, struct told *told)
{
	const struct ktwin_rq_cpu *cpu = &self->queues->cpus[0];
	int try;

	for (try = 0; try < TRIES; try++) {
		__u32 running;
		__u64 before;

		ASSERT_EQ(0, kt_rq(self->fd, KT_RQ_CPU, self->queues));
		before = cpu->nr_switches;
		running = cpu->nr_running;
		ASSERT_TRUE(read_told(KT_RQ_CPU, told));
		ASSERT_EQ(0, kt_rq(self->fd, KT_RQ_CPU, self->queues));
		if (cpu->nr_switches == before && cpu->nr_running == running && (long long)before == told->switches)
			return true;
	}
	return false;
}

TEST_F_TIMEOUT(peers, sched_debug_says_the_same, 90)
{
	const struct ktwin_rq_cpu *cpu = &self->queues->cpus[0];
	struct told *told = calloc(1, sizeof(*told));
	int i, compared = 0;

	if (access(DEBUG_FILE, R_OK))
		SKIP(return, "no " DEBUG_FILE);
	for (i = 0; i < 12; i++) {
		add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER, .nice = i - 6 });
		kt_sleep_ms(10);
	}
	add(_metadata, self, (struct kt_burn){ .policy = SCHED_RR, .priority = 7 });
	add(_metadata, self, (struct kt_burn){ .policy = SCHED_FIFO, .priority = 17 });
	ASSERT_EQ(0, kt_hold(self->stage, 80));
	ASSERT_TRUE(read_quietly(_metadata, self, told));

	EXPECT_EQ(told->running, cpu->nr_running);
	EXPECT_EQ(told->curr, cpu->curr.tid);
	EXPECT_EQ(told->rt, cpu->nr_rt);
	EXPECT_EQ(told->deadline, cpu->nr_deadline);
	for (i = 0; i < told->count; i++) {
		const struct ktwin_rq_task *task = kt_rq_find(self->queues, told->tasks[i].tid);

		EXPECT_TRUE(!!task) {
			TH_LOG("%d is not listed", told->tasks[i].tid);
		}
		if (!task || task->sched_class != KTWIN_SCHED_FAIR)
			continue;
		EXPECT_EQ(told->tasks[i].vruntime, (__s64)task->vruntime);
		compared++;
	}
	EXPECT_LE(12, compared);
	EXPECT_EQ(told->count, cpu->listed);
	free(told);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

#define CGROUP	"/sys/fs/cgroup"
#define OUTER	CGROUP "/ktwin-rq"
#define INNER	OUTER "/inner"

static void remove_groups(void)
{
	rmdir(INNER);
	rmdir(OUTER);
}

static int make_groups(void)
{
	remove_groups();
	if (kt_write(CGROUP "/cgroup.subtree_control", "+cpu") || mkdir(OUTER, 0755))
		return -1;
	return kt_write(OUTER "/cgroup.subtree_control", "+cpu") || mkdir(INNER, 0755) ? -1 : 0;
}

static void into(struct __test_metadata *_metadata, const char *group, pid_t pid)
{
	char path[128], number[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(number, sizeof(number), "%d", pid);
	ASSERT_EQ(0, kt_write(path, number));
}

TEST_F_TIMEOUT(peers, nested_groups, 90)
{
	const struct ktwin_rq_task *one, *other, *outside;
	pid_t deep, deeper, plain;
	__u32 i, between = 0;

	if (make_groups())
		SKIP(remove_groups(); return, "no cpu controller of cgroup v2");
	plain = add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER });
	deep = add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER });
	deeper = add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER });
	into(_metadata, INNER, deep);
	into(_metadata, INNER, deeper);
	kt_sleep_ms(100);
	ASSERT_EQ(0, kt_hold(self->stage, 80));
	ASSERT_TRUE(kt_wait_running(self->fd, self->stage->holder, self->queues));
	one = kt_rq_find(self->queues, deep);
	other = kt_rq_find(self->queues, deeper);
	outside = kt_rq_find(self->queues, plain);
	ASSERT_TRUE(one && other && outside);
	EXPECT_EQ(2, one->depth);
	EXPECT_EQ(2, other->depth);
	EXPECT_GT(2, outside->depth);
	EXPECT_EQ(one->group, other->group);
	EXPECT_NE(one->group, outside->group);
	/* A group's tasks stand together. */
	for (i = 0; i < self->queues->head.tasks_filled; i++) {
		const struct ktwin_rq_task *task = &self->queues->tasks[i];

		between += task->sched_class == KTWIN_SCHED_FAIR && task->group != one->group &&
			   task->position > (one < other ? one : other)->position &&
			   task->position < (one < other ? other : one)->position;
	}
	EXPECT_EQ(0, between);
	kt_clear_stage(self->stage);
	remove_groups();
}

/* Its group has a hundredth of the CPU, which is soon used up. */
TEST_F_TIMEOUT(peers, throttled_group, 90)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	const struct ktwin_rq_task *task;
	bool seen = false;
	pid_t pid;

	if (make_groups() || kt_write(INNER "/cpu.max", "1000 100000"))
		SKIP(remove_groups(); return, "no bandwidth of the cpu controller of cgroup v2");
	pid = add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER });
	into(_metadata, INNER, pid);
	while (!seen && kt_now_ms() < end) {
		ASSERT_EQ(0, kt_rq(self->fd, KT_RQ_CPU, self->queues));
		task = kt_rq_find(self->queues, pid);
		seen = task && (task->flags & KTWIN_RQ_TASK_THROTTLED) && !(task->flags & KTWIN_RQ_TASK_RUNNING);
		kt_sleep_ms(3);
	}
	EXPECT_TRUE(seen);
	kt_clear_stage(self->stage);
	remove_groups();
}

/* --- rights ------------------------------------------------------------------------------------------------------ */

/* 0, or the number of what is wrong. */
static int judge_as_nobody(FIXTURE_DATA(peers) *self, pid_t others, pid_t own)
{
	const struct ktwin_rq_task *task;

	if (kt_rq(self->fd, -1, self->queues))
		return 1;
	task = kt_rq_find(self->queues, others);
	if (!task || !(task->flags & KTWIN_RQ_TASK_HIDDEN) || task->comm[0] || task->vruntime || task->pcount)
		return 2;
	task = kt_rq_find(self->queues, own);
	if (!task || (task->flags & KTWIN_RQ_TASK_HIDDEN) || !task->comm[0])
		return 3;
	return 0;
}

static int as_nobody(FIXTURE_DATA(peers) *self, pid_t others)
{
	pid_t own = kt_born();
	int wrong;

	if (!own) {
		for (;;)
			;
	}
	wrong = judge_as_nobody(self, others, own);
	/* One that did not run yet has no leash, and would hold the test's output open for ever. */
	kt_end(own);
	return wrong;
}

TEST_F(peers, other_users_tasks_have_no_figures)
{
	pid_t others = add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER }), child = fork();
	int status;

	if (!child) {
		kt_leash();
		if (kt_become_nobody())
			_exit(9);
		_exit(as_nobody(self, others));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Of the tasks on the CPU one has a number in there: the other is counted. */
static int from_below(FIXTURE_DATA(peers) *self)
{
	const struct kt_burn burn = { .policy = SCHED_OTHER };
	const struct ktwin_rq_cpu *cpu = &self->queues->cpus[0];
	pid_t own;

	self->stage->burning = 0;
	own = kt_add_burner(self->stage, &burn);
	if (own <= 0 || kt_rq(self->fd, KT_RQ_CPU, self->queues))
		return 1;
	if (cpu->listed != 1 || self->queues->tasks[0].tid != own)
		return 2;
	if (!cpu->elsewhere || cpu->nr_running < 2)
		return 3;
	if (cpu->curr.tid && cpu->curr.tid != own)
		return 4;
	return !cpu->curr.tid && cpu->curr.comm[0] ? 5 : 0;
}

TEST_F(peers, from_a_namespace_below)
{
	pid_t child;
	int status;

	add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER });
	child = kt_clone(CLONE_NEWPID);
	if (!child) {
		kt_leash();
		_exit(from_below(self));
	}
	ASSERT_LT(0, child);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
