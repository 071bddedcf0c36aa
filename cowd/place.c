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
 * to be the one that the plan saw under that name.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "place.h"

void
place_init(struct place *pl, const struct plan *p, enum side side, int top)
{
	memset(pl, 0, sizeof(*pl));
	cursor_init(&pl->at, top);
	pl->plan = p;
	pl->side = side;
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
	if (fs_stat(fd, "", &in) == -1 || !inode_is(&in, &r->in[pl->side])) {
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
	int	 top = pl->at.top;

	if (cursor_leave(&pl->at) == -1) {
		cursor_free(&pl->at);
		cursor_init(&pl->at, top);
	}
}

int
place_check(const struct place *pl)
{
	return (cursor_check(&pl->at,
	    pl->plan->records[place_record(pl)].name));
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
	while (n > 0)
		if (place_enter(pl, pl->way[--n]) == -1)
			return (-1);
	return (cursor_fd(&pl->at));
}
