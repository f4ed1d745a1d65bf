// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way a number comes to be and to be kept: after each the twin has what /proc shows, and an audit finds nothing.
 */
#include <pthread.h>

#include "world.h"

FIXTURE(twin) {
	int fd;
	struct kt_line line;
};

FIXTURE_SETUP(twin)
{
	KT_OPEN_LIVE(self->fd);
	ASSERT_EQ(0, kt_line_open(&self->line));
}

FIXTURE_TEARDOWN(twin)
{
	kt_expect_audit_clean(_metadata, self->fd);
	close(self->fd);
}

TEST_F(twin, itself)
{
	struct kt_explained explained;

	kt_expect_numbers(_metadata, self->fd, getpid());
	ASSERT_EQ(0, kt_explain(self->fd, 0, getpid(), &explained));
	EXPECT_EQ(1, explained.head.role_count[KTWIN_ROLE_PID]);
	EXPECT_EQ(1, explained.head.role_count[KTWIN_ROLE_TGID]);
	EXPECT_EQ(getpid(), kt_role(&explained, KTWIN_ROLE_PID)->tid);
	EXPECT_EQ(getppid(), kt_role(&explained, KTWIN_ROLE_PID)->ppid);
	EXPECT_EQ('R', kt_role(&explained, KTWIN_ROLE_PID)->state);
	EXPECT_STREQ("pid_twin", kt_role(&explained, KTWIN_ROLE_PID)->comm);
	EXPECT_TRUE(kt_role(&explained, KTWIN_ROLE_PID)->flags & KTWIN_TASK_LEADER);
	EXPECT_LT(0, explained.head.references);
}

TEST_F(twin, init_and_kernel_threads)
{
	struct kt_explained explained;

	ASSERT_EQ(0, kt_explain(self->fd, 0, 1, &explained));
	EXPECT_TRUE(kt_role(&explained, KTWIN_ROLE_PID)->flags & KTWIN_TASK_REAPER);
	ASSERT_EQ(0, kt_explain(self->fd, 0, 2, &explained));
	EXPECT_TRUE(kt_role(&explained, KTWIN_ROLE_PID)->flags & KTWIN_TASK_KTHREAD);
	EXPECT_STREQ("kthreadd", kt_role(&explained, KTWIN_ROLE_PID)->comm);
}

/* All of them: what /proc lists now and still lists afterwards is in the twin, number for number. */
TEST_F(twin, everyone)
{
	struct ktwin_pid *pids;
	long count = kt_pids(self->fd, 0, &pids), i;
	int numbers[KTWIN_LEVELS], levels, level, found = 0;

	ASSERT_LT(0, count);
	for (i = 0; i < count; i++) {
		if (i) {
			EXPECT_LT(pids[i - 1].upids[0].nr, pids[i].upids[0].nr);
		}
		levels = kt_proc_numbers(pids[i].upids[0].nr, "NSpid:", numbers);
		if (levels <= 0)
			continue; /* ended meanwhile */
		found++;
		ASSERT_EQ(levels, (int)pids[i].depth);
		for (level = 0; level < levels; level++) {
			EXPECT_EQ(numbers[level], pids[i].upids[level].nr);
		}
	}
	EXPECT_LT(20, found);
	free(pids);
}

TEST_F(twin, small_reads_see_the_same)
{
	struct ktwin_pid *many, *few;
	struct kt_line line;
	long count, by_three, i, j, missing = 0;
	pid_t children[5];

	ASSERT_EQ(0, kt_line_open(&line));
	for (i = 0; i < 5; i++) {
		children[i] = kt_make_waiting(&line, 0);
		ASSERT_EQ(children[i], kt_hear(&line));
	}
	count = kt_pids(self->fd, 0, &many);
	by_three = kt_read_by(self->fd, KTWIN_IOC_PIDS, 0, sizeof(*few), 3, (void **)&few);
	ASSERT_LT(5, count);
	ASSERT_LT(5, by_three);
	for (i = 0; i < 5; i++) {
		int seen = 0;

		for (j = 0; j < by_three; j++)
			seen += few[j].upids[0].nr == children[i];
		missing += seen != 1;
		kt_end(children[i]);
	}
	EXPECT_EQ(0, missing);
	free(many);
	free(few);
}

