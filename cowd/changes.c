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
 * The list of changes of a branch.  It compares what is seen with lower and
 * reports what a commit would change; it changes nothing, but for the modes of
 * directories of the branch that keep their own user out and get them back.
 * Where a directory of lower is seen in another place, each name in it is
 * compared with what lower has under its new path; elsewhere only the names
 * that upper has are looked at.  A branch that shares nothing with lower is
 * compared name by name.
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
#include "names.h"
#include "redirect.h"
#include "shown.h"
#include "stage.h"
#include "walk.h"

struct changes {
	struct walk	  walk;
	struct redirects  redirects;
	struct names	  names;
	int		  extended;	/* the branch is the merged view's */
	int		(*callback)(const struct branch_change *, void *);
	void		 *arg;
	int		  stop;		/* what the callback returned */
};

/* What an entry was and is; in is NULL where it was or is not. */
struct compared {
	struct object		 old;
	struct object		 new;
	enum side		 side;	/* the new one's: UPPER or BASE */
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

static int
changes_taken(const struct inode *in, void *arg)
{
	const struct changes	*c = arg;

	return (redirects_taken(&c->redirects, in));
}

/* -1 when the callback ends the walk. */
static int
changes_report(struct changes *c, const struct walk_entry *e,
    const struct compared *cmp, char type)
{
	struct branch_change	 bc;

	memset(&bc, 0, sizeof(bc));
	bc.type = type;
	bc.path = e->path;
	bc.name = e->name;
	bc.old = cmp->old.in;
	bc.olddir = bc.old == NULL ? -1 : cmp->old.dir;
	bc.new = cmp->new.in;
	bc.newdir = bc.new == NULL ? -1 : cmp->new.dir;
	bc.newname = cmp->new.name;
	c->stop = c->callback(&bc, c->arg);
	return (c->stop == 0 ? 0 : -1);
}

/* Upper's inode becomes what the workload was shown of it. */
static int
changes_shown(const struct changes *c, int at, const char *name,
    struct inode *in)
{
	struct shown	 sh;

	if (!c->extended)
		return (0);
	if (shown_of(at, name, in, &sh) == -1)
		return (-1);
	in->mode = sh.mode;
	in->uid = sh.uid;
	in->gid = sh.gid;
	return (0);
}

static void
object_set(struct object *o, int dir, const char *name,
    const struct inode *in)
{
	o->dir = dir;
	o->name = name;
	o->in = in;
}

/*
 * A file of lower is seen as it is there, or as the upper file that it has
 * become under another name.
 */
static int
compared_file(struct changes *c, struct walk_entry *e, struct compared *cmp,
    enum side side)
{
	const struct named	*nd = NULL;

