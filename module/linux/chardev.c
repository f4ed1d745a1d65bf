// SPDX-License-Identifier: GPL-2.0-only
/* /dev/ktwin: the door. Each open file keeps the module loaded. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "ktwin.h"

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = ktwin_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ktwin",
	.fops = &device_fops,
	.mode = 0600,
};

int ktwin_chardev_init(void)
{
	return misc_register(&device);
}

void ktwin_chardev_exit(void)
{
	misc_deregister(&device);
}
