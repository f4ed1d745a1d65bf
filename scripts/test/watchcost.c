// SPDX-License-Identifier: GPL-2.0-only
/*
 * watchcost: the time of a wake of an eventfd, in nanoseconds with a fraction; in a guest whose clock counts
 * instructions, in instructions. A line for each number of sleepers that the wake passes and leaves asleep: the number,
 * the time without a watch and with one.
 */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ktwin.h"

#define WAKES	500
#define MOST	100

static int event;

/* Waits for what never comes: a wake looks at it and goes on. */
static void *sleeper(void *unused)
{
	struct pollfd poller = { .fd = event, .events = POLLPRI };

	for (;;)
		poll(&poller, 1, -1);
	return NULL;
}

static double wakes(void)
{
	struct timespec begin, end;
	uint64_t one = 1;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < WAKES; i++) {
		if (write(event, &one, sizeof(one)) != sizeof(one))
			exit(1);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / WAKES;
}

/* The least of some: whatever else the guest does only adds to it. */
static double least(void)
{
	double best = wakes(), now;
	int i;

	for (i = 0; i < 2; i++) {
		now = wakes();
		if (now < best)
			best = now;
	}
	return best;
}

static void measure(int device, int sleepers)
{
	struct ktwin_watch watch = { .size = sizeof(watch), .pid = getpid(), .fd = event };
	double off = least(), on;
	int fd = ioctl(device, KTWIN_IOC_WATCH, &watch);

	if (fd < 0)
		exit(1);
	on = least();
	close(fd);
	printf("%d %.0f %.0f\n", sleepers, off, on);
}

int main(void)
{
	int device = open("/dev/ktwin", O_RDWR | O_CLOEXEC), i;
	pthread_t thread;

	event = eventfd(0, 0);
	if (device < 0 || event < 0)
		return 1;
	measure(device, 0);
	for (i = 1; i <= MOST; i++) {
		if (pthread_create(&thread, NULL, sleeper, NULL))
			return 1;
		if (i == 1 || i == 10 || i == MOST) {
			usleep(300000);
			measure(device, i);
		}
	}
	return 0;
}
