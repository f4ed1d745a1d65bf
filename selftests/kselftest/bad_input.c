// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a caller can do wrong, on every command: each gets the error that ktwin.h names, and nothing else happens.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/poll.h>

#include "lab.h"

#define UNMAPPED	0x1000UL
#define KERNEL_ADDRESS	0xffff888000000000UL
#define UNKNOWN_FLAG	0x80000000U

/* Larger than any argument by far more than a reserved tail. */
union argument {
	__u32 size;
	struct {
		__u32 size;
		__u32 flags;
	} head;
	struct ktwin_mirror mirror;
	struct ktwin_audit_rate rate;
	struct ktwin_read read;
	struct ktwin_explain explain;
	struct ktwin_stream stream;
	struct ktwin_waiters waiters;
	struct ktwin_sleep sleep;
	struct ktwin_inject inject;
	struct ktwin_compare compare;
	struct ktwin_bench bench;
	struct ktwin_bench_ids bench_ids;
	struct ktwin_switches switches;
	struct ktwin_lab lab;
	struct ktwin_lab_create lab_create;
	struct ktwin_lab_pid_max lab_pid_max;
	struct ktwin_lab_alloc lab_alloc;
	struct ktwin_lab_free lab_free;
	struct ktwin_lab_find lab_find;
	struct ktwin_lab_role lab_role;
	struct ktwin_lab_kill lab_kill;
	struct ktwin_lab_stats lab_stats;
	char bytes[1024];
};

static struct ktwin_pid records[512];

static void fill_nothing(union argument *argument)
{
}

static void fill_mirror(union argument *argument)
{
	argument->mirror.op = KTWIN_MIRROR_ON;
}

static void fill_read(union argument *argument)
{
	argument->read.buffer = (uintptr_t)records;
	argument->read.record_size = sizeof(records[0]);
	argument->read.room = ARRAY_SIZE(records);
}

static void fill_explain(union argument *argument)
{
	argument->explain.nr = 1;
}

static void fill_waiters(union argument *argument)
{
	argument->waiters.pid = getpid();
}

static void fill_sleep(union argument *argument)
{
	argument->sleep.tid = getpid();
}

static void fill_inject(union argument *argument)
{
	argument->inject.kind = KTWIN_INJECT_DROP;
	argument->inject.nr = 4194303; /* nobody has it: a refusal, but one from beyond the checks of the argument */
}

static void fill_compare(union argument *argument)
{
	argument->compare.operations = 100;
	argument->compare.pid_max = 64;
	argument->compare.levels = 1;
}

static void fill_bench(union argument *argument)
{
	argument->bench.waiters = 2;
	argument->bench.calls = 1;
	argument->bench.rounds = 1;
}

static void fill_bench_ids(union argument *argument)
{
	argument->bench_ids.who[0] = KTWIN_IDS_TWIN;
	argument->bench_ids.who[1] = KTWIN_IDS_IDR;
	argument->bench_ids.limit = 64;
	argument->bench_ids.operations = 1;
	argument->bench_ids.rounds = 1;
	argument->bench_ids.levels = 1;
}

static void fill_lab_create(union argument *argument)
{
	argument->lab_create.parent = 1;
}

static void fill_lab_pid_max(union argument *argument)
{
	argument->lab_pid_max.ns = 1;
}

static void fill_lab_alloc(union argument *argument)
{
	argument->lab_alloc.ns = 1;
}

/* Nobody has it: a refusal from beyond the checks of the argument, as are the next two. */
static void fill_lab_free(union argument *argument)
{
	argument->lab_free.ns = 1;
	argument->lab_free.nr = 4242;
}

static void fill_lab_role(union argument *argument)
{
	argument->lab_role.op = KTWIN_LAB_DETACH;
	argument->lab_role.task = 4242;
}

static void fill_lab_kill(union argument *argument)
{
	argument->lab_kill.ns = 4242;
}

static void fill_lab_find(union argument *argument)
{
	argument->lab_find.ns = 1;
	argument->lab_find.nr = 1;
}

/* Of any of the records of a lab, the largest of which is this. */
static void fill_lab_read(union argument *argument)
{
	argument->read.buffer = (uintptr_t)records;
	argument->read.record_size = sizeof(struct ktwin_lab_pid);
	argument->read.room = 8;
}

static void fill_lab_read_in(union argument *argument)
{
	fill_lab_read(argument);
	argument->read.ns = 1;
}

FIXTURE(command) {
	int control;
	int stream;
	int lab;
	int fd;		/* the one the command is for */
	union argument argument;
};

