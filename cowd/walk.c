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
 * The walk that the list of changes, the plan of a commit and the copy into
 * a staging directory have in common.  A directory is listed as a whole and
 * sorted, then its entries are handed out one by one; which of them are
 * entered, and how, the caller says.  The way down is an array, never the
 * stack.  A mode that it changed to get in is put back when it leaves.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "branchfs.h"
#include "fs.h"
#include "walk.h"

#define WALK_BUFSIZE	32768

int
inode_whiteout(const struct inode *in)
{
	return (S_ISCHR(in->mode) && in->rdev == 0);
}

int
inode_own(const struct inode *in)
{
	return (in->uid == geteuid());
}

int
inode_lacks(const struct inode *in, mode_t bits)
{
	return (inode_own(in) && (in->mode & bits) != bits);
}

static struct walk_level *
walk_top(struct walk *w)
{
	return (&w->levels[w->n - 1]);
}

const char *
walk_path(const struct walk *w)
{
	return (w->path == NULL ? "" : w->path);
}

/* The path becomes that of a name in the last level. */
static int
path_set(struct walk *w, const char *name)
{
	size_t	 base = w->n == 0 ? 0 : walk_top(w)->pathlen, size;
	size_t	 len = strlen(name);
	char	*path;

	if (base + len + 2 > w->pathsize) {
		size = (base + len + 2) * 2;
		if ((path = realloc(w->path, size)) == NULL)
			return (-1);
		w->path = path;
		w->pathsize = size;
	}
	if (base > 0)
		w->path[base++] = '/';
	memcpy(w->path + base, name, len + 1);
	w->pathlen = base + len;
	return (0);
}

/*
 * Names sort by their bytes.  What lies in a directory sorts as if the name
 * of the directory had a slash behind it, which some bytes are smaller than.
 */
static int
name_before_inside(const char *name, const char *dir)
{
	size_t	 len = strlen(dir);

	if (strncmp(name, dir, len) == 0)
		return ((unsigned char)name[len] < '/');
	return (strcmp(name, dir) < 0);
}

static int
level_add(struct walk_level *l, const struct dirent64 *de, int side)
{
	struct walk_name	*list;
	char			*names;
	size_t			 len = strlen(de->d_name) + 1, size;

	if (l->n == l->size) {
		size = l->size == 0 ? 16 : l->size * 2;
		if ((list = reallocarray(l->list, size,
		    sizeof(*list))) == NULL)
			return (-1);
		l->list = list;
		l->size = size;
	}
	if (l->nameslen + len > l->namessize) {
		size = (l->nameslen + len) * 2;
		if ((names = realloc(l->names, size)) == NULL)
			return (-1);
		l->names = names;
		l->namessize = size;
	}
	memcpy(l->names + l->nameslen, de->d_name, len);
	memset(&l->list[l->n], 0, sizeof(*list));
	l->list[l->n].name = l->nameslen;
	l->list[l->n].type[side] = de->d_type;
	if (side == LOWER)
		l->list[l->n].ino = de->d_ino;
	l->list[l->n].listed = 1 << side;
	l->nameslen += len;
	l->n++;
	return (0);
}

static int
level_list(struct walk *w, struct walk_level *l, int dir, int side)
{
	union {
		struct dirent64	 align;
		char		 bytes[WALK_BUFSIZE];
	}			 buf;
	const struct dirent64	*de;
	ssize_t			 n, off;
	int			 fd, saved_errno;

	if ((fd = fs_list(dir)) == -1)
		return (-1);
	while ((n = fs_getdents(fd, buf.bytes, sizeof(buf.bytes))) > 0) {
		for (off = 0; off < n; off += de->d_reclen) {
			de = (const void *)(buf.bytes + off);
			if (strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0)
				continue;
			if (w->n == 0 && w->hidden != NULL &&
			    strcmp(de->d_name, w->hidden) == 0)
				continue;
			if (w->n == 0 && w->served && (de->d_name[0] == '@' ||
			    strcmp(de->d_name, BRANCHFS_CTL) == 0))
				continue;
			if (level_add(l, de, side) == -1)
				goto fail;
		}
	}
	if (n == -1)
		goto fail;
	close(fd);
	return (0);
 fail:
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (-1);
}

