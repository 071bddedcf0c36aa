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
 * The extended attributes of upper by which a directory is opaque or merges
 * with a lower one of another path, and an inode has other owners, modes or
 * numbers than its real ones.  Each is written in one call, so that it is
 * there or not.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <linux/limits.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

/* Text of an attribute that is there, or NULL and errno. */
static char *
mark_text(const char *path, const char *name, char *buf, size_t size)
{
	ssize_t	 n;

	if ((n = getxattr(path, name, buf, size - 1)) == -1)
		return (NULL);
	buf[n] = '\0';
	return (buf);
}

static int
mark_parse(const char *text, struct mark *mark)
{
	unsigned int	 mode, uid, gid, perm;
	int		 end = -1;

	if (sscanf(text, "%4o %10u %10u %1o%n", &mode, &uid, &gid, &perm,
	    &end) != 4 || end == -1 || text[end] != '\0') {
		errno = EIO;
		return (-1);
	}
	mark->set = 1;
	mark->mode = mode & 07777;
	mark->uid = uid;
	mark->gid = gid;
	mark->perm = perm;
	return (0);
}

/* MAJOR:MINOR-INO in hex. */
int
number_parse(const char *text, struct number *number)
{
	unsigned long long	 ino;
	int			 end = -1;

	if (sscanf(text, "%8x:%8x-%16llx%n", &number->major, &number->minor,
	    &ino, &end) != 3 || end == -1 || text[end] != '\0') {
		errno = EIO;
		return (-1);
	}
	number->set = 1;
	number->ino = ino;
	return (0);
}

static int
mark_read_one(struct node *n, const char *path, const char *name)
{
	char	 buf[PATH_MAX + 1];

	if (strcmp(name, XATTR_MARK) == 0) {
		if (mark_text(path, name, buf, sizeof(buf)) == NULL)
			return (-1);
		return (mark_parse(buf, &n->mark));
	}
	/* That of a directory is its lower directory's. */
	if (!S_ISDIR(n->sx.stx_mode))
		return (strncmp(name, XATTR_NUMBER,
		    strlen(XATTR_NUMBER)) == 0 ? number_parse(name +
		    strlen(XATTR_NUMBER), &n->number) : 0);
	if (strcmp(name, XATTR_IMPURE) == 0)
		n->impure = 1;
	else if (strcmp(name, XATTR_OPAQUE) == 0) {
		if (mark_text(path, name, buf, sizeof(buf)) == NULL)
			return (-1);
		n->opaque = strcmp(buf, "y") == 0;
	} else if (strcmp(name, XATTR_REDIRECT) == 0) {
		if (mark_text(path, name, buf, sizeof(buf)) == NULL)
			return (-1);
		if (buf[0] != '/' || buf[1] == '\0') {
			errno = EIO;
			return (-1);
		}
		free(n->redirect);
		if ((n->redirect = strdup(buf)) == NULL)
			return (-1);
	}
	return (0);
}

/* The names of all attributes: in buf when they fit, else the caller frees. */
static char *
mark_list(const char *path, char *buf, size_t size, ssize_t *len)
{
	char	*list;

	if ((*len = listxattr(path, buf, size)) != -1)
		return (buf);
	if (errno == EOPNOTSUPP) {
		*len = 0;
		return (buf);
	}
	if (errno != ERANGE || (list = malloc(XATTR_LIST_MAX)) == NULL)
		return (NULL);
	if ((*len = listxattr(path, list, XATTR_LIST_MAX)) == -1) {
		free(list);
		return (NULL);
	}
	return (list);
}

/*
 * Most inodes have none.  Listing asks for no right on the inode, so that the
 * number is part of a name; reading does, which inodes that carry a mark
 * grant.
 */
int
mark_read(struct node *n)
{
	char	 path[PROC_FD_SIZE], buf[512], *list, *p;
	ssize_t	 len;
	int	 ret = 0;

	if (!S_ISDIR(n->sx.stx_mode) && !S_ISREG(n->sx.stx_mode))
		return (0);
	fd_proc(n->ufd, path);
	if ((list = mark_list(path, buf, sizeof(buf), &len)) == NULL)
		return (-1);
	for (p = list; ret == 0 && p < list + len; p += strlen(p) + 1)
		if (strncmp(p, XATTR_OVERLAY, strlen(XATTR_OVERLAY)) == 0)
			ret = mark_read_one(n, path, p);
	if (list != buf)
		free(list);
	return (ret);
}

int
mark_write(int fd, const struct mark *mark)
{
	char	 path[PROC_FD_SIZE], text[64];
	int	 len;

	len = snprintf(text, sizeof(text), "%o %u %u %o",
	    (unsigned int)mark->mode, mark->uid, mark->gid, mark->perm);
	return (setxattr(fd_proc(fd, path), XATTR_MARK, text, len, 0));
}

int
mark_remove(int fd)
{
	char	 path[PROC_FD_SIZE];

	if (removexattr(fd_proc(fd, path), XATTR_MARK) == -1 &&
	    errno != ENODATA)
		return (-1);
	return (0);
}

/* What the inode gets, so that this process can always work on it. */
mode_t
mark_real(const struct mark *mark, mode_t type)
{
	if (S_ISDIR(type))
		return ((mark->mode & 03777) | 0700);
	return ((mark->mode & 01777) | 0600);
}

int
mark_opaque(struct node *n)
{
	char	 path[PROC_FD_SIZE];

	if (n->opaque)
		return (0);
	if (setxattr(fd_proc(n->ufd, path), XATTR_OPAQUE, "y", 1, 0) == -1)
		return (-1);
	n->opaque = 1;
	return (0);
}

int
mark_redirect(struct node *n, const char *to)
{
	char	 path[PROC_FD_SIZE];

	if (n->redirect != NULL && strcmp(n->redirect, to) == 0)
		return (0);
	return (setxattr(fd_proc(n->ufd, path), XATTR_REDIRECT, to,
	    strlen(to), 0));
}

/* Something in this directory has another number than its real one. */
int
mark_impure(struct node *n)
{
	char	 path[PROC_FD_SIZE];

	if (n->impure)
		return (0);
	if (setxattr(fd_proc(n->ufd, path), XATTR_IMPURE, "y", 1, 0) == -1)
		return (-1);
	n->impure = 1;
	return (0);
}

/* The number of the lower inode of which this one is a copy. */
int
mark_number(int fd, const struct statx *lower)
{
	char	 path[PROC_FD_SIZE], name[sizeof(XATTR_NUMBER) + NUMBER_SIZE];

	snprintf(name, sizeof(name), "%s%x:%x-%llx", XATTR_NUMBER,
	    lower->stx_dev_major, lower->stx_dev_minor,
	    (unsigned long long)lower->stx_ino);
	return (setxattr(fd_proc(fd, path), name, "", 0, 0));
}
