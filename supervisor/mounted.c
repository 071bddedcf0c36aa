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
 * The quota where the kernel merges (overlayfs): calls that make, remove or
 * copy up something.
 *
 * What makes something takes its room and is let through.  A copy up is made
 * here before the call goes on, by opening the file for writing: the kernel
 * would not copy data for the workload, whose limit of file sizes is 0.  What
 * takes names away is done here altogether and one after the other, so that
 * no file loses its last name unseen.  All of it happens in a domain that
 * grants what the workload has.
 *
 * Every CONTINUE of this file is harmless for one reason: whatever the name
 * leads to by then, the kernel copies no data up and writes none, and what it
 * makes or copies besides has no content; the next count finds that.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "supervisor.h"
#include "worker.h"

#define DIRECTORY_ROOM	(2 * ROOM_UNIT)

static struct {
	int		 active;
	const char	*name;		/* of the working directory */
	size_t		 len;
	uint64_t	 id;		/* of the mount on it */
	int		 upper;
} mounted;

/* A name whose last component is not followed. */
struct name {
	int	 dir;			/* what it lies in, O_PATH; or -1 */
	char	 path[PATH_MAX];
	char	*last;			/* in path, with slashes behind it */
	int	 fd;			/* what it is, O_PATH; -1: nothing */
};

static int
mount_id(int fd, uint64_t *id)
{
	struct statx	 sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) == -1 ||
	    (sx.stx_mask & STATX_MNT_ID) == 0)
		return (-1);
	*id = sx.stx_mnt_id;
	return (0);
}

