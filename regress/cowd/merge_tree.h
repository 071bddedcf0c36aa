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
 * Trees for the tests of the merged view, and of the plain one for NULL.
 */

#ifndef MERGE_TREE_H
#define MERGE_TREE_H

#include <sys/types.h>

#include "merge.h"
#include "start.h"
#include "text.h"

/* Describe the view or, for NULL, the working directory. */
char	*view_text(struct merge *, int);
/*
 * "NAME\1TYPE" of each entry of a directory, sorted, which the caller frees;
 * how many, or -1.
 */
int	 tree_names(struct merge *, const char *, char **, int);

#endif
