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
 * Text diffs of changed files.
 */

#ifndef DIFF_H
#define DIFF_H

#include <stddef.h>
#include <stdint.h>

#include "branch.h"

/* diff.c: send the diff of one change to the parent; 0. */
int	 diff_change(const struct branch_change *);

/* lines.c */

/* A text as lines; each with its newline, the last perhaps without. */
struct line {
	const char	*text;
	size_t		 len;
	uint32_t	 class;		/* equal lines have the same */
	unsigned char	 changed;	/* deleted here, or inserted */
};

struct lines {
	char		*buf;		/* owned, or NULL */
	struct line	*line;
	size_t		 n;
};

/* Cut a text up; it is then the lines'.  0, or -1 and errno. */
int	 lines_cut(struct lines *, char *, size_t);
void	 lines_free(struct lines *);
/* Mark what to delete from the first and to insert from the second. */
int	 lines_compare(struct lines *, struct lines *);

#endif
