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
 * Which paths of the view may differ from the working directory.  A path is
 * noted before cowd is asked to change it, so that what is not noted is
 * certainly unchanged: the kernel may then answer for it.  A note counts for
 * everything below its path too, or for the directory itself only.
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

/* Beyond these everything may differ. */
#define CHANGED_MAX	400000
#define CHANGED_BYTES	(32 * 1024 * 1024)

struct change {
	RB_ENTRY(change)	 entry;
	uint64_t		 hash;
	uint64_t		 file;	/* see changed_file() */
	uint64_t		 notes;	/* how often */
	int			 below;	/* all that is below it, too */
	const char		*path;
	size_t			 len;
};

RB_HEAD(changes, change);

static int	 change_cmp(struct change *, struct change *);
RB_PROTOTYPE_STATIC(changes, change, entry, change_cmp)

static struct changes	 changes = RB_INITIALIZER(&changes);
static size_t		 changed_count;
static size_t		 changed_bytes;
static int		 changed_all;
static uint64_t		 changed_epoch = 1;	/* of directories */

static int
change_cmp(struct change *a, struct change *b)
{
	if (a->hash != b->hash)
		return (a->hash < b->hash ? -1 : 1);
	if (a->len != b->len)
		return (a->len < b->len ? -1 : 1);
	return (memcmp(a->path, b->path, a->len));
}

RB_GENERATE_STATIC(changes, change, entry, change_cmp)

void
changed_everything(void)
{
	view_reading();
	view_copying();
	changed_all = 1;
}

/* The note of a path, of which the hash is known. */
static struct change *
change_find(const char *path, size_t len, uint64_t hash)
{
	struct change	 key;

	key.path = path;
	key.len = len;
	key.hash = hash;
	return (RB_FIND(changes, &changes, &key));
}

static void
change_add(const char *path, int below)
{
	struct change	*c;
	size_t		 len = strlen(path);
	uint64_t	 hash = path_hash(PATH_HASH, path, len);
	char		*copy;

	if (changed_all)
		return;
	if ((c = change_find(path, len, hash)) != NULL) {
		c->below |= below;
		c->file = 0;
		c->notes++;
		return;
	}
	if (changed_count == CHANGED_MAX || changed_bytes > CHANGED_BYTES ||
	    (c = malloc(sizeof(*c) + len)) == NULL) {
		changed_everything();
		return;
	}
	copy = (char *)(c + 1);
	memcpy(copy, path, len);
	c->path = copy;
	c->len = len;
	c->hash = hash;
	c->file = 0;
	c->notes = 1;
	c->below = below;
	RB_INSERT(changes, &changes, c);
	changed_count++;
	changed_bytes += len;
}

/*
 * An entry is about to be changed; with listed also what its directory lists
 * and when that was.
 */
void
changed_mark(const struct merge_entry *e, int listed)
{
	char	*path;

	view_reading();
	if (e->fd != -1 && S_ISDIR(e->sx.stx_mode))
		changed_epoch++;
	if ((path = view_canonical(e)) == NULL) {
		changed_everything();
		return;
	}
	change_add(path, 1);
	free(path);
	if (listed)
		change_add(e->parent, 0);
}

static struct change *
change_exact(const char *path)
{
	size_t	 len = strlen(path);

	return (change_find(path, len, path_hash(PATH_HASH, path, len)));
}

/* A number that grows when a path is noted, or a directory; 0: it never was. */
uint64_t
changed_noted(const char *path)
{
	struct change	*c;

	return ((c = change_exact(path)) == NULL ? 0 :
	    c->notes + changed_epoch);
}

/*
 * A path without links, by which cowd has opened a file of the branch to be
 * written, if nothing was noted since cowd was asked.  It is one until the path
 * is noted again, or a directory.
 */
void
changed_opened(const char *path, uint64_t noted)
{
	struct change	*c;

	if (noted != 0 && changed_noted(path) == noted &&
	    (c = change_exact(path)) != NULL)
		c->file = changed_epoch;
}

/* It was gone. */
void
changed_lost(const char *path)
{
	struct change	*c;

	if ((c = change_exact(path)) != NULL)
		c->file = 0;
}

/* Whether a path is certainly that of a regular file of the branch. */
int
changed_file(const char *path)
{
	struct change	*c;

	return ((c = change_exact(path)) != NULL && c->file == changed_epoch);
}

/* Whether a path, or something that it lies below, may have been changed. */
int
changed_below(const char *path)
{
	struct change	*c;
	uint64_t	 hash = PATH_HASH;
	size_t		 done = 0, len;

	if (changed_all)
		return (1);
	for (;;) {
		len = done + strcspn(path + done, "/");
		hash = path_hash(hash, path + done, len - done);
		if ((c = change_find(path, len, hash)) != NULL && c->below)
			return (1);
		if (path[len] == '\0')
			break;
		hash = path_hash(hash, "/", 1);
		done = len + 1;
	}
	/* The top lies below nothing. */
	return (0);
}

/* The same for a directory, and for what it lists. */
int
changed_itself(const char *path)
{
	return (changed_below(path) || change_exact(path) != NULL);
}
