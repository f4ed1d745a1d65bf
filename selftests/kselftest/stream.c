// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event ring: each event once, in order; what found no room is counted; the mapping is for reading only.
 */
#include "ring.h"

#define PAGE	((size_t)sysconf(_SC_PAGESIZE))

FIXTURE(stream) {
	int fd;
	struct kt_stream stream;
};

FIXTURE_SETUP(stream)
{
	KT_OPEN_LIVE(self->fd);
	ASSERT_EQ(0, kt_stream_open(self->fd, 4096, &self->stream));
}

FIXTURE_TEARDOWN(stream)
{
	kt_stream_close(&self->stream);
	close(self->fd);
}

static pid_t fork_and_wait(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	return child;
}

TEST_F(stream, header)
{
	const struct ktwin_ring *ring = self->stream.ring;

	EXPECT_EQ(4096, ring->capacity);
	EXPECT_EQ(sizeof(struct ktwin_event), ring->record_size);
	EXPECT_EQ(PAGE, ring->offset);
	EXPECT_EQ(0, ring->bytes % PAGE);
	EXPECT_LE(ring->offset + (__u64)ring->capacity * ring->record_size, ring->bytes);
	EXPECT_EQ(0, ring->tail);
	EXPECT_EQ(0, ring->lost);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->stream.fd, F_GETFD));
}

TEST_F(stream, default_capacity)
{
	struct kt_stream other;

	ASSERT_EQ(0, kt_stream_open(self->fd, 0, &other));
	EXPECT_EQ(8192, other.ring->capacity);
	kt_stream_close(&other);
}

TEST_F(stream, every_fork_once_in_order)
{
	enum { FORKS = 200 };
	const struct ktwin_event *event;
	pid_t children[FORKS];
	__u64 index = self->stream.tail, last_time = 0, serials[FORKS] = { 0 };
	int i, born = 0, gone = 0;

	for (i = 0; i < FORKS; i++)
		children[i] = fork_and_wait();
	for (event = kt_stream_next(&self->stream); event; event = kt_stream_next(&self->stream)) {
		EXPECT_EQ(index, event->index);
		index++;
		EXPECT_LE(last_time, event->time_ns);
		last_time = event->time_ns;
		if (event->type == KTWIN_EV_PID_ALLOC && born < FORKS && event->nr == children[born]) {
			serials[born++] = event->serial;
			EXPECT_EQ(0, event->level);
			EXPECT_EQ(event->nr, event->ns_nr);
			EXPECT_EQ(kt_ns_inode(getpid(), "pid"), event->ns);
		} else if (event->type == KTWIN_EV_PID_FREE && gone < FORKS && event->nr == children[gone]) {
			/* gone before the next is born, for each was waited for */
			EXPECT_EQ(serials[gone], event->serial);
			gone++;
			EXPECT_EQ(born, gone);
		}
	}
	EXPECT_EQ(FORKS, born);
	EXPECT_EQ(FORKS, gone);
	EXPECT_EQ(0, self->stream.ring->lost);
	EXPECT_EQ(0, kt_stream_ack(&self->stream, self->stream.tail));
	EXPECT_EQ(self->stream.tail, self->stream.ring->tail);
}