TEST_F(twin, fork_and_zombie)
{
	struct kt_explained explained;
	struct ktwin_role *role;
	pid_t child = kt_make_waiting(&self->line, 0);

	ASSERT_EQ(child, kt_hear(&self->line));
	kt_expect_numbers(_metadata, self->fd, child);
	kill(child, SIGKILL);
	ASSERT_TRUE(kt_wait_letter(child, 'Z'));
	kt_expect_numbers(_metadata, self->fd, child);
	ASSERT_EQ(0, kt_explain(self->fd, 0, child, &explained));
	role = kt_role(&explained, KTWIN_ROLE_TGID);
	ASSERT_NE(NULL, role);
	EXPECT_EQ('Z', role->state);
	EXPECT_TRUE(role->flags & KTWIN_TASK_EXITING);
	waitpid(child, NULL, 0);
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, 0, child, &explained));
}

static void *thread_waits(void *argument)
{
	struct kt_line *line = argument;

	kt_say(line, kt_root_tid());
	kt_await(line);
	return NULL;
}

TEST_F(twin, threads)
{
	struct kt_explained explained;
	pthread_t threads[4];
	int tids[4], i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, thread_waits, &self->line));
		tids[i] = kt_hear(&self->line);
	}
	for (i = 0; i < 4; i++) {
		kt_expect_numbers(_metadata, self->fd, tids[i]);
		ASSERT_EQ(0, kt_explain(self->fd, 0, tids[i], &explained));
		EXPECT_EQ(1, explained.head.role_count[KTWIN_ROLE_PID]);
		EXPECT_EQ(0, explained.head.role_count[KTWIN_ROLE_TGID]);
		EXPECT_EQ(getpid(), explained.roles[0].tgid);
		EXPECT_FALSE(explained.roles[0].flags & KTWIN_TASK_LEADER);
	}
	for (i = 0; i < 4; i++)
		kt_tell(&self->line, 0);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(-ESRCH, kt_wait_gone(self->fd, tids[i]));
	}
}

/* The group's first thread is gone, the others run on: the number stays, as a zombie's. */
static void *leader_goes(void *argument)
{
	struct kt_line *line = argument;

	kt_say(line, kt_root_tid());
	kt_await(line);
	_exit(0);
}

TEST_F(twin, zombie_leader)
{
	struct kt_explained explained;
	struct ktwin_role *role;
	pthread_t thread;
	pid_t child = fork();
	int tid;

	if (!child) {
		kt_leash();
		pthread_create(&thread, NULL, leader_goes, &self->line);
		syscall(SYS_exit, 0);
	}
	tid = kt_hear(&self->line);
	ASSERT_TRUE(kt_wait_letter(child, 'Z'));
	kt_expect_numbers(_metadata, self->fd, child);
	kt_expect_numbers(_metadata, self->fd, tid);
	ASSERT_EQ(0, kt_explain(self->fd, 0, child, &explained));
	role = kt_role(&explained, KTWIN_ROLE_PID);
	ASSERT_NE(NULL, role);
	EXPECT_EQ('Z', role->state);
	EXPECT_EQ(1, explained.head.role_count[KTWIN_ROLE_TGID]);
	ASSERT_EQ(0, kt_explain(self->fd, 0, tid, &explained));
	EXPECT_EQ(child, explained.roles[0].tgid);
	kt_tell(&self->line, 0);
	waitpid(child, NULL, 0);
}

TEST_F(twin, vfork)
{
	pid_t child = kt_clone(CLONE_VFORK);

	/* its own memory, for what it does is more than a vfork child may */
	if (!child) {
		kt_expect_numbers(_metadata, self->fd, getpid());
		_exit(0);
	}
	ASSERT_LT(0, child);
	waitpid(child, NULL, 0);
}

TEST_F(twin, set_tid)
{
	pid_t wanted = 31000, child;
	struct clone_args arguments = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1,
	};
	struct kt_explained explained;

	while (!kill(wanted, 0))
		wanted++;
	child = kt_clone3(&arguments);
	if (!child) {
		kt_leash();
		kt_say(&self->line, 0);
		_exit(kt_await(&self->line));
	}
	ASSERT_EQ(wanted, child);
	kt_hear(&self->line);
	kt_expect_numbers(_metadata, self->fd, child);
	/* the same again is refused, and the twin does not think otherwise */
	EXPECT_EQ(-EEXIST, kt_clone3(&arguments));
	kt_expect_numbers(_metadata, self->fd, child);
	kt_end(child);
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, 0, wanted, &explained));
}

