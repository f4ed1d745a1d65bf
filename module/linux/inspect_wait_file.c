// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which files have wait queues that can be had without touching anything, and where these are.
 *
 * A poll operation is called only where it does nothing but look: eventfd, timerfd, inotify, fanotify, pidfd, and ktwin's
 * own. Others are known well enough to go without:
 *
 *   pipe      its poll sets poll_usage for good, and writers wake differently from then on
 *   socket    polls may ask for SIGIO, drop packets with bad checksums, busy-poll a network card; and they differ by
 *             family. All of them wait on the one queue in struct socket.
 *   epoll     its poll takes a mutex and polls other files
 *   signalfd  its poll looks at the caller's signals, not at those of the process inspected
 *   tty       its poll waits for the line discipline and flushes what is buffered
 *
 * What is not in the table is refused, by name.
 *
 * Lifetimes: every queue found here is embedded in an object that the file holds until its release, so the caller's
 * reference on the file keeps it; but for signalfd's, see lock_signals().
 */
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/tty.h>
#include <net/af_unix.h>
#include <net/sock.h>

#include "inspect_wait.h"

static void add_queue(struct ktwin_file_queues *to, struct wait_queue_head *head)
{
	if (WARN_ON_ONCE(to->count == KTWIN_FILE_QUEUES))
		return;
	to->queues[to->count++] = (struct ktwin_wait_queue){ .head = head, .lock = &head->lock };
}

/* --- files whose poll is called */

struct collecting {
	poll_table table;
	struct ktwin_file_queues *to;
};

static void collect(struct file *file, struct wait_queue_head *head, poll_table *table)
{
	add_queue(container_of(table, struct collecting, table)->to, head);
}

static int polled_queues(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to)
{
	struct collecting collecting = { .to = to };

	init_poll_funcptr(&collecting.table, collect);
	to->events = (__force u32)vfs_poll(file, &collecting.table);
	to->events_known = true;
	return 0;
}

/* --- files whose poll is not */

/* The anonymous pipe's answer is pipe_poll()'s; a fifo's POLLHUP depends on what its openers saw, so it has none. */
static void pipe_events(const struct file *file, const struct pipe_inode_info *pipe, struct ktwin_file_queues *to)
{
	unsigned int head = READ_ONCE(pipe->head), tail = READ_ONCE(pipe->tail);

	if (file_inode(file)->i_sb->s_magic != PIPEFS_MAGIC) {
		strscpy(to->name, "fifo", sizeof(to->name));
		return;
	}
	to->events_known = true;
	if (file->f_mode & FMODE_READ) {
		if (!pipe_empty(head, tail))
			to->events |= POLLIN | POLLRDNORM;
		if (!READ_ONCE(pipe->writers))
			to->events |= POLLHUP;
	}
	if (file->f_mode & FMODE_WRITE) {
		if (!pipe_full(head, tail, READ_ONCE(pipe->max_usage)))
			to->events |= POLLOUT | POLLWRNORM;
		if (!READ_ONCE(pipe->readers))
			to->events |= POLLERR;
	}
}

static int pipe_queues(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to)
{
	struct pipe_inode_info *pipe = file->private_data;

	if (file->f_mode & FMODE_READ)
		add_queue(to, &pipe->rd_wait);
	if (file->f_mode & FMODE_WRITE)
		add_queue(to, &pipe->wr_wait);
	pipe_events(file, pipe, to);
	return 0;
}

static int epoll_queues(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to)
{
	int err = ktwin_epoll_queues(file, to->queues);

	BUILD_BUG_ON(KTWIN_EPOLL_QUEUES > KTWIN_FILE_QUEUES);
	if (!err)
		to->count = KTWIN_EPOLL_QUEUES;
	return err;
}

static int signalfd_queues(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to)
{
	struct sighand_struct *sighand;

	rcu_read_lock();
	sighand = rcu_dereference(owner->sighand);
	if (sighand) {
		/* Only the address: whether it is still the owner's is seen again when it is locked. */
		add_queue(to, &sighand->signalfd_wqh);
		to->queues[0].signals = owner;
	}
	rcu_read_unlock();
	return 0;
}

/* The queues of the tty itself; a line discipline that is not a terminal's (ppp, hci) may wait elsewhere as well. */
static int tty_queues(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to)
{
	struct tty_struct *tty = ((struct tty_file_private *)file->private_data)->tty;

	add_queue(to, &tty->read_wait);
	add_queue(to, &tty->write_wait);
	return 0;
}

