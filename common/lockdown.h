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
 * How our own programs give up what they do not need.
 */

#ifndef LOCKDOWN_H
#define LOCKDOWN_H

#include <sys/types.h>

#include <stddef.h>

#include "bpf.h"

/* One permission of an allow list; conditions limit it to some arguments. */
struct lockdown_rule {
	int		 nr;
	size_t		 nconds;
	struct bpf_cond	 conds[BPF_MAXCONDS];
};

#define LOCKDOWN_ALLOW(n)	{ .nr = (n) }
#define LOCKDOWN_ALLOW_IF(n, ...)					\
	{ .nr = (n), .nconds = 1, .conds = { __VA_ARGS__ } }

/*
 * The part of lockdown that every program shares, called first thing:
 * NO_NEW_PRIVS, lockdown_capabilities(), no core files, dumpable as asked.
 * Only the soft RLIMIT_CORE is 0: a workload that is forked later inherits
 * the hard one.  0, or -1 and errno.
 */
int	 lockdown_begin(int dumpable);

/*
 * Drop every capability: bounding set (where there is the right to),
 * ambient, permitted, effective and inheritable.  Calling it without any is
 * cheap and succeeds.  Needed again after a user namespace was entered.  0,
 * or -1 and errno.
 */
int	 lockdown_capabilities(void);

/*
 * Install an allow list; any other call kills the process.  Lists stack: a
 * later one can only take away (and is a call of seccomp(2), which the
 * earlier one has to allow).  Calls every program needs (channel and listener
 * I/O on descriptors it has, memory, exit, clock) are in lockdown_stdio[],
 * which is always included, and so is abort(3).  Rules of one call add up.
 * The list is inherited by forks, whose abort(3) then ends by SIGSYS.  0, or
 * -1 and errno.
 */
int	 lockdown_seccomp(const struct lockdown_rule *, size_t);

extern const struct lockdown_rule	 lockdown_stdio[];
extern const size_t			 lockdown_stdio_len;

#endif
