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
 * Copy-up: an object of lower, and the directories it lies in, get their
 * counterparts in upper.  Nothing in the view changes by that.  Each is made in
 * work and appears under its name when it is complete; the directory that gets
 * it keeps its times.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <linux/limits.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

struct times {
	struct timespec	 ts[2];
};

static int
times_get(int fd, struct times *t)
{
	struct statx	 sx;

	if (fd_statx(fd, &sx) == -1)
		return (-1);
	t->ts[0].tv_sec = sx.stx_atime.tv_sec;
	t->ts[0].tv_nsec = sx.stx_atime.tv_nsec;
	t->ts[1].tv_sec = sx.stx_mtime.tv_sec;
	t->ts[1].tv_nsec = sx.stx_mtime.tv_nsec;
	return (0);
}

/*
 * What was copied up is there by now, and that counts: a directory whose times
 * cannot be set back has later ones.
 */
static void
times_set(int fd, const struct times *t)
{
	(void)utimensat(fd, "", t->ts, AT_EMPTY_PATH);
}

/* Reading for a copy should leave no trace; only the owner may ask for that. */
static int
lower_read(int fd)
{
	int	 new;

	if ((new = fd_reopen(fd, O_RDONLY | O_NOATIME | O_NONBLOCK)) == -1 &&
	    errno == EPERM)
		new = fd_reopen(fd, O_RDONLY | O_NONBLOCK);
	return (new);
}

static int
copyup_file(struct merge *m, const struct node *n, const char *tmp, int flags)
{
	int	 from = -1, fd = -1, ret = -1;

	if ((flags & COPYUP_EMPTY) == 0 && (from = lower_read(n->lfd)) == -1)
		return (-1);
	if ((fd = openat(m->work, tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600)) == -1)
		goto done;
	if (from != -1 && copy_data(from, fd, n->sx.stx_size) == -1)
		goto done;
	ret = 0;
 done:
	fd_close(&from);
	fd_close(&fd);
	return (ret);
}

/* Make the counterpart of a lower node in work, without metadata. */
static int
copyup_make(struct merge *m, const struct node *n, const char *tmp, int flags)
{
	char	 text[PATH_MAX + 1];
	mode_t	 type = n->sx.stx_mode & S_IFMT;
	ssize_t	 len;

	switch (type) {
	case S_IFREG:
		return (copyup_file(m, n, tmp, flags));
	case S_IFDIR:
		return (mkdirat(m->work, tmp, 0700));
	case S_IFLNK:
		len = readlinkat(n->lfd, "", text, PATH_MAX);
		if (len == -1)
			return (-1);
		text[len] = '\0';
		return (symlinkat(text, m->work, tmp));
	case S_IFIFO:
	case S_IFSOCK:
		return (mknodat(m->work, tmp, type | 0600, 0));
	default:
		/* A device; 0:0 would even be taken for a whiteout. */
		errno = EPERM;
		return (-1);
	}
}

/* What a copy takes; a file with several names is noted in links, too. */
static int
copyup_room(struct merge *m, const struct node *n, int flags)
{
	uint64_t	 size = n->sx.stx_size;

	if (S_ISREG(n->sx.stx_mode) && (flags & COPYUP_EMPTY) != 0)
		size = 0;
	size = room_inode(n->sx.stx_mode, size);
	if (!S_ISDIR(n->sx.stx_mode) && n->sx.stx_nlink > 0)
		size += 4 * ROOM_UNIT;
	return (room_take(m, size));
}

/* A complete copy in dir under name; its O_PATH descriptor, or -1. */
static int
copyup_node(struct merge *m, const struct node *n, int dir, const char *name,
    int flags)
{
	struct times	 t;
	char		 tmp[STAGE_NAME_SIZE];
	int		 fd = -1, isdir = S_ISDIR(n->sx.stx_mode);

	/* The copy would not be, so that more would be allowed. */
	if (node_fixed(n)) {
		errno = EPERM;
		return (-1);
	}
	if (copyup_room(m, n, flags) == -1)
		return (-1);
	scratch_name(m, tmp);
	if (times_get(dir, &t) == -1 ||
	    copyup_make(m, n, tmp, flags) == -1)
		goto fail;
	if ((fd = path_open(m->work, tmp)) == -1 ||
	    copy_meta(m, n, fd, flags) == -1)
		goto fail;
	/* In lower, or the number here would be corrected already. */
	if (!isdir && n->sx.stx_nlink > 0 && links_add(m, n, fd) == -1)
		goto fail;
	if (stage_place(m->work, tmp, dir, name, isdir) == -1)
		goto fail;
	times_set(dir, &t);
	return (fd);
 fail:
	fd_close(&fd);
	(void)scratch_remove(m, tmp);
	return (-1);
}

