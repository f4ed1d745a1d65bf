// SPDX-License-Identifier: GPL-2.0-only
/*
 * A minute of every call at once, from threads on all CPUs, on a lab of each kind in turn, while others read, memory is
 * short and caches are dropped; labs that end while calls are inside; labs in a control group that has no room for them.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lab.h"

#define STORM_MS	8000
#define WORKERS		2

struct storm {
	int lab;
	__u32 has;
	uint64_t end_ms;
	int bad;		/* an answer that should not be */
	int where;		/* the line that had it */
	uint64_t calls, made, read;
	unsigned int seed;
	__u32 spaces, tasks;	/* about so many numbers were given */
	bool stop;
	unsigned char *owned;	/* flat: who has the number */
};

static unsigned int below(unsigned int *seed, unsigned int bound)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % bound;
}

static void bad(struct storm *storm, int result, int where)
{
	int none = 0;

	if (__atomic_compare_exchange_n(&storm->bad, &none, result ? result : 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		storm->where = where;
}

/* result is at least 0 or one of these. */
#define ALLOWED(storm, call, ...)								\
	({											\
		static const int allowed[] = { __VA_ARGS__ };					\
		int result_ = (call);								\
		size_t at_;									\
												\
		for (at_ = 0; result_ < 0 && at_ < ARRAY_SIZE(allowed); at_++) {		\
			if (result_ == allowed[at_])						\
				break;								\
		}										\
		if (result_ < 0 && at_ == ARRAY_SIZE(allowed))					\
			bad(storm, result_, __LINE__);						\
		result_;									\
	})

static bool goes_on(struct storm *storm)
{
	return !__atomic_load_n(&storm->bad, __ATOMIC_RELAXED) && !__atomic_load_n(&storm->stop, __ATOMIC_RELAXED) &&
	       kt_now_ms() < storm->end_ms;
}

/* One of the last given, or the next: numbers of namespaces and tasks only rise. Not 1, with which all else would end. */
static __u32 some(__u32 *count, __u32 last, unsigned int *seed)
{
	__u32 top = __atomic_load_n(count, __ATOMIC_RELAXED) + 1, back = below(seed, last);

	return back + 2 < top ? top - back : 2;
}

static __u32 some_space(struct storm *storm, unsigned int *seed)
{
	return below(seed, 3) ? some(&storm->spaces, 60, seed) : 1;
}

static __u32 some_task(struct storm *storm, unsigned int *seed)
{
	return some(&storm->tasks, 4000, seed);
}

static void note(__u32 *count, __u32 given)
{
	if (given > __atomic_load_n(count, __ATOMIC_RELAXED))
		__atomic_store_n(count, given, __ATOMIC_RELAXED);
}

static __u32 some_order(struct storm *storm, unsigned int *seed)
{
	if (storm->has & KTWIN_LAB_HAS_CYCLIC)
		return below(seed, 4) ? KTWIN_LAB_CYCLIC : KTWIN_LAB_LOWEST;
	return storm->has & KTWIN_LAB_HAS_ANY ? KTWIN_LAB_ANY : KTWIN_LAB_LOWEST;
}

static void allocate(struct storm *storm, unsigned int *seed)
{
	struct ktwin_lab_alloc alloc = {
		.ns = some_space(storm, seed), .how = some_order(storm, seed),
		.flags = below(seed, 2) ? KTWIN_LAB_WITH_TASK : 0, .wanted = below(seed, 10) ? 0 : 1,
	};

	alloc.numbers[0] = 1 + below(seed, 2000);
	if (ALLOWED(storm, kt_lab_alloc_call(storm->lab, &alloc), -EAGAIN, -ENOMEM, -ESRCH, -EEXIST, -EINVAL) == 0) {
		note(&storm->tasks, alloc.task);
		__atomic_add_fetch(&storm->made, 1, __ATOMIC_RELAXED);
	}
}

static void look(struct storm *storm, unsigned int *seed)
{
	__u32 ns = some_space(storm, seed);
	struct ktwin_lab_pid pid;
	int nr = below(seed, 2100);

	if (below(seed, 2))
		nr = ALLOWED(storm, kt_lab_next(storm->lab, ns, nr, &pid), -ESRCH);
	else if (ALLOWED(storm, kt_lab_find(storm->lab, ns, nr, &pid), -ESRCH))
		return;
	if (nr >= 0 && kt_lab_nr_in(&pid, ns) != nr)
		bad(storm, 0, __LINE__);
}

static void change_role(struct storm *storm, unsigned int *seed)
{
	struct ktwin_lab_role role = {
		.op = below(seed, KTWIN_LAB_EXCHANGE + 1), .type = below(seed, KTWIN_LAB_TYPES),
		.task = some_task(storm, seed),
	};
	int task;

	if (role.op == KTWIN_LAB_ATTACH || role.op == KTWIN_LAB_CHANGE) {
		role.ns = some_space(storm, seed);
		role.nr = below(seed, 2000);
		role.task = role.op == KTWIN_LAB_ATTACH && below(seed, 4) == 0 ? 0 : role.task;
	} else if (role.op != KTWIN_LAB_DETACH) {
		role.other = some_task(storm, seed);
	}
	task = ALLOWED(storm, kt_lab_role(storm->lab, role), -ESRCH, -EBUSY, -EINVAL, -ENOMEM);
	if (task > 0)
		note(&storm->tasks, task);
}

static void one_call(struct storm *storm, unsigned int *seed)
{
	unsigned int kind = below(seed, 1000);
	int ns;

	if (kind < 350) {
		allocate(storm, seed);
	} else if (kind < 550) {
		ALLOWED(storm, kt_lab_free(storm->lab, some_space(storm, seed), below(seed, 2000)), -ESRCH, -EBUSY);
	} else if (kind < 700) {
		look(storm, seed);
	} else if (kind < 970) {
		change_role(storm, seed);
	} else if (kind < 985) {
		ns = ALLOWED(storm, kt_lab_ns(storm->lab, some_space(storm, seed), 0), -ESRCH, -ENOMEM, -ENOSPC);
		if (ns > 0)
			note(&storm->spaces, ns);
	} else if (kind < 992) {
		ALLOWED(storm, kt_lab_kill(storm->lab, some(&storm->spaces, 60, seed), NULL), -ESRCH, -EINTR);
	} else if (kind < 998) {
		ALLOWED(storm, kt_lab_pid_max(storm->lab, some_space(storm, seed), 300 + below(seed, 1700)), -ESRCH);
	} else if (kt_lab_stats(storm->lab).size != sizeof(struct ktwin_lab_stats)) {
		bad(storm, 0, __LINE__);
	}
}

/* Each number is handed out to one at a time. */
static void one_flat_call(struct storm *storm, unsigned int *seed)
{
	int nr = below(seed, 2000);

	if (below(seed, 2)) {
		nr = ALLOWED(storm, kt_lab_alloc(storm->lab, 1, some_order(storm, seed)), -EAGAIN);
		if (nr >= 0 && __atomic_exchange_n(&storm->owned[nr], 1, __ATOMIC_ACQ_REL))
			bad(storm, nr, __LINE__);
	} else if (__atomic_exchange_n(&storm->owned[nr], 0, __ATOMIC_ACQ_REL)) {
		if (kt_lab_free(storm->lab, 1, nr))
			bad(storm, nr, __LINE__);
	} else if (nr != 0) {
		ALLOWED(storm, kt_lab_alloc_at(storm->lab, 1, some_order(storm, seed), 0), -EINVAL, -EOPNOTSUPP);
	}
}

static void *worker(void *argument)
{
	struct storm *storm = argument;
	unsigned int seed = __atomic_add_fetch(&storm->seed, 7919, __ATOMIC_RELAXED);
	uint64_t calls = 0;

	while (goes_on(storm)) {
		int i;

		for (i = 0; i < 32; i++) {
			if (storm->has & KTWIN_LAB_HAS_PIDS)
				one_call(storm, &seed);
			else
				one_flat_call(storm, &seed);
		}
		calls += i;
	}
	__atomic_add_fetch(&storm->calls, calls, __ATOMIC_RELAXED);
	return NULL;
}

/* Numbers rise, and each pid read has the number it is read under. */
static void read_pids(struct storm *storm, __u32 ns)
{
	struct ktwin_lab_pid *pids;
	long count = kt_lab_pids(storm->lab, ns, &pids), i;
	int before = 0;

	ALLOWED(storm, count, -ESRCH);
	for (i = 0; i < count; i++) {
		int nr = kt_lab_nr_in(&pids[i], ns);

		if (nr <= before || pids[i].depth > KTWIN_LEVELS || pids[i].upids[0].ns != 1)
			bad(storm, nr, __LINE__);
		before = nr;
	}
	free(pids);
}

static void read_spaces(struct storm *storm)
{
	struct ktwin_lab_ns *spaces;
	long count = kt_lab_namespaces(storm->lab, &spaces), i;
	__u32 before = 0;

	ALLOWED(storm, count, -ESRCH);
	for (i = 0; i < count; i++) {
		if (spaces[i].ns <= before || spaces[i].parent >= spaces[i].ns)
			bad(storm, spaces[i].ns, __LINE__);
		before = spaces[i].ns;
	}
	free(spaces);
}

static void *reader(void *argument)
{
	struct storm *storm = argument;
	unsigned int seed = __atomic_add_fetch(&storm->seed, 7919, __ATOMIC_RELAXED);
	struct ktwin_lab_task *tasks;
	struct ktwin_lab_leaf *leaves;

	while (goes_on(storm)) {
		ALLOWED(storm, kt_lab_leaves(storm->lab, 1, &leaves), -ESRCH);
		free(leaves);
		read_spaces(storm);
		if (storm->has & KTWIN_LAB_HAS_PIDS) {
			read_pids(storm, some_space(storm, &seed));
			ALLOWED(storm, kt_lab_tasks(storm->lab, &tasks), 0);
			free(tasks);
		}
		storm->read++;
		sched_yield();
	}
	return NULL;
}

static int drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	int result = fd < 0 || write(fd, "2", 1) != 1 ? -errno : 0;

	close(fd);
	return result;
}

static void *dropper(void *argument)
{
	struct storm *storm = argument;

	while (goes_on(storm)) {
		ALLOWED(storm, drop_caches(), 0);
		kt_sleep_ms(100);
	}
	return NULL;
}

static int storm_lab(int device, __u32 backend)
{
	return kt_lab_open(device, (struct ktwin_lab) {
		.backend = backend, .pid_max = 2000, .limit = backend == KTWIN_LAB_BLOCKS ? KT_LAB_LIMIT : 2000,
		.pids = 6000, .namespaces = 40, .tasks = 3000, .bytes = 64 << 20,
	});
}

/* Tasks that no kill reaches, since they have no PID. */
static void detach_all(struct __test_metadata *_metadata, int lab)
{
	struct ktwin_lab_task *tasks;
	long count = kt_lab_tasks(lab, &tasks), i;
	int type;

	for (i = 0; i < count; i++) {
		for (type = 0; type < KTWIN_LAB_TYPES; type++) {
			if (tasks[i].roles[type])
				EXPECT_EQ(tasks[i].task, kt_lab_detach(lab, tasks[i].task, type));
		}
	}
	free(tasks);
}

static void end_flat(struct __test_metadata *_metadata, struct storm *storm)
{
	struct ktwin_lab_leaf *leaves;
	long count = kt_lab_leaves(storm->lab, 1, &leaves), i, bits = 0, owned = 0;
	int nr;

	for (i = 0; i < count; i++)
		bits += __builtin_popcountll(leaves[i].used);
	free(leaves);
	for (nr = 0; nr < 2000; nr++) {
		owned += storm->owned[nr];
		if (storm->owned[nr])
			EXPECT_EQ(0, kt_lab_free(storm->lab, 1, nr));
	}
	EXPECT_EQ(owned, bits);
	EXPECT_EQ(0, kt_lab_stats(storm->lab).pids);
	EXPECT_EQ(0, kt_lab_leaves(storm->lab, 1, &leaves));
}

static void end_storm(struct __test_metadata *_metadata, struct storm *storm)
{
	struct ktwin_lab_stats stats = kt_lab_stats(storm->lab);

	ksft_print_msg("%s: %llu calls, %llu pids made, read %llu times, %llu objects given back, no memory %llu times\n",
		       kt_lab_names[stats.backend], (unsigned long long)storm->calls,
		       (unsigned long long)storm->made, (unsigned long long)storm->read,
		       (unsigned long long)stats.shrunk, (unsigned long long)stats.no_memory);
	EXPECT_EQ(0, storm->bad) {
		TH_LOG("%d at line %d", storm->bad, storm->where);
	}
	EXPECT_LT(1000, storm->calls);
	EXPECT_LT(2, storm->read);
	if (!(storm->has & KTWIN_LAB_HAS_PIDS)) {
		end_flat(_metadata, storm);
		return;
	}
	EXPECT_LT(100, storm->made);
	EXPECT_EQ(storm->made, stats.allocs);
	kt_expect_lab_sound(_metadata, storm->lab);
	EXPECT_EQ(0, kt_lab_kill(storm->lab, 1, NULL));
	kt_expect_lab_sound(_metadata, storm->lab);
	detach_all(_metadata, storm->lab);
	kt_expect_lab_empty(_metadata, storm->lab);
}

FIXTURE(lab) {
	int device;
	struct storm storm;
};

FIXTURE_VARIANT(lab) {
	__u32 backend;
};

FIXTURE_VARIANT_ADD(lab, twin) { .backend = KTWIN_LAB_TWIN };
FIXTURE_VARIANT_ADD(lab, blocks) { .backend = KTWIN_LAB_BLOCKS };
FIXTURE_VARIANT_ADD(lab, pidmap) { .backend = KTWIN_LAB_PIDMAP };
FIXTURE_VARIANT_ADD(lab, idr) { .backend = KTWIN_LAB_IDR };
FIXTURE_VARIANT_ADD(lab, xarray) { .backend = KTWIN_LAB_XARRAY };
FIXTURE_VARIANT_ADD(lab, ida) { .backend = KTWIN_LAB_IDA };
FIXTURE_VARIANT_ADD(lab, sbitmap) { .backend = KTWIN_LAB_SBITMAP };

FIXTURE_SETUP(lab)
{
	KT_OPEN_LIVE(self->device);
	self->storm = (struct storm) {
		.lab = storm_lab(self->device, variant->backend), .spaces = 1, .seed = variant->backend,
		.end_ms = kt_now_ms() + STORM_MS, .owned = calloc(2000, 1),
	};
	ASSERT_LE(0, self->storm.lab);
	self->storm.has = kt_lab_stats(self->storm.lab).has;
}

FIXTURE_TEARDOWN(lab)
{
	close(self->storm.lab);
	close(self->device);
}

/* An init for the first namespace that nobody's call ends. */
static void keep(struct storm *storm)
{
	if (storm->has & KTWIN_LAB_HAS_PIDS) {
		int task = kt_lab_task(storm->lab, 1, some_order(storm, &storm->seed), NULL);

		storm->made++;
		if (task < 0)
			bad(storm, task, __LINE__);
	}
}

TEST_F(lab, storm)
{
	pthread_t workers[WORKERS], others[2];
	int i;

	keep(&self->storm);
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, pthread_create(&workers[i], NULL, worker, &self->storm));
	ASSERT_EQ(0, pthread_create(&others[0], NULL, reader, &self->storm));
	ASSERT_EQ(0, pthread_create(&others[1], NULL, dropper, &self->storm));
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	pthread_join(others[0], NULL);
	pthread_join(others[1], NULL);
	end_storm(_metadata, &self->storm);
}

