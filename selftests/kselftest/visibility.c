// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inside a child namespace a caller sees that namespace and those below it, with its own numbers, and nothing else.
 */
#include <sys/mman.h>

#include "world.h"

/*
 * Outside: the test and a bystander. Inside: the caller, its child, and a namespace below with one process.
 */
FIXTURE(inside) {
	int fd;
	__u32 outer, sibling;
	pid_t bystander;
	struct kt_line line;
};

FIXTURE_VARIANT(inside) {
	__u64 flags;
	bool nobody;
};

FIXTURE_VARIANT_ADD(inside, root) {
	.flags = CLONE_NEWPID,
};

/* As an unprivileged container: another user, root only of a user namespace of its own. */
FIXTURE_VARIANT_ADD(inside, user_namespace) {
	.flags = CLONE_NEWPID | CLONE_NEWUSER, .nobody = true,
};

FIXTURE_SETUP(inside)
{
	KT_OPEN_LIVE(self->fd);
	ASSERT_EQ(0, kt_line_open(&self->line));
	self->outer = kt_ns_inode(getpid(), "pid");
	self->bystander = kt_make_waiting(&self->line, CLONE_NEWPID);
	ASSERT_EQ(self->bystander, kt_hear(&self->line));
	self->sibling = kt_ns_inode(self->bystander, "pid");
}

FIXTURE_TEARDOWN(inside)
{
	kt_end(self->bystander);
	kt_expect_audit_clean(_metadata, self->fd);
	close(self->fd);
}

/* Runs the rest of the test in there: 0 inside, else inside is over and the test goes on. */
static pid_t enter(struct __test_metadata *_metadata, const FIXTURE_VARIANT(inside) *variant)
{
	pid_t child = fork();
	int status = -1;

	if (!child) {
		if (variant->nobody && kt_become_nobody())
			_exit(1);
		child = kt_clone(variant->flags);
		if (!child) {
			kt_leash();
			return 0;
		}
		_exit(child < 0 || waitpid(child, &status, 0) != child || status);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	return child;
}

TEST_F(inside, status)
{
	struct ktwin_status status;

	if (enter(_metadata, variant))
		return;
	EXPECT_EQ(0, kt_status(self->fd, &status));
	EXPECT_TRUE(status.flags & KTWIN_STATUS_SCOPED);
	EXPECT_EQ(KTWIN_LIVE, status.state);
	EXPECT_EQ(kt_ns_inode(kt_root_pid(), "pid"), status.own_ns);
	EXPECT_EQ(1, status.pids);
	EXPECT_EQ(1, status.namespaces);
	EXPECT_EQ(0, status.epoch);
	EXPECT_EQ(0, status.allocs);
	EXPECT_EQ(0, status.frees);
	EXPECT_EQ(0, status.streams);
	EXPECT_EQ(0, status.memory);
	EXPECT_EQ(0, status.pid_pool.total);
	EXPECT_EQ(0, status.ns_pool.total);
	_exit(0);
}

TEST_F(inside, records)
{
	__u32 own, below;
	struct ktwin_pid *pids;
	struct ktwin_ns *all;
	struct kt_line line;
	pid_t child, init;

	if (enter(_metadata, variant))
		return;
	EXPECT_EQ(0, kt_line_open(&line));
	own = kt_ns_inode(kt_root_pid(), "pid");
	child = kt_make_waiting(&line, 0);
	kt_hear(&line);
	init = kt_make_waiting(&line, CLONE_NEWPID);
	below = kt_ns_inode(kt_hear(&line), "pid");
	EXPECT_EQ(2, child);
	EXPECT_EQ(3, init);

	EXPECT_EQ(2, kt_namespaces(self->fd, &all));
	EXPECT_EQ(own, all[0].inode);
	EXPECT_EQ(0, all[0].parent);
	EXPECT_EQ(0, all[0].level);
	EXPECT_EQ(3, all[0].count);
	EXPECT_EQ(1, all[0].children);
	EXPECT_EQ(1, all[0].reaper);
	EXPECT_EQ(below, all[1].inode);
	EXPECT_EQ(own, all[1].parent);
	EXPECT_EQ(1, all[1].level);
	EXPECT_EQ(init, all[1].reaper);

	EXPECT_EQ(3, kt_pids(self->fd, 0, &pids));
	EXPECT_EQ(1, pids[0].depth);
	EXPECT_EQ(own, pids[0].upids[0].ns);
	EXPECT_EQ(1, pids[0].upids[0].nr);
	EXPECT_EQ(2, pids[1].upids[0].nr);
	EXPECT_EQ(2, pids[2].depth);
	EXPECT_EQ(3, pids[2].upids[0].nr);
	EXPECT_EQ(below, pids[2].upids[1].ns);
	EXPECT_EQ(1, pids[2].upids[1].nr);

	EXPECT_EQ(1, kt_pids(self->fd, below, &pids));
	EXPECT_EQ(3, pids[0].upids[0].nr);
	_exit(0);
}

TEST_F(inside, nothing_of_the_outside)
{
	struct kt_explained explained;
	struct ktwin_pid *pids;

	if (enter(_metadata, variant))
		return;
	EXPECT_EQ(-ESRCH, kt_pids(self->fd, self->outer, &pids));
	EXPECT_EQ(-ESRCH, kt_pids(self->fd, self->sibling, &pids));
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, self->outer, 1, &explained));
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, self->sibling, 1, &explained));
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, 0, self->bystander, &explained));
	_exit(0);
}

