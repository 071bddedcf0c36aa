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
 * A branch of which commits are killed and fail.
 */

#ifndef RECOVER_H
#define RECOVER_H

#include "strike.h"
#include "tree.h"

struct subject_kind {
	void		 (*make)(struct fixture *);
	/* What is seen of the branch, and of a directory that is the same. */
	char		*(*view)(const struct branch *);
	char		*(*text)(int);
};

/* The trees before and after, as text. */
struct subject {
	const struct subject_kind	*kind;
	struct fixture			 f;
	char				*old;
	char				*new;
};

/* Staged or not.  Each of these stops at the first thing that is wrong. */
void	 die_everywhere(const struct subject_kind *, int);
/* Commits that died at each so-manieth call. */
void	 recover_dies(const struct subject_kind *, int, int);
/* An errno, at each so-manieth call. */
void	 fail_everywhere(const struct subject_kind *, int, enum strike_kind,
	    int, int);

#endif
