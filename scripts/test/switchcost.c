// SPDX-License-Identifier: GPL-2.0-only
/*
 * switchcost: the time of a switch in a ping-pong of two processes through pipes on one CPU, in nanoseconds with a
 * fraction; in a guest whose clock counts instructions, in instructions. A line for each that is counted: its name, the time
 * without and with it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ktwin.h"

#define ROUNDS	1000

static int there[2], back[2];

static void echo(void)
{
	char byte;

	while (read(there[0], &byte, 1) == 1) {
		if (write(back[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

/* Of one switch: a round has two. */
static double rounds(void)
{
	struct timespec begin, end;
	char byte = 0;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < ROUNDS; i++) {
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			exit(1);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / (2 * ROUNDS);
}

/* The least of some: whatever else the guest does only adds to it. */
static double least(void)
{
	double best = rounds(), now;
	int i;

	for (i = 0; i < 4; i++) {
		now = rounds();
		if (now < best)
			best = now;
	}
	return best;
}

static void measure(int device, const char *name, __u32 flags)
{
	struct ktwin_switches switches = { .size = sizeof(switches), .flags = flags };
	double off = least(), on;
	int fd = ioctl(device, KTWIN_IOC_SWITCHES, &switches);

	if (fd < 0)
		exit(1);
	usleep(300000);
	on = least();
	close(fd);
	printf("%s %.1f %.1f\n", name, off, on);
}

int main(void)
{
	int device = open("/dev/ktwin", O_RDWR | O_CLOEXEC);
	cpu_set_t set;
	pid_t other;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (device < 0 || sched_setaffinity(0, sizeof(set), &set) || pipe(there) || pipe(back))
		return 1;
	other = fork();
	if (other == 0)
		echo();
	least();
	measure(device, "counts", 0);
	measure(device, "+tasks", KTWIN_SWITCHES_TASKS);
	measure(device, "+waits", KTWIN_SWITCHES_WAITS);
	measure(device, "+twin", KTWIN_SWITCHES_TWIN);
	measure(device, "all", KTWIN_SWITCHES_TASKS | KTWIN_SWITCHES_WAITS | KTWIN_SWITCHES_TWIN);
	kill(other, SIGKILL);
	return 0;
}
