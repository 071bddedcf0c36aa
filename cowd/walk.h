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
 * order of the bytes of the paths ("a", "a.b", "a/b"), parents first.  An
 * upper directory may merge with a lower one of another path.
 */

#ifndef WALK_H
#define WALK_H

#include <stddef.h>
#include <stdint.h>

#include "cursor.h"
#include "fs.h"

/*
 * BASE is for those who compare: what an upper directory merges with, where
 * that is not what lower has under the same path.
 */
enum side {
	LOWER,
	UPPER,
	BASE
};
#define SIDES	3

/* Which sides a directory has for the walk, and whose entries. */
#define WALK_HAS(side)		(0x01U << (side))
#define WALK_LISTS(side)	(0x11U << (side))
#define WALK_SHOWS		0x80U	/* what only lower has is seen */
#define WALK_APART		0x100U	/* lower is not what is merged with */

/* The entries of upper; lower is looked up by name. */
#define WALK_MERGED	(WALK_HAS(LOWER) | WALK_LISTS(UPPER))
/* Those of both: an opaque directory over another. */
#define WALK_BOTH	(WALK_LISTS(LOWER) | WALK_LISTS(UPPER))
/* There is no lower directory; there is no upper one. */
#define WALK_UPPER	WALK_LISTS(UPPER)
#define WALK_LOWER	WALK_LISTS(LOWER)
/* As WALK_MERGED and WALK_LOWER, to find names that only lower has. */
#define WALK_ALL	(WALK_BOTH | WALK_SHOWS)
#define WALK_KEPT	(WALK_LOWER | WALK_SHOWS)

/* One entry.  What walk_stat() has not filled in is not known. */
struct walk_entry {
	const char	*name;
	const char	*path;
	unsigned int	 mode;		/* of the directory it is in */
	size_t		 tag;		/* the caller's, of that directory */
	unsigned char	 listed;	/* bit per side */
	unsigned char	 type[SIDES];	/* DT_*, from the listing */
	uint64_t	 ino;		/* lower's, from the listing */
	int		 present[SIDES]; /* walk_stat(): 1, 0 */
	struct inode	 in[SIDES];
};

/* A directory that was seen and will be entered when its turn comes. */
struct walk_pending {
	size_t		 name;
	size_t		 tag;
	unsigned int	 mode;
	char		*jump;		/* or NULL: the path of its base */
};

struct walk_name {
	size_t		 name;		/* offset into names */
	uint64_t	 ino;
	unsigned char	 type[SIDES];
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
	unsigned int		 mode;
	int			 entered;	/* bit per side */
	int			 blind;		/* sides not searched */
	int			 borrowed;	/* bit per side: mode changed */
	mode_t			 own[SIDES];	/* modes to put back */
	int			 jumped;	/* the base is elsewhere */
	struct cursor		 before;	/* where it was */
};

struct walk {
	struct cursor		 at[SIDES];
	int			 lower;		/* the top */
	enum side		 base;		/* LOWER or BASE */
	struct walk_level	*levels;
	size_t			 n;
	size_t			 size;
	char			*path;
	size_t			 pathlen;
	size_t			 pathsize;
	const char		*hidden;	/* a name in the top */
	int			 served;	/* so are those of branchfs */
	/*
	 * Whether a directory of the base shows somewhere else in the view,
	 * so that it is not where it lies.  May be NULL.
	 */
	int			 (*taken)(const struct inode *, void *);
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
int	 walk_open(struct walk *, int, int, unsigned int, size_t);
/* 1 and the next entry, 0 at the end, -1 and errno at walk_path(). */
int	 walk_next(struct walk *, struct walk_entry *);
/* Look an entry up on one side; 1 there, 0 not there, -1 and errno. */
int	 walk_stat(struct walk *, struct walk_entry *, enum side);
/* Enter the directory that was the last entry. */
int	 walk_into(struct walk *, unsigned int, size_t);
/* The same, and its base is another directory, by its path below lower. */
int	 walk_into_at(struct walk *, unsigned int, size_t, const char *);
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