FIXTURE_VARIANT(command) {
	unsigned long number;
	__u32 size;
	__u32 first_size; /* as the struct was before it grew; 0: it has not */
	void (*fill)(union argument *argument);
	int result;	/* of a correct call */
	int denied;	/* of one by another user, where it asks about the test itself */
	bool needs_admin, needs_lab, on_stream, on_lab;
};

FIXTURE_VARIANT_ADD(command, status) {
	.number = KTWIN_IOC_STATUS, .size = sizeof(struct ktwin_status), .fill = fill_nothing,
};

FIXTURE_VARIANT_ADD(command, mirror) {
	.number = KTWIN_IOC_MIRROR, .size = sizeof(struct ktwin_mirror), .fill = fill_mirror, .result = -EALREADY,
	.needs_admin = true,
};

FIXTURE_VARIANT_ADD(command, audit) {
	.number = KTWIN_IOC_AUDIT, .size = sizeof(struct ktwin_audit), .fill = fill_nothing,
	.first_size = offsetof(struct ktwin_audit, lockstep),
};

FIXTURE_VARIANT_ADD(command, audit_rate) {
	/* read, not set */
	.number = KTWIN_IOC_AUDIT_RATE, .size = sizeof(struct ktwin_audit_rate), .fill = fill_nothing,
};

FIXTURE_VARIANT_ADD(command, namespaces) {
	.number = KTWIN_IOC_NAMESPACES, .size = sizeof(struct ktwin_read), .fill = fill_read,
};

FIXTURE_VARIANT_ADD(command, pids) {
	.number = KTWIN_IOC_PIDS, .size = sizeof(struct ktwin_read), .fill = fill_read,
};

FIXTURE_VARIANT_ADD(command, divergences) {
	.number = KTWIN_IOC_DIVERGENCES, .size = sizeof(struct ktwin_read), .fill = fill_read,
};

FIXTURE_VARIANT_ADD(command, explain) {
	.number = KTWIN_IOC_EXPLAIN, .size = sizeof(struct ktwin_explain), .fill = fill_explain,
};

FIXTURE_VARIANT_ADD(command, stream) {
	.number = KTWIN_IOC_STREAM, .size = sizeof(struct ktwin_stream), .fill = fill_nothing,
};

FIXTURE_VARIANT_ADD(command, stream_ack) {
	.number = KTWIN_IOC_STREAM_ACK, .size = sizeof(struct ktwin_stream_ack), .fill = fill_nothing,
	.on_stream = true,
};

FIXTURE_VARIANT_ADD(command, waiters) {
	.number = KTWIN_IOC_WAITERS, .size = sizeof(struct ktwin_waiters), .fill = fill_waiters,
	.denied = -EACCES,
};

FIXTURE_VARIANT_ADD(command, sleep) {
	.number = KTWIN_IOC_SLEEP, .size = sizeof(struct ktwin_sleep), .fill = fill_sleep,
	.denied = -EACCES,
};

FIXTURE_VARIANT_ADD(command, inject) {
	.number = KTWIN_IOC_INJECT, .size = sizeof(struct ktwin_inject), .fill = fill_inject, .result = -ESRCH,
	.needs_admin = true, .needs_lab = true,
};

FIXTURE_VARIANT_ADD(command, compare) {
	.number = KTWIN_IOC_COMPARE, .size = sizeof(struct ktwin_compare), .fill = fill_compare,
	.needs_admin = true, .needs_lab = true,
};

FIXTURE_VARIANT_ADD(command, bench) {
	.number = KTWIN_IOC_BENCH, .size = sizeof(struct ktwin_bench), .fill = fill_bench,
	.needs_admin = true, .needs_lab = true,
};

FIXTURE_VARIANT_ADD(command, bench_ids) {
	.number = KTWIN_IOC_BENCH_IDS, .size = sizeof(struct ktwin_bench_ids), .fill = fill_bench_ids,
	.needs_admin = true, .needs_lab = true,
};

FIXTURE_VARIANT_ADD(command, switches) {
	.number = KTWIN_IOC_SWITCHES, .size = sizeof(struct ktwin_switches), .fill = fill_nothing, .needs_admin = true,
};

FIXTURE_VARIANT_ADD(command, lab) {
	.number = KTWIN_IOC_LAB, .size = sizeof(struct ktwin_lab), .fill = fill_nothing,
};

