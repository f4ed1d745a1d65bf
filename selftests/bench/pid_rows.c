// SPDX-License-Identifier: GPL-2.0-only
/*
 * pid_rows [times|insns [all|quick [WORDS]]]: the rows of the PID allocator's table, or those with WORDS in their name, one
 * line for each rival, tab-separated (scripts/test/rows.sh):
 *   row, ids, unit, goal, the rival's min, median and max, the twin's min, median and max, rival, nobody
 * What the loop, the indirect calls and the clock take is measured with an allocator that does nothing (nobody), and
 * taken off both sides. quick: nothing with more than 32768 ids. insns: fewer rounds, as they all count the same.
 * Needs the module with kt_lab=1, mirror=0 and no lockstep=1, so that no probe is in the kernel's way.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ktwin.h"

#define PIDS	32768
#define MANY	4194304
#define RIVALS	6

struct against {
	unsigned int who;
	const char *goal;	/* ratio; NULL: none */
};

struct row {
	const char *name;
	unsigned int work, flags, limit, live, spread, operations, levels;
	unsigned int twin;	/* enum ktwin_ids; 0: KTWIN_IDS_TWIN */
	unsigned int ids;	/* what it is called by its size; 0: live */
	bool bytes;		/* not how long: how much a live id takes */
	struct against against[RIVALS];
};

#define KPID(goal)	{ KTWIN_IDS_KPID, goal }
#define IDR(goal)	{ KTWIN_IDS_IDR, goal }
#define XARRAY		{ KTWIN_IDS_XARRAY, NULL }
#define IDA(goal)	{ KTWIN_IDS_IDA, goal }
#define SBITMAP(goal)	{ KTWIN_IDS_SBITMAP, goal }
#define PIDMAP(goal)	{ KTWIN_IDS_PIDMAP, goal }

/*
 * Of 32768 or 4194304 ids so many in use; by blocks, which take any free id, with the rival that does so too; and with ida,
 * which knows the lowest.
 */
#define CHURN(share, of, words, kpid, idr, ida, sbitmap, pidmap)						\
	{ "churn at " #share "% of " words, KTWIN_IDS_CHURN, .limit = of, .live = of / 100ULL * share,			\
	  .against = { KPID(kpid), IDR(idr), SBITMAP(sbitmap), PIDMAP(pidmap) } },				\
	{ "churn at " #share "% of " words ", any", KTWIN_IDS_CHURN, .limit = of, .live = of / 100ULL * share,		\
	  .twin = KTWIN_IDS_BLOCKS, .against = { SBITMAP(sbitmap) } },						\
	{ "churn at " #share "% of " words ", lowest", KTWIN_IDS_CHURN, KTWIN_IDS_LOWEST, of, of / 100ULL * share,	\
	  .against = { IDA(ida) } }

#define GROWTH(size)													\
	{ "growth: free one, take one", KTWIN_IDS_CHURN, .limit = MANY, .live = size,					\
	  .against = { KPID(NULL), IDR(NULL), XARRAY } },							\
	{ "growth: take and free one", KTWIN_IDS_PING_PONG, .limit = MANY, .live = size,				\
	  .against = { KPID(NULL), IDR(NULL), XARRAY } },							\
	{ "growth: find", KTWIN_IDS_FIND, .limit = MANY, .live = size, .against = { IDR(NULL), XARRAY, PIDMAP(NULL) } }, \
	{ "growth: iterate", KTWIN_IDS_ITERATE, .limit = MANY, .live = size, .against = { IDR(NULL), XARRAY } }

