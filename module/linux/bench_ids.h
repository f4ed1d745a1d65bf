/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's allocators of ids as the bench calls them; bench_ids.c knows them by their numbers. */
#ifndef KTWIN_BENCH_IDS_H
#define KTWIN_BENCH_IDS_H

#include "boundary/types.h"

struct xarray;

extern const struct kt_rival bench_ids_kpid;
extern const struct kt_rival bench_ids_idr;
extern const struct kt_rival bench_ids_xarray;
extern const struct kt_rival bench_ids_ida;
extern const struct kt_rival bench_ids_sbitmap;
extern const struct kt_rival bench_ids_pids;

/* bench_ids.c. The nodes below an xarray, or an idr, which is one; nobody is at it. May sleep. */
u64 bench_ids_nodes(const struct xarray *xa);
/* Nodes that the allocators gave back are freed: no callback of theirs runs in what is measured next. May sleep. */
void bench_ids_rest(void *self);

#endif