FIXTURE_VARIANT_ADD(command, lab_create) {
	.number = KTWIN_IOC_LAB_NS_CREATE, .size = sizeof(struct ktwin_lab_create), .fill = fill_lab_create,
	.on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_pid_max) {
	.number = KTWIN_IOC_LAB_PID_MAX, .size = sizeof(struct ktwin_lab_pid_max), .fill = fill_lab_pid_max,
	.on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_alloc) {
	.number = KTWIN_IOC_LAB_ALLOC, .size = sizeof(struct ktwin_lab_alloc), .fill = fill_lab_alloc,
	.on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_free) {
	.number = KTWIN_IOC_LAB_FREE, .size = sizeof(struct ktwin_lab_free), .fill = fill_lab_free, .result = -ESRCH,
	.on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_find) {
	.number = KTWIN_IOC_LAB_FIND, .size = sizeof(struct ktwin_lab_find), .fill = fill_lab_find, .on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_role) {
	.number = KTWIN_IOC_LAB_ROLE, .size = sizeof(struct ktwin_lab_role), .fill = fill_lab_role, .result = -ESRCH,
	.on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_kill) {
	.number = KTWIN_IOC_LAB_KILL, .size = sizeof(struct ktwin_lab_kill), .fill = fill_lab_kill, .result = -ESRCH,
	.on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_stats) {
	.number = KTWIN_IOC_LAB_STATS, .size = sizeof(struct ktwin_lab_stats), .fill = fill_nothing, .on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_namespaces) {
	.number = KTWIN_IOC_LAB_NAMESPACES, .size = sizeof(struct ktwin_read), .fill = fill_lab_read, .on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_pids) {
	.number = KTWIN_IOC_LAB_PIDS, .size = sizeof(struct ktwin_read), .fill = fill_lab_read_in, .on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_tasks) {
	.number = KTWIN_IOC_LAB_TASKS, .size = sizeof(struct ktwin_read), .fill = fill_lab_read, .on_lab = true,
};

FIXTURE_VARIANT_ADD(command, lab_leaves) {
	.number = KTWIN_IOC_LAB_LEAVES, .size = sizeof(struct ktwin_read), .fill = fill_lab_read_in, .on_lab = true,
};

FIXTURE_SETUP(command)
{
	struct ktwin_stream stream = { .size = sizeof(stream), .capacity = 64 };
	struct ktwin_audit audit;

	KT_OPEN_LIVE(self->control);
	if (variant->needs_lab)
		KT_NEED_LAB(self->control);
	if (variant->number == KTWIN_IOC_BENCH && kt_is_realtime())
		SKIP(return, "nothing is measured on PREEMPT_RT");
	self->stream = kt_call(self->control, KTWIN_IOC_STREAM, &stream);
	ASSERT_LE(0, self->stream);
	self->lab = kt_lab(self->control, KTWIN_LAB_TWIN);
	ASSERT_LE(0, self->lab);
	ASSERT_EQ(1, kt_lab_alloc(self->lab, 1, KTWIN_LAB_CYCLIC));
	self->fd = variant->on_stream ? self->stream : variant->on_lab ? self->lab : self->control;
	/* "the last background pass" is answered only once there was one */
	while (variant->number == KTWIN_IOC_AUDIT) {
		memset(&audit, 0, sizeof(audit));
		audit.size = sizeof(audit);
		if (kt_call(self->control, KTWIN_IOC_AUDIT, &audit) != -ENODATA)
			break;
		kt_sleep_ms(50);
	}
	memset(&self->argument, 0, sizeof(self->argument));
	self->argument.size = variant->size;
	variant->fill(&self->argument);
}

FIXTURE_TEARDOWN(command)
{
	close(self->lab);
	close(self->stream);
	close(self->control);
}

/* One call at a place of its own in memory; what it opened is closed again. */
static int call_at(const FIXTURE_VARIANT(command) *variant, int fd, void *argument)
{
	int result = kt_call(fd, variant->number, argument);

	if ((variant->number == KTWIN_IOC_STREAM || variant->number == KTWIN_IOC_SWITCHES ||
	     variant->number == KTWIN_IOC_LAB) && result > 0) {
		close(result);
		result = 0;
	}
	return result;
}

TEST_F(command, correct)
{
	EXPECT_EQ(variant->result, call_at(variant, self->fd, &self->argument));
}

TEST_F(command, size_wrong)
{
	self->argument.size = 0;
	EXPECT_EQ(-EINVAL, call_at(variant, self->fd, &self->argument));
	self->argument.size = 4;
	EXPECT_EQ(-EINVAL, call_at(variant, self->fd, &self->argument));
	self->argument.size = (variant->first_size ? variant->first_size : variant->size) - 1;
	EXPECT_EQ(-EINVAL, call_at(variant, self->fd, &self->argument));
}

