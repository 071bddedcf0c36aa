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
 * The steps of a commit.  Each is one rename or a change of metadata, and
 * whether it was taken is seen by the identity of the objects alone, so that
 * any of them can be taken, or taken back, again after a crash.  Nothing is
 * removed here but whiteouts below what moves: what a step takes out of lower
 * is still there when it has to be taken back.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <linux/fs.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "journal.h"
#include "names.h"
#include "place.h"
#include "stage.h"
#include "steps.h"

#define TRASH_NAME	"trash"

struct steps {
	const struct branch	*branch;
	struct plan		*plan;
	struct place		 at[2];
	int			 stage;		/* -1: not staged, or gone */
	int			 trash;		/* -1: there is none */
	int			 links;		/* -1: there are none */
	int			 fresh;
	int			 undoing;
	unsigned char		*moved;		/* by record, with its top */
	struct touched		*touched;	/* put back, in lower */
	size_t			 ntouched;
	struct branch_error	*err;
	int			 failed;
};

/* Where the two ends of a step are. */
struct ends {
	int		 lower;
	int		 other;
	const char	*name;
	const char	*othername;
	struct inode	 in[2];		/* lower, other; ino 0: none */
	const struct inode *was;	/* what lower had */
	struct inode	 moving;	/* what upper has for it */
	char		 number[STAGING_NAME_SIZE];
};

/* Remember the first failure. */
static int
steps_fail(struct steps *s, size_t i, const char *what)
{
	char	*path;
	int	 error = errno;

	if (!s->failed) {
		path = plan_path(s->plan, i);
		branch_error_set(s->err, error, what, path);
		free(path);
	}
	s->failed = 1;
	return (-1);
}

static int
steps_open(struct steps *s, const struct branch *b, struct plan *p,
    struct branch_error *err)
{
	memset(s, 0, sizeof(*s));
	s->branch = b;
	s->plan = p;
	s->err = err;
	place_init(&s->at[LOWER], p, LOWER, b->lower, &s->trash);
	place_init(&s->at[UPPER], p, UPPER, b->upper, &s->trash);
	s->stage = s->trash = s->links = -1;
	if ((s->moved = calloc(p->n, 1)) == NULL ||
	    (s->touched = reallocarray(NULL, p->n,
	    sizeof(*s->touched))) == NULL)
		return (steps_fail(s, 0, "allocate"));
	if ((s->links = names_open(b)) == -1 && errno != ENOENT)
		return (steps_fail(s, 0, "open the links"));
	if (p->staged) {
		if ((s->stage = staging_open(b)) == -1 && errno != ENOENT)
			return (steps_fail(s, 0, "open the staging directory"));
		s->trash = s->stage;
	} else if ((s->trash = fs_enter(b->dir, TRASH_NAME)) == -1 &&
	    errno != ENOENT)
		return (steps_fail(s, 0, "open the trash"));
	return (0);
}

static void
steps_close(struct steps *s)
{
	place_free(&s->at[LOWER]);
	place_free(&s->at[UPPER]);
	free(s->moved);
	free(s->touched);
	if (s->trash != -1 && s->trash != s->stage)
		close(s->trash);
	if (s->stage != -1)
		close(s->stage);
	if (s->links != -1)
		close(s->links);
}

/* Directories are not where they were. */
static void
steps_moved(struct steps *s)
{
	place_restart(&s->at[LOWER]);
	place_restart(&s->at[UPPER]);
}

/* Whether a record's object on a side is a directory there. */
static int
record_dir(const struct record *r, enum side side)
{
	return (record_on(r, side) && S_ISDIR(r->in[side].mode));
}

/* Whether upper's and lower's directories are both there and stay two. */
static int
record_merges(const struct record *r)
{
	return (r->kind == RECORD_DIR || r->kind == RECORD_GRAFT);
}

/* Whether upper itself, not a copy of it, takes part in the steps. */
static int
record_upper(const struct steps *s, const struct record *r)
{
	return (record_on(r, UPPER) && (!s->plan->staged ||
	    record_merges(r) || (r->flags & RECORD_BORROWED_UPPER) != 0));
}

/* Let the owner into the directory of a record. */
static int
directory_open(struct steps *s, size_t i, enum side side)
{
	struct inode	 in;
	int		 fd;

	if ((fd = place_goto(&s->at[side], i)) == -1 ||
	    fs_stat(fd, "", &in) == -1)
		return (steps_fail(s, i, "enter"));
	if (inode_lacks(&in, S_IRWXU) && fs_chmod(fd, in.mode | S_IRWXU) == -1)
		return (steps_fail(s, i, "make accessible"));
	return (0);
}

