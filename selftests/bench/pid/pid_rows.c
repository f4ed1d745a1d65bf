// SPDX-License-Identifier: GPL-2.0-only
/*
 * pid_rows: id allocators side by side, on the same work, in one process.
 *
 *   pid_rows [ROUNDS [ROW]]     a line for each row and rival: "row rival ns-of-each-round..."
 *   pid_rows pairs [ROUNDS]     the rows of two threads, likewise (pid_pairs.c)
 *   pid_rows bytes              "row rival bytes-a-live-id"
 *   valgrind --tool=callgrind --collect-atstart=no pid_rows insn
 *                               one round of each, counted: a dump named "row rival", a line with the operations
 *
 * The rival "loop" of the counted rows does nothing: what the work itself costs.
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

#include "run.h"

static void *nothing_create(unsigned int limit)
{
	return malloc(1);
}

static noinline int nothing_get(void *self, void *object)
{
	return 1;
}

static noinline void nothing_put(void *self, int nr)
{
}

static noinline void *nothing_find(void *self, int nr)
{
	return self;
}

static noinline void *nothing_next(void *self, int *nr)
{
	return self;
}

static const struct rival rival_loop = {
	.name = "loop", .create = nothing_create, .destroy = free, .cyclic = nothing_get, .lowest = nothing_get,
	.any = nothing_get, .put = nothing_put, .find = nothing_find, .next = nothing_next,
};

static const struct rival * const all[] = {
	&rival_twin, &rival_kpid, &rival_idr, &rival_xarray, &rival_ida, &rival_sbitmap, &rival_pidmap, &rival_blocks,
	&rival_loop, NULL
};
static const struct rival * const through_8[] = { &rival_twin_8, &rival_kpid_8, NULL };
static const struct rival * const through_32[] = { &rival_twin_32, &rival_kpid_32, NULL };
#define RIVALS (sizeof(all) / sizeof(all[0]))

/* --- the work: each does ops operations ------------------------------------------------------------------------ */

void ping_pong(struct run *run, unsigned int ops)
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

/* On lines of its own: a thread that reads must not take what another's allocator needs. */
static struct { uintptr_t value; char apart[120]; } __attribute__((aligned(128))) sinks[2];
#define sink sinks[shim_cpu].value

void find(struct run *run, unsigned int ops)
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
	enum { CYCLIC, LOWEST, ANY_ORDER } how;
	enum { ANY = 0, FINDS = 1, NEXTS = 2 } needs;
	unsigned int spread;	/* keep each so manieth of what was filled */
	const struct rival * const *rivals;	/* NULL: all */
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
	{ "churn at 90% of 4M", churn, MANY, 3774873, 200000, CYCLIC, ANY, 0 },
	{ "churn at 99% of 4M", churn, MANY, 4152360, 200000, CYCLIC, ANY, 0 },
	{ "churn at 10% of 4M, any order", churn, MANY, 419430, 200000, ANY_ORDER, ANY, 0 },
	{ "churn at 50% of 4M, any order", churn, MANY, 2097152, 200000, ANY_ORDER, ANY, 0 },
	{ "churn at 99% of 4M, any order", churn, MANY, 4152360, 200000, ANY_ORDER, ANY, 0 },
	{ "fill", fill, PIDS, 0, 30000, CYCLIC, ANY, 0 },
	{ "fill, lowest", fill, PIDS, 0, 30000, LOWEST, ANY, 0 },
	{ "find 1k", find, PIDS, 1000, 400000, CYCLIC, FINDS, 0 },
	{ "find 32k", find, PIDS, 32000, 400000, CYCLIC, FINDS, 0 },
	{ "find 1M", find, MANY, 1000000, 400000, CYCLIC, FINDS, 0 },
	{ "find 32k, dependent", find_dependent, PIDS, 32000, 400000, CYCLIC, FINDS, 0 },
	{ "iterate 1k", iterate, PIDS, 1000, 200000, CYCLIC, NEXTS, 0 },
	{ "iterate 32k", iterate, PIDS, 32000, 200000, CYCLIC, NEXTS, 0 },
	{ "iterate 1M", iterate, MANY, 1000000, 1000000, CYCLIC, NEXTS, 0 },
	{ "iterate 1k over 4M", iterate, MANY, 4000000, 20000, CYCLIC, NEXTS, 4000 },
	{ "8 levels", ping_pong, PIDS, 0, 2000, CYCLIC, ANY, 0, through_8 },
	{ "32 levels", ping_pong, PIDS, 0, 1000, CYCLIC, ANY, 0, through_32 },
#define CURVE(name, work, needs) \
	{ name ", 100 live", work, MANY, 100, 100000, CYCLIC, needs, 0 }, \
	{ name ", 1k live", work, MANY, 1000, 100000, CYCLIC, needs, 0 }, \
	{ name ", 10k live", work, MANY, 10000, 100000, CYCLIC, needs, 0 }, \
	{ name ", 100k live", work, MANY, 100000, 100000, CYCLIC, needs, 0 }, \
	{ name ", 1M live", work, MANY, 1000000, 100000, CYCLIC, needs, 0 }
	CURVE("curve ping-pong", ping_pong, ANY),
	CURVE("curve churn", churn, ANY),
	CURVE("curve find", find, FINDS),
	CURVE("curve iterate", iterate, NEXTS),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct rival *rival_of(const struct row *row, unsigned int i)
{
	return (row->rivals ? row->rivals : all)[i];
}

