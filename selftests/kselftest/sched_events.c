// SPDX-License-Identifier: GPL-2.0-only
/* The scheduler's events: all of them, in order, as the kernel's own counters have them; and what is lost is said. */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sched_events.h"

#define ROUNDS	200

/* How often, and for how long at most: under emulation each takes a grace period of tenths of a second. */
#define TOGGLES		40
#define TOGGLES_MS	20000

/* --- who is seen ------------------------------------------------------------------------------------------------- */

/* Two that wake each other, and wait before and after. */
struct player {
	struct kt_line line;
	int in, out;
	pid_t pid;
};

static void play(struct player *player, bool first)
{
	char byte = 0;
	int i;

	kt_say(&player->line, 1);
	kt_await(&player->line);
	for (i = 0; i < ROUNDS; i++) {
		if (first && write(player->out, &byte, 1) != 1)
			_exit(97);
		if (read(player->in, &byte, 1) != 1)
			_exit(97);
		if (!first && write(player->out, &byte, 1) != 1)
			_exit(97);
	}
	kt_say(&player->line, 1);
	kt_await(&player->line);
	_exit(0);
}

static int make_players(struct player players[2], int cpu)
{
	int there[2], back[2], i;

	if (pipe(there) || pipe(back))
		return -errno;
	for (i = 0; i < 2; i++) {
		players[i].in = i ? there[0] : back[0];
		players[i].out = i ? back[1] : there[1];
		if (kt_line_open(&players[i].line))
			return -errno;
		players[i].pid = fork();
		if (!players[i].pid) {
			kt_leash();
			kt_pin(cpu);
			play(&players[i], !i);
		}
		kt_hear(&players[i].line);
	}
	return 0;
}

/* How long it ran, how often it got a CPU, and (by the events alone) how often it was preempted in the kernel. */
struct ran {
	unsigned long long ns, times, preempted;
};

static struct ran ran(pid_t pid)
{
	struct ran ran = {};
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%llu %*u %llu", &ran.ns, &ran.times) != 2)
		ran.times = 0;
	if (file)
		fclose(file);
	return ran;
}

/* Until neither gets a CPU any more: whatever they still had to do is done. */
static void settle(struct player players[2])
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	unsigned long long before, now = 0;
	int i;

	do {
		before = now;
		for (i = 0; i < 2; i++)
			kt_wait_letter(players[i].pid, 'S');
		kt_sleep_ms(200);
		now = ran(players[0].pid).times + ran(players[1].pid).times;
	} while (now != before && kt_now_ms() < end);
}

static void let_play(struct player players[2])
{
	int i;

	for (i = 1; i >= 0; i--)
		kt_tell(&players[i].line, 1);
	for (i = 0; i < 2; i++)
		kt_hear(&players[i].line);
	settle(players);
}

static void end_players(struct player players[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		kt_tell(&players[i].line, 1);
		kt_ended(players[i].pid);
	}
}

/* The same by the events. */
static struct ran ran_by(const struct kt_tape *tape, pid_t pid)
{
	struct ran ran = {};
	__u64 since = 0;
	long i;

