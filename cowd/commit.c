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
 * The course of a commit: lock, plan, journal, steps, end; and what is done
 * about a journal that somebody left.  It decides when something is durable
 * and what the result is; it touches no object of lower itself.
 */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "branch.h"
#include "fs.h"
#include "journal.h"
#include "plan.h"
#include "stage.h"
#include "steps.h"

/* How long a commit waits for another one, and how often it looks. */
#define LOCK_WAIT	5000
#define LOCK_PAUSE	20

void
branch_error_clear(struct branch_error *err)
{
	free(err->path);
	memset(err, 0, sizeof(*err));
}

/* The last one counts; without memory the path is left out. */
void
branch_error_set(struct branch_error *err, int error, const char *what,
    const char *path)
{
	branch_error_clear(err);
	err->error = error;
	strlcpy(err->what, what, sizeof(err->what));
	if (path != NULL)
		err->path = strdup(path);
}

int
branch_lock(const struct branch *b, int wait, struct branch_error *err)
{
	const struct timespec	 pause = { 0, LOCK_PAUSE * 1000000L };

	for (;; wait -= LOCK_PAUSE) {
		if (fs_flock(b->lower, LOCK_EX | LOCK_NB) == 0)
			return (0);
		if ((errno != EWOULDBLOCK && errno != EINTR) || wait <= 0)
			break;
		nanosleep(&pause, NULL);
	}
	branch_error_set(err, errno, "wait for another commit", NULL);
	return (-1);
}

void
branch_unlock(const struct branch *b)
{
	/* Nothing can be done about a failure; closing lower unlocks too. */
	(void)fs_flock(b->lower, LOCK_UN);
}

/*
 * Give up: take back what was done.  The error that led here stays the one
 * that is reported when this works.
 */
static enum branch_result
commit_undo(const struct branch *b, struct plan *p, enum branch_result result,
    struct branch_error *err)
{
	struct branch_error	 undo;

	if (p->state == JOURNAL_NONE)
		return (result);
	memset(&undo, 0, sizeof(undo));
	/*
	 * Should this not get to the disk and the rest neither, then the
	 * commit is completed after a crash instead, which is as good.
	 */
	if (p->state != JOURNAL_UNDO)
		(void)journal_state(b, p, JOURNAL_UNDO);
	if (steps_undo(b, p, &undo) == -1)
		goto unfinished;
	if (fs_syncfs(b->lower) == -1 || journal_drop(b) == -1) {
		branch_error_set(&undo, errno, "close the journal", NULL);
		goto unfinished;
	}
	p->state = JOURNAL_NONE;
	branch_error_clear(&undo);
	return (result);
 unfinished:
	branch_error_clear(err);
	*err = undo;
	return (BRANCH_UNFINISHED);
}

/*
 * All steps are taken; make that durable and close the journal.  The staging
 * directory holds what was replaced: once it is being removed there is no way
 * back.
 */
static enum branch_result
commit_finish(const struct branch *b, struct plan *p, struct branch_error *err)
{
	if (p->staged && p->state != JOURNAL_DONE &&
	    (fs_syncfs(b->lower) == -1 ||
	    journal_state(b, p, JOURNAL_DONE) == -1)) {
		branch_error_set(err, errno, "make the commit durable", NULL);
		return (BRANCH_FAILED);
	}
	if (p->staged && staging_remove(b) == -1) {
		branch_error_set(err, errno, "remove the staging directory",
		    NULL);
		return (BRANCH_FAILED);
	}
	if (steps_root(b, p, err) == -1)
		return (BRANCH_FAILED);
	if (fs_syncfs(b->lower) == -1 || journal_commit(b) == -1) {
		branch_error_set(err, errno, "close the journal", NULL);
		return (BRANCH_FAILED);
	}
	return (BRANCH_COMMITTED);
}

/* Take the steps and end; or else take them back. */
static enum branch_result
commit_steps(const struct branch *b, struct plan *p, int fresh,
    enum branch_result otherwise, struct branch_error *err)
{
	if (p->state != JOURNAL_DONE && steps_forward(b, p, fresh, err) == -1)
		return (commit_undo(b, p, otherwise, err));
	if (commit_finish(b, p, err) == BRANCH_COMMITTED)
		return (BRANCH_COMMITTED);
	if (p->state == JOURNAL_DONE)
		return (BRANCH_UNFINISHED);
	return (commit_undo(b, p, otherwise, err));
}

/* The modes that the plan borrowed are back and its copies are made. */
static void
plan_settled(struct plan *p)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		p->records[i].flags &= ~(RECORD_BORROWED_LOWER |
		    RECORD_BORROWED_UPPER);
}

/* Everything up to the first step.  0, or -1 with the error filled in. */
static int
commit_prepare(const struct branch *b, struct plan *p,
    struct branch_error *err)
{
	if (touched_reserve(b, p->n) == -1) {
		branch_error_set(err, errno, "reserve room", NULL);
		return (-1);
	}
	if (p->staged) {
		if (journal_write(b, p, JOURNAL_UNDO) == -1) {
			branch_error_set(err, errno, "write the journal",
			    NULL);
			return (-1);
		}
		if (staging_fill(b, p, err) == -1)
			return (-1);
	}
	plan_settled(p);
	/* No name may point to data that a crash could still take away. */
	if (fs_syncfs(b->lower) == -1) {
		branch_error_set(err, errno, "sync", NULL);
		return (-1);
	}
	if (journal_write(b, p, JOURNAL_FORWARD) == -1) {
		branch_error_set(err, errno, "write the journal", NULL);
		return (-1);
	}
	return (0);
}

