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
 * Directories so deep that the kernel has no name for them.  Whoever stands in
 * one, or holds one open, came there by a call that was answered here; so its
 * path is remembered under its inode.  What is forgotten, as memory has an end,
 * has no name any more.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/tree.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

#define DEEP_LENGTH	(PATH_MAX / 4)	/* names have a beginning before it */
#define DEEP_BYTES	(64 * 1024 * 1024)

struct deep {
	RB_ENTRY(deep)		 entry;
	TAILQ_ENTRY(deep)	 age;
	dev_t			 dev;
	ino_t			 ino;
	char			*path;
};

RB_HEAD(deeps, deep);

static int	 deep_cmp(struct deep *, struct deep *);
RB_PROTOTYPE_STATIC(deeps, deep, entry, deep_cmp)

static struct deeps		 deeps = RB_INITIALIZER(&deeps);
static TAILQ_HEAD(, deep)	 ages = TAILQ_HEAD_INITIALIZER(ages);
static size_t			 deep_bytes;

static int
deep_cmp(struct deep *a, struct deep *b)
{
	if (a->ino != b->ino)
		return (a->ino < b->ino ? -1 : 1);
	return (a->dev < b->dev ? -1 : a->dev > b->dev);
}

RB_GENERATE_STATIC(deeps, deep, entry, deep_cmp)

static void
deep_free(struct deep *d)
{
	RB_REMOVE(deeps, &deeps, d);
	TAILQ_REMOVE(&ages, d, age);
	deep_bytes -= strlen(d->path) + sizeof(*d);
	free(d->path);
	free(d);
}

/* The path of an inode below the top of the view, or NULL. */
const char *
deep_find(const struct stat *st)
{
	struct deep	 key, *d;

	key.dev = st->st_dev;
	key.ino = st->st_ino;
	d = RB_FIND(deeps, &deeps, &key);
	return (d == NULL ? NULL : d->path);
}

static void
deep_add(const struct stat *st, const char *path)
{
	struct deep	 key, *d;

	key.dev = st->st_dev;
	key.ino = st->st_ino;
	if ((d = RB_FIND(deeps, &deeps, &key)) != NULL)
		deep_free(d);
	while (deep_bytes > DEEP_BYTES)
		deep_free(TAILQ_FIRST(&ages));
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return;
	if ((d->path = strdup(path)) == NULL) {
		free(d);
		return;
	}
	d->dev = key.dev;
	d->ino = key.ino;
	RB_INSERT(deeps, &deeps, d);
	TAILQ_INSERT_TAIL(&ages, d, age);
	deep_bytes += strlen(path) + sizeof(*d);
}

/* The caller gets to a directory of the view, by the one inode or the other. */
void
deep_note(const struct merge_entry *e)
{
	struct stat	 st;
	char		*path;
	int		 lower;

	if (strlen(e->parent) + strlen(e->name) < DEEP_LENGTH ||
	    !S_ISDIR(e->sx.stx_mode) || (path = view_canonical(e)) == NULL)
		return;
	if (fstat(e->fd, &st) == 0)
		deep_add(&st, path);
	if (e->merged && (lower = view_lower(path)) != -1) {
		if (fstat(lower, &st) == 0)
			deep_add(&st, path);
		close(lower);
	}
	free(path);
}

/* The rest of a path below a directory, "" for that itself; or NULL. */
static const char *
deep_below(const char *path, const char *dir)
{
	size_t	 len = strlen(dir);

	if (strncmp(path, dir, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return (NULL);
	return (path + len);
}

/* It has another path now; without one it is forgotten. */
static void
deep_rename(struct deep *d, const char *dir, const char *rest)
{
	char	*path;

	if (dir == NULL || asprintf(&path, "%s%s", dir, rest) == -1) {
		deep_free(d);
		return;
	}
	deep_bytes -= strlen(d->path);
	free(d->path);
	d->path = path;
	deep_bytes += strlen(d->path);
}

/*
 * A directory was renamed, maybe in place of one that is gone, or the two were
 * exchanged; with to NULL it was removed.
 */
void
deep_moved(const char *from, const char *to, int swap)
{
	struct deep	*d, *next;
	const char	*rest;

	for (d = TAILQ_FIRST(&ages); d != NULL; d = next) {
		next = TAILQ_NEXT(d, age);
		if ((rest = deep_below(d->path, from)) != NULL)
			deep_rename(d, to, rest);
		else if (to != NULL &&
		    (rest = deep_below(d->path, to)) != NULL)
			deep_rename(d, swap ? from : NULL, rest);
	}
}
