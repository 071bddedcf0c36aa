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
 * Names around paths with fewer rights.  Landlock keeps those paths without any
 * help (see holes.h), and with them it refuses what it should not: what lies
 * directly in a directory on the way to one.  This file finds out of which kind
 * a name is; what is granted after all is then opened here, or done by cowd,
 * who judges for itself.
 *
 * A call whose name lies elsewhere is let through.  Should the name be another
 * one by then, Landlock refuses it if it is a hole's.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holes.h"
#include "log.h"
#include "supervisor.h"

struct hole_inode {
	dev_t	 dev;
	ino_t	 ino;
};

/* The inodes of denied paths: a name that they get later is as bad. */
static struct hole_inode	*inodes;
static size_t			 ninodes;

/* Look at them before the workload runs. */
void
hole_init(void)
{
	const struct workload_path	*wp;
	struct hole_inode		*grown;
	struct stat			 st;

	if (sup.conf.filter.holes == HOLES_NONE)
		return;
	if (!sup.have_cowd)
		fatalx("holes out of place");
	STAILQ_FOREACH(wp, &sup.conf.paths, entry) {
		if (wp->perms != PERM_NONE || lstat(wp->path, &st) == -1)
			continue;
		if ((grown = reallocarray(inodes, ninodes + 1,
		    sizeof(*grown))) == NULL)
			fatal("holes");
		inodes = grown;
		inodes[ninodes].dev = st.st_dev;
		inodes[ninodes].ino = st.st_ino;
		ninodes++;
	}
}

static int
inode_denied(const struct stat *st)
{
	size_t	 i;

	for (i = 0; i < ninodes; i++)
		if (inodes[i].ino == st->st_ino && inodes[i].dev == st->st_dev)
			return (1);
	return (0);
}

/* Whether an absolute name without links is denied. */
int
hole_denied(const char *path)
{
	const struct workload_path	*wp;

	if (sup.conf.filter.holes != HOLES_READ)
		return (0);
	wp = holes_path(&sup.conf.paths, path);
	return (wp != NULL && wp->perms == PERM_NONE);
}

/*
 * Whether the first entry of a name that is on no way to a hole has its own
 * rule.  What is on the way itself has none.
 */
static int
name_covered(const struct workload_path *wp, const char *path)
{
	char	 prefix[sizeof(((struct hole_name *)0)->path)];
	size_t	 len;

	len = strcmp(wp->path, "/") == 0 ? 0 : strlen(wp->path);
	for (;;) {
		strlcpy(prefix, path, sizeof(prefix));
		prefix[len] = '\0';
		if (len == 0)
			strlcpy(prefix, "/", sizeof(prefix));
		if (!holes_above(&sup.conf.paths, prefix))
			return (holes_sibling(&sup.conf, prefix));
		if (path[len] == '\0' || path[len + 1] == '\0')
			return (0);
		len += 1 + strcspn(path + len + 1, "/");
	}
}

/* What is to become of a name of which the call needs these rights. */
enum hole_verdict
hole_judge(const struct hole_name *hn, unsigned int needs)
{
	const struct workload_path	*wp;

	if ((wp = holes_path(&sup.conf.paths, hn->path)) == NULL)
		return (HOLE_KERNEL);
	if (wp->perms == PERM_NONE || (hn->fd != -1 && inode_denied(&hn->st)))
		return (HOLE_DENIED);
	if ((needs & ~wp->rule) == 0 || (needs & ~wp->perms) != 0)
		return (HOLE_KERNEL);
	return (name_covered(wp, hn->path) ? HOLE_KERNEL : HOLE_AROUND);
}

/* Where a name leads; 0 or an errno.  flags as for resolve_at(). */
int
hole_find(const struct request *rq, int dirfd, const char *path, int flags,
    struct hole_name *hn)
{
	int	 error;

	hn->fd = -1;
	if ((error = resolve_name(rq, dirfd, path, flags, &hn->fd, hn->path,
	    sizeof(hn->path), &hn->slash)) != 0)
		return (error);
	if (hn->fd != -1 && fstat(hn->fd, &hn->st) == -1) {
		error = errno;
		hole_name_free(hn);
	}
	return (error);
}

/* The same of the first or second name of a call. */
int
hole_argument(const struct request *rq, int dirslot, int slot, int flags,
    struct hole_name *hn)
{
	char	 path[PATH_MAX];
	int	 dirfd = AT_FDCWD, error;

	hn->fd = -1;
	if (dirslot != SLOT_NONE)
		dirfd = (int)rq->notif.data.args[dirslot];
	if ((error = look_path(rq, slot, path, sizeof(path))) != 0)
		return (error);
	return (hole_find(rq, dirfd, path, flags, hn));
}

