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
 * A walk through an upper tree and the lower one that it changes, in the
 * order of the bytes of the paths ("a", "a.b", "a/b"), parents first.
 */

#ifndef WALK_H
#define WALK_H

#include <stddef.h>
#include <stdint.h>

#include "cursor.h"
#include "fs.h"

enum side {
	LOWER,
	UPPER
};

/* Whose entries a directory has for the walk. */
enum walk_mode {
	WALK_MERGED,	/* those of upper; lower is looked up by name */
	WALK_BOTH,	/* those of both: an opaque directory over another */
	WALK_UPPER,	/* there is no lower directory */
	WALK_LOWER	/* there is no upper directory */
};

/* One entry.  What walk_stat() has not filled in is not known. */
struct walk_entry {
	const char	*name;
	const char	*path;
	enum walk_mode	 mode;		/* of the directory it is in */
	size_t		 tag;		/* the caller's, of that directory */
	unsigned char	 type[2];	/* DT_*, from the listing */
	int		 present[2];	/* walk_stat(): 1, 0 */
	struct inode	 in[2];
};

/* A directory that was seen and will be entered when its turn comes. */
struct walk_pending {
	size_t		 name;
	size_t		 tag;
	enum walk_mode	 mode;
};

struct walk_name {
	size_t		 name;		/* offset into names */
	unsigned char	 type[2];
	unsigned char	 listed;	/* bit per side */
};

struct walk_level {
	char			*names;
	size_t			 nameslen;
	size_t			 namessize;
	struct walk_name	*list;
	size_t			 n;
	size_t			 size;
	size_t			 next;
	struct walk_pending	*pending;
	size_t			 npending;
	size_t			 pendingsize;
	size_t			 pathlen;	/* of the directory */
	size_t			 tag;
	enum walk_mode		 mode;
	int			 entered;	/* bit per side */
	int			 blind;		/* lower cannot be searched */
	int			 borrowed;	/* bit per side: mode changed */
	mode_t			 own[2];	/* the mode to put back */
};

struct walk {
	struct cursor		 at[2];
	struct walk_level	*levels;
	size_t			 n;
	size_t			 size;
	char			*path;
	size_t			 pathlen;
	size_t			 pathsize;
	const char		*hidden;	/* a name in the top */
	/*
	 * Asked before the mode of a directory that keeps its owner out is
	 * changed for as long as the walk is in there: 1 to go ahead, 0 to do
	 * without, -1 and errno to end the walk.
	 */
	int			 (*borrow)(enum side, const struct inode *,
				    size_t, void *);
	/* The mode is back; the inode as it is now.  May be NULL. */
	int			 (*returned)(enum side, const struct inode *,
				    size_t, void *);
	/*
	 * A directory below the top was entered; one, perhaps the top, is
	 * about to be left.  May be NULL.
	 */
	int			 (*entered)(const char *, size_t, void *);
	int			 (*leaving)(size_t, void *);
	void			*arg;
};

/* Begin at two directories; walk_close() is due whatever this returns. */
int	 walk_open(struct walk *, int, int, enum walk_mode, size_t);
/* 1 and the next entry, 0 at the end, -1 and errno at walk_path(). */
int	 walk_next(struct walk *, struct walk_entry *);
/* Look an entry up on one side; 1 there, 0 not there, -1 and errno. */
int	 walk_stat(struct walk *, struct walk_entry *, enum side);
/* Enter the directory that was the last entry. */
int	 walk_into(struct walk *, enum walk_mode, size_t);
/* Whether an upper directory hides the lower one: 1, 0, -1 and errno. */
int	 walk_opaque(struct walk *, struct walk_entry *, size_t);
const char	*walk_path(const struct walk *);
/* Put back what was borrowed.  0, or -1 and errno when that failed. */
int	 walk_close(struct walk *);

/* A character device 0:0. */
int	 inode_whiteout(const struct inode *);
/* Whether this process may change the mode. */
int	 inode_own(const struct inode *);
/* Whether its mode denies this process, the owner, some of these bits. */
int	 inode_lacks(const struct inode *, mode_t);

#endif
