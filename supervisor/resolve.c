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
 * From a name in the workload's view to an O_PATH descriptor.
 *
 * Components are opened one by one with O_NOFOLLOW and links are read here, so
 * that each name is looked at once, /proc/self is the caller's, and no link of
 * /proc leads into one of our own processes.  The result is only an inode:
 * whether it may be changed is decided by who gets the descriptor.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"
#include "tree.h"

#define PROC_MAGIC	0x9fa0
#define RESOLVE_LINKS	40		/* as the kernel */

struct walk {
	const struct request	*rq;
	int			 fd;	/* where the walk is */
	int			 links;	/* followed so far */
	int			 follow;	/* a link at the end too */
	int			 enter;		/* look out for the view */
	int			 lasting;	/* no link of /proc so far */
	int			 lost;		/* errno of what was found */
	char			 entered[PATH_MAX];	/* where it began */
	char			 missing[NAME_MAX + 1];	/* at the end */
	int			 (*ends)(int, const char *);	/* or NULL */
	int			 ended;		/* what that said first */
	int			 slash;		/* after that, or the end */
	char			 rest[2 * PATH_MAX];	/* still to go */
};

static int
walk_root(struct walk *w)
{
	if (w->fd != -1)
		close(w->fd);
	w->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return (w->fd == -1 ? -1 : 0);
}

/* Where a relative name starts. */
static int
walk_base(struct walk *w, int dirfd)
{
	char	 name[64];

	if (dirfd == AT_FDCWD) {
		snprintf(name, sizeof(name), "/proc/%d/cwd",
		    (int)w->rq->notif.pid);
		w->fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	} else
		w->fd = task_fd(w->rq->notif.pid, dirfd);
	return (w->fd == -1 ? -1 : 0);
}

static int
is_proc(int fd)
{
	struct statfs	 sf;

	return (fstatfs(fd, &sf) == 0 && sf.f_type == PROC_MAGIC);
}

/* Put the text of a link before what is still to go. */
static int
walk_link(struct walk *w, const char *text)
{
	char	 rest[sizeof(w->rest)];

	if (++w->links > RESOLVE_LINKS) {
		errno = ELOOP;
		return (-1);
	}
	if (snprintf(rest, sizeof(rest), "%s/%s", text, w->rest) >=
	    (int)sizeof(rest)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	/* A link at the very end leaves no trailing slash of its own. */
	if (w->rest[0] == '\0')
		rest[strlen(text)] = '\0';
	memcpy(w->rest, rest, sizeof(rest));
	return (text[0] == '/' ? walk_root(w) : 0);
}

/* Whether a directory of /proc belongs to this process. */
static int
proc_is_ours(int fd)
{
	char	 link[64], text[PATH_MAX];
	ssize_t	 n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, text, sizeof(text) - 1)) == -1)
		return (1);
	text[n] = '\0';
	return (strncmp(text, "/proc/", 6) != 0 ||
	    strtol(text + 6, NULL, 10) == getpid());
}

/*
 * The path in the view of what the kernel calls by the name entered, which may
 * have another by now; none when it is outside.  0 or an errno.
 */
static int
walk_entered(struct walk *w, const struct stat *st)
{
	char		 now[PATH_MAX], *other = NULL;
	const char	*rest;
	int		 alias, error, n;

	rest = view_below(w->entered, &alias);
	if (rest == NULL && !view_in_branch(w->entered)) {
		w->entered[0] = '\0';
		return (0);
	}
	if (rest != NULL && !alias) {
		if ((error = changed_place(rest, now, sizeof(now))) != 0)
			return (error);
		rest = now;
	} else if (rest != NULL && strstr(rest, " (deleted)") == NULL)
		return (0);
	else {
		/* It may have others, or be beside them in the branch. */
		if ((other = nameless_find(st)) == NULL) {
			if (rest == NULL)
				w->entered[0] = '\0';
			return (0);
		}
		rest = other;
	}
	n = snprintf(w->entered, sizeof(w->entered), "%s%s%s", view_top(),
	    rest[0] == '\0' ? "" : "/", rest);
	free(other);
	return (n < (int)sizeof(w->entered) ? 0 : ENAMETOOLONG);
}

