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
 * Removal of a hostile tree.  One directory is open at a time: the way down
 * is remembered as names and inode numbers, the way up is "..", whose identity
 * is compared with what was passed on the way down.  The parent and cowd call
 * this on a private directory once nobody is left who could change it; should
 * somebody do so, a wrong turn ends the walk before anything is removed there.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rmtree.h"

/* Small: the rest of it is read again after each subdirectory. */
#define RMTREE_BUFSIZE	4096

/* A directory between the top and the one that is open. */
struct level {
	char		*name;		/* in the directory above */
	uint64_t	 ino;
	off_t		 resume;	/* after the entry entered; -1: end */
	int		 failed;	/* something in here stays */
	int		 removed;	/* something in here was removed */
};

struct rmtree {
	int		 parentfd;
	int		 fd;		/* of the last level */
	struct statx	 top;
	struct level	*levels;
	size_t		 nlevels;
	size_t		 size;
	int		 error;		/* first failure */
};

static void
rmtree_fail(struct rmtree *rt, int error)
{
	if (rt->error == 0)
		rt->error = error;
	if (rt->nlevels > 0)
		rt->levels[rt->nlevels - 1].failed = 1;
}

static int
level_push(struct rmtree *rt, const char *name, uint64_t ino)
{
	struct level	*levels, *l;
	size_t		 size;

	if (rt->nlevels == rt->size) {
		size = rt->size == 0 ? 64 : rt->size * 2;
		if ((levels = reallocarray(rt->levels, size,
		    sizeof(*levels))) == NULL)
			return (-1);
		rt->levels = levels;
		rt->size = size;
	}
	l = &rt->levels[rt->nlevels];
	memset(l, 0, sizeof(*l));
	if ((l->name = strdup(name)) == NULL)
		return (-1);
	l->ino = ino;
	rt->nlevels++;
	return (0);
}

static int
directory_stat(int fd, struct statx *sx)
{
	return (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, sx));
}

static int
directory_foreign(const struct rmtree *rt, const struct statx *sx)
{
	return (sx->stx_dev_major != rt->top.stx_dev_major ||
	    sx->stx_dev_minor != rt->top.stx_dev_minor);
}

/*
 * Open a directory for reading.  One whose mode keeps even its owner out is
 * opened by O_PATH first, which asks for no right on the directory itself, so
 * that its mode is changed without a second look at the name.
 */
