// SPDX-License-Identifier: GPL-2.0-only
/*
 * pid_rows: id allocators side by side, on the same work, in one process.
 *
 *   pid_rows [ROUNDS]           a line for each row and rival: "row rival ns-of-each-round..."
 *   valgrind --tool=callgrind --collect-atstart=no pid_rows insn
 *                               one round of each, counted: a dump named "row rival", a line with the operations
 *
 * Time is the thread's CPU time: other load of the machine takes the CPU away, but is not counted. The rounds of all
 * rivals alternate. The report is pid_report's business.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <valgrind/callgrind.h>

#include "rival.h"

#define PIDS 32768
#define MANY 4194304

static const struct rival * const rivals[] = {
	&rival_twin, &rival_kpid, &rival_idr, &rival_xarray, &rival_ida, &rival_sbitmap, &rival_pidmap, &rival_blocks,
};
#define RIVALS (sizeof(rivals) / sizeof(rivals[0]))

/* One allocator while a row runs on it. */
struct run {
	const struct rival *rival;
	void *self;
	unsigned int limit;
	unsigned int live;		/* ids that are there while it runs */
	int *ids;			/* which; in the order they came */
	int (*get)(void *self, void *object);
	uint64_t dice;
};

static uint64_t objects[8];

static unsigned int below(struct run *run, unsigned int bound)
{
	run->dice = run->dice * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)((run->dice >> 32) * bound >> 32);
}

static void *object(unsigned int i)
{
	return &objects[i % 8];
}

/* --- the work: each does ops operations ------------------------------------------------------------------------ */

static void ping_pong(struct run *run, unsigned int ops)
{
	while (ops--)
		run->rival->put(run->self, run->get(run->self, object(ops)));
}

static void fifo(struct run *run, unsigned int ops)
{
	unsigned int at = 0;

	while (ops--) {
		run->rival->put(run->self, run->ids[at]);
		run->ids[at] = run->get(run->self, object(ops));
		at = at + 1 < run->live ? at + 1 : 0;
	}
}

static void churn(struct run *run, unsigned int ops)
{
	while (ops--) {
		unsigned int at = below(run, run->live);

		run->rival->put(run->self, run->ids[at]);
		run->ids[at] = run->get(run->self, object(ops));
	}
}

static void fill(struct run *run, unsigned int ops)
{
	unsigned int i;

	for (i = 0; i < ops; i++)
		run->ids[i] = run->get(run->self, object(i));
	run->live = ops;
}

static uintptr_t sink;

static void find(struct run *run, unsigned int ops)
{
	while (ops--)
		sink += (uintptr_t)run->rival->find(run->self, run->ids[below(run, run->live)]);
}

/* Each number depends on what was found before: the latency. */
static void find_dependent(struct run *run, unsigned int ops)
{
	unsigned int at = 0;

	while (ops--) {
		at = below(run, run->live) ^ (((uintptr_t)run->rival->find(run->self, run->ids[at]) & 1) << 31);
	}
	sink += at;
}

static void iterate(struct run *run, unsigned int ops)
{
	int nr = 0;

	while (ops--) {
		void *found = run->rival->next(run->self, &nr);

		sink += (uintptr_t)found;
		nr = found ? nr + 1 : 0;
	}
}

/* --- the rows ------------------------------------------------------------------------------------------------------ */

