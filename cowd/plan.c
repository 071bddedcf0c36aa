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
#include "plan.h"
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
};

int
record_on(const struct record *r, enum side side)
{
	return (r->in[side].ino != 0);
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
	if (e->present[UPPER] && kind != RECORD_REMOVE)
		r->in[UPPER] = e->in[UPPER];
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

/* A file of the user's own that has to be copied and cannot be read. */
static int
plan_closed(const struct planning *pl, const struct inode *in)
{
	return (pl->plan->staged && S_ISREG(in->mode) &&
	    inode_lacks(in, S_IRUSR));
}

/*
 * Lower's object is replaced by upper's, or upper's is new.  The record takes
 * the attributes over.
 */
static int
plan_moves(struct planning *pl, const struct walk_entry *e, size_t i, int copy,
    struct xattrs *overlay)
{
	const struct inode	*lower = &e->in[LOWER], *upper = &e->in[UPPER];
	struct record		*r = &pl->plan->records[i];

	r->kind = e->present[LOWER] ? RECORD_EXCHANGE : RECORD_ADD;
	r->overlay = *overlay;
	memset(overlay, 0, sizeof(*overlay));
	pl->plan->records[e->tag].flags |= RECORD_ENTRIES;
	if (plan_closed(pl, upper))
		r->flags |= RECORD_BORROWED_UPPER;
	if (e->present[LOWER]) {
		plan_replaces(pl, e, copy);
		if (plan_source(pl, e) == -1)
			return (-1);
		if (S_ISDIR(lower->mode) &&
		    walk_into(&pl->walk, WALK_LOWER, i) == -1)
			return (-1);
	} else if (copy && S_ISDIR(upper->mode)) {
		/* Directories that were copied are never renamed. */
		plan_conflicts(pl, BRANCH_REMOVED_OUTSIDE, e->path);
	} else if (copy && plan_orphan(pl, e) == -1)
		return (-1);
	if (S_ISDIR(upper->mode))
		return (walk_into(&pl->walk, WALK_UPPER, i));
	return (0);
}

/*
 * The attributes of a directory that both sides have; what differs is kept
 * in the record so that either can be set.
 */
static int
plan_content(struct planning *pl, struct record *r, const char *name)
{
	int	 lower = cursor_fd(&pl->walk.at[LOWER]);
	int	 upper = cursor_fd(&pl->walk.at[UPPER]);

	if (pl->walk.n == 0) {
		lower = pl->branch->lower;
		upper = pl->branch->upper;
	}
	if (xattrs_load(lower, name, XATTRS_CONTENT,
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
	return (r->in[LOWER].mode != r->in[UPPER].mode ||
	    r->in[LOWER].uid != r->in[UPPER].uid ||
	    r->in[LOWER].gid != r->in[UPPER].gid ||
	    (r->flags & RECORD_XATTRS) != 0);
}

/*
 * A directory that both sides have and that merges.  One that the branch made
 * where nothing was, and an outsider too, is a conflict: two directories that
 * know nothing of each other.
 */
static int
plan_merges(struct planning *pl, const struct walk_entry *e, size_t i,
    int copy)
{
	const struct inode	*lower = &e->in[LOWER];
	struct record		*r = &pl->plan->records[i];

	if (plan_content(pl, r, e->name) == -1)
		return (-1);
	if (!copy && plan_changed(pl, lower) && plan_younger(pl, lower))
		plan_conflicts(pl, BRANCH_ADDED_OUTSIDE, e->path);
	else if (record_meta(r) && plan_changed(pl, lower))
		plan_conflicts(pl, BRANCH_CHANGED_OUTSIDE, e->path);
	return (walk_into(&pl->walk, WALK_MERGED, i));
}

static int
plan_whiteout(struct planning *pl, const struct walk_entry *e)
{
	ssize_t	 i;

	if (!e->present[LOWER])
		return (0);
	if ((i = plan_entry(pl, e, RECORD_REMOVE)) == -1)
		return (-1);
	plan_replaces(pl, e, 1);
	if (S_ISDIR(e->in[LOWER].mode))
		return (walk_into(&pl->walk, WALK_LOWER, i));
	return (plan_source(pl, e));
}

/* One object under two names: there is nothing to exchange. */
static int
plan_same(const struct walk_entry *e)
{
	return (e->present[LOWER] && e->in[LOWER].dev == e->in[UPPER].dev &&
	    e->in[LOWER].ino == e->in[UPPER].ino);
}

static int
plan_merged(struct planning *pl, struct walk_entry *e)
{
	struct xattrs	 overlay = { NULL, 0 };
	ssize_t		 i;
	int		 copy, opaque = 1, ret = -1;

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
	if ((copy = plan_overlay(pl, e, &overlay)) == -1 ||
	    (i = plan_entry(pl, e, RECORD_DIR)) == -1)
		goto done;
	if (e->present[LOWER] && S_ISDIR(e->in[LOWER].mode) &&
	    S_ISDIR(e->in[UPPER].mode) &&
	    (opaque = walk_opaque(&pl->walk, e, i)) == -1)
		goto done;
	ret = opaque ? plan_moves(pl, e, i, copy, &overlay) :
	    plan_merges(pl, e, i, copy);
 done:
	xattrs_free(&overlay);
	return (ret);
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
	struct record	*r;
	ssize_t		 i;
	int		 ret = -1;

	if (plan_overlay(pl, e, &overlay) == -1)
		return (-1);
	if (overlay.len == 0 && e->type[UPPER] == DT_REG && !pl->plan->staged)
		return (0);
	if (walk_stat(&pl->walk, e, UPPER) == -1)
		goto done;
	ret = 0;
	if (overlay.len == 0 && !S_ISDIR(e->in[UPPER].mode) &&
	    !inode_whiteout(&e->in[UPPER]) && !plan_closed(pl, &e->in[UPPER]))
		goto done;
	ret = -1;
	if ((i = plan_entry(pl, e, RECORD_INSIDE)) == -1)
		goto done;
	r = &pl->plan->records[i];
	r->flags |= RECORD_ON_UPPER;
	r->overlay = overlay;
	memset(&overlay, 0, sizeof(overlay));
	ret = 0;
	if (plan_closed(pl, &e->in[UPPER]))
		r->flags |= RECORD_BORROWED_UPPER;
	if (inode_whiteout(&e->in[UPPER])) {
		r->flags |= RECORD_WHITEOUT;
		pl->plan->records[e->tag].flags |= RECORD_TIMES;
	} else if (S_ISDIR(e->in[UPPER].mode))
		ret = walk_into(&pl->walk, WALK_UPPER, i);
 done:
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
	struct record	*r;

	if (plan_add(pl->plan, RECORD_DIR, 0, "") == -1)
		return (-1);
	r = &pl->plan->records[0];
	if (fs_stat(pl->branch->lower, "", &r->in[LOWER]) == -1 ||
	    fs_stat(pl->branch->upper, "", &r->in[UPPER]) == -1 ||
	    plan_content(pl, r, "") == -1)
		return (-1);
	if (record_meta(r) && plan_changed(pl, &r->in[LOWER]))
		plan_conflicts(pl, BRANCH_CHANGED_OUTSIDE, ".");
	return (0);
}

static int
plan_walk(struct planning *pl)
{
	struct walk_entry	 e;
	int			 more, ret = 0;

	if (plan_root(pl) == -1 || walk_open(&pl->walk, pl->branch->lower,
	    pl->branch->upper, WALK_MERGED, 0) == -1)
		return (-1);
	while (ret == 0 && (more = walk_next(&pl->walk, &e)) != 0) {
		if (more == -1)
			return (-1);
		switch (e.mode) {
		case WALK_MERGED:
			ret = plan_merged(pl, &e);
			break;
		case WALK_UPPER:
			ret = plan_inside(pl, &e);
			break;
		default:
			ret = plan_hidden(pl, &e);
			break;
		}
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
	cursor_init(&pl.walk.at[LOWER], b->lower);
	cursor_init(&pl.walk.at[UPPER], b->upper);
	if (stage_name(b, hidden, sizeof(hidden)) == -1 ||
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
	looks_free(&pl.orphans);
	looks_free(&pl.sources);
	return (ret == -1 ? -1 : pl.conflicts);
}
