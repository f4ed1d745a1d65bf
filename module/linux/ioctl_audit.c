// SPDX-License-Identifier: GPL-2.0-only
/* ioctls: status, mirror, audit, laboratory. */
#include <linux/capability.h>
#include <linux/string.h>

#include "ktwin.h"


long ktwin_ioctl_status(struct file *file, void *arg)
{
	struct ktwin_status *status = arg;

	if (status->flags)
		return -EINVAL;
	ktwin_pid_max_refresh();
	return kt_core_status(ktwin_viewer(), status);
}

long ktwin_ioctl_mirror(struct file *file, void *arg)
{
	const struct ktwin_mirror *mirror = arg;

	if (mirror->flags || mirror->zero || mirror->op > KTWIN_LOCKSTEP_ON)
		return -EINVAL;
	return kt_core_mirror(mirror->op);
}

long ktwin_ioctl_audit(struct file *file, void *arg)
{
	struct ktwin_audit *audit = arg;
	struct ktwin_audit_rate rate = {};
	struct kt_audit_budget budget;
	u32 flags = audit->flags;

	if (flags & ~KTWIN_AUDIT_RUN)
		return -EINVAL;
	if (!(flags & KTWIN_AUDIT_RUN))
		return kt_core_audit_last(ktwin_viewer(), audit);
	/* An administrator waits for it: full speed. Who else was handed the fd gets the share of the background pass. */
	ktwin_audit_rate_get(&rate);
	budget.batch = rate.batch;
	budget.cpu_percent = capable(CAP_SYS_ADMIN) ? 100 : rate.cpu_percent;
	return kt_core_audit(ktwin_viewer(), &budget, audit);
}

long ktwin_ioctl_audit_rate(struct file *file, void *arg)
{
	struct ktwin_audit_rate *rate = arg;

	if ((rate->flags & ~KTWIN_AUDIT_RATE_SET) || rate->zero)
		return -EINVAL;
	if (rate->flags & KTWIN_AUDIT_RATE_SET) {
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		return ktwin_audit_rate_set(rate);
	}
	ktwin_audit_rate_get(rate);
	return 0;
}

long ktwin_ioctl_inject(struct file *file, void *arg)
{
	const struct ktwin_inject *inject = arg;

	if (inject->flags || inject->zero)
		return -EINVAL;
	return kt_core_inject(ktwin_viewer(), inject);
}

long ktwin_ioctl_compare(struct file *file, void *arg)
{
	struct ktwin_compare *compare = arg;

	if (compare->flags || compare->zero)
		return -EINVAL;
	return kt_core_compare(compare);
}
