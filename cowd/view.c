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
 * Changes in the merged view, asked for by the supervisor.  It names a path
 * below the top of the working directory; what that means is found out here
 * once more, in the merged view and nowhere else, so that a supervisor that
 * obeys somebody else changes no more than the branch.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"
#include "holes.h"
#include "inject.h"
#include "log.h"
#include "merge.h"
#include "worker.h"

static struct merge	 view = { .lower = -1, .upper = -1, .gone = -1 };
static int		 view_listening = -1;	/* IMSG_LISTENER */

void
view_start(void)
{
	int	 dir, lower;

	if (rights_any() && rights_top() == NULL)
		fatalx("a view without a name");
	order_places(&lower, &dir);
	if (merge_init(&view, lower, dir) == -1)
		worker_fail("branch: %s", strerror(errno));
	/*
	 * To sockets that were made in it the workload may connect.  Metadata
	 * changes by the view only, which knows what describes upper.
	 */
	grant_add_directory(view.upper, GRANT_CONNECT);
}

int
view_active(void)
{
	return (view.lower != -1);
}

/* Each returns -1 and errno; *fd is what was opened, for the caller. */

static int
view_open(const struct proto_view *pv, int *fd, int *wait)
{
	if (pv->known && pv->room == UINT64_MAX && !rights_any() &&
	    (*fd = merge_open_file(&view, pv->path, pv->flags)) != -1)
		return (0);
	*fd = merge_open(&view, pv->path, pv->flags, pv->mode, pv->mask, wait);
	return (*fd == -1 ? -1 : 0);
}

static int
view_make(const struct proto_view *pv)
{
	switch (pv->op) {
	case VIEW_MKDIR:
		return (merge_mkdir(&view, pv->path, pv->mode, pv->mask));
	case VIEW_MKNOD:
		return (merge_mknod(&view, pv->path, pv->mode, pv->mask));
	default:
		return (merge_symlink(&view, pv->path2, pv->path, pv->mask));
	}
}

static int
view_names(const struct proto_view *pv)
{
	switch (pv->op) {
	case VIEW_UNLINK:
		return (merge_unlink(&view, pv->path));
	case VIEW_RMDIR:
		return (merge_rmdir(&view, pv->path));
	case VIEW_RENAME:
		return (merge_rename(&view, pv->path, pv->path2, pv->flags));
	default:
		return (merge_link(&view, pv->path, pv->path2, pv->flags));
	}
}

static int
view_meta(const struct proto_view *pv)
{
	switch (pv->op) {
	case VIEW_TRUNCATE:
		return (merge_truncate(&view, pv->path, pv->size));
	case VIEW_CHMOD:
		return (merge_chmod(&view, pv->path, pv->flags, pv->mode));
	case VIEW_CHOWN:
		return (merge_chown(&view, pv->path, pv->flags, pv->uid,
		    pv->gid));
	case VIEW_UTIMES:
		return (merge_utimes(&view, pv->path, pv->flags,
		    pv->times_now ? NULL : pv->times));
	case VIEW_SETXATTR:
		return (merge_setxattr(&view, pv->path, pv->flags,
		    pv->xattr_name, pv->value, pv->value_len,
		    pv->xattr_flags));
	default:
		return (merge_removexattr(&view, pv->path, pv->flags,
		    pv->xattr_name));
	}
}

static int
view_do(const struct proto_view *pv, int with, int *fd, int *wait)
{
	switch (pv->op) {
	case VIEW_OPEN:
		return (view_open(pv, fd, wait));
	case VIEW_MKDIR:
	case VIEW_MKNOD:
	case VIEW_SYMLINK:
		return (view_make(pv));
	case VIEW_UNLINK:
	case VIEW_RMDIR:
	case VIEW_RENAME:
	case VIEW_LINK:
		return (view_names(pv));
	case VIEW_LINK_FD:
		return (merge_link_fd(&view, with, pv->path));
	case VIEW_BIND:
		return (merge_bind(&view, with, pv->path, pv->mask));
	case VIEW_TRUNCATE:
	case VIEW_CHMOD:
	case VIEW_CHOWN:
	case VIEW_UTIMES:
	case VIEW_SETXATTR:
	case VIEW_REMOVEXATTR:
		return (view_meta(pv));
	case VIEW_MAX:
		break;
	}
	errno = ENOSYS;
	return (-1);
}

/* IMSG_LISTENER */
void
view_listener(int fd)
{
	if (view_listening != -1 || !view_active())
		fatalx("listener out of place");
	view_listening = fd;
}

