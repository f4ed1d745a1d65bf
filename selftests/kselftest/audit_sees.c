// SPDX-License-Identifier: GPL-2.0-only
/*
 * An audit that never finds anything proves nothing: each kind of difference is put into the twin, and each is seen,
 * once, for what it is. What the twin may have missed makes it say so, and it finds back by itself.
 */
#include "ring.h"

#define TRACING		"/sys/kernel/tracing/"
#define MISMATCH	TRACING "events/ktwin/ktwin_audit_mismatch/enable"

FIXTURE(lab) {
	int fd;
	pid_t init, member;	/* of a namespace of their own */
	__u32 own, ns;
	struct kt_line line;
	__u64 known;		/* differences before */
};

static long last_divergence(int fd, struct ktwin_divergence *last)
{
	struct ktwin_divergence *all;
	long count = kt_divergences(fd, &all);

	memset(last, 0, sizeof(*last));
	if (count > 0)
		*last = all[count - 1];
	free(all);
	return count;
}

FIXTURE_SETUP(lab)
{
	struct ktwin_audit audit;

	KT_OPEN_LIVE(self->fd);
	KT_NEED_LAB(self->fd);
	ASSERT_EQ(0, kt_line_open(&self->line));
	self->own = kt_ns_inode(getpid(), "pid");
	self->init = kt_make_waiting(&self->line, CLONE_NEWPID);
	ASSERT_EQ(self->init, kt_hear(&self->line));
	self->ns = kt_ns_inode(self->init, "pid");
	self->member = kt_make_waiting(&self->line, 0);
	ASSERT_EQ(self->member, kt_hear(&self->line));
	ASSERT_EQ(0, kt_audit(self->fd, &audit));
	ASSERT_EQ(0, audit.differences);
	self->known = audit.differences_total;
}

FIXTURE_TEARDOWN(lab)
{
	EXPECT_EQ(0, kt_mirror(self->fd, KTWIN_MIRROR_RESYNC));
	kt_assert_live(_metadata, self->fd);
	kt_expect_audit_clean(_metadata, self->fd);
	kt_end(self->init);
	kt_end(self->member);
	kt_expect_audit_clean(_metadata, self->fd);
	close(self->fd);
}

/* Exactly this difference, however often it is looked at. */
static void expect_one(struct __test_metadata *_metadata, int fd, __u64 known, __u32 ns, int nr, __u32 kind)
{
	struct ktwin_divergence found;
	struct ktwin_audit audit;
	__u64 first_passes = 0, index = 0;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kt_audit(fd, &audit));
		EXPECT_EQ(1, audit.complete);
		EXPECT_EQ(1, audit.differences);
		EXPECT_EQ(known + 1, audit.differences_total);
		ASSERT_LT(0, last_divergence(fd, &found));
		EXPECT_EQ(ns, found.ns);
		EXPECT_EQ(nr, found.nr);
		EXPECT_EQ(kind, found.kind);
		EXPECT_LT(0, found.time_ns);
		EXPECT_LE(found.time_ns, found.last_ns);
		EXPECT_EQ(kind != KTWIN_ONLY_TWIN, !!found.kernel_hash);
		EXPECT_EQ(kind != KTWIN_ONLY_KERNEL, !!found.twin_hash);
		EXPECT_EQ(audit.epoch, found.epoch);
		if (i) {
			EXPECT_EQ(index, found.index);
			EXPECT_LT(first_passes, found.passes);
		}
		first_passes = found.passes;
		index = found.index;
	}
}

TEST_F(lab, drop)
{
	struct kt_explained explained;

	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_DROP, self->own, self->member));
	expect_one(_metadata, self->fd, self->known, self->own, self->member, KTWIN_ONLY_KERNEL);
	EXPECT_EQ(0, kt_explain(self->fd, 0, self->member, &explained));
	EXPECT_EQ(KTWIN_EXPLAIN_KERNEL, explained.head.flags);
}

TEST_F(lab, drop_nested)
{
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_DROP, self->ns, 1));
	expect_one(_metadata, self->fd, self->known, self->ns, 1, KTWIN_ONLY_KERNEL);
}

