// SPDX-License-Identifier: GPL-2.0-only
/*
 * Known sleepers on each kind of file: all listed, nothing else, in the order in which they are then really woken.
 */
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <termios.h>

#include "waiters.h"

#define SLEEPERS	4

/* What the sleepers sleep on. */
struct scene {
	int fd;		/* inspected */
	int other;	/* through which they are woken, where that is another */
	int extra;
	char dir[32];
	struct kt_log *log;
};

/* --- files: make, sleep on, wake. A made scene's fd is inherited by the sleepers. */

static int make_pipe(struct scene *scene)
{
	int fds[2];

	if (pipe(fds))
		return -1;
	scene->fd = fds[0];
	scene->other = fds[1];
	return 0;
}

static int make_fifo(struct scene *scene)
{
	char path[64];

	strcpy(scene->dir, "/tmp/ktwin-waiters-XXXXXX");
	if (!mkdtemp(scene->dir))
		return -1;
	snprintf(path, sizeof(path), "%s/fifo", scene->dir);
	if (mkfifo(path, 0600))
		return -1;
	scene->fd = open(path, O_RDWR);
	scene->other = scene->fd;
	unlink(path);
	rmdir(scene->dir);
	return scene->fd < 0 ? -1 : 0;
}

static int make_full_pipe(struct scene *scene)
{
	static char page[4096];
	int fds[2];

	if (pipe2(fds, O_NONBLOCK))
		return -1;
	while (write(fds[1], page, sizeof(page)) == sizeof(page))
		;
	fcntl(fds[1], F_SETFL, 0);
	scene->fd = fds[1];
	scene->other = fds[0];
	return 0;
}

static int make_eventfd(struct scene *scene)
{
	scene->fd = eventfd(0, EFD_SEMAPHORE);
	scene->other = scene->fd;
	return scene->fd < 0 ? -1 : 0;
}

static int make_timerfd(struct scene *scene)
{
	scene->fd = timerfd_create(CLOCK_MONOTONIC, 0);
	return scene->fd < 0 ? -1 : 0;
}

static int make_inotify(struct scene *scene)
{
	strcpy(scene->dir, "/tmp/ktwin-waiters-XXXXXX");
	if (!mkdtemp(scene->dir))
		return -1;
	scene->fd = inotify_init();
	return inotify_add_watch(scene->fd, scene->dir, IN_CREATE) < 0 ? -1 : 0;
}

static int make_pair(struct scene *scene, int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type, 0, fds))
		return -1;
	scene->fd = fds[0];
	scene->other = fds[1];
	return 0;
}

static int make_unix_stream(struct scene *scene)
{
	return make_pair(scene, SOCK_STREAM);
}

static int make_unix_dgram(struct scene *scene)
{
	return make_pair(scene, SOCK_DGRAM);
}

/* The loopback device of a guest without network is down. */
static int raise_loopback(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = { .ifr_name = "lo" };
	int err = ioctl(fd, SIOCGIFFLAGS, &request);

	request.ifr_flags |= IFF_UP;
	err = err ? err : ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return err;
}

static int make_inet(struct scene *scene, int type)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	if (raise_loopback())
		return -1;
	scene->fd = socket(AF_INET, type, 0);
	scene->other = socket(AF_INET, type, 0);
	if (bind(scene->fd, (void *)&address, length) || getsockname(scene->fd, (void *)&address, &length))
		return -1;
	if (type == SOCK_STREAM && listen(scene->fd, 64))
		return -1;
	return type == SOCK_DGRAM && connect(scene->other, (void *)&address, length) ? -1 : 0;
}

static int make_udp(struct scene *scene)
{
	return make_inet(scene, SOCK_DGRAM);
}

static int make_tcp_listener(struct scene *scene)
{
	return make_inet(scene, SOCK_STREAM);
}

static int connect_to(int listener)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int fd;

	if (getsockname(listener, (void *)&address, &length))
		return -1;
	fd = socket(address.ss_family, SOCK_STREAM, 0);
	return connect(fd, (void *)&address, length) ? -1 : fd;
}

