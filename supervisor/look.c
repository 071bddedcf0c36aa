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
 * Reads of names: status, permissions, links, attributes.  What the branch has
 * not changed the kernel answers for; the rest is read here in the merged view
 * and written into the caller's memory.
 *
 * Every CONTINUE of this file is harmless for one reason: Landlock mediates
 * none of these calls, and what the kernel finds, should the name be another
 * by then, is what a name that was not looked at would have found.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

/* What the calls accept besides AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. */
#define LOOK_FLAGS	(AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE | AT_EACCESS)

static uint64_t
argument(const struct request *rq, int slot)
{
	return (rq->notif.data.args[slot]);
}

/*
 * The name in a slot; 0 or an errno.  Several judge one call, by one and the
 * same name: it is read once.
 */
int
look_path(const struct request *rq, int slot, char *path, size_t size)
{
	static struct {
		int		 valid;
		uint64_t	 id;
		uint64_t	 addr;
		char		 name[PATH_MAX];
	}		 last;
	uint64_t	 addr = argument(rq, slot);

	if (!last.valid || last.id != rq->notif.id || last.addr != addr) {
		last.valid = 0;
		if (memory_string(rq->notif.pid, addr, last.name,
		    sizeof(last.name)) == -1)
			return (errno);
		last.valid = 1;
		last.id = rq->notif.id;
		last.addr = addr;
	}
	if (strlcpy(path, last.name, size) >= size)
		return (ENAMETOOLONG);
	tmp_note(rq, slot, path);
	return (0);
}

/*
 * A link of the view has led outside.  Where nothing was changed the kernel
 * finds that link, too; otherwise it gets the name that is meant.
 */
void
look_left(struct request *rq, int slot, struct place *pl)
{
	if (pl->left && (view_changed() || tmp_covers(pl->path)))
		rewrite_path(rq, slot, pl->path);
	else
		/* Outside Landlock decides, by whatever name. */
		notify_continue(rq);
}

static int
look_flags(const struct request *rq)
{
	int	 flags = 0;

	if (rq->call->flags != SLOT_NONE)
		flags = (int)argument(rq, rq->call->flags);
	if (rq->call->nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	return (flags);
}

static int
look_for_xattr(const struct request *rq)
{
	return (rq->call->class == CLASS_GETXATTR ||
	    rq->call->class == CLASS_LISTXATTR);
}

/*
 * The status of a file of the branch that a descriptor leads to, whatever name
 * it has left; the entry has none.  0, or -1 when the kernel knows.
 */
static int
look_branch(const struct request *rq, int fd, struct merge_entry *e)
{
	char	 name[64];

	memset(e, 0, sizeof(*e));
	snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)rq->notif.pid, fd);
	if ((e->fd = open(name, O_PATH | O_CLOEXEC)) == -1)
		return (-1);
	if (merge_describe(view_merge(), e->fd, &e->sx) == 0 &&
	    !S_ISDIR(e->sx.stx_mode))
		return (0);
	merge_entry_free(e);
	return (-1);
}

/* The same of a file of the working directory, of which no name is left. */
static int
look_gone(const struct request *rq, int fd, struct merge_entry *e)
{
	struct stat	 st;
	char		 name[64];

	if (task_stat(rq->notif.pid, fd, &st) == -1 || !gone_find(&st))
		return (-1);
	memset(e, 0, sizeof(*e));
	e->fd = -1;
	snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)rq->notif.pid, fd);
	if (statx(AT_FDCWD, name, 0, STATX_BASIC_STATS | STATX_BTIME,
	    &e->sx) == -1)
		return (-1);
	e->sx.stx_nlink = 0;
	return (0);
}

