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
 * Names that the kernel itself has to follow: where a process stands, and which
 * program it becomes.  When the caller's name leads the kernel to what the view
 * shows, the call goes on as it is; otherwise it is made again with a name that
 * does, in the branch or in the working directory.
 *
 * Every CONTINUE of this file is harmless: Landlock lets the workload execute
 * nothing but what the policy grants, the working directory and the branch, by
 * whatever name; a directory to stand in gives no right; and watching needs the
 * right to read.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

static uint64_t
argument(const struct request *rq, int slot)
{
	return (rq->notif.data.args[slot]);
}

/* The kernel asks for the right to search or execute by its own view. */
static int
stand_denied(const struct request *rq, const struct merge_entry *e)
{
	char	*path;
	int	 error = 0;

	if (rq->call->class == CLASS_CHDIR && !S_ISDIR(e->sx.stx_mode))
		return (ENOTDIR);
	if (rq->call->class == CLASS_WATCH)
		return (0);
	if ((path = view_canonical(e)) == NULL)
		return (ENOMEM);
	if (merge_access(view_merge(), path, X_OK, AT_SYMLINK_NOFOLLOW) == -1)
		error = errno;
	free(path);
	return (error);
}

static int
stand_flags(const struct request *rq)
{
	if (rq->call->flags != SLOT_NONE)
		return ((int)argument(rq, rq->call->flags));
	/* IN_DONT_FOLLOW */
	if (rq->call->class == CLASS_WATCH &&
	    (argument(rq, rq->call->arg) & 0x02000000) != 0)
		return (AT_SYMLINK_NOFOLLOW);
	return (0);
}

/*
 * fchdir.  A descriptor is its directory by whatever name, but the true mode of
 * that may be another than the kernel's.
 */
static void
stand_descriptor(struct request *rq)
{
	struct merge_entry	 e;
	struct place		 pl;
	int			 error = 0;

	if (view_changed() && place_descriptor(rq, (int)argument(rq,
	    rq->call->fd), &pl) == 0) {
		if (pl.inside && !place_unchanged(&pl, 0) && place_lookup(rq,
		    &pl, AT_SYMLINK_NOFOLLOW, &e) == 0 && pl.inside) {
			if (S_ISDIR(e.sx.stx_mode))
				error = stand_denied(rq, &e);
			merge_entry_free(&e);
		}
		place_free(&pl);
	}
	if (error != 0)
		notify_errno(rq, error);
	else
		/* As above: to stand somewhere gives no right. */
		notify_continue(rq);
}

/* chdir, fchdir, execve, execveat, inotify_add_watch */
void
stand_request(struct request *rq)
{
	struct merge_entry	 e;
	struct place		 pl;
	char			 path[PATH_MAX];
	int			 dirfd = AT_FDCWD, error, follow;

	if (rq->call->path == SLOT_NONE) {
		stand_descriptor(rq);
		return;
	}
	if (rq->call->dirfd != SLOT_NONE)
		dirfd = (int)argument(rq, rq->call->dirfd);
	follow = (stand_flags(rq) & AT_SYMLINK_NOFOLLOW) == 0;
	if ((error = look_path(rq, rq->call->path, path,
	    sizeof(path))) == 0 && rewrite_final(rq, path)) {
		/* As below: should it be another by then. */
		notify_continue(rq);
		return;
	}
	if (error != 0 ||
	    (error = place_find(rq, dirfd, path, follow, &pl)) != 0) {
		notify_errno(rq, error);
		return;
	}
	if (!pl.inside || place_unchanged(&pl, 0))
		/* Landlock decides what may be executed, by whatever name. */
		notify_continue(rq);
	else if ((error = place_lookup(rq, &pl, follow ? 0 :
	    AT_SYMLINK_NOFOLLOW, &e)) != 0)
		notify_errno(rq, error);
	else if (!pl.inside)
		look_left(rq, rq->call->path, &pl);
	else {
		if ((error = stand_denied(rq, &e)) != 0)
			notify_errno(rq, error);
		else
			rewrite_entry(rq, dirfd, path, follow, &e);
		deep_note(&e);
		merge_entry_free(&e);
	}
	place_free(&pl);
}

