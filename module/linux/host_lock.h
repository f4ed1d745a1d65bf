/* SPDX-License-Identifier: GPL-2.0-only */
/* The raw spinlock in a struct kt_host_lock. */
#ifndef KTWIN_HOST_LOCK_H
#define KTWIN_HOST_LOCK_H

#include <linux/build_bug.h>
#include <linux/spinlock.h>

#include "boundary/host_api.h"

static __always_inline raw_spinlock_t *ktwin_raw_lock(struct kt_host_lock *lock)
{
	BUILD_BUG_ON(sizeof(raw_spinlock_t) > sizeof(lock->opaque));
	return (raw_spinlock_t *)lock->opaque;
}

#endif
