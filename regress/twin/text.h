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
 * What a tree looks like, as text that can be compared.
 */

#ifndef TEXT_H
#define TEXT_H

#include <sys/types.h>
#include <sys/stat.h>

enum {
	TREE_PLAIN,		/* what must be the same; old times, too */
	TREE_EXACT,		/* everything, to see that nothing changed */
	TREE_CRASH		/* what must be the same after a crash */
};

/* How to look at it; no function follows a link. */
struct look {
	void	*arg;
	int	 (*stat)(void *, const char *, struct statx *);
	ssize_t	 (*getxattr)(void *, const char *, const char *, void *,
		    size_t);
	ssize_t	 (*readlink)(void *, const char *, char *, size_t);
	int	 (*open)(void *, const char *);
	/* "NAME\1TYPE" of each entry, which the caller frees; or -1. */
	int	 (*names)(void *, const char *, char **, int);
};

/* The working directory itself. */
extern const struct look	 look_plain;

/* Describe the tree; the caller frees it. */
char	*look_text(const struct look *, int);
/* The names sorted, what their order means nothing for; how many, or -1. */
int	 look_names(const struct look *, const char *, char **, int);

#endif
