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
 * The file system calls of the branch code.  It owns nothing and decides
 * nothing: each function is one system call, with the flags that keep it from
 * following a link or waiting for somebody, and a second way where a kernel or
 * a file system lacks the first.  Keeping them in one place shows what cowd's
 * filter has to allow and lets the tests fail each single call.
 */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <linux/fs.h>
#include <linux/openat2.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "rmtree.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif

/* "/proc/self/fd/", a number, a slash and a name. */
#define FS_PROC_SIZE	(32 + NAME_MAX + 1)

static void
inode_time(struct timespec *ts, const struct statx_timestamp *from)
{
	ts->tv_sec = from->tv_sec;
	ts->tv_nsec = from->tv_nsec;
}

int
fs_stat(int at, const char *name, struct inode *in)
{
	struct statx	 sx;
	int		 flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

	if (*name == '\0')
		flags |= AT_EMPTY_PATH;
	memset(in, 0, sizeof(*in));
	if (statx(at, name, flags, STATX_BASIC_STATS | STATX_BTIME, &sx) == -1)
		return (-1);
	in->dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
	in->ino = sx.stx_ino;
	in->size = sx.stx_size;
	in->rdev = makedev(sx.stx_rdev_major, sx.stx_rdev_minor);
	in->mode = sx.stx_mode;
	in->uid = sx.stx_uid;
	in->gid = sx.stx_gid;
	in->nlink = sx.stx_nlink;
	inode_time(&in->atime, &sx.stx_atime);
	inode_time(&in->mtime, &sx.stx_mtime);
	inode_time(&in->ctime, &sx.stx_ctime);
	if ((sx.stx_mask & STATX_BTIME) != 0)
		inode_time(&in->btime, &sx.stx_btime);
	return (0);
}

/* Device numbers may change with a boot, and every look-up is in one mount. */
int
inode_is(const struct inode *a, const struct inode *b)
{
	return (a->ino == b->ino &&
	    (a->mode & S_IFMT) == (b->mode & S_IFMT) &&
	    a->btime.tv_sec == b->btime.tv_sec &&
	    a->btime.tv_nsec == b->btime.tv_nsec);
}

int
fs_one_mount(int a, int b)
{
	struct statx	 sa, sb;

	if (statx(a, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &sa) == -1 ||
	    statx(b, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &sb) == -1)
		return (-1);
	if ((sa.stx_mask & sb.stx_mask & STATX_MNT_ID) == 0)
		return (0);
	/* Subvolumes are one mount and yet no rename gets across. */
	return (sa.stx_mnt_id == sb.stx_mnt_id &&
	    sa.stx_dev_major == sb.stx_dev_major &&
	    sa.stx_dev_minor == sb.stx_dev_minor);
}

int
fs_enter(int at, const char *name)
{
	struct open_how	 how;

	memset(&how, 0, sizeof(how));
	how.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	    RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
	return (syscall(SYS_openat2, at, name, &how, sizeof(how)));
}

/* Where this leads is compared by the caller. */
int
fs_up(int fd)
{
	return (openat(fd, "..", O_PATH | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC));
}

int
fs_list(int fd)
{
	return (openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC));
}

ssize_t
fs_getdents(int fd, void *buf, size_t size)
{
	return (getdents64(fd, buf, size));
}

