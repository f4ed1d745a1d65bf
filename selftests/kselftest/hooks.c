// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks of the scheduler's tracepoints come and go under load without a trace.
 *
 * In a machine of its own (scripts/test/guest): of some ten thousand patches of the kernel's text an emulator that runs
 * each CPU in a thread of its own leaves one CPU with what was there before.
 */
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "switches.h"

/*
 * How often, and for how long at most: each takes some grace periods, and under emulation these are long. Fewer than the
 * least is a failure.
 */
#define TOGGLES		1000
#define TOGGLES_MS	240000
#define TOGGLES_LEAST	50

/* Two that wake each other all the time. A wake-up that is lost leaves both asleep. */
struct rally {
	int there[2], back[2];
	atomic_ulong *rounds;
	pid_t players[2];
};

#define LOST	42

static void rally_on(int in, int out, atomic_ulong *rounds)
{
	struct pollfd wait = { .fd = in, .events = POLLIN };
	char byte = 0;

	for (;;) {
		/* Woken here, or not at all: nobody else writes. */
		if (poll(&wait, 1, KT_PATIENCE_MS) != 1)
			_exit(LOST);
		if (read(in, &byte, 1) != 1 || write(out, &byte, 1) != 1)
			_exit(97);
		if (rounds)
			atomic_fetch_add_explicit(rounds, 1, memory_order_relaxed);
	}
}

static bool rally_begin(struct rally *rally, int cpu, int other_cpu)
{
	int i;

	rally->rounds = mmap(NULL, sizeof(*rally->rounds), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if ((void *)rally->rounds == MAP_FAILED || pipe(rally->there) || pipe(rally->back))
		return false;
	for (i = 0; i < 2; i++) {
		rally->players[i] = fork();
		if (rally->players[i] == 0) {
			kt_leash();
			kt_pin(i ? other_cpu : cpu);
			rally_on(i ? rally->there[0] : rally->back[0], i ? rally->back[1] : rally->there[1],
				 i ? NULL : rally->rounds);
		}
	}
	return write(rally->there[1], "", 1) == 1;
}

/* Whether both still play. */
static bool rally_end(struct rally *rally)
{
	unsigned long before = atomic_load(rally->rounds);
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;
	bool goes_on;
	int i;

	while (atomic_load(rally->rounds) == before && kt_now_ms() < end)
		kt_sleep_ms(10);
	goes_on = atomic_load(rally->rounds) != before;
	for (i = 0; i < 2; i++)
		kt_end(rally->players[i]);
	return goes_on;
}

FIXTURE(hooks) {
	int device;
	char expedited;
};

/* Short grace periods, or most of the time is spent in waiting for them. */
FIXTURE_SETUP(hooks)
{
	KT_OPEN_LIVE(self->device);
	self->expedited = kt_swap_flag("/sys/kernel/rcu_expedited", '1');
}

FIXTURE_TEARDOWN(hooks)
{
	kt_swap_flag("/sys/kernel/rcu_expedited", self->expedited);
	close(self->device);
}

/* Hooks come and go under load, and nobody who is woken meanwhile stays asleep. */
TEST_F_TIMEOUT(hooks, toggled, TOGGLES_MS / 1000 + 120)
{
	uint64_t begin = kt_now_ms();
	struct ktwin_switch_cpu sum;
	struct rally rallies[2];
	unsigned long rounds;
	pid_t storms[4];
	int i, done;

	for (i = 0; i < 4; i++)
		storms[i] = kt_run_on(i % 2 ? kt_quiet_cpu() : 0, i < 2 ? kt_fork_often : kt_nap_often);
	ASSERT_TRUE(rally_begin(&rallies[0], kt_quiet_cpu(), kt_quiet_cpu()));
	ASSERT_TRUE(rally_begin(&rallies[1], 0, kt_quiet_cpu()));
	/* Its share of what they all want would make it wait, most of the time. */
	ASSERT_EQ(0, setpriority(PRIO_PROCESS, 0, -15));
	for (done = 0; done < TOGGLES && kt_now_ms() < begin + TOGGLES_MS; done++) {
		int fd = kt_switches(self->device, done % 8);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, kt_switch_counts(fd, -1, &sum));
		ASSERT_EQ(0, close(fd));
	}
	rounds = atomic_load(rallies[0].rounds) + atomic_load(rallies[1].rounds);
	TH_LOG("on and off %d times in %llu ms, %lu rounds of wake-ups meanwhile", done,
	       (unsigned long long)(kt_now_ms() - begin), rounds);
	EXPECT_LE(TOGGLES_LEAST, done);
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(rally_end(&rallies[i]));
	for (i = 0; i < 4; i++)
		kt_end(storms[i]);
	kt_expect_audit_clean(_metadata, self->device);
}

TEST_HARNESS_MAIN