static int free_number(void)
{
	int number = 31000;

	while (!kill(number, 0))
		number++;
	return number;
}

TEST_F(lab, add)
{
	struct kt_explained explained;
	int number = free_number();

	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_ADD, self->own, number));
	expect_one(_metadata, self->fd, self->known, self->own, number, KTWIN_ONLY_TWIN);
	EXPECT_EQ(0, kt_explain(self->fd, 0, number, &explained));
	EXPECT_EQ(KTWIN_EXPLAIN_TWIN, explained.head.flags);
}

TEST_F(lab, add_nested)
{
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_ADD, self->ns, 77));
	expect_one(_metadata, self->fd, self->known, self->ns, 77, KTWIN_ONLY_TWIN);
}

TEST_F(lab, swap)
{
	struct kt_explained explained;

	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_SWAP, self->own, self->member));
	expect_one(_metadata, self->fd, self->known, self->own, self->member, KTWIN_OTHER_PID);
	EXPECT_EQ(0, kt_explain(self->fd, 0, self->member, &explained));
	EXPECT_EQ(KTWIN_EXPLAIN_KERNEL | KTWIN_EXPLAIN_TWIN, explained.head.flags);
}

TEST_F(lab, swap_nested)
{
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_SWAP, self->ns, 1));
	expect_one(_metadata, self->fd, self->known, self->ns, 1, KTWIN_OTHER_PID);
}

/* One difference does not hide the next. */
TEST_F(lab, second_is_seen_too)
{
	struct ktwin_divergence *all;
	struct ktwin_audit audit;
	long count, i;
	int number = free_number(), seen = 0;

	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_DROP, self->own, self->member));
	ASSERT_EQ(0, kt_audit(self->fd, &audit));
	EXPECT_EQ(1, audit.differences);
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_ADD, self->own, number));
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_SWAP, self->ns, 1));
	ASSERT_EQ(0, kt_audit(self->fd, &audit));
	EXPECT_EQ(3, audit.differences);
	EXPECT_EQ(self->known + 3, audit.differences_total);
	count = kt_divergences(self->fd, &all);
	for (i = count - 3; i >= 0 && i < count; i++) {
		seen += all[i].nr == self->member && all[i].kind == KTWIN_ONLY_KERNEL;
		seen += all[i].nr == number && all[i].kind == KTWIN_ONLY_TWIN;
		seen += all[i].ns == self->ns && all[i].kind == KTWIN_OTHER_PID;
	}
	EXPECT_EQ(3, seen);
	free(all);
}

/* The background audit sees it without being asked. */
TEST_F(lab, in_the_background)
{
	struct ktwin_audit audit = { 0 };
	uint64_t end = kt_now_ms() + KT_PATIENCE_MS, injected;

	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_DROP, self->own, self->member));
	injected = kt_now_ms() * 1000000 + 1000000;
	/* the last pass may be one from before */
	while (audit.started_ns < injected && kt_now_ms() < end) {
		kt_sleep_ms(50);
		memset(&audit, 0, sizeof(audit));
		audit.size = sizeof(audit);
		ASSERT_EQ(0, kt_call(self->fd, KTWIN_IOC_AUDIT, &audit));
	}
	EXPECT_EQ(1, audit.differences);
	EXPECT_EQ(self->known + 1, audit.differences_total);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			perror(path);
		close(fd);
	}
}

TEST_F(lab, told_by_tracepoint_and_stream)
{
	struct kt_stream stream;
	struct ktwin_event event;
	struct ktwin_audit audit;
	char line[512], wanted[64];
	int found = 0;
	FILE *trace;

	if (access(MISMATCH, W_OK))
		SKIP(return, "no tracefs");
	write_file(TRACING "trace", "");
	write_file(MISMATCH, "1");
	ASSERT_EQ(0, kt_stream_open(self->fd, 1024, &stream));
	ASSERT_EQ(0, kt_inject(self->fd, KTWIN_INJECT_DROP, self->own, self->member));
	ASSERT_EQ(0, kt_audit(self->fd, &audit));
	ASSERT_EQ(0, kt_audit(self->fd, &audit));
	write_file(MISMATCH, "0");
	snprintf(wanted, sizeof(wanted), "nr=%d ", self->member);
	trace = fopen(TRACING "trace", "r");
	ASSERT_NE(NULL, trace);
	while (fgets(line, sizeof(line), trace)) {
		if (strstr(line, "ktwin_audit_mismatch:") && strstr(line, wanted))
			found++;
	}
	fclose(trace);
	EXPECT_EQ(1, found);
	ASSERT_TRUE(kt_stream_wait(&stream, KTWIN_EV_DIVERGENCE, &event));
	EXPECT_EQ(self->own, event.ns);
	EXPECT_EQ(self->member, event.nr);
	kt_stream_close(&stream);
}