int
fs_node(int at, const char *name)
{
	if (*name == '\0')
		return (fcntl(at, F_DUPFD_CLOEXEC, 0));
	return (openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

/* Should the object be no file after all, this neither waits nor acts. */
int
fs_read_open(int at, const char *name)
{
	return (openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC));
}

int
fs_write_open(int at, const char *name, int flags)
{
	return (openat(at, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags,
	    0600));
}

int
fs_rename(int from, const char *old, int to, const char *new,
    unsigned int flags)
{
	return (renameat2(from, old, to, new, flags));
}

int
fs_mkdir(int at, const char *name)
{
	return (mkdirat(at, name, 0700));
}

int
fs_mknod(int at, const char *name, mode_t mode, dev_t dev)
{
	return (mknodat(at, name, mode, dev));
}

int
fs_symlink(const char *target, int at, const char *name)
{
	return (symlinkat(target, at, name));
}

ssize_t
fs_readlink(int at, const char *name, char *buf, size_t size)
{
	return (readlinkat(at, name, buf, size));
}

int
fs_link(int from, const char *old, int to, const char *new)
{
	return (linkat(from, old, to, new, 0));
}

int
fs_unlink(int at, const char *name)
{
	return (unlinkat(at, name, 0));
}

int
fs_rmtree(int at, const char *name)
{
	return (rmtree(at, name));
}

/*
 * "/proc/self/fd/N/NAME" for calls that know no descriptors.  The directory
 * is the descriptor's whatever its path is now; NAME is not followed by the
 * l-variants that are used.
 */
static int
fs_proc(int at, const char *name, char path[FS_PROC_SIZE])
{
	int	 n;

	n = snprintf(path, FS_PROC_SIZE, "/proc/self/fd/%d%s%s", at,
	    *name == '\0' ? "" : "/", name);
	if (n < 0 || n >= FS_PROC_SIZE) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

/* fchmodat2(2) came with Linux 6.6. */
int
fs_chmod(int fd, mode_t mode)
{
	char	 path[FS_PROC_SIZE];

	if (syscall(SYS_fchmodat2, fd, "", mode & 07777, AT_EMPTY_PATH) == 0)
		return (0);
	if (errno != ENOSYS || fs_proc(fd, "", path) == -1)
		return (-1);
	return (fchmodat(AT_FDCWD, path, mode & 07777, 0));
}

int
fs_chown(int fd, uid_t uid, gid_t gid)
{
	return (fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
}

int
fs_utimes(int fd, const struct inode *in)
{
	struct timespec	 ts[2];

	ts[0] = in->atime;
	ts[1] = in->mtime;
	return (utimensat(fd, "", ts, AT_EMPTY_PATH));
}

/* A descriptor's own magic link has to be followed, a name must not be. */
ssize_t
fs_listxattr(int at, const char *name, char *buf, size_t size)
{
	char	 path[FS_PROC_SIZE];

	if (fs_proc(at, name, path) == -1)
		return (-1);
	return (*name == '\0' ? listxattr(path, buf, size) :
	    llistxattr(path, buf, size));
}

ssize_t
fs_getxattr(int at, const char *name, const char *xattr, void *buf,
    size_t size)
{
	char	 path[FS_PROC_SIZE];

	if (fs_proc(at, name, path) == -1)
		return (-1);
	return (*name == '\0' ? getxattr(path, xattr, buf, size) :
	    lgetxattr(path, xattr, buf, size));
}

int
fs_setxattr(int at, const char *name, const char *xattr, const void *value,
    size_t len)
{
	char	 path[FS_PROC_SIZE];

	if (fs_proc(at, name, path) == -1)
		return (-1);
	return (*name == '\0' ? setxattr(path, xattr, value, len, 0) :
	    lsetxattr(path, xattr, value, len, 0));
}

int
fs_removexattr(int at, const char *name, const char *xattr)
{
	char	 path[FS_PROC_SIZE];

	if (fs_proc(at, name, path) == -1)
		return (-1);
	return (*name == '\0' ? removexattr(path, xattr) :
	    lremovexattr(path, xattr));
}

ssize_t
fs_pread(int fd, void *buf, size_t len, off_t off)
{
	return (pread(fd, buf, len, off));
}

ssize_t
fs_pwrite(int fd, const void *buf, size_t len, off_t off)
{
	return (pwrite(fd, buf, len, off));
}

off_t
fs_seek(int fd, off_t off, int whence)
{
	return (lseek(fd, off, whence));
}

int
fs_truncate(int fd, off_t size)
{
	return (ftruncate(fd, size));
}

int
fs_reserve(int fd, off_t off, off_t len)
{
	return (fallocate(fd, FALLOC_FL_KEEP_SIZE, off, len));
}

int
fs_clone(int from, int to)
{
	return (ioctl(to, FICLONE, from));
}

ssize_t
fs_copy(int from, off_t *off, int to, off_t *tooff, size_t len)
{
	return (copy_file_range(from, off, to, tooff, len, 0));
}

int
fs_sync(int fd)
{
	return (fsync(fd));
}

int
fs_syncfs(int fd)
{
	return (syncfs(fd));
}

int
fs_flock(int fd, int how)
{
	return (flock(fd, how));
}