/* A program built before the struct grew. */
TEST_F(command, size_first)
{
	if (!variant->first_size)
		SKIP(return, "it has not grown");
	self->argument.size = variant->first_size;
	EXPECT_EQ(variant->result, call_at(variant, self->fd, &self->argument));
}

/* A program built for a later kernel. */
TEST_F(command, size_larger)
{
	self->argument.size = variant->size + 8;
	EXPECT_EQ(variant->result, call_at(variant, self->fd, &self->argument));
	self->argument.size = variant->size + 8;
	self->argument.bytes[variant->size + 7] = 1;
	EXPECT_EQ(-E2BIG, call_at(variant, self->fd, &self->argument));
	self->argument.size = UINT32_MAX;
	EXPECT_EQ(-E2BIG, call_at(variant, self->fd, &self->argument));
}

/* Written back is what was read, and no byte more. */
TEST_F(command, stays_inside)
{
	self->argument.size = variant->size;
	memset(self->argument.bytes + variant->size, 0xa5, 64);
	EXPECT_EQ(variant->result, call_at(variant, self->fd, &self->argument));
	EXPECT_EQ((char)0xa5, self->argument.bytes[variant->size]);
	EXPECT_EQ(variant->size, self->argument.size);
}

TEST_F(command, pointer)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = pages + page;

	ASSERT_NE(MAP_FAILED, (void *)pages);
	ASSERT_EQ(0, munmap(end, page));
	EXPECT_EQ(-EFAULT, call_at(variant, self->fd, NULL));
	EXPECT_EQ(-EFAULT, call_at(variant, self->fd, (void *)UNMAPPED));
	EXPECT_EQ(-EFAULT, call_at(variant, self->fd, (void *)KERNEL_ADDRESS));
	EXPECT_EQ(-EFAULT, call_at(variant, self->fd, (void *)-1L));
	/* the size is there, the rest is not */
	memcpy(end - 8, &self->argument, 8);
	EXPECT_EQ(-EFAULT, call_at(variant, self->fd, end - 8));
	/* whole, at the very end */
	memcpy(end - variant->size, &self->argument, variant->size);
	EXPECT_EQ(variant->result, call_at(variant, self->fd, end - variant->size));
}

TEST_F(command, flag)
{
	self->argument.head.flags |= UNKNOWN_FLAG;
	EXPECT_EQ(-EINVAL, call_at(variant, self->fd, &self->argument));
}

TEST_F(command, zero_field)
{
	switch (variant->number) {
	case KTWIN_IOC_MIRROR:
		self->argument.mirror.zero = 1;
		break;
	case KTWIN_IOC_AUDIT_RATE:
		self->argument.rate.zero = 1;
		break;
	case KTWIN_IOC_NAMESPACES:
	case KTWIN_IOC_PIDS:
	case KTWIN_IOC_DIVERGENCES:
	case KTWIN_IOC_LAB_NAMESPACES:
	case KTWIN_IOC_LAB_PIDS:
	case KTWIN_IOC_LAB_TASKS:
	case KTWIN_IOC_LAB_LEAVES:
		self->argument.read.zero = 1;
		break;
	case KTWIN_IOC_LAB_ALLOC:
		self->argument.lab_alloc.zero2 = 1;
		EXPECT_EQ(-EINVAL, call_at(variant, self->fd, &self->argument));
		self->argument.lab_alloc.zero2 = 0;
		self->argument.lab_alloc.zero = 1;
		break;
	case KTWIN_IOC_EXPLAIN:
		self->argument.explain.zero = 1;
		break;
	case KTWIN_IOC_STREAM:
		self->argument.stream.zero = 1;
		break;
	case KTWIN_IOC_INJECT:
		self->argument.inject.zero = 1;
		break;
	case KTWIN_IOC_COMPARE:
		self->argument.compare.zero = 1;
		break;
	case KTWIN_IOC_BENCH:
		self->argument.bench.zero = 1;
		break;
	case KTWIN_IOC_BENCH_IDS:
		self->argument.bench_ids.zero = 1;
		break;
	case KTWIN_IOC_SWITCHES:
		self->argument.switches.zero = 1;
		break;
	default:
		SKIP(return, "it has none");
	}
	EXPECT_EQ(-EINVAL, call_at(variant, self->fd, &self->argument));
}

