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
 * Listings of merged directories.  A listing is a snapshot: a place in it stays
 * valid whatever is made or removed meanwhile.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

#define DIR_BUFSIZE	(32 * 1024)
#define DIR_NAME_COST	24		/* of malloc(3), beside the name */

struct entry {
	char		*name;
	uint64_t	 ino;
	unsigned char	 type;
	unsigned char	 lower;
	unsigned char	 whiteout;
};

struct list {
	struct entry	*entries;
	size_t		 n;
	size_t		 size;
	size_t		 bytes;		/* of all names */
};

struct merge_dir {
	char		*path;
	struct list	 list;
};

static void
list_free(struct list *l)
{
	int	 saved_errno = errno;

	while (l->n > 0)
		free(l->entries[--l->n].name);
	free(l->entries);
	memset(l, 0, sizeof(*l));
	errno = saved_errno;
}

static int
list_add(struct list *l, const char *name, uint64_t ino, unsigned char type,
    int lower)
{
	struct entry	*entries, *e;
	size_t		 size;

	if (l->n == l->size) {
		size = l->size == 0 ? 64 : l->size * 2;
		if ((entries = reallocarray(l->entries, size,
		    sizeof(*entries))) == NULL)
			return (-1);
		l->entries = entries;
		l->size = size;
	}
	e = &l->entries[l->n];
	memset(e, 0, sizeof(*e));
	if ((e->name = strdup(name)) == NULL)
		return (-1);
	e->ino = ino;
	e->type = type;
	e->lower = lower;
	l->n++;
	l->bytes += strlen(name) + DIR_NAME_COST;
	return (0);
}

/* Upper's entry of a name comes before lower's. */
static int
entry_cmp(const void *x, const void *y)
{
	const struct entry	*a = x, *b = y;
	int			 ret;

	if ((ret = strcmp(a->name, b->name)) != 0)
		return (ret);
	return (a->lower - b->lower);
}

/* Open the inode of an O_PATH descriptor to list it, leaving no trace. */
static int
dir_open(int at)
{
	int	 fd;

	if ((fd = fd_reopen(at, O_RDONLY | O_DIRECTORY | O_NOATIME)) == -1 &&
	    errno == EPERM)
		fd = fd_reopen(at, O_RDONLY | O_DIRECTORY);
	return (fd);
}

/* A character device may be a whiteout, and the type may be unknown. */
static int
entry_settle(int fd, struct entry *e)
{
	struct statx	 sx;

	if (e->type != DT_UNKNOWN && (e->lower || e->type != DT_CHR))
		return (0);
	if (statx(fd, e->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
	    &sx) == -1)
		return (errno == ENOENT ? 0 : -1);
	e->type = IFTODT(sx.stx_mode);
	e->whiteout = !e->lower && statx_whiteout(&sx);
	return (0);
}

static int
dir_list(struct list *l, int at, int lower)
{
	union {
		struct dirent64	 align;
		char		 bytes[DIR_BUFSIZE];
	}			 buf;
	const struct dirent64	*de;
	ssize_t			 n = -1, off;
	int			 fd;

	if ((fd = dir_open(at)) == -1)
		return (-1);
	while ((n = getdents64(fd, buf.bytes, sizeof(buf.bytes))) > 0) {
		for (off = 0; off < n; off += de->d_reclen) {
			de = (const void *)(buf.bytes + off);
			if (strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0)
				continue;
			if (list_add(l, de->d_name, de->d_ino, de->d_type,
			    lower) == -1 ||
			    entry_settle(fd, &l->entries[l->n - 1]) == -1) {
				n = -1;
				goto done;
			}
		}
	}
 done:
	fd_close(&fd);
	return (n == -1 ? -1 : 0);
}

/* Sort, and leave one entry for each name that shows. */
static void
list_merge(struct list *l)
{
	struct entry	*e;
	size_t		 i, n = 0;

	if (l->n == 0)
		return;
	qsort(l->entries, l->n, sizeof(*l->entries), entry_cmp);
	for (i = 1; i < l->n; i++) {
		e = &l->entries[i];
		if (strcmp(e->name, e[-1].name) == 0)
			e->whiteout = 1;
	}
	for (i = 0; i < l->n; i++) {
		e = &l->entries[i];
		if (e->whiteout)
			free(e->name);
		else
			l->entries[n++] = *e;
	}
	l->n = n;
}

