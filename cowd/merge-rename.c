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
 * Renames.  The source, and for an exchange the target, are in upper before;
 * then one rename shows the new state and hides what lower has of the old name.
 * A directory of lower moves by its own counterpart alone, which remembers
 * where its lower directory is.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

/* Whether the node of a is a directory that the parent of b lies in or is. */
static int
rename_above(const struct walk *a, const struct walk *b)
{
	size_t	 i;

	if (!node_isdir(&a->node) || b->nlevels <= a->nlevels)
		return (0);
	for (i = 1; i < a->nlevels; i++)
		if (strcmp(a->levels[i].name, b->levels[i].name) != 0)
			return (0);
	return (strcmp(a->name, b->levels[i].name) == 0);
}

static int
rename_same_dir(const struct walk *a, const struct walk *b)
{
	size_t	 i;

	if (a->nlevels != b->nlevels)
		return (0);
	for (i = 1; i < a->nlevels; i++)
		if (strcmp(a->levels[i].name, b->levels[i].name) != 0)
			return (0);
	return (1);
}

/* What the names say, in the kernel's order; 0 or an errno. */
static int
rename_names(const struct walk *a, const struct walk *b, unsigned int flags)
{
	int	 exchange = (flags & RENAME_EXCHANGE) != 0;

	if (a->last != LAST_NORM)
		return (EBUSY);
	if (b->last != LAST_NORM)
		return ((flags & RENAME_NOREPLACE) != 0 ? EEXIST : EBUSY);
	if (!node_exists(&a->node))
		return (ENOENT);
	if ((flags & RENAME_NOREPLACE) != 0 && node_exists(&b->node))
		return (EEXIST);
	if (exchange && !node_exists(&b->node))
		return (ENOENT);
	if (exchange && !node_isdir(&b->node) && b->slash)
		return (ENOTDIR);
	if (!node_isdir(&a->node) && (a->slash || (!exchange && b->slash)))
		return (ENOTDIR);
	if (rename_above(a, b))
		return (EINVAL);
	if (rename_above(b, a))
		return (exchange ? EINVAL : ENOTEMPTY);
	return (0);
}

/* A directory that gets another parent has its ".." written. */
static int
rename_may_move(struct merge *m, const struct node *n)
{
	return (node_isdir(n) ? node_access(m, n, W_OK) : 0);
}

static int
rename_check(struct merge *m, struct walk *a, struct walk *b, int exchange)
{
	int	 isdir = node_isdir(&a->node);

	if (walk_may_delete(m, a, isdir) == -1)
		return (-1);
	if (!node_exists(&b->node)) {
		if (walk_may_create(m, b) == -1)
			return (-1);
	} else if (walk_may_delete(m, b, exchange ? node_isdir(&b->node) :
	    isdir) == -1)
		return (-1);
	if (!rename_same_dir(a, b) && (rename_may_move(m, &a->node) == -1 ||
	    (exchange && rename_may_move(m, &b->node) == -1)))
		return (-1);
	if (isdir && !exchange && node_exists(&b->node))
		return (dir_empty(&b->node));
	return (0);
}

/*
 * What upper has at the place of a gets ready for the place of b.  A listing
 * there must look its number up.  A directory must go on merging with the
 * lower directory it has now, or with none.  Where it is, this makes no
 * difference.
 */
static int
rename_prepare(struct walk *a, struct walk *b)
{
	char	 path[REDIRECT_MAX + 1];
	int	 lower;

	if (a->node.number.set && mark_impure(walk_parent(b)) == -1)
		return (-1);
	if (!node_isdir(&a->node))
		return (0);
	if (a->node.lfd != -1) {
		if (walk_lower(a, path) == -1)
			return (-1);
		return (mark_redirect(&a->node, path));
	}
	if ((lower = node_has_lower(walk_parent(b), b->name)) == -1)
		return (-1);
	return (lower || a->node.redirect != NULL ? mark_opaque(&a->node) : 0);
}

/* An empty directory that shows nothing of lower is empty for the kernel. */
static int
rename_clear(struct walk *b)
{
	if (!node_isdir(&b->node) || b->node.ufd == -1)
		return (0);
	if (mark_opaque(&b->node) == -1)
		return (-1);
	return (dir_clear(b->node.ufd));
}

/* Move a directory to a name that the view does not have. */
static int
rename_dir(struct node *from, const char *a, struct node *to, const char *b,
    int lower)
{
	if (renameat2(from->ufd, a, to->ufd, b, RENAME_NOREPLACE |
	    (lower ? RENAME_WHITEOUT : 0)) == 0)
		return (0);
	/* A whiteout is there, which then is where the directory was. */
	if (errno != EEXIST || renameat2(from->ufd, a, to->ufd, b,
	    RENAME_EXCHANGE) == -1)
		return (-1);
	if (!lower)
		(void)unlinkat(from->ufd, a, 0);
	return (0);
}

static int
rename_replace(struct merge *m, struct walk *a, struct walk *b)
{
	struct node	*from = walk_parent(a), *to = walk_parent(b);
	int		 lower, ret;

	if ((lower = node_has_lower(from, a->name)) == -1 ||
	    rename_clear(b) == -1 ||
	    (lower && room_take(m, ROOM_UNIT) == -1))
		return (-1);
	room_gone(m, &b->node);
	if (node_isdir(&a->node) && b->node.ufd == -1)
		ret = rename_dir(from, a->name, to, b->name, lower);
	else
		ret = renameat2(from->ufd, a->name, to->ufd, b->name,
		    lower ? RENAME_WHITEOUT : 0);
	if (ret == -1)
		return (-1);
	/* Done, but for the number of links of what was replaced. */
	if (links_cover(m, &b->node) == 0)
		(void)links_drop(m, &b->node);
	return (0);
}

static int
rename_exchange(struct merge *m, struct walk *a, struct walk *b)
{
	if (copyup(m, b, 0) == -1 || rename_prepare(a, b) == -1 ||
	    rename_prepare(b, a) == -1)
		return (-1);
	return (renameat2(walk_parent(a)->ufd, a->name, walk_parent(b)->ufd,
	    b->name, RENAME_EXCHANGE));
}

static int
rename_walks(struct merge *m, struct walk *a, struct walk *b,
    unsigned int flags)
{
	int	 error, exchange = (flags & RENAME_EXCHANGE) != 0;

	if ((error = rename_names(a, b, flags)) != 0) {
		errno = error;
		return (-1);
	}
	if (node_exists(&b->node) && statx_same(&a->node.sx, &b->node.sx))
		return (0);
	if (rename_check(m, a, b, exchange) == -1)
		return (-1);
	if (copyup(m, a, 0) == -1 || copyup_parents(m, a) == -1 ||
	    copyup_parents(m, b) == -1)
		return (-1);
	if (exchange)
		return (rename_exchange(m, a, b));
	if (rename_prepare(a, b) == -1)
		return (-1);
	return (rename_replace(m, a, b));
}

int
merge_rename(struct merge *m, const char *from, const char *to,
    unsigned int flags)
{
	struct walk	 a, b;
	int		 ret;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)) {
		errno = EINVAL;
		return (-1);
	}
	if (walk_start(m, from, WALK_PARENT, &a) == -1)
		return (-1);
	if (walk_start(m, to, WALK_PARENT, &b) == -1) {
		walk_end(&a);
		return (-1);
	}
	ret = rename_walks(m, &a, &b, flags);
	if (node_isdir(&a.node) || node_isdir(&b.node))
		merge_forget(m);
	walk_end(&a);
	walk_end(&b);
	return (ret);
}
