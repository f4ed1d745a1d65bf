// SPDX-License-Identifier: GPL-2.0-only
/*
 * The twin's allocator against the kernel's idr, in the kernel: the same calls, the same numbers, exhaustion and
 * wrap-around included.
 */
#include "world.h"

FIXTURE(compare) {
	int fd;
};

FIXTURE_VARIANT(compare) {
	__u64 seed;
	__u32 operations, pid_max, levels;
	bool exhausts, wraps;
};

FIXTURE_VARIANT_ADD(compare, smallest) {
	.seed = 1, .operations = 20000, .pid_max = 2, .levels = 1, .exhausts = true,
};

FIXTURE_VARIANT_ADD(compare, small) {
	.seed = 2, .operations = 100000, .pid_max = 64, .levels = 1, .exhausts = true, .wraps = true,
};

FIXTURE_VARIANT_ADD(compare, around_the_reserved) {
	.seed = 3, .operations = 100000, .pid_max = 400, .levels = 1, .exhausts = true, .wraps = true,
};

FIXTURE_VARIANT_ADD(compare, nested) {
	.seed = 4, .operations = 60000, .pid_max = 700, .levels = 4, .exhausts = true, .wraps = true,
};

FIXTURE_VARIANT_ADD(compare, deepest) {
	.seed = 5, .operations = 20000, .pid_max = 500, .levels = 33, .exhausts = true, .wraps = true,
};

FIXTURE_VARIANT_ADD(compare, default_limit) {
	.seed = 6, .operations = 300000, .pid_max = 32768, .levels = 2,
};

FIXTURE_VARIANT_ADD(compare, largest_limit) {
	.seed = 7, .operations = 100000, .pid_max = 4194304, .levels = 1,
};

FIXTURE_SETUP(compare)
{
	KT_OPEN_LIVE(self->fd);
	KT_NEED_LAB(self->fd);
}

FIXTURE_TEARDOWN(compare)
{
	close(self->fd);
}

/* Checked access by access, as a debug kernel does it, one seed takes minutes. */
static int seeds(void)
{
	const char *wanted = getenv("KTWIN_COMPARE_SEEDS");

	return wanted ? atoi(wanted) : 3;
}

TEST_F_TIMEOUT(compare, same, 600)
{
	struct ktwin_compare compare = {
		.size = sizeof(compare), .seed = variant->seed, .operations = variant->operations,
		.pid_max = variant->pid_max, .levels = variant->levels,
	};
	int seed;

	ASSERT_LT(0, seeds());
	for (seed = 0; seed < seeds(); seed++, compare.seed += 1000) {
		ASSERT_EQ(0, kt_call(self->fd, KTWIN_IOC_COMPARE, &compare));
		EXPECT_EQ(0, compare.differences);
		EXPECT_LE(variant->operations, compare.compared);
		if (variant->exhausts) {
			EXPECT_LT(0, compare.exhausted);
		}
		if (variant->wraps) {
			EXPECT_LT(0, compare.wraps);
		}
		TH_LOG("seed %llu: %llu results, exhausted %llu, wrapped %llu", compare.seed, compare.compared,
		       compare.exhausted, compare.wraps);
	}
}

/* The same seed is the same run. */
TEST_F(compare, repeatable)
{
	struct ktwin_compare first = {
		.size = sizeof(first), .seed = variant->seed, .operations = 5000,
		.pid_max = variant->pid_max, .levels = variant->levels,
	}, second = first;

	ASSERT_EQ(0, kt_call(self->fd, KTWIN_IOC_COMPARE, &first));
	ASSERT_EQ(0, kt_call(self->fd, KTWIN_IOC_COMPARE, &second));
	EXPECT_EQ(0, memcmp(&first, &second, sizeof(first)));
}

TEST_HARNESS_MAIN
