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
 * How much a branch holds, for its quota: a walk through upper, work and
 * links.  The directories above what the workload has made do not count.
 *
 * One directory is open at a time: the way up is "..", whose identity must be
 * that of the way down.  Where the kernel merges, the workload may move things
 * meanwhile; then there is no answer, and the supervisor goes on with the upper
 * bound that it has.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#ifndef __unused
#define __unused	__attribute__((__unused__))	/* for sys/tree.h */
#endif

#include <sys/tree.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"
#include "log.h"
#include "merge.h"

#define USAGE_BUFSIZE	32768

/* A file with several names, which counts once. */
struct shared {
	RB_ENTRY(shared)	 entry;
	uint64_t		 ino;
};
RB_HEAD(shares, shared);

/* A directory on the way down. */
struct level {
	uint64_t	 ino;
	off_t		 resume;	/* after the entry entered */
};

struct usage {
	uint64_t	 bytes;
	struct statx	 top;
	struct level	*levels;
	size_t		 nlevels;
	size_t		 size;
	int		 fd;		/* of the last level */
	int		 skip;		/* what cannot be read holds nothing */
	struct shares	 shares;
};

static int	 shared_cmp(struct shared *, struct shared *);
RB_PROTOTYPE_STATIC(shares, shared, entry, shared_cmp)

static int
shared_cmp(struct shared *a, struct shared *b)
{
	return (a->ino < b->ino ? -1 : a->ino > b->ino);
}

RB_GENERATE_STATIC(shares, shared, entry, shared_cmp)

/* 1 if it was seen before, 0 if it is noted now, -1 and errno. */
static int
shared_seen(struct usage *u, uint64_t ino)
{
	struct shared	*s;

	if ((s = malloc(sizeof(*s))) == NULL)
		return (-1);
	s->ino = ino;
	if (RB_INSERT(shares, &u->shares, s) == NULL)
		return (0);
	free(s);
	return (1);
}

static void
shared_free(struct usage *u)
{
	struct shared	*s;

	while ((s = RB_MIN(shares, &u->shares)) != NULL) {
		RB_REMOVE(shares, &u->shares, s);
		free(s);
	}
}

/* What the attributes that the workload has set come to. */
static int
usage_xattrs(struct usage *u, const char *name)
{
	char	 list[XATTR_LIST_MAX], path[FD_NAME_SIZE + NAME_MAX + 2], *p;
	ssize_t	 len, n;

	if (snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", u->fd,
	    name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((len = llistxattr(path, list, sizeof(list))) == -1)
		return (errno == EOPNOTSUPP || errno == ENOENT ? 0 : -1);
	for (p = list; p < list + len; p += strlen(p) + 1) {
		if (strncmp(p, "user.overlay.", 13) == 0)
			continue;
		if ((n = lgetxattr(path, p, NULL, 0)) == -1)
			n = 0;
		u->bytes += strlen(p) + n;
	}
	return (0);
}

/* Count an entry of the last level; *isdir tells whether to enter it. */
static int
usage_entry(struct usage *u, const char *name, int *isdir)
{
	struct statx	 sx;
	uint64_t	 blocks, size;
	int		 seen = 0;

	*isdir = 0;
	if (statx(u->fd, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
	    &sx) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (sx.stx_dev_major != u->top.stx_dev_major ||
	    sx.stx_dev_minor != u->top.stx_dev_minor) {
		errno = EXDEV;
		return (-1);
	}
	u->bytes += ROOM_UNIT;
	*isdir = S_ISDIR(sx.stx_mode);
	if (!*isdir && sx.stx_nlink > 1 &&
	    (seen = shared_seen(u, sx.stx_ino)) == -1)
		return (-1);
	if (seen || (!*isdir && !S_ISREG(sx.stx_mode) &&
	    !S_ISLNK(sx.stx_mode)))
		return (0);
	size = room_round(sx.stx_size);
	blocks = sx.stx_blocks * 512;
	u->bytes += size > blocks ? size : blocks;
	return (S_ISLNK(sx.stx_mode) ? 0 : usage_xattrs(u, name));
}

static int
level_push(struct usage *u, int fd)
{
	struct level	*levels;
	struct statx	 sx;
	size_t		 size;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx) == -1)
		return (-1);
	if (u->nlevels == 0)
		u->top = sx;
	if (u->nlevels == u->size) {
		size = u->size == 0 ? 64 : u->size * 2;
		if ((levels = reallocarray(u->levels, size,
		    sizeof(*levels))) == NULL)
			return (-1);
		u->levels = levels;
		u->size = size;
	}
	u->levels[u->nlevels].ino = sx.stx_ino;
	u->levels[u->nlevels].resume = 0;
	u->nlevels++;
	if (u->fd != -1)
		close(u->fd);
	u->fd = fd;
	return (0);
}