/* Make a directory's metadata what it was found to be on one side. */
static int
directory_set(int fd, const struct inode *want, const struct xattrs *xattrs,
    int atime)
{
	struct inode	 in;

	if (fs_stat(fd, "", &in) == -1 ||
	    (xattrs != NULL && xattrs_replace(fd, xattrs) == -1))
		return (-1);
	if ((in.uid != want->uid || in.gid != want->gid) &&
	    fs_chown(fd, want->uid, want->gid) == -1)
		return (-1);
	if (fs_stat(fd, "", &in) == -1 ||
	    (in.mode != want->mode && fs_chmod(fd, want->mode) == -1))
		return (-1);
	/* Of a directory that is not ours only the kernel sets the times. */
	if ((timespeccmp(&in.mtime, &want->mtime, !=) ||
	    (atime && timespeccmp(&in.atime, &want->atime, !=))) &&
	    fs_utimes(fd, want) == -1 && (errno != EPERM || inode_own(&in)))
		return (-1);
	return (0);
}

/*
 * An object of upper as a descriptor, when it is still the one of the plan;
 * the caller closes it.
 */
static int
object_open(struct steps *s, size_t i, struct inode *in)
{
	const struct record	*r = &s->plan->records[i];
	int			 at, fd;

	if ((at = r->kind == RECORD_LINK ? s->links :
	    place_goto(&s->at[UPPER], r->parent)) == -1 ||
	    (fd = fs_node(at, r->kind == RECORD_LINK ? r->link :
	    r->name)) == -1)
		return (-1);
	if (fs_stat(fd, "", in) == -1 || !inode_is(in, &r->in[UPPER])) {
		close(fd);
		errno = ESTALE;
		return (-1);
	}
	return (fd);
}

/*
 * Take overlayfs's attributes off or put them on.  They need the right to
 * write, which the object may deny its owner; a file gets its mode back here,
 * a directory later because something below it may be next.
 */
static int
object_overlay(struct steps *s, size_t i, int (*change)(int,
    const struct xattrs *))
{
	const struct record	*r = &s->plan->records[i];
	const mode_t		 rw = S_IRUSR | S_IWUSR;
	const mode_t		 mode = s->undoing ? r->in[UPPER].mode :
				    r->shown.mode;
	struct inode		 in;
	int			 fd, error, ret;

	if ((fd = object_open(s, i, &in)) == -1)
		return (-1);
	ret = change(fd, &r->overlay);
	if (ret == -1 && errno == EACCES && inode_lacks(&in, rw) &&
	    (ret = fs_chmod(fd, in.mode | rw)) == 0) {
		ret = change(fd, &r->overlay);
		in.mode |= rw;
	}
	error = errno;
	if (!S_ISDIR(in.mode) && !S_ISLNK(in.mode) && in.mode != mode &&
	    fs_chmod(fd, mode) == -1 && ret == 0) {
		error = errno;
		ret = -1;
	}
	close(fd);
	errno = error;
	return (ret);
}

/* Before it moves: what is overlayfs's goes. */
static int
object_clean(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	int			 at;

	if ((r->flags & RECORD_WHITEOUT) != 0) {
		if ((at = place_goto(&s->at[UPPER], r->parent)) == -1 ||
		    (fs_unlink(at, r->name) == -1 && errno != ENOENT))
			return (steps_fail(s, i, "remove a whiteout"));
		return (0);
	}
	if (record_dir(r, UPPER) && inode_lacks(&r->in[UPPER], S_IRWXU) &&
	    directory_open(s, i, UPPER) == -1)
		return (-1);
	if (r->overlay.len > 0 &&
	    object_overlay(s, i, xattrs_remove) == -1)
		return (steps_fail(s, i, "remove attributes"));
	return (0);
}

/*
 * Whether what a record moves to lower is there since an earlier try: 1, 0,
 * or -1.  The directory it goes to need not be, when that moves, too.
 */
static int
object_moved(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	const struct record	*parent = &s->plan->records[r->parent];
	struct inode		 in;
	int			 at;

	if ((at = place_goto(&s->at[LOWER], r->parent)) == -1) {
		if (errno == ESTALE && (parent->flags & RECORD_OPEN) != 0)
			return (0);
		return (steps_fail(s, i, "enter"));
	}
	if (fs_stat(at, r->name, &in) == -1) {
		if (errno != ENOENT)
			return (steps_fail(s, i, "look up"));
		return (0);
	}
	return (inode_is(&in, record_moving(s->plan, r)));
}

/*
 * The upper directory of a graft waits in the trash where the one above it
 * moves: lower's directory gets its place there.
 */
