/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One allocator while a row runs on it.
 */
#ifndef KTWIN_BENCH_RUN_H
#define KTWIN_BENCH_RUN_H

#include "kernel_shim.h"
#include <time.h>

#include "rival.h"

#define PIDS 32768
#define MANY 4194304

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

static inline unsigned int below(struct run *run, unsigned int bound)
{
	run->dice = run->dice * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)((run->dice >> 32) * bound >> 32);
}

static inline void *object(unsigned int i)
{
	return &objects[i % 8];
}

/* live ids in it, and room for more. */
struct run *run_create(const struct rival *rival, unsigned int limit, unsigned int live, unsigned int more,
		       int (*get)(void *self, void *object));
void run_end(struct run *run);
double clock_ns(clockid_t clock);

/* The work: each does ops operations. */
void ping_pong(struct run *run, unsigned int ops);
void find(struct run *run, unsigned int ops);

void pairs(unsigned int rounds);

#endif
