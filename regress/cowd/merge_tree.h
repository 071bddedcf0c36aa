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
 * Trees for the tests of the merged view.
 */

#ifndef MERGE_TREE_H
#define MERGE_TREE_H

#include <sys/types.h>

#include "merge.h"

/* Seconds; all times of the first tree. */
#define OLD		1000000000

enum {
	TREE_PLAIN,		/* what must be the same; old times, too */
	TREE_EXACT,		/* everything, to see that nothing changed */
	TREE_CRASH		/* what must be the same after a crash */
};

/* Print errno and abort. */
void	 die(const char *) __attribute__((noreturn));

/* Of as many bytes as a name can have. */
const char	*tree_long_name(void);
/* Make the tree; some of it of another owner if that is not 0. */
void	 tree_put(const char *, uid_t);
/* Describe the view or, for NULL, the working directory. */
char	*view_text(struct merge *, int);
/*
 * "NAME\1TYPE" of each entry of a directory, sorted, which the caller frees;
 * how many, or -1.
 */
int	 tree_names(struct merge *, const char *, char **, int);

#endif
