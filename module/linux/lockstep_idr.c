// SPDX-License-Identifier: GPL-2.0-only
/*
 * host_api.h: the cursor of a PID namespace's idr, and which numbers it has in use, those included that are reserved and hold no struct pid
 * yet.
 *
 * An idr is a radix tree in which the first mark (IDR_FREE) of a slot says that it, or one below it, is free; a node of
 * the lowest level has one word of them for 64 numbers. The nodes are struct xa_node of a public header. The caller is in
 * an event of the namespace, so the kernel holds pidmap_lock for it: nobody changes the tree, and none of its nodes goes.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/idr.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/xarray.h>

#include "ktwin.h"

__u32 kt_host_ns_cursor(kt_key key)
{
	const struct pid_namespace *ns = (const struct pid_namespace *)(unsigned long)key;

	return READ_ONCE(ns->idr.idr_next);
}

/* Numbers a slot of this node stands for. */
static u64 slot_span(const struct xa_node *node)
{
	return 1ULL << node->shift;
}

/*
 * The first node of the lowest level with numbers from *index on, which it moves there; NULL: none. Down from the root
 * each time: that is at most four steps, and spares the way up.
 */
static const struct xa_node *leaf_from(const struct xa_node *root, u64 *index)
{
	const struct xa_node *node = root;

	while (*index < slot_span(root) * XA_CHUNK_SIZE) {
		unsigned int offset = (*index >> node->shift) & XA_CHUNK_MASK;
		const void *entry;

		if (!node->shift)
			return node;
		entry = rcu_dereference_raw(node->slots[offset]);
		if (xa_is_node(entry)) {
			node = xa_to_node(entry);
			continue;
		}
		*index = round_down(*index, slot_span(node)) + slot_span(node);
		/* Past the last slot of this node another one goes on. */
		if (offset == XA_CHUNK_MASK)
			node = root;
	}
	return NULL;
}

__u64 kt_host_ns_used(kt_key key, __u32 *first)
{
	const struct pid_namespace *ns = (const struct pid_namespace *)(unsigned long)key;
	const void *head = rcu_dereference_raw(ns->idr.idr_rt.xa_head);
	const struct xa_node *leaf;
	u64 index = *first;

	BUILD_BUG_ON(XA_CHUNK_SIZE != 64 || BITS_PER_LONG != 64);
	/* A tree without a node has number 0 at most, which no pid gets. */
	if (!xa_is_node(head))
		return 0;
	while ((leaf = leaf_from(xa_to_node(head), &index))) {
		u64 used = ~(u64)leaf->tags[(__force unsigned int)XA_MARK_0][0];

		if (used) {
			*first = index;
			return used;
		}
		index += XA_CHUNK_SIZE;
	}
	return 0;
}
