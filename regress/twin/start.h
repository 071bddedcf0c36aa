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
 * The tree that every sequence of calls begins with.
 */

#ifndef START_H
#define START_H

#include <sys/types.h>

/* Seconds; all times of the first tree. */
#define OLD		1000000000

/* Print errno and abort. */
void	 die(const char *) __attribute__((noreturn));

/* Of as many bytes as a name can have. */
const char	*tree_long_name(void);
/* Make the tree; some of it of another owner if that is not 0. */
void	 tree_put(const char *, uid_t);
/* Give all of a directory, of which the first is the descriptor, old times. */
void	 tree_times(int, const char *);

#endif