static const struct row rows[] = {
	{ "ping-pong, cyclic", KTWIN_IDS_PING_PONG, .limit = PIDS, .live = 1,
	  .against = { KPID("6"), IDR("5"), XARRAY, SBITMAP("1.1"), PIDMAP("2.5") } },
	{ "ping-pong, any", KTWIN_IDS_PING_PONG, .limit = PIDS, .live = 1, .twin = KTWIN_IDS_BLOCKS,
	  .against = { SBITMAP("1.1") } },
	{ "FIFO, any", KTWIN_IDS_FIFO, .limit = PIDS, .live = 1000, .twin = KTWIN_IDS_BLOCKS,
	  .against = { SBITMAP("2") } },
	{ "FIFO", KTWIN_IDS_FIFO, .limit = PIDS, .live = 1000,
	  .against = { KPID("2.8"), IDR("2"), XARRAY, SBITMAP("2"), PIDMAP("2.7") } },
	{ "smallest free", KTWIN_IDS_CHURN, KTWIN_IDS_LOWEST, PIDS, 1000,
	  .against = { KPID("2"), IDR("2"), XARRAY, IDA("1.7") } },
	CHURN(10, PIDS, "32k", "3", "2", "2.7", "1.1", "2"),
	CHURN(50, PIDS, "32k", "3", "2", "2.7", "1.1", "2"),
	CHURN(90, PIDS, "32k", "3", "2", "2.7", "1.1", "2"),
	CHURN(99, PIDS, "32k", "3", "2", "2.7", "1.1", "2"),
	CHURN(10, MANY, "4M", "3.5", "2.5", "1.2", "0.45", "3"),
	CHURN(50, MANY, "4M", "3.5", "2.5", "1.2", "0.45", "3"),
	CHURN(90, MANY, "4M", "3.5", "2.5", "1.2", "0.45", "3"),
	CHURN(99, MANY, "4M", "3.5", "2.5", "1.2", "0.45", "3"),
	{ "fill", KTWIN_IDS_FILL, .limit = PIDS, .operations = 30000, .ids = 30000,
	  .against = { KPID("3.5"), IDR("2"), XARRAY, SBITMAP("1.1"), PIDMAP("4") } },
	{ "fill, lowest", KTWIN_IDS_FILL, KTWIN_IDS_LOWEST, PIDS, .operations = 30000, .ids = 30000,
	  .against = { IDA("4.5") } },
	{ "find", KTWIN_IDS_FIND, .limit = PIDS, .live = 1000, .against = { IDR("3"), XARRAY, PIDMAP("1.2") } },
	{ "find", KTWIN_IDS_FIND, .limit = PIDS, .live = 32000, .against = { IDR("3.5"), XARRAY, PIDMAP("20") } },
	{ "find", KTWIN_IDS_FIND, .limit = MANY, .live = 1000000, .against = { IDR("5"), XARRAY, PIDMAP("1000") } },
	{ "find, dependent loads", KTWIN_IDS_FIND_CHAIN, .limit = PIDS, .live = 1000,
	  .against = { IDR("1.25"), XARRAY, PIDMAP("1") } },
	{ "find, dependent loads", KTWIN_IDS_FIND_CHAIN, .limit = PIDS, .live = 32000,
	  .against = { IDR("1.7"), XARRAY, PIDMAP("8") } },
	{ "find, dependent loads", KTWIN_IDS_FIND_CHAIN, .limit = MANY, .live = 1000000,
	  .against = { IDR("2.5"), XARRAY, PIDMAP("500") } },
	{ "iterate", KTWIN_IDS_ITERATE, .limit = PIDS, .live = 1000, .against = { IDR("1.2"), XARRAY } },
	{ "iterate", KTWIN_IDS_ITERATE, .limit = PIDS, .live = 32000, .against = { IDR("1.7"), XARRAY } },
	{ "iterate", KTWIN_IDS_ITERATE, .limit = MANY, .live = 1000000, .against = { IDR("2.7"), XARRAY } },
	{ "iterate, spread over 4M", KTWIN_IDS_ITERATE, .limit = MANY, .live = 1000, .spread = 4190,
	  .against = { IDR("6"), XARRAY } },
	{ "2 threads, one lock", KTWIN_IDS_TWO, .limit = PIDS, .live = 1000,
	  .against = { KPID("1.8"), IDR("1.3"), XARRAY, SBITMAP("0.15"), PIDMAP("1.2") } },
	{ "2 threads, one lock, lowest", KTWIN_IDS_TWO, KTWIN_IDS_LOWEST, PIDS, 1000, .against = { IDA("1.4") } },
	{ "2 threads, block a CPU", KTWIN_IDS_TWO, .limit = PIDS, .live = 1000, .twin = KTWIN_IDS_BLOCKS,
	  .against = { KPID("25"), IDR("15"), XARRAY, SBITMAP("2.2"), PIDMAP("15") } },
	{ "1 writer + 1 reader: writer", KTWIN_IDS_WRITER, .limit = PIDS, .live = 1000,
	  .against = { KPID("4"), IDR("3"), XARRAY } },
	{ "1 writer + 1 reader: reader", KTWIN_IDS_READER, .limit = PIDS, .live = 1000,
	  .against = { KPID("1.7"), IDR("1.7"), XARRAY } },
	{ "alloc_pid, free_pid in 1 level", KTWIN_IDS_PING_PONG, .limit = PIDS, .operations = 2048, .levels = 1,
	  .twin = KTWIN_IDS_TWIN_PIDS, .against = { { KTWIN_IDS_KERNEL_PIDS, NULL } } },
	{ "alloc_pid, free_pid in 8 levels", KTWIN_IDS_PING_PONG, .limit = PIDS, .operations = 2048, .levels = 8,
	  .twin = KTWIN_IDS_TWIN_PIDS, .against = { { KTWIN_IDS_KERNEL_PIDS, "7" } } },
	{ "alloc_pid, free_pid in 32 levels", KTWIN_IDS_PING_PONG, .limit = PIDS, .operations = 1024, .levels = 32,
	  .twin = KTWIN_IDS_TWIN_PIDS, .against = { { KTWIN_IDS_KERNEL_PIDS, "8" } } },
	{ "bytes a live id, dense", KTWIN_IDS_FIND, .limit = PIDS, .live = 1000, .bytes = true,
	  .against = { IDR("1"), XARRAY } },
	{ "bytes a live id, dense", KTWIN_IDS_FIND, .limit = PIDS, .live = 32000, .bytes = true,
	  .against = { IDR("1"), XARRAY } },
	{ "bytes a live id, dense", KTWIN_IDS_FIND, .limit = MANY, .live = 1000000, .bytes = true,
	  .against = { IDR("1"), XARRAY } },
	{ "bytes a live id, spread over 4M", KTWIN_IDS_FIND, .limit = MANY, .live = 1000000, .spread = 4, .bytes = true,
	  .against = { IDR("1"), XARRAY } },
	GROWTH(100),
	GROWTH(1000),
	GROWTH(10000),
	GROWTH(100000),
	GROWTH(1000000),
};

