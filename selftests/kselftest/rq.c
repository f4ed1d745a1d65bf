// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the inspector shows is what was put on the queue, in the order in which it is picked: compared with what the
 * test knows, with an order worked out here, and with that in which the tasks then really run.
 */
#include "rq.h"

FIXTURE(rq) {
	int fd;
	struct kt_stage *stage;
	struct kt_queues *queues;
};

FIXTURE_SETUP(rq)
{
	self->fd = kt_open();
	ASSERT_LE(0, self->fd);
	KT_TAKE_STAGE(self->stage);
	self->queues = calloc(1, sizeof(*self->queues));
	ASSERT_TRUE(!!self->queues);
}

FIXTURE_TEARDOWN(rq)
{
	if (self->stage)
		kt_clear_stage(self->stage);
	kt_no_limits(false);
	free(self->queues);
	close(self->fd);
}

static pid_t add(struct __test_metadata *_metadata, FIXTURE_DATA(rq) *self, struct kt_burn burn)
{
	pid_t pid = kt_add_burner(self->stage, &burn);

	ASSERT_LT(0, pid);
	return pid;
}

/* How many of its class that the test made come before it; a kernel thread may stand among them. */
static __u32 place_of(const struct kt_queues *queues, const struct ktwin_rq_task *task)
{
	const struct ktwin_rq_task *other;
	__u32 place = 0;

	for (other = queues->tasks; other < task; other++)
		place += other->sched_class == task->sched_class && !strncmp("rq", other->comm, 2);
	return place;
}

/* The task is at this place of its class among those that the test made. */
static void expect_at(struct __test_metadata *_metadata, const struct kt_queues *queues, pid_t tid, __u32 class,
		      __u32 place, int policy)
{
	const struct ktwin_rq_task *task = kt_rq_find(queues, tid);

	ASSERT_TRUE(!!task) {
		TH_LOG("%d is not listed", tid);
	}
	EXPECT_EQ(class, task->sched_class);
	EXPECT_EQ(place, place_of(queues, task)) {
		TH_LOG("%d of class %u", tid, class);
	}
	EXPECT_EQ(policy, (int)task->policy);
	EXPECT_EQ(KT_RQ_CPU, (int)task->cpu);
	EXPECT_EQ(0, strncmp("rq", task->comm, 2));
}

TEST_F_TIMEOUT(rq, every_class_in_order, 90)
{
	const struct kt_queues *queues = self->queues;
	pid_t late, early, low, first, second, robin, normal, batch, idle;
	const struct ktwin_rq_cpu *cpu = &queues->cpus[0];
	const struct ktwin_rq_task *task;

	low = add(_metadata, self, (struct kt_burn){ .policy = SCHED_FIFO, .priority = 10 });
	first = add(_metadata, self, (struct kt_burn){ .policy = SCHED_FIFO, .priority = 50 });
	second = add(_metadata, self, (struct kt_burn){ .policy = SCHED_FIFO, .priority = 50 });
	robin = add(_metadata, self, (struct kt_burn){ .policy = SCHED_RR, .priority = 30 });
	normal = add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER, .nice = 5 });
	batch = add(_metadata, self, (struct kt_burn){ .policy = SCHED_BATCH, .nice = -5 });
	idle = add(_metadata, self, (struct kt_burn){ .policy = SCHED_IDLE });
	late = add(_metadata, self, (struct kt_burn){ .policy = SCHED_DEADLINE, .dl_ms = 4000 });
	early = add(_metadata, self, (struct kt_burn){ .policy = SCHED_DEADLINE, .dl_ms = 3000 });
	ASSERT_TRUE(kt_wait_running(self->fd, early, self->queues));
	ASSERT_EQ(1, queues->head.cpus_filled);

	expect_at(_metadata, queues, early, KTWIN_SCHED_DEADLINE, 0, SCHED_DEADLINE);
	expect_at(_metadata, queues, late, KTWIN_SCHED_DEADLINE, 1, SCHED_DEADLINE);
	expect_at(_metadata, queues, first, KTWIN_SCHED_RT, 0, SCHED_FIFO);
	expect_at(_metadata, queues, second, KTWIN_SCHED_RT, 1, SCHED_FIFO);
	expect_at(_metadata, queues, robin, KTWIN_SCHED_RT, 2, SCHED_RR);
	expect_at(_metadata, queues, low, KTWIN_SCHED_RT, 3, SCHED_FIFO);
	EXPECT_EQ(5, kt_rq_find(queues, normal)->nice);
	EXPECT_EQ(125, kt_rq_find(queues, normal)->prio);
	EXPECT_EQ(SCHED_BATCH, (int)kt_rq_find(queues, batch)->policy);
	EXPECT_EQ(115, kt_rq_find(queues, batch)->prio);
	EXPECT_EQ(SCHED_IDLE, (int)kt_rq_find(queues, idle)->policy);
	EXPECT_EQ(49, kt_rq_find(queues, first)->prio);
	EXPECT_EQ(-1, kt_rq_find(queues, early)->prio);
	task = kt_rq_find(queues, robin);
	EXPECT_LT(0, task->slice_ns);
	EXPECT_LT(0, task->queued_ns);

	EXPECT_TRUE(kt_rq_find(queues, early)->flags & KTWIN_RQ_TASK_RUNNING);
	EXPECT_EQ(0, kt_rq_find(queues, early)->queued_ns);
	EXPECT_LT(kt_rq_find(queues, early)->deadline, kt_rq_find(queues, late)->deadline);
	EXPECT_EQ(2 + !!(cpu->flags & KTWIN_RQ_SERVER), cpu->nr_deadline);
	EXPECT_LE(4, cpu->nr_rt);
	EXPECT_LE(3, cpu->nr_fair);
	EXPECT_LE(9, cpu->nr_running);
	EXPECT_EQ(0, cpu->unlisted);
	EXPECT_EQ(cpu->listed, queues->head.tasks_filled);
	EXPECT_TRUE(cpu->flags & KTWIN_RQ_ONLINE);
	EXPECT_FALSE(cpu->flags & KTWIN_RQ_IDLE);
	EXPECT_EQ(0, strncmp("swapper/1", cpu->idle.comm, 16));
	EXPECT_EQ(0, strncmp("migration/1", cpu->stop.comm, 16));
}

