/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that are inspected while they sleep: each is one act, and ends with its maker. */
#ifndef KTWIN_ACTORS_H
#define KTWIN_ACTORS_H

#include <sys/epoll.h>

#include "waiters.h"

/* A process that does this and then ends with 0. */
static inline pid_t kt_act(void (*act)(int fd), int fd)
{
	pid_t maker = getpid(), pid = fork();

	if (pid == 0) {
		kt_leash();
		/* A maker that ended before that pulls no leash. */
		if (getppid() != maker)
			_exit(96);
		act(fd);
		_exit(0);
	}
	return pid;
}

static inline void act_epoll(int fd)
{
	struct epoll_event event;

	epoll_wait(fd, &event, 1, -1);
}

static inline void act_poll(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	poll(&poller, 1, -1);
}

static inline void act_read(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(97);
}

static inline void act_pause(int fd)
{
	pause();
}

static inline void act_end(int fd)
{
}

#endif
