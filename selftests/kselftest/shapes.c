// SPDX-License-Identifier: GPL-2.0-only
/*
 * shapes NAME: makes one shape that a pid or a namespace can have, prints the numbers that make it up in one line, and
 * keeps it until it is killed; the shape goes with it. For scripts/demo and for trying things by hand.
 *
 *   group       FOUNDER MEMBER        a number kept only by a process group
 *   session     FOUNDER MEMBER        a number kept only by a session
 *   nest        PID PID PID           namespaces in namespaces, the first process of each
 *   zombies     COUNT FIRST           processes that ended and were not waited for
 *   dying       INIT MEMBER           a namespace whose init was killed; a zombie outside's child keeps it
 *   execthread  PID THREAD            a process one of whose threads called exec: it has the leader's number now
 *   failures    COUNT                 forks that failed: a number in use (EEXIST), a dying namespace (ENOMEM)
 *   crowd       COUNT                 threads, more than the smallest pool holds
 */
#include <linux/sched.h>
#include <pthread.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int line[2];	/* what those that are made say */

static void say(int number)
{
	if (write(line[1], &number, sizeof(number)) != sizeof(number))
		_exit(1);
}

static int hear(void)
{
	int number;

	return read(line[0], &number, sizeof(number)) == sizeof(number) ? number : -1;
}

static void leash(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int root_number(const char *link)
{
	char target[64] = "";

	if (readlink(link, target, sizeof(target) - 1) <= 0)
		return -1;
	return atoi(strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static pid_t clone_with(__u64 flags, pid_t *set_tid)
{
	struct clone_args arguments = {
		.flags = flags, .exit_signal = SIGCHLD, .set_tid = (unsigned long)set_tid, .set_tid_size = !!set_tid,
	};

	return syscall(SYS_clone3, &arguments, sizeof(arguments));
}

static void found(int (*claim)(void))
{
	pid_t maker = getpid(), founder;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	founder = fork();
	if (founder == 0) {
		claim();
		if (fork() == 0) {
			/* for a session: a group of its own, so that the session alone keeps the number */
			if (getsid(0) == getppid())
				setpgid(0, 0);
			say(getpid());
			while (getppid() != maker)
				usleep(1000);
			leash();
			pause();
		}
		_exit(0);
	}
	waitpid(founder, NULL, 0);
	printf("%d %d\n", founder, hear());
}

static int claim_group(void)
{
	return setpgid(0, 0);
}

static int claim_session(void)
{
	return setsid();
}

static void group(void)
{
	found(claim_group);
}

static void session(void)
{
	found(claim_session);
}

static void nest(void)
{
	pid_t child;
	int i, levels[3];

	child = fork();
	for (i = 0; child == 0 && i < 3; i++) {
		leash();
		child = clone_with(CLONE_NEWPID, NULL);
		if (child == 0)
			say(root_number("/proc/self"));
	}
	if (i) {
		leash();
		pause();
	}
	for (i = 0; i < 3; i++)
		levels[i] = hear();
	printf("%d %d %d\n", levels[0], levels[1], levels[2]);
}

static void zombies(void)
{
	siginfo_t info;
	pid_t first = 0, child;
	int i;

	for (i = 0; i < 30; i++) {
		child = fork();
		if (child == 0)
			_exit(0);
		first = first ? first : child;
		waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	}
	printf("30 %d\n", first);
}

/* The member has its parent outside; as its zombie it keeps the namespace when the init is killed. */
static pid_t make_dying(pid_t *init)
{
	siginfo_t info;
	pid_t member;
	int pidfd;

	*init = clone_with(CLONE_NEWPID, NULL);
	if (*init == 0) {
		leash();
		pause();
	}
	pidfd = syscall(SYS_pidfd_open, *init, 0);
	setns(pidfd, CLONE_NEWPID);
	member = fork();
	if (member == 0) {
		leash();
		pause();
	}
	kill(*init, SIGKILL);
	waitid(P_PID, member, &info, WEXITED | WNOWAIT);
	return member;
}

static void dying(void)
{
	pid_t init, member = make_dying(&init);

	printf("%d %d\n", init, member);
}

static void failures(void)
{
	pid_t taken = 1, init;
	int i, failed = 0;

	for (i = 0; i < 50; i++)
		failed += clone_with(0, &taken) < 0 && errno == EEXIST;
	make_dying(&init);
	for (i = 0; i < 50; i++)
		failed += clone_with(0, NULL) < 0 && errno == ENOMEM;
	printf("%d\n", failed);
}

static void *thread_execs(void *unused)
{
	say(root_number("/proc/thread-self"));
	execl("/proc/self/exe", "shapes", "--wait", NULL);
	_exit(1);
}

static void execthread(void)
{
	char path[64];
	pthread_t thread;
	pid_t child = fork();
	int tid;

	if (child == 0) {
		leash();
		pthread_create(&thread, NULL, thread_execs, NULL);
		pause();
	}
	tid = hear();
	/* until the thread has become the process */
	snprintf(path, sizeof(path), "/proc/%d/task/%d", child, tid);
	while (!access(path, F_OK))
		usleep(1000);
	printf("%d %d\n", child, tid);
}

static void *thread_waits(void *unused)
{
	pause();
	return NULL;
}

static void crowd(void)
{
	pthread_attr_t small;
	pthread_t thread;
	int made = 0;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	while (made < 4500 && !pthread_create(&thread, &small, thread_waits, NULL))
		made++;
	printf("%d\n", made);
}

static const struct {
	const char *name;
	void (*make)(void);
} shapes[] = {
	{ "group", group }, { "session", session }, { "nest", nest }, { "zombies", zombies }, { "dying", dying },
	{ "execthread", execthread }, { "failures", failures }, { "crowd", crowd },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--wait")) {
		prctl(PR_SET_NAME, "shapes");
		leash();
		pause();
		return 0;
	}
	if (pipe(line))
		return 1;
	for (i = 0; argc == 2 && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (strcmp(argv[1], shapes[i].name))
			continue;
		shapes[i].make();
		fflush(stdout);
		pause();
		return 0;
	}
	fprintf(stderr, "usage: shapes NAME; names:");
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		fprintf(stderr, " %s", shapes[i].name);
	fprintf(stderr, "\n");
	return 2;
}
