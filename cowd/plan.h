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
 * The plan of a commit: every step before the first is taken.
 */

#ifndef PLAN_H
#define PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "branch.h"
#include "fs.h"
#include "shown.h"
#include "walk.h"
#include "xattrs.h"

enum record_kind {
	/* Both sides have it and it stays: its metadata becomes upper's. */
	RECORD_DIR = 1,
	/* Upper's object and lower's change places. */
	RECORD_EXCHANGE,
	/* Upper's object, with all that is in it, moves to lower. */
	RECORD_ADD,
	/* Lower's object, with all that is in it, moves to the trash. */
	RECORD_REMOVE,
	/* Below one of the last three: it moves with that. */
	RECORD_INSIDE,
	/*
	 * Lower by its old names: a directory on the way to one that is seen
	 * in another place, and one that is: that goes to the trash and
	 * from there, by a RECORD_GRAFT, to where it is seen.
	 */
	RECORD_WAY,
	RECORD_TAKE,
	/* The directory that was taken, in its new place: as RECORD_DIR. */
	RECORD_GRAFT,
	/* Only lower has it and it stays; names in it get another file. */
	RECORD_KEEP,
	/* Lower's name becomes one more of a file of upper. */
	RECORD_LINK
};

#define RECORD_ENTRIES		0x01	/* something in it moves */
#define RECORD_XATTRS		0x02	/* content[] differs and is kept */
#define RECORD_WHITEOUT		0x04	/* inside upper: goes before the move */
#define RECORD_TIMES		0x08	/* upper directory that loses those */
#define RECORD_ON_LOWER		0x10	/* RECORD_INSIDE: the side it is on */
#define RECORD_ON_UPPER		0x20
#define RECORD_BORROWED_LOWER	0x40	/* its mode was changed to look in */
#define RECORD_BORROWED_UPPER	0x80
/* Upper's directory does not move with the one it is in, but before. */
#define RECORD_DETACHED		0x100
/* A directory that moves and gets something more after that. */
#define RECORD_OPEN		0x200
#define RECORD_LOSES		0x400	/* lower: something in it is taken */
#define RECORD_SHOWN		0x800	/* the mode is not upper's real one */

/*
 * A record names its object by the record of the directory that it is in,
 * which comes before it; the first one is the working directory itself.
 */
struct record {
	uint8_t		 kind;
	uint16_t	 flags;
	uint32_t	 parent;
	uint32_t	 depth;
	uint32_t	 from;		/* RECORD_GRAFT: its RECORD_TAKE */
	char		*name;
	char		*link;		/* RECORD_LINK: the file, in links */
	struct inode	 in[2];		/* as they were found; ino 0: none */
	struct inode	 copy;		/* staged: what stands for upper's */
	struct shown	 shown;		/* what upper's is in lower */
	struct xattrs	 overlay;	/* on upper's; do not go to lower */
	struct xattrs	 content[2];
};

/* An object of lower whose ctime is a commit's own doing. */
struct touched {
	uint64_t	 ino;
	struct timespec	 ctime;
};

struct plan {
	struct record	*records;
	size_t		 n;
	size_t		 size;
	int		 staged;	/* upper is on another file system */
	int		 extended;	/* the branch is the merged view's */
	int		 state;		/* of the journal; 0: none yet */
	struct touched	*touched;	/* sorted by ino */
	size_t		 ntouched;
};

/*
 * Make the plan.  0, or the number of conflicts, which were named, or -1 with
 * the error filled in.  A journal may have been written in every case (state).
 */
int	 plan_make(struct plan *, const struct branch *,
	    void (*)(enum branch_conflict, const char *, void *), void *,
	    struct branch_error *);
/* A new record, its name copied; its index, or -1 and errno. */
ssize_t	 plan_add(struct plan *, enum record_kind, size_t, const char *);
/* The path of a record, to be freed; NULL when memory is short. */
char	*plan_path(const struct plan *, size_t);
void	 plan_free(struct plan *);

/* Whether a record has an object on a side. */
int	 record_on(const struct record *, enum side);
/* What moves to lower: upper's object or the copy that stands for it. */
const struct inode	*record_moving(const struct plan *,
	    const struct record *);
/* What the directory of a record is on a side, where it has one. */
const struct inode	*record_place(const struct plan *,
	    const struct record *, enum side);
/* Upper's inode with the mode and owner that it gets in lower. */
void	 record_want(const struct record *, struct inode *);

#endif
