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
 * Trouble at the N-th call that the branch code makes to the file system.
 */

#ifndef STRIKE_H
#define STRIKE_H

enum strike_kind {
	STRIKE_NONE,
	STRIKE_DIE,	/* SIGKILL before the N-th call that changes */
	STRIKE_FAIL,	/* the N-th call fails */
	STRIKE_FAIL_ON,	/* it and all that change after it */
	STRIKE_HOOK	/* strike_hook before each call that changes */
};

struct strike {
	enum strike_kind	 kind;
	int			 at;	/* 1: the first */
	int			 error;
	int			 count;	/* of the calls so far */
	int			 staged;	/* no rename reaches upper */
	char			 name[32];	/* of the call that was hit */
};

/* Shared with children; made by the first use. */
struct strike	*strike_get(void);
void		 strike_set(enum strike_kind, int, int);
extern void	 (*strike_hook)(const char *);

#endif