static int
name_compare(const void *a, const void *b, void *names)
{
	const struct walk_name	*na = a, *nb = b;
	const char		*s = names;

	return (strcmp(s + na->name, s + nb->name));
}

/* Sort the names; one that both sides have becomes one entry. */
static void
level_sort(struct walk_level *l)
{
	struct walk_name	*last;
	size_t			 i, n = 0;
	int			 side;

	if (l->n == 0)
		return;
	qsort_r(l->list, l->n, sizeof(*l->list), name_compare, l->names);
	for (i = 1; i < l->n; i++) {
		last = &l->list[n];
		if (strcmp(l->names + last->name,
		    l->names + l->list[i].name) != 0) {
			l->list[++n] = l->list[i];
			continue;
		}
		last->listed |= l->list[i].listed;
		last->ino |= l->list[i].ino;
		for (side = 0; side < SIDES; side++)
			last->type[side] |= l->list[i].type[side];
	}
	l->n = n + 1;
}

static void
level_clear(struct walk_level *l)
{
	while (l->npending > 0)
		free(l->pending[--l->npending].jump);
	free(l->names);
	free(l->list);
	free(l->pending);
}

static int
mode_has(unsigned int mode, int side)
{
	return ((mode & WALK_HAS(side)) != 0);
}

static int
mode_lists(unsigned int mode, int side)
{
	return ((mode & WALK_LISTS(side)) == WALK_LISTS(side));
}

/* Whether this process can do in a directory what the walk has to. */
static int
directory_usable(int fd, int list)
{
	int	 probe;

	if ((probe = list ? fs_list(fd) : fs_enter(fd, ".")) == -1)
		return (errno == EACCES ? 0 : -1);
	close(probe);
	return (1);
}

/*
 * Make a directory usable if it is not.  A lower one that stays closed is
 * walked blindly: nothing in it can be seen.
 */
static int
level_open(struct walk *w, struct walk_level *l, int side)
{
	struct inode	 in;
	int		 fd = cursor_fd(&w->at[side]), ok;

	if ((ok = directory_usable(fd, mode_lists(l->mode, side))) != 0)
		return (ok == 1 ? 0 : -1);
	if (fs_stat(fd, "", &in) == -1)
		return (-1);
	ok = 0;
	if (inode_own(&in) && w->borrow != NULL &&
	    (ok = w->borrow(side, &in, l->tag, w->arg)) == -1)
		return (-1);
	if (!ok) {
		if (side == UPPER) {
			errno = EACCES;
			return (-1);
		}
		l->blind |= 1 << side;
		return (0);
	}
	if (fs_chmod(fd, in.mode | S_IRWXU) == -1)
		return (-1);
	l->borrowed |= 1 << side;
	l->own[side] = in.mode;
	return (0);
}

/* What level_push() has opened so far is the level's, so that it is undone. */
static int
level_fill(struct walk *w, struct walk_level *l)
{
	int	 side;

	for (side = 0; side < SIDES; side++) {
		if (!mode_has(l->mode, side))
			continue;
		if (level_open(w, l, side) == -1)
			return (-1);
		if (mode_lists(l->mode, side) && (l->blind & 1 << side) == 0 &&
		    level_list(w, l, cursor_fd(&w->at[side]), side) == -1)
			return (-1);
	}
	level_sort(l);
	return (0);
}

/*
 * The base goes on at another path.  Where it was is remembered with a single
 * descriptor, so that many of these can lie in each other.
 */
static int
level_jump(struct walk *w, struct walk_level *l, const char *path)
{
	int	 fd;

	if ((fd = fs_enter(w->lower, path)) == -1)
		return (-1);
	l->before = w->at[w->base];
	cursor_rest(&l->before);
	cursor_init(&w->at[w->base], fd);
	l->jumped = 1;
	return (0);
}

/* Back to where the base was. */
static void
level_return(struct walk *w, struct walk_level *l)
{
	int	 fd = w->at[w->base].top;

	cursor_free(&w->at[w->base]);
	close(fd);
	w->at[w->base] = l->before;
}

