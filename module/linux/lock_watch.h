/* SPDX-License-Identifier: GPL-2.0-only */
/* bench_wait_hold.c: how long one of the core's locks is held, while a measurement asks. A jump over nothing otherwise. */
#ifndef KTWIN_LOCK_WATCH_H
#define KTWIN_LOCK_WATCH_H

#include <linux/jump_label.h>

struct kt_host_lock;

DECLARE_STATIC_KEY_FALSE(ktwin_lock_watched);
/* With the lock held, irqs off: just taken, and about to be given back. */
void ktwin_lock_taken(const struct kt_host_lock *lock);
void ktwin_lock_left(const struct kt_host_lock *lock);

#endif