/* The fd goes in one thread while others are inside: their calls end well, and then it is no fd. */
static void *until_closed(void *argument)
{
	struct storm *storm = argument;
	unsigned int seed = __atomic_add_fetch(&storm->seed, 7919, __ATOMIC_RELAXED);
	bool flat = !(storm->has & KTWIN_LAB_HAS_PIDS);

	while (!__atomic_load_n(&storm->bad, __ATOMIC_RELAXED)) {
		if (flat)
			one_flat_call(storm, &seed);
		else
			one_call(storm, &seed);
	}
	return NULL;
}

TEST_F(lab, closed_inside)
{
	pthread_t workers[WORKERS];
	int round, i;

	close(self->storm.lab);
	for (round = 0; round < 8; round++) {
		memset(self->storm.owned, 0, 2000);
		self->storm.bad = 0;
		self->storm.spaces = 1;
		self->storm.tasks = 0;
		self->storm.lab = storm_lab(self->device, variant->backend);
		ASSERT_LE(0, self->storm.lab);
		keep(&self->storm);
		for (i = 0; i < WORKERS; i++)
			ASSERT_EQ(0, pthread_create(&workers[i], NULL, until_closed, &self->storm));
		kt_sleep_ms(20 + 10 * round);
		close(self->storm.lab);
		for (i = 0; i < WORKERS; i++)
			pthread_join(workers[i], NULL);
		/* a free of what was owned answers EBADF too, and says the number */
		if (self->storm.has & KTWIN_LAB_HAS_PIDS)
			EXPECT_EQ(-EBADF, self->storm.bad < 0 ? self->storm.bad : -EBADF);
	}
	self->storm.lab = storm_lab(self->device, variant->backend);
}