/* Whether an entry is what was opened: a directory may be either of its two. */
static int
look_same(const struct merge_entry *e, const struct stat *st)
{
	struct stat	 real;

	if (fstat(e->fd, &real) == -1)
		return (0);
	if (st->st_ino == real.st_ino && st->st_dev == real.st_dev)
		return (1);
	return (S_ISDIR(e->sx.stx_mode) && st->st_ino == e->sx.stx_ino &&
	    st->st_dev == makedev(e->sx.stx_dev_major, e->sx.stx_dev_minor));
}

/*
 * The entry of a descriptor that the branch may know better than the kernel: a
 * directory whose content is merged, a file whose owner or number cannot be
 * the true one.  0, or -1 when the kernel knows.
 */
static int
look_descriptor(struct request *rq, int fd, int listed, struct merge_entry *e)
{
	struct place	 pl;
	struct stat	 st;
	int		 found = -1;

	if (!view_changed() || task_stat(rq->notif.pid, fd, &st) == -1)
		return (-1);
	if (!S_ISDIR(st.st_mode) && (!view_near(&st) ||
	    (!view_copied() && !gone_any())))
		return (-1);
	if (place_descriptor(rq, fd, &pl) != 0)
		return (-1);
	if ((listed && pl.branch) || pl.given ||
	    (pl.branch && !pl.inside && look_for_xattr(rq)))
		found = look_branch(rq, fd, e);
	else if (listed && gone_any())
		found = look_gone(rq, fd, e);
	if (found == -1 && pl.inside && !place_unchanged(&pl, 1) &&
	    place_lookup(rq, &pl, AT_SYMLINK_NOFOLLOW, e) == 0 && pl.inside) {
		if (task_stat(rq->notif.pid, fd, &st) == 0 &&
		    look_same(e, &st))
			found = 0;
		else
			merge_entry_free(e);
	}
	place_free(&pl);
	return (found);
}

/* Attributes are not read through a descriptor that only names a file. */
static int
look_allowed(const struct request *rq, int number)
{
	int	 fd, flags;

	if (!look_for_xattr(rq))
		return (1);
	if ((fd = task_fd(rq->notif.pid, number)) == -1)
		return (0);
	flags = fcntl(fd, F_GETFL);
	close(fd);
	return (flags != -1 && (flags & O_PATH) == 0);
}

/*
 * The entry that the call names.  1 and the entry, which the caller frees, when
 * it is to be answered here; 0 when it has been answered.  With listed it is
 * the status that is asked for, and that of a directory changes with its list.
 */
static int
look_entry(struct request *rq, int listed, struct merge_entry *e)
{
	const struct syscall_entry	*call = rq->call;
	struct place			 pl;
	char				 path[PATH_MAX];
	int				 dirfd = AT_FDCWD, error, flags, inside;

	if (view_same()) {
		/* Whatever it is about, nothing of it is different. */
		notify_continue(rq);
		return (0);
	}
	flags = look_flags(rq);
	if (call->dirfd != SLOT_NONE)
		dirfd = (int)argument(rq, call->dirfd);
	if (call->path == SLOT_NONE || argument(rq, call->path) == 0)
		path[0] = '\0';
	else if ((error = look_path(rq, call->path, path,
	    sizeof(path))) != 0) {
		notify_errno(rq, error);
		return (0);
	}
	if (path[0] == '\0') {
		if (call->path == SLOT_NONE)
			dirfd = (int)argument(rq, call->fd);
		if ((call->path == SLOT_NONE || (flags & AT_EMPTY_PATH)) &&
		    dirfd != AT_FDCWD && look_allowed(rq, dirfd) &&
		    look_descriptor(rq, dirfd, listed, e) == 0)
			return (1);
		/* These calls change nothing, whatever they look at by then. */
		notify_continue(rq);
		return (0);
	}
	if ((error = place_find(rq, dirfd, path,
	    (flags & AT_SYMLINK_NOFOLLOW) == 0, &pl)) != 0) {
		notify_errno(rq, error);
		return (0);
	}
	if (!pl.inside || place_unchanged(&pl, listed)) {
		/* As above: at worst it tells of the lower one. */
		notify_continue(rq);
		place_free(&pl);
		return (0);
	}
	error = place_lookup(rq, &pl, flags & AT_SYMLINK_NOFOLLOW, e);
	inside = pl.inside;
	if (error != 0)
		notify_errno(rq, error);
	else if (!inside)
		look_left(rq, call->path, &pl);
	place_free(&pl);
	return (error == 0 && inside);
}

