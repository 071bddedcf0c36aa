/*
 * Copyright (c) 2026 The sandlock authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */
/*
 * A process is kept on a processor and gets back what it had, not more and not
 * what somebody else has taken from it.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "processor.h"

/* What a process may use; the first two of that are wanted. */
static void
processors(pid_t pid, cpu_set_t *set, int *first, int *second)
{
	int	 cpu, *to = first;

	ATF_REQUIRE(sched_getaffinity(pid, sizeof(*set), set) == 0);
	*first = *second = -1;
	for (cpu = 0; cpu < CPU_SETSIZE && to != NULL; cpu++)
		if (CPU_ISSET(cpu, set)) {
			*to = cpu;
			to = to == first ? second : NULL;
		}
}

static void
use(pid_t pid, int cpu)
{
	cpu_set_t	 one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ATF_REQUIRE(sched_setaffinity(pid, sizeof(one), &one) == 0);
}

static void
check_one(pid_t pid, int cpu)
{
	cpu_set_t	 set;
	int		 first, second;

	processors(pid, &set, &first, &second);
	ATF_CHECK_EQ(cpu, first);
	ATF_CHECK_EQ(-1, second);
}

static void
check_all(pid_t pid, const cpu_set_t *all)
{
	cpu_set_t	 set;

	ATF_REQUIRE(sched_getaffinity(pid, sizeof(set), &set) == 0);
	ATF_CHECK(CPU_EQUAL(&set, all));
}

static pid_t
sleeper(void)
{
	pid_t	 pid;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return (pid);
}

ATF_TC_WITHOUT_HEAD(keep_free);
ATF_TC_BODY(keep_free, tc)
{
	struct processor	 p = { .cpu = -1 };
	cpu_set_t		 all;
	pid_t			 pids[] = { 0, sleeper() };
	size_t			 i;
	int			 first, second;

	(void)tc;
	for (i = 0; i < 2; i++) {
		processors(pids[i], &all, &first, &second);
		ATF_CHECK_EQ(0, processor_free(&p, pids[i]));
		ATF_CHECK_EQ(0, processor_keep(&p, pids[i], first));
		ATF_CHECK_EQ(0, processor_keep(&p, pids[i], first));
		check_one(pids[i], first);
		if (second != -1) {
			ATF_CHECK_EQ(0, processor_keep(&p, pids[i], second));
			check_one(pids[i], second);
		}
		ATF_CHECK_EQ(0, processor_free(&p, pids[i]));
		check_all(pids[i], &all);
		ATF_CHECK_EQ(-1, p.cpu);
	}
	kill(pids[1], SIGKILL);
	ATF_CHECK_EQ(pids[1], waitpid(pids[1], NULL, 0));
	ATF_CHECK_EQ(-1, processor_keep(&p, pids[1], first));
	ATF_CHECK_EQ(ESRCH, errno);
	ATF_CHECK_EQ(-1, p.cpu);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const int	 bad[] = { -2, CPU_SETSIZE, CPU_SETSIZE - 1 };
	struct processor	 p = { .cpu = -1 };
	cpu_set_t		 all;
	size_t			 i;
	int			 first, second;

	(void)tc;
	processors(0, &all, &first, &second);
	if (CPU_ISSET(CPU_SETSIZE - 1, &all))
		atf_tc_skip("as many processors as a set has");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ATF_CHECK_EQ(-1, processor_keep(&p, 0, bad[i]));
		ATF_CHECK_EQ(EINVAL, errno);
		ATF_CHECK_EQ(-1, p.cpu);
		check_all(0, &all);
	}
	/* Nor one that was taken away before. */
	if (second == -1)
		return;
	use(0, first);
	ATF_CHECK_EQ(-1, processor_keep(&p, 0, second));
	ATF_CHECK_EQ(EINVAL, errno);
	check_one(0, first);
}

ATF_TC_WITHOUT_HEAD(chosen);
ATF_TC_BODY(chosen, tc)
{
	struct processor	 p = { .cpu = -1 };
	cpu_set_t		 all;
	pid_t			 pid = sleeper();
	int			 first, second;

	(void)tc;
	processors(pid, &all, &first, &second);
	if (second != -1) {
		/* Meanwhile, and before. */
		ATF_CHECK_EQ(0, processor_keep(&p, pid, first));
		use(pid, second);
		ATF_CHECK_EQ(0, processor_free(&p, pid));
		check_one(pid, second);
		ATF_CHECK_EQ(0, processor_keep(&p, pid, second));
		ATF_CHECK_EQ(0, processor_free(&p, pid));
		check_one(pid, second);
		/* From one to the other. */
		ATF_REQUIRE(sched_setaffinity(pid, sizeof(all), &all) == 0);
		ATF_CHECK_EQ(0, processor_keep(&p, pid, first));
		use(pid, second);
		ATF_CHECK_EQ(0, processor_keep(&p, pid, second));
		ATF_CHECK_EQ(0, processor_free(&p, pid));
		check_one(pid, second);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, keep_free);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, chosen);
	return (atf_no_error());
}
