/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_COMPAT_MM_H
#define KTWIN_COMPAT_MM_H

#include <linux/mm.h>
#include <linux/version.h>

/* From 6.3 on vm_flags is const and changed through functions. */
static inline void kt_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

#endif
