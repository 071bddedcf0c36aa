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
 * The upper directories that merge with a lower one of another path.
 */

#ifndef REDIRECT_H
#define REDIRECT_H

#include <stddef.h>
#include <stdint.h>

#include "branch.h"
#include "fs.h"

struct redirect {
	uint64_t	 ino;		/* of the upper directory */
	char		*path;		/* of the lower one, below lower */
	struct inode	 in;		/* the lower one; ino 0: it is gone */
	size_t		 record;	/* for the plan */
};

struct redirects {
	struct redirect	*list;		/* by ino */
	size_t		 n;
	size_t		 size;
	uint64_t	*taken;		/* the lower ones, sorted */
	size_t		 ntaken;
	uint64_t	*leads;		/* upper: some lie below, sorted */
	size_t		 nleads;
};

/*
 * Find all of them.  0, or -1 and errno: EIO when the branch says what no
 * branch can mean.  redirects_free() is due in every case.
 */
int	 redirects_load(struct redirects *, const struct branch *);
void	 redirects_free(struct redirects *);
/* The one of an upper directory, or NULL. */
struct redirect	*redirects_of(const struct redirects *, const struct inode *);
/* Whether a lower directory shows in another place. */
int	 redirects_taken(const struct redirects *, const struct inode *);
/* Whether one lies below an upper directory. */
int	 redirects_below(const struct redirects *, const struct inode *);

#endif