/* Threads of two processes at once: nothing of it twice, nothing missing. */
TEST_F(stream, two_forkers)
{
	enum { FORKS = 150 };
	const struct ktwin_event *event;
	int born[2] = { 0 }, pipes[2][2], i, side, child, counted = 0;
	pid_t forkers[2], children[2][FORKS];

	for (side = 0; side < 2; side++) {
		ASSERT_EQ(0, pipe(pipes[side]));
		forkers[side] = fork();
		if (!forkers[side]) {
			for (i = 0; i < FORKS; i++) {
				child = fork_and_wait();
				if (write(pipes[side][1], &child, sizeof(child)) < 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (side = 0; side < 2; side++) {
		waitpid(forkers[side], NULL, 0);
		for (i = 0; i < FORKS; i++)
			ASSERT_EQ(4, read(pipes[side][0], &children[side][i], 4));
	}
	for (event = kt_stream_next(&self->stream); event; event = kt_stream_next(&self->stream)) {
		for (side = 0; side < 2; side++) {
			if (event->type == KTWIN_EV_PID_ALLOC && born[side] < FORKS &&
			    event->nr == children[side][born[side]]) {
				born[side]++;
				counted++;
				break;
			}
		}
	}
	EXPECT_EQ(2 * FORKS, counted);
	EXPECT_EQ(0, self->stream.ring->lost);
}

TEST_F(stream, namespaces)
{
	__u32 own = kt_ns_inode(getpid(), "pid"), inode;
	struct ktwin_event event;
	struct kt_line line;
	pid_t init;

	ASSERT_EQ(0, kt_line_open(&line));
	init = kt_make_waiting(&line, CLONE_NEWPID);
	ASSERT_EQ(init, kt_hear(&line));
	inode = kt_ns_inode(init, "pid");
	ASSERT_TRUE(kt_stream_wait(&self->stream, KTWIN_EV_NS_NEW, &event));
	EXPECT_EQ(inode, event.ns);
	EXPECT_EQ(own, event.parent);
	EXPECT_EQ(1, event.level);
	kt_end(init);
	ASSERT_TRUE(kt_stream_wait(&self->stream, KTWIN_EV_NS_GONE, &event));
	EXPECT_EQ(inode, event.ns);
	EXPECT_EQ(own, event.parent);
}

TEST_F(stream, nested_numbers)
{
	struct ktwin_event event;
	struct kt_line line;
	pid_t init;

	ASSERT_EQ(0, kt_line_open(&line));
	init = kt_make_waiting(&line, CLONE_NEWPID);
	ASSERT_EQ(init, kt_hear(&line));
	do {
		ASSERT_TRUE(kt_stream_wait(&self->stream, KTWIN_EV_PID_ALLOC, &event));
	} while (event.nr != init);
	EXPECT_EQ(1, event.ns_nr);
	EXPECT_EQ(1, event.level);
	EXPECT_EQ(kt_ns_inode(init, "pid"), event.ns);
	kt_end(init);
}

TEST_F(stream, poll_wakes)
{
	struct pollfd poller = { .fd = self->stream.fd, .events = POLLIN };
	int tries = 0, quiet = 1;
	pid_t child;

	/* until the system was quiet for once */
	while (tries++ < 100 && quiet) {
		ASSERT_EQ(0, kt_stream_ack(&self->stream, kt_stream_head(&self->stream)));
		quiet = poll(&poller, 1, 0);
	}
	EXPECT_EQ(0, quiet);
	child = fork();
	if (!child) {
		kt_leash();
		kt_sleep_ms(100);
		fork_and_wait();
		_exit(0);
	}
	/* that fork told of itself; the next wake is the grandchild's */
	kt_stream_ack(&self->stream, kt_stream_head(&self->stream));
	EXPECT_EQ(1, poll(&poller, 1, KT_PATIENCE_MS));
	EXPECT_EQ(POLLIN, poller.revents & POLLIN);
	waitpid(child, NULL, 0);
	/* not acknowledged: still to be read */
	EXPECT_EQ(1, poll(&poller, 1, 0));
}

/*
 * What a stream had no room for, told by a second one that had: what both were offered since they were opened
 * differs by the few events between the two openings, before and after the overflow alike.
 */
TEST_F(stream, overflow_is_counted)
{
	struct kt_stream small;
	__u64 lost, head, early = 0, late = 1;
	int i;

	ASSERT_EQ(0, kt_stream_open(self->fd, 64, &small));
#define OFFERED(stream)	(kt_stream_head(stream) + __atomic_load_n(&(stream)->ring->lost, __ATOMIC_ACQUIRE))
	for (i = 0; i < 100 && early != late; i++) {
		early = kt_stream_head(&self->stream) - OFFERED(&small);
		late = kt_stream_head(&self->stream) - OFFERED(&small);
	}
	ASSERT_EQ(early, late);
	for (i = 0; i < 300; i++)
		fork_and_wait();
	EXPECT_EQ(64, kt_stream_head(&small));
	for (i = 0; i < 100; i++) {
		late = kt_stream_head(&self->stream) - OFFERED(&small);
		if (late == early)
			break;
	}
	EXPECT_EQ(early, late);
	EXPECT_EQ(0, self->stream.ring->lost);
	lost = small.ring->lost;
	EXPECT_LE(600 - 64, lost);

	/* room again: what comes now is appended, and the index has no gap */
	ASSERT_EQ(0, kt_stream_ack(&small, 64));
	fork_and_wait();
	head = kt_stream_head(&small);
	EXPECT_LE(66, head);
	EXPECT_EQ(64, small.events[64 % 64].index);
	EXPECT_EQ(65, small.events[65 % 64].index);
	EXPECT_EQ(lost, small.ring->lost);
	kt_stream_close(&small);
}

TEST_F(stream, ack_range)
{
	__u64 head, middle;
	int i;

	for (i = 0; i < 10; i++)
		fork_and_wait();
	head = kt_stream_head(&self->stream);
	middle = head / 2;
	EXPECT_EQ(-ERANGE, kt_stream_ack(&self->stream, UINT64_MAX));
	EXPECT_EQ(-ERANGE, kt_stream_ack(&self->stream, head + 100000));
	EXPECT_EQ(0, self->stream.ring->tail);
	EXPECT_EQ(0, kt_stream_ack(&self->stream, middle));
	EXPECT_EQ(middle, self->stream.ring->tail);
	EXPECT_EQ(-ERANGE, kt_stream_ack(&self->stream, middle - 1));
	EXPECT_EQ(0, kt_stream_ack(&self->stream, middle));
	EXPECT_EQ(0, kt_stream_ack(&self->stream, head));
	EXPECT_EQ(-ERANGE, kt_stream_ack(&self->stream, 0));
}

TEST_F(stream, read_only)
{
	size_t bytes = self->stream.ring->bytes;
	void *map;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, self->stream.fd, 0));
	EXPECT_TRUE(errno == EPERM || errno == EACCES);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, bytes, PROT_WRITE, MAP_SHARED, self->stream.fd, 0));
	EXPECT_TRUE(errno == EPERM || errno == EACCES);
	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, self->stream.fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, mprotect(map, bytes, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, munmap(map, bytes));
	EXPECT_EQ(-1, write(self->stream.fd, &bytes, 1));
}

