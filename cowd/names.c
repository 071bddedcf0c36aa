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
 * The names of files with several.  When one name of such a file was changed
 * in the branch, the others show the change, too, wherever they lie;
 * branch/links, which merge.h describes, knows the files and how many names
 * are left, but not where.  So lower is searched, by the inode numbers that a
 * listing gives, only when there are such names.  Reads only.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "walk.h"

#define NAMES_DIR	"links"
#define NAMES_BUFSIZE	32768

/* A directory of lower, on the way of the search. */
struct dir {
	size_t		 parent;
	uint64_t	 ino;
	int		 way;
};

struct search {
	struct names	*names;
	struct walk	 walk;
	struct dir	*dirs;
	size_t		 n;
	size_t		 size;
	uint64_t	 left;		/* names to be found */
	uint64_t	 dev;		/* lower's */
};

int
names_open(const struct branch *b)
{
	return (fs_enter(b->dir, NAMES_DIR));
}

void
names_free(struct names *nm)
{
	if (nm->dir != -1)
		close(nm->dir);
	free(nm->list);
	free(nm->ways);
	memset(nm, 0, sizeof(*nm));
	nm->dir = -1;
}

static int
named_compare(const void *a, const void *b)
{
	const struct named	*na = a, *nb = b;

	return (na->ino < nb->ino ? -1 : na->ino > nb->ino);
}

static int
ino_compare(const void *a, const void *b)
{
	const uint64_t	*ia = a, *ib = b;

	return (*ia < *ib ? -1 : *ia > *ib);
}

const struct named *
names_of(const struct names *nm, uint64_t ino)
{
	const struct named	 key = { .ino = ino };

	if (nm->n == 0)
		return (NULL);
	return (bsearch(&key, nm->list, nm->n, sizeof(key), named_compare));
}

int
names_way(const struct names *nm, uint64_t ino)
{
	return (nm->nways > 0 && bsearch(&ino, nm->ways, nm->nways,
	    sizeof(*nm->ways), ino_compare) != NULL);
}

static struct named *
named_add(struct names *nm)
{
	struct named	*list;
	size_t		 size;

	if (nm->n == nm->size) {
		size = nm->size == 0 ? 16 : nm->size * 2;
		if ((list = reallocarray(nm->list, size,
		    sizeof(*list))) == NULL)
			return (NULL);
		nm->list = list;
		nm->size = size;
	}
	memset(&nm->list[nm->n], 0, sizeof(*list));
	return (&nm->list[nm->n++]);
}

static int
damaged(void)
{
	errno = EIO;
	return (-1);
}

/*
 * How many names lower's file had, and how many of them the branch has
 * covered.
 */
static int
named_count(const struct names *nm, const struct named *nd, uint64_t *links,
    uint64_t *covered)
{
	struct inode	 in;
	char		 name[NAMES_SIZE], text[NAMES_SIZE], *p;
	ssize_t		 n;

	snprintf(name, sizeof(name), "U%llx", (unsigned long long)nd->in.ino);
	if ((n = fs_readlink(nm->dir, name, text, sizeof(text) - 1)) == -1)
		return (errno == ENOENT || errno == EINVAL ? damaged() : -1);
	text[n] = '\0';
	if ((p = strchr(text, ' ')) == NULL)
		return (damaged());
	*p++ = '\0';
	if (strcmp(text, nd->name + 1) != 0 || *p < '0' || *p > '9')
		return (damaged());
	*links = strtoull(p, NULL, 10);
	*covered = 0;
	strlcpy(name, nd->name, sizeof(name));
	name[0] = 'G';
	if (fs_stat(nm->dir, name, &in) == 0)
		*covered = in.size;
	else if (errno != ENOENT)
		return (-1);
	return (0);
}

/* An entry of links; those whose names are all covered need nothing. */
static int
named_entry(struct search *s, const char *name)
{
	struct names	*nm = s->names;
	struct named	*nd;
	uint64_t	 covered, links;
	const char	*p;
	char		*end;

	if (name[0] != 'L')
		return (0);
	if ((p = strchr(name, '-')) == NULL || strlen(name) >= NAMES_SIZE)
		return (damaged());
	if ((nd = named_add(nm)) == NULL)
		return (-1);
	strlcpy(nd->name, name, sizeof(nd->name));
	nd->ino = strtoull(p + 1, &end, 16);
	if (end == p + 1 || *end != '\0')
		return (damaged());
	if (fs_stat(nm->dir, name, &nd->in) == -1 ||
	    named_count(nm, nd, &links, &covered) == -1)
		return (-1);
	if (covered >= links)
		nm->n--;
	else
		s->left += links;
	return (0);
}

