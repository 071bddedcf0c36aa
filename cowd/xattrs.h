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
 * The extended attributes of an inode as one sorted block.
 */

#ifndef XATTRS_H
#define XATTRS_H

#include <stddef.h>

/* A name with its NUL, the length of the value (4 bytes), the value; ... */
struct xattrs {
	char	*buf;
	size_t	 len;
};

enum xattrs_kind {
	XATTRS_CONTENT,		/* all but overlayfs's own */
	XATTRS_OVERLAY		/* user.overlay.* */
};

/*
 * Read the attributes of a kind.  A value that may not be read is an error
 * for content and empty for overlayfs's.  0, or -1 and errno.
 */
int	 xattrs_load(int, const char *, enum xattrs_kind, struct xattrs *);
int	 xattrs_same(const struct xattrs *, const struct xattrs *);
/* Whether overlayfs left this one. */
int	 xattrs_has(const struct xattrs *, const char *);
/* The value of one, which has no end of its own; NULL: there is none. */
const char	*xattrs_value(const struct xattrs *, const char *, size_t *);
/* Make the content attributes of an inode (O_PATH) exactly these. */
int	 xattrs_replace(int, const struct xattrs *);
/* Set all of these, remove all of these. */
int	 xattrs_set(int, const struct xattrs *);
int	 xattrs_remove(int, const struct xattrs *);
/* Whether a block that was read from a file has this form. */
int	 xattrs_valid(const struct xattrs *);
void	 xattrs_free(struct xattrs *);

#endif