static const char *inet_name(const struct sock *sk)
{
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_MPTCP:
		return "mptcp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	}
	return "inet";
}

static void name_socket(const struct sock *sk, char *name)
{
	switch (sk->sk_family) {
	case AF_UNIX:
		strscpy(name, "socket:unix", KTWIN_FILE_NAME);
		return;
	case AF_INET:
	case AF_INET6:
		snprintf(name, KTWIN_FILE_NAME, "socket:%s", sk->sk_type == SOCK_RAW ? "raw" : inet_name(sk));
		return;
	case AF_NETLINK:
		strscpy(name, "socket:netlink", KTWIN_FILE_NAME);
		return;
	case AF_PACKET:
		strscpy(name, "socket:packet", KTWIN_FILE_NAME);
		return;
	case AF_VSOCK:
		strscpy(name, "socket:vsock", KTWIN_FILE_NAME);
		return;
	}
	snprintf(name, KTWIN_FILE_NAME, "socket:family-%u", sk->sk_family);
}

static int socket_queues(struct socket *socket, struct ktwin_file_queues *to)
{
	/* Set before the socket has an fd, and let go in its release. */
	struct sock *sk = READ_ONCE(socket->sk);

	add_queue(to, &socket->wq.wait);
	strscpy(to->name, "socket", sizeof(to->name));
	if (!sk)
		return 0;
	name_socket(sk, to->name);
	/* Where others wait for room in this one's queue: senders to a datagram socket, connect() to a listener. */
	if (sk->sk_family == AF_UNIX)
		add_queue(to, &unix_sk(sk)->peer_wait);
	return 0;
}

/* --- which is which */

static const struct {
	enum ktwin_function poll;
	const char *name;
	int (*queues)(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to);
} known[] = {
	{ KTWIN_FN_PIPE_POLL, "pipe", pipe_queues },
	{ KTWIN_FN_EVENTFD_POLL, "eventfd", polled_queues },
	{ KTWIN_FN_TIMERFD_POLL, "timerfd", polled_queues },
	{ KTWIN_FN_INOTIFY_POLL, "inotify", polled_queues },
	{ KTWIN_FN_FANOTIFY_POLL, "fanotify", polled_queues },
	{ KTWIN_FN_PIDFD_POLL, "pidfd", polled_queues },
	{ KTWIN_FN_SIGNALFD_POLL, "signalfd", signalfd_queues },
	{ KTWIN_FN_EPOLL_POLL, "eventpoll", epoll_queues },
	{ KTWIN_FN_TTY_POLL, "tty", tty_queues },
};

/* "[perf_event]" is the name of an anonymous inode's file; it never changes. */
static bool name_anonymous(const struct file *file, char *name)
{
	const struct dentry *dentry = file->f_path.dentry;
	size_t length;

	if (file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC || dentry->d_name.name[0] != '[')
		return false;
	strscpy(name, dentry->d_name.name + 1, KTWIN_FILE_NAME);
	length = strlen(name);
	if (length && name[length - 1] == ']')
		name[length - 1] = '\0';
	return true;
}

static void name_other(const struct file *file, char *name)
{
	const struct inode *inode = file_inode(file);

	if (name_anonymous(file, name))
		return;
	if (S_ISCHR(inode->i_mode))
		snprintf(name, KTWIN_FILE_NAME, "char:%u:%u", imajor(inode), iminor(inode));
	else if (S_ISBLK(inode->i_mode))
		snprintf(name, KTWIN_FILE_NAME, "block:%u:%u", imajor(inode), iminor(inode));
	else
		strscpy(name, S_ISREG(inode->i_mode) ? "file" : S_ISDIR(inode->i_mode) ? "directory" : "other",
			KTWIN_FILE_NAME);
}

int ktwin_file_queues(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to)
{
	struct socket *socket = sock_from_file(file);
	size_t i;

	memset(to, 0, sizeof(*to));
	if (socket)
		return socket_queues(socket, to);
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (ktwin_is_function(known[i].poll, file->f_op->poll)) {
			strscpy(to->name, known[i].name, sizeof(to->name));
			return known[i].queues(file, owner, to);
		}
	}
	name_other(file, to->name);
	if (file->f_op->owner == THIS_MODULE && file->f_op->poll)
		return polled_queues(file, owner, to);
	return -EOPNOTSUPP;
}
