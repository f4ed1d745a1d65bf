// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: readers, audits, streams and the mirror's switch, while forkers run. No answer may be wrong,
 * and no error may come that ktwin.h does not name.
 */
#include <pthread.h>
#include <sys/time.h>

#include "ring.h"

#define RUN_MS	2000

static volatile bool over;

struct worker {
	int fd;
	bool rival;		/* another one switches the mirror as well */
	long calls, wrong;
};

static bool allowed(int error)
{
	return !error || error == -ENODATA || error == -EAGAIN || error == -ESRCH;
}

static void *reads(void *argument)
{
	struct worker *worker = argument;
	struct ktwin_pid *pids;
	struct ktwin_ns *all;
	long count, i;

	while (!over) {
		count = kt_read_by(worker->fd, KTWIN_IOC_PIDS, 0, sizeof(*pids), 16, (void **)&pids);
		worker->wrong += count < 0 && !allowed(count);
		for (i = 1; i < count; i++)
			worker->wrong += pids[i - 1].upids[0].nr >= pids[i].upids[0].nr;
		free(pids);
		count = kt_namespaces(worker->fd, &all);
		worker->wrong += count < 0 && !allowed(count);
		free(all);
		worker->calls++;
	}
	return NULL;
}

static void *explains(void *argument)
{
	struct worker *worker = argument;
	struct kt_explained explained;
	int nr = 1, error;

	while (!over) {
		error = kt_explain(worker->fd, 0, nr, &explained);
		worker->wrong += !allowed(error);
		/* the one that is surely there */
		error = kt_explain(worker->fd, 0, getpid(), &explained);
		worker->wrong += error && error != -ENODATA && error != -EAGAIN;
		if (!error && (explained.head.flags & KTWIN_EXPLAIN_TWIN))
			worker->wrong += !(explained.head.flags & KTWIN_EXPLAIN_SAME);
		nr = nr % 4000 + 1;
		worker->calls++;
	}
	return NULL;
}

static void *audits(void *argument)
{
	struct worker *worker = argument;
	struct ktwin_audit audit;
	int error;

	while (!over) {
		error = kt_audit(worker->fd, &audit);
		worker->wrong += error && error != -EINTR && error != -ENODATA;
		if (!error) {
			worker->wrong += audit.differences != 0;
			worker->wrong += !audit.complete != !!audit.why;
			worker->calls += audit.complete;
		}
	}
	return NULL;
}

static void *streams(void *argument)
{
	struct worker *worker = argument;
	const struct ktwin_event *event;
	struct kt_stream stream;
	__u64 index;

	while (!over) {
		if (kt_stream_open(worker->fd, 256, &stream)) {
			worker->wrong++;
			break;
		}
		index = 0;
		while (!over && index < 500) {
			for (event = kt_stream_next(&stream); event; event = kt_stream_next(&stream))
				worker->wrong += event->index != index++;
			worker->wrong += kt_stream_ack(&stream, stream.tail) != 0;
		}
		kt_stream_close(&stream);
		worker->calls++;
	}
	return NULL;
}

static void *switches(void *argument)
{
	struct worker *worker = argument;
	int error;

	while (!over) {
		error = kt_mirror(worker->fd, KTWIN_MIRROR_OFF);
		worker->wrong += error && !(worker->rival && error == -EALREADY);
		kt_sleep_ms(20);
		error = kt_mirror(worker->fd, KTWIN_MIRROR_ON);
		worker->wrong += error && !(worker->rival && error == -EALREADY);
		kt_sleep_ms(100);
		error = kt_mirror(worker->fd, KTWIN_MIRROR_RESYNC);
		worker->wrong += error && !(worker->rival && error == -ENODATA);
		kt_sleep_ms(100);
		worker->calls++;
	}
	return NULL;
}

static pid_t start_forker(__u64 flags)
{
	pid_t forker = fork(), child;

	if (forker)
		return forker;
	kt_leash();
	for (;;) {
		child = kt_clone(flags);
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

FIXTURE(storm) {
	int fd;
	pid_t forkers[2];
};

FIXTURE_SETUP(storm)
{
	KT_OPEN_LIVE(self->fd);
	self->forkers[0] = start_forker(0);
	self->forkers[1] = start_forker(CLONE_NEWPID);
}

FIXTURE_TEARDOWN(storm)
{
	kt_end(self->forkers[0]);
	kt_end(self->forkers[1]);
	kt_mirror(self->fd, KTWIN_MIRROR_ON);
	kt_assert_live(_metadata, self->fd);
	kt_expect_audit_clean(_metadata, self->fd);
	close(self->fd);
}

static void run(struct __test_metadata *_metadata, int fd, void *(*const works[])(void *), int count)
{
	struct worker workers[8] = { 0 };
	pthread_t threads[8];
	int i;

	over = false;
	for (i = 0; i < count; i++) {
		workers[i].fd = fd;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, works[i], &workers[i]));
	}
	kt_sleep_ms(RUN_MS);
	over = true;
	for (i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, workers[i].wrong) {
			TH_LOG("worker %d: %ld wrong of %ld", i, workers[i].wrong, workers[i].calls);
		}
		EXPECT_LT(0, workers[i].calls) {
			TH_LOG("worker %d came to nothing", i);
		}
	}
}