/* A number chosen on two levels. */
TEST_F(twin, set_tid_nested)
{
	pid_t wanted[2] = { 1, 31500 }, child;
	struct clone_args arguments = {
		.flags = CLONE_NEWPID, .exit_signal = SIGCHLD, .set_tid = (uintptr_t)wanted, .set_tid_size = 2,
	};

	while (!kill(wanted[1], 0))
		wanted[1]++;
	child = kt_clone3(&arguments);
	if (!child) {
		kt_leash();
		kt_say(&self->line, 0);
		_exit(kt_await(&self->line));
	}
	ASSERT_EQ(wanted[1], child);
	kt_hear(&self->line);
	kt_expect_numbers(_metadata, self->fd, child);
	kt_end(child);
}

/* A pidfd keeps the struct pid, not the number: the number may serve another at once. */
TEST_F(twin, pidfd)
{
	struct kt_explained first, second;
	pid_t wanted = 32000, child;
	struct clone_args arguments = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1,
	};
	int i, pidfd[2];

	while (!kill(wanted, 0))
		wanted++;
	for (i = 0; i < 2; i++) {
		child = kt_clone3(&arguments);
		if (!child) {
			kt_leash();
			kt_say(&self->line, 0);
			_exit(kt_await(&self->line));
		}
		ASSERT_EQ(wanted, child);
		kt_hear(&self->line);
		pidfd[i] = syscall(SYS_pidfd_open, child, 0);
		ASSERT_LE(0, pidfd[i]);
		kt_expect_numbers(_metadata, self->fd, child);
		ASSERT_EQ(0, kt_explain(self->fd, 0, child, i ? &second : &first));
		kt_end(child);
		kt_expect_audit_clean(_metadata, self->fd);
	}
	EXPECT_LT(first.pid.serial, second.pid.serial);
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, 0, wanted, &first));
}

/* A child whose own child, of the founder's group or session, stays when the founder has gone. Returns the founder. */
static pid_t make_founder(struct kt_line *line, bool session, pid_t *member)
{
	pid_t founder;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	founder = fork();
	if (!founder) {
		if (session)
			setsid();
		else
			setpgid(0, 0);
		if (!fork()) {
			if (session)
				setpgid(0, 0); /* so that the session alone keeps the number */
			close(line->told[1]); /* no leash: it ends when the test does */
			kt_say(line, kt_root_pid());
			_exit(kt_await(line));
		}
		_exit(0);
	}
	*member = kt_hear(line);
	waitpid(founder, NULL, 0);
	return founder;
}

/* A group's number outlives the one who founded it; only the group explains it then. */
TEST_F(twin, kept_by_a_process_group)
{
	struct kt_explained explained;
	pid_t member, founder = make_founder(&self->line, false, &member);

	ASSERT_LT(0, member);
	ASSERT_EQ(founder, getpgid(member));
	ASSERT_EQ(0, kt_explain(self->fd, 0, founder, &explained));
	EXPECT_EQ(KT_EXPLAIN_AGREES, explained.head.flags);
	EXPECT_EQ(founder, explained.pid.upids[0].nr);
	EXPECT_EQ(0, explained.head.role_count[KTWIN_ROLE_PID]);
	EXPECT_EQ(0, explained.head.role_count[KTWIN_ROLE_TGID]);
	EXPECT_EQ(1, explained.head.role_count[KTWIN_ROLE_PGID]);
	EXPECT_EQ(0, explained.head.role_count[KTWIN_ROLE_SID]);
	EXPECT_EQ(1, explained.head.roles_filled);
	EXPECT_EQ(member, kt_role(&explained, KTWIN_ROLE_PGID)->tid);
	EXPECT_EQ(getpid(), kt_role(&explained, KTWIN_ROLE_PGID)->ppid);
	kt_expect_audit_clean(_metadata, self->fd);
	kt_end(member);
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, 0, founder, &explained));
}

TEST_F(twin, kept_by_a_session)
{
	struct kt_explained explained;
	pid_t member, founder = make_founder(&self->line, true, &member);

	ASSERT_LT(0, member);
	ASSERT_EQ(founder, getsid(member));
	ASSERT_EQ(member, getpgid(member));
	ASSERT_EQ(0, kt_explain(self->fd, 0, founder, &explained));
	EXPECT_EQ(KT_EXPLAIN_AGREES, explained.head.flags);
	EXPECT_EQ(0, explained.head.role_count[KTWIN_ROLE_PID]);
	EXPECT_EQ(0, explained.head.role_count[KTWIN_ROLE_PGID]);
	EXPECT_EQ(1, explained.head.role_count[KTWIN_ROLE_SID]);
	EXPECT_EQ(member, kt_role(&explained, KTWIN_ROLE_SID)->tid);
	kt_expect_audit_clean(_metadata, self->fd);
	kt_end(member);
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, 0, founder, &explained));
}

