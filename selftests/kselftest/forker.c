// SPDX-License-Identifier: GPL-2.0-only
/*
 * forker MODE SECONDS: makes and ends processes of one kind as fast as it can, for the storms; at the end, or when it
 * is told to end (SIGTERM), it prints how many. Small and static, because stress-ng takes longer to start than most
 * tests last. SECONDS may have a fraction.
 */
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t over;

static void end(int signal)
{
	over = 1;
}

static pid_t clone_with(__u64 flags, pid_t *set_tid)
{
	struct clone_args arguments = {
		.flags = flags, .exit_signal = SIGCHLD, .set_tid = (unsigned long)set_tid, .set_tid_size = !!set_tid,
	};

	return syscall(SYS_clone3, &arguments, sizeof(arguments));
}

static int reap(pid_t child)
{
	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

static int make_fork(void)
{
	return reap(clone_with(0, NULL));
}

static int make_vfork(void)
{
	return reap(clone_with(CLONE_VFORK, NULL));
}

static int make_pidns(void)
{
	return reap(clone_with(CLONE_NEWPID, NULL));
}

static void *thread(void *unused)
{
	return NULL;
}

static int make_thread(void)
{
	pthread_t made;

	return !pthread_create(&made, NULL, thread, NULL) && !pthread_join(made, NULL);
}

/* Leader of its own session, with a child that outlives it by a little. */
static int make_session(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		if (fork() == 0)
			usleep(500);
		_exit(0);
	}
	return reap(child);
}

/* A dozen at once, reaped only when all have ended. */
static int make_zombie(void)
{
	pid_t children[12];
	int i, made = 0;

	for (i = 0; i < 12; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(0);
	}
	usleep(1000);
	for (i = 0; i < 12; i++)
		made += children[i] > 0 && waitpid(children[i], NULL, 0) == children[i];
	return made;
}

static void *thread_execs(void *unused)
{
	execl("/proc/self/exe", "forker", "--exit", NULL);
	_exit(1);
}

static int make_execthread(void)
{
	pid_t child = fork();
	pthread_t made;

	if (child == 0) {
		pthread_create(&made, NULL, thread_execs, NULL);
		pause();
	}
	return reap(child);
}

/* A fork that fails after the number was taken in the inner namespaces, or was found taken. */
static int make_failure(void)
{
	pid_t taken = 1, child = clone_with(0, &taken);

	if (child == 0)
		_exit(0);
	return child < 0;
}

/* The kernel's thread for a ring: born by io_uring, not by fork. */
static int make_sqpoll(void)
{
	struct io_uring_params parameters = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1 };
	int fd = syscall(SYS_io_uring_setup, 4, &parameters);

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

static int make_mix(void)
{
	static int turn;

	switch (turn++ % 6) {
	case 0:
		return make_thread();
	case 1:
		return make_vfork();
	case 2:
		return make_pidns();
	case 3:
		return make_session();
	case 4:
		return make_failure();
	default:
		return make_fork();
	}
}

static const struct {
	const char *name;
	int (*make)(void);
} modes[] = {
	{ "fork", make_fork }, { "vfork", make_vfork }, { "thread", make_thread }, { "session", make_session },
	{ "zombie", make_zombie }, { "execthread", make_execthread }, { "pidns", make_pidns },
	{ "failure", make_failure }, { "sqpoll", make_sqpoll }, { "mix", make_mix },
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end };
	long made = 0;
	double until;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "--exit"))
		return 0;
	for (i = 0; argc == 3 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name))
			continue;
		/* orphans come here, so that they are reaped */
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		sigaction(SIGTERM, &action, NULL);
		for (until = now() + atof(argv[2]); !over && now() < until;) {
			made += modes[i].make();
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		}
		while (wait(NULL) > 0)
			;
		printf("%ld\n", made);
		return 0;
	}
	fprintf(stderr, "usage: forker MODE SECONDS; modes:");
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, " %s", modes[i].name);
	fprintf(stderr, "\n");
	return 2;
}