TEST_F(storm, readers)
{
	void *(*const works[])(void *) = { reads, explains, reads, explains };

	run(_metadata, self->fd, works, ARRAY_SIZE(works));
}

TEST_F(storm, audits)
{
	void *(*const works[])(void *) = { audits, audits, reads };

	run(_metadata, self->fd, works, ARRAY_SIZE(works));
}

TEST_F(storm, streams)
{
	void *(*const works[])(void *) = { streams, streams, reads };

	run(_metadata, self->fd, works, ARRAY_SIZE(works));
}

/* The twin comes and goes under all of them. */
TEST_F(storm, switched)
{
	void *(*const works[])(void *) = { switches, reads, explains, streams };

	run(_metadata, self->fd, works, ARRAY_SIZE(works));
}

TEST_F(storm, two_switches_and_an_audit)
{
	struct worker workers[3] = { { .fd = self->fd, .rival = true }, { .fd = self->fd, .rival = true }, { .fd = self->fd } };
	void *(*const works[])(void *) = { switches, switches, audits };
	pthread_t threads[3];
	int i;

	over = false;
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, works[i], &workers[i]));
	kt_sleep_ms(RUN_MS);
	over = true;
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	/* two switches see each other's -EALREADY and -ENODATA; the audit may not get a word in, but never a wrong one */
	EXPECT_EQ(0, workers[0].wrong);
	EXPECT_EQ(0, workers[1].wrong);
	EXPECT_EQ(0, workers[2].wrong);
}

/* fds in all orders of closing, some by the death of their process. */
TEST_F(storm, fds_come_and_go)
{
	struct ktwin_status before, after;
	int round, fds[6], i, order;
	uint64_t end;
	pid_t child;

	ASSERT_EQ(0, kt_status(self->fd, &before));
	for (round = 0; round < 24; round++) {
		for (i = 0; i < 6; i += 2) {
			fds[i] = kt_open();
			ASSERT_LE(0, fds[i]);
			fds[i + 1] = kt_stream_fd(fds[i], 64);
			ASSERT_LE(0, fds[i + 1]);
		}
		child = fork();
		if (!child) {
			kt_leash();
			pause();
		}
		order = round;
		for (i = 6; i > 0; i--) {
			int pick = order % i;

			order /= 2;
			close(fds[pick]);
			fds[pick] = fds[i - 1];
		}
		kt_end(child);
	}
	end = kt_now_ms() + KT_PATIENCE_MS;
	do {
		ASSERT_EQ(0, kt_status(self->fd, &after));
	} while (after.streams != before.streams && kt_now_ms() < end);
	EXPECT_EQ(before.streams, after.streams);
}

static void nothing(int signal)
{
}

/* A signal ends an audit with -EINTR and no report, or comes too late for it. */
TEST_F(storm, signals)
{
	struct ktwin_audit_rate slow = { .size = sizeof(slow) }, was;
	struct sigaction action = { .sa_handler = nothing };
	struct timeval every = { .tv_usec = 3000 };
	struct itimerval timer = { every, every };
	struct ktwin_audit audit;
	int i, error, interrupted = 0, whole = 0;

	ASSERT_EQ(0, kt_call(self->fd, KTWIN_IOC_AUDIT_RATE, &slow));
	was = slow;
	was.flags = KTWIN_AUDIT_RATE_SET;
	slow = was;
	slow.batch = 64;
	slow.cpu_percent = 1;
	ASSERT_EQ(0, kt_call(self->fd, KTWIN_IOC_AUDIT_RATE, &slow));
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (i = 0; i < 100; i++) {
		error = kt_audit(self->fd, &audit);
		EXPECT_TRUE(!error || error == -EINTR);
		interrupted += error == -EINTR;
		whole += !error;
		if (!error) {
			EXPECT_EQ(0, audit.differences);
		}
	}
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	TH_LOG("%d audits interrupted, %d whole", interrupted, whole);
	EXPECT_EQ(0, kt_call(self->fd, KTWIN_IOC_AUDIT_RATE, &was));
}

/* Killed in the middle of it. */
TEST_F(storm, killed_while_auditing)
{
	struct ktwin_audit audit;
	pid_t child;
	int i;

	for (i = 0; i < 20; i++) {
		child = fork();
		if (!child) {
			for (;;)
				kt_audit(self->fd, &audit);
		}
		kt_sleep_ms(5 + i);
		kt_end(child);
	}
}

TEST_HARNESS_MAIN
