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
 * The plan of a commit.  It compares upper with lower, decides what has to
 * move where, and finds every conflict with what outsiders did to lower.  It
 * changes nothing, but for the mode of a directory that keeps its own user
 * out: the journal says so before, and the mode is put back at once.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "journal.h"
#include "names.h"
#include "place.h"
#include "plan.h"
#include "redirect.h"
#include "stage.h"

/*
 * What a copy has in common with its original until it is written to: used
 * for copies with no lower object of their name, and for the objects of lower
 * that one of these may have been before it was renamed.
 */
struct looks {
	char			*path;
	uint64_t		 size;
	struct timespec		 mtime;
	unsigned int		 type;
};

struct looks_list {
	struct looks		*list;
	size_t			 n;
	size_t			 size;
};

struct planning {
	struct walk		 walk;
	struct plan		*plan;
	const struct branch	*branch;
	void			(*conflict)(enum branch_conflict, const char *,
				    void *);
	void			*arg;
	int			 conflicts;
	struct looks_list	 orphans;
	struct looks_list	 sources;
	struct redirects	 redirects;
	struct names		 names;
	size_t			 ways;	/* where their records end */
};

int
record_on(const struct record *r, enum side side)
{
	return (r->in[side].ino != 0);
}

const struct inode *
record_moving(const struct plan *p, const struct record *r)
{
	return (p->staged ? &r->copy : &r->in[UPPER]);
}

/* What has moved to lower is there what it was in upper. */
const struct inode *
record_place(const struct plan *p, const struct record *r, enum side side)
{
	if (side == LOWER && (r->kind == RECORD_ADD ||
	    (r->kind == RECORD_INSIDE && (r->flags & RECORD_ON_UPPER) != 0)))
		return (record_moving(p, r));
	return (&r->in[side]);
}

void
record_want(const struct record *r, struct inode *in)
{
	*in = r->in[UPPER];
	in->mode = r->shown.mode;
	in->uid = r->shown.uid;
	in->gid = r->shown.gid;
}

ssize_t
plan_add(struct plan *p, enum record_kind kind, size_t parent,
    const char *name)
{
	struct record	*records, *r;
	size_t		 size;

	/* Indices have 32 bits in the journal. */
	if (p->n == UINT32_MAX) {
		errno = EOVERFLOW;
		return (-1);
	}
	if (p->n == p->size) {
		size = p->size == 0 ? 64 : p->size * 2;
		if ((records = reallocarray(p->records, size,
		    sizeof(*records))) == NULL)
			return (-1);
		p->records = records;
		p->size = size;
	}
	r = &p->records[p->n];
	memset(r, 0, sizeof(*r));
	if ((r->name = strdup(name)) == NULL)
		return (-1);
	r->kind = kind;
	r->parent = parent;
	r->depth = p->n == 0 ? 0 : p->records[parent].depth + 1;
	return (p->n++);
}

void
plan_free(struct plan *p)
{
	struct record	*r;
	size_t		 i;

	for (i = 0; i < p->n; i++) {
		r = &p->records[i];
		free(r->name);
		free(r->link);
		xattrs_free(&r->overlay);
		xattrs_free(&r->content[LOWER]);
		xattrs_free(&r->content[UPPER]);
	}
	free(p->records);
	free(p->touched);
	memset(p, 0, sizeof(*p));
}

char *
plan_path(const struct plan *p, size_t i)
{
	size_t	 len = 0, r, n;
	char	*path;

	for (r = i; r != 0; r = p->records[r].parent)
		len += strlen(p->records[r].name) + 1;
	if (len == 0)
		return (strdup("."));
	if ((path = malloc(len)) == NULL)
		return (NULL);
	path[--len] = '\0';
	for (r = i; r != 0; r = p->records[r].parent) {
		n = strlen(p->records[r].name);
		len -= n;
		memcpy(path + len, p->records[r].name, n);
		if (len > 0)
			path[--len] = '/';
	}
	return (path);
}

/*
 * Whether an outsider has changed an object of lower since the workload
 * started.  What an earlier commit did and took back is no such change.
 */
static int
plan_changed(const struct planning *pl, const struct inode *in)
{
	const struct touched	*t = pl->plan->touched;
	size_t			 high = pl->plan->ntouched, low = 0, mid;

	if (!timespeccmp(&in->ctime, &pl->branch->start, >))
		return (0);
	while (low < high) {
		mid = low + (high - low) / 2;
		if (t[mid].ino < in->ino)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < pl->plan->ntouched && t[low].ino == in->ino; low++)
		if (timespeccmp(&in->ctime, &t[low].ctime, ==))
			return (0);
	return (1);
}