static int make_tcp(struct scene *scene)
{
	if (make_inet(scene, SOCK_STREAM))
		return -1;
	scene->extra = scene->fd;
	scene->other = connect_to(scene->extra);
	scene->fd = accept(scene->extra, NULL, NULL);
	return scene->fd < 0 || scene->other < 0 ? -1 : 0;
}

static int make_unix_listener(struct scene *scene)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	/* An abstract name of the kernel's choice. */
	scene->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(scene->fd, (void *)&address, sizeof(sa_family_t)) || listen(scene->fd, 64) ? -1 : 0;
}

static int make_netlink(struct scene *scene)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t length = sizeof(address);

	scene->fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	scene->other = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	if (bind(scene->fd, (void *)&address, length) || getsockname(scene->fd, (void *)&address, &length))
		return -1;
	return connect(scene->other, (void *)&address, length);
}

static int make_pty(struct scene *scene)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios raw;

	if (master < 0 || grantpt(master) || unlockpt(master))
		return -1;
	scene->other = master;
	scene->fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (scene->fd < 0 || tcgetattr(scene->fd, &raw))
		return -1;
	cfmakeraw(&raw);
	return tcsetattr(scene->fd, TCSANOW, &raw);
}

static int make_pidfd(struct scene *scene)
{
	pid_t child = fork();

	if (child == 0) {
		kt_leash();
		pause();
		_exit(0);
	}
	scene->extra = child;
	scene->fd = syscall(SYS_pidfd_open, child, 0);
	return scene->fd < 0 ? -1 : 0;
}

/* An epoll that watches a pipe. */
static int make_epoll(struct scene *scene)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (make_pipe(scene))
		return -1;
	scene->extra = scene->fd;
	scene->fd = epoll_create1(0);
	return epoll_ctl(scene->fd, EPOLL_CTL_ADD, scene->extra, &event);
}

static void sleep_read(const struct scene *scene)
{
	char byte[8];

	if (read(scene->fd, byte, 1) != 1 && read(scene->fd, byte, 8) != 8)
		_exit(97);
}

static void sleep_read_counter(const struct scene *scene)
{
	__u64 count;

	if (read(scene->fd, &count, sizeof(count)) != sizeof(count))
		_exit(97);
}

static void sleep_read_event(const struct scene *scene)
{
	char event[sizeof(struct inotify_event) + 16];

	if (read(scene->fd, event, sizeof(event)) <= 0)
		_exit(97);
}

static void sleep_write(const struct scene *scene)
{
	static char page[4096];

	if (write(scene->fd, page, sizeof(page)) != sizeof(page))
		_exit(97);
}

static void sleep_accept(const struct scene *scene)
{
	if (accept(scene->fd, NULL, NULL) < 0)
		_exit(97);
}

static void sleep_poll(const struct scene *scene)
{
	struct pollfd poller = { .fd = scene->fd, .events = POLLIN };

	if (poll(&poller, 1, -1) != 1)
		_exit(97);
}

static void sleep_select(const struct scene *scene)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(scene->fd, &set);
	if (select(scene->fd + 1, &set, NULL, NULL, NULL) != 1)
		_exit(97);
}

static void sleep_epoll(const struct scene *scene)
{
	struct epoll_event event;

	if (epoll_wait(scene->fd, &event, 1, -1) != 1)
		_exit(97);
}

static void wake_byte(const struct scene *scene)
{
	if (write(scene->other, "x", 1) != 1)
		abort();
}

