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
 * Other names of what lies in holes: hard links, and the same tree mounted a
 * second time.  Landlock judges by names, so each such name below a path that
 * grants more becomes a hole itself.  Only files that have several names are
 * looked for, which are few or none.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holes.h"
#include "log.h"
#include "policy.h"
#include "sandlock.h"

#define ALIAS_VISITS	1000000		/* files looked at, at most */
#define ALIAS_INODES	10000

struct mount_point {
	dev_t	 dev;
	char	*root;			/* what of the file system */
	char	*path;			/* is mounted where */
};

/* A file in a hole that has more names. */
struct linked {
	dev_t		 dev;
	ino_t		 ino;
	unsigned int	 perms;		/* of the hole */
	nlink_t		 names;		/* that it has */
	nlink_t		 known;		/* of which these were found */
	const struct mount_point *mount;	/* in this one */
};

struct aliases {
	struct policy		*policy;
	struct mount_point	*mounts;
	size_t			 nmounts;
	struct linked		*linked;
	size_t			 nlinked;
	size_t			 visits;
};

static struct policy_path *
around(const struct policy *p, const char *path)
{
	struct policy_path	*pp, *best = NULL;

	TAILQ_FOREACH(pp, &p->paths, entry)
		if (holes_inside(pp->path, path) && (best == NULL ||
		    strlen(pp->path) > strlen(best->path)))
			best = pp;
	return (best);
}

/* Whether a path of the policy has fewer rights than the one around it. */
static int
is_hole(const struct policy *p, const struct policy_path *hole)
{
	const struct policy_path	*pp, *best = NULL;

	TAILQ_FOREACH(pp, &p->paths, entry)
		if (pp != hole && holes_inside(pp->path, hole->path) &&
		    (best == NULL || strlen(pp->path) > strlen(best->path)))
			best = pp;
	return (best != NULL && (best->perms & ~hole->perms) != 0);
}

/* Whether there is a hole in a path that is no hole. */
static int
is_outer(const struct policy *p, const struct policy_path *outer)
{
	const struct policy_path	*pp;

	if (is_hole(p, outer))
		return (0);
	TAILQ_FOREACH(pp, &p->paths, entry)
		if (pp != outer && holes_inside(outer->path, pp->path) &&
		    is_hole(p, pp))
			return (1);
	return (0);
}

/* Give a name the rights of the hole that it leads to, if it has more: 1. */
static int
alias_add(struct aliases *al, const char *path, unsigned int perms)
{
	struct policy_path	*pp;

	if ((pp = around(al->policy, path)) == NULL ||
	    (pp->perms & ~perms) == 0)
		return (0);
	if (strcmp(pp->path, path) == 0) {
		pp->perms &= perms;
		return (1);
	}
	if (policy_add_path(al->policy, path, pp->perms & perms, 0) == -1) {
		log_warn("%s", path);
		return (-1);
	}
	return (1);
}