/* Make a directory the last level: 1, 0 when it cannot be, or -1. */
static int
level_enter(struct usage *u, int at, const char *name)
{
	int	 fd, saved_errno;

	if ((fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return (errno == ENOENT || (errno == EACCES && u->skip) ?
		    0 : -1);
	if (level_push(u, fd) == 0)
		return (1);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (-1);
}

/* Back to the directory above; 0, or -1 when the way up is lost. */
static int
level_leave(struct usage *u)
{
	struct level	*up;
	struct statx	 sx;
	int		 fd;

	if (--u->nlevels == 0)
		return (0);
	up = &u->levels[u->nlevels - 1];
	if ((fd = openat(u->fd, "..", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1)
		return (-1);
	close(u->fd);
	u->fd = fd;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &sx) == -1)
		return (-1);
	if (sx.stx_ino != up->ino) {
		errno = ESTALE;
		return (-1);
	}
	return (lseek(fd, up->resume, SEEK_SET) == -1 ? -1 : 0);
}

/* Count what the last level holds: 1 when a directory was entered, 0, -1. */
static int
level_scan(struct usage *u)
{
	union {
		struct dirent64	 align;
		char		 bytes[USAGE_BUFSIZE];
	}			 buf;
	const struct dirent64	*de;
	size_t			 level = u->nlevels - 1;
	ssize_t			 n, off;
	int			 isdir, ret;

	while ((n = getdents64(u->fd, buf.bytes, sizeof(buf.bytes))) > 0)
		for (off = 0; off < n; off += de->d_reclen) {
			de = (const void *)(buf.bytes + off);
			if (strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0)
				continue;
			if (usage_entry(u, de->d_name, &isdir) == -1)
				return (-1);
			if (!isdir)
				continue;
			u->levels[level].resume = de->d_off;
			if ((ret = level_enter(u, u->fd, de->d_name)) != 0)
				return (ret);
		}
	return (n == -1 && errno != ENOENT ? -1 : 0);
}

/* Everything below a directory of the branch, which may be missing. */
static int
usage_tree(struct usage *u, int branch, const char *name)
{
	int	 ret, saved_errno;

	/* The kernel keeps a directory in work that nobody may read. */
	u->skip = strcmp(name, "work") == 0;
	if ((ret = level_enter(u, branch, name)) == 1)
		do {
			if ((ret = level_scan(u)) == 0)
				ret = level_leave(u);
		} while (ret != -1 && u->nlevels > 0);
	saved_errno = errno;
	if (u->fd != -1)
		close(u->fd);
	u->fd = -1;
	u->nlevels = 0;
	errno = saved_errno;
	return (ret == -1 ? -1 : 0);
}

void
usage_request(void)
{
	struct proto_usage	 pu;
	struct usage		 u;
	int			 branch, lower;

	order_places(&lower, &branch);
	memset(&u, 0, sizeof(u));
	u.fd = -1;
	RB_INIT(&u.shares);
	pu.error = 0;
	if (usage_tree(&u, branch, "upper") == -1 ||
	    usage_tree(&u, branch, "work") == -1 ||
	    usage_tree(&u, branch, "links") == -1)
		pu.error = errno;
	pu.bytes = u.bytes;
	shared_free(&u);
	free(u.levels);
	if (proto_send_usage(&cowd_supervisor.ibuf, &pu) == -1)
		fatal("usage");
}

/*
 * Landlock keeps this to the branch and the working directory.  Where the
 * kernel merges, the file is in neither, and what the supervisor lacks is the
 * mode.
 */
int
usage_empty(int fd)
{
	return (merge_empty(fd) == -1 ? errno : 0);
}
