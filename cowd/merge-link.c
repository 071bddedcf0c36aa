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
 * Hard links.  A lower source is copied up first, so that both names are one
 * inode of upper; never is an inode of lower linked anywhere.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "merge-node.h"

/* Give an inode of upper the name of a walk, where at most a whiteout is. */
static int
link_place(struct merge *m, int fd, struct walk *w)
{
	struct node	*dir = walk_parent(w);
	char		 path[PROC_FD_SIZE], tmp[STAGE_NAME_SIZE];

	if (room_take(m, ROOM_UNIT) == -1)
		return (-1);
	fd_proc(fd, path);
	if (linkat(AT_FDCWD, path, dir->ufd, w->name, AT_SYMLINK_FOLLOW) == 0)
		return (0);
	if (errno != EEXIST)
		return (-1);
	scratch_name(m, tmp);
	if (linkat(AT_FDCWD, path, m->work, tmp, AT_SYMLINK_FOLLOW) == -1)
		return (-1);
	if (renameat2(m->work, tmp, dir->ufd, w->name, 0) == 0)
		return (0);
	(void)scratch_remove(m, tmp);
	return (-1);
}

/* The rule of protected_hardlinks. */
static int
link_allowed(struct merge *m, const struct node *n)
{
	mode_t	 mode = n->sx.stx_mode;

	if (node_owned(m, n))
		return (0);
	if (S_ISREG(mode) && (mode & S_ISUID) == 0 &&
	    (mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
	    node_access(m, n, R_OK | W_OK) == 0)
		return (0);
	errno = EPERM;
	return (-1);
}

static int
link_name(struct walk *b)
{
	if (b->last == LAST_NORM && !node_exists(&b->node) && !b->slash)
		return (0);
	errno = b->last != LAST_NORM || node_exists(&b->node) ?
	    EEXIST : ENOENT;
	return (-1);
}

static int
link_walks(struct merge *m, struct walk *a, struct walk *b)
{
	if (link_name(b) == -1 || link_allowed(m, &a->node) == -1 ||
	    walk_may_create(m, b) == -1)
		return (-1);
	if (node_isdir(&a->node)) {
		errno = EPERM;
		return (-1);
	}
	if (copyup(m, a, 0) == -1 || copyup_parents(m, b) == -1)
		return (-1);
	if (a->node.number.set && mark_impure(walk_parent(b)) == -1)
		return (-1);
	return (link_place(m, a->node.ufd, b));
}

int
merge_link(struct merge *m, const char *from, const char *to, int flags)
{
	struct walk	 a, b;
	int		 ret;

	if (walk_start(m, from, (flags & AT_SYMLINK_FOLLOW) != 0 ?
	    WALK_FOLLOW : 0, &a) == -1)
		return (-1);
	if (walk_start(m, to, WALK_PARENT, &b) == -1) {
		walk_end(&a);
		return (-1);
	}
	ret = link_walks(m, &a, &b);
	walk_end(&a);
	walk_end(&b);
	return (ret);
}

/*
 * A file that was opened with O_TMPFILE.  One with a name may be lower's;
 * the caller knows that name.
 */
int
merge_link_fd(struct merge *m, int fd, const char *to)
{
	struct walk	 b;
	struct statx	 sx;
	int		 ret = -1;

	if (fd_statx(fd, &sx) == -1)
		return (-1);
	if (sx.stx_nlink != 0) {
		errno = EXDEV;
		return (-1);
	}
	if (walk_start(m, to, WALK_PARENT, &b) == -1)
		return (-1);
	if (link_name(&b) == 0 && walk_may_create(m, &b) == 0 &&
	    copyup_parents(m, &b) == 0)
		ret = link_place(m, fd, &b);
	walk_end(&b);
	return (ret);
}