	if (!S_ISDIR(e->in[side].mode))
		nd = names_of(&c->names, e->in[side].ino);
	cmp->side = BASE;
	if (nd == NULL) {
		object_set(&cmp->new, cursor_fd(&c->walk.at[side]), e->name,
		    &e->in[side]);
		return (0);
	}
	e->in[UPPER] = nd->in;
	object_set(&cmp->new, c->names.dir, nd->name, &e->in[UPPER]);
	return (changes_shown(c, c->names.dir, nd->name, &e->in[UPPER]));
}

/* What is seen of an entry. */
static int
compared_new(struct changes *c, struct walk_entry *e, struct compared *cmp)
{
	int	 at = cursor_fd(&c->walk.at[UPPER]);

	cmp->new.in = NULL;
	cmp->side = UPPER;
	if (e->present[UPPER]) {
		if (inode_whiteout(&e->in[UPPER]))
			return (0);
		object_set(&cmp->new, at, e->name, &e->in[UPPER]);
		return (changes_shown(c, at, e->name, &e->in[UPPER]));
	}
	if ((e->mode & WALK_APART) != 0)
		return (e->present[BASE] ? compared_file(c, e, cmp, BASE) : 0);
	if ((e->mode & WALK_SHOWS) != 0 && e->present[LOWER])
		return (compared_file(c, e, cmp, LOWER));
	return (0);
}

/*
 * Look an entry up.  A whiteout in a lower directory that cannot be searched
 * was made over something; of the rest it is not known to have been there.
 */
static int
compared_load(struct changes *c, struct walk_entry *e, struct compared *cmp,
    int *unseen)
{
	*unseen = 0;
	if (walk_stat(&c->walk, e, UPPER) == -1)
		return (-1);
	if (walk_stat(&c->walk, e, LOWER) == -1) {
		if (errno != EACCES)
			return (-1);
		*unseen = 1;
	}
	if (walk_stat(&c->walk, e, BASE) == -1 && errno != EACCES)
		return (-1);
	object_set(&cmp->old, cursor_fd(&c->walk.at[LOWER]), e->name,
	    e->present[LOWER] ? &e->in[LOWER] : NULL);
	return (compared_new(c, e, cmp));
}

static int
object_dir(const struct object *o)
{
	return (o->in != NULL && S_ISDIR(o->in->mode));
}

/* How to go on below; 0: there is nothing. */
static int
changes_mode(struct changes *c, struct walk_entry *e,
    const struct compared *cmp, const struct redirect *rd, unsigned int *mode)
{
	int	 opaque, old = object_dir(&cmp->old);

	*mode = old ? WALK_LOWER : 0;
	if (!object_dir(&cmp->new))
		return (0);
	if (rd != NULL) {
		*mode |= WALK_UPPER;
		if (rd->in.ino != 0)
			*mode |= WALK_LISTS(BASE) | WALK_APART;
		return (0);
	}
	if (cmp->side == BASE) {
		if ((e->mode & WALK_APART) != 0)
			*mode |= WALK_LISTS(BASE) | WALK_APART;
		else
			*mode = names_way(&c->names, cmp->new.in->ino) ?
			    WALK_KEPT : 0;
		return (0);
	}
	*mode |= WALK_UPPER;
	/* Below an opaque directory nothing merges. */
	if ((e->mode & WALK_APART) != 0 ? !e->present[BASE] ||
	    !S_ISDIR(e->in[BASE].mode) : !old || e->mode == WALK_BOTH)
		return (0);
	if ((opaque = walk_opaque(&c->walk, e, e->tag)) != 0)
		return (opaque == -1 ? -1 : 0);
	if ((e->mode & WALK_APART) != 0)
		*mode |= WALK_LISTS(BASE) | WALK_APART;
	else
		*mode = names_way(&c->names, cmp->old.in->ino) ? WALK_ALL :
		    WALK_MERGED;
	return (0);
}

static int
changes_below(struct changes *c, struct walk_entry *e,
    const struct compared *cmp)
{
	const struct redirect	*rd = NULL;
	unsigned int		 mode;

	if (cmp->side == UPPER && object_dir(&cmp->new))
		rd = redirects_of(&c->redirects, cmp->new.in);
	if (changes_mode(c, e, cmp, rd, &mode) == -1)
		return (-1);
	if (mode == 0)
		return (0);
	return (walk_into_at(&c->walk, mode, e->tag,
	    (mode & WALK_APART) != 0 && rd != NULL ? rd->path : NULL));
}

/* How an entry has changed; 0: not at all, -1 and errno. */
static int
changes_type(const struct compared *cmp)
{
	const struct inode	*old = cmp->old.in, *new = cmp->new.in;
	int			 same;

	if (old == NULL || new == NULL)
		return (old == new ? 0 : old == NULL ? 'A' : 'D');
	if ((old->mode & S_IFMT) != (new->mode & S_IFMT))
		return ('T');
	/* Lower's own, where it lies. */
	if (cmp->side == BASE && inode_is(old, new))
		return (0);
	if ((same = content_same(&cmp->old, &cmp->new)) == -1)
		return (-1);
	return (same ? 0 : 'M');
}

static int
changes_entry(struct changes *c, struct walk_entry *e)
{
	struct compared	 cmp;
	int		 type, unseen;

	/* Most of what only lower has is not even looked at. */
	if ((e->mode & WALK_SHOWS) != 0 && (e->listed & 1 << UPPER) == 0 &&
	    names_of(&c->names, e->ino) == NULL &&
	    !names_way(&c->names, e->ino))
		return (0);
	if (compared_load(c, e, &cmp, &unseen) == -1 ||
	    (type = changes_type(&cmp)) == -1)
		return (-1);
	if (unseen && type == 0 && e->present[UPPER])
		type = 'D';
	if (type != 0 && changes_report(c, e, &cmp, type) == -1)
		return (-1);
	return (changes_below(c, e, &cmp));
}

/* The working directory itself, whose name no entry has. */
static int
changes_root(struct changes *c, const struct branch *b,
    struct walk_entry *e)
{
	struct compared	 cmp;
	int		 same;