static void
plan_conflicts(struct planning *pl, enum branch_conflict what,
    const char *path)
{
	pl->conflicts++;
	if (pl->conflict != NULL)
		pl->conflict(what, path, pl->arg);
}

/* Whether something of lower is younger than the branch. */
static int
plan_younger(const struct planning *pl, const struct inode *in)
{
	return (in->btime.tv_sec != 0 &&
	    timespeccmp(&in->btime, &pl->branch->start, >));
}

/* Lower's object goes: nobody else may have changed it. */
static void
plan_replaces(struct planning *pl, const struct walk_entry *e, int copy)
{
	if (!plan_changed(pl, &e->in[LOWER]))
		return;
	plan_conflicts(pl, !copy && plan_younger(pl, &e->in[LOWER]) ?
	    BRANCH_ADDED_OUTSIDE : BRANCH_CHANGED_OUTSIDE, e->path);
}

/* The walk's question: before it opens a directory, it can be closed again. */
static int
plan_borrow(enum side side, const struct inode *in, size_t tag, void *arg)
{
	struct planning	*pl = arg;
	struct record	*r = &pl->plan->records[tag];

	(void)in;
	r->flags |= side == LOWER ? RECORD_BORROWED_LOWER :
	    RECORD_BORROWED_UPPER;
	if (touched_reserve(pl->branch, pl->plan->n) == -1 ||
	    journal_write(pl->branch, pl->plan, JOURNAL_UNDO) == -1)
		return (-1);
	return (1);
}

/*
 * And its answer: what this has done to the time of change is not an
 * outsider's doing, now and in another try.
 */
static int
plan_returned(enum side side, const struct inode *in, size_t tag, void *arg)
{
	struct planning	*pl = arg;
	struct touched	 t;

	if (side != LOWER)
		return (0);
	pl->plan->records[tag].in[LOWER].ctime = in->ctime;
	t.ino = in->ino;
	t.ctime = in->ctime;
	return (touched_append(pl->branch, &t, 1));
}

/* A record of the entry, in the directory of the walk; its index or -1. */
static ssize_t
plan_entry(struct planning *pl, const struct walk_entry *e,
    enum record_kind kind)
{
	struct record	*r;
	ssize_t		 i;

	if ((i = plan_add(pl->plan, kind, e->tag, e->name)) == -1)
		return (-1);
	r = &pl->plan->records[i];
	if (e->present[LOWER])
		r->in[LOWER] = e->in[LOWER];
	if (e->present[UPPER] && kind != RECORD_REMOVE) {
		r->in[UPPER] = e->in[UPPER];
		shown_real(&e->in[UPPER], &r->shown);
	}
	if (kind == RECORD_REMOVE)
		pl->plan->records[e->tag].flags |= RECORD_ENTRIES;
	return (i);
}

static int
looks_add(struct looks_list *l, const struct inode *in, const char *path)
{
	struct looks	*list;
	size_t		 size;

	if (l->n == l->size) {
		size = l->size == 0 ? 64 : l->size * 2;
		if ((list = reallocarray(l->list, size,
		    sizeof(*list))) == NULL)
			return (-1);
		l->list = list;
		l->size = size;
	}
	memset(&l->list[l->n], 0, sizeof(*list));
	if (path != NULL && (l->list[l->n].path = strdup(path)) == NULL)
		return (-1);
	l->list[l->n].type = in->mode & S_IFMT;
	l->list[l->n].size = in->size;
	l->list[l->n].mtime = in->mtime;
	l->n++;
	return (0);
}

static void
looks_free(struct looks_list *l)
{
	while (l->n > 0)
		free(l->list[--l->n].path);
	free(l->list);
}

static int
looks_compare(const void *a, const void *b)
{
	const struct looks	*la = a, *lb = b;

	if (la->type != lb->type)
		return (la->type < lb->type ? -1 : 1);
	if (la->size != lb->size)
		return (la->size < lb->size ? -1 : 1);
	if (timespeccmp(&la->mtime, &lb->mtime, !=))
		return (timespeccmp(&la->mtime, &lb->mtime, <) ? -1 : 1);
	return (0);
}

/*
 * A copy with no lower object of its name: it was renamed in the branch, or
 * its original was removed outside.  That would have changed the directory.
 */
