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
 * Files of the working directory that were renamed in the view.  Descriptors
 * that were opened for reading before stay those of the old file, which the
 * kernel goes on calling by its old name; by its inode the new one is found.
 * What is forgotten, as memory has an end, has no name any more.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/tree.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor.h"

#define FORMER_BYTES	(8 * 1024 * 1024)

struct former {
	RB_ENTRY(former)	 entry;
	TAILQ_ENTRY(former)	 age;
	dev_t			 dev;
	ino_t			 ino;
	char			*path;
};

RB_HEAD(formers, former);

static int	 former_cmp(struct former *, struct former *);
RB_PROTOTYPE_STATIC(formers, former, entry, former_cmp)

static struct formers		 formers = RB_INITIALIZER(&formers);
static TAILQ_HEAD(, former)	 ages = TAILQ_HEAD_INITIALIZER(ages);
static size_t			 former_bytes;

static int
former_cmp(struct former *a, struct former *b)
{
	if (a->ino != b->ino)
		return (a->ino < b->ino ? -1 : 1);
	return (a->dev < b->dev ? -1 : a->dev > b->dev);
}

RB_GENERATE_STATIC(formers, former, entry, former_cmp)

/* What one of them takes. */
static size_t
former_size(const struct former *f)
{
	return (sizeof(*f) + strlen(f->path) + 1);
}

static void
former_free(struct former *f)
{
	former_bytes -= former_size(f);
	RB_REMOVE(formers, &formers, f);
	TAILQ_REMOVE(&ages, f, age);
	free(f->path);
	free(f);
}

/* The oldest are forgotten first. */
static void
former_trim(void)
{
	while (former_bytes > FORMER_BYTES)
		former_free(TAILQ_FIRST(&ages));
}

static void
former_add(const struct statx *sx, const char *path)
{
	struct former	 key, *f;

	key.dev = makedev(sx->stx_dev_major, sx->stx_dev_minor);
	key.ino = sx->stx_ino;
	if ((f = RB_FIND(formers, &formers, &key)) != NULL)
		former_free(f);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return;
	if ((f->path = strdup(path)) == NULL) {
		free(f);
		return;
	}
	f->dev = key.dev;
	f->ino = key.ino;
	RB_INSERT(formers, &formers, f);
	TAILQ_INSERT_TAIL(&ages, f, age);
	former_bytes += former_size(f);
	former_trim();
}

/* What lay in a directory that was renamed lies there now. */
static void
former_below(const char *from, const char *to)
{
	struct former	*f;
	size_t		 len = strlen(from);
	char		*path;

	TAILQ_FOREACH(f, &ages, age) {
		if (strncmp(f->path, from, len) != 0 || f->path[len] != '/')
			continue;
		if (asprintf(&path, "%s%s", to, f->path + len) == -1)
			/* It keeps a name by which it is not found. */
			continue;
		former_bytes -= former_size(f);
		free(f->path);
		f->path = path;
		former_bytes += former_size(f);
	}
}

static void
former_now(const char *path)
{
	struct statx	 sx;

	if (merge_stat(view_merge(), path, AT_SYMLINK_NOFOLLOW, &sx) == 0 &&
	    !S_ISDIR(sx.stx_mode))
		former_add(&sx, path);
}

/*
 * A rename has been made, or the two were exchanged; dirs tells whether a
 * directory is among them.
 */
void
former_note(const char *from, const char *to, int swap, int dirs)
{
	/* No path of the view has such a beginning. */
	static const char	 aside[] = "/";

	if (dirs) {
		if (swap)
			former_below(to, aside);
		former_below(from, to);
		if (swap)
			former_below(aside, from);
		former_trim();
	}
	if (swap)
		former_now(from);
	former_now(to);
}

/* The path of the view by which a file is there, or NULL. */
const char *
former_find(const struct stat *st)
{
	struct former	 key, *f;

	key.dev = st->st_dev;
	key.ino = st->st_ino;
	f = RB_FIND(formers, &formers, &key);
	return (f == NULL ? NULL : f->path);
}