	memset(e, 0, sizeof(*e));
	e->name = "";
	e->path = ".";
	if (fs_stat(b->lower, "", &e->in[LOWER]) == -1 ||
	    fs_stat(b->upper, "", &e->in[UPPER]) == -1 ||
	    changes_shown(c, b->upper, "", &e->in[UPPER]) == -1)
		return (-1);
	object_set(&cmp.old, b->lower, "", &e->in[LOWER]);
	object_set(&cmp.new, b->upper, "", &e->in[UPPER]);
	if ((same = content_same(&cmp.old, &cmp.new)) == -1)
		return (-1);
	return (same ? 0 : changes_report(c, e, &cmp, 'M'));
}

/* What the merged view has beyond overlayfs's format. */
static int
changes_extended(struct changes *c, const struct branch *b)
{
	if (names_load(&c->names, b, c->walk.hidden) == -1)
		return (-1);
	if (c->names.dir == -1)
		return (0);
	c->extended = 1;
	return (redirects_load(&c->redirects, b));
}

/* 0, or -1 with errno or because the callback says so. */
static int
changes_walk(struct changes *c, const struct branch *b)
{
	struct walk_entry	 e;
	int			 more;

	if (changes_extended(c, b) == -1 || changes_root(c, b, &e) == -1 ||
	    walk_open(&c->walk, b->lower, b->upper,
	    b->whole ? WALK_BOTH : names_way(&c->names, e.in[LOWER].ino) ?
	    WALK_ALL : WALK_MERGED, 0) == -1)
		return (-1);
	while ((more = walk_next(&c->walk, &e)) == 1)
		if (changes_entry(c, &e) == -1)
			return (-1);
	return (more);
}

int
branch_changes(const struct branch *b,
    int (*callback)(const struct branch_change *, void *), void *arg,
    struct branch_error *err)
{
	struct changes		 c;
	char			 hidden[NAME_MAX + 1];
	int			 more = -1, ret;

	branch_error_clear(err);
	memset(&c, 0, sizeof(c));
	if ((ret = journal_committed(b)) != 0)
		goto closed;
	c.callback = callback;
	c.arg = arg;
	c.names.dir = -1;
	c.walk.borrow = changes_borrow;
	c.walk.base = BASE;
	c.walk.taken = changes_taken;
	c.walk.hidden = hidden;
	c.walk.served = b->whole;
	c.walk.arg = &c;
	cursor_init(&c.walk.at[LOWER], b->lower);
	cursor_init(&c.walk.at[UPPER], b->upper);
	cursor_init(&c.walk.at[BASE], -1);
	if (staging_name(b, hidden, sizeof(hidden)) == 0)
		more = changes_walk(&c, b);
	if (more == -1 && c.stop == 0)
		branch_error_set(err, errno, "compare", walk_path(&c.walk));
	if (walk_close(&c.walk) == -1 && more == 0) {
		branch_error_set(err, errno, "leave", NULL);
		more = -1;
	}
	redirects_free(&c.redirects);
	names_free(&c.names);
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
	return (change_open(bc->newdir, bc->newname, bc->new));
}
