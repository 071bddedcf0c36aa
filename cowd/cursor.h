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
 * A position in a directory tree of any depth, with few descriptors.
 */

#ifndef CURSOR_H
#define CURSOR_H

#include <stddef.h>
#include <stdint.h>

struct cursor_level {
	int		 fd;		/* -1: closed, reached by ".." again */
	uint64_t	 dev;
	uint64_t	 ino;
};

struct cursor {
	int			 top;	/* the caller's */
	struct cursor_level	*levels;	/* below top */
	size_t			 n;
	size_t			 size;
	size_t			 first;	/* the levels from here on are open */
};

void	 cursor_init(struct cursor *, int);
/* The directory where it is: O_PATH below top, borrowed. */
int	 cursor_fd(const struct cursor *);
/* Go down to a directory that fs_enter() opened; fd is then the cursor's. */
int	 cursor_enter(struct cursor *, int);
/* Go up.  -1 and ESTALE when the directory above is another one by now. */
int	 cursor_leave(struct cursor *);
/*
 * Whether the directory still has its name in the one above: 0, or -1 and
 * ESTALE.  Of top nothing above is known.
 */
int	 cursor_check(const struct cursor *, const char *);
/* Keep no more than one descriptor open. */
void	 cursor_rest(struct cursor *);
void	 cursor_free(struct cursor *);

#endif