static int
plan_orphan(struct planning *pl, const struct walk_entry *e)
{
	if (!plan_changed(pl, &pl->plan->records[e->tag].in[LOWER]))
		return (0);
	return (looks_add(&pl->orphans, &e->in[UPPER], e->path));
}

/* Lower's object is hidden by something that need not be its copy. */
static int
plan_source(struct planning *pl, const struct walk_entry *e)
{
	if (S_ISDIR(e->in[LOWER].mode))
		return (0);
	return (looks_add(&pl->sources, &e->in[LOWER], NULL));
}

/* Overlayfs's attributes of upper's object; whether it is a copy: 1, 0, -1. */
static int
plan_overlay(struct planning *pl, const struct walk_entry *e,
    struct xattrs *overlay)
{
	if (xattrs_load(cursor_fd(&pl->walk.at[UPPER]), e->name,
	    XATTRS_OVERLAY, overlay) == -1)
		return (-1);
	return (xattrs_has(overlay, "user.overlay.origin"));
}

/*
 * The mode and owner that upper's object gets in lower: of a directory that is
 * there already what was shown, else as far as this user may make them.
 */
static int
plan_shown(const struct planning *pl, struct record *r,
    const struct xattrs *overlay, int moves)
{
	shown_real(&r->in[UPPER], &r->shown);
	if (!pl->plan->extended)
		return (0);
	switch (shown_by(overlay, &r->in[UPPER], &r->shown)) {
	case -1:
		return (-1);
	case 1:
		r->flags |= RECORD_SHOWN;
		if (moves)
			shown_limit(&r->shown, &r->in[UPPER]);
	}
	return (0);
}

/* Whether something is taken from a directory of lower. */
static int
plan_loses(const struct planning *pl, const struct inode *in)
{
	const struct record	*r;
	size_t			 i;

	for (i = 1; S_ISDIR(in->mode) && i < pl->ways; i++) {
		r = &pl->plan->records[i];
		if ((r->flags & RECORD_LOSES) != 0 &&
		    r->in[LOWER].ino == in->ino)
			return (1);
	}
	return (0);
}

/* How a directory of lower is walked whose upper one merges with it. */
static unsigned int
plan_mode(const struct planning *pl, const struct inode *lower)
{
	return (names_way(&pl->names, lower->ino) ? WALK_ALL : WALK_MERGED);
}

/* A file of the user's own that has to be copied and cannot be read. */
static int
plan_closed(const struct planning *pl, const struct inode *in)
{
	return (pl->plan->staged && S_ISREG(in->mode) &&
	    inode_lacks(in, S_IRUSR));
}

/* Lower's object goes; what lies in it is looked at, too. */
static int
plan_removes(struct planning *pl, const struct walk_entry *e, int copy)
{
	ssize_t	 i;

	if ((i = plan_entry(pl, e, RECORD_REMOVE)) == -1)
		return (-1);
	if (plan_loses(pl, &e->in[LOWER]))
		pl->plan->records[i].flags |= RECORD_LOSES;
	plan_replaces(pl, e, copy);
	if (S_ISDIR(e->in[LOWER].mode))
		return (walk_into(&pl->walk, WALK_LOWER, i));
	return (plan_source(pl, e));
}

/* One that goes or is replaced, and upper's object in its place. */
static int
plan_exchanges(struct planning *pl, const struct walk_entry *e, size_t i,
    int copy)
{
	struct record	*r = &pl->plan->records[i];

	r->kind = RECORD_EXCHANGE;
	if (plan_loses(pl, &e->in[LOWER]))
		r->flags |= RECORD_LOSES;
	plan_replaces(pl, e, copy);
	if (plan_source(pl, e) == -1)
		return (-1);
	if (S_ISDIR(e->in[LOWER].mode))
		return (walk_into(&pl->walk, WALK_LOWER, i));
	return (0);
}

/*
 * Nothing lies there in lower.  A directory that was copied and merges is not
 * renamed without a redirect.
 */
static int
plan_new(struct planning *pl, const struct walk_entry *e,
    const struct record *r, int copy)
{
	if (!copy)
		return (0);
	if (!S_ISDIR(e->in[UPPER].mode))
		return (plan_orphan(pl, e));
	if (!pl->plan->extended ||
	    !xattrs_has(&r->overlay, "user.overlay.opaque"))
		plan_conflicts(pl, BRANCH_REMOVED_OUTSIDE, e->path);
	return (0);
}

/*
 * Lower's object is replaced by upper's, or upper's is new.  The record takes
 * the attributes over.
 */
