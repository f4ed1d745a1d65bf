/* SPDX-License-Identifier: GPL-2.0-only */
/* A debugfs file that shows a header and a line a record. The file's private data points to one of these. */
#ifndef KTWIN_TABLE_H
#define KTWIN_TABLE_H

#include <linux/fs.h>

#include "ktwin.h"

struct ktwin_table {
	const char *header;
	size_t record_size;
	/* Reads the next record: 1 read, 0 no more (or *more false), -errno. */
	int (*read)(kt_key viewer, u64 *cursor, void *to, bool *more);
	void (*show)(struct seq_file *seq, const void *record);
};

extern const struct file_operations ktwin_table_fops;

#endif
