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
 * Files of lower that have several names.  All names that upper does not cover
 * must turn into the same upper inode when one of them is changed, and its
 * number of links must stay what a plain directory would show: links/, whose
 * format merge.h describes, remembers both.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

#define LINKS_NAME_SIZE	64

static void
links_name(char type, const struct statx *sx, char name[LINKS_NAME_SIZE])
{
	if (type == 'U')
		snprintf(name, LINKS_NAME_SIZE, "U%llx",
		    (unsigned long long)sx->stx_ino);
	else
		snprintf(name, LINKS_NAME_SIZE, "%c%x:%x-%llx", type,
		    sx->stx_dev_major, sx->stx_dev_minor,
		    (unsigned long long)sx->stx_ino);
}

/* How many names of a lower inode are covered, by the name of its G. */
static int
links_covered(const struct merge *m, const char *name, uint64_t *n)
{
	struct statx	 sx;

	*n = 0;
	if (statx(m->links, name, AT_SYMLINK_NOFOLLOW, STATX_SIZE, &sx) == -1)
		return (errno == ENOENT ? 0 : -1);
	*n = sx.stx_size;
	return (0);
}

/* A lower file with several names: has it become an upper one? */
int
links_find(struct merge *m, struct node *n)
{
	char	 name[LINKS_NAME_SIZE];

	if (m->links == -1)
		return (0);
	links_name('L', &n->sx, name);
	if ((n->ufd = path_open(m->links, name)) == -1)
		return (errno == ENOENT ? 0 : -1);
	return (fd_statx(n->ufd, &n->sx));
}

/*
 * The way back from an upper inode: key is what follows the letter in the names
 * of L and G, nlink lower's number.  1, or 0 when it did not come from a file
 * with several names.
 */
static int
links_origin(struct merge *m, const struct statx *upper,
    char key[LINKS_NAME_SIZE], uint64_t *nlink)
{
	struct statx	 sx;
	char		 name[LINKS_NAME_SIZE], text[LINKS_NAME_SIZE], *p;
	unsigned long long lower;
	ssize_t		 len;

	links_name('U', upper, name);
	len = readlinkat(m->links, name, text, sizeof(text) - 1);
	if (len == -1)
		return (errno == ENOENT ? 0 : -1);
	text[len] = '\0';
	if ((p = strchr(text, ' ')) == NULL ||
	    sscanf(p, " %llu", &lower) != 1) {
		errno = EIO;
		return (-1);
	}
	*p = '\0';
	*nlink = lower;
	snprintf(key, LINKS_NAME_SIZE, "L%.*s", LINKS_NAME_SIZE - 2, text);
	/* One that is left over from a crash may name a number used anew. */
	if (statx(m->links, key, AT_SYMLINK_NOFOLLOW, STATX_INO, &sx) == -1)
		return (errno == ENOENT ? 0 : -1);
	return (sx.stx_ino == upper->stx_ino);
}

/* Whether an inode is one that links/ has: 1, 0 or -1. */
int
links_known(struct merge *m, const struct statx *sx)
{
	struct statx	 links;
	char		 name[LINKS_NAME_SIZE];
	uint64_t	 lower;

	if (m->links == -1)
		return (0);
	if (fd_statx(m->links, &links) == -1)
		return (-1);
	if (sx->stx_dev_major != links.stx_dev_major ||
	    sx->stx_dev_minor != links.stx_dev_minor)
		return (0);
	return (links_origin(m, sx, name, &lower));
}

/* The number of links, and that of the inode, as far as links/ knows them. */
int
links_view(struct merge *m, struct node *n)
{
	char		 name[LINKS_NAME_SIZE];
	uint64_t	 covered, lower, links = n->sx.stx_nlink;
	int		 ret;

	if (n->ufd != -1) {
		if ((ret = links_origin(m, &n->sx, name, &lower)) <= 0)
			return (ret);
		if (number_parse(name + 1, &n->number) == -1)
			return (-1);
		name[0] = 'G';
		links += lower - 1;
	} else
		links_name('G', &n->sx, name);
	if (links_covered(m, name, &covered) == -1)
		return (-1);
	n->sx.stx_nlink = covered < links ? links - covered : 0;
	return (0);
}

/*
 * Correct the number of links.  An upper inode with one, which was found by a
 * name in upper, has no L.
 */
int
links_count(struct merge *m, struct node *n)
{
	if (m->links == -1 || (n->sx.stx_nlink < 2 &&
	    (n->ufd == -1 || n->lfd == -1)))
		return (0);
	return (links_view(m, n));
}

/*
 * A file under construction will be what the lower node n becomes.  The way
 * back first: it means nothing without the L.
 */
int
links_add(struct merge *m, const struct node *n, int fd)
{
	struct statx	 lower, upper;
	char		 name[LINKS_NAME_SIZE], text[LINKS_NAME_SIZE + 24];
	char		 path[PROC_FD_SIZE];

	if (fd_statx(n->lfd, &lower) == -1 || fd_statx(fd, &upper) == -1)
		return (-1);
	links_name('L', &lower, name);
	snprintf(text, sizeof(text), "%s %u", name + 1, lower.stx_nlink);
	links_name('U', &upper, name);
	if (unlinkat(m->links, name, 0) == -1 && errno != ENOENT)
		return (-1);
	if (symlinkat(text, m->links, name) == -1)
		return (-1);
	links_name('L', &lower, name);
	return (linkat(AT_FDCWD, fd_proc(fd, path), m->links, name,
	    AT_SYMLINK_FOLLOW));
}

/* Give the L of a lower node its name in upper. */
int
links_place(struct merge *m, const struct node *n, int dir, const char *name)
{
	struct statx	 lower;
	char		 from[LINKS_NAME_SIZE];

	if (fd_statx(n->lfd, &lower) == -1)
		return (-1);
	links_name('L', &lower, from);
	return (linkat(m->links, from, dir, name, 0));
}

/* One more lower name of this node is covered. */
int
links_cover(struct merge *m, const struct node *n)
{
	struct statx	 lower;
	char		 name[LINKS_NAME_SIZE];
	uint64_t	 covered;
	int		 fd, ret;

	if (n->lfd == -1 || node_isdir(n))
		return (0);
	if (fd_statx(n->lfd, &lower) == -1)
		return (-1);
	if (lower.stx_nlink < 2)
		return (0);
	links_name('G', &lower, name);
	if (links_covered(m, name, &covered) == -1)
		return (-1);
	if ((fd = openat(m->links, name, O_WRONLY | O_CREAT | O_NOFOLLOW |
	    O_CLOEXEC, 0600)) == -1)
		return (-1);
	ret = ftruncate(fd, covered + 1);
	fd_close(&fd);
	return (ret);
}

/* Free the space of an upper inode whose last name in the view is gone. */
int
links_drop(struct merge *m, struct node *n)
{
	char		 name[LINKS_NAME_SIZE];
	uint64_t	 lower;
	int		 ret;

	if (n->ufd == -1 || node_isdir(n))
		return (0);
	if (fd_statx(n->ufd, &n->sx) == -1)
		return (-1);
	if (n->sx.stx_nlink != 1)
		return (0);
	if (links_view(m, n) == -1)
		return (-1);
	if (n->sx.stx_nlink != 0)
		return (0);
	if ((ret = links_origin(m, &n->sx, name, &lower)) <= 0)
		return (ret);
	if (unlinkat(m->links, name, 0) == -1)
		return (-1);
	links_name('U', &n->sx, name);
	return (unlinkat(m->links, name, 0));
}