static int
plan_moves(struct planning *pl, const struct walk_entry *e, size_t i, int copy,
    struct xattrs *overlay)
{
	const struct inode	*upper = &e->in[UPPER];
	struct record		*r = &pl->plan->records[i];
	int			 ret;

	r->kind = RECORD_ADD;
	pl->plan->records[e->tag].flags |= RECORD_ENTRIES;
	if (plan_shown(pl, r, overlay, 1) == -1)
		return (-1);
	r->overlay = *overlay;
	memset(overlay, 0, sizeof(*overlay));
	if (plan_closed(pl, upper))
		r->flags |= RECORD_BORROWED_UPPER;
	if (record_on(r, LOWER))
		ret = plan_exchanges(pl, e, i, copy);
	else
		ret = plan_new(pl, e, r, copy);
	if (ret == 0 && S_ISDIR(upper->mode))
		ret = walk_into(&pl->walk, WALK_UPPER, i);
	return (ret);
}

/*
 * The same for a directory that gets more from lower once it is there.  It
 * does not change places with lower's: what is taken out of that has to be
 * reached by its old names.
 */
static int
plan_opens(struct planning *pl, struct walk_entry *e, int copy,
    struct xattrs *overlay)
{
	ssize_t	 i;

	if (e->present[LOWER]) {
		if (plan_removes(pl, e, copy) == -1)
			return (-1);
		e->present[LOWER] = 0;
		copy = 0;
	}
	if ((i = plan_entry(pl, e, RECORD_ADD)) == -1)
		return (-1);
	pl->plan->records[i].flags |= RECORD_OPEN;
	return (plan_moves(pl, e, i, copy, overlay));
}

/*
 * The attributes of a directory that both sides have; what differs is kept
 * in the record so that either can be set.
 */
static int
plan_content(struct record *r, int lower, int upper, const char *lowername,
    const char *name)
{
	if (xattrs_load(lower, lowername, XATTRS_CONTENT,
	    &r->content[LOWER]) == -1 ||
	    xattrs_load(upper, name, XATTRS_CONTENT,
	    &r->content[UPPER]) == -1)
		return (-1);
	if (!xattrs_same(&r->content[LOWER], &r->content[UPPER])) {
		r->flags |= RECORD_XATTRS;
		return (0);
	}
	xattrs_free(&r->content[LOWER]);
	xattrs_free(&r->content[UPPER]);
	return (0);
}

static int
record_meta(const struct record *r)
{
	return (r->in[LOWER].mode != r->shown.mode ||
	    r->in[LOWER].uid != r->shown.uid ||
	    r->in[LOWER].gid != r->shown.gid ||
	    (r->flags & RECORD_XATTRS) != 0);
}

/*
 * A directory that both sides have and that merges.  One that the branch made
 * where nothing was, and an outsider too, is a conflict: two directories that
 * know nothing of each other.
 */
static int
plan_merges(struct planning *pl, const struct walk_entry *e, size_t i,
    int copy, const struct xattrs *overlay)
{
	const struct inode	*lower = &e->in[LOWER];
	struct record		*r = &pl->plan->records[i];

	if (plan_shown(pl, r, overlay, 0) == -1 ||
	    plan_content(r, cursor_fd(&pl->walk.at[LOWER]),
	    cursor_fd(&pl->walk.at[UPPER]), e->name, e->name) == -1)
		return (-1);
	if (!copy && plan_changed(pl, lower) && plan_younger(pl, lower))
		plan_conflicts(pl, BRANCH_ADDED_OUTSIDE, e->path);
	else if (record_meta(r) && plan_changed(pl, lower))
		plan_conflicts(pl, BRANCH_CHANGED_OUTSIDE, e->path);
	return (walk_into(&pl->walk, plan_mode(pl, lower), i));
}

/*
 * Upper's directory merges with lower's of another path, which comes here.
 * Somebody else may have put a directory of the same name there since.
 */
static int
plan_grafts(struct planning *pl, const struct walk_entry *e, size_t i,
    const struct redirect *rd)
{
	struct record	*r = &pl->plan->records[i];
	int		 fd, error, ret;

	r->in[LOWER] = rd->in;
	r->from = rd->record;
	pl->plan->records[e->tag].flags |= RECORD_ENTRIES;
	if ((fd = fs_enter(pl->branch->lower, rd->path)) == -1)
		return (-1);
	ret = plan_content(r, fd, cursor_fd(&pl->walk.at[UPPER]), "", e->name);
	error = errno;
	close(fd);
	errno = error;
	if (ret == -1)
		return (-1);
	if (plan_changed(pl, &rd->in) &&
	    (record_meta(r) || plan_younger(pl, &rd->in)))
		plan_conflicts(pl, BRANCH_CHANGED_OUTSIDE, e->path);
	return (walk_into_at(&pl->walk, plan_mode(pl, &rd->in), i, rd->path));
}

