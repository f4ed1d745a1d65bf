// SPDX-License-Identifier: GPL-2.0-only
/* debugfs audit/layout: where the fields of the kernel's structs are, by its own BTF; or why ktwin does not know. */
#include <linux/seq_file.h>
#include <linux/string.h>

#include "ktwin.h"

int ktwin_layout_show(struct seq_file *seq, void *unused)
{
	struct kt_layout_entry entry;
	u32 i;

	seq_puts(seq, "# struct         field            offset size\n");
	for (i = 0; kt_core_layout_entry(i, &entry); i++) {
		const char *field = strchr(entry.name, '.') + 1;

		seq_printf(seq, "%-16.*s %-16s ", (int)(field - entry.name - 1), entry.name, field);
		if (entry.missing)
			seq_printf(seq, "unknown %s %s\n", entry.missing, entry.why);
		else if (entry.offset < 0)
			seq_puts(seq, "absent\n");
		else
			seq_printf(seq, "%6d %4u\n", entry.offset, entry.size);
	}
	return 0;
}