	for (i = 0; i < tape->count; i++) {
		const struct ktwin_sched_event *event = &tape->events[i];

		if (event->kind != KTWIN_SCHED_EV_SWITCH)
			continue;
		if (event->task.tid == pid) {
			since = event->time_ns;
			ran.times++;
		} else if (event->other.tid == pid && since) {
			ran.ns += event->time_ns - since;
			ran.preempted += !!(event->flags & KTWIN_SCHED_EV_PREEMPTED);
		}
	}
	return ran;
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

FIXTURE(events) {
	int device, fd, cpu;
	struct kt_tape tape;
	struct player players[2];
};

FIXTURE_SETUP(events)
{
	KT_OPEN_LIVE(self->device);
	self->cpu = kt_quiet_cpu();
	self->fd = kt_events_open(self->device, 65536);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(events)
{
	kt_tape_free(&self->tape);
	EXPECT_EQ(0, close(self->fd));
}

TEST_F(events, as_schedstat_has_it)
{
	struct ran before[2], after, ours, sum = {}, our_sum = {};
	long woken = 0, queued = 0;
	int i;

	ASSERT_EQ(0, make_players(self->players, self->cpu));
	settle(self->players);
	/* From an instant on at which neither ran. */
	do {
		kt_tape_free(&self->tape);
		for (i = 0; i < 2; i++)
			before[i] = ran(self->players[i].pid);
		ASSERT_EQ(0, kt_tape_read(self->fd, &self->tape));
	} while (before[0].times != ran(self->players[0].pid).times ||
		 before[1].times != ran(self->players[1].pid).times);
	kt_tape_free(&self->tape);
	let_play(self->players);
	ASSERT_EQ(0, kt_tape_read(self->fd, &self->tape));
	EXPECT_EQ(0, kt_tape_lost(&self->tape));
	for (i = 0; i < 2; i++) {
		pid_t pid = self->players[i].pid, partner = self->players[1 - i].pid;

		ours = ran_by(&self->tape, pid);
		after = ran(pid);
		/*
		 * Who was preempted on its way to sleep (its state is no longer TASK_RUNNING, and it is queued
		 * still) is not expected back by sched_info_depart(): schedstat misses that one run.
		 */
		EXPECT_LE(after.times - before[i].times, ours.times);
		EXPECT_GE(after.times - before[i].times + ours.preempted, ours.times);
		our_sum.preempted += ours.preempted;
		sum.times += after.times - before[i].times;
		sum.ns += after.ns - before[i].ns;
		our_sum.times += ours.times;
		our_sum.ns += ours.ns;
		woken += kt_tape_count(&self->tape, KTWIN_SCHED_EV_WAKING, pid, partner);
		queued += kt_tape_count(&self->tape, KTWIN_SCHED_EV_QUEUED, pid, 0);
	}
	TH_LOG("%llu runs (%llu preemptions), %llu ns; by schedstat %llu, %llu ns; woken by each other %ld times, queued %ld",
	       our_sum.times, our_sum.preempted, our_sum.ns, sum.times, sum.ns, woken, queued);
	/* To whom the switch itself is charged is another matter; and time of interrupts is in the one alone. */
	EXPECT_LT(sum.ns * 8 / 10, our_sum.ns);
	EXPECT_GT(sum.ns * 13 / 10, our_sum.ns);
	/* One finds its byte there already, when the other was woken and runs at once. */
	EXPECT_LE(ROUNDS * 9 / 10, woken);
	EXPECT_LE(woken, queued);
	end_players(self->players);
}

/* On each CPU who leaves is who came, time does not go back, and nobody else's numbers are in it. */
TEST_F(events, one_after_the_other)
{
	static __u64 last[KT_CPUS_MAX];
	static struct ktwin_sched_who runs[KT_CPUS_MAX];
	static bool known[KT_CPUS_MAX];
	long i, switches = 0;

	ASSERT_EQ(0, make_players(self->players, self->cpu));
	let_play(self->players);
	end_players(self->players);
	ASSERT_EQ(0, kt_tape_read(self->fd, &self->tape));
	EXPECT_EQ(0, kt_tape_lost(&self->tape));
	for (i = 0; i < self->tape.count; i++) {
		const struct ktwin_sched_event *event = &self->tape.events[i];

		ASSERT_GT(KT_CPUS_MAX, event->cpu);
		EXPECT_LE(last[event->cpu], event->time_ns);
		last[event->cpu] = event->time_ns;
		EXPECT_EQ(0, event->zero);
		EXPECT_EQ(0, event->task.comm[15]);
		if (event->kind != KTWIN_SCHED_EV_SWITCH)
			continue;
		switches++;
		EXPECT_EQ(event->cpu, event->queue_cpu);
		/* exec() from another thread changes a number; nobody does that here. */
		if (known[event->cpu]) {
			EXPECT_EQ(runs[event->cpu].tid, event->other.tid);
			EXPECT_EQ(runs[event->cpu].flags, event->other.flags);
		}
		runs[event->cpu] = event->task;
		known[event->cpu] = true;
		EXPECT_EQ(!event->task.tid, !!(event->task.flags & KTWIN_WHO_IDLE));
		if (event->depth != KTWIN_DEPTH_UNKNOWN && !(event->task.flags & KTWIN_WHO_IDLE)) {
			EXPECT_LE(1, event->depth);
		}
	}
	EXPECT_LT(2 * ROUNDS, switches);
}

TEST_F(events, fork_and_exit)
{
	bool ended = false;
	pid_t child = fork();
	long i;

	if (!child)
		_exit(0);
	ASSERT_EQ(0, kt_ended(child));
	kt_sleep_ms(100);
	ASSERT_EQ(0, kt_tape_read(self->fd, &self->tape));
	EXPECT_EQ(1, kt_tape_count(&self->tape, KTWIN_SCHED_EV_FORK, child, getpid()));
	for (i = 0; i < self->tape.count; i++) {
		const struct ktwin_sched_event *event = &self->tape.events[i];

		ended |= event->kind == KTWIN_SCHED_EV_SWITCH && event->other.tid == child && event->state == 'X';
	}
	EXPECT_TRUE(ended);
}

/* As many as are queued; and one that is sent elsewhere says from where to where. */
TEST_F(events, depth_and_migration)
{
	long i, moves = 0, others = 0;
	__u32 deepest = 0;
	pid_t spinners[3];
	cpu_set_t set;

	if (self->cpu == 0)
		SKIP(return, "one CPU only");
	for (i = 0; i < 3; i++)
		spinners[i] = kt_run_on(self->cpu, kt_spin);
	kt_sleep_ms(1000);
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	ASSERT_EQ(0, sched_setaffinity(spinners[0], sizeof(set), &set));
	for (i = 0; i < 3; i++)
		kt_end(spinners[i]);
	ASSERT_EQ(0, kt_tape_read(self->fd, &self->tape));
	for (i = 0; i < self->tape.count; i++) {
		const struct ktwin_sched_event *event = &self->tape.events[i];

		if (event->depth == KTWIN_DEPTH_UNKNOWN)
			others++;
		else if (event->queue_cpu == (__u32)self->cpu && event->depth > deepest)
			deepest = event->depth;
		if (event->kind == KTWIN_SCHED_EV_MIGRATE && event->task.tid == spinners[0] && event->to_cpu == 0)
			moves += event->queue_cpu == (__u32)self->cpu;
	}
	TH_LOG("at most %u queued", deepest);
	EXPECT_LE(1, moves);
	/* Only wake-ups do not know it, where it can be known at all. */
	if (others == kt_tape_count(&self->tape, KTWIN_SCHED_EV_WAKING, 0, 0)) {
		EXPECT_LE(3, deepest);
	} else {
		EXPECT_EQ(others, self->tape.count);
	}
}

/* A small ring and nobody who reads: it is said how many are missing, and where. */
TEST_F(events, lost)
{
	int fd = kt_events_open(self->device, 64);
	struct ktwin_switch_cpu *cpus;
	__u64 lost, told = 0;
	long count, i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, make_players(self->players, self->cpu));
	let_play(self->players);
	count = kt_read_by(fd, KTWIN_IOC_SWITCHES_CPUS, 0, sizeof(*cpus), 64, (void **)&cpus);
	ASSERT_LT(self->cpu, count);
	lost = cpus[self->cpu].events_lost;
	EXPECT_LE(64, cpus[self->cpu].events);
	EXPECT_LT(ROUNDS, lost);
	free(cpus);
	/* Then there is room, and the next event tells. */
	ASSERT_EQ(0, kt_tape_read(fd, &self->tape));
	end_players(self->players);
	kt_sleep_ms(100);
	ASSERT_EQ(0, kt_tape_read(fd, &self->tape));
	count = kt_read_by(fd, KTWIN_IOC_SWITCHES_CPUS, 0, sizeof(*cpus), 64, (void **)&cpus);
	ASSERT_LT(self->cpu, count);
	for (i = 0; i < self->tape.count; i++)
		told += self->tape.events[i].cpu == (__u32)self->cpu ? self->tape.events[i].lost : 0;
	TH_LOG("%llu lost, %llu of them told in place", cpus[self->cpu].events_lost, told);
	EXPECT_LE(lost, told);
	EXPECT_GE(cpus[self->cpu].events_lost, told);
	free(cpus);
	EXPECT_EQ(0, close(fd));
}

/* In a namespace of its own one is 1, and all others are nobody. */
TEST_F(events, from_inside)
{
	pid_t child = kt_clone(CLONE_NEWPID);
	long i, own = 0, others = 0;
	int status, fd;

	if (child) {
		ASSERT_LT(0, child);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
		return;
	}
	fd = kt_events_open(self->device, 0);
	EXPECT_LE(0, fd);
	for (i = 0; i < 20; i++)
		kt_sleep_ms(2);
	EXPECT_EQ(0, kt_tape_read(fd, &self->tape));
	for (i = 0; i < self->tape.count; i++) {
		const struct ktwin_sched_who *who = &self->tape.events[i].task;

		if (who->tid) {
			EXPECT_EQ(1, who->tid);
			EXPECT_EQ(1, who->tgid);
			EXPECT_STREQ("sched_events", who->comm);
			own++;
		} else if (!(who->flags & KTWIN_WHO_IDLE)) {
			EXPECT_EQ(KTWIN_WHO_HIDDEN, who->flags & KTWIN_WHO_HIDDEN);
			EXPECT_EQ(0, who->tgid);
			EXPECT_EQ(0, who->comm[0]);
			others++;
		}
	}
	EXPECT_LE(20, own);
	EXPECT_LT(0, others);
	_exit(_metadata->exit_code);
}

static int drop_ptrace(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_SYS_PTRACE);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static void sleep_as_nobody(void)
{
	if (setresuid(65534, 65534, 65534))
		_exit(96);
	for (;;)
		kt_sleep_ms(5);
}

/* Whose names one may not know one is not told: numbers only. */
TEST_F(events, names_by_rights)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	long i, named = 0, hidden = 0;
	pid_t stranger;
	int fd;