/* In the branch a process stands in a directory of the view all the same. */
void
stand_getcwd(struct request *rq)
{
	char		 name[PATH_MAX + 1], text[2 * PATH_MAX];
	char		 moved[PATH_MAX + 1];
	const char	*rest;
	uint64_t	 size = argument(rq, rq->call->outlen);
	size_t		 len;
	int		 alias, error = 0;

	if (task_name(rq->notif.pid, AT_FDCWD, name, sizeof(name)) != 0 ||
	    (rest = view_below(name, &alias)) == NULL ||
	    (!alias && (error = changed_place(rest, moved,
	    sizeof(moved))) == 0 && strcmp(rest, moved) == 0) ||
	    view_unlinked(rq->notif.pid, AT_FDCWD)) {
		/* It only tells a name. */
		notify_continue(rq);
		return;
	}
	if (error != 0) {
		notify_errno(rq, error);
		return;
	}
	if (!alias)
		rest = moved;
	len = (size_t)snprintf(text, sizeof(text), "%s%s%s", view_top(),
	    rest[0] == '\0' ? "" : "/", rest) + 1;
	if (len > sizeof(text) || len > PATH_MAX)
		notify_errno(rq, ENAMETOOLONG);
	else if (len > size)
		notify_errno(rq, ERANGE);
	else
		notify_result(rq, argument(rq, rq->call->out), text, len,
		    (int64_t)len);
}

/* cowd binds a duplicate of the socket. */
void
stand_bind_inside(struct request *rq, struct place *pl)
{
	struct proto_view	 pv;
	socklen_t		 len = sizeof(int);
	int			 domain, fd;

	if ((fd = notify_descriptor(rq)) == -1)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1 ||
	    domain != AF_UNIX) {
		notify_errno(rq, errno == ENOTSOCK ? ENOTSOCK : EINVAL);
		close(fd);
		return;
	}
	memset(&pv, 0, sizeof(pv));
	pv.op = VIEW_BIND;
	pv.mask = mutate_umask(rq);
	pv.path = pl->path;
	mutate_send(rq, fd, &pv);
}

/*
 * A unix socket with a name in the view.  Every other address goes on: a port
 * is Landlock's to judge, and so is a name outside; one inside, put in its
 * place meanwhile, Landlock refuses.
 */
void
stand_bind(struct request *rq)
{
	struct sockaddr_un	 sun;
	struct place		 pl;
	char			 path[sizeof(sun.sun_path) + 1];
	int			 error, len;
	const size_t		 head = offsetof(struct sockaddr_un, sun_path);

	len = (int)argument(rq, rq->call->addrlen);
	memset(&sun, 0, sizeof(sun));
	if (len > (int)head && len <= (int)sizeof(sun) &&
	    memory_read(rq->notif.pid, argument(rq, rq->call->addr), &sun,
	    len) == -1) {
		notify_errno(rq, errno);
		return;
	}
	if (len <= (int)head || len > (int)sizeof(sun) ||
	    sun.sun_family != AF_UNIX || sun.sun_path[0] == '\0') {
		/* No name here; Landlock grants no socket to be made by one. */
		notify_continue(rq);
		return;
	}
	memset(path, 0, sizeof(path));
	memcpy(path, sun.sun_path, len - head);
	if ((error = place_find(rq, AT_FDCWD, path, 0, &pl)) != 0)
		notify_errno(rq, error);
	else if (!pl.inside || !mutate_mark(rq, &pl, 0)) {
		/*
		 * Landlock decides about whatever the name leads to then.  The
		 * kernel may not find the link by which it left the view.
		 */
		if (!tmp_bind(rq, pl.left ? pl.path : path,
		    pl.left && view_changed()))
			notify_continue(rq);
	} else
		stand_bind_inside(rq, &pl);
	place_free(&pl);
}
