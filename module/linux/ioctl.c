// SPDX-License-Identifier: GPL-2.0-only
/* The ioctl table, and what holds for every row: who may, how arguments are copied in and out. */
#include <linux/capability.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "ktwin.h"

/* last_field: the last one of the struct as it was first published; it never changes. */
static const struct ktwin_command commands[] = {
	KTWIN_ROW(KTWIN_IOC_STATUS, ktwin_status, ns_pool, KTWIN_CMD_ANSWERS, ktwin_ioctl_status),
	KTWIN_ROW(KTWIN_IOC_MIRROR, ktwin_mirror, zero, KTWIN_CMD_CONTROL, ktwin_ioctl_mirror),
	KTWIN_ROW(KTWIN_IOC_AUDIT, ktwin_audit, differences_total, KTWIN_CMD_ANSWERS, ktwin_ioctl_audit),
	/* Reading the rate is free, setting it is not: the handler checks. */
	KTWIN_ROW(KTWIN_IOC_AUDIT_RATE, ktwin_audit_rate, zero, KTWIN_CMD_ANSWERS, ktwin_ioctl_audit_rate),
	KTWIN_ROW(KTWIN_IOC_NAMESPACES, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ktwin_ioctl_namespaces),
	KTWIN_ROW(KTWIN_IOC_PIDS, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ktwin_ioctl_pids),
	KTWIN_ROW(KTWIN_IOC_DIVERGENCES, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ktwin_ioctl_divergences),
	KTWIN_ROW(KTWIN_IOC_EXPLAIN, ktwin_explain, zero, KTWIN_CMD_ANSWERS, ktwin_ioctl_explain),
	KTWIN_ROW(KTWIN_IOC_STREAM, ktwin_stream, zero, 0, ktwin_ioctl_stream),
	KTWIN_ROW(KTWIN_IOC_WAITERS, ktwin_waiters, file, KTWIN_CMD_ANSWERS, ktwin_ioctl_waiters),
	KTWIN_ROW(KTWIN_IOC_SLEEP, ktwin_sleep, comm, KTWIN_CMD_ANSWERS, ktwin_ioctl_sleep),
	KTWIN_ROW(KTWIN_IOC_RQ, ktwin_rq, longest_ns, KTWIN_CMD_ANSWERS, ktwin_ioctl_rq),
	KTWIN_ROW(KTWIN_IOC_LAYOUT, ktwin_read, epoch, KTWIN_CMD_ANSWERS, ktwin_ioctl_layout),
	KTWIN_ROW(KTWIN_IOC_QUEUE, ktwin_queue, zero, 0, ktwin_ioctl_queue),
	KTWIN_ROW(KTWIN_IOC_WATCH, ktwin_watch, zero, 0, ktwin_ioctl_watch),
	KTWIN_ROW(KTWIN_IOC_SWITCHES, ktwin_switches, zero, KTWIN_CMD_CONTROL, ktwin_ioctl_switches),
	KTWIN_ROW(KTWIN_IOC_LAB, ktwin_lab, bytes, 0, ktwin_ioctl_lab),
	KTWIN_ROW(KTWIN_IOC_INJECT, ktwin_inject, zero, KTWIN_CMD_CONTROL | KTWIN_CMD_LAB, ktwin_ioctl_inject),
	KTWIN_ROW(KTWIN_IOC_COMPARE, ktwin_compare, wraps, KTWIN_CMD_CONTROL | KTWIN_CMD_LAB | KTWIN_CMD_ANSWERS,
	    ktwin_ioctl_compare),
	KTWIN_ROW(KTWIN_IOC_BENCH, ktwin_bench, times, KTWIN_CMD_CONTROL | KTWIN_CMD_LAB | KTWIN_CMD_ANSWERS,
	    ktwin_ioctl_bench),
	KTWIN_ROW(KTWIN_IOC_BENCH_IDS, ktwin_bench_ids, sides, KTWIN_CMD_CONTROL | KTWIN_CMD_LAB | KTWIN_CMD_ANSWERS,
	    ktwin_ioctl_bench_ids),
};

long ktwin_copy_record(void __user *to, u32 to_size, const void *from, size_t from_size)
{
	size_t common = min_t(size_t, to_size, from_size);

	if (copy_to_user(to, from, common))
		return -EFAULT;
	if (to_size > common && clear_user(to + common, to_size - common))
		return -EFAULT;
	return 0;
}

static long may_run(const struct ktwin_command *command)
{
	if ((command->flags & KTWIN_CMD_CONTROL) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if ((command->flags & KTWIN_CMD_LAB) && !ktwin_lab())
		return -EOPNOTSUPP;
	return 0;
}

/* The convention of clone3(2): see the head of include/uapi/ktwin.h. The first field of every argument is its size. */
static long run_copied(const struct ktwin_command *command, struct file *file, void __user *arg)
{
	u64 buffer[KTWIN_ARG_MAX / sizeof(u64)];
	u32 user_size;
	long result;

	if (get_user(user_size, (u32 __user *)arg))
		return -EFAULT;
	if (user_size < command->first_size)
		return -EINVAL;
	if (user_size > PAGE_SIZE)
		return -E2BIG;
	result = copy_struct_from_user(buffer, command->size, arg, user_size);
	if (result)
		return result;
	result = command->handler(file, buffer);
	if (result < 0 || !(command->flags & KTWIN_CMD_ANSWERS))
		return result;
	/* size is the caller's word and stays; a tail that this module does not know was zero and stays so. */
	*(u32 *)buffer = user_size;
	if (copy_to_user(arg, buffer, min_t(size_t, user_size, command->size)))
		return -EFAULT;
	return result;
}

long ktwin_command_run(const struct ktwin_command *table, size_t rows, struct file *file, unsigned int cmd,
		       unsigned long arg)
{
	size_t i;

	for (i = 0; i < rows; i++) {
		long denied;

		if (table[i].cmd != cmd)
			continue;
		denied = may_run(&table[i]);
		return denied ? denied : run_copied(&table[i], file, (void __user *)arg);
	}
	return -ENOTTY;
}

long ktwin_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return ktwin_command_run(commands, ARRAY_SIZE(commands), file, cmd, arg);
}
