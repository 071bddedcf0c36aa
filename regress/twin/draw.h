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
 * Random numbers and paths; the same seed gives the same ones.
 */

#ifndef DRAW_H
#define DRAW_H

#include <sys/types.h>

/* The longest path, and its NUL. */
#define DRAW_PATH	640
/*
 * Most names that are drawn blindly do not exist.  So most paths of a first run
 * are drawn from what is there by then and become text.
 */
#define LIVE_MAX	256

void		 draw_seed(unsigned int);
unsigned int	 draw(unsigned int);
void		 draw_path(char *, size_t);
int		 live_list(const char *, char **, int);
void		 live_path(char *, size_t, unsigned int, int, char *const *,
		    int);

#endif
