/* SPDX-License-Identifier: GPL-2.0-only */
/* Context switches counted, and children that make them. Results as in device.h: 0 or more, or -errno. */
#ifndef KTWIN_TEST_SWITCHES_H
#define KTWIN_TEST_SWITCHES_H

#include <sched.h>

#include "world.h"

#define KT_CPUS_MAX	512

static inline int kt_switches(int device, __u32 flags)
{
	struct ktwin_switches switches = { .size = sizeof(switches), .flags = flags };

	return kt_call(device, KTWIN_IOC_SWITCHES, &switches);
}

/* All CPUs' counts added up, or those of one. */
static inline int kt_switch_counts(int fd, int cpu, struct ktwin_switch_cpu *sum)
{
	struct ktwin_switch_cpu *cpus;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_CPUS, 0, sizeof(*cpus), 64, (void **)&cpus), i;
	int j;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < count; i++) {
		if (cpu >= 0 && cpus[i].cpu != (__u32)cpu)
			continue;
		for (j = 0; j < KTWIN_SWITCH_CLASSES; j++)
			sum->classes[j] += cpus[i].classes[j];
		for (j = 0; j < KTWIN_LEAVES; j++)
			sum->leaves[j] += cpus[i].leaves[j];
		sum->idle += cpus[i].idle;
		sum->ended += cpus[i].ended;
		sum->unlisted += cpus[i].unlisted;
	}
	free(cpus);
	return count < 0 ? (int)count : 0;
}

static inline __u64 kt_leaves(const __u64 leaves[KTWIN_LEAVES])
{
	return leaves[KTWIN_LEAVE_BLOCKED] + leaves[KTWIN_LEAVE_VOLUNTARY] + leaves[KTWIN_LEAVE_PREEMPTED];
}

static inline __u64 kt_classes(const __u64 classes[KTWIN_SWITCH_CLASSES])
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < KTWIN_SWITCH_CLASSES; i++)
		sum += classes[i];
	return sum;
}

/* -ESRCH: it has not left a CPU yet. */
static inline int kt_task_switches(int fd, pid_t tid, struct ktwin_switch_task *found)
{
	struct ktwin_switch_task *tasks;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_TASKS, 0, sizeof(*tasks), 64, (void **)&tasks), i;
	int result = count < 0 ? (int)count : -ESRCH;

	for (i = 0; i < count; i++) {
		if (tasks[i].tid == tid) {
			*found = tasks[i];
			result = 0;
		}
	}
	free(tasks);
	return result;
}

/* Of one class on one CPU. */
static inline int kt_switch_waits(int fd, __u32 cpu, __u32 sched_class, struct ktwin_switch_waits *found)
{
	struct ktwin_switch_waits *waits;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_WAITS, 0, sizeof(*waits), 64, (void **)&waits), i;
	int result = count < 0 ? (int)count : -ESRCH;

	for (i = 0; i < count; i++) {
		if (waits[i].cpu == cpu && waits[i].sched_class == sched_class) {
			*found = waits[i];
			result = 0;
		}
	}
	free(waits);
	return result;
}

static inline __u64 kt_waits(const __u64 buckets[KTWIN_WAIT_BUCKETS])
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < KTWIN_WAIT_BUCKETS; i++)
		sum += buckets[i];
	return sum;
}

/* How often anybody waited for any CPU. */
static inline int kt_all_waits(int fd, __u64 *waited)
{
	struct ktwin_switch_waits *waits;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_WAITS, 0, sizeof(*waits), 64, (void **)&waits), i;

	*waited = 0;
	for (i = 0; i < count; i++)
		*waited += kt_waits(waits[i].buckets);
	free(waits);
	return count < 0 ? (int)count : 0;
}

#define KT_ALL_NS	(~0U)

/* Of one PID namespace, or of all added up. */
static inline int kt_ns_waits(int fd, __u32 ns, struct ktwin_ns_waits *sum)
{
	struct ktwin_ns_waits *waits;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_NS_WAITS, 0, sizeof(*waits), 7, (void **)&waits), i;
	int result = count < 0 ? (int)count : -ESRCH, j;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < count; i++) {
		if (ns != KT_ALL_NS && waits[i].ns != ns)
			continue;
		result = 0;
		sum->sum_ns += waits[i].sum_ns;
		for (j = 0; j < KTWIN_WAIT_BUCKETS; j++)
			sum->buckets[j] += waits[i].buckets[j];
	}
	free(waits);
	return result;
}

static inline int kt_rq_twin(int fd, __u32 cpu, struct ktwin_rq_twin *found)
{
	struct ktwin_rq_twin *twins;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_TWINS, 0, sizeof(*twins), 64, (void **)&twins), i;
	int result = count < 0 ? (int)count : -ESRCH;

	for (i = 0; i < count; i++) {
		if (twins[i].cpu == cpu) {
			*found = twins[i];
			result = 0;
		}
	}
	free(twins);
	return result;
}

/* Of this CPU, after a pass. */
static inline int kt_rq_audit(int fd, __u32 cpu, struct ktwin_rq_audit *found)
{
	struct ktwin_rq_audit *audits;
	long count = kt_read_by(fd, KTWIN_IOC_SWITCHES_AUDIT, 0, sizeof(*audits), 64, (void **)&audits), i;
	int result = count < 0 ? (int)count : -ESRCH;

	for (i = 0; i < count; i++) {
		if (audits[i].cpu == cpu) {
			*found = audits[i];
			result = 0;
		}
	}
	free(audits);
	return result;
}

/* Complete from the first time the CPU has nothing to do. */
static inline bool kt_wait_complete(int fd, int cpu, struct ktwin_rq_twin *twin)
{
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS;

	do {
		if (!kt_rq_twin(fd, cpu, twin) && !twin->why)
			return true;
		kt_sleep_ms(20);
	} while (kt_now_ms() < end);
	return false;
}

/* The number behind this word at the beginning of a line; 0 when there is none. */
static inline unsigned long long kt_line_number(const char *path, const char *word)
{
	unsigned long long number = 0;
	FILE *file = fopen(path, "r");
	char line[4096];

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, word, strlen(word)))
			sscanf(line + strlen(word), "%llu", &number);
	}
	if (file)
		fclose(file);
	return number;
}

/* The last CPU: the first has the most to do besides. */
static inline int kt_quiet_cpu(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

static inline void kt_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(98);
}

/* A process on that CPU that does this and ends. */
static inline pid_t kt_run_on(int cpu, void (*work)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		kt_leash();
		kt_pin(cpu);
		work();
		_exit(0);
	}
	return pid;
}

/* 0: it ended as it should. */
static inline int kt_ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

static inline void kt_spin(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static inline void kt_fork_often(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static inline void kt_nap_often(void)
{
	for (;;)
		usleep(200);
}

/* Writes a file of one character. What it was; on where there is no such file. */
static inline char kt_swap_flag(const char *path, char on)
{
	int fd = open(path, O_RDWR);
	char was = on;

	if (fd >= 0 && (pread(fd, &was, 1, 0) != 1 || pwrite(fd, &on, 1, 0) != 1))
		was = on;
	close(fd);
	return was;
}

#endif