static int
plan_redirect(struct planning *pl, struct walk_entry *e,
    const struct redirect *rd, const struct xattrs *overlay)
{
	struct record	*r;
	ssize_t		 i;

	if (rd->in.ino == 0) {
		plan_conflicts(pl, BRANCH_REMOVED_OUTSIDE, e->path);
		return (0);
	}
	if (e->present[LOWER] && plan_removes(pl, e, 1) == -1)
		return (-1);
	if ((i = plan_entry(pl, e, RECORD_GRAFT)) == -1)
		return (-1);
	r = &pl->plan->records[i];
	if (plan_shown(pl, r, overlay, 0) == -1)
		return (-1);
	if (e->mode == WALK_UPPER) {
		r->flags |= RECORD_DETACHED;
		pl->plan->records[e->tag].flags |= RECORD_TIMES;
	}
	return (plan_grafts(pl, e, i, rd));
}

static int
plan_whiteout(struct planning *pl, const struct walk_entry *e)
{
	return (e->present[LOWER] ? plan_removes(pl, e, 1) : 0);
}

/* One object under two names: there is nothing to exchange. */
static int
plan_same(const struct walk_entry *e)
{
	return (e->present[LOWER] && e->in[LOWER].dev == e->in[UPPER].dev &&
	    e->in[LOWER].ino == e->in[UPPER].ino);
}

/*
 * Only lower has it.  That is looked at where a way leads to further names of
 * a file that the branch has changed.
 */
static int
plan_kept(struct planning *pl, struct walk_entry *e)
{
	const struct named	*nd = names_of(&pl->names, e->ino);
	struct record		*r;
	ssize_t			 i;

	if (nd == NULL && !names_way(&pl->names, e->ino))
		return (0);
	if (walk_stat(&pl->walk, e, LOWER) == -1)
		return (-1);
	/* Taken, to where it is seen. */
	if (!e->present[LOWER])
		return (0);
	if (S_ISDIR(e->in[LOWER].mode)) {
		if ((i = plan_entry(pl, e, RECORD_KEEP)) == -1)
			return (-1);
		return (walk_into(&pl->walk, WALK_KEPT, i));
	}
	if (nd == NULL)
		return (0);
	e->in[UPPER] = nd->in;
	e->present[UPPER] = 1;
	if ((i = plan_entry(pl, e, RECORD_LINK)) == -1)
		return (-1);
	r = &pl->plan->records[i];
	pl->plan->records[e->tag].flags |= RECORD_ENTRIES;
	if ((r->link = strdup(nd->name)) == NULL ||
	    xattrs_load(pl->names.dir, nd->name, XATTRS_OVERLAY,
	    &r->overlay) == -1 || plan_shown(pl, r, &r->overlay, 1) == -1)
		return (-1);
	if (plan_closed(pl, &nd->in))
		r->flags |= RECORD_BORROWED_UPPER;
	plan_replaces(pl, e, 1);
	return (plan_source(pl, e));
}

/* Whether both sides have a directory. */
static int
plan_both(const struct walk_entry *e)
{
	return (e->present[LOWER] && S_ISDIR(e->in[LOWER].mode) &&
	    S_ISDIR(e->in[UPPER].mode));
}

static int
plan_upper(struct planning *pl, struct walk_entry *e, struct xattrs *overlay)
{
	const struct inode	*upper = &e->in[UPPER];
	const struct redirect	*rd;
	ssize_t			 i;
	int			 copy, opaque = 1;

	if ((copy = plan_overlay(pl, e, overlay)) == -1)
		return (-1);
	if ((rd = redirects_of(&pl->redirects, upper)) != NULL)
		return (plan_redirect(pl, e, rd, overlay));
	if (redirects_below(&pl->redirects, upper)) {
		if (plan_both(e) &&
		    (opaque = walk_opaque(&pl->walk, e, e->tag)) == -1)
			return (-1);
		if (opaque)
			return (plan_opens(pl, e, copy, overlay));
	}
	/* The record first: reading an attribute may need another mode. */
	if ((i = plan_entry(pl, e, RECORD_DIR)) == -1 || (plan_both(e) &&
	    (opaque = walk_opaque(&pl->walk, e, i)) == -1))
		return (-1);
	return (opaque ? plan_moves(pl, e, i, copy, overlay) :
	    plan_merges(pl, e, i, copy, overlay));
}

