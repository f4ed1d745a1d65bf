// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the twin says of each PID namespace, against what the kernel shows of it elsewhere.
 */
#include "world.h"

FIXTURE(tree) {
	int fd;
	__u32 own;
	struct kt_line line;
};

FIXTURE_SETUP(tree)
{
	KT_OPEN_LIVE(self->fd);
	self->own = kt_ns_inode(getpid(), "pid");
	ASSERT_EQ(0, kt_line_open(&self->line));
}

FIXTURE_TEARDOWN(tree)
{
	kt_expect_audit_clean(_metadata, self->fd);
	close(self->fd);
}

/*
 * The first process of a new namespace: says its root pid, then answers what it is asked until it is killed.
 */
enum question { LAST_PID = 1, SET_LAST_PID, MAKE_CHILD, MAKE_NAMESPACE };
#define LAST_PID_FILE	"/proc/sys/kernel/ns_last_pid"

static void answer(struct kt_line *line)
{
	FILE *file;

	for (;;) {
		switch (kt_await(line)) {
		case LAST_PID:
			kt_say(line, kt_file_number(LAST_PID_FILE));
			break;
		case SET_LAST_PID:
			file = fopen(LAST_PID_FILE, "w");
			kt_say(line, file && fprintf(file, "1000") > 0 && !fclose(file));
			break;
		case MAKE_CHILD:
			if (!fork()) {
				kt_leash();
				kt_say(line, kt_root_pid());
				pause();
			}
			break;
		case MAKE_NAMESPACE:
			/* It only waits to be killed: the questions on the line are its maker's. */
			if (!kt_clone(CLONE_NEWPID)) {
				kt_leash();
				kt_say(line, kt_root_pid());
				pause();
			}
			break;
		default:
			_exit(0);
		}
	}
}

static pid_t make_namespace(struct kt_line *line)
{
	pid_t child = kt_clone(CLONE_NEWPID);

	if (!child) {
		kt_leash();
		kt_say(line, kt_root_pid());
		answer(line);
	}
	return child == kt_hear(line) ? child : -1;
}

static int ask(struct kt_line *line, enum question question)
{
	kt_tell(line, question);
	return kt_hear(line);
}

static bool wait_gone(int fd, __u32 inode)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	struct ktwin_ns ns;

	while (kt_now_ms() < end) {
		if (kt_namespace(fd, inode, &ns) == -ESRCH)
			return true;
		kt_sleep_ms(5);
	}
	return false;
}

TEST_F(tree, own)
{
	long last, again, pids;
	struct ktwin_pid *all;
	struct ktwin_ns ns;
	int tries = 0;

	/* kernel threads come and go: until nothing did while we looked */
	do {
		last = kt_file_number(LAST_PID_FILE);
		ASSERT_EQ(0, kt_namespace(self->fd, self->own, &ns));
		pids = kt_pids(self->fd, 0, &all);
		free(all);
		again = kt_file_number(LAST_PID_FILE);
	} while ((last != again || pids != ns.count) && tries++ < 200);
	EXPECT_EQ(last, again);
	EXPECT_EQ(pids, ns.count);
	EXPECT_EQ(last + 1, ns.cursor);
	EXPECT_EQ(ns.count, ns.kernel_count);
	EXPECT_EQ(kt_file_number("/proc/sys/kernel/pid_max"), ns.pid_max);
	EXPECT_EQ(0, ns.parent);
	EXPECT_EQ(0, ns.level);
	EXPECT_EQ(KTWIN_NS_KERNEL, ns.flags);
	EXPECT_EQ(1, ns.reaper);
	EXPECT_EQ(ns.pid_max - 1 - ns.count, ns.headroom);
}

TEST_F(tree, status_agrees)
{
	struct ktwin_status status;
	struct ktwin_ns *all;
	long count = kt_namespaces(self->fd, &all);

	ASSERT_EQ(0, kt_status(self->fd, &status));
	EXPECT_EQ(count, status.namespaces);
	EXPECT_EQ(self->own, status.own_ns);
	EXPECT_EQ(self->own, all[0].inode);
	EXPECT_EQ(kt_file_number("/proc/sys/kernel/pid_max"), status.pid_max);
	EXPECT_EQ(0, status.flags & KTWIN_STATUS_SCOPED);
	free(all);
}