/* The working directory by its name, on which the mount is, and the branch. */
void
mounted_init(const char *name, int branch)
{
	int	 fd;

	mounted.name = name;
	mounted.len = strlen(name);
	if ((fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    (mounted.upper = openat(branch, "upper", O_PATH | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		worker_fail("%s: %s", name, strerror(errno));
	if (mount_id(fd, &mounted.id) == -1)
		worker_fail("--max-disk: this kernel does not tell mounts "
		    "apart");
	close(fd);
	mounted.active = 1;
}

int
mounted_active(void)
{
	return (mounted.active);
}

/* Whether something is on the mount; what cannot be told counts as that. */
int
mounted_holds(int fd)
{
	uint64_t	 id;

	return (mount_id(fd, &id) == -1 || id == mounted.id);
}

/* The path below the mount of something on it; "" for the top. */
static int
mounted_path(int fd, char *path, size_t size)
{
	char	 link[64], text[PATH_MAX + 1];
	ssize_t	 n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if ((n = readlink(link, text, sizeof(text) - 1)) == -1)
		return (-1);
	text[n] = '\0';
	if (strncmp(text, mounted.name, mounted.len) != 0 ||
	    (text[mounted.len] != '\0' && text[mounted.len] != '/'))
		return (-1);
	n = mounted.len + (text[mounted.len] == '/');
	return (strlcpy(path, text + n, size) < size ? 0 : -1);
}

static int
upper_has(const char *path)
{
	struct open_how	 how;
	int		 fd;

	if (path[0] == '\0')
		return (1);
	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS;
	fd = syscall(SYS_openat2, mounted.upper, path, &how, sizeof(how));
	if (fd == -1)
		return (0);
	close(fd);
	return (1);
}

/* Whether upper has it; no directory is seen in another place than its own. */
static int
mounted_upper(int fd)
{
	char	 path[PATH_MAX];

	return (mounted_path(fd, path, sizeof(path)) == 0 && upper_has(path));
}

/* What a directory, and those that it lies in, take to be in upper. */
static uint64_t
directory_room(int fd)
{
	char		 path[PATH_MAX], *slash;
	uint64_t	 room = 0;

	if (!mounted_holds(fd) ||
	    mounted_path(fd, path, sizeof(path)) == -1)
		return (0);
	while (!upper_has(path)) {
		room += DIRECTORY_ROOM;
		if ((slash = strrchr(path, '/')) == NULL)
			break;
		*slash = '\0';
	}
	return (room);
}

/* What a file takes to be copied up, with its data or without; 0: nothing. */
static uint64_t
copyup_room(int fd, int data)
{
	struct stat	 st;
	char		 path[PATH_MAX], *slash;
	uint64_t	 room = ROOM_UNIT;

	if (!mounted_holds(fd) || fstat(fd, &st) == -1 ||
	    S_ISDIR(st.st_mode) || st.st_nlink == 0)
		return (0);
	if ((data && S_ISREG(st.st_mode)) || S_ISLNK(st.st_mode))
		room += room_round(st.st_size);
	if (mounted_path(fd, path, sizeof(path)) == -1)
		return (room);
	if (upper_has(path))
		return (0);
	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (upper_has(path))
			break;
		room += DIRECTORY_ROOM;
	}
	return (room);
}

/* Metadata of something on the mount is to change; whether there is room. */
int
mounted_change(int fd, uint64_t more)
{
	uint64_t	 room = more;

	if (!mounted_holds(fd))
		return (1);
	room += copyup_room(fd, 1);
	return (room == 0 || quota_take(room));
}

/* Copy a file up, for which room was taken.  0, or an errno. */
static int
copyup_data(int fd)
{
	char	 name[64];
	int	 new;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	new = open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (new == -1)
		return (errno);
	close(new);
	return (0);
}

/* A name of the call, in two parts; 0 or an errno. */
static int
name_read(const struct request *rq, int dirslot, int slot, struct name *n)
{
	char	 parent[PATH_MAX];
	size_t	 len;
	int	 dirfd = AT_FDCWD, error;

	n->dir = n->fd = -1;
	if (dirslot != SLOT_NONE)
		dirfd = (int)rq->notif.data.args[dirslot];
	if ((error = look_path(rq, slot, n->path, sizeof(n->path))) != 0)
		return (error);
	if (n->path[0] == '\0')
		return (ENOENT);
	len = strlen(n->path);
	while (len > 1 && n->path[len - 1] == '/')
		len--;
	while (len > 0 && n->path[len - 1] != '/')
		len--;
	n->last = n->path + len;
	memcpy(parent, n->path, len);
	parent[len] = '\0';
	/* "/" alone has no last part, and the kernel says so. */
	if (n->last[0] == '\0')
		n->last = n->path;
	n->dir = resolve_at(rq, dirfd, len == 0 ? "." : parent, 0);
	if (n->dir == -1)
		return (errno);
	n->fd = openat(n->dir, n->last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return (0);
}

static void
name_free(struct name *n)
{
	if (n->dir != -1)
		close(n->dir);
	if (n->fd != -1)
		close(n->fd);
}

/*
 * A file that is to lose a name: what it is held by, should it be the last; or
 * -1.  What lower alone has is nobody's to count.
 */
static int
name_hold(const struct name *n)
{
	struct stat	 st;
	char		 name[64];
	int		 fd;

	if (n->fd == -1 || !mounted_holds(n->fd) ||
	    fstat(n->fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    !mounted_upper(n->fd))
		return (-1);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", n->fd);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	/* Who may not read it keeps its room to the end of the run. */
	if (fd == -1)
		fd = open(name, O_PATH | O_CLOEXEC);
	return (fd);
}

/* Answer a call that took names away, or did not. */
static void
name_gone(const struct request *rq, int hold, int error)
{
	if (error == 0) {
		/* A whiteout, perhaps; it is never refused. */
		quota_settle(0, ROOM_UNIT);
		quota_freed();
	}
	if (hold != -1 && error == 0)
		held_add(hold);
	else if (hold != -1)
		close(hold);
	notify_errno(rq, error);
}

static void
mounted_unlink(struct request *rq)
{
	struct name	 n;
	int		 error, flags = 0, hold;

	if (rq->call->class == CLASS_RMDIR)
		flags = AT_REMOVEDIR;
	else if (rq->call->flags != SLOT_NONE)
		flags = (int)rq->notif.data.args[rq->call->flags];
	if ((error = name_read(rq, rq->call->dirfd, rq->call->path, &n)) != 0)
		notify_errno(rq, error);
	else if (notify_valid(rq)) {
		hold = name_hold(&n);
		error = unlinkat(n.dir, n.last, flags) == -1 ? errno : 0;
		name_gone(rq, hold, error);
	}
	name_free(&n);
}

/* Take room for the names and copies of a call; otherwise it has its answer. */
static int
mounted_take(struct request *rq, uint64_t room)
{
	if (quota_take(room)) {
		/* Should the call fail, there is less. */
		quota_freed();
		return (1);
	}
	quota_full(rq);
	return (0);
}

static void
mounted_rename(struct request *rq)
{
	struct name	 from, to;
	uint64_t	 room = ROOM_UNIT;
	unsigned int	 flags = 0;
	int		 error, hold = -1;

	to.dir = to.fd = -1;
	if (rq->call->arg != SLOT_NONE)
		flags = (unsigned int)rq->notif.data.args[rq->call->arg];
	if ((error = name_read(rq, rq->call->dirfd, rq->call->path,
	    &from)) != 0 || (error = name_read(rq, rq->call->dirfd2,
	    rq->call->path2, &to)) != 0) {
		notify_errno(rq, error);
		goto done;
	}
	room += directory_room(from.dir) + directory_room(to.dir);
	if (from.fd != -1)
		room += copyup_room(from.fd, 1);
	if (to.fd != -1 && (flags & RENAME_EXCHANGE) != 0)
		room += copyup_room(to.fd, 1);
	if (!mounted_take(rq, room) || !notify_valid(rq))
		goto done;
	if ((flags & RENAME_EXCHANGE) == 0)
		hold = name_hold(&to);
	error = renameat2(from.dir, from.last, to.dir, to.last, flags) == -1 ?
	    errno : 0;
	name_gone(rq, hold, error);
 done:
	name_free(&from);
	name_free(&to);
}

static void
mounted_link(struct request *rq)
{
	struct name	 to;
	char		 name[64], path[PATH_MAX];
	int		 dirfd = AT_FDCWD, error, fd = -1, flags = 0;

	to.dir = to.fd = -1;
	if (rq->call->flags != SLOT_NONE)
		flags = (int)rq->notif.data.args[rq->call->flags];
	if (rq->call->dirfd != SLOT_NONE)
		dirfd = (int)rq->notif.data.args[rq->call->dirfd];
	error = look_path(rq, rq->call->path, path, sizeof(path));
	if (error == 0 && (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0)
		error = EINVAL;
	if (error == 0 && (fd = resolve_at(rq, dirfd, path,
	    (flags & AT_EMPTY_PATH) | ((flags & AT_SYMLINK_FOLLOW) != 0 ? 0 :
	    AT_SYMLINK_NOFOLLOW))) == -1)
		error = errno;
	if (error != 0 || (error = name_read(rq, rq->call->dirfd2,
	    rq->call->path2, &to)) != 0)
		notify_errno(rq, error);
	else if (mounted_take(rq, ROOM_UNIT + copyup_room(fd, 1) +
	    directory_room(to.dir)) && notify_valid(rq)) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		notify_errno(rq, linkat(AT_FDCWD, name, to.dir, to.last,
		    AT_SYMLINK_FOLLOW) == -1 ? errno : 0);
	}
	if (fd != -1)
		close(fd);
	name_free(&to);
}

/* Where a call makes something, which the kernel does. */
static void
mounted_make(struct request *rq, uint64_t room)
{
	struct name	 n;
	int		 error;

	if ((error = name_read(rq, rq->call->dirfd, rq->call->path,
	    &n)) != 0)
		notify_errno(rq, error);
	else if (mounted_take(rq, room + directory_room(n.dir)))
		/* See above: what it makes has been counted. */
		notify_continue(rq);
	name_free(&n);
}

static void
mounted_symlink(struct request *rq)
{
	char	 text[PATH_MAX];
	int	 error;

	if ((error = look_path(rq, rq->call->arg, text, sizeof(text))) != 0)
		notify_errno(rq, error);
	else
		/* Another text may be longer by then: room for any. */
		mounted_make(rq, ROOM_UNIT + room_round(PATH_MAX));
}

static void
mounted_truncate(struct request *rq)
{
	struct stat	 st;
	char		 name[64], path[PATH_MAX];
	off_t		 size = (off_t)rq->notif.data.args[rq->call->arg];
	uint64_t	 room = 0;
	int		 error, fd = -1;

	error = look_path(rq, rq->call->path, path, sizeof(path));
	if (error == 0 && (fd = resolve_at(rq, AT_FDCWD, path, 0)) == -1)
		error = errno;
	if (error == 0 && fstat(fd, &st) == -1)
		error = errno;
	if (error == 0 && mounted_holds(fd) && S_ISREG(st.st_mode)) {
		room = copyup_room(fd, 1);
		if (size > st.st_size)
			room += room_round(size) - room_round(st.st_size);
	}
	if (error != 0)
		notify_errno(rq, error);
	else if (mounted_take(rq, room) && notify_valid(rq)) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		notify_errno(rq, truncate(name, size) == -1 ? errno : 0);
	}
	if (fd != -1)
		close(fd);
}

/* A file that is there is opened for writing. */
static void
open_existing(struct request *rq, int fd, int flags)
{
	struct stat	 st;
	uint64_t	 room;
	int		 data = (flags & O_TRUNC) == 0;

	if (fstat(fd, &st) == -1) {
		notify_errno(rq, errno);
		return;
	}
	if ((flags & O_TMPFILE) == O_TMPFILE && S_ISDIR(st.st_mode))
		room = ROOM_UNIT + directory_room(fd);
	else if (!S_ISREG(st.st_mode) ||
	    (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ||
	    (data && (flags & O_ACCMODE) == O_RDONLY))
		room = 0;
	else
		room = copyup_room(fd, data);
	if (!data)
		quota_freed();
	if (room != 0 && (!mounted_take(rq, room) || !notify_valid(rq)))
		return;
	if (room != 0 && data && S_ISREG(st.st_mode) && copyup_data(fd) != 0)
		quota_give(room);	/* the kernel says what is wrong */
	/* See above: it has been copied up where it was to be. */
	notify_continue(rq);
}

static void
mounted_open(struct request *rq)
{
	const struct syscall_entry	*call = rq->call;
	const __u64			*args = rq->notif.data.args;
	char				 path[PATH_MAX];
	int				 dirfd = AT_FDCWD, error, fd, flags;

	flags = call->nr == SYS_creat ? O_CREAT | O_WRONLY | O_TRUNC :
	    (int)args[call->arg];
	if (call->dirfd != SLOT_NONE)
		dirfd = (int)args[call->dirfd];
	if ((error = look_path(rq, call->path, path, sizeof(path))) != 0) {
		notify_errno(rq, error);
		return;
	}
	fd = resolve_at(rq, dirfd, path, (flags & O_NOFOLLOW) != 0 ||
	    (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ?
	    AT_SYMLINK_NOFOLLOW : 0);
	if (fd != -1) {
		open_existing(rq, fd, flags);
		close(fd);
	} else if ((flags & O_CREAT) != 0)
		mounted_make(rq, ROOM_UNIT);
	else
		/* It is not there, or the kernel says what is wrong. */
		notify_continue(rq);
}

/* Anywhere: by the time the name may lead to the mount. */
static void
mounted_bind(struct request *rq)
{
	if (mounted_take(rq, ROOM_UNIT))
		/* See above: a socket is an inode, and was counted. */
		notify_continue(rq);
}

/* Room for a socket that is made here; 0 when the call has its answer. */
int
mounted_socket(struct request *rq)
{
	return (mounted_take(rq, ROOM_UNIT));
}

void
mounted_request(struct request *rq)
{
	switch (rq->call->class) {
	case CLASS_OPEN:
		mounted_open(rq);
		break;
	case CLASS_UNLINK:
	case CLASS_RMDIR:
		mounted_unlink(rq);
		break;
	case CLASS_RENAME:
		mounted_rename(rq);
		break;
	case CLASS_LINK:
		mounted_link(rq);
		break;
	case CLASS_MKDIR:
		mounted_make(rq, DIRECTORY_ROOM);
		break;
	case CLASS_MKNOD:
		mounted_make(rq, ROOM_UNIT);
		break;
	case CLASS_SYMLINK:
		mounted_symlink(rq);
		break;
	case CLASS_TRUNCATE:
		mounted_truncate(rq);
		break;
	case CLASS_BIND:
		mounted_bind(rq);
		break;
	default:
		notify_errno(rq, ENOSYS);
		break;
	}
}