static int
plan_merged(struct planning *pl, struct walk_entry *e)
{
	struct xattrs	 overlay = { NULL, 0 };
	int		 ret;

	if ((e->listed & 1 << UPPER) == 0)
		return (plan_kept(pl, e));
	if (walk_stat(&pl->walk, e, UPPER) == -1 ||
	    walk_stat(&pl->walk, e, LOWER) == -1)
		return (-1);
	if (!e->present[UPPER]) {
		errno = ESTALE;
		return (-1);
	}
	if (inode_whiteout(&e->in[UPPER]))
		return (plan_whiteout(pl, e));
	if (plan_same(e))
		return (0);
	ret = plan_upper(pl, e, &overlay);
	xattrs_free(&overlay);
	return (ret);
}

/* A record of what moves with something; it takes the attributes over. */
static int
plan_within(struct planning *pl, struct walk_entry *e, struct xattrs *overlay)
{
	const struct inode	*upper = &e->in[UPPER];
	const struct redirect	*rd;
	struct record		*r;
	ssize_t			 i;

	if (overlay->len == 0 && !S_ISDIR(upper->mode) &&
	    !inode_whiteout(upper) && !plan_closed(pl, upper))
		return (0);
	if ((rd = redirects_of(&pl->redirects, upper)) != NULL)
		return (plan_redirect(pl, e, rd, overlay));
	if ((i = plan_entry(pl, e, RECORD_INSIDE)) == -1)
		return (-1);
	r = &pl->plan->records[i];
	r->flags |= RECORD_ON_UPPER;
	if (plan_shown(pl, r, overlay, 1) == -1)
		return (-1);
	r->overlay = *overlay;
	memset(overlay, 0, sizeof(*overlay));
	if (plan_closed(pl, upper))
		r->flags |= RECORD_BORROWED_UPPER;
	if (redirects_below(&pl->redirects, upper))
		r->flags |= RECORD_OPEN;
	if (inode_whiteout(upper)) {
		r->flags |= RECORD_WHITEOUT;
		pl->plan->records[e->tag].flags |= RECORD_TIMES;
	} else if (S_ISDIR(upper->mode))
		return (walk_into(&pl->walk, WALK_UPPER, i));
	return (0);
}

/*
 * Below something that moves to lower as a whole: what overlayfs left there
 * has to go before.  Most files have nothing and cost one look at their
 * attributes.
 */
static int
plan_inside(struct planning *pl, struct walk_entry *e)
{
	struct xattrs	 overlay = { NULL, 0 };
	int		 ret;

	if (plan_overlay(pl, e, &overlay) == -1)
		return (-1);
	if (overlay.len == 0 && e->type[UPPER] == DT_REG && !pl->plan->staged)
		return (0);
	if ((ret = walk_stat(&pl->walk, e, UPPER)) != -1)
		ret = plan_within(pl, e, &overlay);
	xattrs_free(&overlay);
	return (ret);
}

/* Below something of lower that goes as a whole. */
static int
plan_hidden(struct planning *pl, struct walk_entry *e)
{
	ssize_t	 i;

	switch (walk_stat(&pl->walk, e, LOWER)) {
	case -1:
		return (-1);
	case 0:
		return (0);
	}
	plan_replaces(pl, e, 1);
	if (!S_ISDIR(e->in[LOWER].mode))
		return (plan_source(pl, e));
	if ((i = plan_entry(pl, e, RECORD_INSIDE)) == -1)
		return (-1);
	pl->plan->records[i].flags |= RECORD_ON_LOWER;
	return (walk_into(&pl->walk, WALK_LOWER, i));
}

/*
 * The copies that are left look for an object of lower that they may have
 * been.  One that was written to has no such looks any more: it is named, too,
 * because what an outsider removed would come back by it.
 */
static void
plan_orphans(struct planning *pl)
{
	const struct looks	*o;
	size_t			 i;

	if (pl->orphans.n > 0 && pl->sources.n > 0)
		qsort(pl->sources.list, pl->sources.n,
		    sizeof(*pl->sources.list), looks_compare);
	for (i = 0; i < pl->orphans.n; i++) {
		o = &pl->orphans.list[i];
		if (pl->sources.n == 0 || bsearch(o, pl->sources.list,
		    pl->sources.n, sizeof(*o), looks_compare) == NULL)
			plan_conflicts(pl, BRANCH_REMOVED_OUTSIDE, o->path);
	}
}

