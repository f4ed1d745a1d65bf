/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream and its mapping.
 */
#ifndef KTWIN_TEST_RING_H
#define KTWIN_TEST_RING_H

#include <poll.h>
#include <sys/mman.h>

#include "world.h"

struct kt_stream {
	int fd;
	const struct ktwin_ring *ring;
	const struct ktwin_event *events;
	__u64 tail;
};

static inline int kt_stream_fd(int fd, __u32 capacity)
{
	struct ktwin_stream stream = { .size = sizeof(stream), .capacity = capacity };

	return kt_call(fd, KTWIN_IOC_STREAM, &stream);
}

/* The first page says how long the whole is. */
static inline int kt_stream_open(int fd, __u32 capacity, struct kt_stream *stream)
{
	void *first, *all;

	memset(stream, 0, sizeof(*stream));
	stream->fd = kt_stream_fd(fd, capacity);
	if (stream->fd < 0)
		return stream->fd;
	first = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, stream->fd, 0);
	if (first == MAP_FAILED)
		return -errno;
	stream->ring = first;
	all = mmap(NULL, stream->ring->bytes, PROT_READ, MAP_SHARED, stream->fd, 0);
	munmap(first, sysconf(_SC_PAGESIZE));
	if (all == MAP_FAILED)
		return -errno;
	stream->ring = all;
	stream->events = (const void *)((const char *)all + stream->ring->offset);
	return 0;
}

static inline void kt_stream_close(struct kt_stream *stream)
{
	munmap((void *)stream->ring, stream->ring->bytes);
	close(stream->fd);
}

static inline __u64 kt_stream_head(const struct kt_stream *stream)
{
	return __atomic_load_n(&stream->ring->head, __ATOMIC_ACQUIRE);
}

static inline int kt_stream_ack(struct kt_stream *stream, __u64 tail)
{
	struct ktwin_stream_ack ack = { .size = sizeof(ack), .tail = tail };
	int error = kt_call(stream->fd, KTWIN_IOC_STREAM_ACK, &ack);

	if (!error)
		stream->tail = tail;
	return error;
}

/* The next event not yet acknowledged, or NULL; it is acknowledged by the call after. */
static inline const struct ktwin_event *kt_stream_next(struct kt_stream *stream)
{
	if (stream->tail == kt_stream_head(stream))
		return NULL;
	return &stream->events[stream->tail++ % stream->ring->capacity];
}

/* Waits for an event of this type, passing over others. False: none came. */
static inline bool kt_stream_wait(struct kt_stream *stream, __u32 type, struct ktwin_event *found)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	struct pollfd poller = { .fd = stream->fd, .events = POLLIN };
	const struct ktwin_event *event;

	while (kt_now_ms() < end) {
		for (event = kt_stream_next(stream); event; event = kt_stream_next(stream)) {
			if (event->type == type) {
				*found = *event;
				kt_stream_ack(stream, stream->tail);
				return true;
			}
		}
		kt_stream_ack(stream, stream->tail);
		poll(&poller, 1, 100);
	}
	return false;
}

#endif
