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
 * The way to the directories of a plan.  Records come in the order of a walk,
 * so the way from one to the next is short.  Every directory on the way has
 * to be the one that the plan saw under that name.  One that is taken from its
 * place may be in the trash, or there still.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "place.h"
#include "stage.h"

void
place_init(struct place *pl, const struct plan *p, enum side side, int top,
    const int *trash)
{
	memset(pl, 0, sizeof(*pl));
	cursor_init(&pl->at, top);
	pl->plan = p;
	pl->side = side;
	pl->trash = trash;
}

void
place_free(struct place *pl)
{
	cursor_free(&pl->at);
	free(pl->records);
	free(pl->way);
	pl->records = pl->way = NULL;
	pl->size = pl->waysize = 0;
}

void
place_restart(struct place *pl)
{
	int	 top = pl->at.top;

	cursor_free(&pl->at);
	cursor_init(&pl->at, top);
	pl->jumped = 0;
}

static size_t
place_record(const struct place *pl)
{
	return (pl->at.n == 0 ? 0 : pl->records[pl->at.n - 1]);
}

static int
array_fit(size_t **array, size_t *size, size_t n)
{
	size_t	*new;

	if (n <= *size)
		return (0);
	if ((new = reallocarray(*array, n * 2, sizeof(*new))) == NULL)
		return (-1);
	*array = new;
	*size = n * 2;
	return (0);
}

static int
place_enter(struct place *pl, size_t i)
{
	const struct record	*r = &pl->plan->records[i];
	struct inode		 in;
	int			 fd;

	if (array_fit(&pl->records, &pl->size, pl->at.n + 1) == -1)
		return (-1);
	if ((fd = fs_enter(cursor_fd(&pl->at), r->name)) == -1) {
		/* A link or a file instead of the directory. */
		if (errno == ELOOP || errno == ENOTDIR || errno == ENOENT)
			errno = ESTALE;
		return (-1);
	}
	if (fs_stat(fd, "", &in) == -1 ||
	    !inode_is(&in, record_place(pl->plan, r, pl->side))) {
		close(fd);
		errno = ESTALE;
		return (-1);
	}
	if (cursor_enter(&pl->at, fd) == -1)
		return (-1);
	pl->records[pl->at.n - 1] = i;
	return (0);
}

/* When the way up is lost, the next way begins at the top. */
static void
place_leave(struct place *pl)
{
	if (cursor_leave(&pl->at) == -1)
		place_restart(pl);
	if (pl->at.n == 0)
		pl->jumped = 0;
}

int
place_check(const struct place *pl)
{
	/* What is in the trash, or was not taken yet, is where it must be. */
	if (pl->jumped != 0 && pl->at.n == 1)
		return (0);
	return (cursor_check(&pl->at,
	    pl->plan->records[place_record(pl)].name));
}

/* The lower directory of a graft before it got there. */
static int
graft_taken(const struct place *pl, const struct record *r)
{
	char	*path, name[STAGING_NAME_SIZE];
	int	 fd = -1;

	if (pl->trash != NULL && *pl->trash != -1) {
		staging_object(r->from, name);
		if ((fd = fs_enter(*pl->trash, name)) != -1 ||
		    errno != ENOENT)
			return (fd);
	}
	if ((path = plan_path(pl->plan, r->from)) == NULL)
		return (-1);
	fd = fs_enter(pl->at.top, path);
	free(path);
	return (fd);
}

/* The upper directory of one that does not move with the one above it. */
static int
graft_detached(const struct place *pl, size_t i)
{
	char	 name[STAGING_NAME_SIZE];

	if ((pl->plan->records[i].flags & RECORD_DETACHED) == 0 ||
	    pl->trash == NULL || *pl->trash == -1) {
		errno = ESTALE;
		return (-1);
	}
	staging_shell(i, name);
	return (fs_enter(*pl->trash, name));
}

/* Go straight to the directory of a graft. */
static int
place_jump(struct place *pl, size_t i)
{
	const struct record	*r = &pl->plan->records[i];
	struct inode		 in;
	int			 fd;

	if (r->kind != RECORD_GRAFT || array_fit(&pl->records, &pl->size,
	    1) == -1)
		return (-1);
	if ((fd = pl->side == LOWER ? graft_taken(pl, r) :
	    graft_detached(pl, i)) == -1)
		return (-1);
	if (fs_stat(fd, "", &in) == -1 || !inode_is(&in, &r->in[pl->side])) {
		close(fd);
		return (-1);
	}
	place_restart(pl);
	if (cursor_enter(&pl->at, fd) == -1)
		return (-1);
	pl->records[0] = i;
	pl->jumped = i;
	return (0);
}

/*
 * The way could not be gone from its n-th directory on: the last one on it that
 * can be found elsewhere is where it goes on.  Their number, or 0.
 */
static size_t
place_around(struct place *pl, size_t n)
{
	size_t	 i;

	for (i = 0; i <= n; i++)
		if (place_jump(pl, pl->way[i]) == 0)
			return (i + 1);
	return (0);
}

int
place_goto(struct place *pl, size_t dir)
{
	const struct record	*r = pl->plan->records;
	size_t			 n = 0, to = dir;

	while (to != place_record(pl)) {
		if (r[to].depth < r[place_record(pl)].depth) {
			place_leave(pl);
			continue;
		}
		if (array_fit(&pl->way, &pl->waysize, n + 1) == -1)
			return (-1);
		pl->way[n++] = to;
		to = r[to].parent;
	}
	while (n > 0) {
		if (place_enter(pl, pl->way[--n]) == 0)
			continue;
		if (errno != ESTALE)
			return (-1);
		if ((n = place_around(pl, n)) == 0) {
			errno = ESTALE;
			return (-1);
		}
		n--;
	}
	return (cursor_fd(&pl->at));
}