static int
shell_detach(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct inode		 in;
	char			 name[STAGING_NAME_SIZE];
	int			 at;

	staging_shell(i, name);
	if (!s->fresh) {
		if (fs_stat(s->trash, name, &in) == 0)
			return (0);
		if (errno != ENOENT)
			return (-1);
	}
	if ((at = place_goto(&s->at[UPPER], r->parent)) == -1 ||
	    fs_rename(at, r->name, s->trash, name, RENAME_NOREPLACE) == -1)
		return (-1);
	steps_moved(s);
	return (0);
}

/* And back, when the one above it is back. */
static int
shell_attach(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct inode		 in;
	char			 name[STAGING_NAME_SIZE];
	int			 at;

	if (s->trash == -1)
		return (0);
	staging_shell(i, name);
	if (fs_stat(s->trash, name, &in) == -1)
		return (errno == ENOENT ? 0 : -1);
	if ((at = place_goto(&s->at[UPPER], r->parent)) == -1 ||
	    fs_rename(s->trash, name, at, r->name, RENAME_NOREPLACE) == -1)
		return (-1);
	steps_moved(s);
	return (0);
}

/* One more name of a file of upper, for the exchange. */
static int
link_prepare(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	char			 name[STAGING_NAME_SIZE];

	if (r->overlay.len > 0 && object_overlay(s, i, xattrs_remove) == -1)
		return (steps_fail(s, i, "remove attributes"));
	staging_object(i, name);
	if (fs_link(s->links, r->link, s->trash, name) == -1 &&
	    (s->fresh || errno != EEXIST))
		return (steps_fail(s, i, "link"));
	return (0);
}

/* Something is put into it, or taken from it. */
static int
prepare_lower(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];

	/* Lower may have its new mode already. */
	if (!inode_lacks(&r->in[LOWER], S_IRWXU) && (s->fresh ||
	    !record_on(r, UPPER) || !inode_lacks(&r->in[UPPER], S_IRWXU)))
		return (0);
	return (directory_open(s, i, LOWER));
}

static int
prepare_merges(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];

	if (prepare_lower(s, i) == -1)
		return (-1);
	if (s->plan->staged)
		return (0);
	if ((r->flags & RECORD_DETACHED) != 0 && shell_detach(s, i) == -1)
		return (steps_fail(s, i, "detach"));
	if (inode_lacks(&r->in[UPPER], S_IRWXU))
		return (directory_open(s, i, UPPER));
	return (0);
}

static int
prepare_moves(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	int			 moved;

	if (r->kind == RECORD_INSIDE)
		s->moved[i] = s->moved[r->parent];
	else if (!s->fresh) {
		if ((moved = object_moved(s, i)) == -1)
			return (-1);
		s->moved[i] = moved;
	}
	if (s->moved[i] || s->plan->staged || !record_on(r, UPPER))
		return (0);
	return (r->kind == RECORD_LINK ? link_prepare(s, i) :
	    object_clean(s, i));
}

/*
 * By the old names, and only while nothing was taken: what comes later has
 * found these ways open.
 */
static int
prepare_way(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	int			 fd;

	if ((r->flags & RECORD_LOSES) == 0 ||
	    !inode_lacks(&r->in[LOWER], S_IRWXU))
		return (0);
	if ((fd = place_goto(&s->at[LOWER], i)) == -1 && errno == ESTALE &&
	    !s->fresh)
		return (0);
	return (directory_open(s, i, LOWER));
}

/*
 * Make every directory usable and clean what will move.  When anything has
 * moved already, all of this was done.
 */
static int
forward_prepare(struct steps *s, size_t i)
{
	switch (s->plan->records[i].kind) {
	case RECORD_DIR:
	case RECORD_GRAFT:
		return (prepare_merges(s, i));
	case RECORD_KEEP:
		return (prepare_lower(s, i));
	case RECORD_WAY:
	case RECORD_TAKE:
		return (prepare_way(s, i));
	case RECORD_REMOVE:
		return (0);
	default:
		return (prepare_moves(s, i));
	}
}

/*
 * Give the directories below what moves their own mode and times back, unless
 * something is put into them later.
 */
static int
forward_settle(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct inode		 want;
	int			 fd;

	if (record_merges(r) || s->moved[i] || s->plan->staged ||
	    (r->flags & RECORD_OPEN) != 0 || !record_dir(r, UPPER) ||
	    (!inode_lacks(&r->in[UPPER], S_IRWXU) &&
	    (r->flags & (RECORD_TIMES | RECORD_SHOWN)) == 0))
		return (0);
	record_want(r, &want);
	if ((fd = place_goto(&s->at[UPPER], i)) == -1 ||
	    directory_set(fd, &want, NULL,
	    (r->flags & RECORD_TIMES) != 0) == -1)
		return (steps_fail(s, i, "restore"));
	return (0);
}

