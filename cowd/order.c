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
 * The branch of a run, from cowd's side: where it is, and what the parent
 * orders at the end.  The work itself is done by branch.h's functions, on
 * descriptors that the parent opened before anything untrusted ran; this file
 * passes their findings on and removes the branch of a parent that was killed.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "branch.h"
#include "cowd.h"
#include "diff.h"
#include "log.h"
#include "rmtree.h"
#include "worker.h"

#define ORDER_PATH_PIECE	(PROTO_MAXSIZE - 1024)

static struct branch	 branch = { .dir = -1, .upper = -1, .lower = -1 };
static char		*order_name;		/* of the branch */
static int		 order_storage = -1;	/* where it lies */
static int		 order_lock = -1;	/* held by being open */
static int		 order_keep;		/* if the parent is lost */
static int		 order_done;		/* the parent will see to it */

void
order_set_storage(const char *name, int fd)
{
	if (order_storage != -1 || name[0] == '\0' || name[0] == '.' ||
	    strchr(name, '/') != NULL || strlen(name) > BRANCH_ID_MAX)
		fatalx("bad branch");
	order_storage = fd;
	if ((order_name = strdup(name)) == NULL)
		fatal("branch");
	branch.id = order_name;
	if ((branch.dir = openat(fd, name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		worker_fail("branch %s: %s", name, strerror(errno));
}

/* The branch of a server, which is elsewhere. */
void
order_set_upper(int fd)
{
	if (branch.upper != -1)
		fatalx("two upper directories");
	branch.upper = fd;
	branch.whole = 1;
}

void
order_set_lower(const struct proto_branch *pb, int fd)
{
	if (branch.lower != -1)
		fatalx("two working directories");
	branch.lower = fd;
	branch.refuses = rights_refuse;
	branch.start = pb->start;
	order_keep = pb->keep;
}

void
order_set_lock(int fd)
{
	if (order_lock != -1)
		fatalx("two locks");
	order_lock = fd;
}

/* Everything has been said: what is left to open is opened. */
void
order_settle(void)
{
	if (branch.dir == -1 && branch.upper != -1)
		fatalx("half a branch");
	if (branch.dir != -1 && branch.upper == -1 &&
	    (branch.upper = openat(branch.dir, "upper", O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1)
		worker_fail("branch %s: %s", order_name, strerror(errno));
}

/* All of it has come, or none. */
int
order_configured(void)
{
	if ((branch.dir == -1) != (branch.lower == -1) ||
	    (branch.dir == -1) != (order_lock == -1))
		fatalx("half a branch");
	return (branch.dir != -1);
}

void
order_places(int *lower, int *dir)
{
	if (branch.dir == -1 || branch.lower == -1 || branch.whole)
		fatalx("a view without a branch");
	*lower = branch.lower;
	*dir = branch.dir;
}

void
order_grant(struct landlock_self *ls)
{
	landlock_grant(ls, branch.dir, LANDLOCK_BRANCH);
	/* The same, or nothing could be moved from one to the other. */
	landlock_grant(ls, branch.lower, LANDLOCK_BRANCH);
	if (branch.whole)
		landlock_grant(ls, branch.upper, LANDLOCK_BRANCH);
	landlock_grant(ls, order_storage, LANDLOCK_RMDIR);
}

/* The parent is gone, and with it whoever would ask for a commit. */
void
order_orphaned(void)
{
	if (branch.dir == -1)
		return;
	if (order_keep || order_done) {
		/* It is somebody's now, even if it is empty. */
		if (unlinkat(branch.dir, "fresh", 0) == -1 && errno != ENOENT)
			log_warn("branch %s", order_name);
		return;
	}
	if (rmtree(order_storage, order_name) == -1)
		log_warn("branch %s", order_name);
}

/* The parent reads as long as we send; what is queued must not grow. */
static void
order_flush(void)
{
	if (imsgbuf_flush(&worker_parent.ibuf) == 0)
		return;
	if (errno != EPIPE && errno != ECONNRESET)
		fatal("channel to the parent");
	/* It was killed, or does not want to know the rest. */
	private_remove();
	order_orphaned();
	_exit(0);
}

/* A path that one message cannot hold: all but the end, which is returned. */
static const char *
order_path(const char *path)
{
	char	*piece;
	size_t	 left;

	for (left = strlen(path); left > ORDER_PATH_PIECE;
	    left -= ORDER_PATH_PIECE, path += ORDER_PATH_PIECE) {
		if ((piece = strndup(path, ORDER_PATH_PIECE)) == NULL ||
		    proto_send_string(&worker_parent.ibuf, IMSG_BRANCH_PATH,
		    piece) == -1)
			fatal("path");
		free(piece);
		order_flush();
	}
	return (path);
}

static void
order_tell(char kind, const char *path)
{
	struct proto_change	 pc = { kind, NULL };

	if ((pc.path = strdup(order_path(path))) == NULL ||
	    proto_send_change(&worker_parent.ibuf, &pc) == -1)
		fatal("change");
	free(pc.path);
	order_flush();
}

static int
order_change(const struct branch_change *bc, void *arg)
{
	const enum branch_order	*order = arg;

	order_tell(bc->type, bc->path);
	if (*order == ORDER_DIFF)
		return (diff_change(bc));
	return (0);
}

static void
order_conflict(enum branch_conflict conflict, const char *path, void *arg)
{
	(void)arg;
	order_tell(conflict == BRANCH_REMOVED_OUTSIDE ? 'R' :
	    conflict == BRANCH_ADDED_OUTSIDE ? 'N' : 'C', path);
}

static enum branch_outcome
order_list(enum branch_order order, struct branch_error *err)
{
	return (branch_changes(&branch, order_change, &order, err) == 0 ?
	    OUTCOME_DONE : OUTCOME_FAILED);
}

static enum branch_outcome
order_outcome(enum branch_result result, enum branch_order order)
{
	switch (result) {
	case BRANCH_COMMITTED:
		return (order == ORDER_COMMIT ? OUTCOME_DONE :
		    OUTCOME_COMPLETED);
	case BRANCH_UNDONE:
		return (OUTCOME_UNDONE);
	case BRANCH_NOTHING:
	case BRANCH_ABORTED:
		return (OUTCOME_DONE);
	case BRANCH_CONFLICT:
		return (OUTCOME_CONFLICT);
	case BRANCH_FAILED:
		return (OUTCOME_FAILED);
	case BRANCH_UNFINISHED:
		break;
	}
	return (OUTCOME_STUCK);
}

static void
order_answer(enum branch_outcome outcome, const struct branch_counts *counts,
    const struct branch_error *err)
{
	struct proto_outcome	 po;

	memset(&po, 0, sizeof(po));
	po.outcome = outcome;
	po.added = counts->added;
	po.changed = counts->changed;
	po.deleted = counts->deleted;
	if (outcome == OUTCOME_FAILED || outcome == OUTCOME_STUCK) {
		po.error = err->error;
		strlcpy(po.what, err->what, sizeof(po.what));
		if (err->path != NULL)
			po.path = strdup(order_path(err->path));
	}
	if (po.path == NULL && (po.path = strdup("")) == NULL)
		fatal("branch");
	if (proto_send_outcome(&worker_parent.ibuf, &po) == -1)
		fatal("outcome");
	free(po.path);
	order_flush();
}

void
order_branch(int order)
{
	struct branch_counts	 counts;
	struct branch_error	 err;
	enum branch_outcome	 outcome;

	if (branch.dir == -1)
		fatalx("order without a branch");
	if (branch.whole && order != ORDER_LIST && order != ORDER_DIFF &&
	    order != ORDER_LEAVE)
		fatalx("order %d for somebody else's branch", order);
	memset(&counts, 0, sizeof(counts));
	memset(&err, 0, sizeof(err));
	/* A list is discarded by us if the parent cannot. */
	if (order != ORDER_LIST && order != ORDER_DIFF)
		order_done = 1;
	switch (order) {
	case ORDER_LEAVE:
		return;
	case ORDER_LIST:
	case ORDER_DIFF:
		outcome = order_list(order, &err);
		break;
	case ORDER_COMMIT:
		outcome = order_outcome(branch_commit(&branch, order_conflict,
		    NULL, &counts, &err), order);
		break;
	case ORDER_RECOVER:
		outcome = order_outcome(branch_recover(&branch, &err), order);
		break;
	default:
		fatalx("unknown order %d", order);
	}
	order_answer(outcome, &counts, &err);
	branch_error_clear(&err);
}