/* Events the twin never got: it owns up, and then populates anew. */
static void expect_incomplete(struct __test_metadata *_metadata, int fd, __u32 kind, __u32 why)
{
	struct ktwin_status before, after;
	struct kt_stream stream;
	struct ktwin_event event;
	struct ktwin_audit audit;
	pid_t child;

	ASSERT_EQ(0, kt_status(fd, &before));
	ASSERT_EQ(0, kt_stream_open(fd, 4096, &stream));
	ASSERT_EQ(0, kt_inject(fd, kind, 0, 2));
	child = fork();
	if (!child) {
		kt_leash();
		pause();
	}
	/* whatever this pass finds, it does not vouch for a twin that missed something */
	EXPECT_EQ(0, kt_audit(fd, &audit));
	EXPECT_TRUE(!audit.complete || audit.epoch > before.epoch) {
		TH_LOG("complete in epoch %llu, as before", audit.epoch);
	}
	EXPECT_EQ(0, audit.complete ? audit.differences : 0);
	EXPECT_EQ(!audit.complete, !!audit.why);
	ASSERT_TRUE(kt_stream_wait(&stream, KTWIN_EV_INCOMPLETE, &event));
	EXPECT_EQ(why, event.arg & why);
	ASSERT_TRUE(kt_stream_wait(&stream, KTWIN_EV_POPULATED, &event));
	kt_assert_live(_metadata, fd);
	ASSERT_EQ(0, kt_status(fd, &after));
	EXPECT_LT(before.epoch, after.epoch);
	EXPECT_LT(before.doubts, after.doubts);
	kt_expect_audit_clean(_metadata, fd);
	kt_expect_numbers(_metadata, fd, child);
	kt_end(child);
	kt_stream_close(&stream);
}

TEST_F(lab, skipped_events)
{
	expect_incomplete(_metadata, self->fd, KTWIN_INJECT_SKIP, KTWIN_WHY_PROBE_MISSED);
}

TEST_F(lab, no_memory)
{
	expect_incomplete(_metadata, self->fd, KTWIN_INJECT_NO_MEMORY, KTWIN_WHY_NO_MEMORY);
}

/* Somebody switches all kprobes of the system off: nothing tells the twin, so the audit has to find out. */
TEST_F(lab, probes_disarmed)
{
	const char *switch_file = "/sys/kernel/debug/kprobes/enabled";
	struct ktwin_status status;
	struct ktwin_audit audit;
	pid_t child;

	if (access(switch_file, W_OK))
		SKIP(return, "no kprobes switch");
	write_file(switch_file, "0");
	child = fork();
	if (!child) {
		kt_leash();
		pause();
	}
	EXPECT_EQ(0, kt_audit(self->fd, &audit));
	EXPECT_EQ(0, audit.complete);
	EXPECT_TRUE(audit.why & KTWIN_WHY_PROBE_DISARMED);
	EXPECT_TRUE(kt_wait_state(self->fd, KTWIN_INCOMPLETE, &status)) {
		TH_LOG("state %u, why 0x%x", status.state, status.why);
	}
	EXPECT_TRUE(status.why & KTWIN_WHY_PROBE_DISARMED);
	write_file(switch_file, "1");
	kt_assert_live(_metadata, self->fd);
	kt_expect_audit_clean(_metadata, self->fd);
	kt_expect_numbers(_metadata, self->fd, child);
	kt_end(child);
}

TEST_HARNESS_MAIN
