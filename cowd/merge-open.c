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
 * Opening: what is only read is opened where it is, what may be written is
 * copied up before.  Never blocks: what might is left to the workload.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

/* What open has done with a path by the time it opens an inode. */
#define OPEN_LOOKUP	(O_CREAT | O_EXCL | O_NOFOLLOW | O_DIRECTORY)

static int
open_mask(int flags)
{
	int	 mask;

	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		mask = R_OK;
		break;
	case O_WRONLY:
		mask = W_OK;
		break;
	default:
		mask = R_OK | W_OK;
		break;
	}
	if ((flags & O_TRUNC) != 0)
		mask |= W_OK;
	return (mask);
}

static int
open_fail(int error)
{
	errno = error;
	return (-1);
}

/* In the kernel's order: kinds, permissions, O_NOATIME. */
static int
open_check(struct merge *m, const struct node *n, int flags)
{
	mode_t	 type = n->sx.stx_mode & S_IFMT;

	if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
		return (open_fail(EEXIST));
	if ((flags & O_CREAT) != 0 && S_ISDIR(type))
		return (open_fail(EISDIR));
	if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(type))
		return (open_fail(ENOTDIR));
	if ((flags & O_PATH) != 0)
		return (0);
	if (S_ISLNK(type))
		return (open_fail(ELOOP));
	if (S_ISDIR(type) && (open_mask(flags) & W_OK) != 0)
		return (open_fail(EISDIR));
	if (node_access(m, n, open_mask(flags)) == -1)
		return (-1);
	if ((flags & O_NOATIME) != 0 && !node_owned(m, n))
		return (open_fail(EPERM));
	return (0);
}

static int
open_waits(mode_t type, int flags)
{
	if (S_ISCHR(type) || S_ISBLK(type))
		return (1);
	return (S_ISFIFO(type) && (flags & O_NONBLOCK) == 0 &&
	    (flags & O_ACCMODE) != O_RDWR);
}

static int
open_node(struct merge *m, struct walk *w, int flags, int *wait)
{
	struct node	*n = &w->node;
	mode_t		 type = n->sx.stx_mode & S_IFMT;
	int		 fd;

	if (open_check(m, n, flags) == -1)
		return (-1);
	if ((flags & O_PATH) != 0)
		return (fcntl(node_fd(n), F_DUPFD_CLOEXEC, 0));
	/* At the other end of lower's may be somebody outside. */
	if (S_ISFIFO(type) && n->ufd == -1 && m->alone &&
	    copyup(m, w, 0) == -1)
		return (-1);
	if (open_waits(type, flags)) {
		*wait = 1;
		return (fcntl(node_fd(n), F_DUPFD_CLOEXEC, 0));
	}
	/* By another name it may be copied up already. */
	if (S_ISREG(type) && (open_mask(flags) & W_OK) != 0 &&
	    n->ufd == -1 && copyup(m, w, (flags & O_TRUNC) != 0 ?
	    COPYUP_EMPTY : 0) == -1)
		return (-1);
	flags &= ~OPEN_LOOKUP;
	/* By its name, which may be another's by now, that costs less. */
	if (S_ISREG(type) && n->ufd != -1 && n->lfd == -1 &&
	    w->nlevels > 0 && (fd = path_open_file(walk_parent(w)->ufd,
	    w->name, flags, &n->sx)) != -1)
		return (fd);
	return (fd_reopen(node_fd(n), flags));
}

static int
open_create(struct merge *m, struct walk *w, int flags, mode_t mode,
    mode_t mask)
{
	struct create	 c = {
		.type = S_IFREG, .mode = mode & 07777, .mask = mask,
		.flags = flags
	};

	if (walk_may_create(m, w) == -1)
		return (-1);
	return (create(m, w, &c));
}

/* A file without a name, in a directory that must be writable for that. */
static int
open_tmpfile(struct merge *m, const char *path, int flags, mode_t mode,
    mode_t mask)
{
	struct walk	 w;
	char		 proc[PROC_FD_SIZE];
	mode_t		 old;
	int		 fd = -1;

	if ((flags & O_ACCMODE) == O_RDONLY)
		return (open_fail(EINVAL));
	if (walk_start(m, path, (flags & O_NOFOLLOW) != 0 ? 0 : WALK_FOLLOW,
	    &w) == -1)
		return (-1);
	if (!node_isdir(&w.node))
		errno = ENOTDIR;
	else if (node_access(m, &w.node, W_OK | X_OK) == 0 &&
	    copyup(m, &w, 0) == 0 && room_take(m, ROOM_UNIT) == 0) {
		old = umask(mask);
		fd = openat(AT_FDCWD, fd_proc(w.node.ufd, proc),
		    (flags & ~O_NOFOLLOW) | O_CLOEXEC, mode & 07777);
		umask(old);
	}
	walk_end(&w);
	return (fd);
}

int
merge_open(struct merge *m, const char *path, int flags, mode_t mode,
    mode_t mask, int *wait)
{
	struct walk	 w;
	int		 fd, how = 0;

	*wait = 0;
	if ((flags & O_PATH) != 0)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
	if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return (open_fail(EINVAL));
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return (open_tmpfile(m, path, flags, mode, mask));
	if ((flags & O_TMPFILE & ~O_DIRECTORY) != 0)
		return (open_fail(EINVAL));
	if ((flags & O_CREAT) != 0)
		how |= WALK_CREAT | WALK_MISSING;
	if ((flags & O_NOFOLLOW) == 0 &&
	    (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		how |= WALK_FOLLOW;
	if (walk_start(m, path, how, &w) == -1)
		return (-1);
	if (node_exists(&w.node))
		fd = open_node(m, &w, flags, wait);
	else
		fd = open_create(m, &w, flags, mode, mask);
	walk_end(&w);
	return (fd);
}

/*
 * A path needs no walk where upper has all of it, which is without links, and
 * what it seems to be is what the view shows.
 */
int
merge_open_file(struct merge *m, const char *path, int flags)
{
	struct stat	 st;
	char		 unused;
	int		 fd;

	if ((flags & (O_CREAT | O_DIRECTORY | O_PATH)) != 0)
		return (open_fail(EINVAL));
	if ((fd = path_open_nonblock(m->upper, path, flags & ~O_TRUNC)) == -1)
		return (-1);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		goto fail;
	/* Another owner's, maybe: the kernel judged by the wrong mode. */
	if (m->mixed && (fgetxattr(fd, XATTR_MARK, &unused, 0) != -1 ||
	    (errno != ENODATA && errno != EOPNOTSUPP)))
		goto fail;
	if ((flags & O_TRUNC) != 0 && ftruncate(fd, 0) == -1)
		goto fail;
	if ((flags & O_NONBLOCK) == 0 && fcntl(fd, F_SETFL, flags) == -1)
		goto fail;
	return (fd);
 fail:
	return (fd_close(&fd));
}