/* The same by the end of the process, its own or another's doing. */
TEST_F(lab, ended_inside)
{
	pthread_t thread;
	int round, i, status;

	for (round = 0; round < 6; round++) {
		pid_t child = fork();

		if (!child) {
			self->storm.lab = storm_lab(self->device, variant->backend);
			self->storm.end_ms = kt_now_ms() + KT_PATIENCE_MS;
			keep(&self->storm);
			for (i = 0; i < WORKERS; i++) {
				if (pthread_create(&thread, NULL, worker, &self->storm))
					_exit(1);
			}
			kt_sleep_ms(round % 2 ? 100 : KT_PATIENCE_MS);
			_exit(0);
		}
		kt_sleep_ms(60 + 20 * round);
		if (round % 2 == 0)
			kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(round % 2 ? 0 : SIGKILL, status);
	}
	/* nobody's business */
	EXPECT_EQ(0, kt_lab_stats(self->storm.lab).pids);
}

/* --- memory --- */

static long slab_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long sum = 0, value;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Slab: %ld", &value) == 1 || sscanf(line, "VmallocUsed: %ld", &value) == 1)
			sum += value;
	}
	if (file)
		fclose(file);
	return sum;
}

/* A lab with 3000 tasks, some with a session only, and closed. */
static int fill_and_close(int device, __u32 backend)
{
	int lab = storm_lab(device, backend), i;
	unsigned int seed = 1;
	struct storm storm = { .lab = lab };

	if (lab < 0)
		return lab;
	storm.has = kt_lab_stats(lab).has;
	for (i = 0; i < 1500; i++) {
		if (!(storm.has & KTWIN_LAB_HAS_PIDS))
			kt_lab_alloc(lab, 1, some_order(&storm, &seed));
		else if (kt_lab_task(lab, 1, some_order(&storm, &seed), NULL) < 0 ||
			 kt_lab_attach(lab, 0, KTWIN_LAB_SID, 1, 1) < 0)
			break;
	}
	close(lab);
	return i == 1500 ? 0 : -EIO;
}