static int
end_stat(int at, const char *name, struct inode *in)
{
	memset(in, 0, sizeof(*in));
	if (at == -1)
		return (0);
	if (fs_stat(at, name, in) == -1) {
		memset(in, 0, sizeof(*in));
		return (errno == ENOENT ? 0 : -1);
	}
	return (0);
}

/*
 * Find both ends of a step: lower's name, and upper's, the staged copy's or
 * the trash's.  A directory that was moved elsewhere is found out here too.
 */
static int
step_ends(struct steps *s, size_t i, struct ends *e)
{
	const struct record	*r = &s->plan->records[i];

	e->name = e->othername = r->name;
	if ((e->lower = place_goto(&s->at[LOWER], r->parent)) == -1 ||
	    place_check(&s->at[LOWER]) == -1)
		return (-1);
	if (s->plan->staged || r->kind == RECORD_REMOVE ||
	    r->kind == RECORD_TAKE || r->kind == RECORD_GRAFT ||
	    r->kind == RECORD_LINK) {
		staging_object(r->kind == RECORD_GRAFT ? r->from : i,
		    e->number);
		e->othername = e->number;
		/* The staging directory is both. */
		e->other = s->trash;
	} else if ((e->other = place_goto(&s->at[UPPER], r->parent)) == -1)
		return (-1);
	e->was = &r->in[LOWER];
	e->moving = *record_moving(s->plan, r);
	/* Its mode was set before. */
	if (!s->plan->staged && (r->flags & RECORD_SHOWN) != 0)
		e->moving.mode = r->shown.mode;
	if (end_stat(e->lower, e->name, &e->in[0]) == -1 ||
	    end_stat(e->other, e->othername, &e->in[1]) == -1)
		return (-1);
	return (0);
}

/* Whether lower's name, or the other, is of a certain object. */
static int
is(const struct inode *in, const struct inode *what)
{
	return (in->ino != 0 && inode_is(in, what));
}

/*
 * A directory that changes its parent is written to (".."): one that denies
 * that to its owner allows it for the moment of the rename.
 */
static int
end_mode(int at, const char *name, const struct inode *was, int open)
{
	struct inode	 in;
	int		 fd, ret = -1, error;

	if (!S_ISDIR(was->mode) || !inode_lacks(was, S_IWUSR))
		return (0);
	if ((fd = fs_enter(at, name)) == -1)
		return (-1);
	if (fs_stat(fd, "", &in) == -1)
		goto done;
	if (!inode_is(&in, was))
		errno = ESTALE;
	else
		ret = fs_chmod(fd, open ? was->mode | S_IRWXU : was->mode);
 done:
	error = errno;
	close(fd);
	errno = error;
	return (ret);
}

/*
 * Whether lower's object is as the plan found it.  The time of change tells
 * all, unless steps for its other names or for its mode have moved it.
 */
static int
end_unchanged(const struct steps *s, const struct record *r,
    const struct inode *in)
{
	const struct inode	*was = &r->in[LOWER];

	/* The times of this one are the commit's own doing. */
	if ((r->flags & RECORD_LOSES) != 0)
		return (1);
	if (s->fresh && (S_ISDIR(in->mode) || in->nlink == 1))
		return (timespeccmp(&in->ctime, &was->ctime, ==));
	return (timespeccmp(&in->mtime, &was->mtime, ==) &&
	    (S_ISDIR(in->mode) || in->size == was->size));
}

static int
stale(void)
{
	errno = ESTALE;
	return (-1);
}

/* Change places, and back when it was not what it had to be. */
static int
exchange(struct ends *e, const struct inode *lower, const struct inode *other)
{
	struct inode	 in[2];

	if (end_mode(e->lower, e->name, lower, 1) == -1 ||
	    end_mode(e->other, e->othername, other, 1) == -1 ||
	    fs_rename(e->other, e->othername, e->lower, e->name,
	    RENAME_EXCHANGE) == -1)
		return (-1);
	if (end_stat(e->lower, e->name, &in[0]) == -1 ||
	    end_stat(e->other, e->othername, &in[1]) == -1)
		return (-1);
	if (!inode_is(&in[0], other) || !inode_is(&in[1], lower)) {
		if (fs_rename(e->other, e->othername, e->lower, e->name,
		    RENAME_EXCHANGE) == -1)
			return (-1);
		return (stale());
	}
	if (end_mode(e->lower, e->name, other, 0) == -1 ||
	    end_mode(e->other, e->othername, lower, 0) == -1)
		return (-1);
	return (0);
}