/* More tasks of one role than there is room for: the totals still tell. */
TEST_F(twin, many_in_one_group)
{
	struct kt_explained explained;
	pid_t children[KT_ROLES_ROOM + 10], leader = 0;
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(children); i++) {
		children[i] = kt_make_waiting(&self->line, 0);
		ASSERT_EQ(children[i], kt_hear(&self->line));
		leader = leader ?: children[i];
		ASSERT_EQ(0, setpgid(children[i], leader));
	}
	ASSERT_EQ(0, kt_explain(self->fd, 0, leader, &explained));
	EXPECT_EQ(ARRAY_SIZE(children), explained.head.role_count[KTWIN_ROLE_PGID]);
	EXPECT_EQ(KT_ROLES_ROOM, explained.head.roles_filled);
	for (i = 0; i < (int)ARRAY_SIZE(children); i++)
		kt_end(children[i]);
}

/* What another user may not know of root's processes: not their name, not their state. */
TEST_F(twin, hidden)
{
	struct kt_explained explained;
	struct ktwin_role *role;
	pid_t root = kt_make_waiting(&self->line, 0), child;
	int status;

	ASSERT_EQ(root, kt_hear(&self->line));
	child = fork();
	if (!child) {
		if (kt_become_nobody())
			_exit(1);
		EXPECT_EQ(0, kt_explain(self->fd, 0, root, &explained));
		role = kt_role(&explained, KTWIN_ROLE_PID);
		if (!role)
			_exit(2);
		EXPECT_TRUE(role->flags & KTWIN_TASK_HIDDEN);
		EXPECT_EQ(0, role->state);
		EXPECT_STREQ("", role->comm);
		EXPECT_EQ(root, role->tid);
		/* its own it may */
		EXPECT_EQ(0, kt_explain(self->fd, 0, getpid(), &explained));
		role = kt_role(&explained, KTWIN_ROLE_PID);
		if (!role)
			_exit(3);
		EXPECT_FALSE(role->flags & KTWIN_TASK_HIDDEN);
		EXPECT_STREQ("pid_twin", role->comm);
		_exit(0);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, kt_explain(self->fd, 0, root, &explained));
	EXPECT_FALSE(kt_role(&explained, KTWIN_ROLE_PID)->flags & KTWIN_TASK_HIDDEN);
	kt_end(root);
}

/*
 * exec from a thread: the thread takes the leader's number over, and its own goes. No number changes hands in the
 * idr; the tasks behind them do.
 */
static void *thread_execs(void *argument)
{
	char *const arguments[] = { "/proc/self/exe", "--wait-to-be-killed", NULL };

	kt_say(argument, kt_root_tid());
	kt_await(argument);
	execv(arguments[0], arguments);
	_exit(98);
}

TEST_F(twin, exec_from_a_thread)
{
	struct kt_explained before, after;
	pthread_t thread;
	pid_t child = fork();
	int tid;

	if (!child) {
		kt_leash();
		pthread_create(&thread, NULL, thread_execs, &self->line);
		pause();
	}
	tid = kt_hear(&self->line);
	ASSERT_LT(0, tid);
	kt_expect_numbers(_metadata, self->fd, child);
	kt_expect_numbers(_metadata, self->fd, tid);
	ASSERT_EQ(0, kt_explain(self->fd, 0, child, &before));
	kt_tell(&self->line, 0);
	EXPECT_EQ(-ESRCH, kt_wait_gone(self->fd, tid));
	kt_expect_numbers(_metadata, self->fd, child);
	ASSERT_EQ(0, kt_explain(self->fd, 0, child, &after));
	EXPECT_EQ(before.pid.serial, after.pid.serial);
	EXPECT_EQ(1, after.head.role_count[KTWIN_ROLE_TGID]);
	kt_end(child);
}

/* Namespaces in namespaces, levels deep; each init says its root pid and makes the next. */
static void nest(struct kt_line *line, int levels)
{
	while (levels--) {
		pid_t child = kt_clone(CLONE_NEWPID);

		if (child < 0)
			kt_say(line, child);
		if (child)
			break;
		kt_leash();
		kt_say(line, kt_root_pid());
	}
	kt_await(line);
	_exit(0);
}