static int
list_node(struct list *l, const struct node *n)
{
	if (n->ufd != -1 && dir_list(l, n->ufd, 0) == -1)
		return (-1);
	if (n->lfd != -1 && dir_list(l, n->lfd, 1) == -1)
		return (-1);
	list_merge(l);
	return (0);
}

int
dir_empty(const struct node *n)
{
	struct list	 l;
	int		 ret;

	memset(&l, 0, sizeof(l));
	if ((ret = list_node(&l, n)) == 0 && l.n > 0) {
		errno = ENOTEMPTY;
		ret = -1;
	}
	list_free(&l);
	return (ret);
}

int
dir_clear(int dir)
{
	struct list	 l;
	size_t		 i;
	int		 ret;

	memset(&l, 0, sizeof(l));
	ret = dir_list(&l, dir, 0);
	for (i = 0; ret == 0 && i < l.n; i++)
		if (l.entries[i].whiteout)
			ret = unlinkat(dir, l.entries[i].name, 0);
	list_free(&l);
	return (ret);
}

/*
 * What lower has is listed with the number that it shows.  Of upper that is
 * not so where something was copied up, or moved to.
 */
static int
dir_numbers(struct merge *m, const struct node *dir, struct list *l)
{
	struct node	 n;
	struct statx	 sx;
	struct entry	*e;
	size_t		 i;

	if (!dir->impure)
		return (0);
	for (i = 0; i < l->n; i++) {
		e = &l->entries[i];
		if (e->lower)
			continue;
		if (node_get(m, dir, e->name, &n) == -1) {
			/* Readable, but not searchable. */
			if (errno != EACCES)
				return (-1);
			continue;
		}
		node_show(&n, &sx);
		if (node_exists(&n))
			e->ino = sx.stx_ino;
		node_free(&n);
	}
	return (0);
}

/* The two that every directory has go first. */
static int
dir_dots(struct walk *w, struct list *l)
{
	struct entry	*e;
	struct statx	 sx, up;

	node_show(&w->node, &sx);
	up = sx;
	if (w->name[0] != '\0')
		node_show(walk_parent(w), &up);
	if (list_add(l, ".", sx.stx_ino, DT_DIR, 0) == -1 ||
	    list_add(l, "..", up.stx_ino, DT_DIR, 0) == -1)
		return (-1);
	if (l->n > 2) {
		struct entry	 dots[2] = {
			l->entries[l->n - 2], l->entries[l->n - 1]
		};

		e = l->entries;
		memmove(e + 2, e, (l->n - 2) * sizeof(*e));
		memcpy(e, dots, sizeof(dots));
	}
	return (0);
}

int
merge_rewinddir(struct merge *m, struct merge_dir *d)
{
	struct list	 l;
	struct walk	 w;
	int		 ret = -1;

	memset(&l, 0, sizeof(l));
	if (walk_start(m, d->path, WALK_FOLLOW, &w) == -1)
		return (-1);
	if (!node_isdir(&w.node))
		errno = ENOTDIR;
	else if (node_access(m, &w.node, R_OK) == 0 &&
	    list_node(&l, &w.node) == 0 &&
	    dir_numbers(m, &w.node, &l) == 0 && dir_dots(&w, &l) == 0)
		ret = 0;
	walk_end(&w);
	if (ret == -1) {
		list_free(&l);
		return (-1);
	}
	list_free(&d->list);
	d->list = l;
	return (0);
}

struct merge_dir *
merge_opendir(struct merge *m, const char *path)
{
	struct merge_dir	*d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return (NULL);
	if ((d->path = strdup(path)) == NULL ||
	    merge_rewinddir(m, d) == -1) {
		merge_closedir(d);
		return (NULL);
	}
	return (d);
}

int
merge_readdir(struct merge_dir *d, uint64_t *cookie, struct merge_dirent *de)
{
	const struct entry	*e;

	if (*cookie >= d->list.n)
		return (0);
	e = &d->list.entries[(*cookie)++];
	de->name = e->name;
	de->ino = e->ino;
	de->type = e->type;
	return (1);
}

size_t
merge_dirsize(const struct merge_dir *d)
{
	return (sizeof(*d) + d->list.size * sizeof(*d->list.entries) +
	    d->list.bytes);
}

void
merge_closedir(struct merge_dir *d)
{
	int	 saved_errno = errno;

	list_free(&d->list);
	free(d->path);
	free(d);
	errno = saved_errno;
}
