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
 * Redirects: where lower directories are that were renamed in the branch.
 * They are all found before anything else is looked at, because what lower
 * has under a name depends on whether it is seen under another one.  Reads
 * only.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "redirect.h"
#include "walk.h"

#define REDIRECT_XATTR	"user.overlay.redirect"

/* A directory of upper, on the way of the search. */
struct dir {
	size_t		 parent;
	uint64_t	 ino;
	char		*name;
	char		*path;		/* of its redirect; or NULL */
	int		 opaque;
	int		 leads;
};

struct search {
	struct redirects	*r;
	struct walk		 walk;
	struct dir		*dirs;
	size_t			 n;
	size_t			 size;
};

void
redirects_free(struct redirects *r)
{
	while (r->n > 0)
		free(r->list[--r->n].path);
	free(r->list);
	free(r->taken);
	free(r->leads);
	memset(r, 0, sizeof(*r));
}

static int
ino_compare(const void *a, const void *b)
{
	const uint64_t	*ia = a, *ib = b;

	return (*ia < *ib ? -1 : *ia > *ib);
}

static int
redirect_compare(const void *a, const void *b)
{
	const struct redirect	*ra = a, *rb = b;

	return (ra->ino < rb->ino ? -1 : ra->ino > rb->ino);
}

struct redirect *
redirects_of(const struct redirects *r, const struct inode *in)
{
	const struct redirect	 key = { .ino = in->ino };

	if (r->n == 0 || !S_ISDIR(in->mode))
		return (NULL);
	return (bsearch(&key, r->list, r->n, sizeof(key), redirect_compare));
}

int
redirects_taken(const struct redirects *r, const struct inode *in)
{
	return (r->ntaken > 0 && bsearch(&in->ino, r->taken, r->ntaken,
	    sizeof(*r->taken), ino_compare) != NULL);
}

int
redirects_below(const struct redirects *r, const struct inode *in)
{
	return (r->nleads > 0 && S_ISDIR(in->mode) && bsearch(&in->ino,
	    r->leads, r->nleads, sizeof(*r->leads), ino_compare) != NULL);
}

/* A path that the merged view writes: names with a slash before each. */
static int
path_valid(const char *path)
{
	size_t	 len;

	do {
		if (*path++ != '/')
			return (0);
		len = strcspn(path, "/");
		if (len == 0 || len > NAME_MAX || (path[0] == '.' &&
		    (len == 1 || (len == 2 && path[1] == '.'))))
			return (0);
		path += len;
	} while (*path != '\0');
	return (1);
}

/* The redirect of a directory; NULL when it has none, -1 and errno. */
static int
path_read(int at, const char *name, char **path)
{
	char	 buf[PATH_MAX];
	ssize_t	 n;

	*path = NULL;
	n = fs_getxattr(at, name, REDIRECT_XATTR, buf, sizeof(buf) - 1);
	if (n == -1)
		return (errno == ENODATA || errno == EOPNOTSUPP ? 0 : -1);
	buf[n] = '\0';
	if (strlen(buf) != (size_t)n || !path_valid(buf)) {
		errno = EIO;
		return (-1);
	}
	return ((*path = strdup(buf)) == NULL ? -1 : 0);
}

static ssize_t
dir_add(struct search *s, size_t parent, const char *name, uint64_t ino)
{
	struct dir	*dirs;
	size_t		 size;

	if (s->n == s->size) {
		size = s->size == 0 ? 64 : s->size * 2;
		if ((dirs = reallocarray(s->dirs, size,
		    sizeof(*dirs))) == NULL)
			return (-1);
		s->dirs = dirs;
		s->size = size;
	}
	memset(&s->dirs[s->n], 0, sizeof(*dirs));
	if ((s->dirs[s->n].name = strdup(name)) == NULL)
		return (-1);
	s->dirs[s->n].parent = parent;
	s->dirs[s->n].ino = ino;
	return (s->n++);
}

/* Take the last name off a path of some length: the rest's, or -1. */
static ssize_t
path_strip(const char *path, size_t len, const char *name)
{
	size_t	 n = strlen(name);

	if (len < n + 1 || path[len - n - 1] != '/' ||
	    memcmp(path + len - n, name, n) != 0)
		return (-1);
	return (len - n - 1);
}

/*
 * Whether a redirect names the place of its directory, which means nothing:
 * compared from the end, up to the next redirect above.
 */