TEST_F(command, wrong_kind_of_fd)
{
	EXPECT_EQ(-ENOTTY, call_at(variant, variant->on_stream ? self->control : self->stream, &self->argument));
	EXPECT_EQ(-ENOTTY, call_at(variant, variant->on_lab ? self->control : self->lab, &self->argument));
}

/* The fd was passed to one who could not have opened it: reading goes on, control does not. */
TEST_F(command, unprivileged)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (kt_become_nobody())
			_exit(1);
		EXPECT_EQ(-EACCES, kt_open());
		EXPECT_EQ(variant->needs_admin ? -EPERM : variant->denied ? variant->denied : variant->result,
			  call_at(variant, self->fd, &self->argument));
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Root of a user namespace of one's own is nobody here. */
TEST_F(command, user_namespace)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (kt_become_nobody() || unshare(CLONE_NEWUSER))
			_exit(1);
		EXPECT_EQ(variant->needs_admin ? -EPERM : variant->denied ? variant->denied : variant->result,
			  call_at(variant, self->fd, &self->argument));
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST(unknown_command)
{
	union argument argument = { .size = 64 };
	int fd;

	KT_OPEN_LIVE(fd);
	EXPECT_EQ(-ENOTTY, kt_call(fd, _IO(KTWIN_IOC_MAGIC, 0x3f), &argument));
	EXPECT_EQ(-ENOTTY, kt_call(fd, _IO(KTWIN_IOC_MAGIC, 0xff), &argument));
	EXPECT_EQ(-ENOTTY, kt_call(fd, _IO(KTWIN_IOC_MAGIC - 1, 0), &argument));
	EXPECT_EQ(-ENOTTY, kt_call(fd, _IOWR(KTWIN_IOC_MAGIC, 0, struct ktwin_status), &argument));
	EXPECT_EQ(-ENOTTY, kt_call(fd, 0x5401, &argument)); /* TCGETS */
	EXPECT_EQ(-ENOTTY, kt_call(fd, UINT32_MAX, &argument));
}

TEST(lab_closed)
{
	union argument argument;
	int fd;

	KT_OPEN_LIVE(fd);
	if (kt_is_lab(fd))
		SKIP(return, "needs kt_lab=0");
	memset(&argument, 0, sizeof(argument));
	argument.size = sizeof(argument.inject);
	fill_inject(&argument);
	EXPECT_EQ(-EOPNOTSUPP, kt_call(fd, KTWIN_IOC_INJECT, &argument));
	memset(&argument, 0, sizeof(argument));
	argument.size = sizeof(argument.compare);
	fill_compare(&argument);
	EXPECT_EQ(-EOPNOTSUPP, kt_call(fd, KTWIN_IOC_COMPARE, &argument));
	memset(&argument, 0, sizeof(argument));
	argument.size = sizeof(argument.bench);
	fill_bench(&argument);
	EXPECT_EQ(-EOPNOTSUPP, kt_call(fd, KTWIN_IOC_BENCH, &argument));
	memset(&argument, 0, sizeof(argument));
	argument.size = sizeof(argument.bench_ids);
	fill_bench_ids(&argument);
	EXPECT_EQ(-EOPNOTSUPP, kt_call(fd, KTWIN_IOC_BENCH_IDS, &argument));
}

TEST(mirror_op)
{
	int fd;

	KT_OPEN_LIVE(fd);
	EXPECT_EQ(-EINVAL, kt_mirror(fd, KTWIN_LOCKSTEP_ON + 1));
	EXPECT_EQ(-EINVAL, kt_mirror(fd, UINT32_MAX));
}