/* The working directory itself: the first record. */
static int
plan_root(struct planning *pl)
{
	const struct branch	*b = pl->branch;
	struct xattrs		 overlay;
	struct record		*r;
	int			 ret;

	if (plan_add(pl->plan, RECORD_DIR, 0, "") == -1)
		return (-1);
	r = &pl->plan->records[0];
	if (fs_stat(b->lower, "", &r->in[LOWER]) == -1 ||
	    fs_stat(b->upper, "", &r->in[UPPER]) == -1 ||
	    xattrs_load(b->upper, "", XATTRS_OVERLAY, &overlay) == -1)
		return (-1);
	ret = plan_shown(pl, r, &overlay, 0);
	xattrs_free(&overlay);
	if (ret == -1 ||
	    plan_content(r, b->lower, b->upper, "", "") == -1)
		return (-1);
	if (record_meta(r) && plan_changed(pl, &r->in[LOWER]))
		plan_conflicts(pl, BRANCH_CHANGED_OUTSIDE, ".");
	return (0);
}

/* By the names, so that a directory comes right before what lies in it. */
static int
path_compare(const void *a, const void *b)
{
	const struct redirect	*const *ra = a, *const *rb = b;
	const unsigned char	*pa = (const unsigned char *)(*ra)->path;
	const unsigned char	*pb = (const unsigned char *)(*rb)->path;

	while (*pa == *pb && *pa != '\0') {
		pa++;
		pb++;
	}
	if (*pa == '/' || *pb == '/')
		return (*pa == *pb ? 0 : *pa == '\0' ? -1 : *pb == '\0' ? 1 :
		    *pa == '/' ? -1 : 1);
	return (*pa - *pb);
}

/* The record of a name of lower: the last one's, or a new one. */
static ssize_t
ways_name(struct planning *pl, struct place *at, size_t parent,
    const char *name)
{
	struct plan	*p = pl->plan;
	size_t		 i;
	ssize_t		 new;
	int		 fd;

	for (i = p->n - 1; i != 0; i = p->records[i].parent)
		if (p->records[i].parent == parent &&
		    strcmp(p->records[i].name, name) == 0)
			return (i);
	if ((fd = place_goto(at, parent)) == -1 ||
	    (new = plan_add(p, RECORD_WAY, parent, name)) == -1 ||
	    fs_stat(fd, name, &p->records[new].in[LOWER]) == -1)
		return (-1);
	return (new);
}

static int
ways_path(struct planning *pl, struct place *at, struct redirect *rd)
{
	struct record	*r;
	char		*path, *next, *name;
	size_t		 parent = 0;
	ssize_t		 i = -1;

	if ((path = next = strdup(rd->path)) == NULL)
		return (-1);
	while ((name = strsep(&next, "/")) != NULL) {
		if ((i = ways_name(pl, at, parent, name)) == -1)
			break;
		if (next != NULL)
			parent = i;
	}
	free(path);
	if (i == -1)
		return (-1);
	r = &pl->plan->records[i];
	if (!inode_is(&r->in[LOWER], &rd->in)) {
		errno = ESTALE;
		return (-1);
	}
	r->kind = RECORD_TAKE;
	rd->record = i;
	pl->plan->records[parent].flags |= RECORD_LOSES;
	return (0);
}

/* The records of all directories that are taken, and of the ways to them. */
static int
plan_ways(struct planning *pl)
{
	struct redirects	*r = &pl->redirects;
	struct redirect		**list;
	struct place		 at;
	size_t			 i;
	int			 error, ret = 0;

	if (r->n == 0)
		return (0);
	if ((list = reallocarray(NULL, r->n, sizeof(*list))) == NULL)
		return (-1);
	for (i = 0; i < r->n; i++)
		list[i] = &r->list[i];
	qsort(list, r->n, sizeof(*list), path_compare);
	place_init(&at, pl->plan, LOWER, pl->branch->lower, NULL);
	for (i = 0; ret == 0 && i < r->n; i++)
		if (list[i]->in.ino != 0)
			ret = ways_path(pl, &at, list[i]);
	error = errno;
	place_free(&at);
	free(list);
	pl->ways = pl->plan->n;
	errno = error;
	return (ret);
}

