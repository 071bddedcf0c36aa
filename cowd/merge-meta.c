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
 * Status, permissions, size, mode, owner and times.  Changes are made on the
 * inode of upper, after the kernel's questions were asked of what the
 * workload sees.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

static int
meta_walk(struct merge *m, const char *path, int flags, struct walk *w)
{
	return (walk_start(m, path, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 :
	    WALK_FOLLOW, w));
}

/*
 * To change an inode its own name need not be in upper when another one is.
 */
static int
meta_copyup(struct merge *m, struct walk *w, int flags)
{
	if (w->node.ufd != -1)
		return (0);
	return (copyup(m, w, flags));
}

int
merge_stat(struct merge *m, const char *path, int flags, struct statx *sx)
{
	struct walk	 w;

	if (meta_walk(m, path, flags, &w) == -1)
		return (-1);
	node_show(&w.node, sx);
	walk_end(&w);
	return (0);
}

/* It may have no name in upper any more, or one in links only. */
int
merge_describe(struct merge *m, int fd, struct statx *sx)
{
	struct node	 n;
	int		 one, ret = -1;

	node_init(&n);
	n.ufd = fd;
	if (fd_statx(fd, &n.sx) == -1)
		goto done;
	one = n.sx.stx_nlink == 1;
	if (node_load(m, &n) == -1 ||
	    (one && !node_isdir(&n) && links_view(m, &n) == -1))
		goto done;
	node_show(&n, sx);
	ret = 0;
 done:
	n.ufd = -1;
	node_free(&n);
	return (ret);
}

int
merge_access(struct merge *m, const char *path, int mask, int flags)
{
	struct walk	 w;
	int		 ret = 0;

	if ((mask & ~(R_OK | W_OK | X_OK)) != 0) {
		errno = EINVAL;
		return (-1);
	}
	if (meta_walk(m, path, flags, &w) == -1)
		return (-1);
	if (mask != F_OK)
		ret = node_access(m, &w.node, mask);
	walk_end(&w);
	return (ret);
}

/* What a file grows by; it may have grown since it was looked at. */
static int
truncate_room(struct merge *m, int fd, off_t size)
{
	struct statx	 sx;

	if (fd_statx(fd, &sx) == -1)
		return (-1);
	if ((uint64_t)size <= sx.stx_size)
		return (0);
	return (room_take(m, room_round(size) - room_round(sx.stx_size)));
}

int
merge_truncate(struct merge *m, const char *path, off_t size)
{
	struct walk	 w;
	char		 proc[PROC_FD_SIZE];
	int		 ret = -1;

	if (size < 0) {
		errno = EINVAL;
		return (-1);
	}
	if (walk_start(m, path, WALK_FOLLOW, &w) == -1)
		return (-1);
	if (node_isdir(&w.node))
		errno = EISDIR;
	else if (!S_ISREG(w.node.sx.stx_mode))
		errno = EINVAL;
	else if (node_access(m, &w.node, W_OK) == 0 &&
	    meta_copyup(m, &w, size == 0 ? COPYUP_EMPTY : 0) == 0 &&
	    truncate_room(m, w.node.ufd, size) == 0)
		ret = truncate(fd_proc(w.node.ufd, proc), size);
	walk_end(&w);
	return (ret);
}

/*
 * Whether owner and mode of an upper inode remain what they cannot be for real
 * once the mode is this one.
 */
static int
meta_marked(struct merge *m, const struct node *n, mode_t mode, int *marked)
{
	struct statx	 sx;

	*marked = 1;
	if (node_isdir(n) && !m->capable && (mode & 0700) != 0700)
		return (0);
	if (n->mark.set) {
		if (fd_statx(n->ufd, &sx) == -1)
			return (-1);
		if (sx.stx_uid != n->mark.uid || sx.stx_gid != n->mark.gid)
			return (0);
	}
	*marked = 0;
	return (0);
}

/*
 * The mark decides what is seen: it is written before the real mode changes,
 * and removed after.
 */
int
meta_mode(struct merge *m, struct node *n, mode_t mode)
{
	struct mark	 mark = n->mark;
	mode_t		 real;
	char		 path[PROC_FD_SIZE];
	int		 marked;

	if (!group_mine(m, n->sx.stx_gid))
		mode &= ~S_ISGID;
	if (meta_marked(m, n, mode, &marked) == -1)
		return (-1);
	fd_proc(n->ufd, path);
	if (marked) {
		if (!mark.set) {
			mark.uid = n->sx.stx_uid;
			mark.gid = n->sx.stx_gid;
		}
		mark.mode = mode;
		if (mark_write(n->ufd, &mark) == -1)
			return (-1);
		/* The mark alone is seen: the real mode may fail to follow. */
		real = mark_real(&mark, n->sx.stx_mode & S_IFMT);
		if (fchmodat(AT_FDCWD, path, real, 0) == -1)
			errno = 0;
		return (0);
	}
	if (fchmodat(AT_FDCWD, path, mode, 0) == -1)
		return (-1);
	return (mark.set ? mark_remove(n->ufd) : 0);
}

