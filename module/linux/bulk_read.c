// SPDX-License-Identifier: GPL-2.0-only
/* struct ktwin_read: records of any kind, copied to user space in batches. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ktwin.h"

#define ROOM_MAX	65536U
#define BATCH		128U

static long copy_records(const struct ktwin_read *read, const struct ktwin_reader *reader, const void *records,
			 u32 count)
{
	char __user *to = u64_to_user_ptr(read->buffer);
	u32 i;

	/* The sizes agree, as they nearly always do: one copy instead of count. */
	if (read->record_size == reader->size) {
		to += (size_t)read->filled * reader->size;
		return copy_to_user(to, records, (size_t)count * reader->size) ? -EFAULT : 0;
	}
	for (i = 0; i < count; i++) {
		long err = ktwin_copy_record(to + (size_t)(read->filled + i) * read->record_size,
					     read->record_size, records + i * reader->size, reader->size);

		if (err)
			return err;
	}
	return 0;
}

static long read_batches(struct ktwin_read *read, const struct ktwin_reader *reader, void *object, void *records)
{
	u32 room = min(read->room, ROOM_MAX);
	bool more = true;

	read->epoch = reader->epoch(object);
	while (more && read->filled < room) {
		u64 cursor = read->cursor;
		int count = reader->read(object, read->ns, &cursor, records, min(BATCH, room - read->filled), &more);
		long err;

		if (count < 0)
			return count;
		err = copy_records(read, reader, records, count);
		if (err)
			return err;
		/* A reader that gets no further has no more, whatever it says. */
		more = more && cursor != read->cursor;
		read->cursor = cursor;
		read->filled += count;
		if (signal_pending(current))
			break;
		if (reader->epoch(object) != read->epoch) {
			/* Populated anew in between: the caller learns it from the epoch of its next call. */
			more = true;
			break;
		}
		cond_resched();
	}
	read->more = more;
	return 0;
}

long ktwin_bulk_read(struct ktwin_read *read, const struct ktwin_reader *reader, void *object)
{
	void *records;
	long err;

	if (read->flags || read->zero || !read->room)
		return -EINVAL;
	if (read->record_size < reader->first_size || read->record_size > PAGE_SIZE)
		return -EINVAL;
	records = kvcalloc(min(BATCH, read->room), reader->size, GFP_KERNEL);
	if (!records)
		return -ENOMEM;
	read->filled = 0;
	err = read_batches(read, reader, object, records);
	kvfree(records);
	return err;
}