/* A lab of these is a megabyte. */
TEST_F(lab, nothing_leaks)
{
	long before, after;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, fill_and_close(self->device, variant->backend));
	drop_caches();
	before = slab_kib();
	for (i = 0; i < 30; i++)
		ASSERT_EQ(0, fill_and_close(self->device, variant->backend));
	drop_caches();
	after = slab_kib();
	EXPECT_GT(before + 8192, after) {
		TH_LOG("%ld KiB of slabs before, %ld after", before, after);
	}
}

#define GROUP_ROOT	"/tmp/kt-lab-cgroup"
#define GROUP		GROUP_ROOT "/kt-lab"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int result = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

/* Until the lab, or the group, says no. What it got is said by the exit status. */
static void overfill(int device, __u32 backend)
{
	char pid[16];
	long before, after;
	int lab, i;
	unsigned int seed = 1;
	struct storm storm = {};

	snprintf(pid, sizeof(pid), "%d", getpid());
	if (write_file(GROUP "/cgroup.procs", pid))
		_exit(1);
	before = kt_file_number(GROUP "/memory.current");
	lab = kt_lab_open(device, (struct ktwin_lab) {
		.backend = backend, .pid_max = 1048576, .pids = 1048576, .bytes = 128 << 20,
	});
	if (lab < 0)
		_exit(2);
	storm.has = kt_lab_stats(lab).has;
	for (i = 0; i < 1000000; i++) {
		int task = kt_lab_task(lab, 1, some_order(&storm, &seed), NULL);

		if (task < 0)
			_exit(task == -ENOMEM ? 0 : 3);
		if (i == 20000) {
			after = kt_file_number(GROUP "/memory.current");
			/* 130 bytes a pid and 150 a task, at least */
			if (after - before < 20000 * 200)
				_exit(4);
		}
	}
	_exit(5);
}