int
merge_chmod(struct merge *m, const char *path, int flags, mode_t mode)
{
	struct walk	 w;
	int		 ret = -1;

	if (meta_walk(m, path, flags, &w) == -1)
		return (-1);
	if (S_ISLNK(w.node.sx.stx_mode))
		errno = EOPNOTSUPP;
	else if (!node_owned(m, &w.node))
		errno = EPERM;
	else if (meta_copyup(m, &w, 0) == 0)
		ret = meta_mode(m, &w.node, mode & 07777);
	if (node_isdir(&w.node))
		merge_forget(m);
	walk_end(&w);
	return (ret);
}

static int
meta_may_chown(struct merge *m, const struct node *n, uid_t uid, gid_t gid)
{
	if (m->capable)
		return (0);
	if ((uid != (uid_t)-1 && (uid != n->sx.stx_uid ||
	    n->sx.stx_uid != m->uid)) ||
	    (gid != (gid_t)-1 && (n->sx.stx_uid != m->uid ||
	    (gid != n->sx.stx_gid && !group_mine(m, gid))))) {
		errno = EPERM;
		return (-1);
	}
	return (0);
}

/* What the owner of a marked inode may change is its group. */
static int
meta_chown_marked(struct merge *m, struct node *n, gid_t gid)
{
	struct mark	 mark = n->mark;

	if (gid != (gid_t)-1) {
		if (gid != n->mark.gid || group_mine(m, gid)) {
			if (fchownat(n->ufd, "", -1, gid,
			    AT_EMPTY_PATH) == -1)
				return (-1);
		}
		mark.gid = gid;
	}
	if (!node_isdir(n)) {
		mark.mode &= ~S_ISUID;
		if ((mark.mode & S_IXGRP) != 0)
			mark.mode &= ~S_ISGID;
	}
	return (mark_write(n->ufd, &mark));
}

int
merge_chown(struct merge *m, const char *path, int flags, uid_t uid, gid_t gid)
{
	struct walk	 w;
	int		 ret = -1;

	if (meta_walk(m, path, flags, &w) == -1)
		return (-1);
	if (meta_may_chown(m, &w.node, uid, gid) == -1)
		goto done;
	/* Nothing was asked for: of an inode of somebody else, too. */
	if (!node_owned(m, &w.node))
		ret = 0;
	else if (meta_copyup(m, &w, 0) == -1)
		goto done;
	else if (w.node.mark.set && !m->capable)
		ret = meta_chown_marked(m, &w.node, gid);
	else
		ret = fchownat(w.node.ufd, "", uid, gid, AT_EMPTY_PATH);
	if (node_isdir(&w.node))
		merge_forget(m);
 done:
	walk_end(&w);
	return (ret);
}

static int
times_valid(const struct timespec *ts)
{
	return (ts->tv_nsec == UTIME_NOW || ts->tv_nsec == UTIME_OMIT ||
	    (ts->tv_nsec >= 0 && ts->tv_nsec < 1000000000));
}

static int
meta_may_utimes(struct merge *m, const struct node *n, int now)
{
	if (node_owned(m, n))
		return (0);
	if (now)
		return (node_access(m, n, W_OK));
	errno = EPERM;
	return (-1);
}

int
merge_utimes(struct merge *m, const char *path, int flags,
    const struct timespec *ts)
{
	struct walk	 w;
	int		 now, ret = -1;

	if (ts != NULL && (!times_valid(&ts[0]) || !times_valid(&ts[1]))) {
		errno = EINVAL;
		return (-1);
	}
	/* The kernel does not even look at the path then. */
	if (ts != NULL && ts[0].tv_nsec == UTIME_OMIT &&
	    ts[1].tv_nsec == UTIME_OMIT)
		return (0);
	now = ts == NULL || (ts[0].tv_nsec == UTIME_NOW &&
	    ts[1].tv_nsec == UTIME_NOW);
	if (meta_walk(m, path, flags, &w) == -1)
		return (-1);
	if (meta_may_utimes(m, &w.node, now) == 0 &&
	    meta_copyup(m, &w, 0) == 0)
		ret = utimensat(w.node.ufd, "", ts, AT_EMPTY_PATH);
	walk_end(&w);
	return (ret);
}
