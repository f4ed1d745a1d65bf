// SPDX-License-Identifier: GPL-2.0-only
/* The module's life: parameters, the ladder of what is set up, and its exact unwind. */
#include <linux/capability.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "ktwin.h"
#include "wake_flags.h"

#define POOL_LIMIT_MIN	4096
#define POOL_LIMIT_MAX	8388608

static bool kt_lab;
module_param(kt_lab, bool, 0444);
MODULE_PARM_DESC(kt_lab, "1: allow the ioctls that disturb the twin on purpose; for tests (default 0)");

static char *lab_fail = "";
module_param(lab_fail, charp, 0444);
MODULE_PARM_DESC(lab_fail, "with kt_lab=1, what fails at load: symbol, layout, btf, field; for tests");

static uint pool_limit = 1048576;
module_param(pool_limit, uint, 0444);
MODULE_PARM_DESC(pool_limit, "struct pids the twin may hold, 4096 to 8388608 (default 1048576)");

static bool mirror = true;
/* Written under kernel_param_lock(), under which the parameter's functions run. */
static bool loaded;

bool ktwin_lab(void)
{
	return kt_lab;
}

bool ktwin_lab_fail(const char *name)
{
	return kt_lab && !strcmp(lab_fail, name);
}

/* Before the ladder is climbed the parameter is only remembered; afterwards writing it switches. */
static int switch_set(const char *value, bool *remembered, __u32 op_on, __u32 op_off)
{
	bool on;
	int err = kstrtobool(value, &on);

	if (err)
		return err;
	if (loaded) {
		/* As for the ioctl; the file's mode alone would let a root without capabilities through. */
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		err = kt_core_mirror(on ? op_on : op_off);
		if (err && err != -EALREADY)
			return err;
	}
	*remembered = on;
	return 0;
}

static int mirror_set(const char *value, const struct kernel_param *kp)
{
	return switch_set(value, &mirror, KTWIN_MIRROR_ON, KTWIN_MIRROR_OFF);
}

static int mirror_get(char *buffer, const struct kernel_param *kp)
{
	if (loaded) {
		struct ktwin_status status = { .size = sizeof(status) };

		if (!kt_core_status(kt_host_init_ns(), &status))
			return sysfs_emit(buffer, "%c\n", status.state == KTWIN_OFF ? 'N' : 'Y');
	}
	return sysfs_emit(buffer, "%c\n", mirror ? 'Y' : 'N');
}

static const struct kernel_param_ops mirror_ops = {
	.set = mirror_set,
	.get = mirror_get,
};
module_param_cb(mirror, &mirror_ops, NULL, 0644);
MODULE_PARM_DESC(mirror, "1: mirror the kernel's pids; may be written at run time (default 1)");

static bool lockstep;

static int lockstep_set(const char *value, const struct kernel_param *kp)
{
	return switch_set(value, &lockstep, KTWIN_LOCKSTEP_ON, KTWIN_LOCKSTEP_OFF);
}

static int lockstep_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%c\n", (loaded ? kt_core_lockstep_is_on() : lockstep) ? 'Y' : 'N');
}

static const struct kernel_param_ops lockstep_ops = {
	.set = lockstep_set,
	.get = lockstep_get,
};
module_param_cb(lockstep, &lockstep_ops, NULL, 0644);
MODULE_PARM_DESC(lockstep, "1: make each of the kernel's pid allocations in the twin too, and compare; may be written at run time (default 0)");

static int check_parameters(void)
{
	if (pool_limit < POOL_LIMIT_MIN || pool_limit > POOL_LIMIT_MAX) {
		pr_err("pool_limit=%u is out of range: %u to %u\n", pool_limit, POOL_LIMIT_MIN, POOL_LIMIT_MAX);
		return -EINVAL;
	}
	if (*lab_fail && !kt_lab) {
		pr_err("lab_fail=%s needs kt_lab=1\n", lab_fail);
		return -EINVAL;
	}
	return 0;
}

/* From now on the parameters switch. They may have been written while the ladder was climbed. */
static void __init follow_parameters(bool was)
{
	kernel_param_lock(THIS_MODULE);
	if (mirror != was)
		kt_core_mirror(mirror ? KTWIN_MIRROR_ON : KTWIN_MIRROR_OFF);
	if (lockstep && kt_core_mirror(KTWIN_LOCKSTEP_ON))
		pr_warn("lockstep could not be switched on\n");
	loaded = true;
	kernel_param_unlock(THIS_MODULE);
}

static int __init ktwin_init(void)
{
	struct kt_core_config config = { .pool_limit = pool_limit, .lab = kt_lab };
	bool config_mirror = mirror;
	int err;

	err = check_parameters();
	if (err)
		return err;
	err = ktwin_layout_check();
	if (err)
		return err;
	ktwin_hash_init();
	ktwin_wake_flags_learn();
	err = ktwin_memory_init();
	if (err)
		return err;
	err = kt_core_create(&config);
	if (err) {
		pr_err("no memory for the twin (%d)\n", err);
		goto exit_memory;
	}
	ktwin_btf_load();
	ktwin_rq_learn();
	err = ktwin_hooks_init();
	if (err)
		goto destroy_core;
	err = ktwin_threads_start();
	if (err)
		goto exit_hooks;
	if (config_mirror) {
		err = kt_core_mirror(KTWIN_MIRROR_ON);
		if (err) {
			pr_err("the mirror could not be switched on (%d)\n", err);
			goto stop_threads;
		}
	}
	err = ktwin_lab_shrinker_init();
	if (err)
		goto mirror_off;
	err = ktwin_chardev_init();
	if (err) {
		pr_err("/dev/ktwin could not be registered (%d)\n", err);
		goto exit_shrinker;
	}
	ktwin_debugfs_init();
	follow_parameters(config_mirror);
	return 0;

exit_shrinker:
	ktwin_lab_shrinker_exit();
mirror_off:
	kt_core_mirror(KTWIN_MIRROR_OFF);
stop_threads:
	ktwin_threads_stop();
exit_hooks:
	ktwin_hooks_exit();
destroy_core:
	kt_core_destroy();
exit_memory:
	ktwin_memory_exit();
	return err;
}

/* No fd is open (each holds a reference on the module), so no call is under way; debugfs waits for its readers. */
static void __exit ktwin_exit(void)
{
	/* The parameter's file outlives this function: who writes it from now on finds nothing to switch. */
	kernel_param_lock(THIS_MODULE);
	loaded = false;
	kernel_param_unlock(THIS_MODULE);
	ktwin_debugfs_exit();
	ktwin_chardev_exit();
	ktwin_lab_shrinker_exit();
	ktwin_watch_exit();
	kt_core_mirror(KTWIN_LOCKSTEP_OFF);
	kt_core_mirror(KTWIN_MIRROR_OFF);
	ktwin_threads_stop();
	ktwin_hooks_exit();
	kt_core_destroy();
	ktwin_memory_exit();
}

module_init(ktwin_init);
module_exit(ktwin_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A twin of the kernel's process bookkeeping, mirrored live and audited");
MODULE_AUTHOR("the ktwin authors");