TEST_F(twin, nested)
{
	int levels[3], numbers[KTWIN_LEVELS], i;
	pid_t child = fork();

	if (!child) {
		kt_leash();
		nest(&self->line, 3);
	}
	for (i = 0; i < 3; i++)
		levels[i] = kt_hear(&self->line);
	for (i = 0; i < 3; i++) {
		kt_expect_numbers(_metadata, self->fd, levels[i]);
		EXPECT_EQ(i + 2, kt_proc_numbers(levels[i], "NSpid:", numbers));
	}
	kt_end(levels[0]);
	kt_end(child);
}

/* As deep as the kernel goes, and one deeper. */
TEST_F(twin, thirty_two_levels)
{
	struct kt_explained explained;
	int levels[33], i;
	pid_t child = fork();

	if (!child) {
		kt_leash();
		nest(&self->line, 33);
	}
	for (i = 0; i < 33; i++)
		levels[i] = kt_hear(&self->line);
	EXPECT_EQ(-ENOSPC, levels[32]);
	for (i = 0; i < 32; i++) {
		kt_expect_numbers(_metadata, self->fd, levels[i]);
	}
	kt_expect_audit_clean(_metadata, self->fd);
	kill(levels[0], SIGKILL);
	kt_end(child);
	for (i = 0; i < 2000 && !kt_explain(self->fd, 0, levels[31], &explained); i++)
		kt_sleep_ms(10);
	EXPECT_EQ(-ESRCH, kt_explain(self->fd, 0, levels[31], &explained));
}

/* unshare: the next child is the first of the new namespace; until then nobody is in it. */
TEST_F(twin, unshare)
{
	__u32 own = kt_ns_inode(getpid(), "pid");
	struct ktwin_ns ns;
	pid_t child, grandchild;

	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	EXPECT_EQ(own, kt_ns_inode(getpid(), "pid"));
	kt_expect_numbers(_metadata, self->fd, getpid());
	child = kt_make_waiting(&self->line, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(child, kt_hear(&self->line));
	EXPECT_NE(own, kt_ns_inode(child, "pid"));
	kt_expect_numbers(_metadata, self->fd, child);
	grandchild = kt_make_waiting(&self->line, 0);
	EXPECT_EQ(grandchild, kt_hear(&self->line));
	kt_expect_numbers(_metadata, self->fd, grandchild);
	ASSERT_EQ(0, kt_namespace(self->fd, kt_ns_inode(child, "pid"), &ns));
	EXPECT_EQ(2, ns.count);
	EXPECT_EQ(child, ns.reaper);
	kt_end(grandchild);
	kt_end(child);
}

/* setns: a process born outside joins by its children. */
TEST_F(twin, setns)
{
	pid_t init = kt_make_waiting(&self->line, CLONE_NEWPID), child;
	int pidfd, numbers[KTWIN_LEVELS];

	ASSERT_EQ(init, kt_hear(&self->line));
	pidfd = syscall(SYS_pidfd_open, init, 0);
	ASSERT_EQ(0, setns(pidfd, CLONE_NEWPID));
	child = kt_make_waiting(&self->line, 0);
	EXPECT_EQ(child, kt_hear(&self->line));
	kt_expect_numbers(_metadata, self->fd, child);
	EXPECT_EQ(kt_ns_inode(init, "pid"), kt_ns_inode(child, "pid"));
	ASSERT_EQ(2, kt_proc_numbers(child, "NSpid:", numbers));
	EXPECT_EQ(2, numbers[1]);
	kt_end(child);
	kt_end(init);
}

TEST_F(twin, born_times)
{
	struct kt_explained first, second;
	struct timespec now;
	pid_t a = kt_make_waiting(&self->line, 0), b = kt_make_waiting(&self->line, 0);

	kt_hear(&self->line);
	kt_hear(&self->line);
	clock_gettime(CLOCK_MONOTONIC, &now);
	ASSERT_EQ(0, kt_explain(self->fd, 0, a, &first));
	ASSERT_EQ(0, kt_explain(self->fd, 0, b, &second));
	EXPECT_LT(0, first.pid.born_ns);
	EXPECT_LT(first.pid.born_ns, second.pid.born_ns);
	EXPECT_LT(second.pid.born_ns, now.tv_sec * 1000000000ULL + now.tv_nsec);
	EXPECT_LT(first.pid.serial, second.pid.serial);
	kt_end(a);
	kt_end(b);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--wait-to-be-killed")) {
		kt_leash();
		pause();
		return 0;
	}
	return test_harness_run(argc, argv);
}