/* Blanks and the like are octal numbers in mountinfo. */
static void
mount_decode(char *s)
{
	char	*to = s;

	for (; *s != '\0'; s++)
		if (s[0] == '\\' && isdigit((unsigned char)s[1]) &&
		    isdigit((unsigned char)s[2]) &&
		    isdigit((unsigned char)s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 3;
		} else
			*to++ = *s;
	*to = '\0';
}

static int
mount_add(struct aliases *al, char *line)
{
	struct mount_point	*grown;
	char			*field, *fields[5];
	unsigned int		 dev_major, dev_minor;
	size_t			 i;

	for (i = 0; i < 5; i++)
		if ((fields[i] = strsep(&line, " ")) == NULL)
			return (0);
	field = fields[2];
	if (sscanf(field, "%u:%u", &dev_major, &dev_minor) != 2)
		return (0);
	mount_decode(fields[3]);
	mount_decode(fields[4]);
	if ((grown = reallocarray(al->mounts, al->nmounts + 1,
	    sizeof(*grown))) == NULL)
		return (-1);
	al->mounts = grown;
	grown += al->nmounts;
	grown->dev = makedev(dev_major, dev_minor);
	if ((grown->root = strdup(fields[3])) == NULL)
		return (-1);
	if ((grown->path = strdup(fields[4])) == NULL) {
		free(grown->root);
		return (-1);
	}
	al->nmounts++;
	return (0);
}

static int
mounts_read(struct aliases *al)
{
	FILE	*f;
	char	*line = NULL;
	size_t	 size = 0;
	int	 ret = 0;

	if ((f = fopen("/proc/self/mountinfo", "re")) == NULL)
		return (-1);
	while (ret == 0 && getline(&line, &size, f) != -1)
		ret = mount_add(al, line);
	if (ferror(f))
		ret = -1;
	free(line);
	fclose(f);
	return (ret);
}

/* The last of those that are nearest: it covers the others. */
static const struct mount_point *
mount_of(const struct aliases *al, const char *path)
{
	const struct mount_point	*mp, *best = NULL;
	size_t				 i;

	for (i = 0; i < al->nmounts; i++) {
		mp = &al->mounts[i];
		if (holes_inside(mp->path, path) && (best == NULL ||
		    strlen(mp->path) >= strlen(best->path)))
			best = mp;
	}
	return (best);
}

/* Join two names, of which either may be the root. */
static char *
join(const char *top, const char *rest)
{
	char	*path;

	rest += strspn(rest, "/");
	if (strcmp(top, "/") == 0)
		top = "";
	if (asprintf(&path, "%s%s%s", top, rest[0] != '\0' ||
	    top[0] == '\0' ? "/" : "", rest) == -1)
		return (NULL);
	return (path);
}

/* One other place where the file system of a hole is mounted. */
static int
alias_mount(struct aliases *al, const struct mount_point *mp,
    const char *name, unsigned int perms)
{
	const char	*rest = "";
	char		*path;
	int		 ret;

	if (holes_inside(mp->root, name))
		rest = name + (strcmp(mp->root, "/") == 0 ? 0 :
		    strlen(mp->root));
	else if (!holes_inside(name, mp->root))
		return (0);
	if ((path = join(mp->path, rest)) == NULL) {
		log_warn("%s", mp->path);
		return (-1);
	}
	ret = alias_add(al, path, perms);
	free(path);
	return (ret == -1 ? -1 : 0);
}

static int
alias_mounts(struct aliases *al, const char *hole, unsigned int perms)
{
	const struct mount_point	*own;
	char				*name;
	size_t				 i;
	int				 ret = 0;

	if ((own = mount_of(al, hole)) == NULL)
		return (0);
	if ((name = join(own->root, hole + (strcmp(own->path, "/") == 0 ? 0 :
	    strlen(own->path)))) == NULL) {
		log_warn("%s", hole);
		return (-1);
	}
	for (i = 0; i < al->nmounts && ret == 0; i++)
		if (&al->mounts[i] != own && al->mounts[i].dev == own->dev)
			ret = alias_mount(al, &al->mounts[i], name, perms);
	free(name);
	return (ret);
}

static struct linked *
linked_get(struct aliases *al, const struct stat *st)
{
	size_t	 i;

	for (i = 0; i < al->nlinked; i++)
		if (al->linked[i].ino == st->st_ino &&
		    al->linked[i].dev == st->st_dev)
			return (&al->linked[i]);
	return (NULL);
}

/* A name in a hole. */
static int
linked_add(struct aliases *al, const char *path, const struct stat *st,
    unsigned int perms)
{
	struct linked	*grown, *l;

	if ((l = linked_get(al, st)) != NULL) {
		l->perms &= perms;
		l->known++;
		return (0);
	}
	if (al->nlinked == ALIAS_INODES) {
		errno = E2BIG;
		return (-1);
	}
	if ((grown = reallocarray(al->linked, al->nlinked + 1,
	    sizeof(*grown))) == NULL)
		return (-1);
	al->linked = grown;
	l = &grown[al->nlinked++];
	l->dev = st->st_dev;
	l->ino = st->st_ino;
	l->perms = perms;
	l->names = st->st_nlink;
	l->known = 1;
	l->mount = mount_of(al, path);
	return (0);
}

/*
 * A name outside, perhaps of the same file.  It counts when it is new and by
 * the mount of the hole: another mount may show a name a second time.
 */
static int
linked_find(struct aliases *al, const char *path, const struct stat *st)
{
	struct linked	*l;
	int		 ret;

	if ((l = linked_get(al, st)) == NULL)
		return (0);
	if ((ret = alias_add(al, path, l->perms)) != 1)
		return (ret);
	if (mount_of(al, path) == l->mount)
		l->known++;
	return (alias_mounts(al, path, l->perms));
}

/* Whether no name is left to be found. */
static int
linked_known(const struct aliases *al)
{
	size_t	 i;

	for (i = 0; i < al->nlinked; i++)
		if (al->linked[i].known < al->linked[i].names)
			return (0);
	return (1);
}

/*
 * Go through a tree.  In a hole take the files with several names down, in
 * what is granted look for them.  0, or -1 after a message.
 */
static int
alias_walk(struct aliases *al, const char *top, int hole, unsigned int perms)
{
	FTSENT	*e;
	FTS	*fts;
	char	*argv[2] = { NULL, NULL };
	int	 ret = 0;

	if ((argv[0] = strdup(top)) == NULL ||
	    (fts = fts_open(argv, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV,
	    NULL)) == NULL) {
		log_warn("%s", top);
		free(argv[0]);
		return (-1);
	}
	while (ret == 0 && (hole || !linked_known(al)) &&
	    (e = fts_read(fts)) != NULL) {
		if (++al->visits > ALIAS_VISITS) {
			log_warnx("%s: too many files to find the other names "
			    "of those with fewer rights", top);
			ret = -1;
		} else if (e->fts_info != FTS_F || e->fts_statp->st_nlink < 2)
			continue;
		else if (!hole)
			ret = linked_find(al, e->fts_path, e->fts_statp);
		else if ((ret = linked_add(al, e->fts_path, e->fts_statp,
		    perms)) == -1)
			log_warn("%s: files with several names", top);
	}
	fts_close(fts);
	free(argv[0]);
	return (ret);
}

static int
linked_on(const struct aliases *al, dev_t dev)
{
	size_t	 i;

	for (i = 0; i < al->nlinked; i++)
		if (al->linked[i].dev == dev)
			return (1);
	return (0);
}

/* What is granted around the holes: there they are mostly. */
static int
alias_near(struct aliases *al)
{
	const struct policy_path	*pp, *next;

	for (pp = TAILQ_FIRST(&al->policy->paths); pp != NULL; pp = next) {
		next = TAILQ_NEXT(pp, entry);
		if (is_outer(al->policy, pp) &&
		    alias_walk(al, pp->path, 0, 0) == -1)
			return (-1);
	}
	return (0);
}

/* Every tree of these file systems that the policy grants something of. */
static int
alias_links(struct aliases *al)
{
	const struct policy_path	*pp, *next;
	struct stat			 st;
	size_t				 i;

	if (al->nlinked == 0)
		return (0);
	if (alias_near(al) == -1)
		return (-1);
	for (pp = TAILQ_FIRST(&al->policy->paths); pp != NULL; pp = next) {
		next = TAILQ_NEXT(pp, entry);
		if (pp->perms != PERM_NONE && lstat(pp->path, &st) == 0 &&
		    linked_on(al, st.st_dev) &&
		    alias_walk(al, pp->path, 0, 0) == -1)
			return (-1);
	}
	for (i = 0; i < al->nmounts; i++)
		if (linked_on(al, al->mounts[i].dev) &&
		    around(al->policy, al->mounts[i].path) != NULL &&
		    alias_walk(al, al->mounts[i].path, 0, 0) == -1)
			return (-1);
	return (0);
}

static int
alias_all(struct aliases *al)
{
	struct policy_path	*pp, *last;

	last = TAILQ_LAST(&al->policy->paths, policy_paths);
	TAILQ_FOREACH(pp, &al->policy->paths, entry) {
		if (is_hole(al->policy, pp) && (alias_mounts(al, pp->path,
		    pp->perms) == -1 || alias_walk(al, pp->path, 1,
		    pp->perms) == -1))
			return (-1);
		if (pp == last)
			break;
	}
	return (alias_links(al));
}

int
holes_alias(struct policy *p)
{
	struct aliases			 al;
	const struct policy_path	*pp;
	size_t				 i;
	int				 ret;

	TAILQ_FOREACH(pp, &p->paths, entry)
		if (is_hole(p, pp))
			break;
	if (pp == NULL)
		return (0);
	memset(&al, 0, sizeof(al));
	al.policy = p;
	if ((ret = mounts_read(&al)) == -1)
		log_warn("/proc/self/mountinfo");
	else
		ret = alias_all(&al);
	for (i = 0; i < al.nmounts; i++) {
		free(al.mounts[i].root);
		free(al.mounts[i].path);
	}
	free(al.mounts);
	free(al.linked);
	return (ret);
}
