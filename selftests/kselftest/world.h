/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes in every shape a pid can have, and what /proc says of them.
 *
 * A process made here says its pid as the initial namespace has it (its /proc was mounted there, so the link
 * /proc/self reads so even from a child namespace), does what it was made for, and ends when it is told to or when
 * its maker ends.
 */
#ifndef KTWIN_TEST_WORLD_H
#define KTWIN_TEST_WORLD_H

#include <dirent.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "device.h"

/* clone3, for what fork() cannot say. Returns as fork does, with -errno. */
static inline pid_t kt_clone3(struct clone_args *arguments)
{
	long pid = syscall(SYS_clone3, arguments, sizeof(*arguments));

	return pid < 0 ? -errno : pid;
}

static inline pid_t kt_clone(__u64 flags)
{
	struct clone_args arguments = { .flags = flags, .exit_signal = SIGCHLD };

	return kt_clone3(&arguments);
}

/* The number the initial namespace has for the caller. */
static inline pid_t kt_root_pid(void)
{
	char link[32] = "";

	return readlink("/proc/self", link, sizeof(link) - 1) > 0 ? atoi(link) : -1;
}

static inline pid_t kt_root_tid(void)
{
	char link[64] = "";

	if (readlink("/proc/thread-self", link, sizeof(link) - 1) <= 0)
		return -1;
	return atoi(strrchr(link, '/') + 1);
}

/* Inode of /proc/PID/ns/NAME; 0 when there is none. */
static inline __u32 kt_ns_inode(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* The numbers in a line of /proc/TID/status such as "NSpid:", outermost first. Returns how many. */
static inline int kt_proc_numbers(pid_t tid, const char *field, int *numbers)
{
	char path[64], line[1024], *at;
	int count = 0, used;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, strlen(field)))
			continue;
		for (at = line + strlen(field); count < KTWIN_LEVELS; at += used) {
			if (sscanf(at, "%d%n", &numbers[count], &used) != 1)
				break;
			count++;
		}
	}
	fclose(file);
	return count;
}

/* One number in a file such as ns_last_pid. */
static inline long kt_file_number(const char *path)
{
	long number = -1;
	FILE *file = fopen(path, "r");

	if (file) {
		if (fscanf(file, "%ld", &number) != 1)
			number = -1;
		fclose(file);
	}
	return number;
}

/* What a made process and its maker say to each other. Both ends are inherited by everything made below. */
struct kt_line {
	int says[2];	/* made -> maker */
	int told[2];	/* maker -> made */
};

static inline int kt_line_open(struct kt_line *line)
{
	return pipe(line->says) || pipe(line->told) ? -errno : 0;
}

static inline void kt_say(struct kt_line *line, int value)
{
	if (write(line->says[1], &value, sizeof(value)) != sizeof(value))
		_exit(99);
}

static inline int kt_hear(struct kt_line *line)
{
	int value;

	return read(line->says[0], &value, sizeof(value)) == sizeof(value) ? value : -1;
}

/* In the made process: until the maker tells one of those who wait. */
static inline int kt_await(struct kt_line *line)
{
	int value;

	return read(line->told[0], &value, sizeof(value)) == sizeof(value) ? value : -1;
}

static inline void kt_tell(struct kt_line *line, int value)
{
	if (write(line->told[1], &value, sizeof(value)) != sizeof(value))
		abort();
}

/* In a made process: end when the maker ends, whatever became of the test. */
static inline void kt_leash(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* A child that says its root pid and waits to be told (or killed). flags as clone3's. Returns the child's pid. */
static inline pid_t kt_make_waiting(struct kt_line *line, __u64 flags)
{
	pid_t child = kt_clone(flags);

	if (child == 0) {
		kt_leash();
		kt_say(line, kt_root_pid());
		_exit(kt_await(line) & 0x7f);
	}
	return child;
}

/* Kills and reaps; returns the wait status. */
static inline int kt_end(pid_t child)
{
	int status = -1;

	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return status;
}

/* Until /proc/PID says this state letter: Z, S, T. */
static inline bool kt_wait_letter(pid_t pid, char letter)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	char path[64], line[512], *at;
	FILE *file;
	bool there;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		file = fopen(path, "r");
		if (!file)
			return false;
		there = fgets(line, sizeof(line), file) && (at = strrchr(line, ')')) && at[2] == letter;
		fclose(file);
		if (there)
			return true;
		kt_sleep_ms(5);
	} while (kt_now_ms() < end);
	return false;
}

#define KT_NOBODY	65534

/* Dumpable again, or not even its own children may look at its /proc. */
static inline int kt_become_nobody(void)
{
	return setgid(KT_NOBODY) || setuid(KT_NOBODY) || prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

/* Every number the twin has for this task, by each way of asking, is the one /proc shows. */
static inline void kt_expect_numbers(struct __test_metadata *_metadata, int fd, pid_t task)
{
	int numbers[KTWIN_LEVELS], levels = kt_proc_numbers(task, "NSpid:", numbers), i;
	__u32 deepest = kt_ns_inode(task, "pid");
	struct kt_explained root, deep;
	struct ktwin_pid *pids;
	long count = kt_pids(fd, 0, &pids), at, found = -1;

	ASSERT_LT(0, levels);
	ASSERT_LT(0, count);
	for (at = 0; at < count; at++) {
		if (pids[at].upids[0].nr == task)
			found = at;
	}
	ASSERT_LE(0, found) {
		TH_LOG("the twin has no %d", task);
	}
	ASSERT_EQ(0, kt_explain(fd, 0, task, &root));
	EXPECT_EQ(0, kt_explain(fd, deepest, numbers[levels - 1], &deep));
	EXPECT_EQ(KT_EXPLAIN_AGREES, root.head.flags);
	EXPECT_EQ(levels, (int)root.pid.depth);
	EXPECT_EQ(deepest, root.pid.upids[levels - 1].ns);
	for (i = 0; i < levels; i++) {
		EXPECT_EQ(numbers[i], root.pid.upids[i].nr);
	}
	EXPECT_EQ(0, memcmp(&pids[found], &root.pid, sizeof(root.pid)));
	EXPECT_EQ(0, memcmp(&deep.pid, &root.pid, sizeof(root.pid)));
	free(pids);
}

/* Of how many processes and kernel threads the name is one of these. */
static inline int kt_processes_named(const char *const names[], size_t known)
{
	struct dirent *entry;
	char path[280], comm[32];
	DIR *proc = opendir("/proc");
	int count = 0;

	while (proc && (entry = readdir(proc))) {
		size_t i;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file)) {
			comm[strcspn(comm, "\n")] = 0;
			for (i = 0; i < known; i++)
				count += !strcmp(comm, names[i]);
		}
		fclose(file);
	}
	closedir(proc);
	return count;
}

/* The same once there are none, or patience is at its end: one that was waited for to end is seen for a moment longer. */
static inline int kt_processes_left(const char *const names[], size_t known)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	int left;

	for (left = kt_processes_named(names, known); left && kt_now_ms() < end; left = kt_processes_named(names, known))
		kt_sleep_ms(5);
	return left;
}

#endif
