// SPDX-License-Identifier: GPL-2.0-only
/*
 * What labs have ready and do not need goes back when the system is short of memory.
 *
 * Called in anybody's allocation, that of a lab's own caller included, so nothing is waited for here: the list of labs
 * is taken by trying, and the pools have a lock under which nothing is allocated. Objects that wait for a grace period go
 * once one has passed between two calls: waiting for it here could wait for ourselves. What is ready in the memory of a
 * backend's own (IdMemory) is left alone.
 */
#include <linux/limits.h>
#include <linux/minmax.h>

#include "compat/shrinker.h"
#include "ktwin.h"

static unsigned long ready_in(struct kt_lab *lab, void *arg)
{
	return kt_core_lab_ready(lab);
}

/* arg: how many more are wanted. */
static unsigned long shrink_one(struct kt_lab *lab, void *arg)
{
	unsigned long *wanted = arg;
	u32 given = kt_core_lab_shrink(lab, min_t(unsigned long, *wanted, U32_MAX));

	*wanted -= given;
	return given;
}

static unsigned long count_objects(struct shrinker *shrinker, struct shrink_control *control)
{
	unsigned long sum;

	/* Busy: ask again. */
	if (!ktwin_labs_try_each(ready_in, NULL, &sum))
		return 0;
	return sum ? sum : SHRINK_EMPTY;
}

static unsigned long scan_objects(struct shrinker *shrinker, struct shrink_control *control)
{
	unsigned long wanted = control->nr_to_scan, sum;

	if (!ktwin_labs_try_each(shrink_one, &wanted, &sum))
		return SHRINK_STOP;
	return sum ? sum : SHRINK_STOP;
}

static struct kt_shrinker lab_shrinker;

int ktwin_lab_shrinker_init(void)
{
	return kt_shrinker_register(&lab_shrinker, "ktwin-lab", count_objects, scan_objects);
}

/* Waits for those that run. */
void ktwin_lab_shrinker_exit(void)
{
	kt_shrinker_unregister(&lab_shrinker);
}
