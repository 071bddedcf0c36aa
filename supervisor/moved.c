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
 * Directories of the working directory that were renamed or removed in the
 * view.  They stay where they are, and the kernel goes on calling them, and
 * what is below them, by their old names: a descriptor or a process that was
 * there before keeps its directory.  This knows where in the view each is by
 * now.  It never learns of directories that upper alone has, whose names the
 * kernel knows; but what is kept of others below them moves along.
 *
 * There is one entry for each directory that was ever moved by itself, however
 * often it was: programs that rename all day cost no more memory for it.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "supervisor.h"

struct move {
	RB_ENTRY(move)	 entry;
	char		*old;		/* in the working directory */
	char		*now;		/* in the view; NULL: removed */
};

RB_HEAD(moves, move);

static int	 move_cmp(struct move *, struct move *);
RB_PROTOTYPE_STATIC(moves, move, entry, move_cmp)

static struct moves	 moves = RB_INITIALIZER(&moves);

static int
move_cmp(struct move *a, struct move *b)
{
	return (strcmp(a->old, b->old));
}

RB_GENERATE_STATIC(moves, move, entry, move_cmp)

/* What follows a directory in a path: "" or "/..."; NULL if it is not below. */
static const char *
path_after(const char *path, const char *dir)
{
	size_t	 len = strlen(dir);

	if (strncmp(path, dir, len) != 0 ||
	    (path[len] != '\0' && path[len] != '/'))
		return (NULL);
	return (path + len);
}

static char *
path_join(const char *dir, const char *rest)
{
	char	*path;

	/* Without its place a directory would pass for another one. */
	if (asprintf(&path, "%s%s", dir, rest) == -1)
		fatal("move");
	return (path);
}

static struct move *
move_find(char *old)
{
	struct move	 key;

	key.old = old;
	return (RB_FIND(moves, &moves, &key));
}

/* The name in the working directory of the lower directory at a place. */
static char *
move_old(const char *now)
{
	struct move	*m, *best = NULL;
	const char	*rest;

	RB_FOREACH(m, moves, &moves)
		if (m->now != NULL && path_after(now, m->now) != NULL &&
		    (best == NULL || strlen(m->now) > strlen(best->now)))
			best = m;
	if (best == NULL)
		return (path_join(now, ""));
	rest = path_after(now, best->now);
	return (path_join(best->old, rest));
}

/* See to it that there is an entry for the lower directory at a place. */
static void
move_note(const char *now)
{
	struct move	*m;
	char		*old = move_old(now);

	if ((m = move_find(old)) == NULL) {
		if ((m = calloc(1, sizeof(*m))) == NULL)
			fatal("move");
		m->old = old;
		RB_INSERT(moves, &moves, m);
	} else
		free(old);
	free(m->now);
	m->now = path_join(now, "");
}

/* Where something goes that was at a path; NULL when that stays. */
static char *
move_to(const char *path, const char *from, const char *to)
{
	const char	*rest = path_after(path, from);

	return (rest == NULL ? NULL : path_join(to, rest));
}

/*
 * A directory has been renamed, or two names were exchanged of which at least
 * one was a directory's; which tells whose are directories of lower.
 */
void
changed_moved(const char *from, const char *to, int swap, int which)
{
	struct move	*m;
	char		*now;

	if (which & MOVED_FROM)
		move_note(from);
	if (swap && (which & MOVED_TO))
		move_note(to);
	RB_FOREACH(m, moves, &moves) {
		if (m->now == NULL)
			continue;
		if ((now = move_to(m->now, from, to)) == NULL && swap)
			now = move_to(m->now, to, from);
		if (now != NULL) {
			free(m->now);
			m->now = now;
		}
	}
}

/* A directory has been removed; lower: it was one of lower. */
void
changed_removed(const char *path, int lower)
{
	struct move	*m;

	if (lower)
		move_note(path);
	RB_FOREACH(m, moves, &moves)
		if (m->now != NULL && path_after(m->now, path) != NULL) {
			free(m->now);
			m->now = NULL;
		}
}

/*
 * Where in the view a directory is that the kernel calls by this path of the
 * working directory.  0; ENOENT when it was removed, and ENAMETOOLONG when its
 * path has become too long.
 */
int
changed_place(const char *old, char *path, size_t size)
{
	struct move	*m;
	char		*copy, *slash;
	size_t		 len;
	int		 n;

	if (RB_EMPTY(&moves))
		return (strlcpy(path, old, size) >= size ? ENAMETOOLONG : 0);
	if ((copy = strdup(old)) == NULL)
		return (ENOMEM);
	/* The nearest one that was moved by itself. */
	while ((m = move_find(copy)) == NULL) {
		if ((slash = strrchr(copy, '/')) == NULL)
			break;
		*slash = '\0';
	}
	len = m == NULL ? 0 : strlen(copy);
	free(copy);
	if (m != NULL && m->now == NULL)
		return (ENOENT);
	n = snprintf(path, size, "%s%s", m == NULL ? "" : m->now, old + len);
	return (n < 0 || (size_t)n >= size ? ENAMETOOLONG : 0);
}