/* headroom and the largest hole, counted once more from the numbers themselves. */
static void expect_holes(struct __test_metadata *_metadata, int fd, __u32 inode)
{
	__u32 i, used = 0, run = 0, best = 0, at_start = 0;
	struct ktwin_pid *pids = NULL;
	long count, n, tries = 0;
	struct ktwin_ns ns, after;
	bool *taken;

	do {
		free(pids);
		ASSERT_EQ(0, kt_namespace(fd, inode, &ns));
		count = kt_pids(fd, inode, &pids);
		ASSERT_EQ(0, kt_namespace(fd, inode, &after));
	} while ((ns.cursor != after.cursor || count != ns.count || count != after.count) && tries++ < 200);
	taken = calloc(ns.pid_max + 1, sizeof(*taken));
	for (n = 0; n < count; n++) {
		for (i = 0; i < pids[n].depth; i++) {
			if (pids[n].upids[i].ns == inode && pids[n].upids[i].nr < (int)ns.pid_max) {
				taken[pids[n].upids[i].nr] = true;
				used++;
			}
		}
	}
	EXPECT_EQ(count, used);
	for (i = 1; i < ns.pid_max; i++) {
		run = taken[i] ? 0 : run + 1;
		if (run > best)
			best = run;
	}
	for (i = ns.hole_start; i < ns.pid_max && !taken[i]; i++)
		at_start++;
	EXPECT_EQ(best, ns.hole_length);
	EXPECT_EQ(best, at_start);
	EXPECT_TRUE(ns.hole_start == 1 || taken[ns.hole_start - 1]);
	EXPECT_EQ(ns.pid_max - 1 - used, ns.headroom);
	free(taken);
	free(pids);
}

TEST_F(tree, holes)
{
	pid_t init = make_namespace(&self->line);
	__u32 inode = kt_ns_inode(init, "pid");

	ASSERT_LT(0, init);
	expect_holes(_metadata, self->fd, self->own);
	expect_holes(_metadata, self->fd, inode);
	ASSERT_EQ(1, ask(&self->line, SET_LAST_PID));
	ASSERT_LT(0, ask(&self->line, MAKE_CHILD));
	expect_holes(_metadata, self->fd, inode);
	kt_end(init);
}

TEST_F(tree, child)
{
	struct ktwin_ns ns, above, above_before;
	struct timespec now;
	pid_t init, child;
	__u32 inode;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ASSERT_EQ(0, kt_namespace(self->fd, self->own, &above_before));
	init = make_namespace(&self->line);
	ASSERT_LT(0, init);
	inode = kt_ns_inode(init, "pid");
	ASSERT_EQ(0, kt_namespace(self->fd, inode, &ns));
	EXPECT_EQ(self->own, ns.parent);
	EXPECT_EQ(1, ns.level);
	EXPECT_EQ(1, ns.count);
	EXPECT_EQ(1, ns.kernel_count);
	EXPECT_EQ(init, ns.reaper);
	EXPECT_EQ(0, ns.children);
	EXPECT_EQ(KTWIN_NS_KERNEL, ns.flags);
	EXPECT_LT(now.tv_sec * 1000000000ULL + now.tv_nsec, ns.first_seen_ns);
	EXPECT_EQ(ns.pid_max - 2, ns.headroom);
	EXPECT_EQ(2, ns.hole_start);
	EXPECT_EQ(ns.pid_max - 2, ns.hole_length);
	EXPECT_EQ(ask(&self->line, LAST_PID) + 1, ns.cursor);
	ASSERT_EQ(0, kt_namespace(self->fd, self->own, &above));
	EXPECT_EQ(above_before.children + 1, above.children);

	child = ask(&self->line, MAKE_CHILD);
	ASSERT_EQ(0, kt_namespace(self->fd, inode, &ns));
	EXPECT_EQ(2, ns.count);
	EXPECT_EQ(2, ns.kernel_count);
	EXPECT_EQ(3, ns.cursor);
	kt_expect_numbers(_metadata, self->fd, child);

	/* the cursor follows who writes it */
	ASSERT_EQ(1, ask(&self->line, SET_LAST_PID));
	ASSERT_EQ(0, kt_namespace(self->fd, inode, &ns));
	EXPECT_EQ(1001, ns.cursor);
	child = ask(&self->line, MAKE_CHILD);
	ASSERT_EQ(0, kt_namespace(self->fd, inode, &ns));
	EXPECT_EQ(1002, ns.cursor);
	EXPECT_EQ(3, ns.count);
	kt_expect_numbers(_metadata, self->fd, child);

	kt_end(init);
	EXPECT_TRUE(wait_gone(self->fd, inode));
}

TEST_F(tree, grandchildren_and_order)
{
	pid_t init = make_namespace(&self->line), below[2];
	struct ktwin_ns ns, *all;
	long count, i, j;
	int k;

	ASSERT_LT(0, init);
	for (k = 0; k < 2; k++) {
		below[k] = ask(&self->line, MAKE_NAMESPACE);
		ASSERT_LT(0, below[k]);
		ASSERT_EQ(0, kt_namespace(self->fd, kt_ns_inode(below[k], "pid"), &ns));
		EXPECT_EQ(kt_ns_inode(init, "pid"), ns.parent);
		EXPECT_EQ(2, ns.level);
		EXPECT_EQ(below[k], ns.reaper);
	}
	ASSERT_EQ(0, kt_namespace(self->fd, kt_ns_inode(init, "pid"), &ns));
	EXPECT_EQ(2, ns.children);
	EXPECT_EQ(3, ns.count);
	count = kt_namespaces(self->fd, &all);
	for (i = 1; i < count; i++) {
		bool parent_first = false;

		for (j = 0; j < i; j++)
			parent_first |= all[j].inode == all[i].parent;
		EXPECT_TRUE(parent_first);
	}
	free(all);
	kt_end(init);
	EXPECT_TRUE(wait_gone(self->fd, ns.inode));
}

