/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pid_rows.c measures: one row of calls an allocator, the same indirect call for each. NULL: it has no such call.
 */
#ifndef KTWIN_BENCH_RIVAL_H
#define KTWIN_BENCH_RIVAL_H

#ifdef __cplusplus
extern "C" {
#endif

struct rival {
	const char *name;
	void *(*create)(unsigned int limit);
	void (*destroy)(void *self);
	/* Numbers from 1 on below the limit; object is what they stand for. Below 0: none. */
	int (*cyclic)(void *self, void *object);
	int (*lowest)(void *self, void *object);
	int (*any)(void *self, void *object);	/* in an order of its own */
	void (*put)(void *self, int nr);
	void *(*find)(void *self, int nr);
	/* The lowest used number >= nr; NULL: none. */
	void *(*next)(void *self, int *nr);
	/* Outside of what is measured: grace periods, pools. */
	void (*rest)(void *self);
	/* In use for what is in it now. */
	unsigned long (*bytes)(void *self);
};

extern const struct rival rival_twin, rival_blocks, rival_pidmap;
extern const struct rival rival_kpid, rival_idr, rival_xarray, rival_ida, rival_sbitmap;
/* alloc_pid() and free_pid() through so many namespaces: cyclic() and put() of the one pid that there is. */
extern const struct rival rival_twin_8, rival_twin_32, rival_kpid_8, rival_kpid_32;

#ifdef __cplusplus
}
#endif

#endif
