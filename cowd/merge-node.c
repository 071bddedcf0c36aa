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
 * Nodes of the merged view: which inodes of upper and lower a name in a
 * directory means, and what this user may do with them.  Reads only.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

void
node_init(struct node *n)
{
	memset(n, 0, sizeof(*n));
	n->ufd = n->lfd = -1;
}

void
node_free(struct node *n)
{
	int	 saved_errno = errno;

	fd_close(&n->ufd);
	fd_close(&n->lfd);
	free(n->redirect);
	errno = saved_errno;
	node_init(n);
}

int
node_exists(const struct node *n)
{
	return (n->ufd != -1 || n->lfd != -1);
}

/* The inode that is seen. */
int
node_fd(const struct node *n)
{
	return (n->ufd != -1 ? n->ufd : n->lfd);
}

/* Its status as the workload sees it. */
void
node_show(const struct node *n, struct statx *sx)
{
	*sx = n->sx;
	if (!n->number.set)
		return;
	sx->stx_dev_major = n->number.major;
	sx->stx_dev_minor = n->number.minor;
	sx->stx_ino = n->number.ino;
	/* Not what upper alone has: as where directories are not counted. */
	if (node_isdir(n))
		sx->stx_nlink = 1;
}

int
node_isdir(const struct node *n)
{
	return (node_exists(n) && S_ISDIR(n->sx.stx_mode));
}

int
statx_whiteout(const struct statx *sx)
{
	return (S_ISCHR(sx->stx_mode) && sx->stx_rdev_major == 0 &&
	    sx->stx_rdev_minor == 0);
}

static void
node_number(struct node *n, const struct statx *lower)
{
	n->number.set = 1;
	n->number.major = lower->stx_dev_major;
	n->number.minor = lower->stx_dev_minor;
	n->number.ino = lower->stx_ino;
}

/*
 * Whether something of upper is what the workload has made: what was copied has
 * attributes of ours, and then its directory says so.  A mere reader may have
 * read that before it did.
 */
static int
node_made(const struct merge *m, const struct node *dir, const struct node *n)
{
	if (n->ufd == -1 || n->lfd != -1 || node_isdir(n))
		return (0);
	return (!m->mixed || (m->alone && dir != NULL && !dir->impure));
}

/* Turn the status of the inode into what the workload sees. */
static int
node_settle(struct merge *m, const struct node *dir, struct node *n)
{
	n->mark.set = n->number.set = 0;
	if (node_made(m, dir, n))
		return (0);
	if (n->ufd != -1 && mark_read(n) == -1)
		return (-1);
	if (!S_ISDIR(n->sx.stx_mode) && links_count(m, n) == -1)
		return (-1);
	if (n->mark.set) {
		n->sx.stx_mode = (n->sx.stx_mode & S_IFMT) | n->mark.mode;
		n->sx.stx_uid = n->mark.uid;
		n->sx.stx_gid = n->mark.gid;
	}
	return (0);
}

/* Fill in what the workload sees of the inodes that are open. */
int
node_load(struct merge *m, struct node *n)
{
	struct statx	 lower;

	if (fd_statx(node_fd(n), &n->sx) == -1 || node_settle(m, NULL, n) == -1)
		return (-1);
	if (node_isdir(n) && n->ufd != -1 && n->lfd != -1) {
		if (fd_statx(n->lfd, &lower) == -1)
			return (-1);
		node_number(n, &lower);
	}
	return (0);
}

/*
 * The lower directory of an upper one.  What is no directory does not merge.
 */
static int
node_merge(struct merge *m, const struct node *dir, const char *name,
    struct node *n)
{
	struct statx	 sx;

	if (n->opaque)
		return (0);
	if (n->redirect != NULL)
		n->lfd = path_open(m->lower, n->redirect + 1);
	else if (dir->lfd != -1)
		n->lfd = path_open(dir->lfd, name);
	else
		return (0);
	if (n->lfd == -1)
		return (errno == ENOENT || errno == ENOTDIR ? 0 : -1);
	if (fd_statx(n->lfd, &sx) == -1)
		return (-1);
	if (S_ISDIR(sx.stx_mode))
		node_number(n, &sx);
	else
		fd_close(&n->lfd);
	return (0);
}

static int
node_get_upper(struct merge *m, const struct node *dir, const char *name,
    struct node *n)
{
	if (fd_statx(n->ufd, &n->sx) == -1)
		return (-1);
	if (statx_whiteout(&n->sx)) {
		fd_close(&n->ufd);
		return (0);
	}
	if (node_settle(m, dir, n) == -1)
		return (-1);
	if (node_isdir(n))
		return (node_merge(m, dir, name, n));
	return (0);
}

/*
 * Look a name up in a directory.  0 also if there is none; the node then has
 * no descriptor.
 */
int
node_get(struct merge *m, const struct node *dir, const char *name,
    struct node *n)
{
	node_init(n);
	/* The kernel judges by the real mode, which is another one. */
	if (dir->mark.set && node_access(m, dir, X_OK) == -1)
		return (-1);
	if (dir->ufd != -1) {
		if ((n->ufd = path_open(dir->ufd, name)) != -1) {
			if (node_get_upper(m, dir, name, n) == -1)
				goto fail;
			return (0);
		}
		if (errno != ENOENT)
			return (-1);
	}
	if (dir->lfd == -1)
		return (0);
	if ((n->lfd = path_open(dir->lfd, name)) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (fd_statx(n->lfd, &n->sx) == -1)
		goto fail;
	if (!S_ISDIR(n->sx.stx_mode) && n->sx.stx_nlink > 1 &&
	    links_find(m, n) == -1)
		goto fail;
	if (node_settle(m, dir, n) == -1)
		goto fail;
	return (0);
 fail:
	node_free(n);
	return (-1);
}

int
node_has_lower(const struct node *dir, const char *name)
{
	int	 fd;

	if (dir->lfd == -1)
		return (0);
	if ((fd = path_open(dir->lfd, name)) == -1)
		return (errno == ENOENT ? 0 : errno == EXDEV ? 1 : -1);
	fd_close(&fd);
	return (1);
}

/* As access(2) with the effective ids. */
int
node_access(const struct merge *m, const struct node *n, int mask)
{
	unsigned int	 perm;

	if (!n->mark.set || m->capable)
		return (syscall(SYS_faccessat2, node_fd(n), "", mask,
		    AT_EMPTY_PATH | AT_EACCESS));
	perm = n->mark.perm;
	if (n->mark.uid == m->uid)
		perm = (n->mark.mode >> 6) & 07;
	if ((perm & (unsigned int)mask) != (unsigned int)mask) {
		errno = EACCES;
		return (-1);
	}
	return (0);
}

int
node_owned(const struct merge *m, const struct node *n)
{
	return (m->capable || n->sx.stx_uid == m->uid);
}

/* Immutable, or open for appending only. */
int
node_fixed(const struct node *n)
{
	return ((n->sx.stx_attributes & n->sx.stx_attributes_mask &
	    (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0);
}