static bool takes_part(const struct row *row, const struct rival *rival)
{
	if (!(row->how == LOWEST ? rival->lowest : row->how == CYCLIC ? rival->cyclic : rival->any))
		return false;
	/* A chain of pid_hash is a thousand long among so many: hours, for what 1M live tell as well. */
	if (rival == &rival_pidmap && row->live > 1000000)
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
	struct run *run = run_create(rival, row->limit, row->live, row->ops, row->how == LOWEST ? rival->lowest :
				     row->how == CYCLIC ? rival->cyclic : rival->any);

	if (row->spread)
		thin_out(run, row->spread);
	return run;
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

struct run *run_create(const struct rival *rival, unsigned int limit, unsigned int live, unsigned int more,
		       int (*get)(void *self, void *object))
{
	struct run *run = calloc(1, sizeof(*run));
	unsigned int i;

	run->rival = rival;
	run->limit = limit;
	run->self = rival->create(limit);
	run->get = get;
	run->ids = calloc(live + more + 1, sizeof(*run->ids));
	run->dice = 1;
	for (i = 0; i < live; i++) {
		run->ids[i] = run->get(run->self, object(i));
		if (run->ids[i] < 0)
			abort();
	}
	run->live = live;
	return run;
}

void run_end(struct run *run)
{
	run->rival->destroy(run->self);
	free(run->ids);
	free(run);
}

double clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* The chains of pid_hash are hundreds long among millions: seconds a round, for a figure that fewer calls give as well. */
static unsigned int operations(const struct row *row, const struct rival *rival)
{
	return rival == &rival_pidmap && row->limit == MANY && row->live > 10000 ? row->ops / 100 : row->ops;
}

static void measure(const struct row *row, unsigned int rounds)
{
	struct run *runs[RIVALS] = { NULL };
	double ns[RIVALS][64];
	unsigned int i, round;

	for (i = 0; rival_of(row, i); i++) {
		if (rival_of(row, i) != &rival_loop && takes_part(row, rival_of(row, i)))
			runs[i] = begin(row, rival_of(row, i));
	}
	/* Round 0 warms up. */
	for (round = 0; round <= rounds; round++) {
		for (i = 0; i < RIVALS; i++) {
			double start;

			if (!runs[i])
				continue;
			settle(row, runs[i]);
			start = cpu_ns();
			row->work(runs[i], operations(row, runs[i]->rival));
			ns[i][round] = (cpu_ns() - start) / operations(row, runs[i]->rival);
		}
	}
	for (i = 0; i < RIVALS; i++) {
		if (!runs[i])
			continue;
		printf("%s\t%s", row->name, runs[i]->rival->name);
		for (round = 1; round <= rounds; round++)
			printf("\t%.2f", ns[i][round]);
		printf("\n");
		run_end(runs[i]);
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
	run_end(run);
}

/* Dense: all in a row. Spread: what is left when each so manieth of 4,000,000 stays. */
static void bytes_of(const struct rival *rival)
{
	static const struct { const char *name; unsigned int live, spread; } shapes[] = {
		{ "bytes, 100 dense", 100, 0 }, { "bytes, 1k dense", 1000, 0 }, { "bytes, 32k dense", 32000, 0 },
		{ "bytes, 1M dense", 1000000, 0 }, { "bytes, 1M over 4M", 4000000, 4 },
		{ "bytes, 100k over 4M", 4000000, 40 }, { "bytes, 10k over 4M", 4000000, 400 },
		{ "bytes, 1k over 4M", 4000000, 4000 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct run *run = run_create(rival, MANY, shapes[i].live, 0, rival->cyclic);

		if (shapes[i].spread)
			thin_out(run, shapes[i].spread);
		rcu_barrier();
		printf("%s\t%s\t%.2f\n", shapes[i].name, rival->name, (double)rival->bytes(run->self) / run->live);
		run_end(run);
		rcu_barrier();
	}
}

int main(int argc, char **argv)
{
	bool counting = argc > 1 && !strcmp(argv[1], "insn");
	unsigned int rounds = argc > 1 && !counting ? (unsigned int)atoi(argv[1]) : 7;
	const char *only = argc > 2 ? argv[2] : "";
	unsigned int i, k;

	if (argc > 1 && !strcmp(argv[1], "pairs")) {
		pairs(argc > 2 ? (unsigned int)atoi(argv[2]) : 15);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "bytes")) {
		bytes_of(&rival_twin);
		bytes_of(&rival_idr);
		return 0;
	}
	if (rounds < 1 || rounds > 63) {
		fprintf(stderr, "pid_rows: rounds are 1 to 63\n");
		return 2;
	}
	for (i = 0; i < ROWS; i++) {
		if (strncmp(rows[i].name, only, strlen(only)))
			continue;
		/* The callgrind run of what fills millions would take minutes for a figure that 32k gives. */
		for (k = 0; counting && rows[i].live <= 40000 && rival_of(&rows[i], k); k++) {
			if (takes_part(&rows[i], rival_of(&rows[i], k)))
				count(&rows[i], rival_of(&rows[i], k));
		}
		if (!counting)
			measure(&rows[i], rounds);
	}
	return 0;
}
