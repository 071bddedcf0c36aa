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
 * Resolution of view paths, a component at a time, in the merged view.  The
 * way is remembered as names and a limited number of descriptors, so that the
 * depth of a tree costs memory only; ".." goes back on that way, never to
 * whatever the directory lies in on disk.  Reads only.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

/* Directories on the way whose descriptors stay open, besides the top's. */
#define WALK_OPEN	32
/* The kernel's limit. */
#define WALK_LINKS	40

struct cursor {
	char	*text;
	size_t	 off;
	char	 name[NAME_MAX + 2];	/* one more: the kernel refuses it */
	int	 last;
	int	 slash;
	int	 nlinks;
};

struct node *
walk_parent(struct walk *w)
{
	return (&w->levels[w->nlevels - 1].node);
}

/* What is the cache's is not closed here. */
static void
level_uncache(struct level *l)
{
	if (l->cached == NULL)
		return;
	cache_release(l->cached, &l->node);
	l->cached = NULL;
	node_init(&l->node);
}

/* The last level goes. */
static void
walk_pop(struct walk *w)
{
	struct level	*l = &w->levels[--w->nlevels];

	free(l->name);
	level_uncache(l);
	node_free(&l->node);
}

void
walk_end(struct walk *w)
{
	int	 saved_errno = errno;

	while (w->nlevels > 0)
		walk_pop(w);
	free(w->levels);
	free(w->name);
	node_free(&w->node);
	memset(w, 0, sizeof(*w));
	node_init(&w->node);
	errno = saved_errno;
}

/* One more level, of a name or the top. */
static struct level *
walk_level(struct walk *w, const char *name, size_t len)
{
	struct level	*levels, *l;
	size_t		 size;

	if (w->nlevels == w->size) {
		size = w->size == 0 ? 16 : w->size * 2;
		if ((levels = reallocarray(w->levels, size,
		    sizeof(*levels))) == NULL)
			return (NULL);
		w->levels = levels;
		w->size = size;
	}
	l = &w->levels[w->nlevels];
	memset(l, 0, sizeof(*l));
	node_init(&l->node);
	if (name != NULL && (l->name = strndup(name, len)) == NULL)
		return (NULL);
	w->nlevels++;
	return (l);
}

/* A directory becomes the last level; the node is taken also on failure. */
static int
walk_push(struct walk *w, const char *name, struct node *n)
{
	struct level	*l, *far;

	if ((l = walk_level(w, name, name == NULL ? 0 : strlen(name))) == NULL)
		goto fail;
	l->node = *n;
	l->upper = n->ufd != -1;
	node_init(n);
	if (w->nlevels > WALK_OPEN + 1) {
		far = &w->levels[w->nlevels - 1 - WALK_OPEN];
		level_uncache(far);
		fd_close(&far->node.ufd);
		fd_close(&far->node.lfd);
	}
	return (0);
 fail:
	node_free(n);
	return (-1);
}