/*
 * Give the caller what was opened.  It waits until the supervisor has answered
 * with the number that it has there, and nobody else holds it by then: who
 * has written a program and closed it may run it, and a lock is gone with its
 * owner.
 * 0, or an errno for the caller.
 */
static int
view_give(const struct proto_view *pv, uint32_t id, int fd)
{
	struct stat	 st;
	int		 error = 0, file, number = -1;

	if (view_listening == -1)
		fatalx("view %d without a listener", pv->op);
	if (fstat(fd, &st) == -1 || (number = inject_fd(view_listening,
	    pv->call, fd, pv->cloexec)) == -1)
		/* No name is missing: the caller is. */
		error = errno == ENOENT ? ESRCH : errno;
	close(fd);
	file = S_ISREG(st.st_mode) && st.st_nlink > 0;
	if (error == 0)
		cowd_reply(file ? IMSG_VIEW_GIVEN_FILE : IMSG_VIEW_GIVEN, id,
		    number);
	return (error);
}

/*
 * Give it to the supervisor, which hears of it when it is closed here: it can
 * be the caller's, and nobody else's, only then.
 */
static void
view_pass(uint32_t id, int fd)
{
	if (proto_send_value(&cowd_supervisor.ibuf, IMSG_VIEW_REPLY, id, fd,
	    0) == -1)
		fatal("reply");
	/* Sent, it is closed. */
	if (imsgbuf_flush(&cowd_supervisor.ibuf) == -1) {
		if (errno != EPIPE && errno != ECONNRESET)
			fatal("reply");
		return;
	}
	cowd_reply(IMSG_VIEW_DONE, id, 0);
}

/* With a quota the supervisor hears what it came to, before the reply. */
static void
view_taken(uint32_t id)
{
	struct proto_taken	 pt;
	int			 fd;

	pt.taken = view.taken;
	pt.wanted = view.wanted;
	fd = merge_gone(&view, &pt.given);
	if (proto_send_taken(&cowd_supervisor.ibuf, id, fd, &pt) == -1)
		fatal("taken");
}

void
view_request(struct imsg *imsg)
{
	struct proto_view	 pv;
	uint32_t		 id = imsg_get_id(imsg);
	int			 error = 0, fd = -1, wait = 0, with;

	if (view.lower == -1 && !rights_any())
		fatalx("view without a working directory");
	with = imsg_get_fd(imsg);
	if (proto_recv_view(imsg, &pv) == -1)
		fatal("bad view");
	merge_room(&view, pv.room);
	if (pv.path[0] == '/' && rights_any()) {
		if (with != -1)
			fatalx("file %d with a descriptor", pv.op);
		/* What lies in the view changes in the branch only. */
		if (view.lower != -1 && holes_inside(rights_top(), pv.path))
			fatalx("file %d in the view", pv.op);
		if (pv.path2[0] == '/' && view.lower != -1 &&
		    pv.op != VIEW_SYMLINK &&
		    holes_inside(rights_top(), pv.path2))
			fatalx("file %d to the view", pv.op);
		error = file_request(&pv, &fd, &wait);
		goto reply;
	}
	if (view.lower == -1)
		fatalx("view without a working directory");
	if (imsg_lost_fd(imsg)) {
		/* There was no slot for it. */
		error = EMFILE;
		goto reply;
	}
	if ((with != -1) != (pv.op == VIEW_LINK_FD || pv.op == VIEW_BIND ||
	    pv.path[0] == '\0'))
		fatalx("view %d with a descriptor or without", pv.op);
	if (pv.path[0] == '\0') {
		merge_give(&view, with);
		with = -1;
	}
	if ((error = file_view_error(&view, rights_top(), &pv)) == 0 &&
	    view_do(&pv, with, &fd, &wait) == -1)
		error = errno;
	merge_give(&view, -1);
	/* It was inside when the supervisor looked: somebody moves things. */
	if (error == MERGE_OUTSIDE)
		error = EACCES;
	if (with != -1)
		close(with);

 reply:
	if (pv.room != UINT64_MAX)
		view_taken(id);
	/* What would block is for the workload to open, by its path. */
	if (wait) {
		if (fd != -1)
			close(fd);
		fd = -1;
		error = PROTO_WAITS;
	}
	/* Before the reply, and all that follows from it. */
	if (view.forgot && proto_send_empty(&cowd_supervisor.ibuf,
	    IMSG_VIEW_FORGET, -1) == -1)
		fatal("forget");
	view.forgot = 0;
	if (fd != -1 && pv.call == 0)
		view_pass(id, fd);
	else if (fd == -1 || (error = view_give(&pv, id, fd)) != 0)
		cowd_reply(IMSG_VIEW_REPLY, id, error);
	proto_free_view(&pv);
}
