// SPDX-License-Identifier: GPL-2.0-only
/* ioctl: where the fields are that ktwin uses of the kernel's structs, and who says so. */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "ktwin.h"

static void describe(const struct kt_layout_entry *entry, struct ktwin_layout *to)
{
	BUILD_BUG_ON((int)KT_GROUP_WAIT != KTWIN_LAYOUT_WAIT || (int)KT_GROUP_TASK != KTWIN_LAYOUT_TASK);
	BUILD_BUG_ON((int)KT_GROUP_EPOLL != KTWIN_LAYOUT_EPOLL || (int)KT_GROUP_RUN_QUEUE != KTWIN_LAYOUT_RUN_QUEUE);
	memset(to, 0, sizeof(*to));
	to->group = entry->group;
	to->offset = entry->offset;
	to->length = entry->size;
	strscpy(to->name, entry->name, sizeof(to->name));
	if (entry->offset >= 0)
		to->flags |= KTWIN_LAYOUT_KNOWN;
	if (entry->compared)
		to->flags |= KTWIN_LAYOUT_COMPARED;
	if (!entry->missing)
		return;
	to->flags |= KTWIN_LAYOUT_REFUSED;
	strscpy(to->missing, entry->missing, sizeof(to->missing));
	strscpy(to->why, entry->why, sizeof(to->why));
}

/* The cursor is the number of the next field. */
long ktwin_ioctl_layout(struct file *device, void *arg)
{
	struct ktwin_read *read = arg;
	char __user *to = u64_to_user_ptr(read->buffer);
	struct kt_layout_entry entry;
	struct ktwin_layout layout;
	long err;

	if (read->flags || read->ns || !read->room || read->zero || read->cursor > KT_FIELDS ||
	    read->record_size < offsetofend(struct ktwin_layout, why) || read->record_size > PAGE_SIZE)
		return -EINVAL;
	read->filled = 0;
	while (read->filled < read->room && kt_core_layout_entry(read->cursor, &entry)) {
		describe(&entry, &layout);
		err = ktwin_copy_record(to + (size_t)read->filled * read->record_size, read->record_size, &layout,
					sizeof(layout));
		if (err)
			return err;
		read->filled++;
		read->cursor++;
	}
	read->more = read->cursor < KT_FIELDS;
	read->epoch = 0;
	return 0;
}