TEST_F(tree, many)
{
	struct ktwin_ns *all;
	long before = kt_namespaces(self->fd, &all), with, by_two;
	pid_t inits[20];
	int i;

	free(all);
	for (i = 0; i < 20; i++) {
		inits[i] = kt_make_waiting(&self->line, CLONE_NEWPID);
		ASSERT_EQ(inits[i], kt_hear(&self->line));
	}
	with = kt_namespaces(self->fd, &all);
	free(all);
	by_two = kt_read_by(self->fd, KTWIN_IOC_NAMESPACES, 0, sizeof(*all), 2, (void **)&all);
	free(all);
	EXPECT_EQ(before + 20, with);
	EXPECT_EQ(with, by_two);
	for (i = 0; i < 20; i++)
		kt_end(inits[i]);
}

/*
 * A member whose parent is outside: when the namespace's init dies, the member does too, but as a zombie it keeps
 * the namespace until its parent cares.
 */
TEST_F(tree, dying)
{
	pid_t init = make_namespace(&self->line), member;
	struct kt_explained explained;
	struct ktwin_ns ns;
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	int pidfd = syscall(SYS_pidfd_open, init, 0);
	__u32 inode = kt_ns_inode(init, "pid");

	ASSERT_LT(0, init);
	ASSERT_EQ(0, setns(pidfd, CLONE_NEWPID));
	member = fork();
	if (!member) {
		kt_leash();
		pause();
	}
	ASSERT_LT(0, member);
	ASSERT_EQ(0, kt_namespace(self->fd, inode, &ns));
	EXPECT_EQ(2, ns.count);
	EXPECT_EQ(0, ns.flags & KTWIN_NS_DYING);

	kill(init, SIGKILL);
	ASSERT_TRUE(kt_wait_letter(member, 'Z'));
	do {
		ASSERT_EQ(0, kt_namespace(self->fd, inode, &ns));
	} while (!(ns.flags & KTWIN_NS_DYING) && kt_now_ms() < end);
	EXPECT_EQ(KTWIN_NS_DYING | KTWIN_NS_KERNEL, ns.flags);
	EXPECT_EQ(2, ns.count);
	EXPECT_EQ(2, ns.kernel_count);
	EXPECT_EQ(0, kt_explain(self->fd, inode, 2, &explained));
	EXPECT_EQ(member, explained.pid.upids[0].nr);
	kt_expect_audit_clean(_metadata, self->fd);
	/* nobody can be born there */
	EXPECT_EQ(-1, fork());
	EXPECT_EQ(ENOMEM, errno);
	kt_expect_audit_clean(_metadata, self->fd);

	EXPECT_EQ(member, waitpid(member, NULL, 0));
	EXPECT_EQ(init, waitpid(init, NULL, 0));
	EXPECT_TRUE(wait_gone(self->fd, inode));
}

/* A namespace whose init dies at once, many times over: none is left behind. */
TEST_F(tree, churn)
{
	struct ktwin_ns *all;
	long before = kt_namespaces(self->fd, &all), after = -1;
	uint64_t end;
	pid_t child;
	int i;

	free(all);
	for (i = 0; i < 100; i++) {
		child = kt_clone(CLONE_NEWPID);
		if (!child)
			_exit(0);
		ASSERT_LT(0, child);
		waitpid(child, NULL, 0);
	}
	end = kt_now_ms() + KT_PATIENCE_MS;
	while (after != before && kt_now_ms() < end) {
		after = kt_namespaces(self->fd, &all);
		free(all);
	}
	EXPECT_EQ(before, after);
}

static bool write_pid_max(long limit)
{
	FILE *file = fopen("/proc/sys/kernel/pid_max", "w");

	return file && fprintf(file, "%ld", limit) > 0 && !fclose(file);
}

/* No number left at all: forks fail, and the twin says so in its figures. */
TEST_F(tree, no_number_left)
{
	long was = kt_file_number("/proc/sys/kernel/pid_max"), made = 0;
	static pid_t children[1000];
	struct ktwin_ns ns;
	int error = 0;

	ASSERT_TRUE(write_pid_max(400));
	while (made < 1000) {
		children[made] = fork();
		if (!children[made]) {
			kt_leash();
			pause();
		}
		if (children[made] < 0) {
			error = errno;
			break;
		}
		made++;
	}
	EXPECT_EQ(EAGAIN, error);
	EXPECT_EQ(0, kt_namespace(self->fd, self->own, &ns));
	kt_expect_audit_clean(_metadata, self->fd);
	EXPECT_EQ(400, ns.pid_max);
	/* the kernel leaves the first 300 alone once it has gone round */
	EXPECT_GE(299, ns.headroom);
	EXPECT_LE(made, ns.count);
	while (made)
		kt_end(children[--made]);
	EXPECT_TRUE(write_pid_max(was));
	ASSERT_EQ(0, kt_namespace(self->fd, self->own, &ns));
	EXPECT_EQ(was, ns.pid_max);
	EXPECT_LT(was / 2, ns.headroom);
}

TEST_HARNESS_MAIN
