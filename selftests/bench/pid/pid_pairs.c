// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads on one allocator, in windows of a millisecond. A window counts only when both threads had a whole CPU all
 * the time: their CPU time is what passed, and they began together. Nanoseconds an operation of both threads together, or
 * of each where they do different things.
 */
#include "run.h"
#include <pthread.h>

#define WINDOW_NS 1e6
#define TRIES 3000
#define BATCH 32

struct half {
	struct run run;
	void (*work)(struct run *run, unsigned int ops);
	pthread_t thread;
	unsigned int cpu;
	/* Of the last window. */
	double from, wall, own;
	unsigned long ops;
} __attribute__((aligned(128)));

static struct half halves[2];
static unsigned int here[2];	/* windows that each has come to */
static bool over;
static bool good;

static void meet(unsigned int cpu)
{
	unsigned int turn = __atomic_add_fetch(&here[cpu], 1, __ATOMIC_SEQ_CST);

	while (__atomic_load_n(&here[!cpu], __ATOMIC_SEQ_CST) < turn)
		sched_yield();
}

static void window(struct half *half)
{
	double own, now;

	meet(half->cpu);
	half->ops = 0;
	own = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	half->from = now = clock_ns(CLOCK_MONOTONIC);
	for (; now - half->from < WINDOW_NS; now = clock_ns(CLOCK_MONOTONIC)) {
		half->work(&half->run, BATCH);
		half->ops += BATCH;
	}
	half->wall = now - half->from;
	half->own = clock_ns(CLOCK_THREAD_CPUTIME_ID) - own;
	meet(half->cpu);
}

static bool whole(const struct half *half)
{
	return half->own > 0.98 * half->wall && half->wall < 1.1 * WINDOW_NS;
}

static void *second(void *unused)
{
	shim_cpu = 1;
	for (;;) {
		meet(1);
		if (over)
			return NULL;
		window(&halves[1]);
	}
}

static void one_window(void)
{
	double apart;

	meet(0);
	window(&halves[0]);
	apart = halves[0].from - halves[1].from;
	good = whole(&halves[0]) && whole(&halves[1]) && apart < 0.02 * WINDOW_NS && apart > -0.02 * WINDOW_NS;
	if (halves[0].run.rival->rest)
		halves[0].run.rival->rest(halves[0].run.self);
}

#define KINDS 8
static const struct rival * const rivals[KINDS] = {
	&rival_twin, &rival_kpid, &rival_idr, &rival_xarray, &rival_ida, &rival_sbitmap, &rival_pidmap, &rival_blocks,
};

struct series {
	struct run *run;
	unsigned int nr;
	double ns[2][64];
};

static void note(struct series *series, bool each)
{
	if (each) {
		series->ns[0][series->nr] = halves[0].wall / halves[0].ops;
		series->ns[1][series->nr] = halves[1].wall / halves[1].ops;
	} else {
		series->ns[0][series->nr] = (halves[0].wall + halves[1].wall) / 2 / (halves[0].ops + halves[1].ops);
	}
	series->nr++;
}

static void print(const char *row, const char *what, const struct series *series, unsigned int which)
{
	unsigned int i;

	printf("%s%s\t%s", row, what, series->run->rival->name);
	for (i = 0; i < series->nr; i++)
		printf("\t%.2f", series->ns[which][i]);
	printf("\n");
}

/* reads: the second thread looks up what is there all the time, and both are told apart. */
static void pair_row(const char *row, bool reads, unsigned int rounds)
{
	struct series series[KINDS] = { { NULL } };
	unsigned int i, try, enough;

	for (i = 0; i < KINDS; i++) {
		int (*get)(void *self, void *object) = rivals[i]->cyclic ? rivals[i]->cyclic : rivals[i]->lowest;

		if (!reads || rivals[i]->find)
			series[i].run = run_create(rivals[i], PIDS, 1000, 0, get);
	}
	for (try = 0, enough = 0; try < TRIES && enough < KINDS; try++) {
		for (i = 0, enough = 0; i < KINDS; i++) {
			if (!series[i].run || series[i].nr == rounds) {
				enough++;
				continue;
			}
			halves[0].run = halves[1].run = *series[i].run;
			halves[0].work = ping_pong;
			halves[1].work = reads ? find : ping_pong;
			one_window();
			/* The first warm up: pools, caches. */
			if (good && try >= 8)
				note(&series[i], reads);
		}
	}
	for (i = 0; i < KINDS; i++) {
		if (!series[i].run)
			continue;
		print(row, reads ? ": writer" : "", &series[i], 0);
		if (reads)
			print(row, ": reader", &series[i], 1);
		run_end(series[i].run);
	}
	fflush(stdout);
}

void pairs(unsigned int rounds)
{
	rounds = rounds < 64 ? rounds : 63;
	halves[1].cpu = 1;
	pthread_create(&halves[1].thread, NULL, second, NULL);
	pair_row("2 threads", false, rounds);
	pair_row("1 writer + 1 reader", true, rounds);
	over = true;
	meet(0);
	pthread_join(halves[1].thread, NULL);
}