/* Move from one end to the other, and back if it was something else. */
static int
move(int from, const char *name, int to, const char *toname,
    const struct inode *want)
{
	struct inode	 in;

	if (end_mode(from, name, want, 1) == -1 ||
	    fs_rename(from, name, to, toname, RENAME_NOREPLACE) == -1 ||
	    end_stat(to, toname, &in) == -1)
		return (-1);
	if (!inode_is(&in, want)) {
		if (fs_rename(to, toname, from, name, RENAME_NOREPLACE) == -1)
			return (-1);
		return (stale());
	}
	return (end_mode(to, toname, want, 0));
}

static int
forward_exchange(struct steps *s, const struct record *r, struct ends *e)
{
	/* Somebody may have replaced lower's again since. */
	if (!s->fresh && is(&e->in[1], e->was)) {
		if (end_mode(e->other, e->othername, e->was, 0) == -1)
			return (-1);
		if (!is(&e->in[0], &e->moving))
			return (0);
		return (end_mode(e->lower, e->name, &e->moving, 0));
	}
	if (!is(&e->in[0], e->was) || !is(&e->in[1], &e->moving) ||
	    !end_unchanged(s, r, &e->in[0]))
		return (stale());
	return (exchange(e, e->was, &e->moving));
}

static int
forward_add(struct steps *s, struct ends *e, const struct inode *moving)
{
	if (!s->fresh && e->in[1].ino == 0) {
		if (!is(&e->in[0], moving))
			return (0);
		return (end_mode(e->lower, e->name, moving, 0));
	}
	if (!is(&e->in[1], moving))
		return (stale());
	return (move(e->other, e->othername, e->lower, e->name, moving));
}

static int
forward_remove(struct steps *s, const struct record *r, struct ends *e)
{
	if (!s->fresh && is(&e->in[1], e->was))
		return (end_mode(e->other, e->othername, e->was, 0));
	if (!is(&e->in[0], e->was) || !end_unchanged(s, r, &e->in[0]))
		return (stale());
	return (move(e->lower, e->name, e->other, e->othername, e->was));
}

/*
 * A directory that was taken before is in the trash, or where it belongs by
 * now: then its old place need not even be there.
 */
static int
forward_take(struct steps *s, size_t i)
{
	struct ends	 e;

	if (step_ends(s, i, &e) == -1) {
		if (errno == ESTALE && !s->fresh)
			return (0);
		return (steps_fail(s, i, "find"));
	}
	if (is(&e.in[0], e.was)) {
		if (move(e.lower, e.name, e.other, e.othername, e.was) == -1)
			return (steps_fail(s, i, "take"));
		steps_moved(s);
		return (0);
	}
	if (s->fresh)
		errno = ESTALE;
	else if (!is(&e.in[1], e.was) ||
	    end_mode(e.other, e.othername, e.was, 0) == 0)
		return (0);
	return (steps_fail(s, i, "take"));
}

/* Once it is there, things are put into it. */
static int
forward_graft(struct steps *s, size_t i, struct ends *e)
{
	const struct record	*r = &s->plan->records[i];

	if (!is(&e->in[0], e->was) || s->fresh) {
		if (!is(&e->in[1], e->was))
			return (stale());
		if (move(e->other, e->othername, e->lower, e->name,
		    e->was) == -1)
			return (-1);
	}
	steps_moved(s);
	if (!inode_lacks(&r->in[LOWER], S_IRWXU) &&
	    !inode_lacks(&r->in[UPPER], S_IRWXU))
		return (0);
	return (directory_open(s, i, LOWER));
}

/* A directory that has moved and gets more: its mode waits until then. */
static int
forward_open(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct inode		 want;

	if ((r->flags & RECORD_OPEN) == 0)
		return (0);
	record_want(r, &want);
	if (!inode_lacks(&want, S_IRWXU) &&
	    !inode_lacks(record_moving(s->plan, r), S_IRWXU))
		return (0);
	return (directory_open(s, i, LOWER));
}

