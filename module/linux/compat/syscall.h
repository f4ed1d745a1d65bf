/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KTWIN_COMPAT_SYSCALL_H
#define KTWIN_COMPAT_SYSCALL_H

#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

/*
 * Whether the task, whose stack is known to stay meanwhile, is in a system call of the read() family. False also where
 * that is not known: for other architectures, and for callers with the numbers of another one.
 */
static inline bool kt_is_reading(struct task_struct *task)
{
#if defined(CONFIG_X86_64) && defined(CONFIG_TASK_XACCT)
	/* Those have no registers of a user's. */
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER) || syscall_get_arch(task) != AUDIT_ARCH_X86_64)
		return false;
	switch (syscall_get_nr(task, task_pt_regs(task))) {
	case __NR_read:
	case __NR_readv:
		return true;
	}
#endif
	return false;
}

/* How many such calls it has returned from. */
static inline u64 kt_reads(const struct task_struct *task)
{
#ifdef CONFIG_TASK_XACCT
	return READ_ONCE(task->ioac.syscr);
#else
	return 0;
#endif
}

#endif