static int
dir_own_place(const struct search *s, size_t i)
{
	const char	*path = s->dirs[i].path, *above;
	ssize_t		 len = strlen(path);

	while (i != 0) {
		if ((len = path_strip(path, len, s->dirs[i].name)) == -1)
			return (0);
		i = s->dirs[i].parent;
		if (s->dirs[i].opaque)
			return (0);
		if ((above = s->dirs[i].path) != NULL)
			return (strlen(above) == (size_t)len &&
			    memcmp(path, above, len) == 0);
	}
	return (len == 0);
}

static int
redirect_add(struct search *s, size_t i)
{
	struct redirects	*r = s->r;
	struct redirect		*list, *new;
	size_t			 size, up;
	int			 fd;

	if (r->n == r->size) {
		size = r->size == 0 ? 16 : r->size * 2;
		if ((list = reallocarray(r->list, size,
		    sizeof(*list))) == NULL)
			return (-1);
		r->list = list;
		r->size = size;
	}
	new = &r->list[r->n];
	memset(new, 0, sizeof(*new));
	new->ino = s->dirs[i].ino;
	if ((new->path = strdup(s->dirs[i].path + 1)) == NULL)
		return (-1);
	r->n++;
	for (up = s->dirs[i].parent; up != 0; up = s->dirs[up].parent)
		s->dirs[up].leads = 1;
	if ((fd = fs_enter(s->walk.lower, new->path)) == -1)
		return (errno == ENOENT || errno == ENOTDIR ||
		    errno == ELOOP ? 0 : -1);
	if (fs_stat(fd, "", &new->in) == -1) {
		close(fd);
		return (-1);
	}
	close(fd);
	return (0);
}

static int
search_entry(struct search *s, struct walk_entry *e)
{
	struct dir	*d;
	ssize_t		 i;

	if (e->type[UPPER] != DT_DIR && e->type[UPPER] != DT_UNKNOWN)
		return (0);
	if (walk_stat(&s->walk, e, UPPER) != 1)
		return (-1);
	if (!S_ISDIR(e->in[UPPER].mode))
		return (0);
	if ((i = dir_add(s, e->tag, e->name, e->in[UPPER].ino)) == -1)
		return (-1);
	d = &s->dirs[i];
	if ((d->opaque = walk_opaque(&s->walk, e, i)) == -1)
		return (-1);
	if (!d->opaque) {
		if (path_read(cursor_fd(&s->walk.at[UPPER]), e->name,
		    &d->path) == -1)
			return (-1);
		if (d->path != NULL && !dir_own_place(s, i) &&
		    redirect_add(s, i) == -1)
			return (-1);
	}
	return (walk_into(&s->walk, WALK_UPPER, i));
}

/* Sort what was found, and refuse a directory that shows twice. */
static int
search_end(struct search *s)
{
	struct redirects	*r = s->r;
	size_t			 i;

	if (r->n == 0)
		return (0);
	qsort(r->list, r->n, sizeof(*r->list), redirect_compare);
	if ((r->taken = reallocarray(NULL, r->n, sizeof(*r->taken))) == NULL ||
	    (r->leads = reallocarray(NULL, s->n, sizeof(*r->leads))) == NULL)
		return (-1);
	for (i = 0; i < r->n; i++)
		if (r->list[i].in.ino != 0)
			r->taken[r->ntaken++] = r->list[i].in.ino;
	for (i = 0; i < s->n; i++)
		if (s->dirs[i].leads)
			r->leads[r->nleads++] = s->dirs[i].ino;
	qsort(r->taken, r->ntaken, sizeof(*r->taken), ino_compare);
	qsort(r->leads, r->nleads, sizeof(*r->leads), ino_compare);
	for (i = 1; i < r->ntaken; i++)
		if (r->taken[i] == r->taken[i - 1]) {
			errno = EIO;
			return (-1);
		}
	return (0);
}

int
redirects_load(struct redirects *r, const struct branch *b)
{
	struct search		 s;
	struct walk_entry	 e;
	int			 error, more = -1;

	memset(r, 0, sizeof(*r));
	memset(&s, 0, sizeof(s));
	s.r = r;
	if (dir_add(&s, 0, "", 0) != -1 &&
	    walk_open(&s.walk, b->lower, b->upper, WALK_UPPER, 0) == 0)
		while ((more = walk_next(&s.walk, &e)) == 1)
			if (search_entry(&s, &e) == -1) {
				more = -1;
				break;
			}
	if (more == 0)
		more = search_end(&s);
	error = errno;
	if (walk_close(&s.walk) == -1 && more == 0) {
		error = errno;
		more = -1;
	}
	while (s.n > 0) {
		free(s.dirs[--s.n].name);
		free(s.dirs[s.n].path);
	}
	free(s.dirs);
	errno = error;
	return (more);
}
