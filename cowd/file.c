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
 * Opening and changing files around holes, where Landlock cannot tell the
 * workload's from what it must not have.  The supervisor names them absolutely
 * and without links.  Whether the policy grants it is found out here once more:
 * a name is taken apart and looked up beneath a descriptor of the path that
 * decides on it, without any link, and what is found is no hole by any name.
 *
 * In a merged view the same is asked of every change before it is made.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowd.h"
#include "merge.h"

/* What a file may be opened with; the rest has no meaning or another one. */
#define FILE_FLAGS	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC |	\
			O_SYNC | O_DIRECT | O_LARGEFILE | O_NOATIME |	\
			O_NOCTTY)
#define FILE_TRIES	8

/* An entry of a directory: where something is or would be. */
struct spot {
	int		 dir;		/* O_PATH */
	char		 parent[PATH_MAX + NAME_MAX + 2];
	const char	*name;		/* in parent, behind its NUL */
	unsigned int	 perms;		/* on the entry */
	unsigned int	 dir_perms;
};

static int
file_openat2(int at, const char *path, uint64_t flags)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_CLOEXEC | flags;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS;
	return (syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

/* Absolute, of names only: then its text says where it is. */
static int
path_is_clean(const char *path)
{
	size_t	 len;

	if (path[0] != '/' || path[1] == '\0')
		return (0);
	while (*path == '/') {
		path++;
		len = strcspn(path, "/");
		if (len == 0 || len > NAME_MAX ||
		    (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return (0);
		path += len;
	}
	return (1);
}

/* Find an entry; 0 or an errno. */
static int
spot_find(const char *path, struct spot *s)
{
	const char	*rest;
	char		*slash;
	int		 root;

	s->dir = -1;
	if (!path_is_clean(path) || strlcpy(s->parent, path,
	    sizeof(s->parent)) >= sizeof(s->parent))
		return (EINVAL);
	slash = strrchr(s->parent, '/');
	*slash = '\0';
	s->name = slash + 1;
	if (s->parent[0] == '\0')
		root = rights_root("/", &rest);
	else
		root = rights_root(s->parent, &rest);
	if (root == -1)
		return (EXDEV);
	s->perms = rights_of(path);
	s->dir_perms = rights_of(s->parent[0] == '\0' ? "/" : s->parent);
	if ((s->dir = file_openat2(root, rest[0] == '\0' || s->parent[0] ==
	    '\0' ? "." : rest, O_DIRECTORY)) == -1)
		return (errno);
	return (0);
}

static void
spot_free(struct spot *s)
{
	if (s->dir != -1)
		close(s->dir);
	s->dir = -1;
}

/* The inode of an entry, which is no hole's; 0 or an errno. */
static int
spot_inode(const struct spot *s, int *fd, struct statx *sx)
{
	if ((*fd = file_openat2(s->dir, s->name, O_NOFOLLOW)) == -1)
		return (errno);
	if (inode_stat(*fd, sx) == -1 || rights_denied(sx)) {
		close(*fd);
		*fd = -1;
		return (EACCES);
	}
	return (0);
}

/*
 * Whether an entry may be made or removed.  A directory on the way to a hole
 * stays where it is, as one that is mounted on does; it may only be made.
 */
static int
entry_error(const char *path, unsigned int dir_perms, enum view_op op)
{
	if (rights_of(path) == PERM_NONE || rights_hole(path) ||
	    (dir_perms & PERM_CREATE) == 0)
		return (EACCES);
	if (op != VIEW_MKDIR && rights_above(path))
		return (EBUSY);
	return (0);
}

static unsigned int
open_needs(int flags)
{
	unsigned int	 needs = 0;

	if ((flags & O_ACCMODE) != O_WRONLY)
		needs |= PERM_READ;
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0)
		needs |= PERM_WRITE;
	return (needs);
}

/* Open what is there, by its inode. */
static int
open_inode(int inode, const struct statx *sx, const struct proto_view *pv,
    int *fd, int *wait)
{
	char	 name[FD_NAME_SIZE];
	int	 error = 0;

	if (S_ISFIFO(sx->stx_mode) && (pv->flags & O_NONBLOCK) == 0 &&
	    (pv->flags & O_ACCMODE) != O_RDWR) {
		/* Nobody can wait for a writer on behalf. */
		if ((pv->flags & O_ACCMODE) == O_RDONLY)
			return (EACCES);
		*wait = 1;
		return (0);
	}
	if (!S_ISREG(sx->stx_mode) && !S_ISFIFO(sx->stx_mode))
		return (EACCES);
	*fd = openat(AT_FDCWD, fd_name(inode, name),
	    (pv->flags & FILE_FLAGS) | O_CLOEXEC);
	if (*fd == -1)
		return (errno);
	if ((pv->flags & O_TRUNC) != 0 && S_ISREG(sx->stx_mode) &&
	    (pv->flags & O_ACCMODE) != O_RDONLY && ftruncate(*fd, 0) == -1) {
		error = errno;
		close(*fd);
		*fd = -1;
	}
	return (error);
}

static int
file_open(const struct proto_view *pv, int *fd, int *wait)
{
	struct spot	 s;
	struct statx	 sx;
	mode_t		 mask;
	int		 error, inode, tries;

	if ((pv->flags & O_ACCMODE) == O_ACCMODE)
		return (EINVAL);
	if ((error = spot_find(pv->path, &s)) != 0)
		return (error);
	if ((open_needs(pv->flags) & ~s.perms) != 0)
		error = EACCES;
	for (tries = 0; error == 0 && tries < FILE_TRIES; tries++) {
		if ((error = spot_inode(&s, &inode, &sx)) == 0) {
			if ((pv->flags & (O_CREAT | O_EXCL)) ==
			    (O_CREAT | O_EXCL))
				error = EEXIST;
			else
				error = open_inode(inode, &sx, pv, fd, wait);
			close(inode);
			break;
		}
		if (error != ENOENT || (pv->flags & O_CREAT) == 0 ||
		    (error = entry_error(pv->path, s.dir_perms,
		    VIEW_OPEN)) != 0)
			break;
		mask = umask(pv->mask);
		*fd = openat(s.dir, s.name, (pv->flags & FILE_FLAGS) |
		    O_CREAT | O_EXCL | O_CLOEXEC, pv->mode);
		error = *fd == -1 ? errno : 0;
		umask(mask);
		if (error != EEXIST)
			break;
		error = 0;
	}
	spot_free(&s);
	return (error);
}

static int
file_make(const struct proto_view *pv)
{
	struct spot	 s;
	mode_t		 mask;
	int		 error, ret;

	if ((error = spot_find(pv->path, &s)) != 0)
		return (error);
	if ((error = entry_error(pv->path, s.dir_perms, pv->op)) == 0) {
		mask = umask(pv->mask);
		if (pv->op == VIEW_MKDIR)
			ret = mkdirat(s.dir, s.name, pv->mode);
		else if (pv->op == VIEW_SYMLINK)
			ret = symlinkat(pv->path2, s.dir, s.name);
		else if (S_ISREG(pv->mode) || (pv->mode & S_IFMT) == 0) {
			/* As a file: the filter here knows no other way. */
			ret = openat(s.dir, s.name, O_WRONLY | O_CREAT |
			    O_EXCL | O_CLOEXEC, pv->mode & 07777);
			if (ret != -1) {
				close(ret);
				ret = 0;
			}
		} else if (S_ISFIFO(pv->mode) || S_ISSOCK(pv->mode))
			ret = mknodat(s.dir, s.name, pv->mode, 0);
		else {
			errno = EPERM;
			ret = -1;
		}
		error = ret == -1 ? errno : 0;
		umask(mask);
	}
	spot_free(&s);
	return (error);
}

static int
file_remove(const struct proto_view *pv)
{
	struct spot	 s;
	struct statx	 sx;
	int		 error, inode;

	if ((error = spot_find(pv->path, &s)) != 0)
		return (error);
	if ((error = entry_error(pv->path, s.dir_perms, pv->op)) == 0 &&
	    (error = spot_inode(&s, &inode, &sx)) == 0) {
		close(inode);
		if (unlinkat(s.dir, s.name, pv->op == VIEW_RMDIR ?
		    AT_REMOVEDIR : 0) == -1)
			error = errno;
	}
	spot_free(&s);
	return (error);
}

/*
 * A rename or a link.  Both entries are in directories that the same path of
 * the policy decides on: nothing gains a right by being moved.
 */
static int
file_two(const struct proto_view *pv)
{
	struct spot	 from, to;
	struct statx	 sx;
	int		 error, inode;

	to.dir = -1;
	if ((error = spot_find(pv->path, &from)) != 0 ||
	    (error = spot_find(pv->path2, &to)) != 0 ||
	    (error = entry_error(pv->path, from.dir_perms, pv->op)) != 0 ||
	    (error = entry_error(pv->path2, to.dir_perms, pv->op)) != 0)
		goto done;
	if (!rights_same(pv->path, pv->path2)) {
		error = EXDEV;
		goto done;
	}
	if ((error = spot_inode(&from, &inode, &sx)) != 0)
		goto done;
	close(inode);
	if (pv->op == VIEW_LINK) {
		if (linkat(from.dir, from.name, to.dir, to.name, 0) == -1)
			error = errno;
	} else if ((pv->flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0)
		error = EINVAL;
	else if (renameat2(from.dir, from.name, to.dir, to.name,
	    (unsigned int)pv->flags) == -1)
		error = errno;
 done:
	spot_free(&from);
	spot_free(&to);
	return (error);
}

static int
file_truncate(const struct proto_view *pv)
{
	struct spot	 s;
	struct statx	 sx;
	char		 name[FD_NAME_SIZE];
	int		 error, inode;

	if ((error = spot_find(pv->path, &s)) != 0)
		return (error);
	if ((s.perms & PERM_WRITE) == 0)
		error = EACCES;
	else if ((error = spot_inode(&s, &inode, &sx)) == 0) {
		if (S_ISDIR(sx.stx_mode))
			error = EISDIR;
		else if (!S_ISREG(sx.stx_mode))
			error = EINVAL;
		else if (truncate(fd_name(inode, name), pv->size) == -1)
			error = errno;
		close(inode);
	}
	spot_free(&s);
	return (error);
}

int
file_request(const struct proto_view *pv, int *fd, int *wait)
{
	switch (pv->op) {
	case VIEW_OPEN:
		return (file_open(pv, fd, wait));
	case VIEW_MKDIR:
	case VIEW_MKNOD:
	case VIEW_SYMLINK:
		return (file_make(pv));
	case VIEW_UNLINK:
	case VIEW_RMDIR:
		return (file_remove(pv));
	case VIEW_RENAME:
	case VIEW_LINK:
		return (file_two(pv));
	case VIEW_TRUNCATE:
		return (file_truncate(pv));
	default:
		return (ENOSYS);
	}
}

/* Where a path of a view is in the working directory; 0 or an errno. */
static int
view_text(struct merge *m, const char *top, const char *path, int follow,
    char *text, size_t size, int *missing)
{
	struct merge_entry	 e;
	int			 ret;

	if (merge_lookup(m, path, MERGE_MISSING | (follow ? 0 :
	    AT_SYMLINK_NOFOLLOW), &e) == -1)
		return (errno);
	if (e.name[0] == '\0')
		ret = snprintf(text, size, "%s", top);
	else if (strcmp(e.parent, ".") == 0)
		ret = snprintf(text, size, "%s/%s", top, e.name);
	else
		ret = snprintf(text, size, "%s/%s/%s", top, e.parent, e.name);
	*missing = e.fd == -1;
	merge_entry_free(&e);
	return (ret < 0 || (size_t)ret >= size ? ENAMETOOLONG : 0);
}

/* Whether an entry of a view may be made or removed. */
static int
view_entry_error(char *text, enum view_op op)
{
	char		*slash;
	unsigned int	 perms;

	if ((slash = strrchr(text, '/')) == NULL || slash == text)
		return (EACCES);
	*slash = '\0';
	perms = rights_of(text);
	*slash = '/';
	return (entry_error(text, perms, op));
}

static int
view_open_error(char *text, const struct proto_view *pv, int missing)
{
	if ((open_needs(pv->flags) & ~rights_of(text)) != 0)
		return (EACCES);
	if ((pv->flags & O_TMPFILE) == O_TMPFILE)
		return (rights_of(text) & PERM_CREATE ? 0 : EACCES);
	if (missing && (pv->flags & O_CREAT) != 0)
		return (view_entry_error(text, VIEW_OPEN));
	return (0);
}

/*
 * Whether the policy has something against a change in a view, or against
 * opening; 0 or an errno.  What cannot be looked up fails by itself.
 */
int
file_view_error(struct merge *m, const char *top, const struct proto_view *pv)
{
	char	 text[2][2 * PATH_MAX];
	int	 error, follow, missing;

	if (!rights_any() || pv->path[0] == '\0')
		return (0);
	follow = pv->op == VIEW_TRUNCATE || (pv->op == VIEW_LINK &&
	    (pv->flags & AT_SYMLINK_FOLLOW) != 0);
	if (pv->op == VIEW_OPEN)
		follow = (pv->flags & O_NOFOLLOW) == 0 &&
		    (pv->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	else if (pv->op >= VIEW_CHMOD && pv->op <= VIEW_REMOVEXATTR)
		follow = (pv->flags & AT_SYMLINK_NOFOLLOW) == 0;
	if ((error = view_text(m, top, pv->path, follow, text[0],
	    sizeof(text[0]), &missing)) != 0)
		return (error == ENAMETOOLONG ? error : 0);
	switch (pv->op) {
	case VIEW_OPEN:
		return (view_open_error(text[0], pv, missing));
	case VIEW_TRUNCATE:
		return (rights_of(text[0]) & PERM_WRITE ? 0 : EACCES);
	case VIEW_CHMOD:
	case VIEW_CHOWN:
	case VIEW_UTIMES:
	case VIEW_SETXATTR:
	case VIEW_REMOVEXATTR:
		if (rights_of(text[0]) == PERM_NONE)
			return (EACCES);
		return (rights_of(text[0]) & PERM_META ? 0 : EPERM);
	case VIEW_RENAME:
	case VIEW_LINK:
		if (view_text(m, top, pv->path2, 0, text[1], sizeof(text[1]),
		    &missing) != 0)
			return (0);
		if ((error = view_entry_error(text[0], pv->op)) != 0 ||
		    (error = view_entry_error(text[1], pv->op)) != 0)
			return (error);
		return (rights_same(text[0], text[1]) ? 0 : EXDEV);
	default:
		return (view_entry_error(text[0], pv->op));
	}
}
