/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_INSPECT_PIDNS_H
#define KTWIN_INSPECT_PIDNS_H

#include <linux/pid.h>
#include <linux/pid_namespace.h>

#include "ktwin.h"

/*
 * Any context in which pid is complete and alive: inside RCU after it was found in an idr, or in the probe of its
 * publication. Its namespaces are alive then, because struct pid holds a reference on the deepest, and that on its
 * parents, until an RCU grace period after its removal.
 */
static inline void ktwin_describe_pid(const struct pid *pid, struct kt_pid *to)
{
	unsigned int i, level = pid->level;

	if (WARN_ON_ONCE(level >= KTWIN_LEVELS))
		level = KTWIN_LEVELS - 1;
	to->key = ktwin_key(pid);
	to->level = level;
	for (i = 0; i <= level; i++) {
		to->numbers[i].ns = ktwin_key(pid->numbers[i].ns);
		to->numbers[i].nr = pid->numbers[i].nr;
		to->numbers[i].inode = pid->numbers[i].ns->ns.inum;
	}
}

#endif
