// SPDX-License-Identifier: GPL-2.0-only
/*
 * Through an epoll: from its entry on a watched file's queue to those who wait for it, and from its file to its queues.
 *
 * An epoll file is never polled: that takes its mutex and polls every file on its ready list in turn. Its structs are
 * private to fs/eventpoll.c; their layout is the kernel's BTF's word. Without that an entry is still known for an
 * epoll's, by its wake function, and nothing behind it is touched.
 *
 * Lifetimes. An epitem's entries are taken off the queues they are on, under the locks of these, before the epitem is
 * freed (ep_unregister_pollwait), and all epitems of an epoll before its struct is (ep_clear_and_put, from the release
 * of its file; an epitem that a dying watched file removes first was unregistered by that). So while an entry is seen
 * on a locked queue, its epitem, its eventpoll and the memory of the epoll's struct file are all there. The file may be
 * on its way out, with its count at 0; if it is not, a reference is taken, and the epoll's own queues are listed through
 * that, outside of the lock: no lock of ours nests in another.
 *
 * epoll_wait() puts itself on eventpoll.wq and takes itself off under eventpoll.lock, not under the queue's own, which
 * the wakers take inside it. So that is the lock wq is read under. poll_wait is an ordinary queue.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>

#include "compat/file.h"
#include "inspect_wait.h"

/* One field, and all of its group is known; so one is asked before any is used. */
static bool is_known(void)
{
	return kt_core_layout(KT_FIELD_EPITEM_EP) >= 0;
}

static void *field(const void *base, enum kt_layout_field which)
{
	return (char *)base + kt_core_layout(which);
}

static void *eventpoll_of(const struct wait_queue_entry *entry)
{
	const void *pwq = (const char *)entry - kt_core_layout(KT_FIELD_EPPOLL_ENTRY_WAIT);
	const void *item = *(void **)field(pwq, KT_FIELD_EPPOLL_ENTRY_BASE);

	return *(void **)field(item, KT_FIELD_EPITEM_EP);
}

static struct file *file_of(const void *ep)
{
	return *(struct file **)field(ep, KT_FIELD_EVENTPOLL_FILE);
}

static bool is_epoll_file(const struct file *file)
{
	return ktwin_is_function(KTWIN_FN_EPOLL_POLL, file->f_op->poll);
}

/* Each points at the other, or the layout is not what it was taken for. */
static bool is_pair(const void *ep, const struct file *file)
{
	return file_of(ep) == file && file->private_data == ep;
}

struct file *ktwin_epoll_of(const struct wait_queue_entry *entry)
{
	struct file *file;
	void *ep;

	if (!is_known())
		return NULL;
	ep = eventpoll_of(entry);
	file = file_of(ep);
	if (WARN_ON_ONCE(!is_pair(ep, file)))
		return NULL;
	return kt_get_live_file(file) ? file : NULL;
}

bool ktwin_epoll_has_waiter(const struct wait_queue_entry *entry)
{
	const struct wait_queue_head *wq;

	if (!is_known())
		return true;
	wq = field(eventpoll_of(entry), KT_FIELD_EVENTPOLL_WQ);
	return !list_empty_careful(&wq->head);
}

const void *ktwin_epoll_first_waiter(const struct wait_queue_entry *entry)
{
	const struct wait_queue_head *wq;
	const struct list_head *first;

	if (!is_known())
		return NULL;
	wq = field(eventpoll_of(entry), KT_FIELD_EVENTPOLL_WQ);
	first = READ_ONCE(wq->head.next);
	return first == &wq->head ? NULL : first;
}

int ktwin_epoll_queues(struct file *file, struct ktwin_wait_queue queues[KTWIN_EPOLL_QUEUES])
{
	void *ep = file->private_data;

	/* Its file operations are not known by name when their symbol was not found; nor is the file one then. */
	if (!is_known() || !is_epoll_file(file) || WARN_ON_ONCE(!is_pair(ep, file)))
		return -ENODATA;
	queues[0] = (struct ktwin_wait_queue){
		.head = field(ep, KT_FIELD_EVENTPOLL_WQ),
		.lock = field(ep, KT_FIELD_EVENTPOLL_LOCK),
	};
	queues[1] = (struct ktwin_wait_queue){ .head = field(ep, KT_FIELD_EVENTPOLL_POLL_WAIT) };
	queues[1].lock = &queues[1].head->lock;
	return 0;
}