static int
walk_top(struct merge *m, struct node *n)
{
	node_init(n);
	if ((n->ufd = fcntl(m->upper, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    (n->lfd = fcntl(m->lower, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    node_load(m, n) == -1) {
		node_free(n);
		return (-1);
	}
	return (0);
}

/* Open the last level again, and those before it as far as they stay open. */
static int
walk_reopen(struct merge *m, struct walk *w)
{
	struct node	 n, next;
	struct level	*l;
	size_t		 i;

	if (node_exists(walk_parent(w)))
		return (0);
	if (walk_top(m, &n) == -1)
		return (-1);
	for (i = 1; i < w->nlevels; i++) {
		l = &w->levels[i];
		if (node_get(m, &n, l->name, &next) == -1)
			goto fail;
		if (!node_isdir(&next)) {
			node_free(&next);
			errno = ENOENT;
			goto fail;
		}
		if (i > 1 && i + WALK_OPEN > w->nlevels)
			w->levels[i - 1].node = n;
		else
			node_free(&n);
		n = next;
		if (i + WALK_OPEN >= w->nlevels) {
			level_uncache(l);
			node_free(&l->node);
		}
	}
	*walk_parent(w) = n;
	return (0);
 fail:
	node_free(&n);
	return (-1);
}

/* The next component; 0 at the end of the path. */
static int
cursor_next(struct cursor *c)
{
	const char	*p;
	size_t		 len;

	while (c->text[c->off] == '/')
		c->off++;
	p = c->text + c->off;
	if ((len = strcspn(p, "/")) == 0)
		return (0);
	/* Too long is for the file system to say, after its permissions. */
	if (len > NAME_MAX)
		snprintf(c->name, sizeof(c->name), "%.*s", NAME_MAX + 1, p);
	else
		snprintf(c->name, sizeof(c->name), "%.*s", (int)len, p);
	c->off += len;
	c->slash = c->text[c->off] == '/';
	len = strspn(c->text + c->off, "/");
	c->last = c->text[c->off + len] == '\0';
	return (1);
}

static int
walk_outside(struct merge *m, struct cursor *c)
{
	free(m->outside);
	m->outside = c->text;
	m->nlinks = c->nlinks;
	c->text = NULL;
	errno = MERGE_OUTSIDE;
	return (-1);
}

/* Put the text of a symbolic link before what is left of the path. */
static int
walk_link(struct merge *m, const struct node *link, struct cursor *c)
{
	char	 target[PATH_MAX + 1], *text;
	ssize_t	 n;

	if (c->nlinks++ >= WALK_LINKS) {
		errno = ELOOP;
		return (-1);
	}
	if ((n = readlinkat(node_fd(link), "", target, PATH_MAX)) == -1)
		return (-1);
	target[n] = '\0';
	if (n == 0) {
		errno = ENOENT;
		return (-1);
	}
	if (asprintf(&text, "%s%s", target, c->text + c->off) == -1)
		return (-1);
	free(c->text);
	c->text = text;
	c->off = 0;
	if (text[0] == '/')
		return (walk_outside(m, c));
	return (0);
}

static int
walk_up(struct merge *m, struct walk *w, struct cursor *c)
{
	char	*text;

	if (w->nlevels == 1) {
		if (asprintf(&text, "..%s", c->text + c->off) == -1)
			return (-1);
		free(c->text);
		c->text = text;
		return (walk_outside(m, c));
	}
	walk_pop(w);
	return (walk_reopen(m, w));
}

/* The path ended in a directory that is a level: make it the node. */
static int
walk_settle(struct merge *m, struct walk *w)
{
	struct level	*l;

	if (w->nlevels == 1) {
		if ((w->name = strdup("")) == NULL)
			return (-1);
		return (walk_top(m, &w->node));
	}
	l = &w->levels[w->nlevels - 1];
	if (l->cached != NULL) {
		/* As it was then: its status has to be that of now. */
		level_uncache(l);
		if (walk_reopen(m, w) == -1)
			return (-1);
	}
	w->nlevels--;
	w->name = l->name;
	w->node = l->node;
	return (walk_reopen(m, w));
}

/* "." and "..": as the kernel, only after asking for search permission. */
static int
walk_dots(struct merge *m, struct walk *w, struct cursor *c, int flags)
{
	w->last = c->name[1] == '\0' ? LAST_DOT : LAST_DOTDOT;
	if (node_access(m, walk_parent(w), X_OK) == -1)
		return (-1);
	if (c->last && (flags & WALK_PARENT) != 0)
		return (0);
	if (w->last == LAST_DOTDOT && walk_up(m, w, c) == -1)
		return (-1);
	if (c->last)
		return (walk_settle(m, w));
	return (0);
}

/* The last component was looked up; n becomes the result. */
static int
walk_finish(struct walk *w, struct cursor *c, int flags, struct node *n)
{
	w->slash = c->slash;
	if ((w->name = strdup(c->name)) == NULL)
		goto fail;
	if (!node_exists(n) && (flags & (WALK_PARENT | WALK_MISSING)) == 0) {
		errno = ENOENT;
		goto fail;
	}
	if (node_exists(n) && (flags & WALK_PARENT) == 0 && c->slash &&
	    !node_isdir(n)) {
		errno = ENOTDIR;
		goto fail;
	}
	w->node = *n;
	return (0);
 fail:
	node_free(n);
	return (-1);
}

/* An ordinary component; 1 when it was the last. */
static int
walk_name(struct merge *m, struct walk *w, struct cursor *c, int flags)
{
	struct node	 n;
	int		 ret;

	w->last = LAST_NORM;
	if (c->last && c->slash && (flags & WALK_CREAT) != 0) {
		if (node_access(m, walk_parent(w), X_OK) == 0)
			errno = EISDIR;
		return (-1);
	}
	if (node_get(m, walk_parent(w), c->name, &n) == -1)
		return (-1);
	if (node_exists(&n) && S_ISLNK(n.sx.stx_mode) && (!c->last ||
	    ((flags & WALK_PARENT) == 0 &&
	    ((flags & WALK_FOLLOW) != 0 || c->slash)))) {
		ret = walk_link(m, &n, c);
		node_free(&n);
		return (ret);
	}
	if (c->last)
		return (walk_finish(w, c, flags, &n) == -1 ? -1 : 1);
	if (!node_isdir(&n)) {
		errno = node_exists(&n) ? ENOTDIR : ENOENT;
		node_free(&n);
		return (-1);
	}
	return (walk_push(w, c->name, &n));
}

/* No path, but what merge_give() was given, if it is of the branch. */
static int
walk_given(struct merge *m, struct walk *w)
{
	struct node	*n = &w->node;
	int		 known;

	if ((n->ufd = fcntl(m->given, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    fd_statx(n->ufd, &n->sx) == -1 ||
	    (known = links_known(m, &n->sx)) == -1)
		goto fail;
	if (!known) {
		errno = EXDEV;
		goto fail;
	}
	known = n->sx.stx_nlink;
	if (node_load(m, n) == -1 || (known == 1 && links_view(m, n) == -1) ||
	    (w->name = strdup("")) == NULL)
		goto fail;
	return (0);
 fail:
	walk_end(w);
	return (-1);
}

/*
 * Begin in the directory of a path, if it is kept: 1, and what is left is the
 * last component.  The directories before it are not opened.
 */
static int
walk_shortcut(struct merge *m, struct walk *w, struct cursor *c)
{
	struct cached	*dir;
	struct level	*l;
	size_t		 end, len, off;

	for (end = strlen(c->text); end > 0 && c->text[end - 1] == '/'; end--)
		continue;
	for (off = end; off > 0 && c->text[off - 1] != '/'; off--)
		continue;
	len = off == 0 ? 0 : off - 1;
	if ((dir = cache_find(m, c->text, len)) == NULL)
		return (0);
	if ((l = walk_level(w, NULL, 0)) == NULL)
		goto fail;
	for (end = 0; end < len; end += strcspn(c->text + end, "/") + 1) {
		l->upper = 1;
		if ((l = walk_level(w, c->text + end,
		    strcspn(c->text + end, "/"))) == NULL)
			goto fail;
	}
	l->upper = 1;
	l->node = *cache_node(dir);
	l->cached = dir;
	c->off = off;
	return (1);
 fail:
	cache_release(dir, cache_node(dir));
	return (-1);
}

/*
 * The path in lower of a directory on the way, if it is merged: the last
 * redirect and the names after it.  "" for the top.
 */
static int
walk_level_lower(const struct walk *w, size_t n, char path[REDIRECT_MAX + 1])
{
	const char	*base = NULL;
	size_t		 i, size = REDIRECT_MAX + 1;

	for (i = n + 1; i > 0 && base == NULL;) {
		i--;
		base = w->levels[i].cached != NULL ?
		    cache_lower(w->levels[i].cached) :
		    w->levels[i].node.redirect;
	}
	if (strlcpy(path, base == NULL ? "" : base, size) >= size)
		return (-1);
	for (i++; i <= n; i++)
		if (strlcat(path, "/", size) >= size ||
		    strlcat(path, w->levels[i].name, size) >= size)
			return (-1);
	return (0);
}

/* Keep the directory in which a walk has ended. */
static void
walk_keep(struct merge *m, struct walk *w)
{
	struct level	*l = &w->levels[w->nlevels - 1];
	char		 lower[REDIRECT_MAX + 1], *path;

	if (l->cached != NULL || l->node.ufd == -1 || w->last != LAST_NORM ||
	    walk_level_lower(w, w->nlevels - 1, lower) == -1 ||
	    (path = walk_parent_path(w)) == NULL)
		return;
	/* A path that begins with "." is another spelling. */
	l->cached = cache_keep(m, w->nlevels == 1 ? "" : path,
	    l->node.lfd == -1 ? NULL : lower, &l->node);
	free(path);
}

/* Resolve a path; walk_end() is needed only after success. */
int
walk_start(struct merge *m, const char *path, int flags, struct walk *w)
{
	struct cursor	 c;
	struct node	 top;
	int		 ret = 0;

	memset(&c, 0, sizeof(c));
	memset(w, 0, sizeof(*w));
	node_init(&w->node);
	w->last = LAST_ROOT;
	if (path[0] == '\0') {
		if (m->given != -1 && (flags & ~WALK_FOLLOW) == 0)
			return (walk_given(m, w));
		errno = ENOENT;
		return (-1);
	}
	if ((c.text = strdup(path)) == NULL)
		return (-1);
	if (path[0] == '/') {
		ret = walk_outside(m, &c);
		goto done;
	}
	if ((ret = walk_shortcut(m, w, &c)) == 0 &&
	    (ret = walk_top(m, &top)) == 0)
		ret = walk_push(w, NULL, &top);
	if (ret == -1)
		goto done;
	ret = 0;
	while (ret == 0 && cursor_next(&c)) {
		if (strcmp(c.name, ".") != 0 && strcmp(c.name, "..") != 0) {
			ret = walk_name(m, w, &c, flags);
			continue;
		}
		if ((ret = walk_dots(m, w, &c, flags)) == 0 && c.last)
			ret = 1;
	}
	if (ret != -1)
		walk_keep(m, w);
 done:
	if (ret == -1)
		walk_end(w);
	free(c.text);
	return (ret == -1 ? -1 : 0);
}

/* The canonical view path of the parent, which the caller frees. */
char *
walk_parent_path(const struct walk *w)
{
	size_t	 i, len, size = 2;
	char	*path;

	for (i = 1; i < w->nlevels; i++)
		size += strlen(w->levels[i].name) + 1;
	if ((path = malloc(size)) == NULL)
		return (NULL);
	strlcpy(path, ".", size);
	for (i = 1, size = 0; i < w->nlevels; i++) {
		if (i > 1)
			path[size++] = '/';
		len = strlen(w->levels[i].name);
		memcpy(path + size, w->levels[i].name, len + 1);
		size += len;
	}
	return (path);
}

/* The path in lower of a merged directory that a walk has led to. */
int
walk_lower(const struct walk *w, char path[REDIRECT_MAX + 1])
{
	size_t	 size = REDIRECT_MAX + 1;

	if (w->node.redirect != NULL) {
		if (strlcpy(path, w->node.redirect, size) < size)
			return (0);
	} else if (walk_level_lower(w, w->nlevels - 1, path) == 0 &&
	    strlcat(path, "/", size) < size &&
	    strlcat(path, w->name, size) < size)
		return (0);
	errno = EXDEV;
	return (-1);
}

int
walk_may_create(const struct merge *m, struct walk *w)
{
	return (node_access(m, walk_parent(w), W_OK | X_OK));
}

/*
 * The kernel's order: permission, then the sticky bit, then the kinds.  The top
 * cannot get here: paths that end in dots were refused.
 */
int
walk_may_delete(const struct merge *m, struct walk *w, int isdir)
{
	const struct node	*dir = walk_parent(w);

	if (node_access(m, dir, W_OK | X_OK) == -1)
		return (-1);
	if (node_fixed(dir) || node_fixed(&w->node) ||
	    ((dir->sx.stx_mode & S_ISVTX) != 0 && !node_owned(m, &w->node) &&
	    !node_owned(m, dir))) {
		errno = EPERM;
		return (-1);
	}
	if (isdir != node_isdir(&w->node)) {
		errno = isdir ? ENOTDIR : EISDIR;
		return (-1);
	}
	return (0);
}

int
merge_lookup(struct merge *m, const char *path, int flags,
    struct merge_entry *e)
{
	struct walk	 w;
	int		 how = 0;

	memset(e, 0, sizeof(*e));
	e->fd = -1;
	if ((flags & AT_SYMLINK_NOFOLLOW) == 0)
		how |= WALK_FOLLOW;
	if ((flags & MERGE_MISSING) != 0)
		how |= WALK_MISSING;
	if (walk_start(m, path, how, &w) == -1)
		return (-1);
	e->parent = walk_parent_path(&w);
	e->name = strdup(w.name);
	if (e->parent == NULL || e->name == NULL) {
		walk_end(&w);
		merge_entry_free(e);
		return (-1);
	}
	e->upper = w.node.ufd != -1;
	e->merged = node_isdir(&w.node) && e->upper && w.node.lfd != -1;
	node_show(&w.node, &e->sx);
	if (e->upper) {
		e->fd = w.node.ufd;
		w.node.ufd = -1;
	} else {
		e->fd = w.node.lfd;
		w.node.lfd = -1;
	}
	walk_end(&w);
	return (0);
}

void
merge_entry_free(struct merge_entry *e)
{
	fd_close(&e->fd);
	free(e->parent);
	free(e->name);
	memset(e, 0, sizeof(*e));
	e->fd = -1;
}

ssize_t
merge_readlink(struct merge *m, const char *path, char *buf, size_t size)
{
	struct walk	 w;
	ssize_t		 n = -1;

	if (walk_start(m, path, 0, &w) == -1)
		return (-1);
	if (!S_ISLNK(w.node.sx.stx_mode) || size == 0)
		errno = EINVAL;
	else
		n = readlinkat(node_fd(&w.node), "", buf, size);
	walk_end(&w);
	return (n);
}