static void
stat_from_statx(const struct statx *sx, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = makedev(sx->stx_dev_major, sx->stx_dev_minor);
	st->st_ino = sx->stx_ino;
	st->st_nlink = sx->stx_nlink;
	st->st_mode = sx->stx_mode;
	st->st_uid = sx->stx_uid;
	st->st_gid = sx->stx_gid;
	st->st_rdev = makedev(sx->stx_rdev_major, sx->stx_rdev_minor);
	st->st_size = sx->stx_size;
	st->st_blksize = sx->stx_blksize;
	st->st_blocks = sx->stx_blocks;
	st->st_atim.tv_sec = sx->stx_atime.tv_sec;
	st->st_atim.tv_nsec = sx->stx_atime.tv_nsec;
	st->st_mtim.tv_sec = sx->stx_mtime.tv_sec;
	st->st_mtim.tv_nsec = sx->stx_mtime.tv_nsec;
	st->st_ctim.tv_sec = sx->stx_ctime.tv_sec;
	st->st_ctim.tv_nsec = sx->stx_ctime.tv_nsec;
}

void
look_stat(struct request *rq)
{
	struct merge_entry	 e;
	struct stat		 st;
	struct statx		 sx;

	if ((look_flags(rq) & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
	    LOOK_FLAGS)) != 0) {
		notify_errno(rq, EINVAL);
		return;
	}
	if (!look_entry(rq, 1, &e))
		return;
	sx = e.sx;
	merge_entry_free(&e);
	if (rq->notif.data.nr == SYS_statx) {
		notify_result(rq, argument(rq, rq->call->out), &sx, sizeof(sx),
		    0);
		return;
	}
	/* The layout of libc is the kernel's on this architecture. */
	stat_from_statx(&sx, &st);
	notify_result(rq, argument(rq, rq->call->out), &st, sizeof(st), 0);
}

/* Do something with the path of an entry; its errno or 0. */
static int
look_at(struct merge_entry *e, char **path)
{
	/* Without a name it is the descriptor itself. */
	if (e->name == NULL) {
		merge_give(view_merge(), e->fd);
		e->fd = -1;
		*path = strdup("");
	} else
		*path = view_canonical(e);
	merge_entry_free(e);
	return (*path == NULL ? ENOMEM : 0);
}

void
look_access(struct request *rq)
{
	struct merge_entry	 e;
	char			*path;
	int			 error;

	if ((look_flags(rq) & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
	    LOOK_FLAGS)) != 0 || ((int)argument(rq, rq->call->arg) &
	    ~(R_OK | W_OK | X_OK)) != 0) {
		notify_errno(rq, EINVAL);
		return;
	}
	if (!look_entry(rq, 0, &e))
		return;
	if ((error = look_at(&e, &path)) == 0 && merge_access(view_merge(),
	    path, (int)argument(rq, rq->call->arg),
	    AT_SYMLINK_NOFOLLOW) == -1)
		error = errno;
	merge_give(view_merge(), -1);
	free(path);
	notify_errno(rq, error);
}

void
look_readlink(struct request *rq)
{
	struct merge_entry	 e;
	char			 text[PATH_MAX], *path;
	ssize_t			 n;
	int			 size;

	if ((size = (int)argument(rq, rq->call->outlen)) <= 0) {
		notify_errno(rq, EINVAL);
		return;
	}
	if (!look_entry(rq, 0, &e))
		return;
	if (look_at(&e, &path) != 0) {
		notify_errno(rq, ENOMEM);
		return;
	}
	if (size > (int)sizeof(text))
		size = sizeof(text);
	n = merge_readlink(view_merge(), path, text, size);
	merge_give(view_merge(), -1);
	free(path);
	if (n == -1)
		notify_errno(rq, errno);
	else
		notify_result(rq, argument(rq, rq->call->out), text, n, n);
}

