/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that look into the kernel's wait queues share. Each block is one file's. */
#ifndef KTWIN_INSPECT_WAIT_H
#define KTWIN_INSPECT_WAIT_H

#include <linux/sched.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "compat/sched.h"
#include "ktwin.h"

struct file;

/* kernel_functions.c: static functions of the kernel, told by address. */
enum ktwin_function {
	/* wake functions */
	KTWIN_FN_POLLWAKE,
	KTWIN_FN_EP_POLL_CALLBACK,
	KTWIN_FN_EP_AUTOREMOVE,
	KTWIN_FN_CHILD_WAIT,
	KTWIN_FN_RECEIVER_WAKE,
	KTWIN_FN_UNIX_PEER_RELAY,
	KTWIN_FN_IO_POLL_WAKE,
	KTWIN_FN_AIO_POLL_WAKE,
	/* poll operations */
	KTWIN_FN_PIPE_POLL,
	KTWIN_FN_EVENTFD_POLL,
	KTWIN_FN_TIMERFD_POLL,
	KTWIN_FN_SIGNALFD_POLL,
	KTWIN_FN_INOTIFY_POLL,
	KTWIN_FN_FANOTIFY_POLL,
	KTWIN_FN_PIDFD_POLL,
	KTWIN_FN_EPOLL_POLL,
	KTWIN_FN_TTY_POLL,
	KTWIN_FN_COUNT
};

/* May sleep. Once it returned 0 the addresses do not change any more. 0 or -ENOMEM. */
int ktwin_functions_learn(void);
/* Whether address is that function; an unknown one is never equal. Any context. */
bool ktwin_is_function(enum ktwin_function function, const void *address);

/* wake_functions.c: what an entry is by its wake function. */
struct ktwin_behind {
	u32 kind;			/* enum ktwin_wait_kind */
	struct task_struct *task;	/* NULL: none, or not known */
};

/* Under the lock that protects the entry's queue; task is alive until that is released. */
struct ktwin_behind ktwin_entry_behind(const struct wait_queue_entry *entry);

/* inspect_wait.c: one queue at one instant. */
struct ktwin_wait_queue {
	struct wait_queue_head *head;
	spinlock_t *lock;		/* which its entries come and go under: the head's own but for epoll's */
	struct task_struct *signals;	/* a signalfd's: the head is part of this task's sighand */
};

struct ktwin_sleeper {
	struct task_struct *task;	/* referenced, or NULL */
	struct file *epoll;		/* an epoll entry's epoll, referenced, or NULL */
	u64 asleep_ns;
	u32 head;
	u32 position;
	u32 kind;
	u32 flags;
	char state;
};

/* Fills at most room sleepers, in wake order, and returns how many there were. May sleep on PREEMPT_RT only. */
u32 ktwin_queue_list(const struct ktwin_wait_queue *queue, struct ktwin_sleeper *to, u32 room);
/* Whether this task sleeps there. */
bool ktwin_queue_has(const struct ktwin_wait_queue *queue, const struct task_struct *task);
/* May sleep. */
void ktwin_sleepers_put(struct ktwin_sleeper *sleepers, u32 count);
/* Whether a wake-up with that mode would find the task asleep, and count it. Any context; the task is referenced. */
bool ktwin_would_wake(const struct task_struct *task, unsigned int mode);
/* How long the task, which is asleep, has been; 0: not known. */
u64 ktwin_asleep_ns(const struct task_struct *task);

/* inspect_epoll.c. The first three under the lock of the queue that the entry, ep_poll_callback's, is on. */
struct file *ktwin_epoll_of(const struct wait_queue_entry *entry);
bool ktwin_epoll_has_waiter(const struct wait_queue_entry *entry);
/* The first of those who wait for it, only to be compared; NULL: none, or not known. Under the same lock. */
const void *ktwin_epoll_first_waiter(const struct wait_queue_entry *entry);
#define KTWIN_EPOLL_QUEUES	2
/* The queue of epoll_wait(), then that of those who poll or watch the epoll. 0 or -ENODATA. */
int ktwin_epoll_queues(struct file *file, struct ktwin_wait_queue queues[KTWIN_EPOLL_QUEUES]);

/* inspect_wait_file.c: the queues behind a file. */
#define KTWIN_FILE_QUEUES	4
#define KTWIN_FILE_NAME		32

struct ktwin_file_queues {
	struct ktwin_wait_queue queues[KTWIN_FILE_QUEUES];
	u32 count;
	u32 events;
	bool events_known;
	char name[KTWIN_FILE_NAME];
};

/*
 * The caller holds references on file and on owner, a task that has it open; the queues live as long as those.
 * 0; -EOPNOTSUPP it is not one whose queues can be had without side effects; -ENODATA. name is set in any case.
 */
