/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_COMPAT_FILE_H
#define KTWIN_COMPAT_FILE_H

#include <linux/fs.h>
#include <linux/version.h>

/*
 * A reference on a file whose memory is known to be one, but which may be about to be released; false: it is.
 * What makes sure of the memory is the caller's business: it is reused without a grace period.
 */
static inline bool kt_get_live_file(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	return file_ref_get(&file->f_ref);
#else
	return atomic_long_inc_not_zero(&file->f_count);
#endif
}

#endif
