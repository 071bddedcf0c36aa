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
 * What the workload was shown of an inode of upper whose real mode or owner
 * could not be set.
 */

#ifndef SHOWN_H
#define SHOWN_H

#include "fs.h"
#include "xattrs.h"

struct shown {
	uint32_t	 mode;
	uint32_t	 uid;
	uint32_t	 gid;
};

/* What it is for real. */
void	 shown_real(const struct inode *, struct shown *);
/*
 * By the attributes of an inode: 1 when they say something, 0 when it is as
 * it is for real, -1 and EIO when they cannot be read.
 */
int	 shown_by(const struct xattrs *, const struct inode *, struct shown *);
/* The same, asking for the attribute of a name in a directory. */
int	 shown_of(int, const char *, const struct inode *, struct shown *);
/* What a new inode of this owner may have of it. */
void	 shown_limit(struct shown *, const struct inode *);

#endif
