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
 * From a name of the workload to a place: outside, where Landlock decides, or
 * a path below the top of the view.  Outside is walked as in resolve.c, inside
 * in the merged view; links and ".." may lead from each to the other.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

/* A directory's name and the caller's. */
#define PLACE_TEXT	(2 * PATH_MAX)
/* As often as the kernel follows links. */
#define PLACE_TURNS	40

void
place_free(struct place *pl)
{
	free(pl->path);
	pl->path = NULL;
}

/* A component that is "..": then text says nothing about where it leads. */
static int
has_dotdot(const char *text)
{
	const char	*p;

	for (p = text; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == text || p[-1] == '/') &&
		    (p[2] == '\0' || p[2] == '/'))
			return (1);
	return (0);
}

/*
 * What is certain of a name that does not begin like ours: without a link on
 * its way it leads where it says.  One that ends before its end does, too.
 */
static int
outside_plain(const char *text)
{
	struct open_how	 how;
	struct stat	 st;
	size_t		 len = strlen(text);
	int		 fd, plain = 0;

	if (has_dotdot(text))
		return (0);
	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	if ((fd = syscall(SYS_openat2, AT_FDCWD, text, &how,
	    sizeof(how))) == -1)
		return (errno == ENOENT || errno == ENOTDIR ||
		    errno == EACCES ? KNOWN_NAMED | KNOWN_FOLLOWED : 0);
	if (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode))
		plain = KNOWN_NAMED | KNOWN_FOLLOWED;
	else if (len > 0 && text[len - 1] != '/')
		plain = KNOWN_NAMED;
	close(fd);
	return (plain);
}

static int
place_inside(struct place *pl, const char *rest)
{
	free(pl->path);
	pl->inside = 1;
	pl->left = 0;
	pl->path = strdup(rest[0] == '\0' ? "." : rest);
	return (pl->path == NULL ? ENOMEM : 0);
}

/* Where an absolute name leads; 0 or an errno. */
static int
place_text(const struct request *rq, const char *text, int follow,
    struct place *pl)
{
	char		 name[PLACE_TEXT + PATH_MAX];
	const char	*rest;
	int		 entered = 0, lasting = 1, what, wanted;

	pl->inside = 0;
	if ((rest = view_below(text, &pl->alias)) != NULL)
		return (place_inside(pl, rest));
	wanted = follow ? KNOWN_FOLLOWED : KNOWN_NAMED;
	if ((known_find(text) & wanted) != 0)
		return (0);
	what = outside_plain(text);
	if ((what & wanted) == 0)
		entered = resolve_enter(rq, text, follow, name, sizeof(name),
		    &lasting);
	if (entered == -1)
		return (errno);
	if (entered == 0)
		what |= wanted;
	/* In /proc links come and go. */
	if (lasting && what != 0 &&
	    path_below(text, "/proc", strlen("/proc")) == NULL)
		known_add(text, what);
	if (entered == 0)
		return (0);
	if ((rest = view_below(name, &pl->alias)) == NULL)
		return (EIO);
	/* The kernel finds the same by the same links. */
	return (place_inside(pl, rest));
}

/*
 * The same from a directory that is too deep for a name.  One that is not
 * known is outside, or was forgotten: only the second is a pity.
 */
static int
place_deep(const struct request *rq, int dirfd, const char *path,
    struct place *pl)
{
	struct stat	 st;
	const char	*base;
	char		*text;
	int		 error;

	if (task_stat(rq->notif.pid, dirfd, &st) == -1 ||
	    (base = deep_find(&st)) == NULL)
		return (ENAMETOOLONG);
	if (asprintf(&text, "%s%s%s", base, path[0] == '\0' ? "" : "/",
	    path) == -1)
		return (ENOMEM);
	error = place_inside(pl, text);
	free(text);
	/* The kernel's own directory may be either. */
	pl->alias = 1;
	return (error);
}

/* Whether a descriptor with that name is of a directory. */
static int
place_directory(const struct request *rq, int fd, const char *name)
{
	struct stat	 st;

	if ((known_find(name) & KNOWN_DIRECTORY) != 0)
		return (1);
	if (task_stat(rq->notif.pid, fd, &st) == -1 || !S_ISDIR(st.st_mode))
		return (0);
	known_add(name, KNOWN_DIRECTORY);
	return (1);
}

/*
 * Where a name leads, relative to a descriptor of the caller or AT_FDCWD.  0 or
 * an errno.  Whatever the kernel would refuse before it looks a name up is
 * outside: it is left to it.
 */
int
place_find(const struct request *rq, int dirfd, const char *path, int follow,
    struct place *pl)
{
	char		 base[PATH_MAX + 1], moved[PATH_MAX + 1];
	char		 text[PLACE_TEXT];
	const char	*rest;
	int		 error;

