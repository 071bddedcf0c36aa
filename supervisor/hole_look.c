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
 * Looking at names where something is denied.  Landlock mediates none of these
 * calls, so each is made here, on the inode that was looked up, and its result
 * written into the caller's memory: a name that changes meanwhile is not looked
 * at again.  What is denied is EACCES in all of them.
 *
 * The kernel alone can change where the caller stands; it is let do so.  Who
 * changes the name meanwhile stands in a denied directory and has nothing of
 * it: names there are denied from wherever they are used.
 */

#include <sys/types.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"
#include "tree.h"

#define PROC_MAGIC	0x9fa0

static uint64_t
argument(const struct request *rq, int slot)
{
	return (rq->notif.data.args[slot]);
}

/* The calls below end a call on an inode. */

static void
look_at_stat(struct request *rq, int fd, int flags)
{
	struct stat	 st;
	struct statx	 sx;

	if (rq->notif.data.nr != SYS_statx) {
		if (fstat(fd, &st) == -1)
			notify_errno(rq, errno);
		else
			notify_result(rq, argument(rq, rq->call->out), &st,
			    sizeof(st), 0);
		return;
	}
	if (statx(fd, "", AT_EMPTY_PATH | (flags & AT_STATX_SYNC_TYPE),
	    (unsigned int)argument(rq, rq->call->arg), &sx) == -1)
		notify_errno(rq, errno);
	else
		notify_result(rq, argument(rq, rq->call->out), &sx, sizeof(sx),
		    0);
}

static void
look_at_access(struct request *rq, int fd, int flags)
{
	if (faccessat(fd, "", (int)argument(rq, rq->call->arg),
	    AT_EMPTY_PATH | (flags & AT_EACCESS)) == -1)
		notify_errno(rq, errno);
	else
		notify_value(rq, 0);
}

/* In /proc the caller is another one than we are. */
static ssize_t
link_text(const struct request *rq, int fd, char *text, size_t size)
{
	struct statfs	 sf;
	char		 own[64];
	const char	*task;
	size_t		 len;
	ssize_t		 n;
	pid_t		 tgid;

	if ((n = readlinkat(fd, "", text, size - 1)) == -1)
		return (-1);
	text[n] = '\0';
	len = (size_t)snprintf(own, sizeof(own), "%d", getpid());
	if (fstatfs(fd, &sf) == -1 || sf.f_type != PROC_MAGIC ||
	    strncmp(text, own, len) != 0 ||
	    (text[len] != '\0' && strncmp(text + len, "/task/", 6) != 0))
		return (n);
	task = text[len] != '\0' ? "/task/" : "";
	if ((tgid = tree_tgid(rq->notif.pid)) == -1) {
		errno = ESRCH;
		return (-1);
	}
	if (task[0] == '\0')
		return (snprintf(text, size, "%d", tgid));
	return (snprintf(text, size, "%d/task/%d", tgid,
	    (int)rq->notif.pid));
}

static void
look_at_link(struct request *rq, int fd)
{
	struct stat	 st;
	char		 text[PATH_MAX];
	ssize_t		 n;
	int		 size = (int)argument(rq, rq->call->outlen);

	if (size <= 0 || fstat(fd, &st) == -1 || !S_ISLNK(st.st_mode)) {
		notify_errno(rq, EINVAL);
		return;
	}
	if ((n = link_text(rq, fd, text, sizeof(text))) == -1) {
		notify_errno(rq, errno);
		return;
	}
	if (n > size)
		n = size;
	notify_result(rq, argument(rq, rq->call->out), text, (size_t)n, n);
}

/* Extended attributes, or their names, by the inode's link in /proc. */
static void
look_at_xattr(struct request *rq, int fd)
{
	char	 attr[XATTR_NAME_MAX + 2], *buf = NULL, name[64];
	size_t	 size = argument(rq, rq->call->outlen);
	ssize_t	 n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (size > XATTR_SIZE_MAX)
		size = XATTR_SIZE_MAX;
	if (size > 0 && (buf = malloc(size)) == NULL) {
		notify_errno(rq, ENOMEM);
		return;
	}
	if (rq->call->class == CLASS_LISTXATTR)
		n = listxattr(name, buf, size);
	else if ((n = memory_string(rq->notif.pid, argument(rq,
	    rq->call->arg), attr, sizeof(attr))) == -1)
		errno = errno == ENAMETOOLONG ? ERANGE : errno;
	else
		n = getxattr(name, attr, buf, size);
	if (n == -1)
		notify_errno(rq, errno);
	else if (size == 0)
		notify_value(rq, n);
	else
		notify_result(rq, argument(rq, rq->call->out), buf, (size_t)n,
		    n);
	free(buf);
}

static void
look_at_statfs(struct request *rq, int fd)
{
	struct statfs	 sf;

	if (fstatfs(fd, &sf) == -1)
		notify_errno(rq, errno);
	else
		notify_result(rq, argument(rq, rq->call->out), &sf, sizeof(sf),
		    0);
}

