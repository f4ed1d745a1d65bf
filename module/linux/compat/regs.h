/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments of a function at its first instruction, by the calling convention of the machine. */
#ifndef KTWIN_COMPAT_REGS_H
#define KTWIN_COMPAT_REGS_H

#include <linux/ptrace.h>

#ifndef CONFIG_HAVE_FUNCTION_ARG_ACCESS_API
#error "ktwin needs regs_get_kernel_argument(): x86-64 is the machine it was tested on"
#endif

static __always_inline unsigned long kt_arg0(struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, 0);
}

static __always_inline unsigned long kt_arg1(struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, 1);
}

static __always_inline unsigned long kt_arg2(struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, 2);
}

static __always_inline unsigned long kt_arg3(struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, 3);
}

#endif