	memset(pl, 0, sizeof(*pl));
	if (path[0] == '\0')
		return (0);
	if (path[0] == '/')
		return (place_text(rq, path, follow, pl));
	if ((error = task_name(rq->notif.pid, dirfd, base,
	    sizeof(base))) != 0)
		return (error == ENAMETOOLONG ? place_deep(rq, dirfd, path,
		    pl) : 0);
	if (base[0] != '/')
		return (0);
	tmp_relative(rq, base, path);
	/* A descriptor may be of a link, which is not followed then. */
	if (dirfd != AT_FDCWD && !place_directory(rq, dirfd, base))
		return (0);
	if ((rest = view_below(base, &pl->alias)) != NULL && !pl->alias) {
		if ((error = changed_place(rest, moved, sizeof(moved))) != 0)
			return (error);
		if (strcmp(rest, moved) != 0)
			pl->alias = 1;
		rest = moved;
	}
	if (snprintf(text, sizeof(text), "%s/%s", rest != NULL ? rest : base,
	    path) >= (int)sizeof(text))
		return (ENAMETOOLONG);
	if (rest == NULL)
		return (place_text(rq, text, follow, pl));
	/* Nothing can be in a directory that was removed. */
	if (strstr(base, " (deleted)") != NULL &&
	    view_unlinked(rq->notif.pid, dirfd)) {
		pl->removed = 1;
		return (0);
	}
	return (place_inside(pl, rest[0] == '\0' ? path : text));
}

/*
 * Whether the name that the kernel has for a descriptor is gone, though its
 * file may have others.
 */
static int
place_nameless(const struct request *rq, int fd, const char *text)
{
	struct stat	 st, now;

	if (strstr(text, " (deleted)") == NULL)
		return (0);
	if (task_stat(rq->notif.pid, fd, &st) == -1 || st.st_nlink == 0)
		return (1);
	return (lstat(text, &now) == -1 || st.st_ino != now.st_ino ||
	    st.st_dev != now.st_dev);
}

/* A file of several names may be known by another one. */
static int
place_given(const struct request *rq, int fd, struct place *pl)
{
	struct stat	 st;
	char		*path;
	int		 error;

	if (task_stat(rq->notif.pid, fd, &st) == -1 || st.st_nlink == 0)
		return (0);
	if ((path = nameless_find(&st)) == NULL) {
		pl->given = 1;
		return (0);
	}
	pl->alias = 1;
	error = place_inside(pl, path);
	free(path);
	return (error);
}

/*
 * A file that was opened in the working directory itself.  The view may have
 * another file by its name by now, and it by another name, or not at all: then
 * it is outside, where nothing can be done with it.
 */
static int
place_old(const struct request *rq, const struct stat *st, const char *name,
    struct place *pl)
{
	struct merge_entry	 e;
	char			 path[PATH_MAX + 1];
	const char		*now;
	int			 error, same;

	if ((now = former_find(st)) == NULL) {
		error = changed_place(name, path, sizeof(path));
		if (error == ENOENT)
			/* It went with its directory. */
			return (0);
		if (error != 0)
			return (error);
		now = path;
	}
	pl->alias = strcmp(now, name) != 0;
	if ((error = place_inside(pl, now)) != 0 || place_unchanged(pl, 0))
		return (error);
	same = place_lookup(rq, pl, AT_SYMLINK_NOFOLLOW, &e) == 0 &&
	    pl->inside;
	if (same) {
		same = e.sx.stx_ino == st->st_ino &&
		    makedev(e.sx.stx_dev_major, e.sx.stx_dev_minor) ==
		    st->st_dev;
		merge_entry_free(&e);
	}
	/* What is no file gets another number when it changes. */
	if (!same && S_ISREG(st->st_mode)) {
		place_free(pl);
		pl->inside = pl->left = 0;
	}
	return (0);
}

/*
 * Where a descriptor of the caller leads by its name.  One whose name is gone
 * is outside: the kernel alone knows it.
 */
int
place_descriptor(const struct request *rq, int fd, struct place *pl)
{
	char		 moved[PATH_MAX + 1], text[PATH_MAX + 1];
	const char	*rest;
	struct stat	 st;
	int		 error;

	memset(pl, 0, sizeof(*pl));
	if ((error = task_name(rq->notif.pid, fd, text, sizeof(text))) != 0)
		return (error == ENAMETOOLONG ? place_deep(rq, fd, "", pl) :
		    0);
	pl->branch = view_in_branch(text);
	if ((rest = view_below(text, &pl->alias)) == NULL ||
	    place_nameless(rq, fd, text)) {
		/* A file of several names may be known by another one. */
		return (pl->branch ? place_given(rq, fd, pl) : 0);
	}
	if (!pl->alias && task_stat(rq->notif.pid, fd, &st) == 0 &&
	    !S_ISDIR(st.st_mode))
		return (place_old(rq, &st, rest, pl));
	if (!pl->alias) {
		error = changed_place(rest, moved, sizeof(moved));
		if (error != 0)
			return (error);
		/* The kernel lists what was there; the view may differ. */
		if (strcmp(rest, moved) != 0)
			pl->alias = 1;
		rest = moved;
	}
	return (place_inside(pl, rest));
}

