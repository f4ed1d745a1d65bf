/* SPDX-License-Identifier: GPL-2.0-only */
/* The scheduler's wake flags, which its header keeps to itself. */
#ifndef KTWIN_WAKE_FLAGS_H
#define KTWIN_WAKE_FLAGS_H

/* Once, at load. */
void ktwin_wake_flags_learn(void);
/* What a wake function is called with by __wake_up_sync(). */
int ktwin_wake_sync_flags(void);

#endif
