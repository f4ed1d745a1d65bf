// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses of functions that the kernel does not export, for comparison only: nothing here is ever called.
 *
 * What kind of sleeper a wait queue's entry is shows in its wake function, and what kind of object a file is in its
 * poll operation. Both are found by a kprobe that is registered disabled and taken away again: the kernel looks the
 * symbol up and patches nothing. (Learning them from objects of our own would do for pollwake, not for epoll, whose
 * files no module can make. Naming each function met by sprint_symbol() would mean a symbol lookup under the lock of
 * somebody's queue, or a second pass.) A function that is not found is equal to none, so whatever needs it stays
 * unknown.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "inspect_wait.h"

static const char * const names[KTWIN_FN_COUNT] = {
	[KTWIN_FN_POLLWAKE] = "pollwake",
	[KTWIN_FN_EP_POLL_CALLBACK] = "ep_poll_callback",
	[KTWIN_FN_EP_AUTOREMOVE] = "ep_autoremove_wake_function",
	[KTWIN_FN_CHILD_WAIT] = "child_wait_callback",
	[KTWIN_FN_RECEIVER_WAKE] = "receiver_wake_function",
	[KTWIN_FN_UNIX_PEER_RELAY] = "unix_dgram_peer_wake_relay",
	[KTWIN_FN_IO_POLL_WAKE] = "io_poll_wake",
	[KTWIN_FN_AIO_POLL_WAKE] = "aio_poll_wake",
	[KTWIN_FN_PIPE_POLL] = "pipe_poll",
	[KTWIN_FN_EVENTFD_POLL] = "eventfd_poll",
	[KTWIN_FN_TIMERFD_POLL] = "timerfd_poll",
	[KTWIN_FN_SIGNALFD_POLL] = "signalfd_poll",
	[KTWIN_FN_INOTIFY_POLL] = "inotify_poll",
	[KTWIN_FN_FANOTIFY_POLL] = "fanotify_poll",
	[KTWIN_FN_PIDFD_POLL] = "pidfd_poll",
	[KTWIN_FN_EPOLL_POLL] = "ep_eventpoll_poll",
	[KTWIN_FN_TTY_POLL] = "tty_poll",
};

/* Written once under learning, before learned is set. */
static unsigned long addresses[KTWIN_FN_COUNT];
static bool learned;
static DEFINE_MUTEX(learning);

/*
 * Where the function that a probe landed in begins: where the probe is, or in front of it, when the function starts
 * with an ENDBR that the probe skipped. 0 when the symbol there has another name.
 */
static unsigned long function_start(const struct kprobe *probe)
{
	unsigned long address = (unsigned long)probe->addr;
	char found[KSYM_SYMBOL_LEN], wanted[KSYM_NAME_LEN];
	int skipped;

	snprintf(wanted, sizeof(wanted), "%s+0x0/", probe->symbol_name);
	for (skipped = 0; skipped <= 4; skipped += 4) {
		sprint_symbol(found, address - skipped);
		if (strstarts(found, wanted))
			return address - skipped;
	}
	return 0;
}

static void look_up(struct kprobe *probes, struct kprobe **registered)
{
	int i, count = 0;

	for (i = 0; i < KTWIN_FN_COUNT; i++) {
		probes[i].symbol_name = names[i];
		probes[i].flags = KPROBE_FLAG_DISABLED;
		if (register_kprobe(&probes[i]))
			continue;
		registered[count++] = &probes[i];
		addresses[i] = function_start(&probes[i]);
	}
	/* All at once: each call waits for a grace period. */
	unregister_kprobes(registered, count);
}

int ktwin_functions_learn(void)
{
	struct kprobe **registered;
	struct kprobe *probes;
	int err = 0;

	/* Pairs with the release below: who sees learned sees the addresses. */
	if (smp_load_acquire(&learned))
		return 0;
	probes = kcalloc(KTWIN_FN_COUNT, sizeof(*probes), GFP_KERNEL);
	registered = kcalloc(KTWIN_FN_COUNT, sizeof(*registered), GFP_KERNEL);
	if (!probes || !registered) {
		err = -ENOMEM;
		goto free;
	}
	mutex_lock(&learning);
	if (!learned) {
		look_up(probes, registered);
		/* Pairs with the acquire above. */
		smp_store_release(&learned, true);
	}
	mutex_unlock(&learning);
free:
	kfree(registered);
	kfree(probes);
	return err;
}

bool ktwin_is_function(enum ktwin_function function, const void *address)
{
	return address && (unsigned long)address == addresses[function];
}