static int
forward_move(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct ends		 e;

	switch (r->kind) {
	case RECORD_DIR:
	case RECORD_KEEP:
	case RECORD_WAY:
	case RECORD_TAKE:
		return (0);
	case RECORD_INSIDE:
		return (forward_open(s, i));
	}
	if (step_ends(s, i, &e) == -1)
		return (steps_fail(s, i, "find"));
	switch (r->kind) {
	case RECORD_LINK:
	case RECORD_EXCHANGE:
		if (forward_exchange(s, r, &e) == -1)
			return (steps_fail(s, i, "exchange"));
		return (0);
	case RECORD_ADD:
		if (forward_add(s, &e, &e.moving) == -1)
			return (steps_fail(s, i, "add"));
		return (forward_open(s, i));
	case RECORD_GRAFT:
		if (forward_graft(s, i, &e) == -1)
			return (steps_fail(s, i, "put in place"));
		return (0);
	default:
		if (forward_remove(s, r, &e) == -1)
			return (steps_fail(s, i, "remove"));
		return (0);
	}
}

/* Of the directories that stay, and of those that have got something since. */
static int
forward_metadata(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct inode		 want;
	int			 fd;

	if (r->kind == RECORD_KEEP)
		want = r->in[LOWER];
	else if (record_merges(r) || (r->flags & RECORD_OPEN) != 0)
		record_want(r, &want);
	else
		return (0);
	if ((fd = place_goto(&s->at[LOWER], i)) == -1 ||
	    place_check(&s->at[LOWER]) == -1 ||
	    directory_set(fd, &want, (r->flags & RECORD_XATTRS) != 0 ?
	    &r->content[UPPER] : NULL, 1) == -1)
		return (steps_fail(s, i, "set the metadata"));
	return (0);
}

/* The trash, where the plan puts anything there. */
static int
forward_trash(struct steps *s)
{
	size_t	 i;
	int	 kind;

	if (s->plan->staged || s->trash != -1)
		return (0);
	for (i = 0; i < s->plan->n; i++) {
		kind = s->plan->records[i].kind;
		if (kind == RECORD_REMOVE || kind == RECORD_TAKE ||
		    kind == RECORD_LINK)
			break;
	}
	if (i == s->plan->n)
		return (0);
	if (fs_mkdir(s->branch->dir, TRASH_NAME) == -1 ||
	    (s->trash = fs_enter(s->branch->dir, TRASH_NAME)) == -1)
		return (steps_fail(s, i, "make the trash"));
	return (0);
}

static int
forward_all(struct steps *s)
{
	size_t	 i, n = s->plan->n;

	for (i = 0; i < n; i++)
		if (forward_prepare(s, i) == -1)
			return (-1);
	for (i = n; i-- > 0;)
		if (forward_settle(s, i) == -1)
			return (-1);
	/* What lies in another that is taken first, by its old name. */
	for (i = n; i-- > 0;)
		if (s->plan->records[i].kind == RECORD_TAKE &&
		    forward_take(s, i) == -1)
			return (-1);
	for (i = 0; i < n; i++)
		if (forward_move(s, i) == -1)
			return (-1);
	/* Upwards, and not yet the first: see steps_root(). */
	for (i = n; i-- > 1;)
		if (forward_metadata(s, i) == -1)
			return (-1);
	return (0);
}

int
steps_forward(const struct branch *b, struct plan *p, int fresh,
    struct branch_error *err)
{
	struct steps	 s;
	int		 ret = -1;

	if (steps_open(&s, b, p, err) == 0) {
		s.fresh = fresh;
		if (forward_trash(&s) == 0)
			ret = forward_all(&s);
	}
	steps_close(&s);
	return (ret);
}

int
steps_root(const struct branch *b, struct plan *p, struct branch_error *err)
{
	struct steps	 s;
	int		 ret = -1;

	if (steps_open(&s, b, p, err) == 0)
		ret = forward_metadata(&s, 0);
	steps_close(&s);
	return (ret);
}

/*
 * The modes that keep the owner out may be the old, the new or none of them
 * by now: the way to everything that has to be taken back is opened first.
 * Inside of what moves, lower's modes were only borrowed while the plan was
 * made, when nothing had moved; what has moved and was opened is there.
 */
static void
undo_open(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];

	switch (r->kind) {
	case RECORD_DIR:
	case RECORD_GRAFT:
		if (inode_lacks(&r->in[LOWER], S_IRWXU) ||
		    inode_lacks(&r->in[UPPER], S_IRWXU) ||
		    (r->flags & RECORD_SHOWN) != 0)
			(void)directory_open(s, i, LOWER);
		if (inode_lacks(&r->in[UPPER], S_IRWXU))
			(void)directory_open(s, i, UPPER);
		return;
	case RECORD_KEEP:
		if (inode_lacks(&r->in[LOWER], S_IRWXU))
			(void)directory_open(s, i, LOWER);
		return;
	}
	if ((r->flags & RECORD_BORROWED_LOWER) != 0)
		(void)directory_open(s, i, LOWER);
	if ((r->flags & RECORD_OPEN) != 0 && object_moved(s, i) == 1)
		(void)directory_open(s, i, LOWER);
}

