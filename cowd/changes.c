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
 * The list of changes of a branch.  It compares what overlayfs left in upper
 * with lower and reports what a commit would change; it changes nothing, but
 * for the modes of directories of the branch that keep their own user out
 * and get them back.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "branch.h"
#include "content.h"
#include "fs.h"
#include "journal.h"
#include "stage.h"
#include "walk.h"

struct changes {
	struct walk	  walk;
	int		(*callback)(const struct branch_change *, void *);
	void		 *arg;
	int		  stop;		/* what the callback returned */
};

/* In the branch a mode may be borrowed; lower is only looked at. */
static int
changes_borrow(enum side side, const struct inode *in, size_t tag, void *arg)
{
	(void)in;
	(void)tag;
	(void)arg;
	return (side == UPPER);
}

/* -1 when the callback ends the walk. */
static int
changes_report(struct changes *c, const struct walk_entry *e, char type)
{
	struct branch_change	 bc;

	memset(&bc, 0, sizeof(bc));
	bc.type = type;
	bc.path = e->path;
	bc.name = e->name;
	bc.olddir = bc.newdir = -1;
	if (type != 'A' && e->present[LOWER]) {
		bc.old = &e->in[LOWER];
		bc.olddir = cursor_fd(&c->walk.at[LOWER]);
	}
	if (type != 'D' && e->present[UPPER]) {
		bc.new = &e->in[UPPER];
		bc.newdir = cursor_fd(&c->walk.at[UPPER]);
	}
	c->stop = c->callback(&bc, c->arg);
	return (c->stop == 0 ? 0 : -1);
}

/* A lower object is gone from the merged view. */
static int
changes_deleted(struct changes *c, const struct walk_entry *e)
{
	if (changes_report(c, e, 'D') == -1)
		return (-1);
	if (e->present[LOWER] && S_ISDIR(e->in[LOWER].mode))
		return (walk_into(&c->walk, WALK_LOWER, e->tag));
	return (0);
}

static int
changes_added(struct changes *c, const struct walk_entry *e)
{
	if (changes_report(c, e, 'A') == -1)
		return (-1);
	if (S_ISDIR(e->in[UPPER].mode))
		return (walk_into(&c->walk, WALK_UPPER, e->tag));
	return (0);
}

/* Of another type: what was below a directory is deleted. */
static int
changes_retyped(struct changes *c, const struct walk_entry *e)
{
	if (changes_report(c, e, 'T') == -1)
		return (-1);
	if (S_ISDIR(e->in[UPPER].mode))
		return (walk_into(&c->walk, WALK_UPPER, e->tag));
	if (S_ISDIR(e->in[LOWER].mode))
		return (walk_into(&c->walk, WALK_LOWER, e->tag));
	return (0);
}

/* Both sides have an object of one type. */
static int
changes_compared(struct changes *c, struct walk_entry *e)
{
	int	 opaque, same;

	same = content_same(cursor_fd(&c->walk.at[LOWER]),
	    cursor_fd(&c->walk.at[UPPER]), e->name, &e->in[LOWER],
	    &e->in[UPPER]);
	if (same == -1)
		return (-1);
	if (!same && changes_report(c, e, 'M') == -1)
		return (-1);
	if (!S_ISDIR(e->in[UPPER].mode))
		return (0);
	/* Below an opaque directory nothing merges. */
	if (e->mode == WALK_BOTH)
		return (walk_into(&c->walk, WALK_BOTH, e->tag));
	if ((opaque = walk_opaque(&c->walk, e, e->tag)) == -1)
		return (-1);
	return (walk_into(&c->walk, opaque ? WALK_BOTH : WALK_MERGED, e->tag));
}

/*
 * An entry of a lower directory that could not be searched: a whiteout is
 * only made over something, the rest is not known to have been there.
 */
static int
changes_unseen(struct changes *c, const struct walk_entry *e)
{
	if (inode_whiteout(&e->in[UPPER]))
		return (changes_report(c, e, 'D'));
	return (changes_added(c, e));
}

