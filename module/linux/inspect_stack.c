// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a task sleeps: the first function on its kernel stack that is not the scheduler's.
 *
 * The stack of another task may go while it is looked at. The task is referenced, but its stack is not (the function
 * that would let go of such a reference is not exported). It is freed after an RCU grace period (thread_stack_free_rcu),
 * or kept for another task, still mapped; task->stack is cleared before that. So inside RCU, with task->stack found set,
 * the memory can be read, and the unwinder checks that it stays within what task->stack says. What was read counts
 * only if the task slept throughout: off the CPU before and after, and not switched in between.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include <asm/unwind.h>

#include "inspect_wait.h"

#define FRAMES_MAX	24
#define TRIES		3

/* Names begin so. */
static const char * const scheduler[] = {
	"__switch_to", "__schedule", "schedule", "preempt_schedule", "io_schedule", "rt_mutex_schedule",
	"wait_woken", "do_wait_intr", "bit_wait", "__wait_on_bit", "out_of_line_wait_on_bit", "wait_for_completion",
	"__wait_for_common",
};

static const struct {
	const char *name;
	u32 kind;
} known[] = {
	{ "futex_", KTWIN_SLEEP_FUTEX }, { "__futex_", KTWIN_SLEEP_FUTEX }, { "do_futex", KTWIN_SLEEP_FUTEX },
	{ "do_nanosleep", KTWIN_SLEEP_TIME }, { "hrtimer_nanosleep", KTWIN_SLEEP_TIME },
	{ "do_wait", KTWIN_SLEEP_CHILD }, { "kernel_wait", KTWIN_SLEEP_CHILD },
};

static u32 unwind(struct task_struct *task, unsigned long *frames)
{
	struct unwind_state state;
	u32 count = 0;

	rcu_read_lock();
	if (READ_ONCE(task->stack) && !READ_ONCE(task->exit_state)) {
		for (unwind_start(&state, task, NULL, NULL); !unwind_done(&state) && count < FRAMES_MAX;
		     unwind_next_frame(&state)) {
			unsigned long address = unwind_get_return_address(&state);

			if (!address)
				break;
			frames[count++] = address;
		}
	}
	rcu_read_unlock();
	return count;
}

/* The frames of one sleep; false: it did not last. */
static bool sleeping_frames(struct task_struct *task, unsigned long *frames, u32 *count)
{
	int try;

	for (try = 0; try < TRIES; try++) {
		unsigned long switches = ktwin_switches(task);

		/* The switches were those before the sleep that is seen next. */
		smp_rmb();
		if (!ktwin_is_asleep(task))
			return false;
		*count = unwind(task, frames);
		/* The stack is read before the task is looked at again. */
		smp_rmb();
		if (ktwin_is_asleep(task) && ktwin_switches(task) == switches)
			return true;
	}
	return false;
}

/* The function's name alone; false for an address without one, which is not for the eyes of users. */
static bool name_of(unsigned long address, char *name, size_t size)
{
	snprintf(name, size, "%pB", (void *)address);
	name[strcspn(name, "+. ")] = '\0';
	return name[0] && !strstarts(name, "0x");
}

static bool is_scheduler(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scheduler); i++) {
		if (strstarts(name, scheduler[i]))
			return true;
	}
	return false;
}

static u32 kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (strstarts(name, known[i].name))
			return known[i].kind;
	}
	return KTWIN_SLEEP_OTHER;
}

bool ktwin_place_of(struct task_struct *task, struct ktwin_place *place)
{
	unsigned long frames[FRAMES_MAX];
	char name[sizeof(place->where)];
	u32 count, i;

	memset(place, 0, sizeof(*place));
	place->kind = KTWIN_SLEEP_OTHER;
	if (!sleeping_frames(task, frames, &count))
		return false;
	for (i = 0; i < count; i++) {
		if (!name_of(frames[i], name, sizeof(name)) || is_scheduler(name))
			continue;
		if (!place->where[0])
			strscpy(place->where, name, sizeof(place->where));
		if (place->kind == KTWIN_SLEEP_OTHER)
			place->kind = kind_of(name);
	}
	return true;
}
