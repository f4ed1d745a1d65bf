/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions about run queues, and tasks placed on one.
 *
 * The test runs on CPU 0 under SCHED_FIFO, so that it is never kept from what it does; what it looks at is on CPU 1,
 * where its burners are bound. A burner spins in user space and is told by shared memory what to do; it is born on CPU
 * 0 behind the test and moved, so that its place on the queue is the test's doing. What is to stay queued is kept from
 * running by a holder of a higher class or priority.
 */
#ifndef KTWIN_TEST_RQ_H
#define KTWIN_TEST_RQ_H

#include <stdatomic.h>
#include <sys/mman.h>

#include "world.h"

#define KT_RQ_CPUS	64
#define KT_RQ_TASKS	4096
#define KT_RQ_CPU	1
#define KT_BURNERS	1024

struct kt_queues {
	struct ktwin_rq head;
	struct ktwin_rq_cpu cpus[KT_RQ_CPUS];
	struct ktwin_rq_task tasks[KT_RQ_TASKS];
};

static inline void kt_rq_ask(struct kt_queues *queues, __s32 cpu)
{
	memset(&queues->head, 0, sizeof(queues->head));
	queues->head = (struct ktwin_rq) {
		.size = sizeof(queues->head), .cpu = cpu,
		.cpus = (uintptr_t)queues->cpus, .cpu_size = sizeof(queues->cpus[0]), .cpus_room = KT_RQ_CPUS,
		.tasks = (uintptr_t)queues->tasks, .task_size = sizeof(queues->tasks[0]), .tasks_room = KT_RQ_TASKS,
	};
}

static inline int kt_rq(int device, __s32 cpu, struct kt_queues *queues)
{
	kt_rq_ask(queues, cpu);
	return kt_call(device, KTWIN_IOC_RQ, &queues->head);
}

static inline const struct ktwin_rq_task *kt_rq_find(const struct kt_queues *queues, __s32 tid)
{
	__u32 i;

	for (i = 0; i < queues->head.tasks_filled; i++) {
		if (queues->tasks[i].tid == tid)
			return &queues->tasks[i];
	}
	return NULL;
}

/* How a burner is to be scheduled; dl_ms: its deadline, at most KT_DL_PERIOD_MS, of which runtime is most. */
#define KT_DL_PERIOD_MS	4000

struct kt_burn {
	int policy, priority, nice;
	unsigned int dl_ms;
};

enum kt_order_to_burner {
	KT_BURN,	/* spin */
	KT_LEAVE,	/* write your number down, and end */
	KT_REST,	/* sleep until killed */
};

/* Shared by the test and its burners. */
struct kt_stage {
	atomic_int order;		/* enum kt_order_to_burner, for all but the holder */
	atomic_int holding;		/* the holder spins as long as this is 1 */
	atomic_int count;
	int left[KT_BURNERS];		/* pids, in the order in which they ran after KT_LEAVE */
	pid_t burners[KT_BURNERS];
	int burning;
	pid_t holder;
};

struct kt_sched_attr {
	__u32 size, sched_policy;
	__u64 sched_flags;
	__s32 sched_nice;
	__u32 sched_priority;
	__u64 sched_runtime, sched_deadline, sched_period;
};

static inline int kt_set_burn(pid_t pid, const struct kt_burn *burn)
{
	struct kt_sched_attr attr = {
		.size = sizeof(attr), .sched_policy = burn->policy, .sched_nice = burn->nice,
		.sched_priority = burn->priority, .sched_runtime = burn->dl_ms * 900000ULL,
		.sched_deadline = burn->dl_ms * 1000000ULL,
		.sched_period = burn->dl_ms ? KT_DL_PERIOD_MS * 1000000ULL : 0,
	};

	return syscall(SYS_sched_setattr, pid, &attr, 0) ? -errno : 0;
}

static inline int kt_bind(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(pid, sizeof(set), &set) ? -errno : 0;
}

static inline int kt_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/*
 * What is busy for a while is asked again: deadline tasks, gone by then, keep their share for up to a period, on 6.12 even
 * longer in its books, and neither does a limit come nor a CPU go that leaves less.
 */
static inline int kt_write_patiently(const char *path, const char *text)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	int err;

	do {
		err = kt_write(path, text);
		if (err == -EBUSY)
			kt_sleep_ms(50);
	} while (err == -EBUSY && kt_now_ms() < end);
	return err;
}

/*
 * Until the share of every deadline task that has ended is given back: a timer does that, up to a period later. When it
 * fires on 6.1 while a CPU comes back, the kernel divides by the number of CPUs there, which is 0 then, with ktwin or
 * without. So this is waited for before a CPU is switched, and rq_storm comes before what has deadline tasks.
 */