TEST(audit_rate)
{
	struct ktwin_audit_rate rate = { .size = sizeof(rate) }, was;
	int fd;

	KT_OPEN_LIVE(fd);
	ASSERT_EQ(0, kt_call(fd, KTWIN_IOC_AUDIT_RATE, &rate));
	was = rate;
	was.flags = KTWIN_AUDIT_RATE_SET;
#define EXPECT_RATE(result, member, value)						\
	do {										\
		rate = was;								\
		rate.member = value;							\
		EXPECT_EQ(result, kt_call(fd, KTWIN_IOC_AUDIT_RATE, &rate));		\
	} while (0)
	EXPECT_RATE(-ERANGE, interval_ms, 9);
	EXPECT_RATE(-ERANGE, interval_ms, 3600001);
	EXPECT_RATE(-ERANGE, batch, 63);
	EXPECT_RATE(-ERANGE, batch, 1048577);
	EXPECT_RATE(-ERANGE, cpu_percent, 0);
	EXPECT_RATE(-ERANGE, cpu_percent, 101);
	if (!fork()) {
		if (kt_become_nobody())
			_exit(1);
		EXPECT_RATE(-EPERM, interval_ms, 2000);
		_exit(0);
	}
	wait(NULL);
	EXPECT_RATE(0, interval_ms, 0);
	EXPECT_RATE(0, interval_ms, 10);
	EXPECT_RATE(0, batch, 1048576);
	EXPECT_RATE(0, cpu_percent, 1);
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_AUDIT_RATE, &was));
	memset(&rate, 0, sizeof(rate));
	rate.size = sizeof(rate);
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_AUDIT_RATE, &rate));
	EXPECT_EQ(was.interval_ms, rate.interval_ms);
	EXPECT_EQ(was.batch, rate.batch);
	EXPECT_EQ(was.cpu_percent, rate.cpu_percent);
}

TEST(read_room_and_record)
{
	struct ktwin_read read = { .size = sizeof(read), .buffer = (uintptr_t)records };
	int fd;

	KT_OPEN_LIVE(fd);
	read.record_size = sizeof(records[0]);
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_PIDS, &read)); /* room 0 */
	read.room = 1;
	read.record_size = sizeof(struct ktwin_pid) - 1;
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_PIDS, &read));
	read.record_size = 0;
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_PIDS, &read));
	read.record_size = sizeof(struct ktwin_ns) - 1;
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_NAMESPACES, &read));
	read.record_size = offsetof(struct ktwin_divergence, kernel_nr) - 1; /* as the first version had it */
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_DIVERGENCES, &read));
}

/* Records as a later program knows them: the tail it does not get is zeros, not what was there. */
TEST(read_larger_record)
{
	struct {
		struct ktwin_pid pid;
		__u64 later;
	} large[4];
	struct ktwin_read read = {
		.size = sizeof(read), .buffer = (uintptr_t)large, .record_size = sizeof(large[0]), .room = 3,
	};
	int fd, i;

	KT_OPEN_LIVE(fd);
	memset(large, 0xa5, sizeof(large));
	ASSERT_EQ(0, kt_call(fd, KTWIN_IOC_PIDS, &read));
	ASSERT_EQ(3, read.filled);
	EXPECT_EQ(1, read.more);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, large[i].later);
		EXPECT_LT(0, large[i].pid.upids[0].nr);
	}
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5ULL, large[3].later);
}

TEST(read_huge_room)
{
	struct ktwin_read read = { .size = sizeof(read), .record_size = sizeof(struct ktwin_pid), .room = UINT32_MAX };
	size_t length = 65536 * sizeof(struct ktwin_pid);
	struct ktwin_pid *all = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	KT_OPEN_LIVE(fd);
	ASSERT_NE(MAP_FAILED, (void *)all);
	read.buffer = (uintptr_t)all;
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_PIDS, &read));
	EXPECT_LT(10, read.filled);
	EXPECT_GE(65536, read.filled);
	EXPECT_EQ(0, read.more);
	/* room * record_size overflows 32 bits, and 64 */
	read.cursor = 0;
	read.record_size = UINT32_MAX;
	EXPECT_GT(0, kt_call(fd, KTWIN_IOC_PIDS, &read));
	munmap(all, length);
}

TEST(read_pointer)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ktwin_read read = { .size = sizeof(read), .record_size = sizeof(struct ktwin_pid), .room = 100 };
	const __u64 bad[] = { 0, UNMAPPED, KERNEL_ADDRESS, -1UL, -(__u64)sizeof(struct ktwin_pid) };
	size_t i;
	int fd;

	KT_OPEN_LIVE(fd);
	ASSERT_NE(MAP_FAILED, (void *)pages);
	ASSERT_EQ(0, munmap(pages + page, page));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		read.cursor = 0;
		read.buffer = bad[i];
		EXPECT_EQ(-EFAULT, kt_call(fd, KTWIN_IOC_PIDS, &read));
		EXPECT_EQ(-EFAULT, kt_call(fd, KTWIN_IOC_NAMESPACES, &read));
	}
	/* space for one record, said to be for a hundred */
	read.cursor = 0;
	read.buffer = (uintptr_t)(pages + page - sizeof(struct ktwin_pid));
	EXPECT_EQ(-EFAULT, kt_call(fd, KTWIN_IOC_PIDS, &read));
}

