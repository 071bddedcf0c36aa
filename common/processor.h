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

#ifndef PROCESSOR_H
#define PROCESSOR_H

#include <sys/types.h>

#include <sched.h>

/* The only processor that a process may use, or -1; and what it had before. */
struct processor {
	int		 cpu;
	cpu_set_t	 any;
};

/*
 * Let a process (0: the caller) use one processor only, one of those that it
 * has.  0, or -1 and errno.
 */
int	 processor_keep(struct processor *, pid_t, int);

/*
 * Let it use what it had before, unless somebody else has chosen another
 * meanwhile.  0, or -1 and errno.
 */
int	 processor_free(struct processor *, pid_t);

#endif