static inline void kt_await_deadlines(void)
{
	kt_sleep_ms(2 * KT_DL_PERIOD_MS);
}

/* The test: on CPU 0, before all others; its children are ordinary. */
static inline int kt_take_the_stage(void)
{
	struct sched_param param = { .sched_priority = 90 };

	if (kt_bind(0, 0))
		return -errno;
	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) ? -errno : 0;
}

/*
 * Real time is not to be throttled while a holder keeps others waiting; and without a limit deadline tasks may be bound
 * to a CPU, too. Where there is a fair server it still may run a fair task for a moment, a second after the holder
 * came.
 */
static inline int kt_no_limits(bool off)
{
	return kt_write_patiently("/proc/sys/kernel/sched_rt_runtime_us", off ? "-1" : "950000");
}

static inline void kt_burner(struct kt_stage *stage)
{
	while (atomic_load_explicit(&stage->order, memory_order_relaxed) == KT_BURN)
		;
	if (atomic_load(&stage->order) == KT_LEAVE) {
		stage->left[atomic_fetch_add(&stage->count, 1)] = getpid();
		_exit(0);
	}
	for (;;)
		pause();
}

static inline struct kt_stage *kt_stage_open(void)
{
	return mmap(NULL, sizeof(struct kt_stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static inline pid_t kt_born(void)
{
	pid_t maker = getpid(), child = fork();

	if (!child) {
		kt_leash();
		/* A maker that ended before that pulls no leash. */
		if (getppid() != maker)
			_exit(96);
	}
	return child;
}

/* Onto CPU 1. Returns the burner's pid. */
static inline pid_t kt_add_burner(struct kt_stage *stage, const struct kt_burn *burn)
{
	pid_t child = kt_born();
	int err;

	if (!child)
		kt_burner(stage);
	if (child < 0)
		return -errno;
	stage->burners[stage->burning++] = child;
	/* Others have work on CPU 0 too, RCU before all. */
	if (stage->burning % 16 == 0)
		kt_sleep_ms(2);
	/* A deadline task would have CPU 0 for itself; all others stay behind the test there. */
	err = burn->dl_ms ? kt_bind(child, KT_RQ_CPU) : kt_set_burn(child, burn);
	if (!err)
		err = burn->dl_ms ? kt_set_burn(child, burn) : kt_bind(child, KT_RQ_CPU);
	return err ? err : child;
}

/* Takes CPU 1, at this priority, until holding is 0. */
static inline int kt_hold(struct kt_stage *stage, int priority)
{
	const struct kt_burn burn = { .policy = SCHED_FIFO, .priority = priority };
	pid_t child;
	int err;

	atomic_store(&stage->holding, 1);
	child = kt_born();
	if (!child) {
		while (atomic_load_explicit(&stage->holding, memory_order_relaxed))
			;
		_exit(0);
	}
	/* Not straight into stage: the child would write its 0 there. */
	stage->holder = child;
	err = kt_set_burn(child, &burn);
	return err ? err : kt_bind(child, KT_RQ_CPU);
}

/* All are killed before one is waited for: it has to run to end, which one of the others would keep it from. */
static inline void kt_clear_stage(struct kt_stage *stage)
{
	int i;

	atomic_store(&stage->holding, 0);
	for (i = 0; i < stage->burning; i++)
		kill(stage->burners[i], SIGKILL);
	if (stage->holder > 0)
		kt_end(stage->holder);
	stage->holder = 0;
	while (stage->burning)
		waitpid(stage->burners[--stage->burning], NULL, 0);
	atomic_store(&stage->order, KT_BURN);
	atomic_store(&stage->count, 0);
}

/* Until this task has CPU 1; the answer is in queues. */
static inline bool kt_wait_running(int device, pid_t tid, struct kt_queues *queues)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (kt_rq(device, KT_RQ_CPU, queues))
			return false;
		if (queues->cpus[0].curr.tid == tid)
			return true;
		kt_sleep_ms(2);
	} while (kt_now_ms() < end);
	return false;
}

static inline bool kt_has_cpu(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > KT_RQ_CPU;
}

#define KT_TAKE_STAGE(stage)							\
	do {									\
		if (!kt_has_cpu())						\
			SKIP(return, "needs two CPUs");				\
		(stage) = kt_stage_open();					\
		ASSERT_TRUE((void *)(stage) != MAP_FAILED);			\
		ASSERT_EQ(0, kt_no_limits(true));				\
		ASSERT_EQ(0, kt_take_the_stage());				\
	} while (0)

#endif
