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
 * Opening.  What is only read is opened here and put into the caller's table;
 * what may be written is opened by cowd, which copies it up before.  The
 * kernel opens by itself what the branch has not changed.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

/* What cowd must see to: anything that could change something. */
#define OPEN_WRITES	(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | \
			(O_TMPFILE & ~O_DIRECTORY))

struct opening {
	int	 flags;
	mode_t	 mode;
	int	 dirfd;
	char	 path[PATH_MAX];
};

static void
open_arguments(const struct request *rq, struct opening *o)
{
	const struct syscall_entry	*call = rq->call;
	const __u64			*args = rq->notif.data.args;

	o->dirfd = AT_FDCWD;
	if (call->dirfd != SLOT_NONE)
		o->dirfd = (int)args[call->dirfd];
	if (call->nr == SYS_creat) {
		o->flags = O_CREAT | O_WRONLY | O_TRUNC;
		o->mode = args[call->arg];
	} else {
		o->flags = (int)args[call->arg];
		o->mode = args[call->arg + 1];
	}
	if ((o->flags & O_PATH) != 0)
		o->flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
}

/* Flags that are wrong with any name. */
static int
open_invalid(int flags)
{
	if ((flags & (O_TMPFILE & ~O_DIRECTORY)) != 0)
		return ((flags & O_TMPFILE) != O_TMPFILE ||
		    (flags & O_CREAT) != 0 ||
		    (flags & O_ACCMODE) == O_RDONLY);
	return ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT));
}

static int
open_reads(int flags)
{
	return ((flags & O_PATH) != 0 || (flags & OPEN_WRITES) == 0);
}

static int
open_follows(int flags)
{
	return ((flags & O_NOFOLLOW) == 0 &&
	    (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL));
}

/*
 * Open a directory of both trees in the working directory: it has one inode,
 * then, whether it was opened before the first change or after it.
 */