static int
level_enter(struct walk *w, struct walk_level *l, const char *name,
    const char *jump)
{
	int	 fd, side;

	for (side = 0; side < SIDES; side++) {
		if (!mode_has(l->mode, side))
			continue;
		if (jump != NULL && side == (int)w->base) {
			if (level_jump(w, l, jump) == -1)
				return (-1);
			continue;
		}
		if ((fd = fs_enter(cursor_fd(&w->at[side]), name)) == -1 ||
		    cursor_enter(&w->at[side], fd) == -1)
			return (-1);
		l->entered |= 1 << side;
	}
	return (0);
}

/*
 * Leave one side, and put its mode back after that: a directory that keeps
 * its owner out has no way up either.
 */
static int
level_leave(struct walk *w, struct walk_level *l, int side)
{
	struct inode	 in;
	int		 fd = -1, ret = 0;

	if ((l->borrowed & 1 << side) != 0 &&
	    (fd = fs_node(cursor_fd(&w->at[side]), "")) == -1)
		ret = -1;
	if ((l->entered & 1 << side) != 0 &&
	    cursor_leave(&w->at[side]) == -1)
		ret = -1;
	if (l->jumped && side == (int)w->base)
		level_return(w, l);
	if (fd != -1) {
		if (fs_chmod(fd, l->own[side]) == -1 ||
		    (w->returned != NULL && (fs_stat(fd, "", &in) == -1 ||
		    w->returned(side, &in, l->tag, w->arg) == -1)))
			ret = -1;
		close(fd);
	}
	return (ret);
}

static int
level_undo(struct walk *w, struct walk_level *l)
{
	int	 side, ret = 0;

	for (side = 0; side < SIDES; side++)
		if (level_leave(w, l, side) == -1)
			ret = -1;
	level_clear(l);
	return (ret);
}

/* name is NULL for the top.  The path is that of the directory. */
static int
level_push(struct walk *w, const char *name, unsigned int mode, size_t tag,
    const char *jump)
{
	struct walk_level	 l, *levels;
	size_t			 size;
	int			 saved_errno;

	if (w->n == w->size) {
		size = w->size == 0 ? 32 : w->size * 2;
		if ((levels = reallocarray(w->levels, size,
		    sizeof(*levels))) == NULL)
			return (-1);
		w->levels = levels;
		w->size = size;
	}
	memset(&l, 0, sizeof(l));
	l.mode = mode;
	l.tag = tag;
	l.pathlen = w->pathlen;
	if ((name != NULL && level_enter(w, &l, name, jump) == -1) ||
	    level_fill(w, &l) == -1 || (name != NULL && w->entered != NULL &&
	    w->entered(name, tag, w->arg) == -1)) {
		saved_errno = errno;
		(void)level_undo(w, &l);
		errno = saved_errno;
		return (-1);
	}
	w->levels[w->n++] = l;
	return (0);
}

static int
level_pop(struct walk *w)
{
	struct walk_level	 l = *walk_top(w);

	w->n--;
	return (level_undo(w, &l));
}

int
walk_open(struct walk *w, int lower, int upper, unsigned int mode, size_t tag)
{
	w->lower = lower;
	cursor_init(&w->at[LOWER], lower);
	cursor_init(&w->at[UPPER], upper);
	cursor_init(&w->at[BASE], -1);
	if (path_set(w, "") == -1)
		return (-1);
	return (level_push(w, NULL, mode, tag, NULL));
}

/* Enter the last directory that was put off. */
static int
pending_enter(struct walk *w)
{
	struct walk_level	*l = walk_top(w);
	struct walk_pending	 p = l->pending[--l->npending];
	const char		*name = l->names + p.name;
	int			 error, ret = -1;

	if (path_set(w, name) == 0)
		ret = level_push(w, name, p.mode, p.tag, p.jump);
	error = errno;
	free(p.jump);
	errno = error;
	return (ret);
}

static void
entry_fill(struct walk *w, struct walk_entry *e, const struct walk_name *wn)
{
	const struct walk_level	*l = walk_top(w);

	memset(e, 0, sizeof(*e));
	e->name = l->names + wn->name;
	e->path = w->path;
	e->mode = l->mode;
	e->tag = l->tag;
	e->listed = wn->listed;
	e->ino = wn->ino;
	memcpy(e->type, wn->type, sizeof(e->type));
}