TEST_F(inside, explain)
{
	struct kt_explained explained;
	struct ktwin_role *role;

	if (enter(_metadata, variant))
		return;
	EXPECT_EQ(0, kt_explain(self->fd, 0, 1, &explained));
	EXPECT_EQ(KT_EXPLAIN_AGREES, explained.head.flags);
	EXPECT_EQ(1, explained.pid.depth);
	EXPECT_EQ(0, explained.head.references);
	role = kt_role(&explained, KTWIN_ROLE_PID);
	if (!role)
		_exit(2);
	EXPECT_EQ(1, role->tid);
	EXPECT_EQ(1, role->tgid);
	EXPECT_EQ(0, role->ppid); /* its parent is outside */
	EXPECT_TRUE(role->flags & KTWIN_TASK_REAPER);
	EXPECT_STREQ("visibility", role->comm);
	_exit(0);
}

TEST_F(inside, audit)
{
	struct ktwin_audit audit;

	if (enter(_metadata, variant))
		return;
	EXPECT_EQ(0, kt_audit(self->fd, &audit));
	EXPECT_EQ(1, audit.complete);
	EXPECT_EQ(0, audit.differences);
	EXPECT_EQ(1, audit.namespaces);
	EXPECT_EQ(1, audit.pids);
	EXPECT_EQ(0, audit.passes);
	EXPECT_EQ(0, audit.checked_total);
	_exit(0);
}

TEST_F(inside, control)
{
	if (enter(_metadata, variant))
		return;
	/* root of a child PID namespace is still root; root of a user namespace is not */
	EXPECT_EQ(variant->nobody ? -EPERM : -EALREADY, kt_mirror(self->fd, KTWIN_MIRROR_ON));
	_exit(0);
}

TEST_F(inside, stream)
{
	struct ktwin_stream open = { .size = sizeof(open), .capacity = 1024 };
	struct ktwin_ring *ring;
	struct ktwin_event *events;
	__u32 own;
	__u64 i;
	int stream, told = 0;
	pid_t outside = 0;

	/* outside is busy all the while */
	outside = fork();
	if (!outside) {
		kt_leash();
		for (;;) {
			outside = fork();
			if (!outside)
				_exit(0);
			waitpid(outside, NULL, 0);
		}
	}
	if (enter(_metadata, variant)) {
		kt_end(outside);
		return;
	}
	own = kt_ns_inode(kt_root_pid(), "pid");
	stream = kt_call(self->fd, KTWIN_IOC_STREAM, &open);
	EXPECT_LE(0, stream);
	ring = mmap(NULL, 4096 + 1024 * sizeof(*events), PROT_READ, MAP_SHARED, stream, 0);
	if (ring == MAP_FAILED)
		_exit(2);
	for (i = 0; i < 20; i++) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	events = (void *)((char *)ring + ring->offset);
	for (i = 0; i < __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE); i++) {
		told += events[i].type == KTWIN_EV_PID_ALLOC;
		EXPECT_EQ(own, events[i].ns);
		EXPECT_EQ(0, events[i].level);
		EXPECT_EQ(events[i].nr, events[i].ns_nr);
		EXPECT_GE(21, events[i].nr);
		EXPECT_EQ(0, events[i].parent);
	}
	EXPECT_EQ(20, told);
	EXPECT_EQ(0, ring->lost);
	_exit(0);
}

/* A difference outside is none of its business. */
TEST_F(inside, divergences)
{
	struct ktwin_divergence *all;
	struct ktwin_audit audit;

	KT_NEED_LAB(self->fd);
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_DROP, self->sibling, 1));
	ASSERT_EQ(0, kt_audit(self->fd, &audit));
	EXPECT_EQ(1, audit.differences);
	if (!enter(_metadata, variant)) {
		EXPECT_EQ(0, kt_divergences(self->fd, &all));
		EXPECT_EQ(0, kt_audit(self->fd, &audit));
		EXPECT_EQ(0, audit.differences);
		EXPECT_EQ(0, audit.differences_total);
		EXPECT_EQ(variant->nobody ? -EPERM : -ESRCH,
			  kt_inject(self->fd, KTWIN_INJECT_DROP, self->outer, 1));
		_exit(0);
	}
	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_MIRROR_RESYNC));
	kt_assert_live(_metadata, self->fd);
}

TEST_HARNESS_MAIN