static const struct row {
	const char *name;
	void (*work)(struct run *run, unsigned int ops);
	unsigned int limit;
	unsigned int live;	/* before it begins */
	unsigned int ops;
	enum { CYCLIC, LOWEST } how;
	enum { ANY = 0, FINDS = 1, NEXTS = 2 } needs;
	unsigned int spread;	/* keep each so manieth of what was filled */
} rows[] = {
	{ "ping-pong", ping_pong, PIDS, 0, 200000, CYCLIC, ANY, 0 },
	{ "FIFO of 1000", fifo, PIDS, 1000, 200000, CYCLIC, ANY, 0 },
	{ "smallest-free of 1000", churn, PIDS, 1000, 200000, LOWEST, ANY, 0 },
	{ "churn at 10% of 32k", churn, PIDS, 3276, 200000, CYCLIC, ANY, 0 },
	{ "churn at 50% of 32k", churn, PIDS, 16384, 200000, CYCLIC, ANY, 0 },
	{ "churn at 90% of 32k", churn, PIDS, 29491, 200000, CYCLIC, ANY, 0 },
	{ "churn at 99% of 32k", churn, PIDS, 32440, 200000, CYCLIC, ANY, 0 },
	{ "churn at 10% of 4M", churn, MANY, 419430, 200000, CYCLIC, ANY, 0 },
	{ "churn at 50% of 4M", churn, MANY, 2097152, 200000, CYCLIC, ANY, 0 },
	{ "fill", fill, PIDS, 0, 30000, CYCLIC, ANY, 0 },
	{ "fill, lowest", fill, PIDS, 0, 30000, LOWEST, ANY, 0 },
	{ "find 1k", find, PIDS, 1000, 400000, CYCLIC, FINDS, 0 },
	{ "find 32k", find, PIDS, 32000, 400000, CYCLIC, FINDS, 0 },
	{ "find 1M", find, MANY, 1000000, 400000, CYCLIC, FINDS, 0 },
	{ "find 32k, dependent", find_dependent, PIDS, 32000, 400000, CYCLIC, FINDS, 0 },
	{ "iterate 1k", iterate, PIDS, 1000, 200000, CYCLIC, NEXTS, 0 },
	{ "iterate 32k", iterate, PIDS, 32000, 200000, CYCLIC, NEXTS, 0 },
	{ "iterate 1M", iterate, MANY, 1000000, 1000000, CYCLIC, NEXTS, 0 },
	{ "iterate 1k over 4M", iterate, MANY, 1000000, 20000, CYCLIC, NEXTS, 1000 },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool takes_part(const struct row *row, const struct rival *rival)
{
	if (row->how == LOWEST ? !rival->lowest : !rival->cyclic)
		return false;
	return (row->needs != FINDS || rival->find) && (row->needs != NEXTS || rival->next);
}

static void thin_out(struct run *run, unsigned int spread)
{
	unsigned int i, kept = 0;

	for (i = 0; i < run->live; i++) {
		if (i % spread)
			run->rival->put(run->self, run->ids[i]);
		else
			run->ids[kept++] = run->ids[i];
	}
	run->live = kept;
}

static struct run *begin(const struct row *row, const struct rival *rival)
{
	struct run *run = calloc(1, sizeof(*run));
	unsigned int i;

	run->rival = rival;
	run->limit = row->limit;
	run->self = rival->create(row->limit);
	run->get = row->how == LOWEST ? rival->lowest : rival->cyclic;
	run->ids = calloc(row->live + row->ops + 1, sizeof(*run->ids));
	run->dice = 1;
	for (i = 0; i < row->live; i++) {
		run->ids[i] = run->get(run->self, object(i));
		if (run->ids[i] < 0)
			abort();
	}
	run->live = row->live;
	if (row->spread)
		thin_out(run, row->spread);
	return run;
}

static void end(struct run *run)
{
	run->rival->destroy(run->self);
	free(run->ids);
	free(run);
}

/* After a fill the next round begins empty again. */
static void settle(const struct row *row, struct run *run)
{
	if (row->work == fill) {
		while (run->live)
			run->rival->put(run->self, run->ids[--run->live]);
	}
	if (run->rival->rest)
		run->rival->rest(run->self);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* The chains of pid_hash are hundreds long among millions: seconds a round, for a figure that fewer calls give as well. */
static unsigned int operations(const struct row *row, const struct rival *rival)
{
	return rival == &rival_pidmap && row->limit == MANY ? row->ops / 100 : row->ops;
}

static void measure(const struct row *row, unsigned int rounds)
{
	struct run *runs[RIVALS] = { NULL };
	double ns[RIVALS][64];
	unsigned int i, round;

	for (i = 0; i < RIVALS; i++) {
		if (takes_part(row, rivals[i]))
			runs[i] = begin(row, rivals[i]);
	}
	/* Round 0 warms up. */
	for (round = 0; round <= rounds; round++) {
		for (i = 0; i < RIVALS; i++) {
			double start;

			if (!runs[i])
				continue;
			settle(row, runs[i]);
			start = cpu_ns();
			row->work(runs[i], operations(row, rivals[i]));
			ns[i][round] = (cpu_ns() - start) / operations(row, rivals[i]);
		}
	}
	for (i = 0; i < RIVALS; i++) {
		if (!runs[i])
			continue;
		printf("%s\t%s", row->name, rivals[i]->name);
		for (round = 1; round <= rounds; round++)
			printf("\t%.2f", ns[i][round]);
		printf("\n");
		end(runs[i]);
	}
	fflush(stdout);
}

static void count(const struct row *row, const struct rival *rival)
{
	struct run *run = begin(row, rival);
	unsigned int ops = row->ops > 20000 ? 20000 : row->ops;
	char label[96];

	settle(row, run);
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
	row->work(run, ops);
	CALLGRIND_TOGGLE_COLLECT;
	snprintf(label, sizeof(label), "%s\t%s\t%u", row->name, rival->name, ops);
	CALLGRIND_DUMP_STATS_AT(label);
	end(run);
}

int main(int argc, char **argv)
{
	bool counting = argc > 1 && !strcmp(argv[1], "insn");
	unsigned int rounds = argc > 1 && !counting ? (unsigned int)atoi(argv[1]) : 7;
	const char *only = argc > 2 ? argv[2] : "";
	unsigned int i, k;

	if (rounds < 1 || rounds > 63) {
		fprintf(stderr, "pid_rows: rounds are 1 to 63\n");
		return 2;
	}
	for (i = 0; i < ROWS; i++) {
		if (strncmp(rows[i].name, only, strlen(only)))
			continue;
		/* The callgrind run of what fills millions would take minutes for a figure that 32k gives. */
		for (k = 0; counting && rows[i].live <= 40000 && k < RIVALS; k++) {
			if (takes_part(&rows[i], rivals[k]))
				count(&rows[i], rivals[k]);
		}
		if (!counting)
			measure(&rows[i], rounds);
	}
	return 0;
}