static int
changes_entry(struct changes *c, struct walk_entry *e)
{
	int	 lower;

	if (walk_stat(&c->walk, e, UPPER) == -1)
		return (-1);
	if ((lower = walk_stat(&c->walk, e, LOWER)) == -1) {
		if (errno != EACCES || !e->present[UPPER])
			return (-1);
		return (changes_unseen(c, e));
	}
	if (!e->present[UPPER] || inode_whiteout(&e->in[UPPER])) {
		if (!lower)
			return (0);
		e->present[UPPER] = 0;
		return (changes_deleted(c, e));
	}
	if (!lower)
		return (changes_added(c, e));
	if ((e->in[LOWER].mode & S_IFMT) != (e->in[UPPER].mode & S_IFMT))
		return (changes_retyped(c, e));
	return (changes_compared(c, e));
}

/* The working directory itself, whose name no entry has. */
static int
changes_root(struct changes *c, const struct branch *b)
{
	struct walk_entry	 e;
	int			 same;

	memset(&e, 0, sizeof(e));
	e.name = "";
	e.path = ".";
	if (fs_stat(b->lower, "", &e.in[LOWER]) == -1 ||
	    fs_stat(b->upper, "", &e.in[UPPER]) == -1)
		return (-1);
	e.present[LOWER] = e.present[UPPER] = 1;
	if ((same = content_same(b->lower, b->upper, "", &e.in[LOWER],
	    &e.in[UPPER])) == -1)
		return (-1);
	return (same ? 0 : changes_report(c, &e, 'M'));
}

int
branch_changes(const struct branch *b,
    int (*callback)(const struct branch_change *, void *), void *arg,
    struct branch_error *err)
{
	struct changes		 c;
	struct walk_entry	 e;
	char			 hidden[NAME_MAX + 1];
	int			 more = -1, ret;

	branch_error_clear(err);
	memset(&c, 0, sizeof(c));
	if ((ret = journal_committed(b)) != 0)
		goto closed;
	c.callback = callback;
	c.arg = arg;
	c.walk.borrow = changes_borrow;
	c.walk.hidden = hidden;
	cursor_init(&c.walk.at[LOWER], b->lower);
	cursor_init(&c.walk.at[UPPER], b->upper);
	if (stage_name(b, hidden, sizeof(hidden)) == 0 &&
	    changes_root(&c, b) == 0 &&
	    walk_open(&c.walk, b->lower, b->upper, WALK_MERGED, 0) == 0)
		while ((more = walk_next(&c.walk, &e)) == 1)
			if (changes_entry(&c, &e) == -1) {
				more = -1;
				break;
			}
	if (more == -1 && c.stop == 0)
		branch_error_set(err, errno, "compare", walk_path(&c.walk));
	if (walk_close(&c.walk) == -1 && more == 0) {
		branch_error_set(err, errno, "leave", NULL);
		more = -1;
	}
	return (c.stop != 0 ? c.stop : more);
 closed:
	if (ret == -1)
		branch_error_set(err, errno, "look for a journal", NULL);
	return (ret == -1 ? -1 : 0);
}

static int
change_open(int dir, const char *name, const struct inode *want)
{
	struct inode	 in;
	int		 fd;

	if (want == NULL || !S_ISREG(want->mode)) {
		errno = ENOENT;
		return (-1);
	}
	if ((fd = fs_read_open(dir, name)) == -1)
		return (-1);
	if (fs_stat(fd, "", &in) == -1)
		goto fail;
	if (!inode_is(&in, want)) {
		errno = ESTALE;
		goto fail;
	}
	return (fd);
 fail:
	close(fd);
	return (-1);
}

int
branch_open_old(const struct branch_change *bc)
{
	return (change_open(bc->olddir, bc->name, bc->old));
}

int
branch_open_new(const struct branch_change *bc)
{
	return (change_open(bc->newdir, bc->name, bc->new));
}
