// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl_fuzz [SEED [CALLS]]: calls every ioctl of /dev/ktwin, its streams and queues with arguments that are wrong in the
 * ways that matter: sizes around the real ones, pointers to nothing, to read-only memory and across the end of a
 * mapping, huge counts, random flags, and now and then a sane argument with one field changed. It ends well when the
 * process and the kernel are still there; what the kernel said about it stands in dmesg. The same SEED makes the same
 * calls.
 *
 * Never called: switching the mirror off and on at random would only hide the rest; the mirror's own tests do that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktwin.h"

#define AREA	(1 << 16)
#define ARG_MAX_WORDS	160

static uint64_t state;

static uint64_t next_random(void)
{
	/* splitmix64 */
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t limit)
{
	return next_random() % limit;
}

static const struct {
	unsigned long cmd;
	uint32_t size;
} commands[] = {
	{ KTWIN_IOC_STATUS, sizeof(struct ktwin_status) },
	{ KTWIN_IOC_AUDIT, sizeof(struct ktwin_audit) },
	{ KTWIN_IOC_AUDIT_RATE, sizeof(struct ktwin_audit_rate) },
	{ KTWIN_IOC_NAMESPACES, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_PIDS, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_DIVERGENCES, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_EXPLAIN, sizeof(struct ktwin_explain) },
	{ KTWIN_IOC_STREAM, sizeof(struct ktwin_stream) },
	{ KTWIN_IOC_WAITERS, sizeof(struct ktwin_waiters) },
	{ KTWIN_IOC_SLEEP, sizeof(struct ktwin_sleep) },
	{ KTWIN_IOC_INJECT, sizeof(struct ktwin_inject) },
	{ KTWIN_IOC_COMPARE, sizeof(struct ktwin_compare) },
	{ KTWIN_IOC_BENCH, sizeof(struct ktwin_bench) },
	{ KTWIN_IOC_BENCH_IDS, sizeof(struct ktwin_bench_ids) },
	{ KTWIN_IOC_STREAM_ACK, sizeof(struct ktwin_stream_ack) },
	{ KTWIN_IOC_QUEUE, sizeof(struct ktwin_queue) },
	{ KTWIN_IOC_QUEUE_WAIT, sizeof(struct ktwin_wait) },
	{ KTWIN_IOC_QUEUE_WAKE, sizeof(struct ktwin_wake) },
	{ KTWIN_IOC_QUEUE_STATS, sizeof(struct ktwin_wait_stats) },
	{ KTWIN_IOC_SWITCHES, sizeof(struct ktwin_switches) },
	{ KTWIN_IOC_SWITCHES_CPUS, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_SWITCHES_TASKS, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_SWITCHES_WAITS, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_SWITCHES_TWINS, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_SWITCHES_EVENTS, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_SWITCHES_NS_WAITS, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_SWITCHES_AUDIT, sizeof(struct ktwin_read) },
	{ KTWIN_IOC_SWITCHES_INJECT, sizeof(struct ktwin_inject) },
	{ _IO(KTWIN_IOC_MAGIC, 0x3f), 64 },
};

static unsigned char *area;	/* AREA bytes, then a page that is not there */
static unsigned char *read_only;

/* A pointer as a careless or hostile caller would give it. */
static uint64_t some_pointer(void)
{
	switch (below(6)) {
	case 0: return 0;
	case 1: return next_random();
	case 2: return (uintptr_t)area + AREA - below(256);
	case 3: return (uintptr_t)read_only;
	case 4: return 0xffffffff80000000ull + below(1 << 20);
	default: return (uintptr_t)area + below(AREA / 2);
	}
}

static uint32_t some_size(uint32_t real)
{
	switch (below(8)) {
	case 0: return 0;
	case 1: return next_random();
	case 2: return real - 1 - below(8);
	case 3: return real + below(64);
	case 4: return 4096 + below(2);
	default: return real;
	}
}

/* Mostly small words, so that a flag here and there is the only thing wrong. */
static uint64_t some_word(void)
{
	switch (below(6)) {
	case 0: return next_random();
	case 1: return some_pointer();
	case 2: return below(70000);
	case 3: return 1ull << below(64);
	default: return 0;
	}
}

