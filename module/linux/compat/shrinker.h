/* SPDX-License-Identifier: GPL-2.0-only */
/* A shrinker is allocated from 6.7 on, and was a struct of its owner's before; its name came with 6.0. */
#ifndef KTWIN_COMPAT_SHRINKER_H
#define KTWIN_COMPAT_SHRINKER_H

/* 6.1: its struct has an atomic_long_t, and it does not say where from. */
#include <linux/atomic.h>
#include <linux/shrinker.h>
#include <linux/version.h>

typedef unsigned long (*kt_shrink_fn)(struct shrinker *shrinker, struct shrink_control *control);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)

struct kt_shrinker {
	struct shrinker *shrinker;
};

static inline int kt_shrinker_register(struct kt_shrinker *own, const char *name, kt_shrink_fn count, kt_shrink_fn scan)
{
	own->shrinker = shrinker_alloc(0, "%s", name);
	if (!own->shrinker)
		return -ENOMEM;
	own->shrinker->count_objects = count;
	own->shrinker->scan_objects = scan;
	shrinker_register(own->shrinker);
	return 0;
}

static inline void kt_shrinker_unregister(struct kt_shrinker *own)
{
	shrinker_free(own->shrinker);
}

#else

struct kt_shrinker {
	struct shrinker shrinker;
};

static inline int kt_shrinker_register(struct kt_shrinker *own, const char *name, kt_shrink_fn count, kt_shrink_fn scan)
{
	own->shrinker.count_objects = count;
	own->shrinker.scan_objects = scan;
	own->shrinker.seeks = DEFAULT_SEEKS;
	return register_shrinker(&own->shrinker, "%s", name);
}

static inline void kt_shrinker_unregister(struct kt_shrinker *own)
{
	unregister_shrinker(&own->shrinker);
}

#endif

#endif
