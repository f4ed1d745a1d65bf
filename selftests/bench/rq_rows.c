// SPDX-License-Identifier: GPL-2.0-only
/*
 * rq_rows: what looking at run queues takes, one row a line (scripts/test/rows.sh). Tasks are queued on CPU 0 behind this
 * program, which has it for itself under SCHED_FIFO. All queues: sched/debug is opened, read and parsed to what one
 * ioctl answers (per CPU its counts and its tasks); by turns. The hold is what the module measured under the lock: the
 * kernel has no side there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ktwin.h"

#define DEBUG_FILE	"/sys/kernel/debug/sched/debug"
#define ROUNDS		21
#define TASKS_MAX	1000
#define CPUS_ROOM	64
#define TASKS_ROOM	4096

static const unsigned int sizes[] = { 10, 100, TASKS_MAX };

static struct ktwin_rq_cpu cpus[CPUS_ROOM];
static struct ktwin_rq_task tasks[TASKS_ROOM];
static pid_t children[TASKS_MAX];

/* What sched/debug says of one task, as the ioctl has it. */
struct told {
	char comm[64];
	int tid;
	long long vruntime;
};

static struct told told[TASKS_ROOM];
static long long told_counts[CPUS_ROOM][3];	/* nr_running, nr_switches, current pid */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int fail(const char *what)
{
	fprintf(stderr, "rq_rows: %s: %s\n", what, strerror(errno));
	return -1;
}

/* The queue's own numbers, which come before those of its groups. */
static void parse_count(const char *line, long long *counts)
{
	static const char *const names[] = { "  .nr_running ", "  .nr_switches ", "  .curr->pid " };
	const char *colon = strchr(line, ':');
	int i;

	for (i = 0; colon && i < 3; i++) {
		if (!strncmp(line, names[i], strlen(names[i])))
			counts[i] = atoll(colon + 1);
	}
}

/* " R  name  1234  12345.678901 ...": one that waits; with ">" one that runs. Its times are ms with six digits. */
static bool parse_task(const char *line, struct told *to)
{
	long long ms, rest;
	char state;

	if (line[0] != ' ' && line[0] != '>')
		return false;
	if (sscanf(line + 1, "%c %63s %d %lld.%lld", &state, to->comm, &to->tid, &ms, &rest) != 5)
		return false;
	to->vruntime = ms * 1000000 + (ms < 0 ? -rest : rest);
	return state == 'R' || line[0] == '>';
}

/* Returns how many tasks wait or run, -1: it cannot be read. */
static int ask_debug(void)
{
	FILE *file = fopen(DEBUG_FILE, "r");
	int count = 0, cpu = -1;
	bool groups = false;
	char line[512];

	if (!file)
		return fail(DEBUG_FILE);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "cpu#%d,", &cpu) == 1)
			groups = false;
		if (cpu < 0 || cpu >= CPUS_ROOM)
			continue;
		groups |= !strncmp(line, "cfs_rq[", 7);
		if (!groups)
			parse_count(line, told_counts[cpu]);
		else if (count < TASKS_ROOM)
			count += parse_task(line, &told[count]);
	}
	fclose(file);
	return count;
}

static int ask_ktwin(int device, uint64_t *hold_ns)
{
	struct ktwin_rq rq = {
		.size = sizeof(rq), .cpu = -1, .cpus = (uintptr_t)cpus, .cpu_size = sizeof(cpus[0]),
		.cpus_room = CPUS_ROOM, .tasks = (uintptr_t)tasks, .task_size = sizeof(tasks[0]),
		.tasks_room = TASKS_ROOM,
	};

	if (ioctl(device, KTWIN_IOC_RQ, &rq))
		return fail("KTWIN_IOC_RQ");
	*hold_ns = cpus[0].hold_ns;
	return rq.tasks_filled;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_spread(uint64_t *samples)
{
	qsort(samples, ROUNDS, sizeof(samples[0]), compare);
	printf("\t%llu\t%llu\t%llu", (unsigned long long)samples[0], (unsigned long long)samples[ROUNDS / 2],
	       (unsigned long long)samples[ROUNDS - 1]);
}

static int measure(int device, unsigned int queued)
{
	uint64_t debug_ns[ROUNDS], ktwin_ns[ROUNDS], hold_ns[ROUNDS], none[ROUNDS] = { 0 };
	int round;

	for (round = 0; round < ROUNDS; round++) {
		uint64_t started = now_ns(), between;
		int there, here;

		there = ask_debug();
		between = now_ns();
		here = ask_ktwin(device, &hold_ns[round]);
		ktwin_ns[round] = now_ns() - between;
		debug_ns[round] = between - started;
		if (there < 0 || here < 0)
			return -1;
		if (there < (int)queued || here < (int)queued) {
			fprintf(stderr, "rq_rows: %u are queued, sched/debug lists %d and ktwin %d\n", queued, there, here);
			return -1;
		}
	}
	printf("all run queues: sched/debug by ioctl\t%u\tns\t10", queued);
	print_spread(debug_ns);
	print_spread(ktwin_ns);
	printf("\nhold of a run queue's lock\t%u\tns\t0", queued);
	print_spread(none);
	print_spread(hold_ns);
	printf("\n");
	fflush(stdout);
	return 0;
}

/* Up to count children that want CPU 0 and do not get it: they are queued. */
static int queue_up(unsigned int *queued, unsigned int count)
{
	for (; *queued < count; (*queued)++) {
		pid_t child = fork();

		if (child < 0)
			return fail("fork");
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				;
		}
		children[*queued] = child;
	}
	return 0;
}

/* No throttling: it would let the children run; on this CPU alone; what is left of its work done first. */
static int take_cpu(void)
{
	struct sched_param param = { .sched_priority = 50 };
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY | O_CLOEXEC);
	cpu_set_t set;

	if (fd < 0 || write(fd, "-1", 2) != 2)
		return fail("sched_rt_runtime_us");
	close(fd);
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return fail("sched_setaffinity");
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		return fail("sched_setscheduler");
	return 0;
}

int main(void)
{
	int device = open(KTWIN_DEVICE, O_RDWR | O_CLOEXEC), bad = 0;
	unsigned int queued = 0;
	size_t i;

	if (device < 0) {
		fail(KTWIN_DEVICE);
		return 2;
	}
	bad = take_cpu();
	for (i = 0; !bad && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bad = queue_up(&queued, sizes[i]);
		if (!bad)
			bad = measure(device, sizes[i]);
	}
	/* All before one is waited for: it has to run to end, behind all that still spin. */
	for (i = 0; i < queued; i++)
		kill(children[i], SIGKILL);
	while (queued)
		waitpid(children[--queued], NULL, 0);
	return bad ? 1 : 0;
}
