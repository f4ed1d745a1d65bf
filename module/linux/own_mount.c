// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mount of a kernel filesystem of our own. Whoever loads the module may stand in a mount namespace or a chroot that
 * has no such mount, or another thing in its place; what is opened here is the kernel's.
 */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/path.h>

#include "ktwin.h"

struct vfsmount *ktwin_mount(const char *name)
{
	struct file_system_type *type = get_fs_type(name);
	struct vfsmount *mount;

	if (!type)
		return ERR_PTR(-ENODEV);
	mount = kern_mount(type);
	module_put(type->owner);
	return mount;
}

struct file *ktwin_mount_open(struct vfsmount *mount, const char *name)
{
	struct path root = { .mnt = mount, .dentry = mount->mnt_root };

	return file_open_root(&root, name, O_RDONLY, 0);
}