TEST(read_any_cursor)
{
	const __u64 cursors[] = { 1, 4194303, 4194304, UINT32_MAX, 1ULL << 32, INT64_MAX, UINT64_MAX };
	struct ktwin_read read = { .size = sizeof(read), .buffer = (uintptr_t)records, .room = 8 };
	size_t i;
	int fd, result;

	KT_OPEN_LIVE(fd);
	for (i = 0; i < ARRAY_SIZE(cursors); i++) {
		read.cursor = cursors[i];
		read.record_size = sizeof(struct ktwin_pid);
		result = kt_call(fd, KTWIN_IOC_PIDS, &read);
		EXPECT_TRUE(!result || result == -EINVAL);
		read.cursor = cursors[i];
		result = kt_call(fd, KTWIN_IOC_NAMESPACES, &read);
		EXPECT_TRUE(!result || result == -EINVAL);
		read.cursor = cursors[i];
		result = kt_call(fd, KTWIN_IOC_DIVERGENCES, &read);
		EXPECT_TRUE(!result || result == -EINVAL);
	}
}

/* Each reader of a lab fills whole records, and none that is too short. */
TEST(lab_records)
{
	static const struct {
		unsigned long number;
		__u32 ns, size;
	} readers[] = {
		{ KTWIN_IOC_LAB_NAMESPACES, 0, sizeof(struct ktwin_lab_ns) },
		{ KTWIN_IOC_LAB_PIDS, 1, sizeof(struct ktwin_lab_pid) },
		{ KTWIN_IOC_LAB_TASKS, 0, sizeof(struct ktwin_lab_task) },
		{ KTWIN_IOC_LAB_LEAVES, 1, sizeof(struct ktwin_lab_leaf) },
	};
	struct ktwin_read read;
	int fd, lab;
	size_t i;

	KT_OPEN_LIVE(fd);
	lab = kt_lab(fd, KTWIN_LAB_TWIN);
	ASSERT_LE(0, lab);
	ASSERT_LT(0, kt_lab_task(lab, 1, KTWIN_LAB_CYCLIC, NULL));
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		read = (struct ktwin_read) {
			.size = sizeof(read), .buffer = (uintptr_t)records, .record_size = readers[i].size - 1,
			.room = 4, .ns = readers[i].ns,
		};
		EXPECT_EQ(-EINVAL, kt_call(lab, readers[i].number, &read));
		read.record_size = readers[i].size;
		EXPECT_EQ(0, kt_call(lab, readers[i].number, &read));
		EXPECT_EQ(1, read.filled);
		EXPECT_EQ(0, read.more);
		read.cursor = 0;
		read.room = 0;
		EXPECT_EQ(-EINVAL, kt_call(lab, readers[i].number, &read));
		read.room = 4;
		read.buffer = UNMAPPED;
		EXPECT_EQ(-EFAULT, kt_call(lab, readers[i].number, &read));
		read.buffer = KERNEL_ADDRESS;
		EXPECT_EQ(-EFAULT, kt_call(lab, readers[i].number, &read));
	}
}

TEST(explain_pointer)
{
	const __u64 bad[] = { UNMAPPED, KERNEL_ADDRESS, -1UL };
	struct ktwin_role roles[8];
	struct ktwin_explain good = {
		.size = sizeof(good), .nr = 1, .pid = (uintptr_t)records, .pid_size = sizeof(records[0]),
		.roles = (uintptr_t)roles, .role_size = sizeof(roles[0]), .roles_room = ARRAY_SIZE(roles),
	}, explain = good;
	size_t i;
	int fd;

	KT_OPEN_LIVE(fd);
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_EXPLAIN, &explain));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		explain = good;
		explain.pid = bad[i];
		EXPECT_EQ(-EFAULT, kt_call(fd, KTWIN_IOC_EXPLAIN, &explain));
		explain = good;
		explain.roles = bad[i];
		EXPECT_EQ(-EFAULT, kt_call(fd, KTWIN_IOC_EXPLAIN, &explain));
	}
	explain = good;
	explain.pid_size = sizeof(records[0]) - 1;
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_EXPLAIN, &explain));
	explain = good;
	explain.role_size = sizeof(roles[0]) - 1;
	EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_EXPLAIN, &explain));
	/* too short is not wrong: the totals say what did not fit */
	explain = good;
	explain.roles_room = 1;
	EXPECT_EQ(0, kt_call(fd, KTWIN_IOC_EXPLAIN, &explain));
	EXPECT_EQ(1, explain.roles_filled);
	EXPECT_LT(1, explain.role_count[0] + explain.role_count[1] + explain.role_count[2] + explain.role_count[3]);
}

