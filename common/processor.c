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
 * A process that runs on one processor for a while, and then where it would
 * have.
 */

#include <sys/types.h>

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "processor.h"

/*
 * What a process may use now, to be set again.  If that is all that its control
 * group gives it, it is to follow that, also when that changes: then all.
 */
static int
processor_any(pid_t pid, cpu_set_t *any)
{
	cpu_set_t	 all, now;

	if (sched_getaffinity(pid, sizeof(*any), any) == -1)
		return (-1);
	memset(&all, 0xff, sizeof(all));
	if (sched_setaffinity(pid, sizeof(all), &all) == -1)
		return (-1);
	if (sched_getaffinity(pid, sizeof(now), &now) == 0 &&
	    CPU_EQUAL(&now, any))
		*any = all;
	return (0);
}

int
processor_keep(struct processor *p, pid_t pid, int cpu)
{
	cpu_set_t	 one;

	if (p->cpu == cpu)
		return (0);
	if (cpu < 0 || cpu >= CPU_SETSIZE) {
		errno = EINVAL;
		return (-1);
	}
	if (processor_free(p, pid) == -1 || processor_any(pid, &p->any) == -1)
		return (-1);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CPU_AND(&one, &one, &p->any);
	if (sched_setaffinity(pid, sizeof(one), &one) == -1) {
		(void)sched_setaffinity(pid, sizeof(p->any), &p->any);
		return (-1);
	}
	p->cpu = cpu;
	return (0);
}

int
processor_free(struct processor *p, pid_t pid)
{
	cpu_set_t	 one, now;

	if (p->cpu == -1)
		return (0);
	CPU_ZERO(&one);
	CPU_SET(p->cpu, &one);
	p->cpu = -1;
	if (sched_getaffinity(pid, sizeof(now), &now) == -1)
		return (-1);
	return (CPU_EQUAL(&one, &now) ?
	    sched_setaffinity(pid, sizeof(p->any), &p->any) : 0);
}
