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
 * Files of lower that have several names, some of which upper does not have.
 */

#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "branch.h"
#include "fs.h"

/* "L", numbers in hex. */
#define NAMES_SIZE	64

struct named {
	uint64_t	 ino;			/* of the lower file */
	struct inode	 in;			/* what it has become */
	char		 name[NAMES_SIZE];	/* of that, in links */
};

struct names {
	int		 dir;		/* the links of the branch, or -1 */
	struct named	*list;		/* by ino */
	size_t		 n;
	size_t		 size;
	uint64_t	*ways;		/* lower directories with such names */
	size_t		 nways;
};

/*
 * Find the files and, when there are any, the directories of lower through
 * which a way leads to one of their names.  0, or -1 and errno;
 * names_free() is due in every case.
 */
int	 names_load(struct names *, const struct branch *, const char *);
void	 names_free(struct names *);
const struct named	*names_of(const struct names *, uint64_t);
int	 names_way(const struct names *, uint64_t);
/* The directory links of a branch: O_PATH; -1 and ENOENT. */
int	 names_open(const struct branch *);

#endif