static int
directory_open(const struct rmtree *rt, int at, const char *name)
{
	struct statx	 sx;
	char		 path[32];
	int		 fd, pfd;

	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 || errno != EACCES)
		return (fd);
	if ((pfd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return (-1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pfd);
	if (directory_stat(pfd, &sx) == -1)
		goto done;
	if (rt->nlevels > 0 && directory_foreign(rt, &sx)) {
		errno = EXDEV;
		goto done;
	}
	if (fchmodat(AT_FDCWD, path, 0700, 0) == -1)
		goto done;
	fd = openat(pfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
 done:
	close(pfd);
	return (fd);
}

/* Whether the way back up is open: a directory needs x for its "..". */
static int
directory_left(int fd)
{
	int	 up;

	if ((up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (0);
	close(up);
	return (1);
}

/* Make a directory the last level; 0, or -1 and errno with nothing changed. */
static int
level_enter(struct rmtree *rt, int at, const char *name)
{
	struct statx	 sx;
	int		 fd, strange, saved_errno;

	if ((fd = directory_open(rt, at, name)) == -1)
		return (-1);
	if (directory_stat(fd, &sx) == -1)
		goto fail;
	if (rt->nlevels == 0)
		rt->top = sx;
	if (directory_foreign(rt, &sx)) {
		errno = EXDEV;
		goto fail;
	}
	strange = sx.stx_uid != rt->top.stx_uid;
	if ((sx.stx_mode & S_IRWXU) != S_IRWXU && fchmod(fd, S_IRWXU) == -1)
		strange = 1;
	if (strange && rt->nlevels > 0 && !directory_left(fd))
		goto fail;
	if (level_push(rt, name, sx.stx_ino) == -1)
		goto fail;
	if (rt->fd != -1)
		close(rt->fd);
	rt->fd = fd;
	return (0);
 fail:
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (-1);
}

/* Remove one entry of the last level; 1 when it was entered instead. */
static int
entry_remove(struct rmtree *rt, const char *name, unsigned char type)
{
	struct level	*l = &rt->levels[rt->nlevels - 1];

	if (type != DT_DIR) {
		if (unlinkat(rt->fd, name, 0) == 0) {
			l->removed = 1;
			return (0);
		}
		/* The type may be unknown to the file system. */
		if (errno != EISDIR) {
			if (errno != ENOENT)
				rmtree_fail(rt, errno);
			return (0);
		}
	}
	if (unlinkat(rt->fd, name, AT_REMOVEDIR) == 0) {
		l->removed = 1;
		return (0);
	}
	/* EBUSY: a mount point. */
	if (errno != EBUSY && errno != ENOENT &&
	    level_enter(rt, rt->fd, name) == 0)
		return (1);
	if (errno != ENOENT)
		rmtree_fail(rt, errno);
	return (0);
}

/* Remove what the last level holds; 1 when a subdirectory was entered. */
static int
level_scan(struct rmtree *rt)
{
	union {
		struct dirent64	 align;
		char		 bytes[RMTREE_BUFSIZE];
	}			 buf;
	const struct dirent64	*de;
	size_t			 level = rt->nlevels - 1;
	ssize_t			 n, off;

	if (rt->levels[level].resume == -1)
		return (0);
	while ((n = getdents64(rt->fd, buf.bytes, sizeof(buf.bytes))) > 0) {
		for (off = 0; off < n; off += de->d_reclen) {
			de = (const void *)(buf.bytes + off);
			if (strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0)
				continue;
			if (entry_remove(rt, de->d_name, de->d_type)) {
				rt->levels[level].resume = de->d_off;
				return (1);
			}
		}
	}
	if (n == -1 && errno != ENOENT)
		rmtree_fail(rt, errno);
	return (0);
}

/*
 * Leave the last level and remove it.  Positions may shift in a directory
 * that loses entries (the standard allows it), so one that is not empty yet is
 * entered again as long as that gets anywhere.  -1 when the way up is lost.
 */
static int
level_leave(struct rmtree *rt)
{
	struct level	 l = rt->levels[rt->nlevels - 1];
	struct level	*up = NULL;
	struct statx	 sx;
	int		 fd = rt->parentfd, ret = -1;

	if (rt->nlevels > 1) {
		up = &rt->levels[rt->nlevels - 2];
		fd = openat(rt->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			return (-1);
		if (directory_stat(fd, &sx) == -1 ||
		    directory_foreign(rt, &sx) || sx.stx_ino != up->ino) {
			close(fd);
			errno = ESTALE;
			return (-1);
		}
	}
	close(rt->fd);
	rt->fd = up == NULL ? -1 : fd;
	rt->nlevels--;

	if (unlinkat(fd, l.name, AT_REMOVEDIR) == 0) {
		if (up != NULL)
			up->removed = 1;
	} else if ((errno == ENOTEMPTY || errno == EEXIST) && l.removed &&
	    !l.failed) {
		if (up != NULL)
			up->removed = 1;
		if ((ret = level_enter(rt, fd, l.name)) == 0)
			goto done;
		rmtree_fail(rt, errno);
	} else if (errno != ENOENT)
		rmtree_fail(rt, errno);
	ret = 0;
	/*
	 * A position is refused by a directory that somebody else has removed.
	 * up may be stale: the array may have moved.
	 */
	if (rt->nlevels > 0) {
		up = &rt->levels[rt->nlevels - 1];
		if (lseek(fd, up->resume, SEEK_SET) == -1)
			up->resume = -1;
	}
 done:
	free(l.name);
	return (ret);
}

int
rmtree(int parentfd, const char *name)
{
	struct rmtree	 rt;

	if (name[0] == '\0' || strchr(name, '/') != NULL ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		return (-1);
	}
	/* As a directory first: the right to remove a file may be missing. */
	if (unlinkat(parentfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return (0);
	if (errno == EBUSY)
		return (-1);
	if (errno == ENOTDIR) {
		if (unlinkat(parentfd, name, 0) == 0 || errno == ENOENT)
			return (0);
		return (-1);
	}

	memset(&rt, 0, sizeof(rt));
	rt.parentfd = parentfd;
	rt.fd = -1;
	if (level_enter(&rt, parentfd, name) == -1) {
		if (errno == ENOENT)
			return (0);
		rmtree_fail(&rt, errno);
	}
	while (rt.nlevels > 0) {
		if (level_scan(&rt))
			continue;
		if (level_leave(&rt) == -1) {
			rmtree_fail(&rt, errno);
			break;
		}
	}
	while (rt.nlevels > 0)
		free(rt.levels[--rt.nlevels].name);
	free(rt.levels);
	if (rt.fd != -1)
		close(rt.fd);
	if (rt.error != 0) {
		errno = rt.error;
		return (-1);
	}
	return (0);
}
