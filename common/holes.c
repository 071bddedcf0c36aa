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
 * The rights around holes, see holes.h.  Names are absolute and free of links,
 * as policy_check() leaves them; entries of directories are named without
 * following links, and known by their inodes from then on.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holes.h"

static int	 expand_directory(struct workload_conf *,
		    const struct workload_path *, int, const char *,
		    const char **);

int
holes_inside(const char *outer, const char *path)
{
	size_t	 len;

	if (strcmp(outer, "/") == 0)
		return (1);
	len = strlen(outer);
	return (strncmp(outer, path, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0'));
}

const struct workload_path *
holes_path(const struct workload_paths *paths, const char *name)
{
	const struct workload_path	*wp, *best = NULL;

	STAILQ_FOREACH(wp, paths, entry)
		if (holes_inside(wp->path, name) && (best == NULL ||
		    strlen(wp->path) > strlen(best->path)))
			best = wp;
	return (best);
}

/* Whether a path strictly below a name lacks one of some rights. */
static int
below_lacks(const struct workload_paths *paths, const char *name,
    unsigned int perms)
{
	const struct workload_path	*wp;

	STAILQ_FOREACH(wp, paths, entry)
		if ((perms & ~wp->perms) != 0 &&
		    strcmp(name, wp->path) != 0 &&
		    holes_inside(name, wp->path))
			return (1);
	return (0);
}

int
holes_above(const struct workload_paths *paths, const char *name)
{
	const struct workload_path	*wp;

	if ((wp = holes_path(paths, name)) == NULL)
		return (0);
	return (below_lacks(paths, name, wp->perms));
}

enum hole_level
holes_level(const struct workload_paths *paths)
{
	const struct workload_path	*a, *b;
	enum hole_level			 level = HOLES_NONE;
	unsigned int			 missing;

	STAILQ_FOREACH(a, paths, entry)
		STAILQ_FOREACH(b, paths, entry) {
			if (a == b || !holes_inside(a->path, b->path))
				continue;
			missing = a->perms & ~b->perms;
			if (missing & PERM_READ)
				return (HOLES_READ);
			if (missing & PERM_META)
				level = HOLES_CHANGE;
		}
	return (level);
}

/* Whether an inode is that of a hole, by whatever name it was found. */
static int
is_hole(const struct workload_paths *paths, const struct workload_path *outer,
    const struct stat *st)
{
	const struct workload_path	*wp;
	struct stat			 hole;

	STAILQ_FOREACH(wp, paths, entry)
		if ((outer->perms & ~wp->perms) != 0 &&
		    lstat(wp->path, &hole) == 0 &&
		    hole.st_ino == st->st_ino && hole.st_dev == st->st_dev)
			return (1);
	return (0);
}

static int
sibling_add(struct workload_conf *wc, const char *path, unsigned int perms,
    const struct stat *st)
{
	struct workload_sibling	*grown;
	size_t			 n = wc->nsiblings;

	if (n == HOLES_SIBLINGS_MAX) {
		errno = E2BIG;
		return (-1);
	}
	if ((n & (n - 1)) == 0) {
		if ((grown = reallocarray(wc->siblings, n == 0 ? 1 : 2 * n,
		    sizeof(*grown))) == NULL)
			return (-1);
		wc->siblings = grown;
	}
	if ((wc->siblings[n].path = strdup(path)) == NULL)
		return (-1);
	wc->siblings[n].perms = perms;
	wc->siblings[n].dev = st->st_dev;
	wc->siblings[n].ino = st->st_ino;
	wc->nsiblings++;
	return (0);
}

/* One entry of a directory on the way to a hole. */
static int
expand_entry(struct workload_conf *wc, const struct workload_path *outer,
    int dir, const char *path, const char **what)
{
	const struct workload_path	*wp;
	struct stat			 st;
	const char			*name = strrchr(path, '/') + 1;
	unsigned int			 extra = outer->perms & ~outer->rule;

	/* A path of the policy has its own rights. */
	STAILQ_FOREACH(wp, &wc->paths, entry)
		if (strcmp(wp->path, path) == 0)
			return (0);
	/*
	 * Gone by now, then it is as good as new when it comes back; or a
	 * mount whose server is: nothing can be granted of that.
	 */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return (errno == ENOMEM ? -1 : 0);
	if (S_ISDIR(st.st_mode) && below_lacks(&wc->paths, path, extra))
		return (expand_directory(wc, outer, dir, path, what));
	/* What a link leads to is judged by its own place. */
	if (S_ISLNK(st.st_mode) || is_hole(&wc->paths, outer, &st))
		return (0);
	return (sibling_add(wc, path, extra, &st));
}

static int
expand_entries(struct workload_conf *wc, const struct workload_path *outer,
    DIR *d, const char *path, const char **what)
{
	struct dirent	*de;
	char		*sub;
	int		 ret = 0, saved_errno;

	while (ret == 0) {
		errno = 0;
		if ((de = readdir(d)) == NULL)
			return (errno == 0 ? 0 : -1);
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (asprintf(&sub, "%s/%s", strcmp(path, "/") == 0 ? "" : path,
		    de->d_name) == -1)
			return (-1);
		ret = expand_entry(wc, outer, dirfd(d), sub, what);
		saved_errno = errno;
		free(sub);
		errno = saved_errno;
	}
	return (ret);
}

/*
 * A directory on the way to a hole, named in the one that is open or, for the
 * path of the policy itself, absolutely.  One that the user may not list has
 * nothing that could be granted.
 */
static int
expand_directory(struct workload_conf *wc, const struct workload_path *outer,
    int at, const char *path, const char **what)
{
	DIR	*d;
	int	 fd, ret, saved_errno;

	fd = openat(at, at == AT_FDCWD ? path : strrchr(path, '/') + 1,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return (errno == EACCES || errno == ENOENT ||
		    errno == ENOTDIR ? 0 : -1);
	if ((d = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	if ((ret = expand_entries(wc, outer, d, path, what)) == -1 &&
	    *what == NULL)
		*what = outer->path;
	saved_errno = errno;
	closedir(d);
	errno = saved_errno;
	return (ret);
}

static int
sibling_cmp(const void *a, const void *b)
{
	const struct workload_sibling	*x = a, *y = b;

	return (strcmp(x->path, y->path));
}

int
holes_expand(struct workload_conf *wc, const char **what)
{
	struct workload_path		*outer;
	const struct workload_path	*wp;

	*what = NULL;
	STAILQ_FOREACH(outer, &wc->paths, entry) {
		outer->rule = outer->perms;
		STAILQ_FOREACH(wp, &wc->paths, entry)
			if (holes_inside(outer->path, wp->path))
				outer->rule &= wp->perms;
		if (outer->rule != outer->perms &&
		    expand_directory(wc, outer, AT_FDCWD, outer->path,
		    what) == -1)
			return (-1);
	}
	if (wc->nsiblings > 0)
		qsort(wc->siblings, wc->nsiblings, sizeof(*wc->siblings),
		    sibling_cmp);
	return (0);
}

int
holes_sibling(const struct workload_conf *wc, const char *path)
{
	struct workload_sibling	 key = { 0 };
	struct workload_sibling	*found;
	struct stat		 st;
	char			*copy;

	if (wc->nsiblings == 0 || (copy = strdup(path)) == NULL)
		return (0);
	key.path = copy;
	found = bsearch(&key, wc->siblings, wc->nsiblings, sizeof(key),
	    sibling_cmp);
	free(copy);
	return (found != NULL && lstat(path, &st) == 0 &&
	    st.st_ino == found->ino && st.st_dev == found->dev);
}
