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
 * Random calls on a merged view and on a twin of its lower directory.
 */

#ifndef MERGE_DIFF_H
#define MERGE_DIFF_H

#include <sys/types.h>

struct diff {
	unsigned int	 seed;		/* the first one */
	unsigned int	 seeds;		/* how many sequences */
	int		 steps;		/* of each, at most 400 */
	int		 capless;	/* root, but without capabilities */
	uid_t		 foreign;	/* 0, or an owner of part of the tree */
	/*
	 * What is asked after each sequence that went well, in the process
	 * that made the calls: lower, its twin, the branch; 0 if it is right.
	 * Or NULL.
	 */
	int		 (*after)(const struct diff *, int, int, int);
};

/* In the working directory; the number of sequences that failed. */
int	 diff_run(const struct diff *);

#endif