int ktwin_file_queues(struct file *file, struct task_struct *owner, struct ktwin_file_queues *to);

/* inspect_fd.c: files of another process, with references. */
struct file *ktwin_file_get(struct task_struct *task, u32 fd);
struct ktwin_open_file {
	struct file *file;
	u32 fd;
};
/* The first room files from fd on. */
u32 ktwin_files_get(struct task_struct *task, u32 fd, struct ktwin_open_file *to, u32 room);

/* inspect_gather.c: all that hangs on a file's queues, through epolls too. */
struct ktwin_gathered {
	struct ktwin_wait_head *heads;
	u32 heads_room;
	u32 heads_count;
	struct ktwin_sleeper *sleepers;
	u32 sleepers_room;
	u32 capacity;
	u32 count;
	u32 flags;			/* KTWIN_WAITERS_* */
	s32 fd;
};

/* May sleep. 0, -ENOMEM or -EINTR; ktwin_gathered_free() in any case. */
int ktwin_gather(struct ktwin_gathered *gathered, const struct ktwin_file_queues *from);
void ktwin_gathered_free(struct ktwin_gathered *gathered);

/* ioctl_wait.c */
/* The task that the caller named, with a reference, if it may look into its process; or ERR_PTR. */
struct task_struct *ktwin_inspected_task(u32 ns, int nr);
/* That one's file, with a reference, if the caller still may; or ERR_PTR. */
struct file *ktwin_inspected_file(struct task_struct *task, int fd);
#define KTWIN_WAITERS_MAX	65536U
bool ktwin_waiters_are_sane(const struct ktwin_waiters *waiters);
/* To the user's buffers, and the counts into waiters. 0 or -EFAULT. */
long ktwin_waiters_answer(struct ktwin_waiters *waiters, const struct ktwin_gathered *gathered);

/* inspect_lab.c. May sleep. sleepers_room is set: allocates, and fills. 0 or -ENOMEM; ktwin_gathered_free() in any case. */
int ktwin_lab_gather(struct kt_queue *queue, struct ktwin_gathered *gathered, u32 *total);
/* waiters is sane; fd: through which it was found. 0, -ENOMEM or -EFAULT. */
long ktwin_queue_waiters(struct kt_queue *queue, struct ktwin_waiters *waiters, int fd);

/* queue.c: the queue of a queue fd's file, which keeps it alive; NULL: it is none. */
struct kt_queue *ktwin_queue_of(const struct file *file);

/* watch_queue.c: entries of our own on a queue, which count its wakes. */
struct ktwin_watched;

/* Whether it is one of these. */
bool ktwin_is_watch(const struct wait_queue_entry *entry);
/*
 * May sleep. The queue, one of those that watch.c lets us on, stays until ktwin_watched_close(). whole_reads: a read of
 * the file never sleeps once it has something. NULL: no memory.
 */
struct ktwin_watched *ktwin_watched_open(const struct ktwin_wait_queue *queue, bool whole_reads);
/* May sleep. Nothing of it is left on the queue, and nobody inside. */
void ktwin_watched_close(struct ktwin_watched *watched);
/* May sleep; one caller at a time. Adds what is counted. */
void ktwin_watched_add(struct ktwin_watched *watched, struct ktwin_wait_stats *stats);

/* inspect_rights.c. Whether the caller may look into task's process: 0 or -EACCES. */
int ktwin_may_inspect(struct task_struct *task);

/* inspect_stack.c: where a task sleeps. */
struct ktwin_place {
	u32 kind;			/* FUTEX, CHILD, TIME or OTHER, of enum ktwin_sleep_kind */
	char where[64];
};

/* May sleep. False: it does not sleep, or did not do so for long enough to be looked at. */
bool ktwin_place_of(struct task_struct *task, struct ktwin_place *place);

/* inspect_sleep.c. May sleep. 0, -ENOMEM or -EINTR. */
int ktwin_sleep_of(struct task_struct *task, struct ktwin_sleep *sleep);

/*
 * Asleep, and off the CPU. (One that was preempted on its way to sleep has the state of a sleeper, but will run.) What is
 * asked about it now holds if its switches, read before, are the same when it is asleep afterwards. Going to sleep counts
 * a switch before it gives up on_cpu; the acquire pairs with the release of that in finish_task(), so who sees the task
 * off the CPU sees its switch and its stack.
 */
static inline bool ktwin_is_asleep(const struct task_struct *task)
{
	/* Acquire: see above. */
	return !smp_load_acquire(&task->on_cpu) && READ_ONCE(task->__state) != TASK_RUNNING &&
	       !kt_is_runnable(task) && !READ_ONCE(task->exit_state);
}

static inline unsigned long ktwin_switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

#endif
