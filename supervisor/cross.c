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
 * Calls on two names of which only one is in the view.  They fail, as between
 * two file systems; but as there, what is wrong with a name comes before that.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

/* The last name of a path. */
enum last {
	LAST_NAME,
	LAST_DOTS,			/* ".", "..", or none */
	LAST_SLASH			/* a name and slashes */
};

/* Cut the last name off: what is left is a directory's. */
static enum last
path_cut(char *path)
{
	size_t		 len = strlen(path), start;
	enum last	 last = LAST_NAME;

	while (len > 0 && path[len - 1] == '/') {
		path[--len] = '\0';
		last = LAST_SLASH;
	}
	for (start = len; start > 0 && path[start - 1] != '/';)
		start--;
	if (len == start || strcmp(path + start, ".") == 0 ||
	    strcmp(path + start, "..") == 0)
		last = LAST_DOTS;
	path[start] = '\0';
	return (last);
}

/* The caller's own directory of a name, and the name. */
static int
cross_name(const struct request *rq, int slot, const struct place *pl,
    char *path, size_t size)
{
	if (!pl->left)
		return (look_path(rq, slot, path, size));
	return (strlcpy(path, pl->path, size) < size ? 0 : ENAMETOOLONG);
}

/* Whether what is there can be searched; 0 or an errno. */
static int
cross_search(int fd)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return (errno);
	if (!S_ISDIR(st.st_mode))
		return (ENOTDIR);
	if (faccessat(fd, ".", X_OK, AT_EACCESS) == -1)
		return (errno);
	return (0);
}

static int
cross_outside(const struct request *rq, int dirfd, const char *path)
{
	char	 name[2 * PATH_MAX];
	int	 error, fd;

	if ((error = tmp_place(path[0] == '\0' ? "." : path, 1, name,
	    sizeof(name))) != 0)
		return (error);
	if ((fd = resolve_at(rq, dirfd, name, 0)) == -1)
		return (errno);
	error = cross_search(fd);
	close(fd);
	return (error);
}

/* The directory of a name in the view. */
static int
cross_inside(const struct request *rq, const struct place *pl,
    const char *path)
{
	struct merge_entry	 e;
	struct place		 up;
	char			*name = NULL;
	int			 error;

	memset(&up, 0, sizeof(up));
	up.inside = 1;
	up.alias = pl->alias;
	if ((up.path = strdup(path[0] == '\0' ? "." : path)) == NULL)
		return (ENOMEM);
	if ((error = place_lookup(rq, &up, 0, &e)) == 0 && !up.inside)
		error = cross_outside(rq, AT_FDCWD, up.path);
	else if (error == 0) {
		if (!S_ISDIR(e.sx.stx_mode))
			error = ENOTDIR;
		else if ((name = view_canonical(&e)) == NULL ||
		    merge_access(view_merge(), name, X_OK,
		    AT_SYMLINK_NOFOLLOW) == -1)
			error = errno;
		merge_entry_free(&e);
	}
	free(name);
	place_free(&up);
	return (error);
}

/*
 * What the kernel says when it looks for the directory of a name: 0 or an
 * errno; and what kind of name it is.
 */
static int
cross_parent(const struct request *rq, int dirslot, int slot,
    const struct place *pl, enum last *last)
{
	char	 path[PATH_MAX];
	int	 dirfd = AT_FDCWD, error;

	if (dirslot != SLOT_NONE)
		dirfd = (int)rq->notif.data.args[dirslot];
	if (pl->inside) {
		if (strlcpy(path, pl->path, sizeof(path)) >= sizeof(path))
			return (ENAMETOOLONG);
		*last = path_cut(path);
		return (cross_inside(rq, pl, path));
	}
	if ((error = cross_name(rq, slot, pl, path, sizeof(path))) != 0)
		return (error);
	*last = path_cut(path);
	return (cross_outside(rq, dirfd, path));
}

/* What is there by a name: 0 or an errno. */
static int
cross_exists(const struct request *rq, int dirslot, int slot,
    const struct place *pl, int follow)
{
	struct merge_entry	 e;
	struct place		 at = *pl;
	char			 name[2 * PATH_MAX], path[PATH_MAX];
	int			 dirfd = AT_FDCWD, error, fd;

	if (dirslot != SLOT_NONE)
		dirfd = (int)rq->notif.data.args[dirslot];
	if (pl->inside) {
		if ((at.path = strdup(pl->path)) == NULL)
			return (ENOMEM);
		if ((error = place_lookup(rq, &at, follow ? 0 :
		    AT_SYMLINK_NOFOLLOW, &e)) == 0 && at.inside)
			merge_entry_free(&e);
		place_free(&at);
		return (error);
	}
	if ((error = cross_name(rq, slot, pl, path, sizeof(path))) != 0 ||
	    (error = tmp_place(path, follow, name, sizeof(name))) != 0)
		return (error);
	/* Only what lets a descriptor be linked gets here without a name. */
	if ((fd = resolve_at(rq, dirfd, name, AT_EMPTY_PATH | (follow ? 0 :
	    AT_SYMLINK_NOFOLLOW))) == -1)
		return (errno);
	close(fd);
	return (0);
}