/* What a caller would really ask, so that the paths behind the checks are reached too. */
static void fill_sane(unsigned long cmd, void *arg)
{
	struct ktwin_read *read = arg;
	struct ktwin_explain *explain = arg;
	struct ktwin_waiters *waiters = arg;
	struct ktwin_sleep *sleep = arg;

	if (cmd == KTWIN_IOC_NAMESPACES || cmd == KTWIN_IOC_PIDS || cmd == KTWIN_IOC_DIVERGENCES) {
		read->buffer = (uintptr_t)area;
		read->room = below(64) + 1;
		read->record_size = cmd == KTWIN_IOC_PIDS ? sizeof(struct ktwin_pid) :
				    cmd == KTWIN_IOC_NAMESPACES ? sizeof(struct ktwin_ns) :
				    sizeof(struct ktwin_divergence);
		read->cursor = below(4) ? 0 : next_random();
	} else if ((cmd >= KTWIN_IOC_SWITCHES_CPUS && cmd <= KTWIN_IOC_SWITCHES_TWINS) ||
		   cmd == KTWIN_IOC_SWITCHES_EVENTS) {
		read->buffer = (uintptr_t)area;
		read->room = below(8) + 1;
		read->record_size = sizeof(struct ktwin_rq_twin);
		read->cursor = below(4) ? 0 : next_random();
	} else if (cmd == KTWIN_IOC_SWITCHES) {
		((struct ktwin_switches *)arg)->flags = below(16);
		((struct ktwin_switches *)arg)->capacity = below(2) ? 0 : 1u << below(14);
	} else if (cmd == KTWIN_IOC_EXPLAIN) {
		explain->nr = below(4) ? (int32_t)below(400) : (int32_t)next_random();
		explain->pid = (uintptr_t)area;
		explain->pid_size = sizeof(struct ktwin_pid);
		explain->roles = (uintptr_t)area + 4096;
		explain->role_size = sizeof(struct ktwin_role);
		explain->roles_room = below(64);
	} else if (cmd == KTWIN_IOC_WAITERS) {
		waiters->pid = below(4) ? getpid() : (int32_t)below(400);
		waiters->fd = below(8);
		waiters->heads = (uintptr_t)area;
		waiters->head_size = sizeof(struct ktwin_wait_head);
		waiters->heads_room = below(8);
		waiters->waiters = (uintptr_t)area + 4096;
		waiters->waiter_size = sizeof(struct ktwin_waiter);
		waiters->waiters_room = below(64);
	} else if (cmd == KTWIN_IOC_SLEEP) {
		sleep->tid = below(400);
	} else if (cmd == KTWIN_IOC_QUEUE) {
		((struct ktwin_queue *)arg)->backend = below(2);
	} else if (cmd == KTWIN_IOC_QUEUE_WAIT) {
		((struct ktwin_wait *)arg)->flags = below(32);
	} else if (cmd == KTWIN_IOC_QUEUE_WAKE) {
		((struct ktwin_wake *)arg)->post = below(3);
	}
}

static int one_call(int fd)
{
	uint64_t arg[ARG_MAX_WORDS] = { 0 };
	uint32_t which = below(sizeof(commands) / sizeof(commands[0]));
	uint32_t words = commands[which].size / 8, changes = below(4), i;

	fill_sane(commands[which].cmd, arg);
	if (!below(4))
		for (i = 0; i < ARG_MAX_WORDS; i++)
			arg[i] = some_word();
	for (i = 0; i < changes; i++)
		arg[below(words)] = some_word();
	*(uint32_t *)arg = some_size(commands[which].size);
	/* A pass over everything, or a comparison of millions, only costs time here. */
	if (commands[which].cmd == KTWIN_IOC_COMPARE)
		memcpy((char *)arg + offsetof(struct ktwin_compare, operations), &(uint32_t){ below(100) }, 4);
	/* Nor is a thousand threads, a thousand times, of use: most of the small ones are refused as well. */
	if (commands[which].cmd == KTWIN_IOC_BENCH) {
		((struct ktwin_bench *)arg)->waiters = below(4);
		((struct ktwin_bench *)arg)->calls = below(4);
		((struct ktwin_bench *)arg)->rounds = below(16) ? 0 : below(2);
	}
	/* Nor are millions of ids. */
	if (commands[which].cmd == KTWIN_IOC_BENCH_IDS) {
		((struct ktwin_bench_ids *)arg)->work = below(11);
		((struct ktwin_bench_ids *)arg)->who[0] = below(12);
		((struct ktwin_bench_ids *)arg)->who[1] = below(12);
		((struct ktwin_bench_ids *)arg)->limit = below(1024);
		((struct ktwin_bench_ids *)arg)->operations = below(100);
		((struct ktwin_bench_ids *)arg)->rounds = below(3);
	}
	/* Nobody would wake it, and no signal ends each of its modes: with a timeout always, and from nowhere else. */
	if (commands[which].cmd == KTWIN_IOC_QUEUE_WAIT) {
		((struct ktwin_wait *)arg)->timeout_ns = 1 + below(100000);
		((struct ktwin_wait *)arg)->race_ns = below(4) ? 0 : below(100000);
		return ioctl(fd, KTWIN_IOC_QUEUE_WAIT, arg);
	}
	return ioctl(fd, commands[which].cmd, below(16) ? (uintptr_t)arg : some_pointer());
}

int main(int argc, char **argv)
{
	uint32_t calls = argc > 2 ? strtoul(argv[2], NULL, 0) : 200000, good = 0, i;
	int fds[8] = { -1, -1, -1, -1, -1, -1, -1, -1 }, device;

	state = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	device = open(KTWIN_DEVICE, O_RDWR | O_CLOEXEC);
	area = mmap(NULL, AREA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (device < 0 || area == MAP_FAILED || read_only == MAP_FAILED || munmap(area + AREA, 4096)) {
		perror("ioctl_fuzz");
		return 2;
	}
	for (i = 0; i < calls; i++) {
		int slot = below(8), fd = fds[slot] >= 0 && below(2) ? fds[slot] : device;
		int result = one_call(fd);

		if (result > 2) {	/* a stream, a queue, switches */
			if (fds[slot] >= 0)
				close(fds[slot]);
			fds[slot] = result;
		}
		good += result >= 0;
	}
	printf("seed %s: %u calls, %u of them accepted\n", argc > 1 ? argv[1] : "1", calls, good);
	return good == 0;	/* nothing got past the checks: then nothing behind them was tried */
}
