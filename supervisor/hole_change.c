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
 * Opening and changing around holes.  Landlock refuses the workload what lies
 * directly in a directory on the way to a hole, whoever may have it: so cowd
 * does it, and decides whether it may be done.  Directories are opened here, to
 * be listed.
 *
 * Every CONTINUE of this file is harmless: Landlock grants the workload nothing
 * of a hole, by whatever name; and a descriptor that only names something
 * (O_PATH) gives no right.
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

#include "holes.h"
#include "supervisor.h"

static uint64_t
argument(const struct request *rq, int slot)
{
	return (slot == SLOT_NONE ? 0 : rq->notif.data.args[slot]);
}

/*
 * The kernel decides, or the view if there is one, or who counts for it.
 * Should the name be another by then, Landlock judges that, too, and grants
 * nothing of what is denied.
 */
static int
leave(struct request *rq)
{
	if (view_active() || mounted_active())
		return (0);
	notify_continue(rq);
	return (1);
}

static void
open_arguments(const struct request *rq, int *flags, mode_t *mode)
{
	if (rq->notif.data.nr == SYS_creat) {
		*flags = O_CREAT | O_WRONLY | O_TRUNC;
		*mode = argument(rq, rq->call->arg) & 07777;
	} else {
		*flags = (int)argument(rq, rq->call->arg);
		*mode = argument(rq, rq->call->arg + 1) & 07777;
	}
	if ((*flags & O_PATH) != 0)
		*flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
}

static unsigned int
open_needs(int flags, int missing)
{
	unsigned int	 needs = 0;

	if ((flags & O_PATH) != 0)
		return (0);
	if ((flags & O_ACCMODE) != O_WRONLY)
		needs |= PERM_READ;
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0)
		needs |= PERM_WRITE;
	if (missing)
		needs |= PERM_CREATE;
	return (needs);
}

