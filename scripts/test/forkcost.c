// SPDX-License-Identifier: GPL-2.0-only
/*
 * forkcost COUNT: the time of one fork, exit and wait, in nanoseconds with a fraction; in a guest whose clock counts
 * instructions, in instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void once(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (child < 0 || waitpid(child, NULL, 0) != child)
		exit(1);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 100, i;
	struct timespec begin, end;

	for (i = 0; i < 20; i++) /* until caches of the allocator are as they stay */
		once();
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < count; i++)
		once();
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.1f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / count);
	return 0;
}