/* What the kernel says about the first of the two names: 0 or an errno. */
int
cross_first(const struct request *rq, const struct place *from, int follow)
{
	enum last	 last;

	if (rq->call->class == CLASS_LINK)
		return (cross_exists(rq, rq->call->dirfd, rq->call->path, from,
		    follow));
	return (cross_parent(rq, rq->call->dirfd, rq->call->path, from,
	    &last));
}

/*
 * Whether the directory of a name lies in the view: that of ".." at the top
 * does, wherever the name itself leads.
 */
static int
cross_side(const struct request *rq, int dirslot, int slot, enum last *last)
{
	struct merge_entry	 e;
	struct place		 up;
	char			 path[PATH_MAX];
	int			 dirfd = AT_FDCWD, inside = 0;

	if (dirslot != SLOT_NONE)
		dirfd = (int)rq->notif.data.args[dirslot];
	if (look_path(rq, slot, path, sizeof(path)) != 0)
		return (0);
	*last = path_cut(path);
	if (place_find(rq, dirfd, path[0] == '\0' ? "." : path, 1, &up) == 0 &&
	    up.inside && place_lookup(rq, &up, 0, &e) == 0 &&
	    (inside = up.inside))
		merge_entry_free(&e);
	place_free(&up);
	return (inside);
}

static int
cross_rename(const struct request *rq, const struct place *from,
    const struct place *to)
{
	enum last	 a, b;
	int		 error, flags = 0, one, two;

	if ((error = cross_parent(rq, rq->call->dirfd, rq->call->path, from,
	    &a)) != 0 || (error = cross_parent(rq, rq->call->dirfd2,
	    rq->call->path2, to, &b)) != 0)
		return (error);
	one = cross_side(rq, rq->call->dirfd, rq->call->path, &a);
	two = cross_side(rq, rq->call->dirfd2, rq->call->path2, &b);
	if (!from->removed && !to->removed && (!one || !two))
		return (EXDEV);
	/* One is dots, or the view's, too, and what it lies in has no names. */
	if (rq->call->arg != SLOT_NONE)
		flags = (int)rq->notif.data.args[rq->call->arg];
	if (a == LAST_DOTS)
		return (EBUSY);
	if (b == LAST_DOTS)
		return ((flags & RENAME_NOREPLACE) != 0 ? EEXIST : EBUSY);
	return (ENOENT);
}

/* What the kernel says of a name that a file is to get from elsewhere. */
int
cross_new(const struct request *rq, const struct place *to)
{
	enum last	 last;
	int		 error;

	if ((error = cross_parent(rq, rq->call->dirfd2, rq->call->path2, to,
	    &last)) != 0)
		return (error);
	if (last == LAST_DOTS)
		return (EEXIST);
	if (!to->removed) {
		error = cross_exists(rq, rq->call->dirfd2, rq->call->path2,
		    to, 0);
		/* With slashes behind it, it may be no directory. */
		if (error == 0 || error == ENOTDIR)
			return (EEXIST);
		if (error != ENOENT)
			return (error);
	}
	return (last == LAST_SLASH || to->removed ? ENOENT : EXDEV);
}

/*
 * Whether the last name of a call that makes or removes one is dots, in a
 * directory of the view: it fails, and whoever does it knows how.
 */
int
cross_dots(const struct request *rq, struct place *pl)
{
	struct merge_entry	 e;
	struct place		 up;
	char			*again, path[PATH_MAX];
	size_t			 len;
	int			 inside = 0;

	if (!rq->call->nofollow ||
	    strlcpy(path, pl->path, sizeof(path)) >= sizeof(path) ||
	    path_cut(path) != LAST_DOTS)
		return (0);
	memset(&up, 0, sizeof(up));
	up.inside = 1;
	if ((up.path = strdup(path[0] == '\0' ? "." : path)) == NULL)
		return (0);
	len = strlen(path);
	if (place_lookup(rq, &up, 0, &e) == 0 && up.inside) {
		merge_entry_free(&e);
		/* Links may lead out and in again. */
		if (asprintf(&again, "%s/%s", up.path, pl->path + len) != -1) {
			free(pl->path);
			pl->path = again;
			inside = 1;
		}
	}
	place_free(&up);
	return (inside);
}

/*
 * Whether a rename is of dots in the view, or to them, and nothing else is
 * wrong: wherever they lead.
 */
int
cross_busy(const struct request *rq)
{
	enum last	 a, b;

	return (rq->call->class == CLASS_RENAME &&
	    cross_side(rq, rq->call->dirfd, rq->call->path, &a) &&
	    cross_side(rq, rq->call->dirfd2, rq->call->path2, &b) &&
	    (a == LAST_DOTS || b == LAST_DOTS));
}

/* The errno of a rename or a link from the one to the other. */
int
cross_errno(const struct request *rq, const struct place *from,
    const struct place *to, int follow)
{
	int	 error;

	if (rq->call->class == CLASS_RENAME)
		return (cross_rename(rq, from, to));
	if ((error = cross_exists(rq, rq->call->dirfd, rq->call->path, from,
	    follow)) != 0)
		return (error);
	return (cross_new(rq, to));
}