/* Whether a commit may begin: COMMITTED, NOTHING in its way, or FAILED. */
static enum branch_result
commit_look(const struct branch *b, struct branch_error *err)
{
	struct plan	 p;
	int		 found;

	memset(&p, 0, sizeof(p));
	switch (journal_committed(b)) {
	case 1:
		return (BRANCH_COMMITTED);
	case -1:
		branch_error_set(err, errno, "look for a journal", NULL);
		return (BRANCH_FAILED);
	}
	if ((found = journal_read(b, &p)) == 1)
		errno = EBUSY;
	else if (found == 0 && journal_drop(b) == 0)
		return (BRANCH_NOTHING);
	branch_error_set(err, errno, "read the journal", NULL);
	plan_free(&p);
	return (found == 1 ? BRANCH_UNFINISHED : BRANCH_FAILED);
}

/* Nothing moves, and no directory becomes another one. */
static int
commit_empty(const struct plan *p)
{
	const struct record	*r;
	const struct inode	*old, *new;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		r = &p->records[i];
		old = &r->in[LOWER];
		new = &r->in[UPPER];
		if (r->kind != RECORD_DIR || (r->flags & RECORD_XATTRS) != 0 ||
		    old->mode != new->mode || old->uid != new->uid ||
		    old->gid != new->gid ||
		    timespeccmp(&old->mtime, &new->mtime, !=))
			return (0);
	}
	return (p->state == JOURNAL_NONE);
}

static void
commit_count(const struct plan *p, struct branch_counts *counts)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		switch (p->records[i].kind) {
		case RECORD_ADD:
		case RECORD_GRAFT:
			counts->added++;
			break;
		case RECORD_EXCHANGE:
		case RECORD_LINK:
			counts->changed++;
			break;
		case RECORD_REMOVE:
		case RECORD_TAKE:
			counts->deleted++;
			break;
		}
}

enum branch_result
branch_commit(const struct branch *b,
    void (*conflict)(enum branch_conflict, const char *, void *), void *arg,
    struct branch_counts *counts, struct branch_error *err)
{
	struct plan		 p;
	enum branch_result	 result;
	int			 n;

	branch_error_clear(err);
	memset(counts, 0, sizeof(*counts));
	memset(&p, 0, sizeof(p));
	if (branch_lock(b, LOCK_WAIT, err) == -1)
		return (BRANCH_FAILED);
	if ((result = commit_look(b, err)) != BRANCH_NOTHING)
		goto done;
	if ((n = plan_make(&p, b, conflict, arg, err)) != 0)
		result = commit_undo(b, &p, n == -1 ? BRANCH_FAILED :
		    BRANCH_CONFLICT, err);
	else if (commit_empty(&p))
		result = BRANCH_COMMITTED;
	else if (commit_prepare(b, &p, err) == -1)
		result = commit_undo(b, &p, BRANCH_FAILED, err);
	else
		result = commit_steps(b, &p, 1, BRANCH_FAILED, err);
	if (result == BRANCH_COMMITTED)
		commit_count(&p, counts);
 done:
	plan_free(&p);
	branch_unlock(b);
	return (result);
}

/* No journal, so nothing was begun: remove what may have been left before. */
static enum branch_result
recover_nothing(const struct branch *b, struct branch_error *err)
{
	int	 fd;

	if (journal_drop(b) == -1) {
		branch_error_set(err, errno, "remove a journal", NULL);
		return (BRANCH_FAILED);
	}
	if ((fd = staging_open(b)) == -1) {
		if (errno == ENOENT)
			return (BRANCH_NOTHING);
	} else {
		close(fd);
		if (staging_remove(b) == 0)
			return (BRANCH_UNDONE);
	}
	branch_error_set(err, errno, "remove the staging directory", NULL);
	return (BRANCH_FAILED);
}

static enum branch_result
recover(const struct branch *b, struct plan *p, struct branch_error *err)
{
	int	 found;

	if ((found = journal_committed(b)) == 1)
		return (BRANCH_NOTHING);
	if (found == -1 || (found = journal_read(b, p)) == -1) {
		branch_error_set(err, errno, "read the journal", NULL);
		return (BRANCH_FAILED);
	}
	if (found == 0)
		return (recover_nothing(b, err));
	if (p->state == JOURNAL_UNDO)
		return (commit_undo(b, p, BRANCH_UNDONE, err));
	return (commit_steps(b, p, 0, BRANCH_UNDONE, err));
}

enum branch_result
branch_recover(const struct branch *b, struct branch_error *err)
{
	struct plan		 p;
	enum branch_result	 result;

	branch_error_clear(err);
	memset(&p, 0, sizeof(p));
	if (branch_lock(b, LOCK_WAIT, err) == -1)
		return (BRANCH_FAILED);
	result = recover(b, &p, err);
	plan_free(&p);
	branch_unlock(b);
	return (result);
}

enum branch_result
branch_abort(const struct branch *b, struct branch_error *err)
{
	struct plan	 p;
	int		 found;

	branch_error_clear(err);
	memset(&p, 0, sizeof(p));
	if ((found = journal_committed(b)) == 0)
		found = journal_read(b, &p);
	else if (found == 1)
		errno = EALREADY;
	plan_free(&p);
	if (found == 0)
		return (BRANCH_ABORTED);
	if (found == 1 && errno != EALREADY)
		errno = EBUSY;
	branch_error_set(err, errno, "abort", NULL);
	return (BRANCH_FAILED);
}
