/* SPDX-License-Identifier: GPL-2.0-only */
/* What the scheduler did, event by event, as a test reads it. Results as in device.h: 0 or more, or -errno. */
#ifndef KTWIN_TEST_SCHED_EVENTS_H
#define KTWIN_TEST_SCHED_EVENTS_H

#include "switches.h"

struct kt_tape {
	struct ktwin_sched_event *events;
	long count;
};

static inline int kt_events_open(int device, __u32 capacity)
{
	struct ktwin_switches switches = {
		.size = sizeof(switches), .flags = KTWIN_SWITCHES_EVENTS, .capacity = capacity,
	};

	return kt_call(device, KTWIN_IOC_SWITCHES, &switches);
}

/* What is there by now, behind what was read before. */
static inline int kt_tape_read(int fd, struct kt_tape *tape)
{
	struct ktwin_sched_event *more;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_EVENTS, 0, sizeof(*more), 512, (void **)&more);

	if (count > 0) {
		tape->events = realloc(tape->events, (tape->count + count) * sizeof(*more));
		memcpy(tape->events + tape->count, more, count * sizeof(*more));
		tape->count += count;
	}
	free(more);
	return count < 0 ? (int)count : 0;
}

static inline void kt_tape_free(struct kt_tape *tape)
{
	free(tape->events);
	*tape = (struct kt_tape) {};
}

/* How many of that kind are about task (0: anyone) and other (0: anyone). */
static inline long kt_tape_count(const struct kt_tape *tape, __u32 kind, pid_t task, pid_t other)
{
	long i, count = 0;

	for (i = 0; i < tape->count; i++) {
		const struct ktwin_sched_event *event = &tape->events[i];

		count += event->kind == kind && (!task || event->task.tid == task) &&
			 (!other || event->other.tid == other);
	}
	return count;
}

static inline __u64 kt_tape_lost(const struct kt_tape *tape)
{
	__u64 lost = 0;
	long i;

	for (i = 0; i < tape->count; i++)
		lost += tape->events[i].lost;
	return lost;
}

#endif