static int
open_directory(const struct merge_entry *e, const char *path, int flags)
{
	char	 name[PATH_MAX + 1];
	int	 unused;

	if (e->merged && merge_access(view_merge(), path, R_OK,
	    AT_SYMLINK_NOFOLLOW) == 0 &&
	    view_real(e, name, sizeof(name)) == 0) {
		unused = open(name, flags | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
		if (unused != -1)
			return (unused);
	}
	return (merge_open(view_merge(), path, flags | O_NOFOLLOW, 0, 0,
	    &unused));
}

static void
open_entry(struct request *rq, struct merge_entry *e, const struct opening *o)
{
	char	*path;
	int	 fd, flags = o->flags, waits = 0;

	if ((flags & O_PATH) != 0 && ((flags & O_DIRECTORY) == 0 ||
	    S_ISDIR(e->sx.stx_mode))) {
		/*
		 * No descriptor of that kind can be given to another, and
		 * one gives no right, wherever it leads.
		 */
		rewrite_entry(rq, o->dirfd, o->path, open_follows(flags), e);
		return;
	}
	if ((path = view_canonical(e)) == NULL) {
		notify_errno(rq, ENOMEM);
		return;
	}
	/*
	 * Who splices into a FIFO holds it, and to open it waits for that in a
	 * wait that no signal ends: that is for the caller, in any case.
	 */
	if (S_ISFIFO(e->sx.stx_mode))
		flags &= ~O_NONBLOCK;
	if (S_ISDIR(e->sx.stx_mode))
		fd = open_directory(e, path, flags);
	else
		fd = merge_open(view_merge(), path, flags | O_NOFOLLOW, 0, 0,
		    &waits);
	free(path);
	if (fd == -1) {
		notify_errno(rq, errno);
		return;
	}
	if (!waits) {
		notify_give(rq, fd, (flags & O_CLOEXEC) != 0);
		return;
	}
	/* Only the caller may wait; Landlock grants it to read. */
	rewrite_entry(rq, o->dirfd, o->path, open_follows(flags), e);
	close(fd);
}

static void	 open_write(struct request *, struct place *,
		    const struct opening *);

/* A FIFO of lower, to which somebody outside may write: cowd copies it up. */
static int
open_shared(const struct merge_entry *e, const struct opening *o)
{
	return (S_ISFIFO(e->sx.stx_mode) && !e->upper &&
	    (o->flags & (O_PATH | O_DIRECTORY)) == 0);
}

static void
open_read(struct request *rq, struct place *pl, const struct opening *o)
{
	struct merge_entry	 e;
	int			 error, fd;

	if (changed_file(pl->path) && (o->flags & O_PATH) == 0 &&
	    (fd = merge_open_file(view_merge(), pl->path, o->flags)) != -1) {
		notify_give(rq, fd, (o->flags & O_CLOEXEC) != 0);
		return;
	}
	if ((o->flags & O_PATH) != 0 ? place_unchanged(pl, 0) :
	    place_opens(pl)) {
		/* Should the name change, Landlock grants no more than read. */
		notify_continue(rq);
		return;
	}
	if ((error = place_lookup(rq, pl, open_follows(o->flags) ? 0 :
	    AT_SYMLINK_NOFOLLOW, &e)) != 0)
		notify_errno(rq, error);
	else if (!pl->inside)
		look_left(rq, rq->call->path, pl);
	else if (open_shared(&e, o)) {
		merge_entry_free(&e);
		open_write(rq, pl, o);
	} else {
		deep_note(&e);
		if (!virtual_entry(rq, &e, o->flags))
			open_entry(rq, &e, o);
		merge_entry_free(&e);
	}
}

static void
open_write(struct request *rq, struct place *pl, const struct opening *o)
{
	struct proto_view	 pv;

	if ((o->flags & (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))) !=
	    0 && task_full(rq->notif.pid)) {
		notify_errno(rq, EMFILE);
		return;
	}
	/* What was opened so before needs no look, and is not made. */
	rq->known = rq->plain = changed_file(pl->path) &&
	    (o->flags & (O_EXCL | O_TMPFILE)) == 0;
	if (!rq->known &&
	    !mutate_mark_open(rq, pl, open_follows(o->flags))) {
		look_left(rq, rq->call->path, pl);
		return;
	}
	memset(&pv, 0, sizeof(pv));
	pv.op = VIEW_OPEN;
	pv.known = rq->known;
	pv.flags = rq->known ? o->flags & ~O_CREAT : o->flags;
	pv.mode = o->mode & 07777;
	if ((pv.flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) != 0)
		pv.mask = mutate_umask(rq);
	pv.path = pl->path;
	rq->noted = changed_noted(pl->path);
	if ((rq->paths[0] = strdup(pl->path)) == NULL) {
		notify_errno(rq, ENOMEM);
		return;
	}
	rq->flags = o->flags;
	rq->cloexec = (o->flags & O_CLOEXEC) != 0;
	rq->asked = 1;
	mutate_send(rq, -1, &pv);
}

void
open_request(struct request *rq)
{
	struct opening	 o;
	struct place	 pl;
	int		 error;

	open_arguments(rq, &o);
	if (open_invalid(o.flags)) {
		/* Refused before there is a name. */
		notify_continue(rq);
		return;
	}
	if (view_same() && (o.flags & O_PATH) != 0) {
		/* Nothing is different yet, and it gives no right. */
		notify_continue(rq);
		return;
	}
	if ((error = look_path(rq, rq->call->path, o.path,
	    sizeof(o.path))) == 0 && rewrite_final(rq, o.path)) {
		/* Should it be another by then, Landlock decides about it. */
		notify_continue(rq);
		return;
	}
	if (error != 0 || (error = place_find(rq, o.dirfd, o.path,
	    open_follows(o.flags), &pl)) != 0) {
		notify_errno(rq, error);
		return;
	}
	if (!pl.inside)
		/* Landlock decides about whatever the name leads to then. */
		notify_continue(rq);
	else if (open_reads(o.flags))
		open_read(rq, &pl, &o);
	else
		open_write(rq, &pl, &o);
	place_free(&pl);
}

/* What had to be copied up first has been; the request is still parked. */
void
open_again(struct request *rq)
{
	free(rq->paths[0]);
	rq->paths[0] = NULL;
	open_request(rq);
	request_forget(rq);
}

/* Whether cowd was asked for something that is only read. */
int
open_read_only(const struct request *rq)
{
	return (rq->call->class == CLASS_OPEN &&
	    (rq->flags & OPEN_WRITES) == 0);
}