static int
plan_taken(const struct inode *in, void *arg)
{
	const struct planning	*pl = arg;

	return (redirects_taken(&pl->redirects, in));
}

/* What the merged view has beyond overlayfs's format. */
static int
plan_extended(struct planning *pl)
{
	if (names_load(&pl->names, pl->branch, pl->walk.hidden) == -1)
		return (-1);
	if (pl->names.dir == -1)
		return (0);
	pl->plan->extended = 1;
	pl->walk.taken = plan_taken;
	return (redirects_load(&pl->redirects, pl->branch));
}

static int
plan_walk(struct planning *pl)
{
	struct walk_entry	 e;
	int			 more, ret = 0;

	if (plan_extended(pl) == -1 || plan_root(pl) == -1 ||
	    plan_ways(pl) == -1 ||
	    walk_open(&pl->walk, pl->branch->lower, pl->branch->upper,
	    plan_mode(pl, &pl->plan->records[0].in[LOWER]), 0) == -1)
		return (-1);
	while (ret == 0 && (more = walk_next(&pl->walk, &e)) != 0) {
		if (more == -1)
			return (-1);
		switch (e.mode) {
		case WALK_MERGED:
		case WALK_ALL:
			ret = plan_merged(pl, &e);
			break;
		case WALK_UPPER:
			ret = plan_inside(pl, &e);
			break;
		case WALK_KEPT:
			ret = plan_kept(pl, &e);
			break;
		default:
			ret = plan_hidden(pl, &e);
			break;
		}
	}
	return (ret);
}

/*
 * What the branch may not change it cannot have changed; should it all the
 * same, nothing is committed.  0, or -1 with the error filled in.
 */
static int
plan_permitted(const struct plan *p, const struct branch *b,
    struct branch_error *err)
{
	enum branch_touch	 touch;
	size_t			 i;
	char			*path;
	int			 ret = 0;

	for (i = 1; ret == 0 && b->refuses != NULL && i < p->n; i++) {
		if (p->records[i].kind == RECORD_WAY ||
		    p->records[i].kind == RECORD_KEEP)
			continue;
		touch = TOUCH_CHANGES;
		if (p->records[i].kind == RECORD_DIR)
			touch = TOUCH_STAYS;
		else if (p->records[i].kind == RECORD_EXCHANGE ||
		    p->records[i].kind == RECORD_REMOVE ||
		    p->records[i].kind == RECORD_TAKE)
			touch = TOUCH_GOES;
		if ((path = plan_path(p, i)) == NULL) {
			branch_error_set(err, ENOMEM, "plan", NULL);
			return (-1);
		}
		if (b->refuses(path, touch)) {
			branch_error_set(err, EACCES,
			    "plan against the policy", path);
			ret = -1;
		}
		free(path);
	}
	return (ret);
}

int
plan_make(struct plan *p, const struct branch *b,
    void (*conflict)(enum branch_conflict, const char *, void *), void *arg,
    struct branch_error *err)
{
	struct planning	 pl;
	char		 hidden[NAME_MAX + 1];
	int		 mount, ret = -1;

	memset(&pl, 0, sizeof(pl));
	pl.plan = p;
	pl.branch = b;
	pl.conflict = conflict;
	pl.arg = arg;
	pl.walk.borrow = plan_borrow;
	pl.walk.returned = plan_returned;
	pl.walk.hidden = hidden;
	pl.walk.arg = &pl;
	pl.names.dir = -1;
	cursor_init(&pl.walk.at[LOWER], b->lower);
	cursor_init(&pl.walk.at[UPPER], b->upper);
	if (staging_name(b, hidden, sizeof(hidden)) == -1 ||
	    (mount = fs_one_mount(b->upper, b->lower)) == -1 ||
	    touched_load(b, p) == -1)
		goto done;
	p->staged = !mount;
	if ((ret = plan_walk(&pl)) == 0)
		plan_orphans(&pl);
 done:
	if (ret == -1)
		branch_error_set(err, errno, "plan", walk_path(&pl.walk));
	if (walk_close(&pl.walk) == -1 && ret == 0) {
		branch_error_set(err, errno, "restore a mode", NULL);
		ret = -1;
	}
	if (ret == 0)
		ret = plan_permitted(p, b, err);
	looks_free(&pl.orphans);
	looks_free(&pl.sources);
	redirects_free(&pl.redirects);
	names_free(&pl.names);
	return (ret == -1 ? -1 : pl.conflicts);
}