TEST(explain_nobody)
{
	const __s32 numbers[] = { 0, -1, INT32_MIN, INT32_MAX, 4194303 };
	struct kt_explained explained;
	size_t i;
	int fd;

	KT_OPEN_LIVE(fd);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		EXPECT_EQ(-ESRCH, kt_explain(fd, 0, numbers[i], &explained));
	}
	EXPECT_EQ(-ESRCH, kt_explain(fd, 1, 1, &explained));
	EXPECT_EQ(-ESRCH, kt_explain(fd, UINT32_MAX, 1, &explained));
	/* an inode of another kind of namespace */
	EXPECT_EQ(-ESRCH, kt_explain(fd, kt_ns_inode(getpid(), "uts"), 1, &explained));
}

TEST(namespace_died_meanwhile)
{
	struct kt_explained explained;
	struct ktwin_pid *pids = NULL;
	struct ktwin_ns ns;
	struct kt_line line;
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	pid_t init;
	__u32 inode;
	int fd;

	KT_OPEN_LIVE(fd);
	ASSERT_EQ(0, kt_line_open(&line));
	init = kt_make_waiting(&line, CLONE_NEWPID);
	ASSERT_LT(0, init);
	ASSERT_EQ(init, kt_hear(&line));
	inode = kt_ns_inode(init, "pid");
	EXPECT_EQ(1, kt_pids(fd, inode, &pids));
	EXPECT_EQ(0, kt_explain(fd, inode, 1, &explained));
	kt_end(init);
	while (!kt_namespace(fd, inode, &ns) && kt_now_ms() < end)
		kt_sleep_ms(5);
	free(pids);
	EXPECT_EQ(-ESRCH, kt_pids(fd, inode, &pids));
	EXPECT_EQ(-ESRCH, kt_explain(fd, inode, 1, &explained));
	if (kt_is_lab(fd)) {
		EXPECT_EQ(-ESRCH, kt_inject(fd, KTWIN_INJECT_DROP, inode, 1));
		EXPECT_EQ(-ESRCH, kt_inject(fd, KTWIN_INJECT_ADD, inode, 1));
	}
}

TEST(stream_capacity)
{
	const __u32 bad[] = { 1, 32, 63, 65, 100, 1048577, 2097152, UINT32_MAX, 1U << 31 };
	struct ktwin_stream stream = { .size = sizeof(stream) };
	size_t i;
	int fd;

	KT_OPEN_LIVE(fd);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		stream.capacity = bad[i];
		EXPECT_EQ(-EINVAL, kt_call(fd, KTWIN_IOC_STREAM, &stream));
	}
}

TEST(lab_values)
{
	struct ktwin_compare compare = { .size = sizeof(compare), .operations = 10, .pid_max = 64, .levels = 1 }, was = compare;
	int fd;

	KT_OPEN_LIVE(fd);
	KT_NEED_LAB(fd);
#define EXPECT_RANGE(member, value)							\
	do {										\
		compare = was;								\
		compare.member = value;							\
		EXPECT_EQ(-ERANGE, kt_call(fd, KTWIN_IOC_COMPARE, &compare));		\
	} while (0)
	EXPECT_RANGE(operations, 0);
	EXPECT_RANGE(operations, 10000001);
	EXPECT_RANGE(pid_max, 1);
	EXPECT_RANGE(pid_max, 4194305);
	EXPECT_RANGE(levels, 0);
	EXPECT_RANGE(levels, 34);
	EXPECT_EQ(-EINVAL, kt_inject(fd, 0, 0, 1));
	EXPECT_EQ(-EINVAL, kt_inject(fd, KTWIN_INJECT_MISPREDICT + 1, 0, 1));
	EXPECT_EQ(-EEXIST, kt_inject(fd, KTWIN_INJECT_ADD, 0, getpid()));
	EXPECT_EQ(-ESRCH, kt_inject(fd, KTWIN_INJECT_SWAP, 0, 4194303));
	kt_expect_audit_clean(_metadata, fd);
}

/* What the device is not: a file to read, write or map. */
TEST(not_a_file)
{
	char byte = 0;
	int fd;

	KT_OPEN_LIVE(fd);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

/* After all of this the twin still vouches for every number. */
TEST(unharmed)
{
	int fd;

	KT_OPEN_LIVE(fd);
	kt_expect_audit_clean(_metadata, fd);
}

TEST_HARNESS_MAIN