/* Releases them all, and waits until they are gone. The order in which they stood is left in queues. */
static void let_them_leave(struct __test_metadata *_metadata, FIXTURE_DATA(rq) *self, int count)
{
	struct kt_stage *stage = self->stage;
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	ASSERT_TRUE(kt_wait_running(self->fd, stage->holder, self->queues));
	atomic_store(&stage->order, KT_LEAVE);
	atomic_store(&stage->holding, 0);
	while (atomic_load(&stage->count) < count && kt_now_ms() < end)
		kt_sleep_ms(5);
	ASSERT_EQ(count, atomic_load(&stage->count));
}

/* How many stood elsewhere than they ran. */
static int misplaced(struct __test_metadata *_metadata, const FIXTURE_DATA(rq) *self, __u32 class, int count)
{
	const struct kt_queues *queues = self->queues;
	const struct kt_stage *stage = self->stage;
	int at = 0, wrong = 0;
	__u32 i;

	for (i = 0; i < queues->head.tasks_filled && at < count; i++) {
		const struct ktwin_rq_task *task = &queues->tasks[i];

		if (task->sched_class != class || task->tid == stage->holder || strncmp("rq", task->comm, 2))
			continue;
		if (task->tid != stage->left[at]) {
			TH_LOG("place %d: %d was shown, %d ran", at, task->tid, stage->left[at]);
			wrong++;
		}
		at++;
	}
	return wrong + count - at;
}

TEST_F(rq, real_time_runs_as_shown)
{
	static const int priorities[] = { 20, 40, 20, 1, 40, 33, 20 };
	const int count = sizeof(priorities) / sizeof(priorities[0]);
	int i;

	ASSERT_EQ(0, kt_hold(self->stage, 80));
	for (i = 0; i < count; i++) {
		add(_metadata, self, (struct kt_burn){
			.policy = i % 2 ? SCHED_RR : SCHED_FIFO, .priority = priorities[i],
		});
	}
	let_them_leave(_metadata, self, count);
	EXPECT_EQ(0, misplaced(_metadata, self, KTWIN_SCHED_RT, count));
}

/*
 * They run a while, not all the same, before the holder comes. A fair server may move one of them on between the look
 * and the release, and a tick end its turn before it has said that it runs: then once more.
 */
TEST_F_TIMEOUT(rq, fair_runs_as_shown, 180)
{
	int try, i, wrong = 1;

	for (try = 0; wrong && try < 20; try++) {
		for (i = 0; i < 8; i++) {
			add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER });
			kt_sleep_ms(15);
		}
		ASSERT_EQ(0, kt_hold(self->stage, 80));
		let_them_leave(_metadata, self, 8);
		wrong = misplaced(_metadata, self, KTWIN_SCHED_FAIR, 8);
		kt_clear_stage(self->stage);
	}
	EXPECT_EQ(0, wrong);
}

/* --- the fair order, worked out from the figures --------------------------------------------------------------- */

/* sched_prio_to_weight, of the kernel's */
static const long weights[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501,
	1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
};

static long weight_of(const struct ktwin_rq_task *task)
{
	return task->policy == SCHED_IDLE ? 3 : weights[task->nice + 20];
}