/*
 * What is at a place inside; flags as of merge_lookup().  0 or an errno.  When
 * a link leads out, the place is outside after this, its path absolute.
 */
int
place_lookup(const struct request *rq, struct place *pl, int flags,
    struct merge_entry *e)
{
	struct merge	*m = view_merge();
	char		 text[PLACE_TEXT + PATH_MAX];
	int		 error, turns;

	notify_collect();
	for (turns = 0; turns < PLACE_TURNS; turns++) {
		if (merge_lookup(m, pl->path, flags, e) == 0)
			return (hole_view_entry(e));
		if (errno != MERGE_OUTSIDE)
			return (errno);
		if ((error = view_outside(m->outside, text,
		    sizeof(text))) != 0 ||
		    (error = place_text(rq, text, (flags &
		    AT_SYMLINK_NOFOLLOW) == 0, pl)) != 0)
			return (error);
		if (!pl->inside) {
			free(pl->path);
			pl->left = 1;
			pl->path = strdup(text);
			return (pl->path == NULL ? ENOMEM : 0);
		}
		/* By a way that begins at the top again. */
		pl->alias = 1;
	}
	return (ELOOP);
}

/* Whether a path is made of names only. */
static int
path_plain(const char *path)
{
	size_t	 len = strlen(path);

	if (len == 0 || path[len - 1] == '/' || strstr(path, "//") != NULL ||
	    strncmp(path, "./", 2) == 0 || strstr(path, "/./") != NULL ||
	    (len > 1 && strcmp(path + len - 2, "/.") == 0))
		return (0);
	return (!has_dotdot(path));
}

/* What an inode of the working directory itself is. */
static int
lower_kind(mode_t mode, nlink_t links)
{
	if (S_ISDIR(mode))
		return (KNOWN_DIRECTORY);
	/*
	 * Another name of the same file may have been written to; and at the
	 * other end of a FIFO shall be somebody of this run.
	 */
	if (S_ISLNK(mode) || S_ISFIFO(mode) || links != 1)
		return (KNOWN_OTHER);
	return (KNOWN_NAMED);
}

/* The same of a path, which may have links on its way. */
static int
lower_walk(const char *path)
{
	struct stat	 st;
	int		 fd, ret;

	if ((fd = view_lower(path)) == -1)
		return (errno == ENOENT || errno == ENOTDIR ? KNOWN_NAMED :
		    KNOWN_OTHER);
	ret = fstat(fd, &st);
	close(fd);
	return (ret == -1 ? KNOWN_OTHER : lower_kind(st.st_mode, st.st_nlink));
}

/* What is known of a path, or is found out now. */
static int
lower_find(const char *path)
{
	int	 what;

	if ((what = known_find(path)) == 0)
		known_add(path, what = lower_walk(path));
	return (what);
}

/* The same; of the many names of one directory the way is looked at once. */
static int
place_lower(const char *path)
{
	struct statx	 sx;
	char		 dir[PATH_MAX];
	const char	*slash;
	int		 what;

	if ((what = known_find(path)) != 0)
		return (what);
	if ((slash = strrchr(path, '/')) == NULL ||
	    (size_t)(slash - path) >= sizeof(dir))
		return (lower_find(path));
	memcpy(dir, path, slash - path);
	dir[slash - path] = '\0';
	if ((lower_find(dir) & KNOWN_DIRECTORY) == 0)
		return (lower_find(path));
	if (view_lower_stat(path, &sx) == 0)
		what = lower_kind(sx.stx_mode, sx.stx_nlink);
	else
		what = errno == ENOENT ? KNOWN_NAMED : KNOWN_OTHER;
	known_add(path, what);
	return (what);
}

/*
 * Whether what the kernel finds by the caller's name is certainly what the
 * view shows: nothing was changed yet, or the path has no link and nothing on
 * it was changed.  With listed a directory must list the same, too.
 */
int
place_unchanged(const struct place *pl, int listed)
{
	int	 what;

	if (pl->alias)
		return (0);
	if (hole_view_reads()) {
		/* Only a name without links is sure to be no hole's. */
		if (!path_plain(pl->path) || hole_view_near(pl->path))
			return (0);
	} else if (!view_changed())
		return (1);
	if (!path_plain(pl->path) || changed_below(pl->path))
		return (0);
	what = place_lower(pl->path);
	if ((what & KNOWN_DIRECTORY) != 0)
		return (!listed || !changed_itself(pl->path));
	return ((what & KNOWN_NAMED) != 0);
}

/*
 * The same to open it: a FIFO that was there before is the branch's as soon as
 * somebody opens it, so that all who do meet.
 */
int
place_opens(const struct place *pl)
{
	return (place_unchanged(pl, 0) && (view_changed() ||
	    (place_lower(pl->path) & (KNOWN_NAMED | KNOWN_DIRECTORY)) != 0));
}
