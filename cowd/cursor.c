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
 * A position in a directory tree.  The last few levels are held open; what
 * lies above them is reached by ".." and has to be what was passed on the way
 * down, by device and inode.  A tree that somebody rearranges meanwhile ends
 * the walk; it never leads it astray.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cursor.h"
#include "fs.h"

/* Levels that are held open: enough that few trees ever need "..". */
#define CURSOR_OPEN	32

void
cursor_init(struct cursor *c, int top)
{
	memset(c, 0, sizeof(*c));
	c->top = top;
}

int
cursor_fd(const struct cursor *c)
{
	return (c->n == 0 ? c->top : c->levels[c->n - 1].fd);
}

int
cursor_enter(struct cursor *c, int fd)
{
	struct cursor_level	*levels;
	struct inode		 in;
	size_t			 size;

	if (fs_stat(fd, "", &in) == -1)
		goto fail;
	if (c->n == c->size) {
		size = c->size == 0 ? 32 : c->size * 2;
		if ((levels = reallocarray(c->levels, size,
		    sizeof(*levels))) == NULL)
			goto fail;
		c->levels = levels;
		c->size = size;
	}
	c->levels[c->n].fd = fd;
	c->levels[c->n].dev = in.dev;
	c->levels[c->n].ino = in.ino;
	c->n++;
	if (c->n - c->first > CURSOR_OPEN) {
		close(c->levels[c->first].fd);
		c->levels[c->first++].fd = -1;
	}
	return (0);
 fail:
	close(fd);
	return (-1);
}

static int
level_is(const struct cursor_level *l, const struct inode *in)
{
	return (l->dev == in->dev && l->ino == in->ino);
}

int
cursor_leave(struct cursor *c)
{
	struct cursor_level	*up;
	struct inode		 in;
	int			 fd;

	if (c->n > 1 && (up = &c->levels[c->n - 2])->fd == -1) {
		if ((fd = fs_up(cursor_fd(c))) == -1)
			return (-1);
		if (fs_stat(fd, "", &in) == -1 || !level_is(up, &in)) {
			close(fd);
			errno = ESTALE;
			return (-1);
		}
		up->fd = fd;
		c->first--;
	}
	close(c->levels[--c->n].fd);
	if (c->first > c->n)
		c->first = c->n;
	return (0);
}

int
cursor_check(const struct cursor *c, const char *name)
{
	struct inode	 in;
	int		 fd = -1, up, ret;

	if (c->n == 0)
		return (0);
	up = c->n == 1 ? c->top : c->levels[c->n - 2].fd;
	if (up == -1 && (up = fd = fs_up(cursor_fd(c))) == -1)
		return (-1);
	if ((ret = fs_stat(up, name, &in)) == -1 && errno == ENOENT)
		errno = ESTALE;
	else if (ret == 0 && !level_is(&c->levels[c->n - 1], &in)) {
		errno = ESTALE;
		ret = -1;
	}
	if (fd != -1)
		close(fd);
	return (ret);
}

void
cursor_rest(struct cursor *c)
{
	while (c->first + 1 < c->n) {
		close(c->levels[c->first].fd);
		c->levels[c->first++].fd = -1;
	}
}

void
cursor_free(struct cursor *c)
{
	while (c->n > c->first)
		close(c->levels[--c->n].fd);
	free(c->levels);
	memset(c, 0, sizeof(*c));
	c->top = -1;
}