/* A link of /proc may lead into the middle of the view. */
static int
walk_jumped(struct walk *w)
{
	struct stat	 st;
	char		 link[64];
	ssize_t		 n;

	if (!w->enter)
		return (0);
	if (fstat(w->fd, &st) == -1)
		return (-1);
	/*
	 * What has no name is not of the view; below a file is nothing; and
	 * no link is followed any further.
	 */
	if (st.st_nlink == 0 || S_ISLNK(st.st_mode) ||
	    (w->rest[0] != '\0' && !S_ISDIR(st.st_mode)))
		return (0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", w->fd);
	if ((n = readlink(link, w->entered, sizeof(w->entered) - 1)) == -1)
		return (-1);
	w->entered[n] = '\0';
	w->lost = walk_entered(w, &st);
	return (w->lost == 0 ? 0 : -1);
}

/*
 * A link of /proc.  self is the caller; the links of a process (cwd, root, exe,
 * fd/N) have no text to follow, so the kernel follows them, which it allows
 * only into the domain of the workload and our own: ours are left out here.
 * Returns 1 when the walk went on, 0 for an ordinary link, -1 and errno.
 */
static int
walk_proc_link(struct walk *w, const char *name)
{
	char	 text[64];
	pid_t	 tid = w->rq->notif.pid, tgid;
	int	 fd;

	w->lasting = 0;
	if (strcmp(name, "self") == 0 || strcmp(name, "thread-self") == 0) {
		if ((tgid = tree_tgid(tid)) == -1) {
			errno = ENOENT;
			return (-1);
		}
		if (name[0] == 's')
			snprintf(text, sizeof(text), "%d", tgid);
		else
			snprintf(text, sizeof(text), "%d/task/%d", tgid, tid);
		return (walk_link(w, text) == -1 ? -1 : 1);
	}
	if (strcmp(name, "mounts") == 0 || strcmp(name, "net") == 0)
		return (0);
	if (proc_is_ours(w->fd)) {
		errno = EACCES;
		return (-1);
	}
	if (++w->links > RESOLVE_LINKS) {
		errno = ELOOP;
		return (-1);
	}
	if ((fd = openat(w->fd, name, O_PATH | O_CLOEXEC)) == -1)
		return (-1);
	close(w->fd);
	w->fd = fd;
	return (walk_jumped(w) == -1 ? -1 : 1);
}

/* fd is a link called name in the directory of the walk; it is closed. */
static int
walk_symlink(struct walk *w, int fd, const char *name)
{
	char	 text[PATH_MAX];
	ssize_t	 n;
	int	 ret;

	if (is_proc(w->fd) && (ret = walk_proc_link(w, name)) != 0) {
		close(fd);
		return (ret == -1 ? -1 : 0);
	}
	n = readlinkat(fd, "", text, sizeof(text) - 1);
	close(fd);
	if (n == -1)
		return (-1);
	text[n] = '\0';
	if (n == 0) {
		errno = ENOENT;
		return (-1);
	}
	return (walk_link(w, text));
}

/* Cut the next component off; last tells that nothing follows it. */
static int
walk_component(struct walk *w, char *name, size_t size, int *last, int *dir)
{
	size_t	 len, skip;

	skip = strspn(w->rest, "/");
	len = strcspn(w->rest + skip, "/");
	if (len >= size) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(name, w->rest + skip, len);
	name[len] = '\0';
	skip += len;
	len = strspn(w->rest + skip, "/");
	*last = w->rest[skip + len] == '\0';
	*dir = len > 0;
	memmove(w->rest, w->rest + skip, strlen(w->rest + skip) + 1);
	if (*last && len > 0)
		w->rest[0] = '\0';
	return (0);
}

static int
walk_step(struct walk *w)
{
	struct stat	 st;
	const char	*top;
	char		 name[NAME_MAX + 1];
	int		 dir, fd, last;

	if (walk_component(w, name, sizeof(name), &last, &dir) == -1)
		return (-1);
	if (name[0] == '\0')
		return (0);
	w->slash = dir;
	if (last && !dir && w->ends != NULL && w->ended == 0)
		w->ended = w->ends(w->fd, name);
	if ((fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1) {
		if (errno == ENOENT && last)
			strlcpy(w->missing, name, sizeof(w->missing));
		return (-1);
	}
	if (fstat(fd, &st) == -1) {
		close(fd);
		return (-1);
	}
	if (S_ISLNK(st.st_mode) && (!last || dir || w->follow)) {
		/* What the link names must be a directory, too. */
		if (last && dir)
			strlcpy(w->rest, "/", sizeof(w->rest));
		return (walk_symlink(w, fd, name));
	}
	close(w->fd);
	w->fd = fd;
	if ((!last || dir) && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return (-1);
	}
	if (w->enter && S_ISDIR(st.st_mode) && view_is_top(&st, &top))
		strlcpy(w->entered, top, sizeof(w->entered));
	return (0);
}

/*
 * Follow an absolute name to where it enters the view: 1, and the name of that
 * place with what is still to go; 0 when it does not, wherever it ends; -1 and
 * errno when that place has no name any more.  The directory is known by its
 * inode, so that no other name for it is a way round.  What depends on the
 * caller, or on the moment, clears lasting.
 */
int
resolve_enter(const struct request *rq, const char *path, int follow,
    char *name, size_t size, int *lasting)
{
	struct walk	 w;
	int		 ret = 0;

	w.rq = rq;
	w.fd = -1;
	w.links = 0;
	w.follow = follow;
	w.enter = w.lasting = 1;
	w.lost = 0;
	w.ends = NULL;
	w.ended = 0;
	w.entered[0] = '\0';
	if (strlcpy(w.rest, path, sizeof(w.rest)) >= sizeof(w.rest) ||
	    walk_root(&w) == -1)
		return (0);
	while (w.rest[0] != '\0' && w.entered[0] == '\0')
		if (walk_step(&w) == -1)
			break;
	if (!w.lasting)
		*lasting = 0;
	if (w.lost != 0)
		ret = -1;
	else if (w.entered[0] != '\0') {
		ret = snprintf(name, size, "%s%s%s", w.entered,
		    w.rest[0] == '\0' || w.rest[0] == '/' ? "" : "/",
		    w.rest) < (int)size;
	}
	close(w.fd);
	errno = w.lost;
	return (ret);
}

/* Go to where a name leads; on failure the walk stays where it came to. */
static int
walk_to(struct walk *w, const struct request *rq, int dirfd, const char *path,
    int flags)
{
	w->rq = rq;
	w->fd = -1;
	w->links = 0;
	w->enter = 0;
	w->lost = 0;
	w->missing[0] = '\0';
	w->slash = 0;
	w->ended = 0;
	w->follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
	if (path[0] == '\0' && (flags & AT_EMPTY_PATH) == 0) {
		errno = ENOENT;
		return (-1);
	}
	if (strlcpy(w->rest, path, sizeof(w->rest)) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((path[0] == '/' ? walk_root(w) : walk_base(w, dirfd)) == -1)
		return (-1);
	while (w->rest[0] != '\0')
		if (walk_step(w) == -1)
			return (-1);
	return (0);
}

/*
 * Resolve path relative to dirfd (a descriptor of the caller or AT_FDCWD) as
 * the caller would; flags as the AT_ flags of the call (AT_SYMLINK_NOFOLLOW,
 * AT_EMPTY_PATH).  A descriptor, or -1 and errno.
 */
int
resolve_at(const struct request *rq, int dirfd, const char *path, int flags)
{
	int	 unused;

	return (resolve_end(rq, dirfd, path, flags, NULL, &unused));
}

/*
 * The same, and each name that ends the walk, or a link at its end, is shown to
 * a function with the directory that it is looked up in, whether it is there or
 * not.  What that said first, other than 0, is stored.
 */
int
resolve_end(const struct request *rq, int dirfd, const char *path, int flags,
    int (*ends)(int, const char *), int *ended)
{
	struct walk	 w;
	int		 error, ret;

	w.ends = ends;
	ret = walk_to(&w, rq, dirfd, path, flags);
	*ended = w.ended;
	if (ret == 0)
		return (w.fd);
	error = errno;
	if (w.fd != -1)
		close(w.fd);
	errno = error;
	return (-1);
}

/*
 * The same, and the absolute name of it without links.  Of what is missing at
 * the end of a path there is no descriptor, *fd is -1 then, but a name all the
 * same.  *slash tells whether the path said that it is a directory.  0 or an
 * errno.
 */
int
resolve_name(const struct request *rq, int dirfd, const char *path, int flags,
    int *fd, char *text, size_t size, int *slash)
{
	struct walk	 w;
	char		 link[64];
	size_t		 len;
	ssize_t		 n;
	int		 error = 0;

	*fd = -1;
	w.ends = NULL;
	if (walk_to(&w, rq, dirfd, path, flags) == -1) {
		error = errno;
		if (w.fd == -1 || w.missing[0] == '\0')
			goto fail;
	}
	*slash = w.slash;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", w.fd);
	if ((n = readlink(link, text, PATH_MAX)) == -1 || n == PATH_MAX) {
		error = n == -1 ? errno : ENAMETOOLONG;
		goto fail;
	}
	text[n] = '\0';
	if (error == 0) {
		*fd = w.fd;
		return (0);
	}
	len = strcmp(text, "/") == 0 ? 0 : (size_t)n;
	close(w.fd);
	if (snprintf(text + len, size - len, "/%s", w.missing) >=
	    (int)(size - len))
		return (ENAMETOOLONG);
	return (0);

 fail:
	if (w.fd != -1)
		close(w.fd);
	return (error);
}
