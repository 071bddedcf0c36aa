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
 * Landlock domains: the workload's and our own.
 */

#ifndef LANDLOCK_H
#define LANDLOCK_H

#include <stdint.h>

#include "workload.h"

/* ABI of the running kernel, 0 without Landlock. */
int	 landlock_abi(void);

/* Whether an ABI has a protection, and the ABI that brought it. */
int	 landlock_has(int, enum protection);

/*
 * Enter the domain of the policy: the whole of it, or the supervisor's outer
 * part (it may also read /proc), or what the workload needs inside of that.
 * 0, or -1 and errno; *what is then the path or the step that failed.
 * NO_NEW_PRIVS must be set.
 */
int	 landlock_workload(const struct workload_conf *,
	    enum workload_domain, const char **);

/*
 * Enter a domain that only scopes signals to itself and what is nested in it;
 * 0, or -1 and errno (ENOSYS or EOPNOTSUPP when the kernel cannot).
 */
int	 landlock_scope_signals(int);

/* What one of our own programs may do below a directory. */
enum landlock_right {
	LANDLOCK_READ,		/* read and list everything */
	LANDLOCK_RMDIR,		/* remove empty directories */
	LANDLOCK_REMOVE,	/* remove everything, hence list it */
	LANDLOCK_TREE,		/* everything but making devices */
	LANDLOCK_BRANCH		/* and whiteouts, which are devices */
};

struct landlock_grant {
	int			 fd;
	enum landlock_right	 right;
};

#define LANDLOCK_GRANTS_MAX	37

/*
 * The domain of one of our own programs: no file, and besides only what is
 * named here.
 */
struct landlock_self {
	int				 abi;
	int				 scope;	/* signals, abstract sockets */
	int				 proc;	/* /proc may be read */
	struct landlock_grant		 grants[LANDLOCK_GRANTS_MAX];
	size_t				 ngrants;
	int				 any_connect;	/* every TCP port */
	int				 any_bind;
	const struct workload_ports	*ports;	/* of both, or NULL */
};

/* Add a grant; nothing for the descriptor -1. */
void	 landlock_grant(struct landlock_self *, int, enum landlock_right);

/* Enter it; 0, or -1 and errno. */
int	 landlock_self(const struct landlock_self *);

#endif