	ASSERT_EQ(0, drop_ptrace());
	fd = kt_events_open(self->device, 0);
	ASSERT_LE(0, fd);
	stranger = kt_run_on(self->cpu, sleep_as_nobody);
	do {
		kt_sleep_ms(300);
		ASSERT_EQ(0, kt_tape_read(fd, &self->tape));
	} while (kt_tape_count(&self->tape, KTWIN_SCHED_EV_SWITCH, stranger, 0) < 10 && kt_now_ms() < end);
	kt_end(stranger);
	for (i = 0; i < self->tape.count; i++) {
		const struct ktwin_sched_who *who = &self->tape.events[i].task;

		named += who->tid == getpid() && !strcmp(who->comm, "sched_events");
		if (who->tid == stranger && (who->flags & KTWIN_WHO_HIDDEN)) {
			EXPECT_EQ(0, who->comm[0]);
			hidden++;
		}
	}
	EXPECT_LT(0, named);
	EXPECT_LT(5, hidden);
	EXPECT_EQ(0, close(fd));
}

TEST_F(events, refused)
{
	struct ktwin_switches switches = { .size = sizeof(switches), .capacity = 64 };
	struct ktwin_sched_event event;
	struct ktwin_read read = {
		.size = sizeof(read), .buffer = (uintptr_t)&event, .record_size = sizeof(event), .room = 1,
	};
	int plain = kt_switches(self->device, 0);

	EXPECT_EQ(-EINVAL, kt_call(self->device, KTWIN_IOC_SWITCHES, &switches));
	EXPECT_EQ(-EINVAL, kt_events_open(self->device, 63));
	EXPECT_EQ(-EINVAL, kt_events_open(self->device, 32));
	EXPECT_EQ(-EINVAL, kt_events_open(self->device, 2097152));
	ASSERT_LE(0, plain);
	EXPECT_EQ(-ENODATA, kt_call(plain, KTWIN_IOC_SWITCHES_EVENTS, &read));
	EXPECT_EQ(0, close(plain));
	EXPECT_EQ(0, kt_call(self->fd, KTWIN_IOC_SWITCHES_EVENTS, &read));
	read.ns = 1;
	EXPECT_EQ(-EINVAL, kt_call(self->fd, KTWIN_IOC_SWITCHES_EVENTS, &read));
	read.ns = 0;
	read.buffer = 8;
	EXPECT_EQ(-EFAULT, kt_call(self->fd, KTWIN_IOC_SWITCHES_EVENTS, &read));
	EXPECT_EQ(-ENOTTY, kt_call(self->device, KTWIN_IOC_SWITCHES_EVENTS, &read));
}

/* Hooks come and go, and fds are closed full or while somebody else reads, in the middle of it all. */
TEST_F(events, come_and_go)
{
	uint64_t end = kt_now_ms() + TOGGLES_MS;
	int i, fd;

	ASSERT_EQ(0, make_players(self->players, self->cpu));
	for (i = 1; i >= 0; i--)
		kt_tell(&self->players[i].line, 1);
	for (i = 0; i < TOGGLES && kt_now_ms() < end; i++) {
		fd = kt_events_open(self->device, i % 2 ? 64 : 0);
		ASSERT_LE(0, fd);
		if (i % 3 == 0) {
			ASSERT_EQ(0, kt_tape_read(fd, &self->tape));
			kt_tape_free(&self->tape);
		}
		ASSERT_EQ(0, close(fd));
	}
	TH_LOG("%d times", i);
	for (i = 0; i < 2; i++)
		kt_hear(&self->players[i].line);
	end_players(self->players);
}

TEST_HARNESS_MAIN