TEST(control_group)
{
	static const __u32 backends[] = { KTWIN_LAB_TWIN, KTWIN_LAB_IDR, KTWIN_LAB_XARRAY, KTWIN_LAB_PIDMAP };
	int device, status;
	size_t i;

	KT_OPEN_LIVE(device);
	mkdir(GROUP_ROOT, 0700);
	if (mount("none", GROUP_ROOT, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup2");
	if (write_file(GROUP_ROOT "/cgroup.subtree_control", "+memory"))
		SKIP(goto unmount, "no memory controller");
	mkdir(GROUP, 0700);
	ASSERT_EQ(0, write_file(GROUP "/memory.max", "33554432"));
	for (i = 0; i < ARRAY_SIZE(backends); i++) {
		pid_t child = fork();

		if (!child)
			overfill(device, backends[i]);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		/* refused; or the one page more that this program needs was too much */
		EXPECT_TRUE(status == 0 || WTERMSIG(status) == SIGKILL) {
			TH_LOG("%s: status 0x%x", kt_lab_names[backends[i]], status);
		}
		ksft_print_msg("%s: %s\n", kt_lab_names[backends[i]], status ? "the group's verdict" : "refused");
	}
	rmdir(GROUP);
unmount:
	umount(GROUP_ROOT);
	close(device);
}

TEST_HARNESS_MAIN