TEST_F(stream, map_outside)
{
	size_t bytes = self->stream.ring->bytes;
	void *map;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, bytes + PAGE, PROT_READ, MAP_SHARED, self->stream.fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->stream.fd, PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->stream.fd, bytes));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->stream.fd, (off_t)1 << 62));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->stream.fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(MAP_FAILED, mremap(map, PAGE, bytes + PAGE, MREMAP_MAYMOVE));
	munmap(map, PAGE);
}

/* A mapping keeps what it maps, whatever becomes of the fd. */
TEST_F(stream, close_while_mapped)
{
	struct ktwin_status before, after;
	struct kt_stream other;
	__u64 sum = 0, i;

	ASSERT_EQ(0, kt_status(self->fd, &before));
	ASSERT_EQ(0, kt_stream_open(self->fd, 1024, &other));
	fork_and_wait();
	close(other.fd);
	fork_and_wait();
	for (i = 0; i < other.ring->bytes; i += 8)
		sum += *(const volatile __u64 *)((const char *)other.ring + i);
	EXPECT_NE(0, sum);
	munmap((void *)other.ring, other.ring->bytes);
	ASSERT_EQ(0, kt_status(self->fd, &after));
	EXPECT_EQ(before.streams, after.streams);
}

TEST_F(stream, device_closed_first)
{
	struct kt_stream other;
	int fd = kt_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kt_stream_open(fd, 64, &other));
	close(fd);
	fork_and_wait();
	EXPECT_LE(2, kt_stream_head(&other));
	EXPECT_EQ(0, kt_stream_ack(&other, kt_stream_head(&other)));
	kt_stream_close(&other);
}

TEST_F(stream, duplicate)
{
	struct kt_stream other;
	int copy;

	ASSERT_EQ(0, kt_stream_open(self->fd, 64, &other));
	copy = dup(other.fd);
	ASSERT_LE(0, copy);
	close(other.fd);
	other.fd = copy;
	fork_and_wait();
	EXPECT_LE(2, kt_stream_head(&other));
	EXPECT_EQ(0, kt_stream_ack(&other, kt_stream_head(&other)));
	kt_stream_close(&other);
}

TEST_F(stream, inherited)
{
	struct kt_stream other;
	pid_t child;
	int status;

	ASSERT_EQ(0, kt_stream_open(self->fd, 64, &other));
	child = fork();
	if (!child) {
		EXPECT_LE(1, kt_stream_head(&other));
		EXPECT_EQ(0, kt_stream_ack(&other, 1));
		_exit(0);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, other.ring->tail);
	kt_stream_close(&other);
}

TEST_F(stream, at_most_64)
{
	struct ktwin_status status;
	int fds[65], opened = 0, fd = 0;

	ASSERT_EQ(0, kt_status(self->fd, &status));
	while (opened < 65) {
		fd = kt_stream_fd(self->fd, 64);
		if (fd < 0)
			break;
		fds[opened++] = fd;
	}
	EXPECT_EQ(-EBUSY, fd);
	EXPECT_EQ(64, opened + status.streams);
	/* all of them are served */
	fork_and_wait();
	ASSERT_LT(0, opened);
	close(fds[--opened]);
	fd = kt_stream_fd(self->fd, 64);
	EXPECT_LE(0, fd);
	close(fd);
	while (opened)
		close(fds[--opened]);
	fd = kt_stream_fd(self->fd, 64);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(stream, no_fd_left)
{
	struct ktwin_status before, after;
	int fd = -1, last = -1;

	ASSERT_EQ(0, kt_status(self->fd, &before));
	while ((fd = dup(0)) >= 0)
		last = fd;
	EXPECT_EQ(-EMFILE, kt_stream_fd(self->fd, 64));
	close(last);
	ASSERT_EQ(0, kt_status(self->fd, &after));
	EXPECT_EQ(before.streams, after.streams);
}

/* Switching the mirror does not end a stream: it tells of the new population. */
TEST_F(stream, resynchronised)
{
	struct ktwin_event event;
	struct ktwin_status status;

	ASSERT_EQ(0, kt_mirror(self->fd, KTWIN_MIRROR_RESYNC));
	ASSERT_TRUE(kt_stream_wait(&self->stream, KTWIN_EV_POPULATED, &event));
	ASSERT_EQ(0, kt_status(self->fd, &status));
	EXPECT_EQ(status.epoch, event.arg);
	kt_expect_audit_clean(_metadata, self->fd);
}

TEST_HARNESS_MAIN