/* The same inside of what has moved, once that is back. */
static void
undo_open_moved(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];

	if (r->kind != RECORD_DIR && record_dir(r, UPPER) &&
	    record_upper(s, r) && (inode_lacks(&r->in[UPPER], S_IRWXU) ||
	    (r->flags & RECORD_SHOWN) != 0))
		(void)directory_open(s, i, UPPER);
}

static int
undo_exchange(struct steps *s, struct ends *e)
{
	if (is(&e->in[1], e->was)) {
		if (!is(&e->in[0], &e->moving))
			return (stale());
		return (exchange(e, &e->moving, e->was));
	}
	/*
	 * Never taken, so what lower has now is no matter of ours: somebody
	 * may have replaced it since.  Staged: a copy that was never finished.
	 */
	if (!s->plan->staged && !is(&e->in[1], &e->moving))
		return (stale());
	if (is(&e->in[0], e->was) &&
	    end_mode(e->lower, e->name, e->was, 0) == -1)
		return (-1);
	if (s->plan->staged)
		return (0);
	return (end_mode(e->other, e->othername, &e->moving, 0));
}

/* The further name that was never given, or is not needed any more. */
static int
undo_link(struct steps *s, struct ends *e)
{
	if (is(&e->in[1], e->was)) {
		if (!is(&e->in[0], &e->moving))
			return (stale());
		if (exchange(e, &e->moving, e->was) == -1)
			return (-1);
	} else if (e->in[1].ino == 0)
		return (0);
	return (s->plan->staged ? 0 : fs_unlink(e->other, e->othername));
}

static int
undo_add(struct steps *s, struct ends *e)
{
	if (is(&e->in[0], &e->moving))
		return (move(e->lower, e->name, e->other, e->othername,
		    &e->moving));
	if (s->plan->staged)
		return (0);
	if (!is(&e->in[1], &e->moving))
		return (stale());
	return (end_mode(e->other, e->othername, &e->moving, 0));
}

static int
undo_remove(struct ends *e)
{
	if (is(&e->in[1], e->was))
		return (move(e->other, e->othername, e->lower, e->name,
		    e->was));
	/* Never taken; somebody may have replaced or removed it since. */
	if (!is(&e->in[0], e->was))
		return (0);
	return (end_mode(e->lower, e->name, e->was, 0));
}

/* Back to the trash, or it never left that, or its old place. */
static int
undo_graft(struct ends *e)
{
	if (!is(&e->in[0], e->was))
		return (0);
	return (move(e->lower, e->name, e->other, e->othername, e->was));
}

static void
undo_move(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct ends		 e;
	int			 ret;

	if (r->kind == RECORD_DIR || r->kind == RECORD_INSIDE ||
	    r->kind == RECORD_KEEP || r->kind == RECORD_WAY)
		return;
	if ((ret = step_ends(s, i, &e)) == 0) {
		switch (r->kind) {
		case RECORD_EXCHANGE:
			ret = undo_exchange(s, &e);
			break;
		case RECORD_LINK:
			ret = undo_link(s, &e);
			break;
		case RECORD_ADD:
			ret = undo_add(s, &e);
			break;
		case RECORD_GRAFT:
			ret = undo_graft(&e);
			break;
		default:
			ret = undo_remove(&e);
			break;
		}
		if (r->kind == RECORD_GRAFT || r->kind == RECORD_TAKE)
			steps_moved(s);
	} else if (r->kind == RECORD_GRAFT && errno == ESTALE)
		ret = 0;	/* The directory it goes to has not moved. */
	if (ret == -1)
		(void)steps_fail(s, i, "undo");
}

/* Upper's object gets back what overlayfs had left on it. */
static int
undo_upper(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	struct inode		 in;
	int			 fd;

	if ((r->flags & RECORD_DETACHED) != 0 && shell_attach(s, i) == -1)
		return (-1);
	if (record_merges(r)) {
		if ((fd = place_goto(&s->at[UPPER], i)) == -1)
			return (-1);
		return (directory_set(fd, &r->in[UPPER], NULL, 0));
	}
	if ((r->flags & RECORD_WHITEOUT) != 0)
		return (0);
	if (r->overlay.len > 0 && !s->plan->staged &&
	    object_overlay(s, i, xattrs_set) == -1)
		return (-1);
	if (S_ISDIR(r->in[UPPER].mode)) {
		if (!inode_lacks(&r->in[UPPER], S_IRWXU) &&
		    (r->flags & (RECORD_TIMES | RECORD_SHOWN |
		    RECORD_OPEN)) == 0)
			return (0);
		if ((fd = place_goto(&s->at[UPPER], i)) == -1)
			return (-1);
		return (directory_set(fd, &r->in[UPPER], NULL, 0));
	}
	if ((r->flags & RECORD_BORROWED_UPPER) == 0)
		return (0);
	if ((fd = object_open(s, i, &in)) == -1)
		return (-1);
	if (in.mode != r->in[UPPER].mode)
		(void)fs_chmod(fd, r->in[UPPER].mode);
	close(fd);
	return (0);
}

