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
 * Removal of names: from upper, and with a whiteout where lower has the name.
 * What is seen changes in one step.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "merge-node.h"

/* A directory of upper that shows nothing, over no lower name. */
static int
remove_dir(struct merge *m, int dir, const char *name)
{
	char	 tmp[STAGE_NAME_SIZE];

	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return (0);
	if (errno != ENOTEMPTY && errno != EEXIST)
		return (-1);
	/* It has whiteouts. */
	scratch_name(m, tmp);
	if (renameat2(dir, name, m->work, tmp, RENAME_NOREPLACE) == -1)
		return (-1);
	(void)scratch_remove(m, tmp);
	return (0);
}

/* The node of a walk, about which everything was asked, goes. */
static int
remove_node(struct merge *m, struct walk *w)
{
	struct node	*dir, *n = &w->node;
	uint64_t	 room = m->room;
	int		 isdir = node_isdir(n), lower, placed, ret;

	/* Removing must work in a full branch. */
	if (room != UINT64_MAX)
		m->room = UINT64_MAX - 1;
	ret = copyup_parents(m, w);
	m->room = room;
	if (ret == -1)
		return (-1);
	dir = walk_parent(w);
	if ((lower = node_has_lower(dir, w->name)) == -1)
		return (-1);
	if (lower)
		room_add(m, ROOM_UNIT);
	room_gone(m, n);
	placed = n->ufd != -1 && (isdir || n->lfd == -1);
	if (!placed) {
		if (mknodat(dir->ufd, w->name, S_IFCHR, 0) == -1)
			return (-1);
	} else if (lower) {
		if (stage_whiteout(m, dir->ufd, w->name) == -1)
			return (-1);
	} else if (isdir) {
		if (remove_dir(m, dir->ufd, w->name) == -1)
			return (-1);
	} else if (unlinkat(dir->ufd, w->name, 0) == -1)
		return (-1);
	/* The name is gone: nothing that fails now can undo that. */
	if (links_cover(m, n) == 0)
		(void)links_drop(m, n);
	return (0);
}

int
merge_unlink(struct merge *m, const char *path)
{
	struct walk	 w;
	int		 ret = -1;

	if (walk_start(m, path, WALK_PARENT, &w) == -1)
		return (-1);
	if (w.last != LAST_NORM)
		errno = EISDIR;
	else if (!node_exists(&w.node))
		errno = ENOENT;
	else if (w.slash)
		errno = node_isdir(&w.node) ? EISDIR : ENOTDIR;
	else if (walk_may_delete(m, &w, 0) == 0)
		ret = remove_node(m, &w);
	walk_end(&w);
	return (ret);
}

int
merge_rmdir(struct merge *m, const char *path)
{
	struct walk	 w;
	int		 ret = -1;

	if (walk_start(m, path, WALK_PARENT, &w) == -1)
		return (-1);
	if (w.last == LAST_DOT)
		errno = EINVAL;
	else if (w.last == LAST_DOTDOT)
		errno = ENOTEMPTY;
	else if (w.last == LAST_ROOT)
		errno = EBUSY;
	else if (!node_exists(&w.node))
		errno = ENOENT;
	else if (walk_may_delete(m, &w, 1) == 0 &&
	    dir_empty(&w.node) == 0) {
		ret = remove_node(m, &w);
		merge_forget(m);
	}
	walk_end(&w);
	return (ret);
}