int
walk_next(struct walk *w, struct walk_entry *e)
{
	struct walk_level	*l;
	const struct walk_name	*wn;

	while (w->n > 0) {
		l = walk_top(w);
		wn = l->next < l->n ? &l->list[l->next] : NULL;
		if (l->npending > 0 && (wn == NULL ||
		    !name_before_inside(l->names + wn->name, l->names +
		    l->pending[l->npending - 1].name))) {
			if (pending_enter(w) == -1)
				return (-1);
			continue;
		}
		if (wn != NULL) {
			l->next++;
			if (path_set(w, l->names + wn->name) == -1)
				return (-1);
			entry_fill(w, e, wn);
			return (1);
		}
		w->pathlen = l->pathlen;
		w->path[w->pathlen] = '\0';
		if (w->leaving != NULL && w->leaving(l->tag, w->arg) == -1)
			return (-1);
		if (level_pop(w) == -1)
			return (-1);
	}
	return (0);
}

int
walk_stat(struct walk *w, struct walk_entry *e, enum side side)
{
	const struct walk_level	*l = walk_top(w);

	e->present[side] = 0;
	if (!mode_has(l->mode, side))
		return (0);
	if ((l->blind & 1 << side) != 0) {
		errno = EACCES;
		return (-1);
	}
	if (fs_stat(cursor_fd(&w->at[side]), e->name, &e->in[side]) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (side == w->base && w->taken != NULL &&
	    S_ISDIR(e->in[side].mode) && w->taken(&e->in[side], w->arg))
		return (0);
	e->present[side] = 1;
	return (1);
}

int
walk_into_at(struct walk *w, unsigned int mode, size_t tag, const char *path)
{
	struct walk_level	*l = walk_top(w);
	struct walk_pending	*pending;
	size_t			 size;

	if (l->npending == l->pendingsize) {
		size = l->pendingsize == 0 ? 4 : l->pendingsize * 2;
		if ((pending = reallocarray(l->pending, size,
		    sizeof(*pending))) == NULL)
			return (-1);
		l->pending = pending;
		l->pendingsize = size;
	}
	pending = &l->pending[l->npending];
	pending->jump = NULL;
	if (path != NULL && (pending->jump = strdup(path)) == NULL)
		return (-1);
	pending->name = l->list[l->next - 1].name;
	pending->mode = mode;
	pending->tag = tag;
	l->npending++;
	return (0);
}

int
walk_into(struct walk *w, unsigned int mode, size_t tag)
{
	return (walk_into_at(w, mode, tag, NULL));
}

static int
opaque_read(int at, const char *name)
{
	char	 value[2];
	ssize_t	 n;

	n = fs_getxattr(at, name, "user.overlay.opaque", value, sizeof(value));
	if (n == -1)
		return (errno == ENODATA || errno == EOPNOTSUPP ? 0 :
		    errno == ERANGE ? 0 : -1);
	return (n == 1 && value[0] == 'y');
}

int
walk_opaque(struct walk *w, struct walk_entry *e, size_t tag)
{
	int	 at = cursor_fd(&w->at[UPPER]), fd, ok, saved_errno;

	if ((ok = opaque_read(at, e->name)) != -1 || errno != EACCES ||
	    !inode_own(&e->in[UPPER]) || w->borrow == NULL)
		return (ok);
	/* An attribute of the user's is as readable as the directory. */
	if ((ok = w->borrow(UPPER, &e->in[UPPER], tag, w->arg)) != 1) {
		if (ok == 0)
			errno = EACCES;
		return (-1);
	}
	if ((fd = fs_enter(at, e->name)) == -1)
		return (-1);
	if ((ok = fs_chmod(fd, e->in[UPPER].mode | S_IRWXU)) == 0) {
		ok = opaque_read(fd, "");
		saved_errno = errno;
		if (fs_chmod(fd, e->in[UPPER].mode) == -1)
			ok = -1;
		else
			errno = saved_errno;
	}
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return (ok);
}

int
walk_close(struct walk *w)
{
	int	 side, error = 0;

	while (w->n > 0)
		if (level_pop(w) == -1 && error == 0)
			error = errno;
	for (side = 0; side < SIDES; side++)
		cursor_free(&w->at[side]);
	free(w->levels);
	free(w->path);
	w->levels = NULL;
	w->path = NULL;
	if (error != 0) {
		errno = error;
		return (-1);
	}
	return (0);
}