/*
 * Whether an object of lower is again what the plan saw, but for the time of
 * change that taking the steps back has left.
 */
static int
inode_restored(const struct inode *in, const struct inode *was)
{
	return (inode_is(in, was) && in->mode == was->mode &&
	    in->uid == was->uid && in->gid == was->gid &&
	    timespeccmp(&in->mtime, &was->mtime, ==) &&
	    (S_ISDIR(in->mode) || in->size == was->size));
}

/* Remember an object that only the commit has changed. */
static void
undo_touched(struct steps *s, const struct record *r, const struct inode *in)
{
	struct touched	*t = &s->touched[s->ntouched];

	if (timespeccmp(&in->ctime, &r->in[LOWER].ctime, ==) ||
	    !inode_restored(in, &r->in[LOWER]))
		return;
	t->ino = in->ino;
	t->ctime = in->ctime;
	s->ntouched++;
}

/* Lower's objects that were moved are back; the directories need more. */
static int
undo_lower(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];
	const struct xattrs	*xattrs = NULL;
	struct inode		 in;
	int			 at;

	if (!record_merges(r) && r->kind != RECORD_KEEP &&
	    r->kind != RECORD_WAY &&
	    (r->flags & RECORD_BORROWED_LOWER) == 0) {
		/* What was taken its graft knows. */
		if (r->kind == RECORD_INSIDE || r->kind == RECORD_TAKE)
			return (0);
		if ((at = place_goto(&s->at[LOWER], r->parent)) == -1)
			return (-1);
		if (fs_stat(at, r->name, &in) == -1)
			return (errno == ENOENT ? 0 : -1);
		undo_touched(s, r, &in);
		return (0);
	}
	if ((at = place_goto(&s->at[LOWER], i)) == -1)
		return (-1);
	if ((r->flags & RECORD_XATTRS) != 0)
		xattrs = &r->content[LOWER];
	if (directory_set(at, &r->in[LOWER], xattrs, 0) == -1 ||
	    fs_stat(at, "", &in) == -1)
		return (-1);
	undo_touched(s, r, &in);
	return (0);
}

static void
undo_metadata(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];

	if (record_upper(s, r) && undo_upper(s, i) == -1)
		(void)steps_fail(s, i, "undo in the branch");
	if (record_on(r, LOWER) && undo_lower(s, i) == -1)
		(void)steps_fail(s, i, "undo the metadata");
}

/* What was taken goes back, and what was taken out of that after it. */
static void
undo_way(struct steps *s, size_t i)
{
	const struct record	*r = &s->plan->records[i];

	if (r->kind == RECORD_TAKE)
		undo_move(s, i);
	if ((r->kind == RECORD_TAKE || r->kind == RECORD_WAY) &&
	    (r->flags & RECORD_LOSES) != 0 &&
	    inode_lacks(&r->in[LOWER], S_IRWXU))
		(void)directory_open(s, i, LOWER);
}

static void
undo_all(struct steps *s)
{
	size_t	 i, n = s->plan->n;

	for (i = 0; i < n; i++)
		undo_open(s, i);
	for (i = n; i-- > 0;)
		if (s->plan->records[i].kind != RECORD_TAKE)
			undo_move(s, i);
	for (i = 0; i < n; i++)
		undo_way(s, i);
	for (i = 0; i < n; i++)
		undo_open_moved(s, i);
	/* What is not back by now is in the staging directory. */
	if (s->plan->staged && !s->failed && staging_remove(s->branch) == -1)
		(void)steps_fail(s, 0, "remove the staging directory");
	for (i = n; i-- > 0;)
		undo_metadata(s, i);
}

int
steps_undo(const struct branch *b, struct plan *p, struct branch_error *err)
{
	struct steps	 s;

	if (steps_open(&s, b, p, err) == 0) {
		s.undoing = 1;
		undo_all(&s);
		if (!s.failed && touched_append(b, s.touched,
		    s.ntouched) == -1)
			(void)steps_fail(&s, 0, "remember what was touched");
	}
	steps_close(&s);
	return (s.failed ? -1 : 0);
}