/* The one that is picked of those not taken yet, by looking at each: sums in 128 bits, no heap, no order before. */
static int pick(const struct ktwin_rq_task *tasks, const bool *taken, int count, bool eevdf)
{
	__int128 sum = 0, weight = 0;
	int i, best = -1;

	for (i = 0; i < count; i++) {
		if (taken[i])
			continue;
		sum += (__int128)(__s64)(tasks[i].vruntime - tasks[0].vruntime) * weight_of(&tasks[i]);
		weight += weight_of(&tasks[i]);
	}
	for (i = 0; i < count; i++) {
		__s64 key = tasks[i].vruntime - tasks[0].vruntime;
		__s64 better;

		if (taken[i] || (eevdf && sum < key * weight))
			continue;
		if (best < 0) {
			best = i;
			continue;
		}
		better = eevdf ? (__s64)(tasks[best].deadline - tasks[i].deadline) :
				 (__s64)(tasks[best].vruntime - tasks[i].vruntime);
		if (better > 0)
			best = i;
	}
	return best;
}

/* Of those in the burners' group, which stand together; a kernel thread may be among them, or in another. */
static int gather_group(const struct kt_queues *queues, __u64 group, struct ktwin_rq_task *to, int room)
{
	int count = 0;
	__u32 i;

	for (i = 0; i < queues->head.tasks_filled && count < room; i++) {
		if (queues->tasks[i].sched_class == KTWIN_SCHED_FAIR && queues->tasks[i].group == group)
			to[count++] = queues->tasks[i];
	}
	return count;
}

static void expect_fair_order(struct __test_metadata *_metadata, FIXTURE_DATA(rq) *self, int least)
{
	bool eevdf = self->queues->cpus[0].flags & KTWIN_RQ_EEVDF, taken[64] = {};
	const struct ktwin_rq_task *one = kt_rq_find(self->queues, self->stage->burners[0]);
	struct ktwin_rq_task fair[64];
	int count, at, best;

	ASSERT_TRUE(!!one);
	count = gather_group(self->queues, one->group, fair, 64);
	ASSERT_LE(least, count);
	for (at = 0; at < count; at++) {
		best = pick(fair, taken, count, eevdf);
		ASSERT_LE(0, best);
		EXPECT_TRUE(eevdf ? fair[best].deadline == fair[at].deadline :
				    fair[best].vruntime == fair[at].vruntime) {
			TH_LOG("place %d is %d's, not %d's", at, fair[best].tid, fair[at].tid);
		}
		taken[at] = true;
	}
}

TEST_F_TIMEOUT(rq, fair_order_of_all_nice_levels, 90)
{
	int nice;

	for (nice = -20; nice < 20; nice += 3) {
		add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER, .nice = nice });
		kt_sleep_ms(10);
	}
	add(_metadata, self, (struct kt_burn){ .policy = SCHED_IDLE });
	add(_metadata, self, (struct kt_burn){ .policy = SCHED_BATCH, .nice = 3 });
	kt_sleep_ms(100);
	ASSERT_EQ(0, kt_hold(self->stage, 80));
	ASSERT_TRUE(kt_wait_running(self->fd, self->stage->holder, self->queues));
	expect_fair_order(_metadata, self, 16);
}

/* --- what is asked amiss --------------------------------------------------------------------------------------- */

TEST_F(rq, bad_questions)
{
	kt_rq_ask(self->queues, -2);
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	kt_rq_ask(self->queues, 1000000);
	EXPECT_EQ(-ESRCH, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	kt_rq_ask(self->queues, 0);
	self->queues->head.flags = 1;
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	kt_rq_ask(self->queues, 0);
	self->queues->head.zero = 1;
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	kt_rq_ask(self->queues, 0);
	self->queues->head.cpu_size = 8;
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	kt_rq_ask(self->queues, 0);
	self->queues->head.task_size = 8;
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	kt_rq_ask(self->queues, 0);
	self->queues->head.tasks = 8;
	EXPECT_EQ(-EFAULT, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	kt_rq_ask(self->queues, 0);
	self->queues->head.cpus = 8;
	EXPECT_EQ(-EFAULT, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
}

TEST_F(rq, no_room)
{
	const struct ktwin_rq_cpu *cpu = &self->queues->cpus[0];

	ASSERT_EQ(0, kt_hold(self->stage, 80));
	add(_metadata, self, (struct kt_burn){ .policy = SCHED_FIFO, .priority = 3 });
	add(_metadata, self, (struct kt_burn){ .policy = SCHED_OTHER });
	kt_rq_ask(self->queues, KT_RQ_CPU);
	self->queues->head.tasks_room = 1;
	EXPECT_EQ(0, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	EXPECT_TRUE(self->queues->head.flags & KTWIN_RQ_MORE);
	EXPECT_EQ(1, self->queues->head.tasks_filled);
	EXPECT_EQ(1, cpu->listed);
	EXPECT_LE(2, cpu->unlisted);
	kt_rq_ask(self->queues, -1);
	self->queues->head.cpus_room = 1;
	EXPECT_EQ(0, kt_call(self->fd, KTWIN_IOC_RQ, &self->queues->head));
	EXPECT_TRUE(self->queues->head.flags & KTWIN_RQ_MORE_CPUS);
	EXPECT_EQ(1, self->queues->head.cpus_filled);
}

TEST_HARNESS_MAIN
