// SPDX-License-Identifier: GPL-2.0-only
/*
 * watcher COMMAND [ARGUMENT...]: runs it, and until it ends looks over and over into the queues behind each fd of each
 * task that is younger, and at what each sleeps on. Ends as the command did; with 120 when a question got an answer that
 * it should not get.
 */
#include "waiters.h"

#define FDS	24

static struct kt_listed listed;
static long asked, waiters, links, slept;

static bool is_expected(int result)
{
	return !result || result == -ESRCH || result == -EBADF || result == -ENODATA;
}

static bool look_at(int device, pid_t pid)
{
	struct ktwin_sleep sleep;
	int fd, result;
	__u32 i;

	for (fd = 0; fd < FDS; fd++, asked++) {
		result = kt_waiters(device, pid, fd, &listed);
		if (!is_expected(result)) {
			fprintf(stderr, "watcher: fd %d of %d: %s\n", fd, pid, strerror(-result));
			return false;
		}
		if (result == -ESRCH)
			return true;
		waiters += listed.head.waiters_filled;
		for (i = 0; i < listed.head.waiters_filled; i++)
			links += listed.waiters[i].link != 0;
	}
	result = kt_asleep_on(device, pid, &sleep);
	slept += !result && sleep.kind != KTWIN_SLEEP_AWAKE;
	return is_expected(result);
}

static bool look_round(int device, pid_t oldest)
{
	struct ktwin_pid *pids;
	long count = kt_pids(device, 0, &pids), i;
	bool good = count > 0;

	for (i = 0; i < count && good; i++) {
		if (pids[i].upids[0].nr >= oldest)
			good = look_at(device, pids[i].upids[0].nr);
	}
	free(pids);
	return good;
}

int main(int argc, char **argv)
{
	int device = kt_open(), status;
	pid_t child;

	if (argc < 2 || device < 0) {
		fprintf(stderr, "watcher: %s\n", argc < 2 ? "no command" : strerror(-device));
		return 2;
	}
	child = fork();
	if (!child) {
		kt_leash();
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	while (!waitpid(child, &status, WNOHANG)) {
		if (!look_round(device, child)) {
			kt_end(child);
			return 120;
		}
		kt_sleep_ms(1);
	}
	fprintf(stderr, "watcher: %ld questions, %ld waiters, %ld epolls followed, %ld sleeps\n", asked, waiters, links,
		slept);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
