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
 * New directories, FIFOs, sockets, files and symbolic links.  Where nothing of
 * the name is in upper or lower, the kernel makes them in place, with
 * what they inherit; elsewhere they are made in work and replace the whiteout.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "merge-node.h"

/* Make it; 0, or for a file its descriptor. */
static int
create_at(const struct create *c, int dir, const char *name)
{
	mode_t	 old;
	int	 ret;

	old = umask(c->mask);
	switch (c->type) {
	case S_IFDIR:
		ret = mkdirat(dir, name, c->mode);
		break;
	case S_IFLNK:
		ret = symlinkat(c->target, dir, name);
		break;
	case S_IFREG:
		ret = openat(dir, name, c->flags | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, c->mode);
		break;
	default:
		ret = mknodat(dir, name, c->type | c->mode, 0);
		break;
	}
	umask(old);
	return (ret);
}

/*
 * A new directory in work: it hides what lower has of the name, and works
 * whatever its mode is.
 */
static int
create_dir_finish(struct merge *m, int dir, const char *name, int opaque)
{
	struct node	 n;
	struct mark	 mark;
	char		 path[PROC_FD_SIZE];
	int		 ret = -1;

	node_init(&n);
	if ((n.ufd = path_open(dir, name)) == -1 ||
	    fd_statx(n.ufd, &n.sx) == -1)
		goto done;
	memset(&mark, 0, sizeof(mark));
	mark.mode = n.sx.stx_mode & 07777;
	mark.uid = n.sx.stx_uid;
	mark.gid = n.sx.stx_gid;
	mark.set = !m->capable && (mark.mode & 0700) != 0700;
	if (mark.set && (fchmodat(AT_FDCWD, fd_proc(n.ufd, path),
	    mark_real(&mark, S_IFDIR), 0) == -1 ||
	    mark_write(n.ufd, &mark) == -1))
		goto done;
	if (opaque && mark_opaque(&n) == -1)
		goto done;
	ret = 0;
 done:
	node_free(&n);
	return (ret);
}

static int
create_staged(struct merge *m, struct walk *w, const struct create *c,
    int opaque)
{
	struct node	*dir = walk_parent(w);
	struct stage	 st;
	char		 tmp[STAGE_NAME_SIZE];
	int		 fd, ret = -1;

	if (scratch_open(m, dir, &st) == -1)
		return (-1);
	scratch_name(m, tmp);
	if ((fd = create_at(c, st.fd, tmp)) == -1)
		goto done;
	if (c->type == S_IFDIR &&
	    create_dir_finish(m, st.fd, tmp, opaque) == -1)
		goto fail;
	if (stage_place(st.fd, tmp, dir->ufd, w->name,
	    c->type == S_IFDIR) == -1)
		goto fail;
	ret = fd;
	goto done;
 fail:
	if (c->type == S_IFREG)
		fd_close(&fd);
	if (st.name[0] == '\0')
		(void)scratch_remove(m, tmp);
	else
		(void)unlinkat(st.fd, tmp, c->type == S_IFDIR ?
		    AT_REMOVEDIR : 0);
 done:
	stage_close(m, &st);
	return (ret);
}

/*
 * Whether a new directory may come out with a mode that needs a mark: by what
 * was asked for, or by a default ACL.
 */
static int
create_marked(struct merge *m, const struct node *dir, const struct create *c)
{
	char	 path[PROC_FD_SIZE];

	if (c->type != S_IFDIR || m->capable)
		return (0);
	return ((c->mode & ~c->mask & 0700) != 0700 ||
	    getxattr(fd_proc(dir->ufd, path), XATTR_ACL_NEW, NULL, 0) > 0);
}

/*
 * Make something at the place of a walk, where the view has nothing.  The
 * caller has looked at permissions.
 */
int
create(struct merge *m, struct walk *w, const struct create *c)
{
	struct node	*dir;
	int		 fd, lower;

	if (copyup_parents(m, w) == -1 || room_take(m, room_inode(c->type,
	    c->target == NULL ? 0 : strlen(c->target))) == -1)
		return (-1);
	dir = walk_parent(w);
	if ((lower = node_has_lower(dir, w->name)) == -1)
		return (-1);
	if (lower || create_marked(m, dir, c))
		return (create_staged(m, w, c, lower));
	if ((fd = create_at(c, dir->ufd, w->name)) != -1 || errno != EEXIST)
		return (fd);
	/* A whiteout over nothing. */
	return (create_staged(m, w, c, 0));
}

/* What the kernel checks before it makes something of a name. */
int
create_check(struct merge *m, struct walk *w, int isdir)
{
	if (w->last != LAST_NORM || node_exists(&w->node)) {
		errno = EEXIST;
		return (-1);
	}
	if (w->slash && !isdir) {
		errno = ENOENT;
		return (-1);
	}
	return (walk_may_create(m, w));
}

static int
create_path(struct merge *m, const char *path, const struct create *c)
{
	struct walk	 w;
	int		 fd = -1;

	if (walk_start(m, path, WALK_PARENT, &w) == -1)
		return (-1);
	if (create_check(m, &w, c->type == S_IFDIR) == 0)
		fd = create(m, &w, c);
	walk_end(&w);
	if (fd == -1)
		return (-1);
	if (c->type == S_IFREG)
		fd_close(&fd);
	return (0);
}

int
merge_mkdir(struct merge *m, const char *path, mode_t mode, mode_t mask)
{
	struct create	 c = {
		.type = S_IFDIR, .mode = mode & 01777, .mask = mask
	};

	return (create_path(m, path, &c));
}

/* Devices are nobody's to make here, and 0:0 is a whiteout. */
int
merge_mknod(struct merge *m, const char *path, mode_t mode, mode_t mask)
{
	struct create	 c = {
		.type = mode & S_IFMT, .mode = mode & 07777, .mask = mask,
		.flags = O_WRONLY
	};

	if (c.type == 0)
		c.type = S_IFREG;
	switch (c.type) {
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		return (create_path(m, path, &c));
	case S_IFCHR:
	case S_IFBLK:
	case S_IFDIR:
		errno = EPERM;
		return (-1);
	default:
		errno = EINVAL;
		return (-1);
	}
}

int
merge_symlink(struct merge *m, const char *target, const char *path,
    mode_t mask)
{
	struct create	 c = {
		.type = S_IFLNK, .target = target, .mask = mask
	};

	if (target[0] == '\0') {
		errno = ENOENT;
		return (-1);
	}
	return (create_path(m, path, &c));
}