/* A directory of upper that is there already, or make it from lower's. */
static int
copyup_dir(struct merge *m, struct node *up, const char *name,
    struct node *n)
{
	int	 fd;

	node_free(n);
	if ((n->ufd = path_open(up->ufd, name)) != -1) {
		node_free(n);
		return (node_get(m, up, name, n));
	}
	if (errno != ENOENT || (n->lfd = path_open(up->lfd, name)) == -1 ||
	    fd_statx(n->lfd, &n->sx) == -1)
		return (-1);
	if (!S_ISDIR(n->sx.stx_mode)) {
		errno = ENOTDIR;
		return (-1);
	}
	if (mark_impure(up) == -1 ||
	    (fd = copyup_node(m, n, up->ufd, name, 0)) == -1)
		return (-1);
	n->ufd = fd;
	return (node_load(m, n));
}

/*
 * Give the parent of a walk its counterpart.  The directories of upper come
 * first on a way, those of lower only last; the first of these may lie
 * before what is still open, so the way is gone again from the top.
 */
int
copyup_parents(struct merge *m, struct walk *w)
{
	struct node	 n, next;
	size_t		 i;

	if (walk_parent(w)->ufd != -1)
		return (0);
	node_init(&n);
	node_init(&next);
	if ((n.ufd = fcntl(m->upper, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    (n.lfd = fcntl(m->lower, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    node_load(m, &n) == -1)
		goto fail;
	for (i = 1; i < w->nlevels; i++) {
		if (copyup_dir(m, &n, w->levels[i].name, &next) == -1)
			goto fail;
		node_free(&n);
		n = next;
		node_init(&next);
	}
	node_free(walk_parent(w));
	*walk_parent(w) = n;
	return (0);
 fail:
	node_free(&n);
	node_free(&next);
	return (-1);
}

/*
 * The name of a lower inode that another name has copied up already.
 */
static int
copyup_link(struct merge *m, struct walk *w)
{
	struct node	*dir = walk_parent(w);
	struct times	 t;

	if (room_take(m, ROOM_UNIT) == -1 || times_get(dir->ufd, &t) == -1 ||
	    links_place(m, &w->node, dir->ufd, w->name) == -1)
		return (-1);
	times_set(dir->ufd, &t);
	return (0);
}

/* Give the node of a walk its counterpart in upper, under its name. */
int
copyup(struct merge *m, struct walk *w, int flags)
{
	struct node	*n = &w->node;
	struct statx	 sx;

	if (n->lfd == -1 || (node_isdir(n) && n->ufd != -1))
		return (0);
	m->mixed = 1;
	if (copyup_parents(m, w) == -1 || mark_impure(walk_parent(w)) == -1)
		return (-1);
	if (n->ufd != -1) {
		if (copyup_link(m, w) == -1)
			return (-1);
	} else {
		/* The real number of links decides. */
		if (fd_statx(n->lfd, &sx) == -1)
			return (-1);
		n->sx.stx_nlink = sx.stx_nlink > 1 ? sx.stx_nlink : 0;
		/* All names change when the link is there, not the place. */
		if (n->sx.stx_nlink > 0)
			flags &= ~COPYUP_EMPTY;
		n->ufd = copyup_node(m, n, walk_parent(w)->ufd, w->name,
		    flags);
		if (n->ufd == -1)
			return (-1);
	}
	if (!node_isdir(n)) {
		if (links_cover(m, n) == -1)
			return (-1);
		fd_close(&n->lfd);
	}
	return (node_load(m, n));
}
