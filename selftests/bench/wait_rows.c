// SPDX-License-Identifier: GPL-2.0-only
/*
 * wait_rows [MANY [WORDS]]: the rows of the wait-queue table, or those with WORDS in their name, one line each, tab-separated:
 *   row, waiters, unit, goal, the kernel's min, median and max, ktwin's min, median and max
 * MANY sleepers where the row says many, 10000 if not told; a guest with less memory has less.
 * A row that cannot be measured here is left out, and named on stderr. Needs the module with kt_lab=1, mirror=0 so that
 * ten thousand threads are not news to the mirror.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ktwin.h"

#define MANY	(~0U)	/* as the caller says */

struct row {
	const char *name;
	const char *unit;	/* ns: of a round; ns/call: of that shared out */
	const char *goal;	/* ratio to the kernel, 0: none */
	unsigned int measure, flags, waiters, calls, nr, rounds;
};

static const struct row rows[] = {
	{ "wake on an empty queue", "ns/call", "1.3", .calls = 1000, .nr = 1, .rounds = 51 },
	{ "wake one waiter", "ns", "0.97", .waiters = 1, .calls = 1, .nr = 1, .rounds = 101 },
	{ "wake one exclusive of many", "ns", "1", .flags = KTWIN_BENCH_EXCLUSIVE, .waiters = MANY, .calls = 1, .nr = 1,
	  .rounds = 5 },
	{ "wakes of one before the woken run", "ns", "10", .flags = KTWIN_BENCH_EXCLUSIVE | KTWIN_BENCH_STAY,
	  .waiters = 1000, .calls = 1000, .nr = 1, .rounds = 11 },
	{ "wake all", "ns", "0", .waiters = 1, .calls = 1, .rounds = 101 },
	{ "wake all", "ns", "0", .waiters = 10, .calls = 1, .rounds = 101 },
	{ "wake all", "ns", "0", .waiters = 100, .calls = 1, .rounds = 51 },
	{ "wake all", "ns", "0", .waiters = 1000, .calls = 1, .rounds = 21 },
	{ "wake all", "ns", "1", .waiters = MANY, .calls = 1, .rounds = 7 },
	{ "longest hold in wake all", "ns", "100", KTWIN_BENCH_HOLD, .waiters = MANY, .calls = 1, .rounds = 3 },
	{ "add, remove during wake all: p99", "ns", "100", KTWIN_BENCH_OTHERS, .waiters = MANY, .calls = 1, .rounds = 7 },
};

static void print_times(const struct row *row, const struct ktwin_bench_times *times)
{
	double share = strcmp(row->unit, "ns/call") ? 1 : row->calls;

	printf("\t%.1f\t%.1f\t%.1f", times->min / share, times->median / share, times->max / share);
}

static int measure(int device, const struct row *row, unsigned int many)
{
	unsigned int waiters = row->waiters == MANY ? many : row->waiters;
	struct ktwin_bench bench = {
		.size = sizeof(bench), .flags = row->flags, .measure = row->measure, .waiters = waiters,
		.calls = row->calls, .nr = row->nr, .rounds = row->rounds,
	};

	if (ioctl(device, KTWIN_IOC_BENCH, &bench)) {
		fprintf(stderr, "wait_rows: %s, %u waiters: %s\n", row->name, waiters, strerror(errno));
		return errno != ENODEV;
	}
	printf("%s\t%u\t%s\t%s", row->name, waiters, row->unit, row->goal);
	print_times(row, &bench.times[KTWIN_BACKEND_KERNEL]);
	print_times(row, &bench.times[KTWIN_BACKEND_TWIN]);
	printf("\n");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int many = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000;
	int device = open(KTWIN_DEVICE, O_RDWR | O_CLOEXEC), bad = 0;
	size_t i;

	if (device < 0) {
		perror("wait_rows: " KTWIN_DEVICE);
		return 2;
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (argc < 3 || strstr(rows[i].name, argv[2]))
			bad |= measure(device, &rows[i], many);
	}
	return bad;
}