void
hole_name_free(struct hole_name *hn)
{
	if (hn->fd != -1)
		close(hn->fd);
	hn->fd = -1;
}

/* Whether a descriptor of ours is of something denied, which is answered. */
int
hole_refused(struct request *rq, int fd)
{
	struct hole_name	 hn;
	char			 link[64];
	ssize_t			 n;

	if (sup.conf.filter.holes != HOLES_READ)
		return (0);
	memset(&hn, 0, sizeof(hn));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, hn.path, PATH_MAX)) == -1 || n == PATH_MAX ||
	    fstat(fd, &hn.st) == -1)
		return (0);
	hn.path[n] = '\0';
	hn.fd = fd;
	if (hole_judge(&hn, 0) != HOLE_DENIED)
		return (0);
	hole_refuse(rq, &hn);
	return (1);
}

/* Refuse it, for the log too. */
void
hole_refuse(struct request *rq, const struct hole_name *hn)
{
	if (sup.conf.filter.log_denials && rq->object == NULL)
		rq->object = strdup(hn->path);
	supervisor_denied(rq, EACCES, "unveil");
	notify_errno(rq, EACCES);
}

/*
 * Whether a name is for the view to look at: it leads there, or nowhere.  A
 * link of the branch that leads out comes back as another name.
 */
int
hole_is_viewed(const struct hole_name *hn)
{
	return (view_active() && view_below(hn->path, NULL) != NULL);
}

/* Whether the view has names that must not be read, and so be looked up. */
int
hole_view_reads(void)
{
	return (sup.conf.filter.holes == HOLES_READ);
}

/*
 * Whether a path of the view is denied, or on the way to something that is:
 * that Landlock does not let the workload list.
 */
int
hole_view_near(const char *path)
{
	char	 text[3 * PATH_MAX];

	if (strcmp(path, ".") == 0)
		strlcpy(text, view_top(), sizeof(text));
	else if (snprintf(text, sizeof(text), "%s/%s", view_top(), path) >=
	    (int)sizeof(text))
		return (1);
	return (hole_denied(text) || holes_above(&sup.conf.paths, text));
}

/* EACCES, and no entry, for one of the view that is denied; or 0. */
int
hole_view_entry(struct merge_entry *e)
{
	struct stat	 st;
	char		*path, *text = NULL;
	int		 error = 0;

	if (sup.conf.filter.holes != HOLES_READ)
		return (0);
	if ((path = view_canonical(e)) == NULL ||
	    asprintf(&text, "%s/%s", view_top(), path) == -1) {
		text = NULL;
		error = ENOMEM;
	} else if (hole_denied(text) || (e->fd != -1 &&
	    fstat(e->fd, &st) == 0 && inode_denied(&st)))
		error = EACCES;
	free(path);
	free(text);
	if (error != 0)
		merge_entry_free(e);
	return (error);
}

/*
 * Whether some hole lies outside of the view.  Those in it are its own to
 * see to (see place.c).
 */
static int
hole_outside(void)
{
	static int			 known = -1;
	const struct workload_path	*a, *b;

	if (!view_active())
		return (1);
	if (known != -1)
		return (known);
	known = 0;
	STAILQ_FOREACH(a, &sup.conf.paths, entry)
		STAILQ_FOREACH(b, &sup.conf.paths, entry)
			if ((a->perms & ~b->perms) != 0 &&
			    holes_inside(a->path, b->path) &&
			    view_below(b->path, NULL) == NULL)
				known = 1;
	return (known);
}

/* 1 when the call was answered or sent off; 0 when others are to do that. */
int
hole_request(struct request *rq)
{
	if (rq->call->path == SLOT_NONE || !hole_outside())
		return (0);
	switch (rq->call->class) {
	case CLASS_OPEN:
		return (hole_open(rq));
	case CLASS_STAT:
	case CLASS_ACCESS:
	case CLASS_READLINK:
	case CLASS_GETXATTR:
	case CLASS_LISTXATTR:
	case CLASS_STATFS:
	case CLASS_WATCH:
	case CLASS_CHDIR:
		return (sup.conf.filter.holes == HOLES_READ &&
		    hole_look(rq));
	case CLASS_UNLINK:
	case CLASS_RMDIR:
	case CLASS_MKDIR:
	case CLASS_MKNOD:
	case CLASS_SYMLINK:
	case CLASS_TRUNCATE:
		return (hole_change(rq));
	case CLASS_RENAME:
	case CLASS_LINK:
		return (hole_change_two(rq));
	default:
		return (0);
	}
}
