// SPDX-License-Identifier: GPL-2.0-only
/* seq_file over a bulk reader: position 0 is the header, n the nth record. */
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "ktwin.h"
#include "table.h"

struct walk {
	const struct ktwin_table *table;
	struct pid_namespace *viewer;
	u64 cursor;
	loff_t position;	/* of the record held; 0: none yet */
	bool more;
	u64 record[];
};

/* Reads on to the record at position. seq_file asks again for the one it holds when its buffer was too small. */
static void *advance(struct walk *walk, loff_t position)
{
	if (position < walk->position || !walk->position) {
		walk->cursor = 0;
		walk->position = 0;
		walk->more = true;
	}
	while (walk->position < position) {
		int count = 0;

		if (walk->more)
			count = walk->table->read(ktwin_key(walk->viewer), &walk->cursor, walk->record, &walk->more);
		/* A mirror that is off has nothing to show; that is no error for a file. */
		if (!count || count == -ENODATA)
			return NULL;
		if (count < 0)
			return ERR_PTR(count);
		walk->position++;
	}
	return walk->record;
}

static void *table_start(struct seq_file *seq, loff_t *position)
{
	return *position ? advance(seq->private, *position) : SEQ_START_TOKEN;
}

static void *table_next(struct seq_file *seq, void *record, loff_t *position)
{
	return advance(seq->private, ++*position);
}

static void table_stop(struct seq_file *seq, void *record)
{
}

static int table_show(struct seq_file *seq, void *record)
{
	const struct walk *walk = seq->private;

	if (record == SEQ_START_TOKEN)
		seq_puts(seq, walk->table->header);
	else
		walk->table->show(seq, record);
	return 0;
}

static const struct seq_operations table_ops = {
	.start = table_start,
	.next = table_next,
	.stop = table_stop,
	.show = table_show,
};

static int table_open(struct inode *inode, struct file *file)
{
	const struct ktwin_table *table = inode->i_private;
	struct walk *walk = __seq_open_private(file, &table_ops, struct_size(walk, record, table->record_size / 8));

	if (!walk)
		return -ENOMEM;
	walk->table = table;
	walk->viewer = get_pid_ns(task_active_pid_ns(current));
	ktwin_pid_max_refresh();
	return 0;
}

static int table_release(struct inode *inode, struct file *file)
{
	const struct seq_file *seq = file->private_data;
	const struct walk *walk = seq->private;

	put_pid_ns(walk->viewer);
	return seq_release_private(inode, file);
}

const struct file_operations ktwin_table_fops = {
	.owner = THIS_MODULE,
	.open = table_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = table_release,
};
