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
 * Whether two objects are the same to a user.
 */

#ifndef CONTENT_H
#define CONTENT_H

#include "fs.h"

/* A name in a directory, and what was found there. */
struct object {
	int			 dir;
	const char		*name;
	const struct inode	*in;
};

/*
 * Compare two objects of one type: mode, owner, attributes, and the bytes, the
 * text of a link or the number of a device.  Times do not count.  What may not
 * be read is not the same.  1, 0, or -1 and errno.
 */
int	 content_same(const struct object *, const struct object *);

/* The next range that holds data in one of two files of a size; 0: none. */
int	 content_range(int, int, off_t, off_t *, off_t *);

#endif