/* A directory to be listed: the domain admits that below the whole path. */
static void
open_directory(struct request *rq, const struct hole_name *hn, int flags)
{
	char	 name[64];
	int	 fd;

	if ((flags & (O_CREAT | O_TRUNC)) != 0 ||
	    (flags & O_ACCMODE) != O_RDONLY) {
		notify_errno(rq, EISDIR);
		return;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", hn->fd);
	fd = open(name, (flags & (O_NONBLOCK | O_NOATIME)) | O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		notify_errno(rq, errno);
		return;
	}
	notify_give(rq, fd, (flags & O_CLOEXEC) != 0);
}

static void
open_send(struct request *rq, struct hole_name *hn, int flags, mode_t mode)
{
	struct proto_view	 pv;

	if ((flags & (O_CREAT | O_TRUNC)) != 0 && task_full(rq->notif.pid)) {
		notify_errno(rq, EMFILE);
		return;
	}
	memset(&pv, 0, sizeof(pv));
	pv.op = VIEW_OPEN;
	pv.flags = flags;
	pv.mode = mode;
	pv.mask = (flags & O_CREAT) != 0 ? mutate_umask(rq) : 0;
	pv.path = hn->path;
	if ((rq->paths[0] = strdup(hn->path)) == NULL) {
		notify_errno(rq, ENOMEM);
		return;
	}
	rq->flags = flags;
	rq->cloexec = (flags & O_CLOEXEC) != 0;
	mutate_send(rq, -1, &pv);
}

static int
open_around(struct request *rq, struct hole_name *hn, int flags, mode_t mode)
{
	int	 exists = hn->fd != -1;

	if ((flags & O_TMPFILE) == O_TMPFILE)
		/* Programs make do with a name then. */
		notify_errno(rq, EOPNOTSUPP);
	else if (!exists && hn->slash)
		notify_errno(rq, EISDIR);
	else if (exists && (flags & (O_CREAT | O_EXCL)) ==
	    (O_CREAT | O_EXCL))
		notify_errno(rq, EEXIST);
	else if (exists && S_ISDIR(hn->st.st_mode))
		open_directory(rq, hn, flags);
	else if (exists && (flags & O_DIRECTORY) != 0)
		notify_errno(rq, ENOTDIR);
	else if (exists && !S_ISREG(hn->st.st_mode) &&
	    !S_ISFIFO(hn->st.st_mode))
		/* A link that is not followed, a socket: an error anyway. */
		notify_continue(rq);
	else
		open_send(rq, hn, flags, mode);
	return (1);
}

int
hole_open(struct request *rq)
{
	struct hole_name	 hn;
	mode_t			 mode;
	int			 error, flags, follow, ret = 1;

	open_arguments(rq, &flags, &mode);
	follow = (flags & O_NOFOLLOW) == 0 &&
	    (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	error = hole_argument(rq, rq->call->dirfd, rq->call->path, follow ? 0 :
	    AT_SYMLINK_NOFOLLOW, &hn);
	if (error != 0) {
		/* It may be there in the view. */
		if (view_active())
			return (0);
		notify_errno(rq, error);
		return (1);
	}
	if (hole_is_viewed(&hn))
		ret = 0;
	else if (hn.fd == -1 && (flags & O_CREAT) == 0) {
		if (hole_judge(&hn, 0) == HOLE_DENIED)
			hole_refuse(rq, &hn);
		else
			ret = leave(rq);
	} else
		switch (hole_judge(&hn, open_needs(flags, hn.fd == -1))) {
		case HOLE_KERNEL:
			ret = leave(rq);
			break;
		case HOLE_DENIED:
			hole_refuse(rq, &hn);
			break;
		case HOLE_AROUND:
			ret = open_around(rq, &hn, flags, mode);
			break;
		}
	hole_name_free(&hn);
	return (ret);
}

/*
 * What a change in the directory of a name comes to.  The path of a hole cannot
 * be made, removed or replaced itself.
 */
static enum hole_verdict
judge_entry(struct hole_name *hn)
{
	const struct workload_path	*wp, *dir;
	char				*slash = strrchr(hn->path, '/');
	enum hole_verdict		 verdict;
	int				 fd = hn->fd;

	if (hole_judge(hn, 0) == HOLE_DENIED)
		return (HOLE_DENIED);
	if (slash[1] == '\0')
		return (HOLE_KERNEL);	/* the root */
	wp = holes_path(&sup.conf.paths, hn->path);
	hn->fd = -1;
	if (slash == hn->path) {
		char	 c = slash[1];

		slash[1] = '\0';
		dir = holes_path(&sup.conf.paths, hn->path);
		verdict = hole_judge(hn, PERM_CREATE);
		slash[1] = c;
	} else {
		*slash = '\0';
		dir = holes_path(&sup.conf.paths, hn->path);
		verdict = hole_judge(hn, PERM_CREATE);
		*slash = '/';
	}
	hn->fd = fd;
	if (wp != NULL && dir != NULL && wp != dir &&
	    (dir->perms & ~wp->perms) != 0)
		return (HOLE_DENIED);
	return (verdict);
}

/* What the kernel says of a name that ends in "." or ".."; 0 for others. */
static int
dots_error(const struct request *rq, int slot, int removes_dir)
{
	char	 path[PATH_MAX], *last;
	size_t	 len;

	if (look_path(rq, slot, path, sizeof(path)) != 0)
		return (EFAULT);
	for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	last = strrchr(path, '/');
	last = last == NULL ? path : last + 1;
	if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		switch (rq->call->class) {
		case CLASS_UNLINK:
		case CLASS_RMDIR:
			if (!removes_dir)
				return (EISDIR);
			return (last[1] == '.' ? ENOTEMPTY : EINVAL);
		case CLASS_RENAME:
			return (EBUSY);
		default:
			return (EEXIST);
		}
	}
	return (0);
}

static void
change_around(struct request *rq, struct hole_name *hn)
{
	struct proto_view	 pv;
	char			*text;
	int			 error;

	memset(&pv, 0, sizeof(pv));
	if ((error = mutate_arguments(rq, &pv)) == 0 &&
	    rq->call->class != CLASS_TRUNCATE)
		error = dots_error(rq, rq->call->path, pv.op == VIEW_RMDIR);
	if (error == 0 && hn->fd == -1 && hn->slash && pv.op != VIEW_MKDIR)
		error = ENOENT;
	if (error != 0) {
		notify_errno(rq, error);
		free(pv.path2);
		return;
	}
	pv.path = hn->path;
	text = pv.path2;
	mutate_send(rq, -1, &pv);
	free(text);
}

int
hole_change(struct request *rq)
{
	struct hole_name	 hn;
	enum hole_verdict	 verdict;
	int			 error, ret = 1;

	if ((error = hole_argument(rq, rq->call->dirfd, rq->call->path,
	    rq->call->nofollow ? AT_SYMLINK_NOFOLLOW : 0, &hn)) != 0) {
		if (view_active())
			return (0);
		notify_errno(rq, error);
		return (1);
	}
	if (rq->call->class == CLASS_TRUNCATE)
		verdict = hole_judge(&hn, PERM_WRITE);
	else
		verdict = judge_entry(&hn);
	if (hole_is_viewed(&hn))
		ret = 0;
	else if (verdict == HOLE_DENIED)
		hole_refuse(rq, &hn);
	else if (verdict == HOLE_KERNEL)
		ret = leave(rq);
	else
		change_around(rq, &hn);
	hole_name_free(&hn);
	return (ret);
}

/* A rename or a link of which cowd is to be asked; 0 or an errno. */
static int
two_arguments(const struct request *rq, const struct hole_name *from,
    const struct hole_name *to, struct proto_view *pv)
{
	int	 error;

	memset(pv, 0, sizeof(*pv));
	if ((error = dots_error(rq, rq->call->path2, 0)) != 0)
		return (error);
	if (from->fd == -1)
		return (ENOENT);
	if (rq->call->class == CLASS_LINK) {
		pv->op = VIEW_LINK;
		if ((argument(rq, rq->call->flags) &
		    ~(uint64_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) &
		    0xffffffff) != 0)
			return (EINVAL);
		/* A file without a name is not brought here. */
		if (from->st.st_nlink == 0)
			return (EXDEV);
		return (to->slash ? ENOENT : 0);
	}
	pv->op = VIEW_RENAME;
	pv->flags = (int)argument(rq, rq->call->arg);
	if ((error = dots_error(rq, rq->call->path, 0)) != 0)
		return (error);
	if ((from->slash || to->slash) && !S_ISDIR(from->st.st_mode))
		return (ENOTDIR);
	return (0);
}

static int
change_both(struct request *rq, struct hole_name *from, struct hole_name *to)
{
	struct proto_view	 pv;
	enum hole_verdict	 v1, v2;
	int			 error;

	if (hole_is_viewed(from) || hole_is_viewed(to))
		return (0);
	v1 = judge_entry(from);
	v2 = judge_entry(to);
	if (v1 == HOLE_DENIED || v2 == HOLE_DENIED)
		hole_refuse(rq, v1 == HOLE_DENIED ? from : to);
	else if (v1 == HOLE_KERNEL && v2 == HOLE_KERNEL)
		return (leave(rq));
	else if ((error = two_arguments(rq, from, to, &pv)) != 0)
		notify_errno(rq, error);
	else {
		pv.path = from->path;
		pv.path2 = to->path;
		mutate_send(rq, -1, &pv);
	}
	return (1);
}

int
hole_change_two(struct request *rq)
{
	struct hole_name	 from, to;
	int			 error, flags = AT_SYMLINK_NOFOLLOW, ret = 1;

	if (rq->call->class == CLASS_LINK) {
		flags = (int)argument(rq, rq->call->flags);
		flags = (flags & AT_EMPTY_PATH) | ((flags &
		    AT_SYMLINK_FOLLOW) != 0 ? 0 : AT_SYMLINK_NOFOLLOW);
	}
	to.fd = -1;
	if ((error = hole_argument(rq, rq->call->dirfd, rq->call->path, flags,
	    &from)) != 0 ||
	    (error = hole_argument(rq, rq->call->dirfd2, rq->call->path2,
	    AT_SYMLINK_NOFOLLOW, &to)) != 0) {
		if (view_active())
			ret = 0;
		else
			notify_errno(rq, error);
	} else
		ret = change_both(rq, &from, &to);
	hole_name_free(&from);
	hole_name_free(&to);
	return (ret);
}