static const char * const names[] = {
	[KTWIN_IDS_PIDMAP] = "pidmap", [KTWIN_IDS_KPID] = "kpid", [KTWIN_IDS_IDR] = "idr", [KTWIN_IDS_XARRAY] = "xarray",
	[KTWIN_IDS_IDA] = "ida", [KTWIN_IDS_SBITMAP] = "sbitmap", [KTWIN_IDS_KERNEL_PIDS] = "kernel/pid.c",
};

static unsigned int rounds = 11;
static unsigned int measured, left_out;

static double each(unsigned long long ns, unsigned long long nobody, unsigned int operations)
{
	return ns > nobody ? (double)(ns - nobody) / operations : 0;
}

static void print_times(const struct ktwin_bench_ids *bench)
{
	unsigned int operations = bench->operations;
	unsigned long long nobody = bench->sides[2].median;
	int i;

	for (i = 1; i >= 0; i--) {
		printf("\t%.2f\t%.2f\t%.2f", each(bench->sides[i].min, nobody, operations),
		       each(bench->sides[i].median, nobody, operations), each(bench->sides[i].max, nobody, operations));
	}
	printf("\t%s\t%.2f\n", names[bench->who[1]], (double)nobody / operations);
}

/* A second line with what is kept at hand besides, of which the kernel's slabs say nothing. */
static void print_bytes(const struct row *row, const struct ktwin_bench_ids *bench, const struct against *against)
{
	double kernel = (double)bench->sides[1].bytes / bench->live, twin = (double)bench->sides[0].bytes / bench->live;
	double ready = (double)bench->sides[0].ready / bench->live + twin;

	printf("%s\t%u\tbytes\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t0\n", row->name, bench->live,
	       against->goal ? against->goal : "0", kernel, kernel, kernel, twin, twin, twin, names[against->who]);
	printf("%s, pools too\t%u\tbytes\t0\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t0\n", row->name, bench->live,
	       kernel, kernel, kernel, ready, ready, ready, names[against->who]);
}

static int measure(int device, const struct row *row, const struct against *against)
{
	struct ktwin_bench_ids bench = {
		.size = sizeof(bench), .flags = row->flags, .work = row->work,
		.who = { row->twin ? row->twin : KTWIN_IDS_TWIN, against->who }, .limit = row->limit, .live = row->live,
		.spread = row->spread, .operations = row->operations ? row->operations : 4096,
		.rounds = row->bytes ? 1 : rounds, .levels = row->levels ? row->levels : 1,
	};

	/* Chains hundreds long: seconds for a figure that fewer calls give as well. */
	if (against->who == KTWIN_IDS_PIDMAP && row->limit == MANY)
		bench.operations = 1024;
	if (ioctl(device, KTWIN_IOC_BENCH_IDS, &bench)) {
		int error = errno;

		fprintf(stderr, "pid_rows: %s, %s: %s\n", row->name, names[against->who], strerror(error));
		/* One CPU only, or two that a busy host never lets run at once: no failure, but no figure either. */
		if (error != ENODEV && error != ETIMEDOUT)
			return 1;
		left_out++;
		return 0;
	}
	measured++;
	if (row->bytes) {
		print_bytes(row, &bench, against);
	} else {
		printf("%s\t%u\tns/op\t%s", row->name, row->ids ? row->ids : row->live,
		       against->goal ? against->goal : "0");
		print_times(&bench);
	}
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	bool counting = argc > 1 && !strcmp(argv[1], "insns");
	bool quick = argc > 2 && !strcmp(argv[2], "quick");
	int device = open(KTWIN_DEVICE, O_RDWR | O_CLOEXEC), bad = 0;
	size_t i, k;

	if (device < 0) {
		perror("pid_rows: " KTWIN_DEVICE);
		return 2;
	}
	if (counting)
		rounds = 3;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		/* Bytes are no time. */
		if ((counting && row->bytes) || (quick && row->limit > PIDS) || (argc > 3 && !strstr(row->name, argv[3])))
			continue;
		for (k = 0; k < RIVALS && row->against[k].who; k++)
			bad |= measure(device, row, &row->against[k]);
	}
	fprintf(stderr, "pid_rows: %u measured, %u not: two CPUs were not to be had at once\n", measured, left_out);
	return bad;
}