static int
named_list(struct search *s)
{
	union {
		struct dirent64	 align;
		char		 bytes[NAMES_BUFSIZE];
	}			 buf;
	const struct dirent64	*de;
	ssize_t			 n, off;
	int			 fd, error, ret = 0;

	if ((fd = fs_list(s->names->dir)) == -1)
		return (-1);
	while (ret == 0 && (n = fs_getdents(fd, buf.bytes,
	    sizeof(buf.bytes))) != 0) {
		if (n == -1)
			ret = -1;
		for (off = 0; ret == 0 && off < n; off += de->d_reclen) {
			de = (const void *)(buf.bytes + off);
			ret = named_entry(s, de->d_name);
		}
	}
	error = errno;
	close(fd);
	errno = error;
	return (ret);
}

static ssize_t
dir_add(struct search *s, size_t parent, uint64_t ino)
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
	s->dirs[s->n].parent = parent;
	s->dirs[s->n].ino = ino;
	s->dirs[s->n].way = 0;
	return (s->n++);
}

static void
dir_way(struct search *s, size_t i)
{
	for (; !s->dirs[i].way; i = s->dirs[i].parent) {
		s->dirs[i].way = 1;
		if (i == 0)
			break;
	}
}

static int
search_entry(struct search *s, struct walk_entry *e)
{
	ssize_t	 i;

	if (e->type[LOWER] != DT_DIR) {
		if (names_of(s->names, e->ino) != NULL) {
			dir_way(s, e->tag);
			s->left--;
		}
		if (e->type[LOWER] != DT_UNKNOWN)
			return (0);
	}
	switch (walk_stat(&s->walk, e, LOWER)) {
	case -1:
		/* In a directory that keeps its owner out. */
		return (errno == EACCES ? 0 : -1);
	case 0:
		return (0);
	}
	if (!S_ISDIR(e->in[LOWER].mode))
		return (0);
	/* What is mounted there is not entered: it has other files. */
	if (e->in[LOWER].dev != s->dev)
		return (0);
	if ((i = dir_add(s, e->tag, e->in[LOWER].ino)) == -1)
		return (-1);
	return (walk_into(&s->walk, WALK_LOWER, i));
}

static int
search_end(struct search *s)
{
	struct names	*nm = s->names;
	size_t		 i;

	if ((nm->ways = reallocarray(NULL, s->n, sizeof(*nm->ways))) == NULL)
		return (-1);
	for (i = 0; i < s->n; i++)
		if (s->dirs[i].way)
			nm->ways[nm->nways++] = s->dirs[i].ino;
	if (nm->nways > 0)
		qsort(nm->ways, nm->nways, sizeof(*nm->ways), ino_compare);
	return (0);
}

/* Where the names are. */
static int
search(struct search *s, const struct branch *b)
{
	struct walk_entry	 e;
	struct inode		 top;
	int			 error, more = -1;

	if (fs_stat(b->lower, "", &top) == -1 ||
	    dir_add(s, 0, top.ino) == -1)
		return (-1);
	s->dev = top.dev;
	if (walk_open(&s->walk, b->lower, -1, WALK_LOWER, 0) == 0)
		do {
			more = walk_next(&s->walk, &e);
			if (more == 1 && search_entry(s, &e) == -1)
				more = -1;
			else if (more == 1 && s->left == 0)
				more = 0;
			/* A bind mount was not entered. */
			else if (more == -1 && errno == EXDEV)
				more = 1;
		} while (more == 1);
	if (more == 0)
		more = search_end(s);
	error = errno;
	if (walk_close(&s->walk) == -1 && more == 0) {
		error = errno;
		more = -1;
	}
	errno = error;
	return (more);
}

int
names_load(struct names *nm, const struct branch *b, const char *hidden)
{
	struct search	 s;
	int		 error, ret;

	memset(nm, 0, sizeof(*nm));
	memset(&s, 0, sizeof(s));
	s.names = nm;
	s.walk.hidden = hidden;
	if ((nm->dir = names_open(b)) == -1)
		return (errno == ENOENT ? 0 : -1);
	if ((ret = named_list(&s)) == 0 && nm->n > 0) {
		qsort(nm->list, nm->n, sizeof(*nm->list), named_compare);
		ret = search(&s, b);
	}
	error = errno;
	free(s.dirs);
	errno = error;
	return (ret);
}