/* Where and how much getxattrat(2) says in memory. */
static int
look_xattr_buffer(const struct request *rq, uint64_t *addr, uint64_t *size)
{
	struct {
		uint64_t	 value;
		uint32_t	 size;
		uint32_t	 flags;
	} args;

	*addr = argument(rq, rq->call->out);
	*size = argument(rq, rq->call->outlen);
	if (rq->notif.data.nr != SYS_getxattrat)
		return (0);
	if (*size < sizeof(args))
		return (EINVAL);
	if (*size > sizeof(args))
		return (E2BIG);
	if (memory_read(rq->notif.pid, *addr, &args, sizeof(args)) == -1)
		return (errno);
	if (args.flags != 0)
		return (EINVAL);
	*addr = args.value;
	*size = args.size;
	return (0);
}

/* Attributes of an entry; without a name it is a descriptor. */
static ssize_t
look_xattr_read(struct merge_entry *e, const char *name, char *buf,
    size_t size)
{
	struct merge	*m = view_merge();
	char		*path = NULL;
	ssize_t		 n = -1;

	if (e->name == NULL && name != NULL)
		n = merge_fd_getxattr(e->fd, name, buf, size);
	else if (e->name == NULL)
		n = merge_fd_listxattr(e->fd, buf, size);
	else if ((path = view_canonical(e)) != NULL && name != NULL)
		n = merge_getxattr(m, path, AT_SYMLINK_NOFOLLOW, name, buf,
		    size);
	else if (path != NULL)
		n = merge_listxattr(m, path, AT_SYMLINK_NOFOLLOW, buf, size);
	free(path);
	return (n);
}

/* Attributes of an entry, or with a name the value of one. */
static void
look_xattr(struct request *rq, const char *name)
{
	struct merge_entry	 e;
	char			*buf = NULL;
	uint64_t		 addr, size;
	ssize_t			 n = -1;
	int			 error;

	if ((error = look_xattr_buffer(rq, &addr, &size)) != 0) {
		notify_errno(rq, error);
		return;
	}
	if (!look_entry(rq, 0, &e))
		return;
	if (size > PROTO_XATTR_MAX)
		size = PROTO_XATTR_MAX;
	if ((size > 0 && (buf = malloc(size)) == NULL) ||
	    (n = look_xattr_read(&e, name, buf, size)) == -1)
		error = errno;
	merge_entry_free(&e);
	if (error != 0)
		notify_errno(rq, error);
	else
		notify_result(rq, addr, buf, size == 0 ? 0 : n, n);
	free(buf);
}

void
look_getxattr(struct request *rq)
{
	char	 name[XATTR_NAME_MAX + 1];
	ssize_t	 n;

	n = memory_string(rq->notif.pid, argument(rq, rq->call->arg), name,
	    sizeof(name));
	if (n == -1)
		notify_errno(rq, errno == ENAMETOOLONG ? ERANGE : errno);
	else if (n == 0)
		notify_errno(rq, ERANGE);
	else
		look_xattr(rq, name);
}

void
look_listxattr(struct request *rq)
{
	look_xattr(rq, NULL);
}

void
look_statfs(struct request *rq)
{
	struct merge_entry	 e;
	struct statfs		 sf;
	int			 error = 0;

	if (!look_entry(rq, 0, &e))
		return;
	if (fstatfs(e.fd, &sf) == -1)
		error = errno;
	merge_entry_free(&e);
	if (error != 0)
		notify_errno(rq, error);
	else
		notify_result(rq, argument(rq, rq->call->out), &sf, sizeof(sf),
		    0);
}