/* A watch is added to the caller's own queue. */
static void
look_at_watch(struct request *rq, int fd)
{
	char	 name[64];
	int	 queue, wd;

	if ((queue = notify_descriptor(rq)) == -1)
		return;
	if (!notify_valid(rq)) {
		/* It may be another's queue. */
		close(queue);
		return;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(queue, name, (uint32_t)argument(rq,
	    rq->call->arg) & ~IN_DONT_FOLLOW);
	if (wd == -1)
		notify_errno(rq, errno);
	else
		notify_value(rq, wd);
	close(queue);
}

static void
look_at(struct request *rq, int fd, int flags)
{
	switch (rq->call->class) {
	case CLASS_STAT:
		look_at_stat(rq, fd, flags);
		break;
	case CLASS_ACCESS:
		look_at_access(rq, fd, flags);
		break;
	case CLASS_READLINK:
		look_at_link(rq, fd);
		break;
	case CLASS_GETXATTR:
	case CLASS_LISTXATTR:
		look_at_xattr(rq, fd);
		break;
	case CLASS_STATFS:
		look_at_statfs(rq, fd);
		break;
	case CLASS_WATCH:
		look_at_watch(rq, fd);
		break;
	default:
		/* It gives no right: see above. */
		notify_continue(rq);
	}
}

static int
look_flags(const struct request *rq)
{
	int	 flags = 0;

	if (rq->call->flags != SLOT_NONE)
		flags = (int)argument(rq, rq->call->flags);
	if (rq->call->nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	if (rq->call->class == CLASS_WATCH &&
	    (argument(rq, rq->call->arg) & IN_DONT_FOLLOW) != 0)
		flags |= AT_SYMLINK_NOFOLLOW;
	return (flags);
}

/*
 * A descriptor instead of a name.  It may be of a kind that has none, so it is
 * the kernel's link to it that is looked at.
 */
static int
look_descriptor(struct request *rq, int number, int flags)
{
	struct hole_name	 hn;
	char			 name[64];
	ssize_t			 n;

	memset(&hn, 0, sizeof(hn));
	if (number == AT_FDCWD)
		snprintf(name, sizeof(name), "/proc/%d/cwd",
		    (int)rq->notif.pid);
	else
		snprintf(name, sizeof(name), "/proc/%d/fd/%d",
		    (int)rq->notif.pid, number);
	if ((hn.fd = open(name, O_PATH | O_CLOEXEC)) == -1) {
		notify_errno(rq, errno == ENOENT ? EBADF : errno);
		return (1);
	}
	if ((n = readlink(name, hn.path, sizeof(hn.path) - 1)) == -1 ||
	    fstat(hn.fd, &hn.st) == -1)
		notify_errno(rq, errno);
	else if (hn.path[n] = '\0', hole_judge(&hn, 0) == HOLE_DENIED)
		hole_refuse(rq, &hn);
	else
		look_at(rq, hn.fd, flags);
	hole_name_free(&hn);
	return (1);
}

int
hole_look(struct request *rq)
{
	const struct syscall_entry	*call = rq->call;
	struct hole_name		 hn;
	char				 path[PATH_MAX];
	int				 dirfd = AT_FDCWD, error, flags;

	flags = look_flags(rq);
	/* Their buffers are in a structure; libc does not use them. */
	if (rq->notif.data.nr == SYS_getxattrat ||
	    rq->notif.data.nr == SYS_listxattrat) {
		notify_errno(rq, ENOSYS);
		return (1);
	}
	if (call->dirfd != SLOT_NONE)
		dirfd = (int)argument(rq, call->dirfd);
	path[0] = '\0';
	if (argument(rq, call->path) == 0 && (flags & AT_EMPTY_PATH) == 0)
		error = EFAULT;
	else if (argument(rq, call->path) == 0)
		error = 0;
	else
		error = look_path(rq, call->path, path, sizeof(path));
	if (error != 0) {
		notify_errno(rq, error);
		return (1);
	}
	/* The older call takes an empty name for its descriptor, too. */
	if (path[0] == '\0' && (flags & AT_EMPTY_PATH ||
	    rq->notif.data.nr == SYS_readlinkat))
		return (view_active() ? 0 : look_descriptor(rq, dirfd, flags));
	if ((error = hole_find(rq, dirfd, path, flags & ~AT_EMPTY_PATH,
	    &hn)) != 0) {
		/* It may be there in the view. */
		if (view_active())
			return (0);
		notify_errno(rq, error);
		return (1);
	}
	error = 1;
	if (hole_is_viewed(&hn))
		error = 0;
	else if (hole_judge(&hn, 0) == HOLE_DENIED)
		hole_refuse(rq, &hn);
	else if (view_active() && rq->call->class != CLASS_WATCH)
		/* The view lets the kernel look outside. */
		error = 0;
	else if (hn.fd == -1)
		notify_errno(rq, ENOENT);
	else
		look_at(rq, hn.fd, flags);
	hole_name_free(&hn);
	return (error);
}
