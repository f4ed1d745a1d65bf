// SPDX-License-Identifier: GPL-2.0-only
/* debugfs pid/tree: the namespaces, each below its parent. */
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "ktwin.h"

/* More than this is not read by eye; the table has them all. */
#define NAMESPACES_MAX	16384
#define NONE		(-1)

struct node {
	struct ktwin_ns ns;
	int parent, first_child, next_sibling;
};

static int by_inode(const void *a, const void *b)
{
	u32 left = ((const struct node *)a)->ns.inode, right = ((const struct node *)b)->ns.inode;

	return left < right ? -1 : left > right;
}

static int find_node(const struct node *nodes, int count, u32 inode)
{
	int low = 0, high = count;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (nodes[middle].ns.inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && nodes[low].ns.inode == inode ? low : NONE;
}

/* Result: how many were read, or -errno. */
static int read_nodes(kt_key viewer, struct node *nodes, int room)
{
	u64 cursor = 0;
	bool more = true;
	int count = 0;

	while (more && count < room) {
		int read = kt_core_read_namespaces(viewer, 0, &cursor, &nodes[count].ns, 1, &more);

		if (read < 0)
			return read == -ENODATA ? 0 : read;
		if (!read)
			break;
		count += read;
	}
	return count;
}

static void link_nodes(struct node *nodes, int count)
{
	int i;

	sort(nodes, count, sizeof(*nodes), by_inode, NULL);
	for (i = 0; i < count; i++) {
		nodes[i].first_child = NONE;
		nodes[i].next_sibling = NONE;
	}
	/* From the back, so that each list of children comes out in ascending order. */
	for (i = count - 1; i >= 0; i--) {
		int parent = find_node(nodes, count, nodes[i].ns.parent);

		nodes[i].parent = parent;
		if (parent != NONE) {
			nodes[i].next_sibling = nodes[parent].first_child;
			nodes[parent].first_child = i;
		}
	}
}

/* The node after i in the order of printing: its first child, else the next sibling of it or of an ancestor. */
static int following(const struct node *nodes, int i)
{
	if (nodes[i].first_child != NONE)
		return nodes[i].first_child;
	while (i != NONE && nodes[i].next_sibling == NONE)
		i = nodes[i].parent;
	return i == NONE ? NONE : nodes[i].next_sibling;
}

static void show_nodes(struct seq_file *seq, const struct node *nodes, int count)
{
	int i, top;

	for (top = 0; top < count; top++) {
		if (nodes[top].parent != NONE)
			continue;
		for (i = top; i != NONE; i = following(nodes, i)) {
			const struct ktwin_ns *ns = &nodes[i].ns;

			seq_printf(seq, "%*s%u level %u, %u pids, reaper %d, cursor %u, %u free%s\n", (int)ns->level * 2,
				   "", ns->inode, ns->level, ns->count, ns->reaper, ns->cursor, ns->headroom,
				   ns->flags & KTWIN_NS_DYING ? ", dying" : "");
		}
	}
}

int ktwin_tree_show(struct seq_file *seq, void *unused)
{
	struct ktwin_status status = { .size = sizeof(status) };
	kt_key viewer = ktwin_key(seq->private);
	struct node *nodes;
	int count, room;

	count = kt_core_status(viewer, &status);
	if (count)
		return count;
	/* Some more than there are now: others may come before the reading is done. */
	room = min_t(u64, status.namespaces + 64, NAMESPACES_MAX);
	nodes = kvcalloc(room, sizeof(*nodes), GFP_KERNEL);
	if (!nodes)
		return -ENOMEM;
	ktwin_pid_max_refresh();
	count = read_nodes(viewer, nodes, room);
	seq_puts(seq, "# namespace (inode) and what is below it\n");
	if (count > 0) {
		link_nodes(nodes, count);
		show_nodes(seq, nodes, count);
	}
	if (count == room)
		seq_puts(seq, "... and more; pid/namespaces has them all\n");
	kvfree(nodes);
	return count < 0 ? count : 0;
}
