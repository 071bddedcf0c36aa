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
 * Copies of inodes of lower: data, holes kept and blocks shared where the file
 * systems can, and metadata.  What is copied to is not in the view yet, so that
 * the order of the steps is free.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <linux/fs.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

#define COPY_BUFSIZE	(128 * 1024)

static int
copy_bytes(int from, int to, off_t off, off_t end)
{
	char	*buf;
	ssize_t	 n, done;
	int	 ret = -1;

	if ((buf = malloc(COPY_BUFSIZE)) == NULL)
		return (-1);
	while (off < end) {
		n = end - off < COPY_BUFSIZE ? end - off : COPY_BUFSIZE;
		if ((n = pread(from, buf, n, off)) == -1)
			goto done;
		if (n == 0)
			break;
		for (; n > 0; n -= done, off += done) {
			if ((done = pwrite(to, buf, n, off)) == -1)
				goto done;
			if (done < n)
				memmove(buf, buf + done, n - done);
		}
	}
	ret = 0;
 done:
	free(buf);
	return (ret);
}

static int
copy_range(int from, int to, off_t off, off_t end)
{
	off_t	 in, out;
	ssize_t	 n;

	while (off < end) {
		in = out = off;
		n = copy_file_range(from, &in, to, &out, end - off, 0);
		if (n > 0) {
			off += n;
			continue;
		}
		/* The file system cannot, or the end has come nearer. */
		if (n == 0 || errno == EXDEV || errno == EINVAL ||
		    errno == EOPNOTSUPP || errno == ENOSYS)
			return (copy_bytes(from, to, off, end));
		return (-1);
	}
	return (0);
}

int
copy_data(int from, int to, off_t size)
{
	off_t	 data, hole;

	if (size == 0)
		return (0);
	if (ioctl(to, FICLONE, from) == 0)
		return (0);
	if (ftruncate(to, size) == -1)
		return (-1);
	for (hole = 0; hole < size;) {
		if ((data = lseek(from, hole, SEEK_DATA)) == -1) {
			if (errno == ENXIO)
				return (0);
			data = hole;
		}
		if ((hole = lseek(from, data, SEEK_HOLE)) == -1)
			hole = size;
		if (copy_range(from, to, data, hole) == -1)
			return (-1);
	}
	return (0);
}

/* What the administrator and security modules own need not be ours to set. */
static int
copy_xattr_optional(const char *name)
{
	return (strncmp(name, "security.", 9) == 0 ||
	    strncmp(name, "trusted.", 8) == 0);
}

static int
copy_xattr(const char *from, const char *to, const char *name)
{
	char	*value;
	ssize_t	 n;
	int	 ret;

	if ((n = getxattr(from, name, NULL, 0)) == -1)
		return (errno == ENODATA || copy_xattr_optional(name) ? 0 : -1);
	if ((value = malloc(n + 1)) == NULL)
		return (-1);
	if ((n = getxattr(from, name, value, n)) == -1)
		ret = errno == ENODATA ? 0 : -1;
	else
		ret = setxattr(to, name, value, n, 0);
	if (ret == -1 && copy_xattr_optional(name))
		ret = 0;
	free(value);
	return (ret);
}

static int
copy_xattrs(const char *from, const char *to)
{
	char	*list, *p;
	ssize_t	 len;
	int	 ret = 0;

	if ((len = listxattr(from, NULL, 0)) == -1)
		return (errno == EOPNOTSUPP ? 0 : -1);
	if (len == 0)
		return (0);
	if ((list = malloc(len)) == NULL)
		return (-1);
	if ((len = listxattr(from, list, len)) == -1)
		ret = -1;
	for (p = list; ret == 0 && p < list + len; p += strlen(p) + 1)
		if (strncmp(p, XATTR_OVERLAY, strlen(XATTR_OVERLAY)) != 0)
			ret = copy_xattr(from, to, p);
	free(list);
	return (ret);
}

/*
 * Give the copy lower's owner and mode, for real or by a mark.  The kernel is
 * asked what this user may do while the lower inode is at hand.
 */
static int
copy_owner(struct merge *m, const struct node *n, int fd, const char *path,
    int flags)
{
	const struct statx	*sx = &n->sx;
	struct mark		 mark;
	struct statx		 now;
	mode_t			 type = sx->stx_mode & S_IFMT;

	memset(&mark, 0, sizeof(mark));
	mark.mode = sx->stx_mode & 07777;
	if ((flags & COPYUP_EMPTY) != 0 && !m->capable) {
		mark.mode &= ~S_ISUID;
		if ((mark.mode & S_IXGRP) != 0)
			mark.mode &= ~S_ISGID;
	}
	mark.uid = sx->stx_uid;
	mark.gid = sx->stx_gid;
	/* EINVAL: a user namespace has no number for it. */
	if (fchownat(fd, "", sx->stx_uid, sx->stx_gid, AT_EMPTY_PATH) == -1) {
		if (errno != EPERM && errno != EINVAL)
			return (-1);
		if (fchownat(fd, "", -1, sx->stx_gid, AT_EMPTY_PATH) == -1 &&
		    errno != EPERM && errno != EINVAL)
			return (-1);
	}
	if (fd_statx(fd, &now) == -1)
		return (-1);
	mark.set = now.stx_uid != sx->stx_uid || now.stx_gid != sx->stx_gid ||
	    (S_ISDIR(type) && !m->capable && (mark.mode & 0700) != 0700);
	if (!mark.set || (!S_ISDIR(type) && !S_ISREG(type)))
		return (S_ISLNK(type) ? 0 :
		    fchmodat(AT_FDCWD, path, mark.mode, 0));
	if (node_access(m, n, R_OK) == 0)
		mark.perm |= R_OK;
	if (node_access(m, n, W_OK) == 0)
		mark.perm |= W_OK;
	if (node_access(m, n, X_OK) == 0)
		mark.perm |= X_OK;
	if (mark_write(fd, &mark) == -1)
		return (-1);
	return (fchmodat(AT_FDCWD, path, mark_real(&mark, type), 0));
}

/*
 * Metadata of a lower node for what fd is open on, by O_PATH or otherwise.  A
 * file that is copied without its data is as good as truncated.
 */
int
copy_meta(struct merge *m, const struct node *n, int fd, int flags)
{
	struct timespec	 times[2];
	char		 from[PROC_FD_SIZE], to[PROC_FD_SIZE];
	mode_t		 type = n->sx.stx_mode & S_IFMT;

	fd_proc(n->lfd, from);
	fd_proc(fd, to);
	if (!S_ISLNK(type) && copy_xattrs(from, to) == -1)
		return (-1);
	if ((S_ISDIR(type) || S_ISREG(type)) &&
	    setxattr(to, XATTR_ORIGIN, "", 0, 0) == -1)
		return (-1);
	if (S_ISREG(type) && mark_number(fd, &n->sx) == -1)
		return (-1);
	if (copy_owner(m, n, fd, to, flags) == -1)
		return (-1);
	if ((flags & COPYUP_EMPTY) != 0)
		return (0);
	times[0].tv_sec = n->sx.stx_atime.tv_sec;
	times[0].tv_nsec = n->sx.stx_atime.tv_nsec;
	times[1].tv_sec = n->sx.stx_mtime.tv_sec;
	times[1].tv_nsec = n->sx.stx_mtime.tv_nsec;
	return (utimensat(fd, "", times, AT_EMPTY_PATH));
}
