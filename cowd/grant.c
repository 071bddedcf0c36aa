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
 * The paths of the policy under which metadata may change and sockets may be
 * connected to, and the decision whether an inode lies below one of them.
 *
 * The decision is never made by comparing text.  The name that /proc shows for
 * a descriptor only tells where to look; the inode is then looked up again,
 * beneath a descriptor of the granted path, without following any link, and
 * has to be the same one by device, inode and mount.  What is opened that way
 * is what the caller acts on: renaming things meanwhile changes nothing.
 *
 * This is how Landlock judges too: by the name that was used, upwards.  A file
 * with a second name outside of the grants is below a grant by its first one.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/openat2.h>

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
#include "worker.h"

/* How often somebody who renames things may spoil a look-up. */
#define GRANT_TRIES	8

struct grant {
	STAILQ_ENTRY(grant)	 entry;
	unsigned int		 perms;
	int			 fd;
	char			*path;	/* where fd was last; NULL: not known */
	size_t			 len;
};
static STAILQ_HEAD(, grant)	 grants = STAILQ_HEAD_INITIALIZER(grants);

static int
grant_openat2(int at, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_CLOEXEC | flags;
	how.resolve = resolve;
	return (syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

void
grant_add(const struct workload_path *wp)
{
	struct grant	*g;
	int		 fd;

	if ((wp->perms & PERM_META) == 0)
		return;
	/*
	 * A magic link (/dev/stdout) would lead to a descriptor of this
	 * process, which is not the workload's: nothing is granted by it.
	 */
	if ((fd = grant_openat2(AT_FDCWD, wp->path, 0,
	    RESOLVE_NO_MAGICLINKS)) == -1) {
		if (errno == ELOOP || (wp->optional && (errno == ENOENT ||
		    errno == ENOTDIR || errno == EACCES)))
			return;
		worker_fail("%s: %s", wp->path, strerror(errno));
	}
	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("grant");
	g->perms = wp->perms;
	g->fd = fd;
	STAILQ_INSERT_TAIL(&grants, g, entry);
}

void
grant_add_directory(int fd, unsigned int perms)
{
	struct grant	*g;

	if ((g = calloc(1, sizeof(*g))) == NULL ||
	    (g->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		fatal("grant");
	g->perms = perms;
	STAILQ_INSERT_TAIL(&grants, g, entry);
}

const char *
fd_name(int fd, char name[FD_NAME_SIZE])
{
	snprintf(name, FD_NAME_SIZE, "/proc/self/fd/%d", fd);
	return (name);
}

/* What /proc shows for a descriptor; 0, or -1 and errno. */
static int
fd_path(int fd, char *path, size_t size)
{
	char	 name[FD_NAME_SIZE];
	ssize_t	 n;

	n = readlinkat(AT_FDCWD, fd_name(fd, name), path, size);
	if (n == -1)
		return (-1);
	if ((size_t)n == size) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	path[n] = '\0';
	return (0);
}

int
inode_stat(int fd, struct statx *sx)
{
	const unsigned int	 want = STATX_TYPE | STATX_NLINK | STATX_INO |
				    STATX_MNT_ID;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, want, sx) == -1)
		return (-1);
	if ((sx->stx_mask & want) != want) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	return (0);
}

int
inode_same(const struct statx *a, const struct statx *b)
{
	return (a->stx_ino == b->stx_ino &&
	    a->stx_dev_major == b->stx_dev_major &&
	    a->stx_dev_minor == b->stx_dev_minor &&
	    a->stx_mnt_id == b->stx_mnt_id);
}

int
inode_nameless(int fd, const struct statx *sx)
{
	char	 path[PATH_MAX + 1];

	if (sx->stx_nlink == 0)
		return (1);
	/* "pipe:[1]" and the like have one link and no path. */
	return (fd_path(fd, path, sizeof(path)) == 0 && path[0] != '/');
}

/* Read the paths of all grants again; 1 when one has changed. */
static int
grant_refresh(void)
{
	struct grant	*g;
	char		 path[PATH_MAX + 1], *copy;
	int		 changed = 0;

	STAILQ_FOREACH(g, &grants, entry) {
		if (fd_path(g->fd, path, sizeof(path)) == -1 ||
		    path[0] != '/')
			continue;
		if (g->path != NULL && strcmp(g->path, path) == 0)
			continue;
		if ((copy = strdup(path)) == NULL)
			fatal("grant");
		free(g->path);
		g->path = copy;
		g->len = strlen(copy);
		changed = 1;
	}
	return (changed);
}

/* The part of a path below a grant, "" for the grant itself, NULL outside. */
static const char *
grant_below(const struct grant *g, const char *path)
{
	if (g->path == NULL)
		return (NULL);
	if (g->len == 1)
		return (path + 1);
	if (strncmp(g->path, path, g->len) != 0)
		return (NULL);
	if (path[g->len] == '\0')
		return (path + g->len);
	if (path[g->len] == '/')
		return (path + g->len + 1);
	return (NULL);
}

/*
 * Look a path up beneath the grants.  -1 and EACCES when the inode is not found
 * there, another errno when cowd itself lacks what it takes.
 */
static int
grant_lookup(const char *path, const struct statx *sx, unsigned int perms)
{
	const struct grant	*g;
	const char		*rest;
	struct statx		 found;
	int			 fd;

	/* A path inside the grant may have fewer rights. */
	if (rights_any() && ((rights_of(path) & perms) == 0 ||
	    rights_denied(sx))) {
		errno = EACCES;
		return (-1);
	}
	STAILQ_FOREACH(g, &grants, entry) {
		if ((g->perms & perms) == 0 ||
		    (rest = grant_below(g, path)) == NULL)
			continue;
		/* The grant may be no directory, so "." is no way to it. */
		if (*rest == '\0')
			fd = fcntl(g->fd, F_DUPFD_CLOEXEC, 0);
		else
			fd = grant_openat2(g->fd, rest, O_NOFOLLOW,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			    RESOLVE_NO_MAGICLINKS);
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM)
				return (-1);
			continue;
		}
		if (inode_stat(fd, &found) == 0 && inode_same(sx, &found))
			return (fd);
		close(fd);
	}
	errno = EACCES;
	return (-1);
}

int
grant_open(int fd, const struct statx *sx, unsigned int perms)
{
	char	 paths[2][PATH_MAX + 1];
	int	 changed, found, i;

	if (fd_path(fd, paths[0], sizeof(paths[0])) == -1)
		goto refused;
	for (i = 0; i < GRANT_TRIES; i++) {
		const char	*path = paths[i % 2];
		char		*next = paths[(i + 1) % 2];

		if (path[0] != '/')
			break;
		if ((found = grant_lookup(path, sx, perms)) != -1 ||
		    errno != EACCES)
			return (found);
		/* The last word only if nothing moved since. */
		changed = grant_refresh();
		if (fd_path(fd, next, sizeof(paths[0])) == -1)
			break;
		if (!changed && strcmp(path, next) == 0)
			break;
	}
 refused:
	errno = EACCES;
	return (-1);
}