static void wake_counter(const struct scene *scene)
{
	__u64 one = 1;

	if (write(scene->other, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void wake_page(const struct scene *scene)
{
	char page[4096];

	if (read(scene->other, page, sizeof(page)) != sizeof(page))
		abort();
}

static void wake_timer(const struct scene *scene)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };

	if (timerfd_settime(scene->fd, 0, &soon, NULL))
		abort();
}

static void wake_create(const struct scene *scene)
{
	static int number;
	char path[64];

	snprintf(path, sizeof(path), "%s/%d", scene->dir, number++);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	unlink(path);
}

static void wake_connect(const struct scene *scene)
{
	if (connect_to(scene->fd) < 0)
		abort();
}

static void wake_kill(const struct scene *scene)
{
	kill(scene->extra, SIGKILL);
}

/* --- each kind of file with each way to sleep on it */

FIXTURE(sleepers) {
	int device;
	struct scene scene;
	pid_t pids[SLEEPERS];
};

FIXTURE_VARIANT(sleepers) {
	int (*make)(struct scene *scene);
	void (*sleep)(const struct scene *scene);
	void (*wake)(const struct scene *scene);
	const char *file;
	__u32 kind;
	bool exclusive;		/* woken one by one */
	bool once;		/* one wake is for all */
	int count;		/* sleepers; 0: SLEEPERS */
	int queues;		/* that each sleeper is on; 0: one */
};

#define SLEEPERS_ON(name, make_, sleep_, wake_, file_, kind_, ...)			\
	FIXTURE_VARIANT_ADD(sleepers, name) {						\
		.make = make_, .sleep = sleep_, .wake = wake_, .file = file_,		\
		.kind = KTWIN_KIND_ ## kind_, ##__VA_ARGS__				\
	}

SLEEPERS_ON(pipe_read, make_pipe, sleep_read, wake_byte, "pipe", BLOCKED, .exclusive = true);
SLEEPERS_ON(pipe_write, make_full_pipe, sleep_write, wake_page, "pipe", BLOCKED, .exclusive = true);
SLEEPERS_ON(pipe_poll, make_pipe, sleep_poll, wake_byte, "pipe", POLL, .once = true);
SLEEPERS_ON(pipe_select, make_pipe, sleep_select, wake_byte, "pipe", POLL, .once = true);
SLEEPERS_ON(fifo_read, make_fifo, sleep_read, wake_byte, "fifo", BLOCKED, .exclusive = true);
SLEEPERS_ON(eventfd_read, make_eventfd, sleep_read_counter, wake_counter, "eventfd", BLOCKED);
SLEEPERS_ON(eventfd_poll, make_eventfd, sleep_poll, wake_counter, "eventfd", POLL, .once = true);
SLEEPERS_ON(timerfd_read, make_timerfd, sleep_read_counter, wake_timer, "timerfd", BLOCKED);
SLEEPERS_ON(timerfd_poll, make_timerfd, sleep_poll, wake_timer, "timerfd", POLL, .once = true);
SLEEPERS_ON(inotify_read, make_inotify, sleep_read_event, wake_create, "inotify", BLOCKED);
SLEEPERS_ON(inotify_poll, make_inotify, sleep_poll, wake_create, "inotify", POLL, .once = true);
SLEEPERS_ON(unix_stream_read, make_unix_stream, sleep_read, wake_byte, "socket:unix", BLOCKED);
SLEEPERS_ON(unix_stream_poll, make_unix_stream, sleep_poll, wake_byte, "socket:unix", POLL, .once = true);
SLEEPERS_ON(unix_dgram_read, make_unix_dgram, sleep_read, wake_byte, "socket:unix", BLOCKED, .exclusive = true);
SLEEPERS_ON(unix_accept, make_unix_listener, sleep_accept, wake_connect, "socket:unix", BLOCKED, .exclusive = true);
SLEEPERS_ON(udp_read, make_udp, sleep_read, wake_byte, "socket:udp", BLOCKED, .exclusive = true);
SLEEPERS_ON(udp_poll, make_udp, sleep_poll, wake_byte, "socket:udp", POLL, .once = true);
SLEEPERS_ON(tcp_read, make_tcp, sleep_read, wake_byte, "socket:tcp", BLOCKED);
SLEEPERS_ON(tcp_poll, make_tcp, sleep_poll, wake_byte, "socket:tcp", POLL, .once = true);
SLEEPERS_ON(tcp_accept, make_tcp_listener, sleep_accept, wake_connect, "socket:tcp", BLOCKED, .exclusive = true);
SLEEPERS_ON(netlink_read, make_netlink, sleep_read, wake_byte, "socket:netlink", BLOCKED, .exclusive = true);
/* A second reader of a terminal waits for the first one, on a mutex. */
SLEEPERS_ON(pty_read, make_pty, sleep_read, wake_byte, "tty", BLOCKED, .count = 1);
SLEEPERS_ON(pty_poll, make_pty, sleep_poll, wake_byte, "tty", POLL, .once = true, .queues = 2);
SLEEPERS_ON(pidfd_poll, make_pidfd, sleep_poll, wake_kill, "pidfd", POLL, .once = true);
SLEEPERS_ON(epoll_wait, make_epoll, sleep_epoll, wake_byte, "eventpoll", EPOLL_WAIT, .exclusive = true, .once = true);
SLEEPERS_ON(epoll_poll, make_epoll, sleep_poll, wake_byte, "eventpoll", POLL, .once = true);

static int sleeper_count(const FIXTURE_VARIANT(sleepers) *variant)
{
	return variant->count ? variant->count : SLEEPERS;
}

static pid_t place_sleeper(const struct scene *scene, void (*sleep)(const struct scene *scene))
{
	pid_t pid = fork();

	if (pid == 0) {
		kt_leash();
		prctl(PR_SET_NAME, "sleeper");
		kt_realtime(10);
		sleep(scene);
		kt_log_add(scene->log, getpid());
		_exit(0);
	}
	return pid;
}

FIXTURE_SETUP(sleepers)
{
	struct kt_listed listed;
	int i;

	KT_OPEN_LIVE(self->device);
	self->scene.log = kt_log_open();
	ASSERT_NE(MAP_FAILED, (void *)self->scene.log);
	ASSERT_EQ(0, variant->make(&self->scene)) {
		TH_LOG("%s", strerror(errno));
	}
	kt_realtime(20);
	if (!strcmp(variant->file, "eventpoll") &&
	    kt_waiters(self->device, getpid(), self->scene.fd, &listed) == -ENODATA)
		SKIP(return, "the layout of epoll is not known here");
	/* One after the other, so that the order of their arrival is known. */
	for (i = 0; i < sleeper_count(variant); i++) {
		self->pids[i] = place_sleeper(&self->scene, variant->sleep);
		ASSERT_LT(0, self->pids[i]);
		ASSERT_TRUE(kt_wait_listed(self->device, getpid(), self->scene.fd, self->pids[i], &listed)) {
			TH_LOG("sleeper %d is not listed", i);
		}
	}
}

FIXTURE_TEARDOWN(sleepers)
{
	int i;

	for (i = 0; i < SLEEPERS; i++) {
		if (self->pids[i] > 0)
			kt_end(self->pids[i]);
	}
	if (self->scene.dir[0])
		rmdir(self->scene.dir);
}

static void expect_waiter(struct __test_metadata *_metadata, const FIXTURE_VARIANT(sleepers) *variant,
			  const struct ktwin_waiter *waiter, __u32 position)
{
	EXPECT_EQ(position, waiter->position);
	EXPECT_EQ(variant->kind, waiter->kind);
	EXPECT_EQ(waiter->tid, waiter->tgid);
	EXPECT_EQ('S', waiter->state);
	EXPECT_EQ(0, waiter->link);
	EXPECT_STREQ("sleeper", waiter->comm);
	EXPECT_EQ(KTWIN_WAITER_TASK, waiter->flags & (KTWIN_WAITER_TASK | KTWIN_WAITER_AWAKE | KTWIN_WAITER_HIDDEN |
						      KTWIN_WAITER_PRIORITY));
	EXPECT_EQ(variant->exclusive, !!(waiter->flags & KTWIN_WAITER_EXCLUSIVE));
	EXPECT_EQ(!variant->exclusive || !position, !!(waiter->flags & KTWIN_WAITER_NEXT));
	EXPECT_LT(0, waiter->asleep_ns);
	EXPECT_GT(60000000000ULL, waiter->asleep_ns);
}

/* What is listed: count of them on each queue, and whom the first queue's order is. */
static void expect_listed(struct __test_metadata *_metadata, const FIXTURE_VARIANT(sleepers) *variant,
			  const struct scene *scene, const struct kt_listed *listed, int count, int *order)
{
	int queues = variant->queues ? variant->queues : 1, i;

	EXPECT_STREQ(variant->file, listed->head.file);
	EXPECT_EQ(0, listed->head.flags & ~KTWIN_WAITERS_EVENTS);
	ASSERT_EQ(count * queues, (int)listed->head.waiters_filled);
	for (i = 0; i < count * queues; i++) {
		const struct ktwin_waiter *waiter = &listed->waiters[i];

		expect_waiter(_metadata, variant, waiter, i % count);
		EXPECT_EQ(scene->fd, listed->heads[waiter->head].fd);
		EXPECT_EQ(0, listed->heads[waiter->head].depth);
		EXPECT_EQ(count, (int)listed->heads[waiter->head].waiters);
		if (i < count)
			order[i] = waiter->tid;
		else
			EXPECT_EQ(order[i % count], waiter->tid);
	}
}

/*
 * Those that one wake makes ready all come back in the order listed; where it takes one wake each, the first listed is
 * the next to come back (the others, if they were woken too, queue up again).
 */
TEST_F(sleepers, listed_as_woken)
{
	int count = sleeper_count(variant), i, mine = 0, first[SLEEPERS], order[SLEEPERS];
	const struct kt_log *log = self->scene.log;
	struct kt_listed listed;

	ASSERT_EQ(0, kt_waiters(self->device, getpid(), self->scene.fd, &listed));
	expect_listed(_metadata, variant, &self->scene, &listed, count, first);
	for (i = 0; i < count; i++)
		mine += kt_find_waiter(&listed, self->pids[i]) >= 0;
	EXPECT_EQ(count, mine);
	for (i = 0; i < count && !variant->once; i++) {
		ASSERT_TRUE(kt_wait_asleep(self->device, getpid(), self->scene.fd, count - i, &listed));
		expect_listed(_metadata, variant, &self->scene, &listed, count - i, order);
		variant->wake(&self->scene);
		ASSERT_TRUE(kt_log_wait(self->scene.log, i + 1));
		EXPECT_EQ(order[0], log->order[i]);
	}
	if (variant->once)
		variant->wake(&self->scene);
	ASSERT_TRUE(kt_log_wait(self->scene.log, count)) {
		TH_LOG("%d of %d came back", atomic_load(&log->count), count);
	}
	for (i = 0; i < count && (variant->once || variant->exclusive); i++) {
		EXPECT_EQ(first[i], log->order[i]);
	}
	ASSERT_EQ(0, kt_waiters(self->device, getpid(), self->scene.fd, &listed));
	EXPECT_EQ(0, listed.head.waiters_filled);
}

/* The other way round: each sleeper sleeps on this fd of its own. */
TEST_F(sleepers, asleep_on)
{
	struct ktwin_sleep sleep;
	int i;

	for (i = 0; i < sleeper_count(variant); i++) {
		ASSERT_TRUE(kt_wait_told(self->device, self->pids[i], KTWIN_SLEEP_FD, 'S', &sleep));
		EXPECT_EQ(self->pids[i], sleep.tgid);
		EXPECT_STREQ(variant->file, sleep.file);
		EXPECT_STREQ("sleeper", sleep.comm);
		EXPECT_LT(0, sleep.asleep_ns);
		EXPECT_NE(0, sleep.where[0]);
		ASSERT_LE(1, sleep.fds_filled);
		EXPECT_EQ(self->scene.fd, sleep.fds[0]);
	}
}

TEST_HARNESS_MAIN
